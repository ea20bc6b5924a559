from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.planning import plan

SCHEMA = {
    "customer_id": pl.String,
    "verdict": pl.String,
    "score": pl.Float64,
    "province": pl.String,
    "city": pl.String,
    "spend": pl.Int64,
    "component_advocacy": pl.Float64,
    "component_engagement": pl.Float64,
    "days_known": pl.Int32,
    "referrals": pl.Int32,
    "segment": pl.Int32,
}


def planned(rows, invited=None, **overrides):
    terms = {"holdout": 0.0, "fill_confidence": None} | overrides
    kind = {"plan": terms.pop("kind", "simple")}
    chosen = segmenter.launch_settings(kind | {"launch.as_of": "2026-07-01"} | {f"plan.{name}": value for name, value in terms.items()})
    return plan(pl.DataFrame(rows, schema=SCHEMA, orient="row"), chosen, invited)


def row(customer, score, province="四川", city=None, advocacy=0.0, verdict="eligible", known=500):
    return (customer, verdict, float(score), province, city, 100, advocacy, 0.0, known, 0, 1)


def test_the_best_are_invited_ties_by_id_and_nobody_who_is_not_eligible():
    done = planned([row("a", 5), row("c", 9), row("b", 9), row("d", 99, verdict="staff")], size=2)
    assert done.customers.sort("customer_id").select("customer_id", "invited", "rank", "left_out").rows() == [
        ("a", False, None, "size"),
        ("b", True, 1, None),
        ("c", True, 2, None),
        ("d", False, None, None),
    ]
    assert not done.warnings


def test_fewer_than_asked_for_is_a_warning_or_an_error():
    assert planned([row("a", 5)], size=3).warnings == ("1 eligible, 3 asked for (plan.size): all who are eligible are on the list",)
    with pytest.raises(InputError, match="3 are asked for, but only 1 are eligible"):
        planned([row("a", 5)], size=3, require_size=True)
    assert not planned([row("a", 5)], size="all").warnings
    rows = [row(f"{i:02}", i) for i in range(10)]
    [warning] = planned(rows, size=10, holdout=0.2).warnings
    assert warning.endswith("all who are eligible are on the list, but for 2 held out (plan.holdout)")
    with pytest.raises(InputError, match="of 10 who are eligible 2 are held out"):
        planned(rows, size=9, holdout=0.2, require_size=True)


def test_groups_keep_to_a_region_and_key_users_are_the_best_advocates():
    rows = [row(f"s{i}", 90 - i, "四川", "成都", advocacy=float(i == 4)) for i in range(5)] + [row("y", 50, None, None)]
    done = planned(rows, size="all", by_region="city", group_capacity=3, key_users=1)
    assert done.groups.select("group", "region", "size", "key_users").rows() == [
        ("no region-1", "no region", 1, 1),
        ("四川/成都-1", "四川/成都", 3, 1),
        ("四川/成都-2", "四川/成都", 2, 1),
    ]
    waves = dict(done.customers.select("customer_id", "wave").rows())
    assert waves == {"s0": 2, "s1": 1, "s2": 2, "s3": 2, "s4": 1, "y": 1}


def test_a_group_takes_as_many_invitations_as_fill_it():
    rows = [row(f"{i:04}", 50) for i in range(1200)]
    sure = planned(rows, size="all", join_evidence=1e5, fill_confidence=0.9)
    # 584 invitations of whom 30 % join give at least 160 members in 9 of 10 cases: published tables of the binomial say 569.
    assert sure.groups["size"].to_list() == [400, 400, 400]
    told = planned(rows, pl.DataFrame(answers(400, 320)), size="all", fill_confidence=0.9)
    assert told.joining.asked == 400
    assert told.groups.height > sure.groups.height  # most of them join: fewer fill it
    assert told.groups["expected_joins"].sum() == pytest.approx(told.customers["join_chance"].sum(), abs=told.groups.height / 10)


def answers(asked, joined):
    told = ["joined"] * joined + ["refused"] * (asked - joined)
    return {"launch": "spring", "ends_on": date(2026, 6, 1), "status": "planned", "score": 50.0, "answer": told}


def test_who_is_held_out_would_have_been_invited_and_stays_so():
    rows = [row(f"{i:03}", i / 4, ("四川", "云南", None)[i % 3]) for i in range(400)]
    done = planned(rows, size=90, holdout=0.1)
    held = done.customers.filter("held_out")
    assert held.height == 10
    assert done.customers["invited"].sum() == 90
    assert held["score"].min() >= done.customers.filter("invited")["score"].min()
    assert held["left_out"].unique().to_list() == ["held_out"]
    assert held["wave"].null_count() == held["call_on"].null_count() == 10
    # A better list of the same launch holds out the same but where somebody comes or goes.
    more = planned([*rows, row("999", 5)], size=90, holdout=0.1)
    assert more.customers.filter("held_out")["customer_id"].equals(held["customer_id"])


