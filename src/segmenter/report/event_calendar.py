"""A launch's live events, and the days that lead up to them: for the report, the call sheets, and people's own calendars."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from segmenter.planning import LiveEvent
from segmenter.report.labels import Labels
from segmenter.report.sections import Cell, Row, Section, Table, columns, note, row
from segmenter.settings import LaunchSettings
from segmenter.words import visible

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

_AGENTS = 4  # that are named on a day


def calendar(plan: "LaunchPlan", labels: Labels) -> list[Section]:
    """Show the live events with the calls that lead up to each, and on the page all days in a row."""
    if not plan.live_events:
        return []
    say, number = labels.say, labels.number
    rows, before = [], date.min
    for event in plan.live_events:
        calls = plan.calls.filter(pl.col("day") >= before, pl.col("day") < event.remind_on)
        first, last = calls.select(first=pl.col("day").min(), last=pl.col("day").max()).row(0)
        waves = ", ".join(str(wave) for wave in calls["wave"].unique().sort())
        shown = [short_day(day, labels) if day else "–" for day in (first, last)]
        named = Cell(" ".join(filter(None, [short_day(event.day, labels), event.time])), _holiday(event, labels))
        rows.append(row(named, short_day(event.remind_on, labels), *shown, number(calls["calls"].sum()), waves or "–"))
        before = event.remind_on
    headings = (
        say("Live event", "群活动"),
        say("Reminder", "提醒"),
        say("Calls from", "外呼自"),
        say("to", "至"),
        say("Calls", "外呼数"),
    )
    events = Table(
        columns(*headings, say("Waves", "批次"), left=(0, 1, 2, 3)),
        tuple(rows),
        title=say("What leads up to each", "各场预热"),
        look="tight",
    )
    by_day = Table(
        columns(say("Day", "日期"), say("What", "安排"), say("Calls", "外呼数"), say("Who calls", "外呼客服"), left=(0, 1, 3)),
        tuple(_days(plan, labels)),
        title=say("Day by day", "逐日安排"),
        look="tight",
    )
    about = say(
        "Waves lead up to live events: the last call is to be made before the reminder. calendar.ics has these days for any calendar.",
        "各批次都为群活动预热：每批外呼应在提醒之前完成。calendar.ics 可导入任何日历。",
    )
    return [Section(say("Calendar", "日历"), (note(about), by_day), (events,), whole=False)]


def event_text(event: LiveEvent, labels: Labels) -> str:
    """Say when a live event is."""
    holiday = f"({_holiday(event, labels)})" if event.holiday else None
    return " ".join(filter(None, [short_day(event.day, labels), event.time, holiday]))


def events_text(events: tuple[LiveEvent, ...], labels: Labels) -> str:
    """Say when all live events are, and when members are reminded of each."""
    reminded = labels.say("{}, reminder on {}", "{}（提醒：{}）")
    return labels.say("; ", "；").join(reminded.format(event_text(event, labels), short_day(event.remind_on, labels)) for event in events)


def _days(plan: "LaunchPlan", labels: Labels) -> Iterator[Row]:
    say = labels.say
    by_day = {day: part for (day,), part in plan.calls.group_by("day")}
    reminders = {event.remind_on: number for number, event in enumerate(plan.live_events, start=1)}
    events = {event.day: (number, event) for number, event in enumerate(plan.live_events, start=1)}
    for day in sorted({*by_day, *reminders, *events}):
        what, calls, who = [], "", ""
        if day in by_day:
            waves = ", ".join(str(wave) for wave in by_day[day]["wave"].unique().sort())
            what.append(say("calls, wave {}", "外呼（第 {} 批）").format(waves))
            calls, who = labels.number(by_day[day]["calls"].sum()), _agents(by_day[day], labels)
        if day in reminders:
            what.append(say("reminder of live event {}", "提醒：第 {} 场群活动").format(reminders[day]))
        if day in events:
            number, event = events[day]
            named = say("live event {}", "第 {} 场群活动").format(number)
            what.append(say(", ", "，").join(filter(None, [named, event.time, _holiday(event, labels)])))
        yield row(short_day(day, labels), say("; ", "；").join(what), calls, who, role="now" if day in events else "")


def _holiday(event: LiveEvent, labels: Labels) -> str:
    return labels.say("public holiday", "公众假期") if event.holiday else ""


def _agents(calls: pl.DataFrame, labels: Labels) -> str:
    """Name who calls how many on a day, the most first."""
    named = calls.drop_nulls("agent").group_by("agent").agg(pl.col("calls").sum()).sort("calls", "agent", descending=[True, False]).rows()
    shown = [f"{agent} {labels.number(count)}" for agent, count in named[:_AGENTS]]
    return labels.say(", ", "、").join([*shown, *(["…"] if len(named) > _AGENTS else [])])


def short_day(day: date, labels: Labels) -> str:
    """Write a date with its weekday, without the year."""
    from babel.dates import format_date

    return str(format_date(day, labels.say("EEE d MMM", "M月d日 EEE"), locale=labels.locale))


def write_calendar(plan: "LaunchPlan", launch: LaunchSettings, labels: Labels, path: Path) -> None:
    """Write what a launch does on which day as an iCalendar file (RFC 5545); the same plan gives the same bytes."""
    from icalendar import Calendar, Event

    stamp = datetime.combine(plan.valid_until - timedelta(days=launch.valid_days), time(), UTC)
    book = Calendar()
    for name, value in (("prodid", "-//segmenter//launch//EN"), ("version", "2.0"), ("method", "PUBLISH"), ("x-wr-calname", launch.name)):
        book.add(name, visible(value))

    def add(uid: str, begins: date, summary: str, description: str = "") -> None:
        entry = Event()
        for name, value in (("uid", f"{uid}@{launch.name}.segmenter"), ("dtstamp", stamp), ("dtstart", begins)):
            entry.add(name, value)
        entry.add("summary", visible(f"{launch.name}: {summary}"))
        if description:
            entry.add("description", visible(description))
        if not isinstance(begins, datetime):
            entry.add("transp", "TRANSPARENT")  # nobody is busy all day
        book.add_component(entry)

    say = labels.say
    for number, event in enumerate(plan.live_events, start=1):
        begins: date = event.day
        if event.time is not None:
            clock = datetime.combine(event.day, time.fromisoformat(event.time), ZoneInfo(launch.timezone))
            begins = clock.astimezone(UTC)
        add(f"event-{number}", begins, say(f"live event {number}", f"第 {number} 场群活动"), _holiday(event, labels) or launch.topic or "")
        about = event_text(event, labels)
        add(f"reminder-{number}", event.remind_on, say(f"reminder of live event {number}", f"提醒：第 {number} 场群活动"), about)
    for (day,), calls in plan.calls.sort("day").group_by("day", maintain_order=True):
        assert isinstance(day, date)
        add(f"calls-{day}", day, say("{} calls", "外呼 {} 人").format(labels.number(calls["calls"].sum())), _agents(calls, labels))
    path.write_bytes(book.to_ical())
