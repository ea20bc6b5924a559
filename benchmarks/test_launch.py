"""From raw orders to the invite list, against the afternoon's notebook: spend, recency, region, sort, head."""

import pandas as pd
import pytest

import segmenter


@pytest.mark.benchmark(group="launch")
def test_launch(benchmark, orders, settings):
    def launch():
        return segmenter.plan_launch(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), settings)

    assert benchmark.pedantic(launch, rounds=3, warmup_rounds=1).counts["invited"] == settings.plan.size


@pytest.mark.benchmark(group="launch")
def test_pandas_notebook(benchmark, orders, settings):
    frame = orders.to_pandas()

    def notebook():
        each = (
            frame.sort_values("time")
            .groupby("customer_id")
            .agg(spend=("amount", "sum"), last=("time", "max"), province=("province", "last"))
        )
        recent = (pd.Timestamp("2026-07-01") - each["last"]).dt.days <= settings.rules.recency.max_days
        return each[recent & (each["spend"] >= settings.rules.spend.min)].sort_values("spend", ascending=False).head(settings.plan.size)

    assert len(benchmark.pedantic(notebook, rounds=3, warmup_rounds=1)) == settings.plan.size
