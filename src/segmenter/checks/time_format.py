"""How the times of a column are written: decided from all of its values together, and said."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import polars as pl

from segmenter.checks.date_texts import ORDERS, DateText, Order, date_text
from segmenter.checks.time_zones import SEVERAL, offset_of, place_of
from segmenter.contacts import hide
from segmenter.findings import Finding
from segmenter.messages import Message

EVIDENCE = pl.Schema(  # one row for each day as it is written
    {
        "kind": pl.String(),  # text; a unit of numbers; usual: written as most files are
        "text": pl.String(),  # the date's, in lower case; of numbers and of the usual the day in ISO 8601; null of times alone
        "zone": pl.String(),
        "clock": pl.Boolean(),  # whether there is a time of day but midnight
        "count": pl.Int64(),
        "example": pl.String(),
    }
)
_WORDS: Mapping[str, Message] = {
    "dmy": Message("dates.day_first", "the day first"),
    "mdy": Message("dates.month_first", "the month first"),
    "ymd": Message("dates.year_first", "the year first"),
    "named": Message("dates.month_named", "the month by its name"),
    "excel": Message("dates.serial", "a spreadsheet's days since 1900"),
    "epoch_s": Message("dates.seconds", "seconds since 1970"),
    "epoch_ms": Message("dates.milliseconds", "milliseconds since 1970"),
    "epoch_us": Message("dates.microseconds", "microseconds since 1970"),
}
# What ``time_format`` may be where cells are read by what they look like: with the order that some have that a cell alone does not say.
AUTO: Mapping[str, Order | None] = {"auto": None, "day_first": "dmy", "month_first": "mdy", "year_first": "ymd"}
_NAMES = {order: name for name, order in AUTO.items()}
_YEAR = timedelta(days=366)  # an as-of date is within a year of the last order
_FEW = 10  # dates, of which chance may say anything
_MONTHS = 12


@dataclass(frozen=True)
class TimeFormat:
    """The order of the numbers in each family of dates that have more than one, and else in all."""

    orders: Mapping[str, Order] = field(default_factory=lambda: MappingProxyType({}))
    otherwise: Order | None = None

    def day(self, text: DateText) -> date | None:
        """Give the day that a text means; None where nothing says which of several."""
        if len(set(text.dates.values())) == 1:
            return next(iter(text.dates.values()))
        family = text.family or ""
        # The day first wherever dots are written.
        order = self.orders.get(family) or self.otherwise or ("dmy" if family == ".4" else None)
        return None if order is None else text.dates.get(order)


NO_ORDER = TimeFormat()


@dataclass(frozen=True)
class _Group:
    """Cells of the same day, zone and kind."""

    kind: str
    text: DateText | None
    day: date  # of numbers and of the usual; of text, any
    zone: str | None
    clock: bool
    count: int
    example: str

    @property
    def days(self) -> set[date]:
        """What day it may be."""
        return {self.day} if self.text is None else {*self.text.dates.values()}

    def read(self, format_: "TimeFormat") -> date | None:
        """Give the day that it is in a format."""
        return self.day if self.text is None else format_.day(self.text)


def decide_format(
    evidence: pl.DataFrame, key: str, as_of: date, timezone: str, otherwise: Order | None = None
) -> tuple[TimeFormat, list[Finding]]:
    """Decide how dates are read by those before the as-of date, as `EVIDENCE`; and say it, naming the config `key`.

    An order that the config names (`otherwise`) needs no evidence.
    """
    groups = [group for row in evidence.iter_rows() if (group := _group(*row)) is not None and min(group.days) < as_of]
    groups.sort(key=lambda group: (group.example, group.zone or "", group.count))
    families = sorted({group.text.family for group in groups if group.text is not None and group.text.family is not None})
    orders: dict[str, Order] = {}
    findings: list[Finding] = []
    for family in [] if otherwise else families:
        texts = [group for group in groups if group.text is not None and group.text.family == family]
        orders[family], found = _decide_order(family, texts, key, as_of)
        findings += found
    format_ = TimeFormat(orders, otherwise)
    groups = [group for group in groups if (day := group.read(format_)) is not None and day < as_of]
    return format_, [*findings, *_kinds(groups, format_, key), *_zones(groups, format_, key, timezone), *_swapped(groups, format_, key)]


def _group(kind: str, text: str | None, zone: str | None, clock: bool, count: int, example: str) -> _Group | None:
    if text is None:
        return None
    example = hide(example) if "(" in example or "[" in example else example  # what is in brackets may be anything
    if kind != "text":
        return _Group(kind, None, date.fromisoformat(text), zone, clock, count, example)
    found = date_text(text)
    return None if found is None else _Group(kind, found, min(found.dates.values()), zone, clock, count, example)


def _decide_order(family: str, groups: list[_Group], key: str, as_of: date) -> tuple[Order, list[Finding]]:
    """Decide the order of the numbers in one family of dates."""
    texts = [(group.text, group) for group in groups if group.text is not None]
    known = [order for order in ORDERS if any(order in text.dates for text, _ in texts)]
    unsure = [group for text, group in texts if len(set(text.dates.values())) > 1]
    # What may be later has no say; a zone may bring it past midnight.
    sure = [text for text, group in texts if max(group.days) + timedelta(days=group.zone is not None) < as_of]
    fit = [order for order in known if all(order in text.dates for text in sure)]
    if not unsure:
        return (fit or known)[0], []
    facts = {"key": key, **_example(unsure)}
    if not fit:
        by_order = {order: [group for text, group in texts if set(text.dates) == {order} and text in sure] for order in known}
        against = tuple(Message("dates.such", '"{example}"', example=found[0].example) for found in by_order.values() if found)
        sentence = (
            '{key}: {count:,} dates such as "{example}" may have the day or the month first, and the others say both ({against}); '
            "write the times of all rows alike, or read them by SQL in the mapping of the column"
        )
        return known[0], [Finding("stop", Message("dates.contradiction", sentence, **facts, against=against))]
    because = [group for text, group in texts if set(text.dates) == set(fit) and text in sure] if len(fit) == 1 else []
    if len(fit) > 1 and family.endswith("2"):
        fit = _likely(fit, texts, as_of)
    if len(fit) > 1 and family[0] == "." and "dmy" in fit:
        fit = ["dmy"]  # the day first wherever dots are written
    unsure = [group for text, group in texts if group in unsure and text.dates.get(fit[0], as_of) < as_of]
    if len(fit) == 1 and not unsure:
        return fit[0], []
    if len(fit) == 1:
        facts = {"key": key, **_example(unsure)}
        said = '{key}: dates such as "{example}" are read with {order}{because}; {format} says it'
        proof = Message("dates.because", ', as "{example}" can only be', example=because[0].example) if because else ""
        return fit[0], [Finding("note", Message("dates.order", said, **facts, order=_WORDS[fit[0]], because=proof, format=_NAMES[fit[0]]))]
    readings = tuple(_reading(order, texts, as_of) for order in fit)
    sentence = (
        '{key}: {count:,} dates such as "{example}" can be read in several ways, and nothing in the column decides it: {readings}; '
        "set it to the one that is right"
    )
    return fit[0], [Finding("stop", Message("dates.undecided", sentence, **facts, readings=readings))]


def _likely(fit: list[Order], texts: list[tuple[DateText, _Group]], as_of: date) -> list[Order]:
    """Leave out orders of dates with years of two digits that make little sense.

    The last day is then more than a year before the as-of date, or the number that would be the year changes more often than the day.
    """
    days = {order: [day for text, _ in texts if (day := text.dates.get(order)) is not None and day < as_of] for order in fit}
    last = {order: max(days[order], default=date.min) for order in fit}
    fit = [order for order in fit if as_of - last[order] <= _YEAR] or fit
    if "ymd" in fit and len(fit) > 1:
        firsts, lasts = ({getattr(day, part) for day in days["ymd"]} for part in ("year", "day"))
        if len(firsts) >= 2 * len(lasts):
            return [order for order in fit if order != "ymd"]
        if len(lasts) >= 2 * len(firsts):
            return ["ymd"]
    return fit


def _reading(order: Order, texts: list[tuple[DateText, _Group]], as_of: date) -> Message:
    """Say what an order would make of the dates."""
    days = sorted((text.dates[order], group.count) for text, group in texts if order in text.dates)
    later = sum(count for day, count in days if day >= as_of)
    sentence = "{format} ({first} to {last}, {later:,} rows at or after {as_of})"
    return Message("dates.reading", sentence, format=_NAMES[order], first=days[0][0], last=days[-1][0], later=later, as_of=as_of)


def _kind(group: _Group, format_: TimeFormat) -> str:
    if group.text is None:
        return "ymd" if group.kind == "usual" else group.kind
    if group.text.named:
        return "named"
    day = format_.day(group.text)
    meant = [order for order, found in group.text.dates.items() if found == day]  # several where day and month are the same number
    usual = format_.orders.get(group.text.family or "")
    return usual if usual in meant else next(iter(meant), "ymd")


def _kinds(groups: list[_Group], format_: TimeFormat, key: str) -> list[Finding]:
    """Say of numbers what they were taken for, and where a column is written in several ways."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for group in groups:
        kind = _kind(group, format_)
        counts[kind] += group.count
        examples.setdefault(kind, group.example)
    kinds = sorted(counts, key=lambda kind: (-counts[kind], kind))
    parts = tuple(
        Message("dates.kind", '{count:,} such as "{example}" as {kind}', count=counts[kind], example=examples[kind], kind=_WORDS[kind])
        for kind in kinds
    )
    if len(kinds) < 2 and not (kinds and kinds[0] in ("excel", "epoch_s", "epoch_ms", "epoch_us")):
        return []
    return [Finding("note", Message("dates.kinds", "{key}: times are read, {kinds}", key=key, kinds=parts))]


