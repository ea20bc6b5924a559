"""The dates that a text may mean, by the order of its numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

from segmenter.vocabulary import vocabulary

Order = Literal["ymd", "dmy", "mdy"]
ORDERS: tuple[Order, ...] = ("dmy", "mdy", "ymd")
YEARS = (1970, 2200)
_KNOWN = vocabulary("times")
_MONTHS = {name: number for number, names in _KNOWN["months"].items() for name in names}
_SKIPPED = {*_KNOWN["weekdays"], *_KNOWN["fillers"]}
_WEEKDAY = re.compile(rf"(?<=\d)\s*[{''.join(mark for mark, sign in _KNOWN['marks'].items() if sign == ' ')}]?\s*{_KNOWN['weekday']}$")
_WORD = re.compile(r"[^\W\d_]+\.?")
_NUMBERS = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
_NAMED = re.compile(r"(?:(\d{1,4})\W*)?<(\d+)>\W*(\d{1,4})(?:\W+(\d{4}|\d\d))?")


@dataclass(frozen=True)
class DateText:
    """What a text may mean."""

    family: str | None  # texts of the same make, whose order is decided together; None where there is but one
    dates: Mapping[Order, date]
    named: bool = False  # the month by its name


@lru_cache(maxsize=1 << 17)
def date_text(text: str) -> DateText | None:
    """Read a date in lower case, of any order; None for what is none.

    >>> date_text("03/06/26").dates["dmy"], date_text("jun 3rd, 2026").dates
    (datetime.date(2026, 6, 3), {'mdy': datetime.date(2026, 6, 3)})
    """
    plain = _WEEKDAY.sub("", text)
    for mark, sign in _KNOWN["marks"].items():
        plain = plain.replace(mark, sign)
    plain = _WORD.sub(_month, plain)
    plain = re.sub(r"\s*([-/.])\s*", r"\1", " ".join(plain.split()).strip(" ,.-"))
    if found := _COMPACT.fullmatch(plain):
        return _possible(None, {"ymd": found.groups()})
    if found := _NUMBERS.fullmatch(plain):
        first, sign, second, third = found.groups()
        if len(first) == 4:
            return _possible(None, {"ymd": (first, second, third)}) if len(third) <= 2 else None
        if len(first) > 2 or len(third) not in (2, 4):
            return None
        orders: dict[Order, tuple[str, ...]] = {"dmy": (third, second, first), "mdy": (third, first, second)}
        if len(third) == 2:
            orders["ymd"] = (first, second, third)
        return _possible(f"{sign}{len(third)}", orders)
    if "<" in plain and (found := _NAMED.fullmatch(plain)):
        return _named(*found.groups())
    return None


def _month(word: re.Match[str]) -> str:
    name = word.group().rstrip(".")
    if name in _MONTHS:
        return f"<{_MONTHS[name]}>"
    return " " if name in _SKIPPED else word.group()


def _named(before: str | None, month: str, after: str, last: str | None) -> DateText | None:
    """Tell 3 Jun 2026, Jun 3 2026 and 2026 Jun 3 from each other."""
    if before is None:
        return None if last is None else _possible(None, {"mdy": (last, month, after)}, named=True)
    if last is not None:
        return None
    if len(before) == 4:
        return _possible(None, {"ymd": (before, month, after)}, named=True)
    if len(before) > 2 or len(after) not in (2, 4):
        return None
    return _possible(None, {"dmy": (after, month, before)}, named=True)


def _possible(family: str | None, orders: Mapping[Order, tuple[str, ...]], *, named: bool = False) -> DateText | None:
    dates: dict[Order, date] = {}
    for order, (year, month, day) in orders.items():
        number = int(year) + (0 if len(year) > 2 else 2000 if int(year) < 70 else 1900)
        try:
            found = date(number, int(month), int(day))
        except ValueError:
            continue
        if YEARS[0] <= found.year <= YEARS[1]:
            dates[order] = found
    return DateText(family, dates, named) if dates else None
