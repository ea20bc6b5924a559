"""How alive groups are, on members whose half-life and silence are planted."""

from datetime import date, datetime, timedelta
from math import log

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter.demo.aftermath import live_on
from segmenter.demo.members import GroupLife
from segmenter.demo.shop import simulate
from segmenter.evaluation.signs_of_life import measure_life
from segmenter.tables import EVENTS, INVITED

DAY, UNTIL, KINDS = date(2026, 7, 1), date(2026, 8, 1), ("speak", "read", "visit")


def made(count: int, half_life: float, *, fades: bool = False, silent: tuple[str, ...] = (), seed: int = 1, groups: int = 5):
    """Members of some groups who stop one by one, or all fade, and of whom those of silent groups say nothing from day 15 on."""
    chance = np.random.default_rng(seed)
    people, events = [], []
    for place in range(count):
        joined, group = DAY + timedelta(days=int(chance.integers(0, 12))), f"g{place % groups}"
        people.append(
            {"customer_id": f"C{place:04}", "answer": "joined", "answered_on": joined, "group": group, "agent": ("Li", "Wu")[place % 2]}
        )
        stops, level = chance.exponential(half_life / log(2)), min(chance.gamma(4, 0.1), 0.9)
        for day in range(1, (UNTIL - joined).days):
            today = level * 2 ** (-day / half_life) if fades else level * (day <= stops)
            if chance.random() < today and not (group in silent and joined + timedelta(days=day) >= date(2026, 7, 16)):
                time = datetime(joined.year, joined.month, joined.day, 20) + timedelta(days=day)
                events.append({"customer_id": f"C{place:04}", "kind": KINDS[int(chance.integers(0, 3))], "time": time})
    return pl.DataFrame(people, INVITED), pl.DataFrame(events, EVENTS)


def life(people: pl.DataFrame, events: pl.DataFrame, **changes):
    return measure_life(people, events, **{"kinds": KINDS, "until": UNTIL, "silent_days": 7} | changes)


@pytest.mark.parametrize("fades", [False, True])
def test_the_half_life_planted_is_found(fades):
    whole = life(*made(2_000, 12.0, fades=fades, seed=4)).parts.row(0, named=True)
    assert whole["members"] == 2_000
    assert whole["half_life"] == pytest.approx(12, rel=0.1)
    assert whole["half_life_low"] < 12 < whole["half_life_high"]


@pytest.mark.slow
@pytest.mark.parametrize("fades", [False, True])
def test_its_interval_holds_it_as_often_as_it_says(fades):
    held = 0
    for seed in range(100):
        low, high = life(*made(150, 10.0, fades=fades, seed=seed)).parts.select("half_life_low", "half_life_high").row(0)
        held += low < 10 and (high is None or high > 10)
    assert held >= 89


@pytest.mark.slow
def test_silent_groups_are_named_and_no_others():
    assert life(*made(400, 14.0, silent=("g1", "g3"))).silent == ["g1", "g3"]
    for seed in range(20):
        assert life(*made(400, 14.0, seed=seed)).silent == []
    people, events = made(60, 14.0, silent=("g0",), groups=1)
    assert life(
        people, pl.concat([events, pl.DataFrame([{"customer_id": "x", "kind": "view", "time": datetime(2026, 7, 31)}], EVENTS)])
    ).silent == ["g0"]


