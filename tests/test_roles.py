"""Roles: what customers do for the community."""

from dataclasses import replace
from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of import launch_snapshot, past_snapshot
from segmenter.measures.past import past_of
from segmenter.roles import HOLDS, dated, unknown_kinds, with_roles

DAY = date(2026, 7, 1)
ORDERS = [(f"c{number:02}", f"2026-06-{1 + number % 28:02}", 100.0 + number) for number in range(40)]
BASE = {"launch.as_of": str(DAY), "roles": "none", "roles.helper": {"answer": 3}, "roles.writer": {"post": 4, "referral": 1}}
EVENTS = [("c00", "answer", "2026-06-30"), ("c00", "answer", "2026-06-01"), ("c01", "Answer", "2026-06-30"), ("c02", "post", "2026-06-20")]


def tables_of(events, chosen, referrals=(), orders=ORDERS):
    frames = {"orders": pl.DataFrame(orders, schema=["customer_id", "time", "amount"], orient="row")}
    if events:
        frames["events"] = pl.DataFrame(events, schema=["customer_id", "kind", "time"], orient="row")
    if referrals:
        frames["referrals"] = pl.DataFrame(
            referrals, schema={"customer_id": pl.String, "friend_id": pl.String, "time": pl.String}, orient="row"
        )
    return segmenter.canonical_tables(frames, chosen.data, chosen.launch)


def roles_of(events, referrals=(), day=DAY, orders=ORDERS, **changes):
    roles = {} if changes.pop("roles", True) else {"roles": {}}
    chosen = segmenter.launch_settings(BASE | changes).model_copy(update=roles)
    tables = tables_of(events, chosen, referrals, orders)
    measures = segmenter.measure(tables, as_of=day, half_life_days=90)
    return with_roles(measures, tables, chosen, day, 90)


def test_points_fade_and_who_has_most_of_them_holds_the_role():
    frame = roles_of(EVENTS, **{"launch.role_points": 3})
    helper = dict(frame.select("customer_id", "role_helper").rows())
    today, older = 3 * 2 ** (-1 / 90), 3 * 2 ** (-30 / 90)
    assert helper["c00"] == pytest.approx(
        (today + older) / (today + older + 3), abs=1e-5
    )  # 2 of 40 may hold it, the second with 2.98 points
    assert helper["c01"] == pytest.approx(today / (today + 3), abs=1e-5)
    assert helper["c02"] == 0
    assert dict(frame.select("customer_id", "role").drop_nulls().rows()) == {"c00": "helper", "c02": "writer"}


def test_no_more_than_a_share_of_the_customers_hold_a_role_but_for_ties():
    events = [(f"c{number:02}", "answer", "2026-06-30") for number in range(20) for _ in range(2 + (number < 5))]
    assert (roles_of(events)["role"] == "helper").sum() == 5
    assert (roles_of(events, **{"launch.role_share": 0.5})["role"] == "helper").sum() == 20


def test_friends_brought_count_once_from_their_first_day_and_nobody_brings_themselves():
    brought = [("c03", "c04", "2026-06-30"), ("c03", "c04", "2026-01-01"), ("c03", "c03", "2026-06-30"), ("c05", "c06", "2026-06-30")]
    frame = roles_of([], brought, **{"launch.role_points": 0.1})
    scores = frame.filter(pl.col("role_writer") > 0).select("customer_id", "role_writer").sort("customer_id").rows()
    first, late = 2 ** (-181 / 90), 2 ** (-1 / 90)
    assert scores == [("c03", 0.5), ("c05", pytest.approx(late / (late + first), abs=1e-5))]  # 2 in 40 may hold it


def test_friends_brought_on_no_known_day_count_half_and_at_a_past_date_nothing():
    chosen = segmenter.launch_settings(BASE | {"launch.role_points": 0.5})
    tables = tables_of([], chosen, [("c05", "c06", "2026-06-30")])
    tables = replace(tables, referrals=tables.referrals.with_columns(time=pl.lit(None, dtype=pl.Datetime("us"))))
    measures = segmenter.measure(tables, as_of=DAY, half_life_days=90)
    assert with_roles(measures, tables, chosen, DAY, 90)["role_writer"].sum() == 0.5
    assert with_roles(measures, dated(tables), chosen, DAY, 90)["role_writer"].sum() == 0


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.permutations(EVENTS), st.integers(0, 3))
def test_neither_the_order_of_rows_nor_what_comes_later_changes_anything(events, more):
    later = [("c07", "answer", f"2026-07-0{1 + number}") for number in range(more)]
    assert roles_of([*later, *events]).equals(roles_of(EVENTS).with_columns(pl.lit(0.0).alias("later")).drop("later"))


def test_without_roles_or_events_nothing_breaks_whatever_kinds_are_called():
    assert roles_of([("c00", "apart", "2026-06-30")], **{"roles.helper": {"apart": 3, "customer_id": 1}})["role_helper"].max() > 0
    assert "role" not in roles_of(EVENTS, roles={}).columns
    frame = roles_of([])
    assert frame["role"].is_null().all()
    assert frame["role_helper"].sum() == 0


