"""Local times that a zone's clock never showed, or showed twice, as it was put forward or back."""

from datetime import date, timedelta
from typing import Literal

import polars as pl

from segmenter.findings import Finding
from segmenter.messages import Message

# Times that were shown once, and those that were shown at all.
_WAYS: tuple[tuple[str, Literal["null", "earliest"]], ...] = (("once", "null"), ("once_or_twice", "earliest"))
_NOON = pl.duration(hours=12)


def check_clock_changes(moments: pl.Series, timezone: str, as_of: date, key: str) -> list[Finding]:
    """Look at local times before the as-of date on days on which the clock was changed; those without a time of day are none."""
    frame = moments.alias("t").to_frame().lazy().filter(pl.col("t") < as_of)
    days = frame.select(pl.col("t").dt.date().unique().sort()).collect().to_series()
    changed = frame.filter(pl.col("t").dt.date().is_in(_changes(days, timezone)), pl.col("t").dt.time() != pl.time(0))
    ways = {name: pl.col("t").dt.replace_time_zone(timezone, ambiguous=way, non_existent="null") for name, way in _WAYS}
    shown = changed.with_columns(**ways).collect()
    never = shown.filter(pl.col("once_or_twice").is_null())["t"].sort()
    twice = shown.filter(pl.col("once").is_null() & pl.col("once_or_twice").is_not_null())["t"].sort()
    findings = []
    if never.len():
        sentence = (
            "{key}: {count:,} times such as {example} do not exist in launch.timezone, {timezone}, whose clock was put forward then: "
            "are they in another zone? With the zone in each cell they are converted"
        )
        found = Message("dates.never", sentence, key=key, count=never.len(), example=str(never[0]), timezone=timezone)
        findings.append(Finding("warning", found))
    if twice.len():
        sentence = (
            "{key}: {count:,} times such as {example} were shown twice by the clock of launch.timezone, {timezone}; the first is taken, "
            "the day is the same"
        )
        found = Message("dates.twice", sentence, key=key, count=twice.len(), example=str(twice[0]), timezone=timezone)
        findings.append(Finding("note", found))
    return findings


def _changes(days: pl.Series, timezone: str) -> list[date]:
    """Give the days around each change of a zone's offset: at noon no clock is changed."""
    noon = (pl.col("day").cast(pl.Datetime("us")) + _NOON).dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    offset = noon.dt.base_utc_offset() + noon.dt.dst_offset()
    wide = pl.concat([days, days - timedelta(days=1), days + timedelta(days=1)]).unique().sort().alias("day").to_frame()
    found = wide.with_columns(offset=offset).filter(pl.col("offset") != pl.col("offset").shift(1))["day"].to_list()
    return [near for day in found for near in (day - timedelta(days=1), day)]