def _zones(groups: list[_Group], format_: TimeFormat, key: str, timezone: str) -> list[Finding]:
    """Say which zones were converted, which were not, and stop where a zone's name or its absence can mean several."""
    here = ZoneInfo(timezone)
    own, several, moved = list[_Group](), list[_Group](), list[_Group]()
    for group in groups:
        zone = group.zone or ""
        names = {(moment.replace(tzinfo=here).tzname() or "").lower() for moment in _moments(group, format_)}
        if zone in names:
            own.append(group)
        elif zone in SEVERAL:
            several.append(group)
        elif (offset_of(zone) is not None or place_of(zone) is not None) and not _is_own(group, format_, here):
            moved.append(group)
    findings = []
    if several:
        zone = several[0].zone or ""
        sentence = (
            '{key}: {count:,} times such as "{example}" are in a zone whose name may mean several ({places}), and {timezone} is called '
            "otherwise at that time; write the offset for the name, as REPLACE(…, '{zone}', '+08:00') in the mapping of the column does"
        )
        facts = {"places": tuple(SEVERAL[zone]), "zone": zone.upper(), "timezone": timezone}
        findings.append(Finding("stop", Message("dates.zone_of_several", sentence, key=key, **_example(several), **facts)))
    if own and any(group.zone in SEVERAL for group in own):
        sentence = '{key}: the zone of {count:,} times such as "{example}" is taken for {timezone}, which is called so at that time'
        findings.append(Finding("note", Message("dates.zone_own", sentence, key=key, **_example(own), timezone=timezone)))
    if moved:
        sentence = '{key}: {count:,} times such as "{example}" are brought from their zone to launch.timezone, {timezone}'
        findings.append(Finding("note", Message("dates.zone_moved", sentence, key=key, **_example(moved), timezone=timezone)))
    bare = [group for group in groups if group.zone is None and group.clock and group.kind in ("text", "usual")]
    if bare and moved:
        sentence = (
            '{key}: {count:,} times such as "{example}" name no zone, while {zoned:,} such as "{other}" do, and it is not {timezone}\'s: '
            "the same clock may mean another hour; export all of them alike, or add the zone in the mapping of the column by SQL"
        )
        other = _example(moved)
        count, shown = other["count"], other["example"]
        found = Message("dates.half_zoned", sentence, key=key, **_example(bare), zoned=count, other=shown, timezone=timezone)
        findings.append(Finding("stop", found))
    return findings


