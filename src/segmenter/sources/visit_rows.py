"""Visits as a shop's analytics counts them: page views and visitors by hour, or by day."""

import polars as pl

from segmenter.checks.number_format import NumberFormat
from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.reject_reasons import NO_COUNT, NO_HOUR
from segmenter.sources.rows import Rows
from segmenter.tables import VISITS

_NONE = pl.Series([None], dtype=pl.Int64)


def read_visits(rows: Rows, settings: MappingSettings, launch: LaunchSettings) -> pl.DataFrame:
    """Read the table, see `tables.VISITS`; each hour, or each day, stands in it once."""
    counts = {name: _count(rows, name, settings, launch) for name in ("uv", "pv")}
    visits = pl.DataFrame({"time": rows.time(settings.visits), **counts})
    if "hour" in rows.fields:
        hour = fields.text(rows.fields["hour"]).str.extract(r"^(\d{1,2})(?:\D.*)?$").cast(pl.Int64)
        hour = rows.read("hour", hour.zip_with(hour < 24, _NONE), NO_HOUR)
        visits = visits.with_columns(pl.col("time").dt.truncate("1d") + pl.duration(hours=pl.lit(hour)))
    kept = rows.drop_rejected(visits).filter(pl.col("time") < launch.as_of).cast(dict(VISITS.items())).sort("time")
    if (again := kept.filter(pl.col("time").is_duplicated())).height:
        sentence = (
            "data.visits: should have each hour once, or each day (got {count:,} rows of the same, such as {time}); leave rows of parts "
            "out by data.visits.where, or add them up, and map the hour by data.visits.columns.hour where it stands in a column of its own"
        )
        raise InputError(Message("files.visits_twice", sentence, count=again.height, time=str(again["time"][0])))
    if kept["uv"].sum() > kept["pv"].sum():
        sentence = "data.visits.columns: uv should not exceed pv (got {uv:,} and {pv:,} in all): a visitor views a page at least; swap them"
        raise InputError(Message("files.visits_swapped", sentence, uv=kept["uv"].sum(), pv=kept["pv"].sum()))
    return kept


def _count(rows: Rows, name: str, settings: MappingSettings, launch: LaunchSettings) -> pl.Series:
    """Read a whole number from 0 up."""
    how = NumberFormat("," if settings.decimal == "," else ".")
    found = fields.number(rows.fields[name], launch.currency, how)
    whole = (found.is_finite() & (found >= 0) & (found == found.round())).fill_null(value=False)
    return rows.read(name, found.cast(pl.Int64, strict=False).zip_with(whole, _NONE), NO_COUNT).alias(name)
