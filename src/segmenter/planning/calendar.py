"""The days on which somebody is called: weekends and holidays left out, weekend days worked instead counted in."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, get_args

from segmenter.errors import ConfigError, nearest
from segmenter.settings import PlanSettings
from segmenter.settings.planning import Weekday

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAY = timedelta(days=1)


def working_days(settings: PlanSettings, first: date, last: date) -> list[date]:
    """List the days on which calls are made.

    Parameters
    ----------
    settings : PlanSettings
        `weekend`, `calendar` and `holidays`.
    first, last : date
        From when to when, both counted in.

    Returns
    -------
    list of date
        In order.

    Raises
    ------
    ConfigError
        There is no such calendar.

    Examples
    --------
    >>> import segmenter
    >>> plan = segmenter.launch_settings({"plan.calendar": "CN"}).plan  # 10 October 2026, a Saturday, is worked
    >>> [day.day for day in working_days(plan, date(2026, 10, 1), date(2026, 10, 12))]
    [8, 9, 10, 12]
    """
    works = working(settings)
    return [day for day in (first + place * _DAY for place in range((last - first).days + 1)) if works(day)]


def working(settings: PlanSettings) -> Callable[[date], bool]:
    """Give the function that tells a working day.

    Days off are the plan's weekend, its further holidays, and the public holidays of its country, with the country's weekend days
    between two of them, whatever the plan's own weekend is. Where a country moves working days to a weekend, as China does, these are
    worked. China tells them each November for the next year; for a year that the `holidays` library does not know yet, only the
    holidays that are the same each year are left out.

    Parameters
    ----------
    settings : PlanSettings
        `weekend`, `calendar` and `holidays`.

    Returns
    -------
    callable
        From a date to whether it is worked.

    Raises
    ------
    ConfigError
        There is no such calendar.

    Examples
    --------
    >>> import segmenter
    >>> works = working(segmenter.launch_settings({"plan.calendar": None}).plan)
    >>> works(date(2026, 7, 3)), works(date(2026, 7, 4))
    (True, False)
    """
    weekend = {get_args(Weekday).index(name) for name in settings.weekend}
    own = set(settings.holidays)
    public = None if settings.calendar is None else _public(settings.calendar)

    def works(day: date) -> bool:
        if day in own or (public is not None and _holiday(day, public)):
            return False
        return day.weekday() not in weekend or (public is not None and day in public.weekend_workdays)

    return works


def _public(country: str) -> "HolidayBase":
    import holidays

    try:
        return holidays.country_holidays(country.upper())
    except NotImplementedError:
        hint = nearest(country, holidays.list_supported_countries())
        raise ConfigError(f'plan.calendar: should be the code of a country, or null (got "{country}"{hint})') from None


def _holiday(day: date, public: "HolidayBase") -> bool:
    """Tell a holiday; the library leaves out the weekend days in the midst of several."""
    if day in public:
        return True
    before = after = day
    while before not in public and before.weekday() in public.weekend and before not in public.weekend_workdays:
        before -= _DAY
    while after not in public and after.weekday() in public.weekend and after not in public.weekend_workdays:
        after += _DAY
    return before in public and after in public
