"""From raw orders to the invite list, against the afternoon's notebook: spend, recency, region, sort, head."""

from datetime import date

import pandas as pd
import polars as pl
import pytest

import segmenter


@pytest.fixture(scope="module")
def eligible(orders):
    """How many both should find."""
    each = orders.group_by("customer_id").agg(
        spend=(pl.col("amount") * 100).round().cast(pl.Int64).sum(), last=pl.col("time").max().dt.date()
    )
    return each.filter((pl.col("spend") >= 100_00) & (pl.col("last") >= date(2025, 7, 1))).height


@pytest.mark.benchmark(group="launch")
def test_launch(benchmark, orders, settings, eligible):
    def launch():
        return segmenter.plan_launch(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), settings)

    assert benchmark.pedantic(launch, rounds=3, warmup_rounds=1).counts["invited"] == min(settings.plan.size, eligible)


@pytest.mark.benchmark(group="launch")
def test_pandas_notebook(benchmark, orders, settings, eligible):
    frame = orders.to_pandas()

    def notebook():
        each = (
            frame.sort_values("time")
            .groupby("customer_id")
            .agg(spend=("amount", "sum"), last=("time", "max"), province=("province", "last"))
        )
        recent = (pd.Timestamp("2026-07-01") - each["last"].dt.normalize()).dt.days <= settings.rules.recency.max_days
        return each[recent & (each["spend"] >= settings.rules.spend.min)].sort_values("spend", ascending=False).head(settings.plan.size)

    assert len(benchmark.pedantic(notebook, rounds=3, warmup_rounds=1)) == min(settings.plan.size, eligible)
