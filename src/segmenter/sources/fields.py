"""Cells as people and systems write them, as values: null where a cell cannot be read."""

import re

import polars as pl

from segmenter import money
from segmenter.sources.raw import as_text, words
from segmenter.tables import LATEST, NOTHING

_TIMES = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H:%M:%S",
    "%Y.%m.%d",
    "%Y.%m.%d %H:%M:%S",
    "%Y年%m月%d日",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H时%M分%S秒",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p",
    "%Y/%m/%d %I:%M:%S %p",
    "%Y/%m/%d %I:%M %p",
    "%Y/%m/%d %p%I:%M:%S",
    "%Y/%m/%d %p%I:%M",
)
_ZONED = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M%#z")
_DAYS = 2 * 86_400_000_000  # microseconds: no time zone is further from UTC
_YES = ("true", "t", "yes", "y", "1", "是", "真", "有", "√")
_NO = ("false", "f", "no", "n", "0", "否", "假", "无", "×", *NOTHING)
# What a sign may mean; it is read as the launch's currency where it may mean that.
_SIGNS = {
    **dict.fromkeys(("RMB", "人民币", "元", "CN¥"), ("CNY",)),
    "¥": ("CNY", "JPY"),
    **dict.fromkeys(("円", "日元"), ("JPY",)),
    "$": ("USD", "HKD", "SGD", "AUD", "CAD", "NZD", "TWD"),
    **dict.fromkeys(("US$", "美元"), ("USD",)),
    **dict.fromkeys(("HK$", "港币", "港元"), ("HKD",)),
    **dict.fromkeys(("NT$", "新台币"), ("TWD",)),
    **dict.fromkeys(("€", "欧元"), ("EUR",)),
    **dict.fromkeys(("£", "英镑"), ("GBP",)),
}


def text(values: pl.Series) -> pl.Series:
    """Read ids and names: without spaces around, whole numbers without decimals; null for nothing, ``NULL``, ``N/A``.

    Parameters
    ----------
    values : Series
        Of any type.

    Returns
    -------
    Series
        Text.

    Examples
    --------
    >>> text(pl.Series([12345.0, None])).to_list()
    ['12345', None]
    """
    # Cell by cell: what one cell is called must not depend on the others.
    plain = values.alias("v").to_frame().select(as_text("v", values.dtype, ".").str.strip_chars().alias(values.name)).to_series()
    return plain.zip_with(~plain.str.to_lowercase().is_in(NOTHING), pl.Series([None], dtype=pl.String))


def number(values: pl.Series, currency: str, decimal: str) -> pl.Series:
    """Read numbers as people write amounts: with the currency's sign, thousands separators, accounting parentheses.

    Parameters
    ----------
    values : Series
        Numbers or text.
    currency : str
        ISO 4217 code: signs of other currencies are not read.
    decimal : {".", ","}
        The decimal mark of text.

    Returns
    -------
    Series
        Float64; null for what is no number.

    Examples
    --------
    >>> number(pl.Series(["¥1,234.50", "(3)", "12,5", "$7"]), "CNY", ".").to_list()
    [1234.5, -3.0, None, None]
    """
    if values.dtype.is_numeric():
        return values.cast(pl.Float64)
    values = words(values)
    if values.dtype != pl.String:
        return pl.Series(values.name, [None] * len(values), dtype=pl.Float64)
    mark, thousands = (r"\.", ",") if decimal == "." else (",", r"\.")
    signs = "|".join(re.escape(sign) for sign, codes in _SIGNS.items() if currency in codes)
    plain = values.str.normalize("NFKC").str.replace_all(rf"\s|(?i:{currency})" + (f"|(?i:{signs})" if signs else ""), "")
    plain = plain.str.replace(r"^\((.+)\)$", "-${1}")
    digits = rf"^[+-]?(\d+|\d{{1,3}}({thousands}\d{{3}})+)?({mark}\d*)?([eE][+-]?\d+)?$"
    readable = plain.str.contains(digits) & plain.str.contains(r"\d")
    plain = plain.str.replace_all(thousands, "")
    if decimal == ",":
        plain = plain.str.replace(",", ".", literal=True)
    return (
        pl.DataFrame({"n": plain.cast(pl.Float64, strict=False), "r": readable})
        .select(pl.when("r").then("n"))
        .to_series()
        .alias(values.name)
    )


def amount(values: pl.Series, currency: str, decimal: str) -> pl.Series:
    """Read amounts in currency units, half a minor unit to even.

    Parameters
    ----------
    values : Series
        As `number` takes them.
    currency : str
        ISO 4217 code.
    decimal : {".", ","}
        The decimal mark of text.

    Returns
    -------
    Series
        Int64 minor units; null for what is no number or beyond `money.LARGEST`.

    Examples
    --------
    >>> amount(pl.Series(["¥1,234.50", "-0.005", "abc"]), "CNY", ".").to_list()
    [123450, 0, None]
    """
    scaled = (number(values, currency, decimal) * 10 ** money.digits(currency)).round(0, mode="half_to_even")
    fits = scaled.is_finite() & (scaled.abs() <= money.LARGEST)
    return pl.DataFrame({"n": scaled, "f": fits}).select(pl.when("f").then("n").cast(pl.Int64)).to_series()


