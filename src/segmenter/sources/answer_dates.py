"""Dates as agents write them: with and without a year, in English and Chinese, and as spreadsheets store them."""

import re
import unicodedata
from datetime import date, timedelta
from functools import cache

import polars as pl

from segmenter.sources import fields
from segmenter.vocabulary import vocabulary

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = f"({'|'.join(_MONTHS)})[a-z]*"
_DAY_FIRST = re.compile(rf"(\d{{1,2}})[ -]?{_NAMED}\.?(?:[ ,-]+(\d{{4}}))?")  # 3-Jul, as Excel writes 7/3 into CSV
_MONTH_FIRST = re.compile(rf"{_NAMED}\.? ?(\d{{1,2}})(?:st|nd|rd|th)?(?:,? +(\d{{4}}))?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")  # 3.7.2026, the day first wherever dots are written
_SERIAL = re.compile(r"[45]\d{4}(?:\.\d+)?")  # 2009 to 2064
_FIRST = date(1899, 12, 30)  # day 0 of spreadsheets


@cache
def _yearless() -> re.Pattern[str]:
    """Match 7/3; the month first, as where the day is, a year mostly follows."""
    letters = vocabulary("answers")["dates"]
    return re.compile(rf"(\d{{1,2}}) ?[{letters['month']}/-] ?(\d{{1,2}}) ?[{letters['day']}]?")


def answer_dates(cells: pl.Series, before: date, timezone: str) -> pl.Series:
    """Read dates; one without a year is the last such day before the review, and what holds no date is null.

    What may be read in two ways, such as 03/07/2026, is not read. Nor is 7.3: a spreadsheet makes the same number of 7.30.
    """
    if not cells.dtype.is_temporal():
        cells = fields.text(cells)
        dates = {text: _with_year(text, before - timedelta(days=1)) for text in cells.drop_nulls().unique()}
        cells = cells.replace_strict(dates, default=None, return_dtype=pl.String)
    return fields.time(cells, "auto", timezone).dt.date()


def _with_year(text: str, last: date) -> str:
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if _SERIAL.fullmatch(text):
        return str(_FIRST + timedelta(days=int(float(text))))
    if re.fullmatch(r"\d{5}", text):
        return ""
    if match := _DOTTED.fullmatch(text):
        return "{2}-{1}-{0}".format(*match.groups())
    if match := _yearless().fullmatch(text):
        month, day, year = *match.groups(), None
    elif match := _DAY_FIRST.fullmatch(text.lower()):
        day, month, year = match.groups()
    elif match := _MONTH_FIRST.fullmatch(text.lower()):
        month, day, year = match.groups()
    else:
        return text
    number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
    return f"{year or last.year - ((number, int(day)) > (last.month, last.day))}-{number}-{day}"
