from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.evaluation.launch_changes import IN, MOVED, OUT, REASONS, LaunchSide, compare_launches

NAMES = {1: "regulars", 2: "lost"}
RULES = ("eligible", "recency", "consent", "spend_min", "cooloff", "region_exclude", "mine")


def side(rows, **overrides):
    settings = segmenter.launch_settings({name.replace("__", "."): value for name, value in overrides.items()})
    schema = {
        **{"customer_id": pl.String, "province": pl.String, "spend": pl.Int64, "spend_window": pl.Int64, "orders": pl.Int32},
        **{"days_since_activity": pl.Int32, "last_order_at": pl.Datetime, "events_visit": pl.Int32, "has_mobile": pl.Boolean},
        **{"verdict": pl.String, "failed_rules": pl.String, "score": pl.Float64, "segment": pl.Int32, "invited": pl.Boolean},
        **{"held_out": pl.Boolean, "rank": pl.Int32, "wave": pl.Int32, "group": pl.String, "left_out": pl.String},
    }
    frame = pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema)
    return LaunchSide(frame.lazy(), settings, settings.model_dump(mode="json"), NAMES)


def customer(name="C1", verdict="eligible", *, invited=False, held_out=False, rank=None, segment=1, **more):
    measures = {
        "province": "四川",
        "spend": 900,
        "spend_window": 900,
        "orders": 3,
        "days_since_activity": 40,
        "events_visit": 2,
        "has_mobile": True,
    }
    decided = {"verdict": verdict, "invited": invited, "held_out": held_out, "rank": rank or (1 if invited else None), "score": 50.0}
    placed = {"wave": 2 if invited else None, "group": "all-1" if invited else None, "segment": segment if verdict == "eligible" else None}
    return {"customer_id": name, **measures, **decided, **placed, **more}


def reason(there, **overrides):
    found = compare_launches(side([customer(invited=True)]), side([there] if there else [], **overrides)).customers
    assert found["change"].to_list() == [OUT]
    return found["reason"].item(), found["rule"].item(), found["measures"].item()


@pytest.mark.parametrize(
    ("there", "overrides", "expected"),
    [
        (None, {}, ("unknown", None, None)),
        (customer(held_out=True), {}, ("control", None, None)),
        (customer(verdict="cooloff"), {}, ("ledger", "cooloff", None)),
        (customer(verdict="recency"), {"rules__recency__max_days": 30}, ("settings", "recency", None)),
        (customer(verdict="recency", days_since_activity=400), {}, ("data", "recency", "days_since_activity")),
        # What was known of them would have been enough there: it is the data, whatever the threshold.
        (
            customer(verdict="recency", days_since_activity=400),
            {"rules__recency__max_days": 50},
            ("data", "recency", "days_since_activity"),
        ),
        (customer(verdict="spend_min"), {"rules__spend__min": 10}, ("settings", "spend_min", None)),
        (customer(verdict="consent"), {}, ("others", "consent", None)),
        (customer(verdict="region_exclude", province="上海"), {}, ("data", "region_exclude", "province")),
        (customer(verdict="region_exclude"), {"rules__region__exclude": ("四川",)}, ("settings", "region_exclude", None)),
        (customer(verdict="region_exclude", spend=1), {"rules__region__exclude": ("四川",)}, ("settings", "region_exclude", "spend")),
        (customer(verdict="mine", spend=1), {"rules__custom": ({"name": "mine", "keep": "spend > 5"},)}, ("both", "mine", "spend")),
        (customer(), {"plan__size": 3}, ("settings", None, None)),
        (customer(spend=1, events_visit=9), {}, ("data", None, "spend, events_visit")),
        (customer(spend=1), {"scoring": "spend"}, ("both", None, "spend")),
        (customer(), {"rules__recency__max_days": 100}, ("others", None, None)),
    ],
)
def test_each_has_one_reason(there, overrides, expected):
    assert reason(there, **overrides) == expected


CUSTOMERS = st.lists(
    st.builds(
        lambda number, verdict, arm, rank, segment, spend: customer(
            f"C{number}",
            verdict,
            invited=verdict == "eligible" and arm == 1,
            held_out=verdict == "eligible" and arm == 2,
            rank=rank,
            segment=segment,
            spend=spend,
            spend_window=spend,
            last_order_at=datetime(2026, 1, 1, spend),
        ),
        *(
            st.integers(1, 12),
            st.sampled_from(RULES),
            st.integers(0, 2),
            st.integers(1, 3),
            st.sampled_from([1, 2, None]),
            st.integers(0, 2),
        ),
    ),
    max_size=12,
    unique_by=lambda row: row["customer_id"],
).map(lambda rows: sorted(rows, key=lambda row: row["customer_id"]))
SETTINGS = st.sampled_from(
    [
        {},
        {"plan__size": 2},
        {"rules__spend__min": 0.01},
        {"rules__recency__max_days": 9},
        {"rules__region__exclude": ("四川",)},
        {"scoring": "spend"},
    ]
)
SIDES = st.builds(lambda rows, settings: side(rows, **settings), CUSTOMERS, SETTINGS)


@pytest.mark.slow
@given(SIDES)
def test_a_launch_does_not_differ_from_itself(one):
    found = compare_launches(one, one)
    assert found.customers.is_empty()
    assert found.settings == ()
    assert (found.counts["in"], found.counts["out"], found.counts["rank"]) == (0, 0, 0)
    assert found.segments.filter(pl.col("segment_a").ne_missing(pl.col("segment_b"))).is_empty()


@pytest.mark.slow
@given(SIDES, SIDES)
def test_the_other_way_round_in_is_out_for_the_same_reason(a, b):
    there, back = compare_launches(a, b), compare_launches(b, a)
    turned = {name: f"{name[:-1]}{'b' if name.endswith('a') else 'a'}" for name in there.customers.columns if name.endswith(("_a", "_b"))}
    mirrored = back.customers.rename(turned).with_columns(pl.col("change").replace({IN: OUT, OUT: IN}))
    assert mirrored.select(there.customers.columns).equals(there.customers)
    assert sorted(there.settings) == sorted((key, then, now) for key, now, then in back.settings)
    assert there.segments["customers"].sum() == back.segments["customers"].sum()


@given(SIDES, SIDES)
def test_nobody_is_lost_and_all_who_are_in_or_out_have_a_reason(a, b):
    found = compare_launches(a, b)
    counts, rows = found.counts, found.customers
    assert counts["in"] + counts["stayed"] == counts["invited_b"] == b.customers.collect()["invited"].sum()
    assert counts["out"] + counts["stayed"] == counts["invited_a"] == a.customers.collect()["invited"].sum()
    assert [rows.filter(change=change).height for change in (IN, OUT)] == [counts["in"], counts["out"]]
    assert rows.filter(change=MOVED).height <= counts["stayed"]
    assert rows["customer_id"].is_unique().all()
    assert rows.filter(pl.col("change") != MOVED)["reason"].is_in(REASONS).all()
    assert rows.filter(change=MOVED)["reason"].is_null().all()
