"""Cells of any type as the text that a person would see."""

import polars as pl
from polars.exceptions import PolarsError

_FAR = 200_000  # years that Polars can write in any time zone


def as_text(column: str, dtype: pl.DataType, decimal: str) -> pl.Expr:
    """Write a column of a type as text: ``12345`` rather than ``12345.0``, dates in ISO 8601; null stays null.

    >>> pl.DataFrame({"x": [12345.0, 0.5]}).select(as_text("x", pl.Float64(), ",")).to_series().to_list()
    ['12345', '0,5']
    """
    values = pl.col(column)
    if isinstance(dtype, pl.Date | pl.Datetime):
        # Of what no calendar has, the number: Polars ends the process' thread rather than write it.
        dated = pl.when(values.dt.year().is_between(-_FAR, _FAR)).then(values)
        local = isinstance(dtype, pl.Datetime) and dtype.time_zone is None
        text = dated.dt.to_string("%Y-%m-%d %H:%M:%S%.f") if local else dated.cast(pl.String)
        return text.fill_null(values.to_physical().cast(pl.String))
    if dtype == pl.Duration:
        return values.dt.to_string("iso")
    if dtype == pl.Binary:
        return values.map_batches(decode, return_dtype=pl.String).fill_null(values.bin.encode("hex"))
    if not (dtype.is_float() or dtype.is_decimal()):
        return values.cast(pl.String)
    text = values.cast(pl.String)
    if dtype.is_float():
        # Beyond 2^53 not every whole number is a float.
        whole = values.cast(pl.Int64, strict=False).cast(pl.String)
        text = pl.when(values.abs() < 2**53, values == values.round()).then(whole).otherwise(text)
    else:
        text = text.str.replace(r"\.0+$|(\.\d*?)0+$", "$1")
    return text.str.replace(".", decimal, literal=True)


def decode(values: pl.Series) -> pl.Series:
    """Bring text in another guise, a dictionary's or bytes in UTF-8, into text; null for bytes that are none; other types as they are."""
    if values.dtype != pl.Binary:
        return values.cast(pl.String) if values.dtype in (pl.Categorical, pl.Enum) else values
    try:
        return values.cast(pl.String)
    except PolarsError:  # a cell that is no text fails all
        return pl.Series(values.name, [_decode(cell) for cell in values], dtype=pl.String)


def _decode(cell: bytes | None) -> str | None:
    try:
        return None if cell is None else cell.decode()
    except UnicodeDecodeError:
        return None
