"""The days on which somebody is called: weekends and holidays left out, weekend days worked instead counted in."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, get_args

from segmenter.errors import ConfigError, InputError, nearest
from segmenter.messages import Message
from segmenter.settings import CoreSettings, PlanSettings
from segmenter.settings.types import Weekday, list_days
from segmenter.spared_imports import spared

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAY = timedelta(days=1)


def as_of_date(settings: CoreSettings) -> date:
    """Give the launch's as-of date, which it cannot be planned without."""
    if settings.launch.as_of is None:
        raise InputError(Message("launch.date_missing", "launch.as_of: is needed, as YYYY-MM-DD"))
    return settings.launch.as_of


def working_days(settings: PlanSettings, first: date, last: date) -> list[date]:
    """List the days on which calls are made, from the first to the last, both counted in."""
    return list(filter(working_day_test(settings), days_between(first, last)))


def days_between(first: date, last: date) -> list[date]:
    """List all days from the first to the last, both counted in."""
    return [first + number * _DAY for number in range((last - first).days + 1)]


def working_day_test(settings: PlanSettings) -> Callable[[date], bool]:
    """Give the function that tells a working day.

    Days off are the plan's weekend, its further holidays, and the public holidays of its country, with the country's weekend days
    between two of them, whatever the plan's own weekend is. Where a country moves working days to a weekend, as China does, these are
    worked. China announces them each November for the next year; for a year that the `holidays` library does not know yet, only the
    holidays that are the same each year are left out.
    """
    weekend = {get_args(Weekday).index(name) for name in settings.weekend}
    public = None if settings.calendar is None else _public_holidays(settings.calendar)
    is_holiday = holiday_test(settings)

    def is_working(day: date) -> bool:
        return not is_holiday(day) and (day.weekday() not in weekend or (public is not None and day in public.weekend_workdays))

    return is_working


def holiday_test(settings: PlanSettings) -> Callable[[date], bool]:
    """Give the function that tells a public holiday, or one of the plan's own."""
    own = set(settings.holidays)
    public = None if settings.calendar is None else _public_holidays(settings.calendar)
    return lambda day: day in own or (public is not None and _is_holiday(day, public))


def calls_by_day(settings: PlanSettings) -> Callable[[date], tuple[int, ...]]:
    """Give the function that says how many calls each agent makes on a day: none where they are off, or on days that nobody works.

    What an agent's `calls_on` says of a day stands, be it a weekend or a day off.
    """
    works = working_day_test(settings)
    off = [{day for days in agent.days_off for day in list_days(days)} for agent in settings.agents]

    @cache
    def calls(day: date) -> tuple[int, ...]:
        usual = works(day)
        return tuple(
            agent.calls_on.get(day, agent.calls_per_day if usual and day not in away else 0)
            for agent, away in zip(settings.agents, off, strict=True)
        )

    return calls


def call_test(settings: PlanSettings) -> Callable[[date], bool]:
    """Give the function that tells a day on which anybody calls: an agent, or where there are none, whoever works."""
    calls, works = calls_by_day(settings), working_day_test(settings)
    return lambda day: any(calls(day)) if settings.agents else works(day)


@cache  # of a year it knows the holidays, and the weekends worked, only once it was asked for one of its days
def _public_holidays(country: str) -> "HolidayBase":
    import holidays

    try:
        with spared(bare=("holidays.countries",)):  # which gathers those of all countries
            return holidays.country_holidays(country.upper())
    except NotImplementedError:
        sentence = 'plan.calendar: should be the code of a country, or null (got "{country}"{hint})'
        hint = nearest(country, holidays.list_supported_countries())
        raise ConfigError(Message("planning.no_such_calendar", sentence, country=country, hint=hint)) from None


def _is_holiday(day: date, public: "HolidayBase") -> bool:
    """Tell a holiday; the library leaves out the weekend days in the midst of several."""
    if day in public:
        return True
    before = after = day
    while before not in public and before.weekday() in public.weekend and before not in public.weekend_workdays:
        before -= _DAY
    while after not in public and after.weekday() in public.weekend and after not in public.weekend_workdays:
        after += _DAY
    return before in public and after in public
