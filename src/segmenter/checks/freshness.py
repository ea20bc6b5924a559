"""Whether orders are whole up to the as-of date: stale exports, days and months that are missing, files of the same days."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise, takewhile
from statistics import median

import polars as pl

from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.tables import OrdersProfile

_DAY = timedelta(days=1)
_ENOUGH = 20  # days with orders that say what is usual
_LONG = 7  # days: no shorter gap is told
_HOLIDAYS = ((12, 25), (1, 1))  # month and day
_CLOSED = 16  # days that a shop may be closed around holidays
_MAX_TOLD = 5
_MONTHS = 3  # before and after, that a month is compared with
_ROWS = 100  # of a month, below which chance may explain a drop
_DIP, _DROP, _CUT = 0.4, 0.25, 0.4  # of what is usual
_WEEKS, _SAME = 8, 4  # in which a weekday is looked at, and how often it must be there
_ROWS_OF_DAY = 20
_SHARED = 0.5  # of a file's days, so that another one has the same


def check_freshness(profile: OrdersProfile, as_of: date) -> list[Finding]:
    """Look at the days of the orders before the as-of date, and of each file's."""
    days: list[date] = profile.by_day["day"].to_list()
    if not days:
        return []
    rows = dict(zip(days, profile.by_day["rows"].to_list(), strict=True))
    gaps = _gaps(days)
    return [*_stale(days, as_of), *gaps, *([] if gaps else _months(rows)), *_last_days(rows), *_files(profile.by_file)]


def _stale(days: Sequence[date], as_of: date) -> list[Finding]:
    """Compare the days since the last order with those that usually pass between two."""
    since = (as_of - days[-1]).days
    between = sorted((later - earlier).days for earlier, later in pairwise(days))
    if len(days) > _ENOUGH:
        usual = between[int(0.95 * (len(between) - 1))]
        limit = max(3, 3 * usual)
    else:
        usual = max(between, default=0)
        limit = max(31, 3 * usual)
    if since <= limit:
        return []
    sentence = (
        "data.orders: the last order is of {last}, {since:,} days before launch.as_of, {as_of}{rule}. Whoever has ordered since counts as "
        "not active: export the orders again, or set launch.as_of={next}"
    )
    rule = Message("dates.usual", "; as a rule, the next day with orders comes within {usual:,} days", usual=usual) if usual else ""
    last = days[-1]
    return [Finding("warning", Message("dates.stale", sentence, last=last, since=since, as_of=as_of, rule=rule, next=last + _DAY))]


def _gaps(days: Sequence[date]) -> list[Finding]:
    """Find days without orders that are several times more in a row than all others are."""
    gaps = sorted(((later - earlier).days, earlier, later) for earlier, later in pairwise(days))[::-1]
    lengths = [gap for gap, _, _ in gaps]
    if len(days) <= _ENOUGH:
        return []
    cut = max((at for at in range(1, _MAX_TOLD + 1) if lengths[at - 1] >= max(_LONG, 3 * lengths[at])), default=0)
    sentence = (
        "data.orders: there are no orders from {first} to {last}, {count:,} days, which is unusual here: is a file or a page missing?"
    )
    findings = []
    for gap, earlier, later in sorted(gaps[:cut], key=lambda gap: gap[1]):
        closed = gap <= _CLOSED and any(
            earlier < date(year, *holiday) < later for year in (earlier.year, later.year) for holiday in _HOLIDAYS
        )
        found = Message("dates.gap", sentence, first=earlier + _DAY, last=later - _DAY, count=gap - 1)
        findings.append(Finding("note" if closed else "warning", found))
    return findings


