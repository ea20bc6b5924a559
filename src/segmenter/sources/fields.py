"""What a cell means, whoever reads it: ids, amounts, times, flags and currencies; null where a cell cannot be read.

The kernel reads numbers and times of fixed types by itself, and an engine in SQL; both are tested against this.
"""

import re

import polars as pl
from polars.exceptions import PolarsError

from segmenter import money
from segmenter.checks.id_forms import may_be_mended, mended
from segmenter.checks.number_format import AS_TYPED, OTHER, NumberFormat
from segmenter.tables import LATEST, NOTHING
from segmenter.vocabulary import vocabulary

_WRITTEN = vocabulary("cells")
_FLAGS = {**dict.fromkeys(_WRITTEN["yes"], True), **dict.fromkeys((*_WRITTEN["no"], *NOTHING), False)}
_SIGNS: dict[str, list[str]] = _WRITTEN["signs"]
_FAR = 200_000  # years that Polars can write in any time zone
_DAYS = 2 * 86_400_000_000  # microseconds: no time zone is further from UTC


def text(values: pl.Series) -> pl.Series:
    """Read ids and names: without spaces around, whole numbers without decimals; null for nothing, ``NULL``, ``N/A``."""
    # Cell by cell: what one cell is called must not depend on the others.
    plain = values.alias("v").to_frame().select(as_text("v", values.dtype, ".").str.strip_chars().alias(values.name)).to_series()
    return plain.zip_with(~plain.str.to_lowercase().is_in(NOTHING), pl.Series([None], dtype=pl.String))


def mend_ids(written: pl.Series) -> pl.Series:
    """Read ids that were read as text: what was done to keep them text is undone, and ``12.0`` is 12."""
    if not may_be_mended(written).any():
        return written
    return text(written.alias("v").to_frame().select(mended(pl.col("v")).alias(written.name)).to_series())


def number(values: pl.Series, currency: str, how: NumberFormat) -> pl.Series:
    """Read numbers as people write amounts: with the sign of a currency (ISO 4217), marks of thousands, accounting parentheses.

    `how` says which decimal mark text has. Signs of other currencies are not read.
    """
    if values.dtype.is_numeric():
        return values.cast(pl.Float64)
    values = decode(values)
    if values.dtype != pl.String:
        return pl.Series(values.name, [None] * len(values), dtype=pl.Float64)
    return how.read(values, currency)


def amount(values: pl.Series, currency: str, how: NumberFormat) -> pl.Series:
    """Read amounts in currency units as Int64 minor units, half a unit to even; null beyond `money.LARGEST`."""
    minor: pl.Series = (number(values, currency, how) * 10 ** money.digits(currency)).round(0, mode="half_to_even")
    fits = minor.is_finite() & (minor.abs() <= money.LARGEST)
    return minor.cast(pl.Int64, strict=False).zip_with(fits, pl.Series([None], dtype=pl.Int64))


def any_amount(values: pl.Series, currency: str) -> pl.Series:
    """Read amounts as `amount` does, as far as they can be read in any way: of two readings the larger, of another currency its number."""
    values = decode(values)
    if values.dtype != pl.String:
        return amount(values, currency, AS_TYPED)
    read = pl.DataFrame([amount(values, currency, NumberFormat(mark)).alias(mark) for mark in OTHER])
    found = read.select(pl.when(pl.col(".").abs() >= pl.col(",").abs()).then(".").otherwise(pl.coalesce(",", "."))).to_series()
    bare = values.filter(found.is_null()).str.extract(r"([0-9][0-9.,' ]*)").str.strip_chars(" ")
    if bare.null_count() == len(bare):
        return found.alias(values.name)
    return found.scatter(found.is_null().arg_true(), amount(bare, currency, NumberFormat(".", only=False))).alias(values.name)


