from datetime import date, timedelta

import pytest

import segmenter
from segmenter.errors import ConfigError
from segmenter.planning.calendar import working_day_test, working_days


def plan(**overrides):
    return segmenter.launch_settings({f"plan.{name}": value for name, value in overrides.items()}).plan


def days_off(settings, first, last):
    works = set(working_days(settings, first, last))
    return [day for day in (first + timedelta(place) for place in range((last - first).days + 1)) if day not in works]


def test_china_moves_working_days_to_weekends():
    # As the State Council announced 2026: off 25-27 September and 1-7 October; worked 20 September (Sunday) and 10 October (Saturday).
    off = days_off(plan(), date(2026, 9, 14), date(2026, 10, 18))
    assert [(day.month, day.day) for day in off] == [
        (9, 19),
        (9, 25),
        (9, 26),
        (9, 27),
        *((10, day) for day in (1, 2, 3, 4, 5, 6, 7, 11, 17, 18)),
    ]
    off = days_off(plan(), date(2026, 2, 9), date(2026, 3, 1))
    assert [(day.month, day.day) for day in off] == [*((2, day) for day in range(15, 24)), (3, 1)]


def test_who_works_on_weekends_rests_in_the_midst_of_holidays():
    settings = plan(weekend=[])
    assert [day.day for day in days_off(settings, date(2026, 10, 1), date(2026, 10, 20))] == [1, 2, 3, 4, 5, 6, 7]
    assert [day.day for day in days_off(plan(weekend=[], calendar="US"), date(2026, 7, 1), date(2026, 7, 31))] == [3, 4]


def test_further_holidays_win_and_no_calendar_has_only_weekends():
    assert not working_day_test(plan(holidays=["2026-10-10"]))(date(2026, 10, 10))
    settings = plan(calendar=None, weekend=["sunday"], holidays=["2026-10-06"])
    assert [day.day for day in days_off(settings, date(2026, 10, 1), date(2026, 10, 12))] == [4, 6, 11]


def test_years_of_which_only_the_fixed_holidays_are_known():
    works = working_day_test(plan(calendar="cn"))
    assert not works(date(2031, 10, 1))
    assert works(date(2410, 3, 1))


def test_no_such_country():
    with pytest.raises(ConfigError, match=r'plan.calendar: should be the code of a country, or null \(got "China"; nearest: CHN'):
        working_day_test(plan(calendar="China"))