def _months(rows: dict[date, int]) -> list[Finding]:
    """Find whole months with far fewer orders than those before and after, or than all before the last."""
    months: dict[date, int] = {}
    for day, count in rows.items():
        months[day.replace(day=1)] = months.get(day.replace(day=1), 0) + count
    first, last = min(rows), max(rows)
    whole = sorted(month for month in months if month >= first - 2 * _DAY and _next(month) - _DAY <= last)
    findings = []
    sentence = (
        "data.orders: {month} has {count:,} rows, the months around it about {usual:,}: is a part of it missing? "
        "Compare with the shop's own figures"
    )
    for at, month in enumerate(whole):
        before, after = whole[max(0, at - _MONTHS) : at], whole[at + 1 : at + 1 + _MONTHS]
        usual = min(median(months[other] for other in side) for side in (before, after) if side) if before else 0
        steady = len(before) == _MONTHS and 2 * min(months[other] for other in before) >= max(months[other] for other in before)
        limit = _DIP if after else _DROP if steady else 0
        if usual >= _ROWS and months[month] < limit * usual:
            found = Message("dates.month", sentence, month=f"{month:%Y-%m}", count=months[month], usual=round(usual))
            findings.append(Finding("warning", found))
    return findings[:_MAX_TOLD]


def _next(month: date) -> date:
    return (month + 31 * _DAY).replace(day=1)


def _last_days(rows: dict[date, int]) -> list[Finding]:
    """Find last days with far fewer orders than on the same weekday before: they may have been exported in part."""
    last = day = max(rows)
    while (day - min(rows)).days >= 7 * _SAME:
        same = [rows[other] for week in range(1, _WEEKS + 1) if (other := day - 7 * week * _DAY) in rows]
        if len(same) < _SAME or median(same) < _ROWS_OF_DAY or rows.get(day, 0) >= _CUT * min(median(same), 2 * min(same)):
            break
        day -= _DAY
    count = (last - day).days
    if not count or count > _CLOSED:
        return []
    if count == 1:
        sentence = (
            "data.orders: the last day, {last}, has far fewer rows than the same weekday before ({rows:,}): "
            "it may have been exported before it was over"
        )
        return [Finding("note", Message("dates.cut_off_day", sentence, last=last, rows=rows[last]))]
    sentence = (
        "data.orders: the last {count:,} days, {first} to {last}, have far fewer rows than the same weekdays before ({rows:,} on {last}): "
        "they may have been exported before they were over"
    )
    return [Finding("warning", Message("dates.cut_off", sentence, count=count, first=day + _DAY, last=last, rows=rows[last]))]


def _files(by_file: pl.DataFrame) -> list[Finding]:
    """Find files of the same days: exports that overlap, and one that ends before another of its days."""
    files = sorted(by_file.select("first", "last", "file").rows())
    overlaps, older = [], []
    several = [file for file in files if file[0] < file[1]]
    pairs = ((one, two) for at, one in enumerate(several) for two in takewhile(lambda two: two[0] <= one[1], several[at + 1 :]))  # noqa: B023
    for (first, last, name), (other_first, other_last, other) in pairs:
        days = (min(last, other_last) - other_first).days + 1
        apart = max(_LONG, 0.1 * (max(last, other_last) - first).days)
        alike = (other_first - first).days <= apart and abs((other_last - last).days) <= apart
        if days == 1 or alike:  # an export may end in the middle of a day; files of shops or of parts of one have the same days
            continue
        overlaps.append(_overlap(name, first, last, other, other_first, other_last))
        (shorter, its_first, its_last), longer, end = (
            ((name, first, last), other, other_last) if last < other_last else ((other, other_first, other_last), name, last)
        )
        shared = days / ((its_last - its_first).days + 1)
        if shared >= _SHARED and (end - its_last).days > max(_LONG, 0.1 * (its_last - its_first).days):
            sentence = (
                "data.orders.path: {file} ends on {last}, and {other}, of the same days, goes on to {end}: "
                "is the first an older export, whose orders count twice, or not up to date?"
            )
            older.append(Message("dates.older_file", sentence, file=shorter, last=its_last, other=longer, end=end))
    if not overlaps:
        return []
    sentence = "data.orders.path: files share days ({count:,} pairs), such as {overlaps}; the same order in two of them counts twice"
    found = Message("dates.overlap", sentence, count=len(overlaps), overlaps=tuple(overlaps[:3]))
    return [Finding("note", found), *(Finding("warning", message) for message in older[:_MAX_TOLD])]


def _overlap(name: str, first: date, last: date, other: str, other_first: date, other_last: date) -> Message:
    sentence = "{name} ({first} to {last}) and {other} ({other_first} to {other_last})"
    facts = {"first": first, "last": last, "other_first": other_first, "other_last": other_last}
    return Message("dates.two_files", sentence, name=name, other=other, **facts)
