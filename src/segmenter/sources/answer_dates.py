"""Dates as agents write them: with and without a year, in words, in English and Chinese, and as spreadsheets store them."""

import re
import unicodedata
from calendar import monthrange
from datetime import date, time, timedelta
from functools import cache
from typing import Any

import polars as pl

from segmenter.sources import fields
from segmenter.sources.answer_phrases import number_of
from segmenter.sources.answer_spelling import plain
from segmenter.vocabulary import vocabulary

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = f"({'|'.join(_MONTHS)})[a-z]*"
_DAY_FIRST = re.compile(rf"(\d{{1,2}})[ -]?{_NAMED}\.?(?:[ ,-]+(\d{{4}}))?")  # 3-Jul, as Excel writes 7/3 into CSV
_MONTH_FIRST = re.compile(rf"{_NAMED}\.? ?(\d{{1,2}})(?:st|nd|rd|th)?(?:,? +(\d{{4}}))?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")  # 3.7.2026, the day first wherever dots are written
_TIMED = re.compile(r"(.*\D.*?)[ T]+(\d{1,2}:\d{2}(?::\d{2})?)")
_SERIAL = re.compile(r"[45]\d{4}(?:\.\d+)?")  # 2009 to 2064
_FIRST = date(1899, 12, 30)  # day 0 of spreadsheets


@cache
def _yearless() -> re.Pattern[str]:
    """Match 7/3; the month first, as where the day is, a year mostly follows."""
    letters = vocabulary("answers")["dates"]
    return re.compile(rf"(\d{{1,2}}) ?[{letters['month']}/-] ?(\d{{1,2}}) ?[{letters['day']}]?")


def answer_dates(cells: pl.Series, before: date, timezone: str) -> pl.Series:
    """Read dates, as `answer_times`."""
    return answer_times(cells, before, timezone).dt.date()


def hours_of(times: pl.Series) -> pl.Series:
    """Give the hour of the day of times; null at midnight, which is a date alone."""
    day = times.to_frame("at")
    return day.select(pl.when(pl.col("at").dt.time() != time(0)).then(pl.col("at").dt.hour().cast(pl.Int64))).to_series()


def clock_hours(cells: pl.Series) -> pl.Series | None:
    """Read the hours of a column that has times of the day and no dates; None where it has anything else."""
    if cells.dtype == pl.Time:
        return cells.dt.hour().cast(pl.Int64)
    texts = fields.text(cells) if not cells.dtype.is_temporal() else cells.cast(pl.String)
    hours = {text: _clock_hour(text) for text in texts.drop_nulls().unique()}
    return texts.replace_strict(hours, default=None, return_dtype=pl.Int64) if hours and None not in hours.values() else None


def _clock_hour(text: str) -> int | None:
    found = re.fullmatch(vocabulary("answers")["clock"], plain(text).strip())
    if found is None or not (found["half"] or found["after"] or re.search(r"\D", text)) or int(found["hour"]) > 23:
        return None
    late = (found["after"] or found["half"] or "am") not in vocabulary("answers")["mornings"]
    return int(found["hour"]) % 12 + 12 * late if found["half"] or found["after"] else int(found["hour"])


def answer_times(cells: pl.Series, before: date, timezone: str) -> pl.Series:
    """Read dates, and the time of day where it is told; what holds no date is null, without a year it is the last before the review.

    What may be read in two ways, such as 03/07/2026, is not read. Nor is 7.3: a spreadsheet makes the same number of 7.30.
    """
    if not cells.dtype.is_temporal():
        cells = fields.text(cells)
        dates = {text: _with_year(text, before - timedelta(days=1)) for text in cells.drop_nulls().unique()}
        cells = cells.replace_strict(dates, default=None, return_dtype=pl.String)
    return fields.time(cells, "auto", timezone)


def _with_year(text: str, last: date) -> str:
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if timed := _TIMED.fullmatch(text):
        return f"{_with_year(timed[1], last)} {timed[2]}"
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


def call_day(text: str, on: date, *, soon: bool = True) -> date | None:
    """Tell the day on which an answer of a day says to call again, "next Wednesday": not before that day; None where it says none.

    Whoever says "later" and no day is called from the next day on, unless it is not `soon`.
    """
    words = " ".join(plain(text).split())
    if _SERIAL.fullmatch(words):
        words = str(_FIRST + timedelta(days=int(float(words))))
    if match := _DOTTED.fullmatch(words):
        words = "{2}-{1}-{0}".format(*match.groups())
    for rule in vocabulary("answers")["days"]:
        if match := re.search(rule["pattern"], words):
            told = rule | {name: value for name, value in match.groupdict().items() if value is not None}
            day = _day_told(told, on)
            return None if day is None or day < on else day + timedelta(days="after" in told and told["is"] != "feast")
    return on + timedelta(days=1) if soon and re.search(vocabulary("answers")["soon"], words) else None


def _day_told(told: dict[str, Any], on: date) -> date | None:
    words = vocabulary("answers")
    later = number_of(str(told.get("next", ""))) or 0  # weeks, months
    match told["is"]:
        case "date":
            month = _MONTHS.index(told["name"]) + 1 if "name" in told else int(told.get("m", 0))
            return _next_such(on, int(told.get("y", 0)), month, int(told["d"]))
        case "ahead":
            given = next((told[name] for name in ("n", "k", "j") if name in told), "")
            number = given if isinstance(given, int) else number_of(given)
            return None if number is None else on + timedelta(days=number * told.get("unit", 1))
        case "weekday":
            ahead = words["weekdays"][told["w"]] - on.weekday()
            return on + timedelta(days=ahead + 7 * (later or ahead <= 0))
        case "month":
            months = [(on.year + (on.month + ahead) // 12, (on.month + ahead) % 12 + 1) for ahead in (later - 1, later)]
            days = (date(*month, min(words["parts"][told["part"]], monthrange(*month)[1])) for month in months)
            return next(day for day in days if day > on)
        case _:
            return _day_after(words["feasts"].get(told["feast"], told["feast"]), on)


def _next_such(on: date, year: int, month: int, day: int) -> date | None:
    """Give the first such day that is not before another; of a month that has no such day none."""
    if year:
        return date(year, month, day) if 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1] else None
    days = (on + timedelta(days=ahead) for ahead in range(366))
    return next((each for each in days if each.day == day and month in (0, each.month)), None)


def _day_after(feast: str, on: date) -> date | None:
    """Give the first workday after the holidays of a feast that are not over, as China has them."""
    import holidays

    public = holidays.country_holidays("CN", years=range(on.year, on.year + 2), language="zh_CN")
    for first in sorted(day for day in public if feast in public[day]):
        free = next(day for ahead in range(31) if (day := first + timedelta(days=ahead)) not in public and day.weekday() < 5)
        if free > on:
            return free
    return None
