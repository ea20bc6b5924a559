"""Money as integers: minor units (cents, fen) inside, currency units at the edges."""

from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl

# Per row, so that sums over a customer and fixed-point weights stay far inside 64 bits.
LARGEST = 10**12


def digits(currency: str) -> int:
    """Give the number of decimals of a currency: 0 for JPY, 2 for CNY, 3 for KWD."""
    from babel.numbers import get_currency_precision

    return int(get_currency_precision(currency))


def to_minor(amount: float, currency: str) -> int:
    """Turn an amount of the config, in currency units, into minor units, exactly; half to even."""
    scaled = Decimal(str(amount)).scaleb(digits(currency))
    return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def to_units(frame: pl.DataFrame, columns: list[str], currency: str) -> pl.DataFrame:
    """Turn columns of minor units into exact decimals in currency units, for writing.

    Parameters
    ----------
    frame : DataFrame
        With Int64 columns in minor units.
    columns : list of str
        Those to turn; names that the frame lacks are passed over.
    currency : str
        ISO 4217 code.

    Returns
    -------
    DataFrame
        The same columns in the same order, those named as Decimal(18, digits).

    Examples
    --------
    >>> to_units(pl.DataFrame({"spend": [1999]}), ["spend"], "CNY")["spend"].to_list()
    [Decimal('19.99')]
    """
    import pyarrow as pa

    # The same bits read as decimals: nothing is multiplied.
    decimal = pa.decimal64(18, digits(currency))
    present = [name for name in columns if name in frame.columns]
    return frame.with_columns(pl.Series(name, pl.from_arrow(frame[name].to_arrow().view(decimal))) for name in present)


def text(column: str, currency: str) -> pl.Expr:
    """Write a column of minor units as currency units with thousands separators, ``12,340``; below 10 with decimals; null stays null.

    >>> pl.DataFrame({"spend": [1234050, 50]}).select(text("spend", "CNY")).to_series().to_list()
    ['12,340', '0.50']
    """
    places = digits(currency)
    whole, rest = pl.col(column).abs() // 10**places, pl.col(column).abs() % 10**places
    grouped = whole.cast(pl.String).str.reverse().str.replace_all(r"(\d{3})", "${1},").str.reverse().str.strip_chars_start(",")
    if places:
        precise = pl.format("{}.{}", whole, rest.cast(pl.String).str.zfill(places))
        grouped = pl.when((whole < 10) & (rest > 0)).then(precise).otherwise(grouped)
    return pl.when(pl.col(column) < 0).then(pl.concat_str(pl.lit("-"), grouped)).otherwise(grouped)


def amount(minor: int, currency: str) -> str:
    """Write one amount as `text` does, but rounded where that leaves decimals out.

    >>> amount(1234060, "CNY")
    '12,341'
    """
    unit = 10 ** digits(currency)
    whole = round(Decimal(minor) / unit) * unit
    shown = whole if abs(whole) >= 10 * unit else minor
    written: str = pl.DataFrame({"amount": [shown]}, schema={"amount": pl.Int64}).select(text("amount", currency)).item()
    return written


def exact(minor: int, currency: str) -> str:
    """Write one amount with all its decimals.

    >>> exact(-1234060, "CNY")
    '-12,340.60'
    """
    return f"{Decimal(minor).scaleb(-digits(currency)):,.{digits(currency)}f}"