def test_weeks_count_from_the_day_after_joining_and_only_those_that_have_passed():
    people = pl.DataFrame(
        [
            {"customer_id": "a", "answered_on": DAY},
            {"customer_id": "b", "answered_on": DAY + timedelta(days=20)},
            {"customer_id": "late", "answered_on": UNTIL - timedelta(days=1)},  # no day since
        ],
        INVITED,
    )
    did = [
        ("a", 0, "speak"),
        ("a", 7, "read"),
        ("a", 7, "speak"),
        ("a", 8, "speak"),
        ("b", 21, "view"),
        ("b", 30, "read"),
        ("c", 1, "read"),
    ]
    events = pl.DataFrame(
        [{"customer_id": who, "kind": kind, "time": datetime(2026, 7, 1) + timedelta(days=day)} for who, day, kind in did], EVENTS
    )
    found = life(people, events)
    assert found.weeks.filter(kind="any").select("week", "members", "active").rows() == [(1, 2, 1), (2, 1, 1), (3, 1, 0), (4, 1, 0)]
    assert found.weeks.filter(kind="read")["active"].to_list() == [1, 0, 0, 0]
    assert found.parts.row(0, named=True) | {"expected": 0} == {
        **{"over": "all", "value": None, "members": 2, "ever": 2, "in_for": 2, "active": 1, "silent": False},
        **{"half_life": None, "half_life_low": None, "half_life_high": None, "expected": 0},
    }
    # Events that end early say nothing of the days after.
    early = life(people, events.filter(pl.col("time") < datetime(2026, 7, 10)))
    assert (early.until, early.parts["members"][0]) == (date(2026, 7, 10), 1)
    assert life(people, events.clear()) is None
    assert life(people.clear(), events) is None


def test_no_order_of_rows_matters_nor_what_comes_later():
    people, events = made(200, 10.0)
    one = life(people, events)
    later = events.with_columns(time=pl.lit(datetime(2026, 8, 1)))
    other = life(people.sample(fraction=1, shuffle=True, seed=1), pl.concat([events, later]).sample(fraction=1, shuffle=True, seed=2))
    assert_frame_equal(one.weeks, other.weeks, check_exact=True)
    assert_frame_equal(one.parts, other.parts, check_exact=True)


def test_all_who_fall_silent_at_once_have_a_short_half_life_and_who_grows_has_none():
    people = pl.DataFrame([{"customer_id": f"C{place}", "answered_on": DAY} for place in range(20)], INVITED)

    def spoke(days):
        return pl.DataFrame(
            [
                {"customer_id": f"C{place}", "kind": "speak", "time": datetime(2026, 7, 1 + day)}
                for place in range(20)
                for day in days(place)
            ],
            EVENTS,
        )

    assert (
        life(
            people,
            pl.concat(
                [
                    spoke(lambda place: (1, 2, 3)),
                    pl.DataFrame([{"customer_id": "x", "kind": "view", "time": datetime(2026, 7, 31)}], EVENTS),
                ]
            ),
        ).parts["half_life"][0]
        < 3
    )
    assert life(people, spoke(lambda place: range(1 + place, 31))).parts.select("half_life", "half_life_low").row(0) == (None, None)


@pytest.mark.slow
def test_of_the_demo_shops_month_the_half_life_and_the_silent_groups_are_found():
    as_of, until = date(2026, 7, 1), date(2026, 7, 31)
    shop = simulate(customers=8_000, days=400, as_of=as_of, seed=3)
    ids = shop.customers.filter(~pl.col("staff"))["customer_id"].sort().head(2_000)
    waves = [as_of + timedelta(days=place % 10) for place in range(len(ids))]
    asked = pl.DataFrame({"customer_id": ids, "call_on": waves, "group": [f"g{place % 9}" for place in range(len(ids))]})
    planted = GroupLife(half_life=12.0, silent_groups=2)
    after = live_on(shop, 30, asked, effect=0.25, seed=3, life=planted, attempts=3)
    people = pl.DataFrame(
        [
            {"customer_id": who, "group": group, "answered_on": day}
            for who, group, day in after.members.select("customer_id", "group", "joined_on").rows()
        ],
        INVITED,
    )
    events = after.shop.events.with_columns(pl.col("time").str.to_datetime())
    found = life(people, events, until=until)
    assert found.parts["half_life"][0] == pytest.approx(planted.half_life, rel=0.1)
    assert found.silent == after.members.filter("silent_group")["group"].unique().sort().to_list()
