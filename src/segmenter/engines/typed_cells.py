"""Cells as values, in Narwhals: what `sources.fields` does, for the cells that surely come out the same on an engine."""

from dataclasses import dataclass

import narwhals as nw
import polars as pl

from segmenter import money
from segmenter.tables import LATEST, NOTHING

# What Polars' strip_chars takes away: the characters that Unicode calls white space.
_BLANKS = "".join(map(chr, (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)))
EXACT = 2**53  # below, every whole number is a float
_NEVER = nw.lit(value=False)


@dataclass(frozen=True)
class TypedCell:
    """What a cell comes to, null where nothing is there; and whether its row is a fallback row, to be read in this process."""

    value: nw.Expr
    fallback: nw.Expr


def text(cell: nw.Expr, dtype: pl.DataType) -> TypedCell | None:
    """Read ids and names, as `fields.text` does; None where cells of this type cannot be read by an engine."""
    if dtype == pl.String:
        trimmed = cell.str.strip_chars(_BLANKS)
        return TypedCell(nw.when(~trimmed.str.to_lowercase().is_in(NOTHING)).then(trimmed), _NEVER)
    if dtype.is_integer() or (isinstance(dtype, pl.Decimal) and not dtype.scale) or dtype == pl.Null:
        return TypedCell(cell.cast(nw.String), _NEVER)
    if dtype.is_float():
        whole = ((cell == cell.floor()) & (cell.abs() < EXACT)).fill_null(value=False)
        return TypedCell(nw.when(whole).then(_where(whole, cell).cast(nw.Int64).cast(nw.String)), ~cell.is_null() & ~whole)
    return None


def amount(cell: nw.Expr, dtype: pl.DataType, currency: str) -> TypedCell | None:
    """Read amounts as minor units, as `fields.amount` does; None where cells of this type cannot be read by an engine."""
    if not (dtype.is_numeric() or dtype == pl.Null):
        return None
    units = cell.cast(nw.Float64) * float(10 ** money.digits(currency))
    near = units.abs() < money.LARGEST + 1  # to all engines NaN is larger than any number
    rounded = _half_even(_where(near, units))
    fits = near & (rounded.abs() <= money.LARGEST)
    if isinstance(dtype, pl.Decimal):
        # Larger ones are rounded on their way to a float, which need not happen alike everywhere.
        fits = fits & (cell.abs() < EXACT // 10**dtype.scale)
    fits = fits.fill_null(value=False)
    return TypedCell(nw.when(fits).then(rounded), ~fits)


def time(micros: nw.Expr) -> TypedCell:
    """Read local times in microseconds since 1970, as `fields.time` does: they are possible ones."""
    possible = ((micros >= 0) & (micros < LATEST)).fill_null(value=False)
    return TypedCell(nw.when(possible).then(micros), ~possible)


def _where(condition: nw.Expr, value: nw.Expr) -> nw.Expr:
    """Give a value that a cast can take wherever an engine computes it, asked for or not."""
    return nw.when(condition).then(value).otherwise(nw.lit(0.0))


def _half_even(number: nw.Expr) -> nw.Expr:
    """Give the nearest whole number, of two the even one: Narwhals' own rounding differs between engines."""
    floor = number.floor().cast(nw.Int64)
    rest = number - floor
    up = (rest > 0.5) | ((rest == 0.5) & (floor % 2 == 1))
    return floor + nw.when(up).then(nw.lit(1)).otherwise(nw.lit(0))
