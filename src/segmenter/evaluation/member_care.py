"""Whom to see to in the groups: members whose complaint is open too long, and those who broke the rules again and should go."""

from datetime import date, datetime, time

import polars as pl

from segmenter.tables import CLOSED, COMPLAINT, VIOLATION


def list_complaints(people: pl.DataFrame, events: pl.DataFrame, *, until: date, hours: int) -> pl.DataFrame:
    """List who has a complaint open for longer than so many hours: ``customer_id``, ``group``, ``agent``, ``opened``, ``hours``.

    An event of kind complaint_closed closes whatever its customer had complained of by then.
    """
    now = datetime.combine(until, time())
    told = events.filter(pl.col("time") < now)
    closed = told.filter(kind=CLOSED).group_by("customer_id").agg(pl.col("time").max().alias("closed"))
    opened = told.filter(kind=COMPLAINT).join(closed, on="customer_id", how="left")
    still = (
        opened.filter((pl.col("time") > pl.col("closed")).fill_null(value=True)).group_by("customer_id").agg(opened=pl.col("time").min())
    )
    late = still.with_columns(hours=(pl.lit(now) - pl.col("opened")).dt.total_hours()).filter(
        pl.lit(now) - pl.col("opened") > pl.duration(hours=hours)
    )
    return people.select("customer_id", "group", "agent").join(late, on="customer_id").sort("opened", "customer_id")


def list_breaches(people: pl.DataFrame, events: pl.DataFrame, *, until: date, times: int | None) -> pl.DataFrame:
    """List who broke the rules so many times: ``customer_id``, ``group``, ``agent``, ``violations``, ``last``; nobody without a limit."""
    broke = events.filter(pl.col("time") < until, pl.col("kind") == VIOLATION)
    counted = broke.group_by("customer_id").agg(pl.len().cast(pl.Int64).alias("violations"), pl.col("time").max().dt.date().alias("last"))
    limit = pl.lit(value=False) if times is None else pl.col("violations") >= times
    return people.select("customer_id", "group", "agent").join(counted.filter(limit), on="customer_id").sort("group", "customer_id")