def time(values: pl.Series, format_: str, timezone: str) -> pl.Series:
    """Read times of any type as local times without zone; null for what is none, or is before 1970 or after 2200.

    `format_` is ``auto`` (year first, the usual separators), a strptime format, ``epoch_s`` or ``epoch_ms``. Times with an offset are
    brought to `timezone`, those without are taken as local.
    """
    moments = _time(values, format_, timezone)
    possible = moments.dt.year().is_between(1970, 2200)
    return moments.to_frame("t").select(pl.when(possible).then("t")).to_series()


def local(values: pl.Expr, dtype: pl.DataType, timezone: str) -> pl.Expr:
    """Bring dates and timestamps into local time in microseconds; null for what that cannot hold."""
    zone = dtype.time_zone if isinstance(dtype, pl.Datetime) else None
    # Not strict: Polars' message about a value that does not fit writes it out, and a date that no calendar has ends the thread.
    moments = values.cast(pl.Datetime("us", zone), strict=False)
    if zone is None:
        return moments
    possible = moments.to_physical().is_between(-_DAYS, LATEST + _DAYS)
    return pl.when(possible).then(moments).dt.convert_time_zone(timezone).dt.replace_time_zone(None)


def _local(values: pl.Series, timezone: str) -> pl.Series:
    return values.alias("t").to_frame().select(local(pl.col("t"), values.dtype, timezone)).to_series()


def _time(values: pl.Series, format_: str, timezone: str) -> pl.Series:
    values = decode(values)
    if values.dtype in (pl.Date, pl.Datetime):
        return _local(values, timezone)
    if format_ in ("epoch_s", "epoch_ms"):
        unit = 1_000_000 if format_ == "epoch_s" else 1_000
        moments = (values.cast(pl.Float64, strict=False) * unit).cast(pl.Int64, strict=False).cast(pl.Datetime("us", "UTC"))
        return _local(moments, timezone)
    if values.dtype.is_numeric():
        values = text(values)
    if values.dtype != pl.String:
        return pl.Series([None] * len(values), dtype=pl.Datetime("us"))
    values = values.str.strip_chars()
    if format_ != "auto":
        return _parse(values, format_, timezone)
    for word, half_day in _WRITTEN["half_days"].items():
        values = values.str.replace(word, half_day)
    result = pl.Series([None] * len(values), dtype=pl.Datetime("us"))
    for attempt in _WRITTEN["times"]:
        left = result.is_null() & values.is_not_null()
        if not left.any():
            break
        result = result.zip_with(~left, _parse(values, attempt, timezone))
    return result


def _parse(values: pl.Series, format_: str, timezone: str) -> pl.Series:
    zone = "UTC" if re.search("%[#:]?z", format_) else None
    return _local(values.str.to_datetime(format_, strict=False, time_unit="us", time_zone=zone), timezone)


def flag(values: pl.Series) -> pl.Series:
    """Read yes and no, as Booleans, 0 and 1, or words: empty is no; null for what cannot be read."""
    said = text(values).str.to_lowercase().str.replace(r"^([01])\.0$", "${1}").fill_null("")
    return said.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)


def currency(values: pl.Series, launch: str) -> pl.Series:
    """Read currencies, their signs and names included, as ISO 4217 codes; a sign of several is taken for the launch's."""
    codes = {sign: launch if launch in meant else meant[0] for sign, meant in _SIGNS.items()}
    return text(values).str.normalize("NFKC").str.to_uppercase().replace(codes)


def currency_names(launch: str) -> list[str]:
    """List what `currency` reads as the launch's, in upper case: the code, its signs and its names."""
    written = pl.Series([launch, *_SIGNS, *_WRITTEN["wide_signs"]])
    return sorted(written.filter(currency(written, launch) == launch).to_list())


def as_text(column: str, dtype: pl.DataType, decimal: str) -> pl.Expr:
    """Write a column of a type as text: ``12345`` rather than ``12345.0``, dates in ISO 8601; null stays null."""
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
