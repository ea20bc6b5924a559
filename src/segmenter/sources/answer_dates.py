"""Dates as agents write them: with and without a year, in English and Chinese, and as spreadsheets store them."""

import re
import unicodedata
from datetime import date, timedelta

import polars as pl

from segmenter.sources import fields

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = f"({'|'.join(_MONTHS)})[a-z]*"
_YEARLESS = re.compile(r"(\d{1,2}) ?[月/-] ?(\d{1,2}) ?[日号]?")  # 7月3日; the month first, as where the day is, a year mostly follows
_DAY_FIRST = re.compile(rf"(\d{{1,2}})[ -]?{_NAMED}\.?(?:[ ,-]+(\d{{4}}))?")  # 3-Jul, as Excel writes 7/3 into CSV
_MONTH_FIRST = re.compile(rf"{_NAMED}\.? ?(\d{{1,2}})(?:st|nd|rd|th)?(?:,? +(\d{{4}}))?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")  # 3.7.2026, the day first wherever dots are written
_SERIAL = re.compile(r"[45]\d{4}(?:\.\d+)?")  # 2009 to 2064
_FIRST = date(1899, 12, 30)  # day 0 of spreadsheets


def answer_dates(cells: pl.Series, before: date, timezone: str) -> pl.Series:
    """Read dates; one without a year is the last such day before the review.

    What may be read in two ways, such as 03/07/2026, is not read. Nor is 7.3: a spreadsheet makes the same number of 7.30.

    Parameters
    ----------
    cells : Series
        Of any type.
    before : date
        Of the review.
    timezone : str
        IANA name: where times with an offset are brought to.

    Returns
    -------
    Series of Date
        Null where a cell holds no date.

    Examples
    --------
    >>> cells = pl.Series(["7月3日", "12-30", "3-Jul", "July 3, 2026", "3.7.2026", "46206", "7.3", None])
    >>> [day and str(day) for day in answer_dates(cells, date(2026, 7, 31), "Asia/Shanghai")]
    ['2026-07-03', '2025-12-30', '2026-07-03', '2026-07-03', '2026-07-03', '2026-07-03', None, None]
    """
    if not cells.dtype.is_temporal():
        cells = fields.text(cells)
        plain = {text: _plain(text, before - timedelta(days=1)) for text in cells.drop_nulls().unique()}
        cells = cells.replace_strict(plain, default=None, return_dtype=pl.String)
    return fields.time(cells, "auto", timezone).dt.date()


def _plain(text: str, last: date) -> str:
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if _SERIAL.fullmatch(text):
        return str(_FIRST + timedelta(days=int(float(text))))
    if found := _DOTTED.fullmatch(text):
        return "{2}-{1}-{0}".format(*found.groups())
    if found := _YEARLESS.fullmatch(text):
        month, day, year = *found.groups(), None
    elif found := _DAY_FIRST.fullmatch(text.lower()):
        day, month, year = found.groups()
    elif found := _MONTH_FIRST.fullmatch(text.lower()):
        month, day, year = found.groups()
    else:
        return text
    number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
    return f"{year or last.year - ((number, int(day)) > (last.month, last.day))}-{number}-{day}"
