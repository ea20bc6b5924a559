"""What a review says of a launch whose people and orders are written out, and of one whose lift is known."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import ConfigError
from segmenter.evaluation.acceptance import count_answers
from segmenter.evaluation.lift import estimate_lift
from segmenter.evaluation.review import Review, review
from segmenter.launch_record import LaunchRecord
from segmenter.tables import EVENTS, INVITED, ORDERS

DAY = date(2026, 7, 1)
LAUNCH = LaunchRecord("spring", "tea", DAY, 30, 1_000_00, "CNY")
FRAMES = ("acceptance", "reasons", "daily", "cohorts", "uplift")


def settings(as_of: date | str = "2026-08-01", **overrides):
    return segmenter.review_settings({"review.as_of": str(as_of), **{key.replace("__", "."): value for key, value in overrides.items()}})


def people(*rows: dict) -> pl.DataFrame:
    usual = {"launch": "spring", "community": "tea", "as_of": DAY, "ends_on": LAUNCH.ends_on, "in_plan": True, "status": "planned"}
    usual |= {"planned_at": DAY, "wave": 1, "group": "g", "region": "四川", "segment": "big", "stratum": "s", "score": 50.0}
    return pl.DataFrame([usual | row for row in rows], INVITED)


def orders(*rows: tuple) -> pl.DataFrame:
    """Of (customer, day of July from 1, amount in units)."""
    each = [
        {"customer_id": who, "time": datetime(2026, 7, 1) + timedelta(days=day - 1), "amount": round(100 * amount), "is_order": amount > 0}
        for who, day, amount in rows
    ]
    return pl.DataFrame(each, ORDERS)


def said(answer: str, day: int = 3, reason: str | None = None) -> dict:
    return {"answer": answer, "answered_on": DAY + timedelta(days=day - 1), "source": "list.csv", "reason": reason}


TOLD = people(
    {"customer_id": "a", "agent": "Li", **said("joined")},
    {"customer_id": "b", "agent": "Li", **said("refused", reason="too far")},
    {"customer_id": "c", "agent": "Wu", **said("not_reached")},
    {"customer_id": "d", "agent": "Wu", "wave": 2, "planned_at": DAY + timedelta(days=20), **said("joined", 10)},  # before their wave
    {"customer_id": "e", "agent": None, "wave": 2, "planned_at": DAY + timedelta(days=20)},
    {"customer_id": "old", "in_plan": False, **said("refused_for_good", reason=" too far ")},
    {"customer_id": "friend", "in_plan": False, **dict.fromkeys(("status", "planned_at", "wave", "group", "stratum")), **said("joined")},
    {"customer_id": "h", "status": "held_out", "wave": None, **said("joined")},
    {"customer_id": "i", "status": "held_out", "wave": None, **said("refused", reason="no")},
)
BOUGHT = orders(
    *[("a", 0.99, 500), ("a", 1, 300), ("a", 2, -50), ("a", 30.99, 400), ("a", 31, 9_000)],
    *[("d", 10, 200), ("friend", 5, 100), ("b", 5, 70), ("h", 6, 60), ("i", 7, 7), ("nobody", 8, 8_000), ("a", -400, 10_000)],
)


def test_answers_are_counted_by_what_the_plan_dealt_out():
    found = count_answers(TOLD, DAY + timedelta(days=15))
    rows = {
        (over, value): rest
        for over, value, *rest in found.select("over", "value", "invited", "asked", "joined", "refused", "not_reached", "open").rows()
    }
    assert rows == {
        ("all", None): [6, 5, 2, 2, 1, 0],
        ("wave", "1"): [4, 4, 1, 2, 1, 0],
        ("wave", "2"): [2, 1, 1, 0, 0, 0],  # of those still to be asked, one has joined
        ("agent", "Li"): [2, 2, 1, 1, 0, 0],
        ("agent", "Wu"): [2, 2, 1, 0, 1, 0],
        ("agent", None): [2, 1, 0, 1, 0, 0],
    }
    assert count_answers(TOLD, DAY + timedelta(days=25)).filter(over="wave", value="2")["open"].to_list() == [1]
    share, low, high = found.select("share", "low", "high").row(0)
    z = 1.959963984540054
    middle, half = (2 + z * z / 2) / (5 + z * z), z / (5 + z * z) * (2 * 3 / 5 + z * z / 4) ** 0.5
    assert (share, low, high) == pytest.approx((0.4, middle - half, middle + half))
    nobody = count_answers(people({"customer_id": "a", "planned_at": DAY}), DAY)
    assert nobody.select("asked", "share", "low", "high").rows() == [(0, None, None, None)]


def test_sales_of_those_who_joined_count_from_the_first_day_to_the_last():
    found = review(LAUNCH, TOLD, BOUGHT, settings())
    assert found.counts == {
        **{"invited": 6, "asked": 6, "joined": 4, "unasked": 1, "refused": 2, "not_reached": 1},
        **{"agreed": 0, "call_back": 0, "tried_once": 1},
        **{"held_out": 2, "held_out_joined": 1, "held_out_asked": 2, "replaced": 1},
    }
    assert (found.days, found.over, found.last_order) == (30, True, date(2026, 7, 31))
    assert found.cohorts.rows() == [("joined", 4, 4, 5, 1_010_00), ("invited", 6, 3, 4, 920_00), ("held_out", 2, 2, 2, 67_00)]
    assert found.daily.height == 30
    assert found.daily["date"].to_list()[::29] == [DAY, date(2026, 7, 30)]
    days = dict(found.daily.filter(pl.col("joined") != 0).select("day", "joined").rows())
    assert days == {1: 300_00, 2: -50_00, 5: 100_00, 6: 60_00, 10: 200_00, 30: 400_00}
    assert found.daily.row(14, named=True)["target_so_far"] == 500_00
    assert (found.progress.state, found.progress.ahead, found.progress.reached_on) == ("met", 10_00, date(2026, 7, 30))
    assert found.reasons.rows() == [("distance", 2, 1), ("other", 1, 0)]
    assert [warning.split(" customers")[0] for warning in found.warnings] == [
        "1",
        "1 of those who joined were not invited: their sales count towards the target, not in the lift.",
    ]
    uplift = found.uplift.select("customer_id", "invited", "joined", "before", "spend", "orders")
    assert uplift.rows() == [  # neither who answered to a plan before nor who came unasked
        *[("a", True, True, 500_00, 650_00, 2), ("b", True, False, 0, 70_00, 1), ("c", True, False, 0, 0, 0)],
        *[("d", True, True, 0, 200_00, 1), ("e", True, False, 0, 0, 0), ("h", False, True, 0, 60_00, 1), ("i", False, False, 0, 7_00, 1)],
    ]
    assert review(LAUNCH, TOLD, BOUGHT, settings(review__before_days=1_000)).uplift["before"][0] == 10_500_00


@pytest.mark.parametrize(
    ("as_of", "target", "state", "ahead", "projected"),
    [
        (32, 900, "met", 110, 1_010),
        (32, 2_000, "missed", -990, 1_010),
        (11, 400, "reached", 210, 1_830),
        (11, 1_200, "on_course", 210, 1_830),
        (11, 3_000, "behind", -390, 1_830),
        (11, None, "no_target", None, 1_830),
    ],
)
def test_progress_to_the_target(as_of, target, state, ahead, projected):
    launch = replace(LAUNCH, target=target and target * 100)
    progress = review(launch, TOLD, BOUGHT, settings(DAY + timedelta(days=as_of - 1))).progress
    assert (progress.state, progress.ahead, progress.projected) == (state, ahead and ahead * 100, projected * 100)


def test_without_answers_the_sales_are_told_all_the_same():
    silent = TOLD.filter("in_plan").with_columns(pl.lit(None, INVITED[name]).alias(name) for name in ("answer", "answered_on", "reason"))
    found = review(LAUNCH, silent, BOUGHT, settings())
    assert (found.progress.state, found.progress.ahead, found.progress.reached_on) == ("unknown", None, None)
    assert found.cohorts["sales"].to_list() == [0, 920_00, 67_00]
    assert found.lift is not None
    assert found.warnings == ("No answers are known: fill in the call sheets, or name the lists of who joined with review.answers.",)
    (warning,) = review(LAUNCH, TOLD.filter("in_plan"), BOUGHT.filter(pl.col("time") < DAY), settings()).warnings
    assert (warning.code, warning.facts) == ("review.old_orders", {"last": date(2026, 6, 30)})


def test_orders_that_were_exported_too_early_are_told_but_not_a_shop_that_sells_seldom():
    def warned(every: int, last: int, as_of: str = "2026-08-10"):
        bought = orders(*(("a", day, 5) for day in range(last - 10 * every, last + 1, every)))
        warnings = review(LAUNCH, TOLD.filter("in_plan"), bought, settings(as_of)).warnings
        return [tuple(warning.facts.values()) for warning in warnings if warning.code == "review.early_export"]

    assert warned(1, 30) == warned(1, 40) == warned(4, 27) == warned(1, 10, "2026-07-11") == []
    assert warned(1, 29) == [(date(2026, 7, 29), 1)]
    assert warned(4, 26) == [(date(2026, 7, 26), 4)]


def test_nothing_from_the_date_on_and_no_order_of_rows_matters():
    asked = settings("2026-07-15")
    one = review(LAUNCH, TOLD, BOUGHT.filter(pl.col("time") < datetime(2026, 7, 15)), asked)
    other = review(LAUNCH, TOLD.sample(fraction=1, shuffle=True, seed=2), BOUGHT.sample(fraction=1, shuffle=True, seed=3), asked)
    for name in FRAMES:
        assert_frame_equal(getattr(other, name), getattr(one, name), check_exact=True)
    rest = {name for name in Review.__dataclass_fields__ if name not in (*FRAMES, "live_events", "second_calls", "complaints", "breaches")}
    assert {name: getattr(other, name) for name in rest} == {name: getattr(one, name) for name in rest}
    assert one.last_order == date(2026, 7, 10)


def test_events_and_live_days_are_looked_at_before_the_date_alone():
    late = [("a", "speak", 3), ("a", "violation", 4), ("a", "violation", 5), ("d", "complaint", 11), ("h", "complaint", 12)]
    late += [("b", "violation", 4), ("b", "violation", 5), ("i", "complaint", 4), ("a", "visit", 20), ("nobody", "view", 29)]
    events = pl.DataFrame([{"customer_id": who, "kind": kind, "time": datetime(2026, 7, day)} for who, kind, day in late], EVENTS)
    days = [date(2026, 7, 10), date(2026, 7, 20)]
    found = review(LAUNCH, TOLD, BOUGHT, settings("2026-07-15"), events=events, live_days=days)
    assert found.breaches["customer_id"].to_list() == ["a"]  # b has not joined
    assert found.complaints["customer_id"].to_list() == ["d", "h"]  # i is held out, and h has joined all the same
    assert found.live_events["event"].unique().to_list() == days[:1]
    assert found.life.until == date(2026, 7, 13)
    assert [warning.facts for warning in found.warnings if warning.code == "review.early_events"] == [
        {"last": date(2026, 7, 12), "days": 2}
    ]
    without = review(LAUNCH, TOLD, BOUGHT, settings("2026-07-15", rules__violations=None), events=events)
    assert without.breaches.is_empty()
    assert without.live_events.is_empty()


def test_a_date_before_the_launch_and_another_currency_are_told_together():
    with pytest.raises(ConfigError) as caught:
        review(LAUNCH, TOLD, BOUGHT, settings(DAY, launch__currency="USD"))
    assert caught.value.problems == (
        "review.as_of: should be after 2026-07-01, the first day of launch spring (got 2026-07-01)",
        "launch.currency: should be CNY, as of launch spring (got USD)",
    )


@pytest.fixture(scope="module")
def big():
    """6,000 customers in 12 regions, of whom buying is worth 20.00 more to those invited, on average."""
    chance = np.random.default_rng(5)
    held = chance.random(6_000) < 0.25
    bought = chance.random(6_000) < 0.3
    spend = np.where(bought, chance.gamma(2, 3_000, 6_000), 0) + ~held * chance.integers(0, 4_001, 6_000)
    rows = [
        {
            "customer_id": f"C{place:04}",
            "status": "held_out" if out else "planned",
            "region": f"R{place % 12:02}",
            "stratum": f"s{place % 6}",
        }
        for place, out in enumerate(held)
    ]
    frame = people(*rows)
    return frame, orders(*((f"C{place:04}", 5, each / 100) for place, each in enumerate(spend.round()) if each))


def test_the_lift_is_that_of_the_plan_however_many_joined(big):
    frame, bought = big
    launch = replace(LAUNCH, holdout=0.25)
    found = review(launch, frame, bought, settings(plan__holdout=0.01))  # the plan's share counts, not that of the next one
    measured = found.uplift.select("customer_id", "invited", "stratum", "spend", "before")
    assert found.lift == estimate_lift(measured)
    assert found.lift.measured == "direct"
    assert found.lift.best.low < 2_000 < found.lift.best.high
    assert found.doubts == ()
    joined = frame.with_columns(pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("joined")).alias("answer"))
    broken = review(replace(LAUNCH, holdout=0.1), joined, bought, settings("2026-07-20"))
    assert broken.lift.best.effect == found.lift.best.effect  # the orders of day 5 are all there are
    early, unequal, contaminated = broken.doubts
    assert review(LAUNCH, joined, bought, settings("2026-07-20")).doubts == (early, contaminated)  # planned by an older version
    assert early.startswith("Only 19 of 30 days have passed")
    assert "are held out, where the plan has 600" in unequal
    assert "joined all the same" in contaminated
    called = joined.with_columns(pl.col("answer").replace("joined", "refused"))
    assert review(launch, called, bought, settings()).doubts[0].facts == {"count": 506}


def test_regions_held_out_whole_are_recognised_and_measured_as_such(big):
    frame, bought = big
    by_region = frame.with_columns(
        pl.when(pl.col("region") < "R04").then(pl.lit("held_out")).otherwise(pl.lit("planned")).alias("status"),
        pl.when(pl.col("customer_id") == "C0011").then(None).otherwise("region").alias("region"),  # who has none is in no arm
    )
    found = review(LAUNCH, by_region, bought, settings())
    assert (found.lift.measured, found.lift.regions, found.lift.regions_held_out) == ("total", 12, 4)
    assert found.lift.invited + found.lift.held_out == 5_999


def test_before_anybody_has_bought_nothing_is_compared():
    silent = review(
        replace(LAUNCH, target=None), TOLD.with_columns(answer=None), BOUGHT.filter(pl.col("time") < DAY), settings("2026-07-03")
    )
    assert (silent.lift, silent.doubts) == (None, ())
    assert silent.no_lift.startswith("Neither those invited nor those held out have bought anything since")


@pytest.mark.parametrize(
    ("held", "words"),
    [("", "Nobody was held out, so what the invitation brought cannot be told"), ("a", "3 customers were invited and 1 held out: too few")],
)
def test_where_too_few_are_held_out_it_says_so(held, words):
    frame = people(*({"customer_id": each, "status": "held_out" if each in held else "planned"} for each in "abcd"[: 3 + len(held)]))
    found = review(LAUNCH, frame, BOUGHT, settings())
    assert found.lift is None
    assert found.no_lift.startswith(words)
    assert found.doubts == ()
