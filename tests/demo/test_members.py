from datetime import date, datetime, timedelta
from math import log

import numpy as np
import polars as pl
import pytest

from segmenter.demo.aftermath import After, live_on
from segmenter.demo.members import GroupLife, count_visits, draw_members
from segmenter.demo.shop import Shop, simulate

AS_OF, DAYS = date(2026, 7, 1), 30
LIVE = tuple(AS_OF + timedelta(days=number) for number in (8, 15, 22))
LIFE = GroupLife(half_life=9.0, silent_groups=1, live_events=LIVE, event_effect=40.0)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(8_000, 400, AS_OF, seed=7)


@pytest.fixture(scope="module")
def invited(shop: Shop) -> pl.DataFrame:
    number, staff = pl.col("customer_id").str.slice(1).cast(pl.Int64), shop.customers.filter("staff")
    return (
        shop.truth.join(staff, on="customer_id", how="anti")
        .select("customer_id", call_on=pl.lit(AS_OF), group=pl.format("g{}", number % 5))
        .filter(pl.col("customer_id").str.slice(1).cast(pl.Int64) % 2 == 0)
    )


@pytest.fixture(scope="module")
def after(shop: Shop, invited: pl.DataFrame) -> After:
    return live_on(shop, DAYS, invited, effect=0.5, seed=7, life=LIFE)


@pytest.fixture(scope="module")
def told(after: After) -> pl.DataFrame:
    return after.shop.events.with_columns(pl.col("time").str.to_datetime())


@pytest.mark.slow
def test_the_planted_half_life_and_the_silent_group_show_in_the_events(after: After, told: pl.DataFrame) -> None:
    members = after.members
    assert members.filter("silent_group")["group"].n_unique() == 1
    lively = members.filter(~pl.col("silent_group"))
    assert set(lively["group"]) == {f"g{number}" for number in range(5)} - set(members.filter("silent_group")["group"])
    signs = told.filter(pl.col("kind").is_in(["speak", "read", "visit"]), pl.col("time") >= datetime(2026, 7, 1))
    signs = signs.join(members, on="customer_id").with_columns(day=(pl.col("time").dt.date() - pl.col("joined_on")).dt.total_days())
    assert signs.filter(pl.col("time").dt.date() >= pl.col("silent_on"), pl.col("day") >= 0).is_empty()
    assert signs.filter("silent_group", pl.col("day") > 0).is_empty()
    # Of those watched for so long, the share with a sign on each day falls by half every nine days.
    watched = lively.filter(pl.col("joined_on") <= AS_OF + timedelta(days=5))
    shares = []
    for day in range(1, 24):
        there = signs.filter(pl.col("day") == day, pl.col("kind") == "read").join(watched, on="customer_id", how="semi")
        shares.append(there["customer_id"].n_unique() / watched.height)
    slope = np.polyfit(np.arange(23), np.log(shares), 1)[0]
    assert -log(2) / slope == pytest.approx(LIFE.half_life, rel=0.1)


def test_live_events_bring_visits_and_orders_of_members_alone(shop: Shop, invited: pl.DataFrame, after: After, told: pl.DataFrame) -> None:
    without = live_on(shop, DAYS, invited, effect=0.5, seed=7, life=GroupLife(9.0, 1, LIVE, 0.0))
    spent = [
        each.shop.orders.filter(pl.col("time") >= f"{AS_OF}").group_by("customer_id").agg(pl.col("amount").sum())
        for each in (after, without)
    ]
    both = after.effects.join(spent[0], on="customer_id", how="left").join(spent[1], on="customer_id", how="left", suffix="_without")
    gained = both.select(pl.col("amount").fill_null(0) - pl.col("amount_without").fill_null(0))["amount"]
    assert (gained - both["event_effect"]).abs().max() < 0.005
    came = count_visits(told, LIVE).join(after.members, on="customer_id").filter(pl.col("joined_on") <= pl.col("day"))
    bought = both.filter(pl.col("event_effect") > 0)
    assert bought.height > 50
    assert set(bought["customer_id"]) <= set(came["customer_id"])
    known = came.join(shop.truth, on="customer_id")
    expected = LIFE.event_effect * known.select((pl.col("rate") * pl.col("amount_mean") * pl.col("alive")).sum()).item()
    assert 0.6 * expected < both["event_effect"].sum() < 1.3 * expected
    assert (without.effects["event_effect"] == 0).all()


def test_complaints_and_breaches(after: After, told: pl.DataFrame) -> None:
    by_kind = {kind: told.filter(kind=kind) for kind in ("complaint", "complaint_closed", "violation")}
    joined = {kind: frame.join(after.members, on="customer_id") for kind, frame in by_kind.items()}
    for kind, frame in joined.items():
        assert frame.height == by_kind[kind].height > 0
        assert (frame["time"].dt.date() >= frame["joined_on"]).all()
    assert joined["complaint"].height > joined["complaint_closed"].height > 0
    times = joined["violation"].group_by("customer_id").len()["len"].value_counts()
    assert set(times["len"]) == {1, 2}


def test_staff_speak_and_are_no_members(shop: Shop, after: After, told: pl.DataFrame) -> None:
    staff = shop.customers.filter("staff").head(5)["customer_id"]
    spoke = told.filter(pl.col("customer_id").is_in(staff.implode()), pl.col("kind") == "read")
    assert spoke.height > 5 * 15


def test_few_groups_have_no_silent_one() -> None:
    joined = pl.DataFrame({"customer_id": ["a", "b"], "group": ["x", "y"], "joined_on": [AS_OF, AS_OF]})
    assert not draw_members(joined, GroupLife(12.0, 5), seed=1)["silent_group"].any()
    several = pl.DataFrame({"customer_id": list("abcdef"), "group": list("uvwxyz"), "joined_on": [AS_OF] * 6})
    assert draw_members(several, GroupLife(12.0, 5), seed=1)["silent_group"].sum() == 2
