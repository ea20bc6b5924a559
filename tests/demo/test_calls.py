from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter.demo.aftermath import live_on
from segmenter.demo.calls import CALLS, answer_day, call_month
from segmenter.demo.shop import Shop, simulate
from segmenter.tables import ANSWERS, REACHED

AS_OF, DAYS = date(2026, 7, 1), 30
OPEN = ("not_reached", "call_back", "thinking", "agreed")


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(8_000, 400, AS_OF, seed=7)


@pytest.fixture(scope="module")
def invited(shop: Shop) -> pl.DataFrame:
    return shop.truth.select("customer_id", call_on=pl.lit(AS_OF))


@pytest.fixture(scope="module")
def calls(shop: Shop, invited: pl.DataFrame) -> pl.DataFrame:
    return call_month(shop.truth, invited, AS_OF, DAYS, attempts=3, seed=7)


@pytest.mark.slow
def test_second_calls_bring_as_many_as_the_simulator_says(shop: Shop, invited: pl.DataFrame, calls: pl.DataFrame) -> None:
    once = call_month(shop.truth, invited, AS_OF, DAYS, attempts=1, seed=7)
    for made in (once, calls):
        for part in (made.filter(attempt=1), made.filter(pl.col("attempt") > 1)):
            brought, chance = part["joins_on"].count(), part["chance"].to_numpy()
            assert abs(brought - chance.sum()) <= 4 * np.sqrt((chance * (1 - chance)).sum())
    assert once["attempt"].max() == 1
    willing = shop.truth["join_probability"].to_numpy()
    assert abs(once["joins_on"].count() - willing.sum()) < 4 * np.sqrt((willing * (1 - willing)).sum())
    gained = calls.filter(pl.col("attempt") > 1).drop_nulls("joins_on")
    assert set(gained["joined_by"]) == set(OPEN)
    assert gained.height > 0.3 * once["joins_on"].count()
    assert set(once.drop_nulls("joins_on")["joined_by"]) == {"first_call"}


@pytest.mark.slow
def test_nobody_is_called_twice_a_day_or_after_an_end(calls: pl.DataFrame) -> None:
    assert set(calls["answer"]) == set(ANSWERS)
    assert calls.select(pl.struct("customer_id", "called_on").is_unique().all()).item()
    last = calls.sort("customer_id", "called_on").with_columns(before=pl.col("answer").shift().over("customer_id"))
    assert set(last["before"].drop_nulls()) == set(OPEN)
    assert calls.group_by("customer_id").agg((pl.col("answer") == "not_reached").sum())["answer"].max() == 3
    assert calls.drop_nulls("joins_on")["customer_id"].is_unique().all()
    assert calls.filter(pl.col("answer") == "joined", pl.col("chance") > 0)["joins_on"].null_count() == 0
    back = calls.filter(answer="call_back")
    assert 0.7 < back["call_on"].count() / back.height < 0.9
    assert calls.filter(pl.col("answer") != "call_back")["call_on"].count() == 0
    assert (back["call_on"] > back["called_on"]).drop_nulls().all()
    assert calls["new_phone"].count() > 20


def test_people_answer_in_the_evening_and_not_at_noon(calls: pl.DataFrame) -> None:
    first = calls.filter(attempt=1)
    missed = {hour: float(share) for hour, share in first.group_by("hour").agg((pl.col("answer") == "not_reached").mean()).rows()}
    assert min(missed[12], missed[13]) > 1.4 * max(missed[19], missed[20])
    again = calls.sort("customer_id", "called_on").with_columns(
        (pl.col("answer").shift() == "not_reached").over("customer_id").alias("after"),
        pl.col("hour").shift().over("customer_id").alias("last"),
    )
    assert not again.filter("after").select((pl.col("hour") == pl.col("last")).any()).item()  # agents take another hour


def test_a_day_is_the_same_whoever_else_is_called_and_whatever_comes_later(shop: Shop, calls: pl.DataFrame) -> None:
    day = AS_OF + timedelta(days=5)
    due = calls.filter(pl.col("called_on") == day).select("customer_id")
    assert_frame_equal(answer_day(due.reverse(), day, shop.truth, calls, seed=7), calls.filter(pl.col("called_on") == day))
    few = answer_day(due.head(9), day, shop.truth, calls.reverse(), seed=7)
    assert_frame_equal(few, calls.filter(pl.col("called_on") == day).head(9))
    nobody = answer_day(due.clear(), day, shop.truth, CALLS.to_frame(), seed=7)
    assert (nobody.height, nobody.schema) == (0, CALLS)
    asked = due.with_columns(hour=pl.lit(12))
    assert set(answer_day(asked, day, shop.truth, calls, seed=7)["hour"]) == {12}


def test_who_is_called_again_after_an_end_says_the_same(shop: Shop, calls: pl.DataFrame) -> None:
    last = calls.sort("customer_id", "called_on").unique("customer_id", keep="last", maintain_order=True)
    ended = last.filter(pl.col("answer").is_in(["joined", "refused", "refused_for_good"]))
    again = answer_day(ended.select("customer_id"), AS_OF + timedelta(days=DAYS), shop.truth, calls, seed=7)
    both = again.filter(pl.col("answer").is_in(REACHED)).join(ended, on="customer_id", suffix="_before")
    assert both.height > 1_000
    assert (both["answer"] == both["answer_before"]).all()
    assert again["joins_on"].null_count() == again.height
    assert again["chance"].sum() == 0


@pytest.mark.slow
def test_the_days_before_are_the_same_whatever_is_called_later(shop: Shop, invited: pl.DataFrame, calls: pl.DataFrame) -> None:
    day = AS_OF + timedelta(days=9)
    early = calls.filter(pl.col("called_on") < day)
    groups = invited.with_columns(group=pl.lit("g"))
    some, whole = (live_on(shop, DAYS, groups, effect=1.0, seed=7, calls=made).until(day) for made in (early, calls))
    for name, frame in some.shop.tables().items():
        assert_frame_equal(frame, whole.shop.tables()[name])