def time(values: pl.Series, format_: str, timezone: str) -> pl.Series:
    """Read times, local to a time zone.

    Parameters
    ----------
    values : Series
        Dates, timestamps, text or numbers such as 20190131.
    format_ : str
        ``auto`` (year first, the usual separators), a strptime format, ``epoch_s`` or ``epoch_ms``.
    timezone : str
        IANA name: where values with an offset are brought to; those without are taken as local.

    Returns
    -------
    Series
        Datetime in microseconds without zone; null for what is no time, or is before 1970 or after 2200.

    Examples
    --------
    >>> time(pl.Series(["2018-02-29", "2018/2/3 1:02", "2018-02-02T18:00:00Z"]), "auto", "Asia/Shanghai").to_list()
    [None, datetime.datetime(2018, 2, 3, 1, 2), datetime.datetime(2018, 2, 3, 2, 0)]
    """
    local = _time(values, format_, timezone)
    possible = local.dt.year().is_between(1970, 2200)
    return local.to_frame("t").select(pl.when(possible).then("t")).to_series()


def local(values: pl.Expr, dtype: pl.DataType, timezone: str) -> pl.Expr:
    """Bring dates and timestamps into local time in microseconds; null for what that cannot hold.

    Parameters
    ----------
    values : Expr
        Dates or timestamps.
    dtype : DataType
        Their type.
    timezone : str
        IANA name: where those with a zone are brought to.

    Returns
    -------
    Expr
        Datetime in microseconds without zone.

    Examples
    --------
    >>> days = pl.Series("day", [0, 2**31 - 1], dtype=pl.Int32).cast(pl.Date)
    >>> days.to_frame().select(local(pl.col("day"), pl.Date(), "UTC")).to_series().to_list()
    [datetime.datetime(1970, 1, 1, 0, 0), None]
    """
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
    values = words(values)
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
        return _parsed(values, format_, timezone)
    values = values.str.replace("上午", "AM").str.replace("下午", "PM")
    result = pl.Series([None] * len(values), dtype=pl.Datetime("us"))
    for attempt in (*_TIMES, *_ZONED):
        left = result.is_null() & values.is_not_null()
        if not left.any():
            break
        result = result.zip_with(~left, _parsed(values, attempt, timezone))
    return result


def _parsed(values: pl.Series, format_: str, timezone: str) -> pl.Series:
    if "%z" in format_ or "%#z" in format_ or "%:z" in format_:
        return _local(values.str.to_datetime(format_, strict=False, time_unit="us", time_zone="UTC"), timezone)
    return values.str.to_datetime(format_, strict=False, time_unit="us")


def flag(values: pl.Series) -> pl.Series:
    """Read yes and no.

    Parameters
    ----------
    values : Series
        Booleans, 0 and 1, or words: yes, no, true, false, 是, 否.

    Returns
    -------
    Series
        Boolean: empty is no; null for what cannot be read.

    Examples
    --------
    >>> flag(pl.Series(["是", "No", None, "maybe"])).to_list()
    [True, False, False, None]
    """
    said = text(values).str.to_lowercase().str.replace(r"^([01])\.0$", "${1}").fill_null("")
    known = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
    return said.replace_strict(known, default=None, return_dtype=pl.Boolean)


def currency(values: pl.Series, launch: str) -> pl.Series:
    """Read currencies, their usual signs and names included.

    Parameters
    ----------
    values : Series
        Text.
    launch : str
        The launch's currency, ISO 4217: what a sign of several currencies is taken for.

    Returns
    -------
    Series
        Upper case codes; null where empty.

    Examples
    --------
    >>> currency(pl.Series(["rmb", "USD ", "￥"]), "CNY").to_list()
    ['CNY', 'USD', 'CNY']
    """
    codes = {sign: launch if launch in meant else meant[0] for sign, meant in _SIGNS.items()}
    return text(values).str.normalize("NFKC").str.to_uppercase().replace(codes)


def currency_names(launch: str) -> list[str]:
    """List the ways to write a currency that `currency` reads as it, in upper case.

    Parameters
    ----------
    launch : str
        ISO 4217 code.

    Returns
    -------
    list of str
        The code, its signs and its names.

    Examples
    --------
    >>> currency_names("GBP")
    ['GBP', '£', '英镑']
    """
    written = pl.Series([launch, *_SIGNS, "￥"])
    return sorted(written.filter(currency(written, launch) == launch).to_list())
