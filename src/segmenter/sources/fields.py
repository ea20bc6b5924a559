"""Cells as people and systems write them, as values: null where a cell cannot be read."""

import polars as pl

from segmenter import money

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
)
_ZONED = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")
_YES = ("true", "t", "yes", "y", "1", "是", "真", "有", "√")
_NO = ("false", "f", "no", "n", "0", "否", "假", "无", "×", "")
_CURRENCIES = {"RMB": "CNY", "人民币": "CNY", "元": "CNY", "¥": "CNY", "$": "USD", "美元": "USD", "€": "EUR", "£": "GBP"}


def text(values: pl.Series) -> pl.Series:
    """Read ids and names: without spaces around, whole numbers without decimals, empty as null.

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
    if values.dtype.is_float() and (values.drop_nulls().drop_nans().round() == values.drop_nulls().drop_nans()).all():
        values = values.fill_nan(None).cast(pl.Int64, strict=False)
    plain = values.cast(pl.String).str.strip_chars()
    return plain.replace("", None)


def amount(values: pl.Series, currency: str, decimal: str) -> pl.Series:
    """Read amounts in currency units, half a minor unit to even.

    Text may carry a currency sign, thousands separators in the right places and accounting parentheses.

    Parameters
    ----------
    values : Series
        Numbers or text.
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
    >>> amount(pl.Series(["¥1,234.50", "(3)", "12,5", "abc"]), "CNY", ".").to_list()
    [123450, -300, None, None]
    """
    if values.dtype == pl.String:
        mark, thousands = (r"\.", ",") if decimal == "." else (",", r"\.")
        plain = values.str.normalize("NFKC").str.replace_all(r"[\s¥$€£元]|(?i:CNY|RMB)", "")
        plain = plain.str.replace(r"^\((.+)\)$", "-${1}")
        number = rf"^[+-]?(\d+|\d{{1,3}}({thousands}\d{{3}})+)?({mark}\d*)?([eE][+-]?\d+)?$"
        readable = plain.str.contains(number) & plain.str.contains(r"\d")
        plain = plain.str.replace_all(thousands, "")
        if decimal == ",":
            plain = plain.str.replace(",", ".", literal=True)
        values = plain.cast(pl.Float64, strict=False).to_frame("n").select(pl.when(readable).then("n")).to_series()
    if not values.dtype.is_numeric():
        return pl.Series([None] * len(values), dtype=pl.Int64)
    scaled = (values.cast(pl.Float64) * 10 ** money.digits(currency)).round(0, mode="half_to_even")
    fits = scaled.is_finite() & (scaled.abs() <= money.LARGEST)
    return pl.DataFrame({"n": scaled}).select(pl.when(fits).then("n").cast(pl.Int64)).to_series()


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


def _time(values: pl.Series, format_: str, timezone: str) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime):
        if values.dtype.time_zone is not None:
            values = values.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
        return values.cast(pl.Datetime("us"))
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us"))
    if format_ in ("epoch_s", "epoch_ms"):
        unit = 1_000_000 if format_ == "epoch_s" else 1_000
        moments = (values.cast(pl.Float64, strict=False) * unit).cast(pl.Int64, strict=False).cast(pl.Datetime("us", "UTC"))
        return moments.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    if values.dtype.is_numeric():
        values = text(values)
    if values.dtype != pl.String:
        return pl.Series([None] * len(values), dtype=pl.Datetime("us"))
    values = values.str.strip_chars()
    if format_ != "auto":
        return _parsed(values, format_, timezone)
    result = pl.Series([None] * len(values), dtype=pl.Datetime("us"))
    for attempt in (*_TIMES, *_ZONED):
        left = result.is_null() & values.is_not_null()
        if not left.any():
            break
        result = result.zip_with(~left, _parsed(values, attempt, timezone))
    return result


def _parsed(values: pl.Series, format_: str, timezone: str) -> pl.Series:
    if "%z" in format_ or "%#z" in format_ or "%:z" in format_:
        zoned = values.str.to_datetime(format_, strict=False, time_unit="us", time_zone="UTC")
        return zoned.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
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
    words = values.cast(pl.String).str.strip_chars().str.to_lowercase().str.replace(r"^([01])\.0$", "${1}").fill_null("")
    known = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
    return words.replace_strict(known, default=None, return_dtype=pl.Boolean)


def currency(values: pl.Series) -> pl.Series:
    """Read currencies, their usual signs and names included.

    Parameters
    ----------
    values : Series
        Text.

    Returns
    -------
    Series
        Upper case codes; null where empty.

    Examples
    --------
    >>> currency(pl.Series(["rmb", "USD "])).to_list()
    ['CNY', 'USD']
    """
    return text(values).str.normalize("NFKC").str.to_uppercase().replace(_CURRENCIES)
