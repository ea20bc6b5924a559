"""The first and the last day of each file of orders, wherever these are read."""

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from segmenter.tables import NO_FILES

Span = tuple[str, datetime, datetime, int]  # a file, the first and the last time in a part of it, how many there are


def days_of_file(name: str, times: pl.Series, as_of: date) -> list[Span]:
    """Give the first and the last of a file's times before a date, and how many these are; nothing where there are none."""
    midnight = datetime(as_of.year, as_of.month, as_of.day)
    if isinstance(last := times.max(), datetime) and last >= midnight:
        times = times.filter(times < midnight)
    first, last = times.min(), times.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return []
    return [(name, first, last, len(times) - times.null_count())]


def days_of_files(rows: pl.DataFrame, as_of: date) -> list[Span]:
    """Give that of each ``file`` of rows."""
    if rows["file"].is_null().all():
        return []
    parts = rows.select("file", "time").partition_by("file", as_dict=True).items()
    return [span for (name,), part in parts if name is not None for span in days_of_file(str(name), part["time"], as_of)]


def join_days(spans: Sequence[Span]) -> pl.DataFrame:
    """Join what is known of parts of files, as `OrdersProfile` has it; nothing where there is one file only."""
    days = [(name, first.date(), last.date(), rows) for name, first, last, rows in spans]
    parts = pl.DataFrame(days, schema=NO_FILES.schema, orient="row")
    whole = parts.group_by("file").agg(pl.col("first").min(), pl.col("last").max(), pl.col("rows").sum())
    return whole.sort("file") if whole.height > 1 else NO_FILES