def test_whole_regions_are_held_out():
    places = ["四川", "云南", "重庆", "贵州", "西藏", "青海"]
    rows = [row(f"{i:03}", i / 3, places[i % 6]) for i in range(300)]
    done = planned(rows, size=100, holdout=0.2, holdout_by="region")
    held, invited = done.customers.filter("held_out"), done.customers.filter("invited")
    assert invited.height == 100
    assert held["province"].n_unique() == 2
    assert not set(held["province"]) & set(invited["province"])
    assert held["score"].min() > invited["score"].min()
    with pytest.raises(ConfigError, match="at least 4 regions"):
        planned([row("a", 1), row("b", 2, "云南")], holdout=0.2, holdout_by="region")


def test_an_allocated_plan_keeps_to_its_terms_and_says_why_others_are_left_out():
    rows = [row(f"{i:03}", i / 3, ("四川", "云南")[i % 2], advocacy=float(i % 7 == 0), known=30 if i % 3 == 1 else 500) for i in range(240)]
    layers = {"expert": {"least": 0.1, "most": 0.2}, "newcomer": {"least": 0.2}}
    terms = {"layers": layers, "group_capacity": 30, "smallest": 20, "most_groups": 3, "budget": 160, "gifts.invite": 1, "gifts.join": 4}
    done = planned(rows, kind="allocated", size=120, holdout=0.1, **terms)
    shares = done.layers.with_columns(pl.col("people") / pl.col("people").sum().over("group"))
    assert shares.filter(layer="expert")["people"].is_between(0.1, 0.2).all()
    assert (shares.filter(layer="newcomer")["people"] >= 0.2).all()
    assert done.groups["size"].is_between(20, 30).all()
    invited = done.customers["invited"].sum()
    assert invited == 72  # 160 buys invitations at 1 + 0.3 × 4 each
    reasons = set(done.customers.filter(~pl.col("invited"))["left_out"])
    assert "held_out" in reasons
    assert None not in reasons
    nobody = [row(f"{i:03}", i / 3, advocacy=1.0, known=500) for i in range(60)]
    with pytest.raises(InputError, match="newcomer"):
        planned(nobody, kind="allocated", size=50, **terms)


people = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([None, "四川", "云南"]), st.sampled_from(["eligible", "staff"]), st.floats(0, 1)),
    min_size=1,
    max_size=40,
)
TERMS = st.fixed_dictionaries(
    {
        "size": st.integers(1, 50),
        "group_capacity": st.integers(1, 7),
        "key_users": st.integers(0, 4),
        "by_region": st.sampled_from(["province", "city", "none"]),
        "holdout": st.sampled_from([0.0, 0.1, 0.5]),
        "wave_size": st.sampled_from([None, 2]),
        "fill_confidence": st.sampled_from([None, 0.9]),
        "overflow_risk": st.sampled_from([0.05, 0.5]),
    }
)


@given(people, TERMS)
@settings(deadline=None, max_examples=40)
def test_capacities_hold_and_nobody_better_is_left_out(people, terms):
    rows = [row(f"{i:02}", score, province, None, advocacy, verdict) for i, (score, province, verdict, advocacy) in enumerate(people)]
    done = planned(rows, **terms)
    eligible = sum(person[2] == "eligible" for person in people)
    invited, held = done.customers.filter("invited"), done.customers.filter("held_out")
    left = done.customers.filter(pl.col("left_out") == "size")
    assert invited.height + held.height + left.height == eligible
    assert invited.height == done.groups["size"].sum() <= terms["size"]
    assert sorted(invited["rank"]) == list(range(1, invited.height + 1))
    if terms["fill_confidence"] is None:
        assert (invited.group_by("group").len()["len"] <= terms["group_capacity"]).all()
    assert (invited.filter(wave=1).group_by("group").len()["len"] <= terms["key_users"]).all()
    assert left.is_empty() or invited.is_empty() or left["score"].max() <= invited["score"].min()
    sizes = done.groups.group_by("region").agg(pl.col("size").max() - pl.col("size").min())
    assert (sizes["size"] <= 1).all()
    if terms["by_region"] == "province":
        assert (invited.group_by("group").agg(pl.col("province").n_unique())["province"] == 1).all()
    assert invited["call_on"].is_between(date(2026, 7, 1), date(2026, 7, 1) + timedelta(days=200)).all()
    backwards = planned(rows[::-1], **terms)
    assert backwards.customers.sort("customer_id").equals(done.customers.sort("customer_id"))
