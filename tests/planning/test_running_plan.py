"""A running launch planned again: nobody who was called, and nobody of the control group, changes."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.planning import plan, still_ahead
from segmenter.tables import INVITED

BEGAN = date(2026, 7, 1)
COUNT = 240


def frame(out: set[int] = frozenset()):
    rows = range(COUNT)
    return pl.DataFrame(
        {
            "customer_id": [f"c{n:03}" for n in rows],
            "verdict": ["recency" if n in out else "eligible" for n in rows],
            "score": [float(n * 37 % 101) for n in rows],
            "spend": [n * 100 for n in rows],
            "province": [("四川", "广东", None)[n % 3] for n in rows],
            "city": None,
            "component_advocacy": 0.0,
            "component_engagement": 0.0,
        },
        schema_overrides={"city": pl.String},
    )


def settings(as_of: date, **changes):
    agents = [{"name": "王芳", "calls_per_day": 5}, {"name": "李强", "calls_per_day": 4}]
    apart = {"plan.smallest": 1, "plan.fill_confidence": None}  # each region has its groups
    chosen = {"launch.as_of": str(as_of), "plan.size": 120, "plan.key_users": 5, "plan.agents": agents}
    return segmenter.launch_settings({**chosen, **apart, **changes})


def first():
    """Give the first plan as the ledger has it."""
    chosen = plan(frame(), settings(BEGAN)).customers.filter(pl.col("invited") | pl.col("held_out"))
    own = chosen.with_columns(
        launch=pl.lit("spring"),
        community=pl.lit("vip"),
        as_of=BEGAN,
        ends_on=BEGAN + timedelta(days=30),
        in_plan=True,
        status=pl.when("held_out").then(pl.lit("held_out")).otherwise(pl.lit("planned")),
        planned_at=pl.col("call_on").fill_null(BEGAN),
        region=pl.col("province").fill_null("other"),
        segment=None,
        answer=None,
        answered_on=None,
        reason=None,
        source=None,
        channel=None,
        hour=None,
        calls=0,
        missed=0,
        brings=None,
        brought_by=None,
    ).with_columns(call_on=None)
    return own.select(pl.col(name).cast(dtype) for name, dtype in INVITED.items())


@pytest.fixture(scope="module")
def own():
    return first()


@given(day=st.integers(1, 20), out=st.sets(st.integers(0, COUNT - 1), max_size=120))
def test_the_called_and_the_control_group_stay_to_the_person(own, day, out):
    as_of = BEGAN + timedelta(days=day)
    again = plan(frame(out), settings(as_of), None, own).customers
    key = ["customer_id", "wave", "group", "agent", "call_on"]
    before, now = own.with_columns(call_on="planned_at"), again.filter("invited")
    called = before.filter(pl.col("call_on") < as_of, status="planned").select(key)
    assert called.join(now.select(key), on=key, how="semi", nulls_equal=True).height == called.height
    assert set(again.filter("held_out")["customer_id"]) == set(before.filter(status="held_out")["customer_id"])
    ahead = before.filter(pl.col("call_on") >= as_of, status="planned")
    lost = set(ahead["customer_id"]) - set(now["customer_id"])
    assert lost == set(ahead["customer_id"]) & {f"c{n:03}" for n in out}
    new = now.filter(~pl.col("customer_id").is_in(own["customer_id"].implode()))
    assert new.height <= len(lost)
    assert set(new["verdict"]) <= {"eligible"}
    slots, last = ahead.filter(pl.col("customer_id").is_in(list(lost))), before["wave"].max()
    assert set(new.filter(pl.col("wave") <= last).select(key[1:]).rows()) <= set(slots.select(key[1:]).rows())
    assert now.height + len(lost) == own.filter(status="planned").height + new.height


@pytest.mark.slow
@given(size=st.integers(100, 240), capacity=st.integers(8, 40), day=st.integers(1, 20), by=st.sampled_from(["province", "none"]))
def test_a_larger_size_adds_the_next_best_where_groups_have_places_and_nobody_of_the_control_group(own, size, capacity, day, by):
    as_of = BEGAN + timedelta(days=day)
    larger = settings(as_of, **{"plan.size": size, "plan.group_capacity": capacity, "plan.by_region": by, "plan.smallest": 1})
    found = plan(frame(), larger, None, own)
    before, held = own.filter(status="planned"), set(own.filter(status="held_out")["customer_id"])
    now = found.customers.filter("invited")
    assert set(before["customer_id"]) <= set(now["customer_id"])
    assert set(found.customers.filter("held_out")["customer_id"]) == held
    new = now.filter(~pl.col("customer_id").is_in(own["customer_id"].implode()))
    assert new.height <= max(size - before.height, 0)
    assert not new.height or new["call_on"].min() > max(before["planned_at"].max(), as_of - timedelta(days=1))
    assert not new.height or new["call_on"].max() < own["ends_on"][0]
    assert set(new["wave"]) <= {before["wave"].max() + 1}
    assert set(new["group"]) <= set(before["group"])
    assert (now.group_by("group").agg(pl.len())["len"] * 0.3 <= capacity + 0.3).all() or not new.height
    if capacity == 40 and size == 130:
        assert new.height == 10


def test_places_in_a_group_of_several_regions_go_to_the_best_of_any_of_them(own):
    joined = own.with_columns(group=pl.lit("西南-1"))
    as_of = BEGAN + timedelta(days=1)
    ahead = joined.filter(pl.col("planned_at") >= as_of, status="planned")["customer_id"].to_list()[:9]
    found = plan(frame({int(name[1:]) for name in ahead}), settings(as_of), None, joined).customers
    new = found.filter("invited", ~pl.col("customer_id").is_in(own["customer_id"].implode()))
    free = frame().filter(~pl.col("customer_id").is_in(own["customer_id"].implode())).sort("score", "customer_id", descending=[True, False])
    assert new.height == 9
    assert set(new["group"]) == {"西南-1"}
    assert set(new["customer_id"]) <= set(free["customer_id"].head(14))  # some of them the control group would have had


def test_whose_day_has_come_or_who_has_answered_is_on_no_new_list(own):
    as_of = BEGAN + timedelta(days=6)
    ahead = own.filter(pl.col("planned_at") >= as_of, status="planned")
    said = own.with_columns(answer=pl.when(pl.col("customer_id") == ahead["customer_id"][0]).then(pl.lit("joined")))
    invited = plan(frame(), settings(as_of), None, said).customers.filter("invited")
    assert set(still_ahead(invited, said, as_of)["customer_id"]) == set(ahead["customer_id"][1:])


def test_who_is_no_customer_any_more_stays_in_the_ledger(own):
    gone = own["customer_id"][0]
    again = plan(frame().filter(pl.col("customer_id") != gone), settings(BEGAN + timedelta(days=25)), None, own)
    assert gone in again.kept.to_list()
    assert any(warning.code == "planning.running_absent" for warning in again.warnings)