def _moments(group: _Group, format_: TimeFormat) -> list[datetime]:
    day = group.read(format_)
    return [] if day is None else [datetime.combine(day, clock) for clock in (time(0), time(12), time(23, 59, 59))]


def _is_own(group: _Group, format_: TimeFormat, here: ZoneInfo) -> bool:
    """Tell whether a zone has the launch's own offset on its day."""
    zone = group.zone or ""
    place, minutes = place_of(zone), offset_of(zone)
    there = None if place is None else ZoneInfo(place)
    for moment in _moments(group, format_):
        offset = timedelta(minutes=minutes) if minutes is not None else there and moment.replace(tzinfo=there).utcoffset()
        if offset == moment.replace(tzinfo=here).utcoffset():
            return True
    return False


def _example(groups: Iterable[_Group]) -> dict[str, int | str]:
    groups = list(groups)
    return {"count": sum(group.count for group in groups), "example": groups[0].example}


def _swapped(groups: list[_Group], format_: TimeFormat, key: str) -> list[Finding]:
    """Stop where a spreadsheet seems to have read some dates with day and month the wrong way round, and left the others as text.

    It leaves those whose first number is no month: then no date that is text could be one, and no other has a day after the 12th.
    """
    left = [group for group in groups if group.text is not None and group.text.family is not None]
    taken = [group for group in groups if group not in left and _kind(group, format_) in ("ymd", "excel")]
    days = {group.read(format_) for group in taken}
    texts = [group.text for group in left if group.text is not None]
    if len({text.dates.get("dmy") for text in texts}) < _FEW or len(days) < _FEW:
        return []
    if any(len(text.dates) > 1 for text in texts) or any(day is not None and day.day > _MONTHS for day in days):
        return []
    sentence = (
        '{key}: {count:,} dates such as "{example}" have no day after the 12th, and {left:,} such as "{other}" no other: a spreadsheet '
        "seems to have read the first with day and month the wrong way round, and left the second as text; export the file again, as text"
    )
    other = _example(left)
    return [Finding("stop", Message("dates.swapped", sentence, key=key, **_example(taken), left=other["count"], other=other["example"]))]
