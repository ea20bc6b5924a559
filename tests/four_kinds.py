"""Shops of four kinds of customers, and their segments."""

from typing import Any

import numpy as np
import polars as pl

from segmenter.segments import MEASURES, Segmentation, segment
from segmenter.settings import KmeansSegments

AUTO = KmeansSegments(**{"from": "new"}, kind="kmeans", k="auto", k_min=2, k_max=6, min_share=0.03, sample=20_000, bootstraps=4)


def fixed(k: int) -> KmeansSegments:
    return AUTO.model_copy(update={"k": k})


def run(frame: pl.DataFrame, how: KmeansSegments = AUTO) -> Segmentation:
    return segment(frame, how, seed=7, currency="CNY")


def customers(*, orders: Any, days: Any, known: Any, average: Any, recent: Any, events: Any) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": [f"C{i:06d}" for i in range(len(orders))],
            "verdict": "eligible",
            "orders": np.asarray(orders, dtype=np.int64),
            "days_since_order": np.asarray(days, dtype=np.int32),
            "days_known": np.asarray(known, dtype=np.int32),
            "average_order": np.asarray(average, dtype=np.int64),
            "spend_90d": np.asarray(recent, dtype=np.int64),
            "events": np.asarray(events, dtype=np.int64),
            "referrals": 0,
            "refunds": 0,
        },
        schema_overrides={"referrals": pl.Int64, "refunds": pl.Int64},
    ).with_columns(
        pl.when(pl.col("orders") > 0).then("days_since_order").alias("days_since_order"),
        pl.when(pl.col("orders") > 0).then("average_order").alias("average_order"),
        (pl.col("orders") * pl.col("average_order")).alias("spend"),
        ((pl.col("days_known") - pl.col("days_since_order")) / (pl.col("orders") - 1)).alias("average_gap_days"),
        (pl.col("orders").cast(pl.Float64) / 7).alias("score"),
    ).with_columns(pl.when(pl.col("orders") > 1).then("average_gap_days").alias("average_gap_days"))  # fmt: skip


def shop(n: int, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray[Any, Any]]:
    """Four kinds of customers: loyal, new, lapsed, and those who only look."""
    random = np.random.RandomState(seed)
    kind = random.choice(4, n, p=[0.2, 0.2, 0.4, 0.2])
    orders = np.choose(kind, [12 + random.poisson(8, n), 1 + random.poisson(0.3, n), 2 + random.poisson(1, n), np.zeros(n)])
    known = np.choose(
        kind, [random.randint(500, 700, n), random.randint(5, 30, n), random.randint(400, 700, n), random.randint(60, 200, n)]
    )
    days = np.choose(kind, [random.randint(1, 20, n), random.randint(1, 5, n), random.randint(250, 390, n), known])
    average = np.exp(random.normal(10, 0.3, n)).astype(int)
    recent = np.choose(kind, [average * 3, average, np.zeros(n), np.zeros(n)])
    events = np.choose(kind, [random.poisson(6, n), random.poisson(2, n), np.zeros(n), 8 + random.poisson(8, n)])
    return customers(orders=orders, days=days, known=known, average=average, recent=recent, events=events), kind


def alike(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.lit(frame[0, name], frame.schema[name]).alias(name) for name in MEASURES)
