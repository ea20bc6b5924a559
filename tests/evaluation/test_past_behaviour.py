from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import segmenter
from segmenter.demo.shop import simulate
from segmenter.evaluation.as_of import launch_snapshot
from segmenter.evaluation.past_behaviour import past_behaviour
from segmenter.measures.shop_orders import SingleOrders

AS_OF = date(2026, 7, 1)


@pytest.fixture(scope="module")
def shop():
    demo = simulate(800, 500, AS_OF, 5)
    settings = settings_of()
    return segmenter.canonical_tables(demo.tables(), settings.data, settings.launch)


def settings_of(**overrides):
    return segmenter.launch_settings({"launch.as_of": str(AS_OF), "scoring": "auto", **overrides})


def behaviour_of(tables, **overrides):
    settings = settings_of(**overrides)
    return past_behaviour(launch_snapshot(tables, settings).past, settings)


def test_later_spend_and_orders_are_those_of_the_horizon(shop):
    seen = behaviour_of(shop)
    assert list(seen) == [date(2026, 6, 1) - timedelta(days=30 * back) for back in range(4)]
    orders = shop.orders.single()
    for cut, frame in seen.items():
        assert frame["customer_id"].is_sorted()
        assert (frame["verdict"] == "eligible").all()
        between = orders.filter(pl.col("time").is_between(cut, cut + timedelta(days=30), closed="left"))
        true = between.group_by("customer_id").agg(pl.col("amount").sum().alias("spend"), pl.col("is_order").sum().alias("orders"))
        joined = (
            frame.select("customer_id")
            .join(true, on="customer_id", how="left", maintain_order="left")
            .select(pl.col("spend", "orders").fill_null(0).cast(pl.Int64))
        )
        assert_frame_equal(frame.select(spend="later_spend", orders="later_orders"), joined)
        assert joined["spend"].sum() > 0


@pytest.mark.slow
def test_neither_the_future_nor_the_order_of_rows_matters(shop):
    more = shop.orders.single().head(50).with_columns(pl.lit(AS_OF, pl.Datetime("us")).alias("time"))
    mixed = pl.concat([shop.orders.single(), more]).sample(fraction=1, shuffle=True, seed=2)
    again = behaviour_of(replace(shop, orders=SingleOrders(mixed)))
    for cut, frame in behaviour_of(shop).items():
        assert_frame_equal(frame, again[cut])


@pytest.mark.slow
def test_without_a_past_or_eligible_customers_there_is_none(shop):
    assert past_behaviour(None, settings_of()) == {}
    assert behaviour_of(shop, **{"rules.spend.min": 1e9}) == {}
    assert behaviour_of(shop, **{"launch.horizon_days": 1000}) == {}


@pytest.mark.slow
def test_a_launch_hands_it_to_its_segments(shop):
    for scoring, known in (("auto", True), ("weighted", False)):
        trials = segmenter.plan_launch(shop, settings_of(scoring=scoring)).segmentation.trials
        assert (trials["foreseen"].is_not_null() == known).all()
        assert trials["chosen"].sum() == 1
