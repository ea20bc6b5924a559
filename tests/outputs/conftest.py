"""A launch with regions whose names mean harm, for the report and the call sheets."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import polars as pl
import pytest

import segmenter
from segmenter.settings import CoreSettings
from segmenter.sources.demo import simulate

HOSTILE = {
    "广东省": "<script>alert(1)</script>",
    "山东省": "=cmd|' /C calc'!A0",
    "河南省": "../../etc",
    "江苏省": "ACME",
    "浙江省": "acme.",
}


@dataclass(frozen=True)
class Launch:
    settings: CoreSettings
    plan: segmenter.LaunchPlan
    tables: segmenter.Tables


@cache
def _shop() -> dict[str, pl.DataFrame]:
    shop = simulate(customers=1_500, days=400, as_of=date(2026, 7, 1), seed=3)
    number = pl.col("customer_id").str.slice(1).cast(pl.Int64)
    customers = shop.customers.with_columns(
        pl.col("province").replace(HOSTILE), pl.when(number % 50 > 0).then("name").otherwise(pl.lit("=1+1")).alias("name")
    )
    customers = customers.with_columns(pl.when(number % 20 > 0).then(column).alias(column) for column in ("province", "city"))
    wrong = shop.orders.head(3).with_columns(pl.lit("12 bananas").alias("amount"))
    orders = pl.concat([shop.orders.with_columns(pl.col("amount").cast(pl.String)), wrong])
    return {"orders": orders, "customers": customers, "events": shop.events, "referrals": shop.referrals}


@pytest.fixture(scope="session")
def launch() -> Callable[..., Launch]:
    @cache
    def make(**overrides: Any) -> Launch:
        settings = segmenter.launch_settings(
            {
                "launch.as_of": "2026-07-01",
                "launch.name": "summer & tea",
                "launch.topic": "tea <first> & news",
                "rules.spend.min": 500,
                "plan.size": 400,
                "plan.group_capacity": 40,
                "plan.key_users": 5,
                "segments.k": 3,
                "segments.bootstraps": 2,
                "data.customers.contact": ("phone", "wechat"),
                "data.customers.attributes": ("type",),
            }
            | {name.replace("__", "."): value for name, value in overrides.items()}
        )
        tables = segmenter.canonical_tables(_shop(), settings.data, settings.launch)
        return Launch(settings, segmenter.plan_launch(tables, settings), tables)

    return make
