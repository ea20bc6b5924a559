"""What live events brought, on orders written out and on an effect that is planted."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter.evaluation.event_effects import measure_live_events
from segmenter.evaluation.launch_sales import add_spend
from segmenter.launch_record import LaunchRecord
from segmenter.tables import EVENTS, INVITED, ORDERS

DAY = date(2026, 7, 1)  # a Wednesday
LAUNCH = LaunchRecord("spring", "tea", DAY, 30, None, "CNY")
THURSDAY = date(2026, 7, 16)


def orders(*rows: tuple) -> pl.DataFrame:
    """Of (customer, days from the event, amount)."""
    start = datetime(2026, 7, 16, 20)
    each = [
        {"customer_id": who, "time": start + timedelta(days=day), "amount": amount, "is_order": amount > 0} for who, day, amount in rows
    ]
    return pl.DataFrame(each, ORDERS)


def measured(people: pl.DataFrame, bought: pl.DataFrame, came: pl.DataFrame | None = None, **changes) -> pl.DataFrame:
    joined = (pl.col("answer") == "joined").fill_null(value=False)
    spent = add_spend(people.with_columns(joined=joined).sort("customer_id"), bought.clear(), bought.filter(pl.col("time") < DAY))
    asked = {"days": [THURSDAY], "until": date(2026, 8, 1), "around": 1, "weeks": 2} | changes
    return measure_live_events(spent, bought, EVENTS.to_frame() if came is None else came, asked.pop("days"), LAUNCH, **asked)


def people(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame([{"status": "planned", "in_plan": True, "stratum": "s", "region": "r"} | row for row in rows], INVITED)


PEOPLE = people(
    {"customer_id": "a", "answer": "joined", "answered_on": DAY},
    {"customer_id": "b", "answer": "joined", "answered_on": THURSDAY + timedelta(days=1)},  # after it
    {"customer_id": "c"},
    {"customer_id": "h", "status": "held_out"},
)


def test_a_day_is_compared_with_the_same_weekdays_before_the_launch():
    bought = orders(
        *[("a", 0, 100), ("a", 1, 30), ("a", -7, 999), ("b", 0, 50), ("c", -1, 7), ("h", 0, 5)],
        *[("a", -21, 20), ("a", -28, 10), ("h", -20, 8), ("a", -35, 4_000), ("a", -60, 1)],
    )
    came = pl.DataFrame(
        [{"customer_id": "a", "kind": kind, "time": datetime(2026, 7, 16, 20)} for kind in ("visit", "visit", "view")], EVENTS
    )
    found = measured(PEOPLE, bought, came)
    counted = found.select("window", "cohort", "customers", "visits", "visitors", "sales", "buyers", "first_buyers")
    assert counted.rows() == [
        ("day", "joined", 1, 2, 1, 100, 1, 0),
        ("day", "invited", 3, 2, 1, 150, 2, 1),
        ("day", "held_out", 1, 0, 0, 5, 1, 0),
        ("around", "joined", 1, 2, 1, 130, 1, 0),
        ("around", "invited", 3, 2, 1, 187, 3, 2),
        ("around", "held_out", 1, 0, 0, 5, 1, 0),
    ]
    usual = found.select("window", "cohort", "usual_sales", "usual_buyers", "usual_first_buyers").rows()
    assert usual[0] == ("day", "joined", 15.0, 1.0, 0.0)
    assert usual[5] == ("around", "held_out", 4.0, 0.5, 0.5)
    assert found["brought"].is_null().all()  # one customer was held out: too few
    mixed = measured(PEOPLE.sample(fraction=1, shuffle=True, seed=1), bought.sample(fraction=1, shuffle=True, seed=2), came.reverse())
    assert_frame_equal(found, mixed, check_exact=True)


def test_a_window_counts_once_it_has_passed_and_a_shop_that_is_young_has_nothing_usual():
    bought = orders(("a", 0, 100), ("a", -20, 3))
    assert measured(PEOPLE, bought, until=date(2026, 7, 17))["window"].unique().to_list() == ["day"]
    assert measured(PEOPLE, bought, until=THURSDAY).is_empty()
    assert measured(PEOPLE, bought)["usual_sales"].null_count() == 6
    assert measured(PEOPLE, bought.clear())["sales"].to_list() == [0] * 6
    assert measured(PEOPLE, bought, days=[]).is_empty()


def test_what_an_event_brought_against_the_control_group_is_found_in_its_interval():
    chance = np.random.default_rng(3)
    rows, bought = [], []
    for place in range(4_000):
        held = place % 4 == 0
        rows.append({"customer_id": f"C{place:04}", "status": "held_out" if held else "planned"})
        for day in (-21, -14, -7, 0, 7):
            if chance.random() < 0.1 + (0.1 if day == 0 and not held else 0):
                bought.append((f"C{place:04}", day, 1_000))
    found = measured(people(*rows), orders(*bought), days=[THURSDAY, THURSDAY + timedelta(days=7)])
    effect = found.filter(cohort="invited", window="day").select("brought", "low", "high").rows()
    assert effect[0][1] < 3_000 * 0.1 * 1_000 < effect[0][2]
    assert effect[0][1] > 0
    assert effect[1][1] < 0 < effect[1][2]
    assert effect[0][0] == pytest.approx(300_000, rel=0.3)


def test_visits_of_everybody_are_compared_with_the_weeks_that_the_table_knows_whole():
    days = pl.datetime_range(datetime(2026, 6, 11), datetime(2026, 7, 17), "12h", eager=True)
    visits = pl.DataFrame({"time": days, "uv": 2, "pv": [100 if day.date() == THURSDAY else 10 for day in days]}).cast(
        {"uv": pl.Int64, "pv": pl.Int64}
    )
    found = measured(PEOPLE, orders(("a", 0, 100)), visits=visits, weeks=4).filter(cohort="everybody")
    columns = ("window", "visits", "visitors", "usual_visits", "usual_visitors")
    assert found.select(columns).rows() == [("day", 200, 4, 20.0, 4.0), ("around", 230, 10, 60.0, 12.0)]
    late = visits.filter(pl.col("time") >= datetime(2026, 7, 16))
    assert measured(PEOPLE, orders(("a", 0, 100)), visits=late).filter(cohort="everybody").select(columns).rows() == [
        ("day", 200, 4, None, None),
        ("around", None, None, None, None),
    ]
