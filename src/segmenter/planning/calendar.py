"""The days on which somebody is called: weekends and holidays left out, weekend days worked instead counted in."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, get_args

from segmenter.errors import ConfigError, InputError, nearest
from segmenter.messages import Message
from segmenter.settings import CoreSettings, PlanSettings
from segmenter.settings.planning import Weekday

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
    is_working = working_day_test(settings)
    return [day for day in (first + number * _DAY for number in range((last - first).days + 1)) if is_working(day)]


def working_day_test(settings: PlanSettings) -> Callable[[date], bool]:
    """Give the function that tells a working day.

    Days off are the plan's weekend, its further holidays, and the public holidays of its country, with the country's weekend days
    between two of them, whatever the plan's own weekend is. Where a country moves working days to a weekend, as China does, these are
    worked. China announces them each November for the next year; for a year that the `holidays` library does not know yet, only the
    holidays that are the same each year are left out.
    """
    weekend = {get_args(Weekday).index(name) for name in settings.weekend}
    own = set(settings.holidays)
    public = None if settings.calendar is None else _public_holidays(settings.calendar)

    def is_working(day: date) -> bool:
        if day in own or (public is not None and _is_holiday(day, public)):
            return False
        return day.weekday() not in weekend or (public is not None and day in public.weekend_workdays)

    return is_working


def _public_holidays(country: str) -> "HolidayBase":
    import holidays

    try:
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
