"""Cells as values in SQL: what `sources.fields` does, for the cells that surely come out the same.

Each function gives two pieces of SQL: the value, and whether the row is odd, which means that it has to be read in Python.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from segmenter import money
from segmenter.engines.dialect import Engine
from segmenter.engines.dialect import text as quoted
from segmenter.tables import DAY as _DAY
from segmenter.tables import NOTHING

# What Polars' strip_chars takes away: the characters that Unicode calls white space.
_BLANKS = "".join(map(chr, (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)))
_EXACT = 2**53  # below, every whole number is a float
_START, _END = datetime(1970, 1, 1), datetime(2201, 1, 1)
_SECOND = 1_000_000
_LAST = (_END - _START) // timedelta(microseconds=1) - 1


@dataclass(frozen=True)
class Read:
    """A field in SQL.

    Parameters
    ----------
    value : str
        What it comes to; null where the row is odd or nothing is there.
    odd : str or None
        Where the row has to be read in Python; None where nowhere.
    """

    value: str
    odd: str | None


def text(cell: str, dtype: pl.DataType, engine: Engine) -> Read | None:
    """Read ids and names, as `fields.text` does.

    Parameters
    ----------
    cell : str
        SQL of the cell.
    dtype : DataType
        Its type.
    engine : Engine
        Whose SQL.

    Returns
    -------
    Read or None
        None where cells of this type cannot be read by an engine.
    """
    # TRY_CAST: an engine may compute a value before it sees that it is not asked for.
    as_text = f"CAST({cell} AS {engine.text_type})"
    if dtype == pl.String:
        plain = engine.trimmed(cell, _BLANKS)
        nothing = engine.sql(", ".join(quoted(word) for word in NOTHING))
        return Read(f"CASE WHEN lower({plain}) NOT IN ({nothing}) THEN {plain} END", None)
    if dtype.is_integer() or (isinstance(dtype, pl.Decimal) and not dtype.scale) or dtype == pl.Null:
        return Read(as_text, None)
    if dtype.is_float():
        whole = f"({cell} = floor({cell}) AND abs({cell}) < {_EXACT})"
        value = f"CASE WHEN {whole} THEN CAST(TRY_CAST({cell} AS BIGINT) AS {engine.text_type}) END"
        return Read(value, f"({cell} IS NOT NULL AND NOT {whole})")
    return None


def amount(cell: str, dtype: pl.DataType, currency: str, engine: Engine) -> Read | None:
    """Read amounts, as `fields.amount` does.

    Parameters
    ----------
    cell : str
        SQL of the cell.
    dtype : DataType
        Its type.
    currency : str
        ISO 4217 code.
    engine : Engine
        Whose SQL.

    Returns
    -------
    Read or None
        None where cells of this type cannot be read by an engine.
    """
    if not (dtype.is_numeric() or dtype == pl.Null):
        return None
    units = f"(CAST({cell} AS DOUBLE) * CAST({10 ** money.digits(currency)} AS DOUBLE))"
    rounded = engine.half_even(units)
    fits = f"abs({rounded}) <= {money.LARGEST}"  # to both engines NaN is larger than any number
    if isinstance(dtype, pl.Decimal):
        # Larger ones are rounded on their way to a float, which need not happen alike everywhere.
        fits = f"abs({cell}) < {_EXACT // 10**dtype.scale} AND {fits}"
    value = f"CASE WHEN {fits} THEN TRY_CAST({rounded} AS BIGINT) END"
    return Read(value, f"(({fits}) IS NOT TRUE)")


def time(cell: str, dtype: pl.DataType, format_: str, zone: "Zone | None", engine: Engine) -> Read | None:
    """Read times in microseconds since 1970, as `fields.time` does.

    Parameters
    ----------
    cell : str
        SQL of the cell.
    dtype : DataType
        Its type.
    format_ : str
        The time format of the config.
    zone : Zone or None
        Where moments are brought to.
    engine : Engine
        Whose SQL.

    Returns
    -------
    Read or None
        None where cells of this type cannot be read by an engine.
    """
    utc = moment(cell, dtype, format_, engine)
    if utc is None:
        return None
    # Moments that no zone brings among the possible ones are left aside first: to add to them may overflow.
    local = utc if zone is None else f"CASE WHEN {utc} BETWEEN {-2 * _DAY} AND {_LAST + 2 * _DAY} THEN {zone.sql(utc)} END"
    possible = f"{local} BETWEEN 0 AND {_LAST}"
    return Read(f"CASE WHEN {possible} THEN {local} END", f"(({possible}) IS NOT TRUE)")


def moment(cell: str, dtype: pl.DataType, format_: str, engine: Engine) -> str | None:
    """Write a cell's microseconds since 1970, local or in UTC.

    Parameters
    ----------
    cell : str
        SQL of the cell.
    dtype : DataType
        Its type.
    format_ : str
        The time format of the config.
    engine : Engine
        Whose SQL.

    Returns
    -------
    str or None
        SQL; None where cells of this type cannot be read by an engine.
    """
    if dtype == pl.Null:
        return "CAST(NULL AS BIGINT)"
    if dtype == pl.Date:
        return engine.micros(f"CASE WHEN {cell} BETWEEN DATE '1970-01-01' AND DATE '2201-01-01' THEN {cell} END", dtype)
    if isinstance(dtype, pl.Datetime):
        return engine.micros(cell, dtype)
    if is_counted(dtype, format_):
        unit = _SECOND if format_ == "epoch_s" else 1_000
        return f"CASE WHEN abs({cell}) < {_EXACT // unit} THEN CAST({cell} AS BIGINT) * {unit} END"
    return None


def is_counted(dtype: pl.DataType, format_: str) -> bool:
    """Tell whether times are counted in whole numbers since 1970."""
    return dtype.is_integer() and format_ in ("epoch_s", "epoch_ms")


@dataclass(frozen=True)
class Zone:
    """A time zone between two moments, as the offsets that Polars gives it: no other zone data can differ from them.

    Parameters
    ----------
    changes : tuple of (int, int)
        From which microsecond in UTC on which offset holds; the first holds before it too.
    """

    changes: tuple[tuple[int, int], ...]

    def sql(self, utc: str) -> str:
        """Write the local microseconds of a moment in UTC."""
        cases = "".join(f" WHEN {utc} >= {start} THEN {offset}" for start, offset in reversed(self.changes[1:]))
        return f"({utc} + CASE{cases} ELSE {self.changes[0][1]} END)" if cases else f"({utc} + {self.changes[0][1]})"


def zone_between(timezone: str, first: int, last: int) -> Zone:
    """Find a zone's offsets between two moments.

    Parameters
    ----------
    timezone : str
        IANA name.
    first, last : int
        Microseconds since 1970 in UTC.

    Returns
    -------
    Zone
        With every change of the offset between them.

    Examples
    --------
    >>> summer = 1_711_846_800_000_000  # 2024-03-31 01:00 UTC
    >>> zone_between("Europe/London", summer - 5, summer + 5).changes == ((summer - 5, 0), (summer, 3_600_000_000))
    True
    """
    # A grid finds which quarters of an hour have a change, and a finer one when it is.
    first, last = max(first, -_DAY), min(last, _LAST + _DAY)
    changes = [(first, _offsets(timezone, range(first, first + 1))["offset"].item())]
    quarter = 900 * _SECOND
    for before in _changed(_offsets(timezone, range(first // quarter * quarter, last + quarter, quarter))):
        changes += _changed(_offsets(timezone, range(before[0] - quarter, before[0] + _SECOND, _SECOND)))
    return Zone(tuple(changes))


def _offsets(timezone: str, moments: range) -> pl.DataFrame:
    utc = pl.Series("moment", moments, dtype=pl.Int64)
    local = utc.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(timezone).dt.replace_time_zone(None).cast(pl.Int64)
    return pl.DataFrame({"moment": utc, "offset": local - utc})


def _changed(offsets: pl.DataFrame) -> list[tuple[int, int]]:
    return offsets.filter(pl.col("offset") != pl.col("offset").shift(1)).rows()
