"""The first and the last day of each file of orders, wherever these are read."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from segmenter.tables import NO_FILES


def days_of_file(name: str, times: pl.Series, as_of: date) -> pl.DataFrame:
    """Give the first and the last of a file's times before a date, and how many these are."""
    before = times.alias("time").to_frame()
    if not before.select((pl.col("time").max() < as_of).fill_null(value=True)).item():
        before = before.filter(pl.col("time") < as_of)
    time = pl.col("time")
    return before.select(file=pl.lit(name), first=time.min(), last=time.max(), rows=time.count().cast(pl.Int64))


def days_of_files(rows: pl.DataFrame, as_of: date) -> list[pl.DataFrame]:
    """Give that of each ``file`` of rows."""
    if rows["file"].is_null().all():
        return []
    parts = rows.select("file", "time").partition_by("file", as_dict=True).items()
    return [days_of_file(str(name), part["time"], as_of) for (name,), part in parts if name is not None]


def join_days(spans: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Join what is known of parts of files, as `OrdersProfile` has it; nothing where there is one file only."""
    if not spans:
        return NO_FILES
    whole = (
        pl.concat(spans).filter(pl.col("rows") > 0).group_by("file").agg(pl.col("first").min(), pl.col("last").max(), pl.col("rows").sum())
    )
    return whole.with_columns(pl.col("first", "last").dt.date()).sort("file") if whole.height > 1 else NO_FILES
