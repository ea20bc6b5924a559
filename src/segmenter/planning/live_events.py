"""The live events of a launch: when they are, and on which days calls lead up to each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import get_args

from segmenter.errors import ConfigError
from segmenter.messages import Message
from segmenter.planning.calendar import call_test, days_between, holiday_test, working_day_test
from segmenter.settings import CoreSettings, LiveEvents
from segmenter.settings.types import Weekday

_DAY = timedelta(days=1)
_WEEKS = 60  # that the first event is looked for


@dataclass(frozen=True)
class LiveEvent:
    """One dated activity.

    `days` are those on which calls lead up to it, none where nobody works between the event before and the reminder. Where it is on a
    public holiday, `alternative` is the nearest working day that could take its place.
    """

    day: date
    time: str | None
    remind_on: date
    days: tuple[date, ...]
    holiday: bool = False
    alternative: date | None = None


def list_live_events(settings: CoreSettings, as_of: date) -> tuple[LiveEvent, ...]:
    """List the live events by day; a `ConfigError` names those that lie before the as-of date, or that nobody can be called before.

    Calls lead up to an event from the day after the one before, but no more than `launch.warm_days` before it, to the day before the
    reminder.
    """
    launch, plan = settings.launch, settings.plan
    if (asked := launch.live_events) is None:
        return ()
    start = max(plan.start or as_of, as_of)
    remind = launch.remind_days if asked.remind_days is None else asked.remind_days
    calls_on, is_holiday = call_test(plan), holiday_test(plan)

    def make(day: date, clock: str | None, before: date | None) -> LiveEvent:
        first = max(start, day - launch.warm_days * _DAY, start if before is None else before + _DAY)
        last = day - (remind + 1) * _DAY
        return LiveEvent(day, clock, day - remind * _DAY, tuple(filter(calls_on, days_between(first, last))), is_holiday(day))

    moments = list(_moments(asked, start, lambda day: bool(make(day, None, None).days)))
    if early := [day for day, _ in moments if day < as_of]:
        sentence = "launch.live_events: should not lie before launch.as_of, {as_of} (got {days}); take later days"
        raise ConfigError(Message("planning.event_too_early", sentence, as_of=as_of, days=tuple(map(str, early))))
    events, before = list[LiveEvent](), None
    for day, clock in moments:
        events.append(make(day, clock, before))
        before = day
    if events and not events[0].days:
        sentence = (
            "launch.live_events: should leave a day for calls before the reminder of the first (got {day}, its reminder on {remind_on}: "
            "nobody calls from {start} on); take a later first event, an earlier plan.start, fewer launch.remind_days or more "
            "launch.warm_days"
        )
        opens = max(start, events[0].day - launch.warm_days * _DAY)
        raise ConfigError(Message("planning.no_day_before_event", sentence, start=opens, day=events[0].day, remind_on=events[0].remind_on))
    taken, works = {event.day for event in events}, working_day_test(plan)

    def is_free(day: date) -> bool:
        return day not in taken and day > events[0].days[0] + remind * _DAY and works(day)

    return tuple(_with_alternative(event, is_free) for event in events)


def warn_of_events(events: tuple[LiveEvent, ...]) -> Iterator[Message]:
    """Say which events are on a public holiday, and which nobody can be called before."""
    for event in (event for event in events if event.holiday):
        sentence = (
            "the live event of {day} is on a public holiday and stays there; {alternative} would be the nearest working day: name the days "
            "in launch.live_events to move it"
        )
        yield Message("planning.event_on_holiday", sentence, day=event.day, alternative=event.alternative)
    if idle := [event.day for event in events if not event.days]:
        sentence = "no new calls lead up to the live events of {days}: nobody calls between the event before and the reminder"
        yield Message("planning.events_without_calls", sentence, days=tuple(map(str, idle)))


def _moments(asked: LiveEvents, start: date, can_be_first: Callable[[date], bool]) -> Iterator[tuple[date, str | None]]:
    """Give the days and times that are asked for; the first of a weekday is the first that somebody can be called before."""
    if asked.weekday is None or asked.count is None:
        for moment in sorted(asked.dates):
            yield date.fromisoformat(moment[:10]), moment[11:] or asked.time
        return
    first = asked.first
    if first is None:
        nearest = start + (get_args(Weekday).index(asked.weekday) - start.weekday()) % 7 * _DAY
        weeks = [nearest + 7 * number * _DAY for number in range(_WEEKS)]
        first = next(filter(can_be_first, weeks), nearest)
    for number in range(asked.count):
        yield first + 7 * number * _DAY, asked.time


def _with_alternative(event: LiveEvent, is_free: Callable[[date], bool]) -> LiveEvent:
    if not event.holiday:
        return event
    near = (event.day + side * distance * _DAY for distance in range(1, 400) for side in (-1, 1))
    return replace(event, alternative=next(filter(is_free, near), None))
