"""Local times in microseconds, in Spark's SQL: Narwhals has neither the microseconds of a timestamp there nor a zone's changes.

The offsets are Polars' own, so that no other zone data can differ from them.
"""

from dataclasses import dataclass

import polars as pl

from segmenter.engines.typed_cells import EXACT
from segmenter.tables import DAY, LATEST

_SECOND = 1_000_000
_UNITS = {"epoch_s": _SECOND, "epoch_ms": 1_000, "epoch_us": 1}


def micros_sql(cell: str, dtype: pl.DataType, format_: str) -> str | None:
    """Write a cell's microseconds since 1970, local or in UTC; None where cells of this type cannot be read by an engine."""
    if dtype == pl.Null:
        return "CAST(NULL AS BIGINT)"
    if dtype == pl.Date:
        cell = f"CASE WHEN {cell} BETWEEN DATE '1970-01-01' AND DATE '2201-01-01' THEN {cell} END"
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        # The session's zone is UTC: to it a local time is what its clock shows.
        return f"unix_micros(CAST({cell} AS TIMESTAMP))"
    if dtype.is_integer() and (unit := _UNITS.get(format_)) is not None:
        return f"CASE WHEN abs({cell}) < {EXACT // unit} THEN CAST({cell} AS BIGINT) * {unit} END"
    return None


def in_utc(dtype: pl.DataType) -> bool:
    """Tell whether the microseconds of cells of this type are in UTC: timestamps with a zone, and those that are counted."""
    return dtype.is_integer() or (isinstance(dtype, pl.Datetime) and dtype.time_zone is not None)


@dataclass(frozen=True)
class Zone:
    """A time zone between two moments: from which microsecond in UTC on which offset holds; the first holds before it too."""

    changes: tuple[tuple[int, int], ...]

    def sql(self, utc: str) -> str:
        """Write the local microseconds of a moment in UTC; null for those that no zone brings among the possible ones."""
        cases = "".join(f" WHEN {utc} >= {start} THEN {offset}" for start, offset in reversed(self.changes[1:]))
        offset = f"CASE{cases} ELSE {self.changes[0][1]} END" if cases else f"{self.changes[0][1]}"
        return f"CASE WHEN {utc} BETWEEN {-2 * DAY} AND {LATEST - 1 + 2 * DAY} THEN {utc} + {offset} END"


def zone_between(timezone: str, first: int, last: int) -> Zone:
    """Find every change of a zone's offset between two moments, in microseconds since 1970 in UTC.

    Examples
    --------
    >>> summer = 1_711_846_800_000_000  # 2024-03-31 01:00 UTC
    >>> zone_between("Europe/London", summer - 5, summer + 5).changes == ((summer - 5, 0), (summer, 3_600_000_000))
    True
    """
    # A grid finds which quarters of an hour have a change, and a finer one when it is.
    first, last = max(first, -DAY), min(last, LATEST - 1 + DAY)
    changes = [(first, _offsets(timezone, range(first, first + 1))["offset"].item())]
    quarter = 900 * _SECOND
    for moment, _ in _changes(_offsets(timezone, range(first // quarter * quarter, last + quarter, quarter))):
        changes += _changes(_offsets(timezone, range(moment - quarter, moment + _SECOND, _SECOND)))
    return Zone(tuple(changes))


def _offsets(timezone: str, moments: range) -> pl.DataFrame:
    utc = pl.Series("moment", moments, dtype=pl.Int64)
    local = utc.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(timezone).dt.replace_time_zone(None).cast(pl.Int64)
    return pl.DataFrame({"moment": utc, "offset": local - utc})


def _changes(offsets: pl.DataFrame) -> list[tuple[int, int]]:
    return offsets.filter(pl.col("offset") != pl.col("offset").shift(1)).rows()