def test_a_kind_that_nobody_did_is_named_where_it_may_be_meant_otherwise():
    chosen = segmenter.launch_settings(BASE | {"roles.helper": {"anser": 3}, "scoring.role_weights": {"helper": 1.0}})
    frame = roles_of(EVENTS, **{"roles.helper": {"anser": 3}})
    kinds, idle = unknown_kinds(frame, chosen)
    assert "helper.anser; nearest: answer" in kinds
    assert "helper" in idle
    assert unknown_kinds(roles_of(EVENTS), segmenter.launch_settings(BASE)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"launch.role": "helpr"}, r"launch.role: .* \(got helpr; nearest: helper\)"),
        ({"scoring.role_weights": {"x": 1.0}}, r"scoring.role_weights: .* \(got x"),
        ({"plan.key_user_components": ["role_x"]}, r"plan.key_user_components: .* \(got x"),
        ({"plan.key_user_components": ["advocat"]}, r"plan.key_user_components\[0\]: should be one of spend"),
        ({"plan": "allocated", "plan.layer_by": "role", "plan.layers": {"expert": {"min": 0.1}}}, "plan.layer_by: expert: .*tenure"),
        ({"plan": "allocated", "plan.roles.experts": 0.1}, "plan.roles(.experts)?: is called plan.tenure(.experts)? now"),
        ({"roles.member": {"answer": 1}}, r"roles: should have names .* \(got member\)"),
        ({"roles.helper": {}}, "roles.helper: "),
        ({"roles.helper": {"answer": -1}}, "roles.helper.answer: should be ≥ 0"),
    ],
)
def test_what_no_role_could_mean_is_said(changes, said):
    with pytest.raises(ConfigError, match=said):
        segmenter.launch_settings(BASE | changes)


def test_an_attribute_of_that_name_is_refused():
    chosen = segmenter.launch_settings(BASE)
    tables = tables_of(EVENTS, chosen)
    measures = segmenter.measure(tables, as_of=DAY, half_life_days=90).with_columns(role=pl.lit("buyer"))
    with pytest.raises(InputError, match="role: so segmenter calls a column of its own"):
        with_roles(measures, tables, chosen, DAY, 90)


def test_a_community_of_a_role_takes_its_holders_alone_and_says_so_in_the_funnel():
    changes = {"launch.role": "helper", "launch.role_share": 0.5, "plan.holdout": 0.0, "scoring": "decayed"}
    events = [(f"c{number:02}", "answer", "2026-06-30") for number in range(20) for _ in range(2)]
    chosen = segmenter.launch_settings(BASE | changes)
    plan = segmenter.plan_launch(tables_of(events, chosen), chosen)
    assert plan.counts["eligible"] == 20
    assert plan.funnel.filter(rule="role")["removed"].item() == 20
    assert set(plan.invite_list["role"]) == {"helper"}


def test_a_role_can_be_a_component_with_a_reason():
    changes = {"scoring": "weighted", "scoring.role_weights": {"helper": 1000.0}, "plan.key_user_components": ["role_helper"]}
    chosen = segmenter.launch_settings(BASE | changes | {"plan.holdout": 0.0})
    plan = segmenter.plan_launch(tables_of(EVENTS, chosen), chosen)
    assert plan.invite_list["customer_id"][0] == "c00"
    assert "role_helper" in plan.invite_list["reasons"][0]
    assert "component_role_helper" in plan.customers.columns
    assert plan.customers.filter(pl.col("role_helper") >= HOLDS)["role"].to_list() == ["helper"]


def test_roles_are_layers_and_the_others_are_members():
    events = [(f"c{number:02}", "answer", datetime(2026, 6, 30)) for number in range(8) for _ in range(2)]
    layers = {"plan": "allocated", "plan.layer_by": "role", "plan.layers": {"helper": {"min": 0.1}}, "launch.role_share": 0.5}
    chosen = segmenter.launch_settings(BASE | layers | {"plan.smallest": 2, "plan.holdout": 0.0})
    plan = segmenter.plan_launch(tables_of([(who, kind, str(day)) for who, kind, day in events], chosen), chosen)
    assert set(plan.layers["layer"]) == {"helper", "member"}


def test_a_past_date_sees_what_its_own_launch_saw():
    early = date(2026, 6, 15)
    brought = [("c03", "c04", "2026-06-10"), ("c05", "c06", "2026-06-20")]
    events = [*EVENTS, ("c09", "post", "2026-06-14"), ("c09", "answer", "2026-06-15")]
    chosen = segmenter.launch_settings(BASE | {"launch.role_points": 1, "launch.role": "writer"})
    tables = tables_of(events, chosen, brought)
    then = past_snapshot(past_of(tables, DAY, 90, None), chosen, early, purchases=False).customers
    known = [row for row in events if row[2] < str(early)], [row for row in brought if row[2] < str(early)]
    same = segmenter.launch_settings(BASE | {"launch.role_points": 1, "launch.role": "writer", "launch.as_of": str(early)})
    now = launch_snapshot(tables_of(known[0], same, known[1], [row for row in ORDERS if row[1] < str(early)]), same).customers
    columns = ["customer_id", "role", "role_helper", "role_writer", "verdict"]
    assert then.select(columns).equals(now.select(columns))
    assert set(then.filter(verdict="eligible")["customer_id"]) == {"c09"}


def test_a_community_of_a_role_that_nobody_has_points_for_names_the_kinds_that_there_are():
    chosen = segmenter.launch_settings(BASE | {"launch.role": "writer", "roles.writer": {"essay": 1}})
    with pytest.raises(InputError) as wrong:
        segmenter.plan_launch(tables_of(EVENTS[:2], chosen), chosen)
    assert "roles: nobody has points for writer; the kinds of events here: answer" in wrong.value.problems
