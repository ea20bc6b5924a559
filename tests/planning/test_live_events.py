from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError
from segmenter.planning.calendar import call_test, holiday_test
from segmenter.planning.live_events import list_live_events, warn_of_events

MONDAY = date(2026, 9, 14)
THURSDAYS = {"weekday": "thursday", "time": "20:00", "count": 4}


def events(asked, as_of=MONDAY, **overrides):
    keys = {"launch.live_events": asked, **{name.replace("__", "."): value for name, value in overrides.items()}}
    return list_live_events(segmenter.launch_settings(keys), as_of)


def days(*numbers):
    return tuple(date(2026, 9, number) for number in numbers)


def test_four_thursdays_with_a_holiday_in_one_of_the_weeks():
    found = events(THURSDAYS)
    assert [(event.day, event.time) for event in found] == [(MONDAY + timedelta(3 + 7 * week), "20:00") for week in range(4)]
    assert [event.remind_on for event in found] == [event.day - timedelta(1) for event in found]
    # The 20th is a Sunday that is worked; from the 25th to the 27th and from 1 to 7 October nobody works.
    assert [event.days for event in found] == [days(14, 15), days(18, 20, 21, 22), days(28, 29), ()]
    assert [event.holiday for event in found] == [False, False, True, False]
    assert [event.alternative for event in found] == [None, None, date(2026, 9, 30), None]
    holiday, idle = warn_of_events(found)
    assert "2026-10-01" in holiday
    assert "2026-09-30" in holiday
    assert "2026-10-08" in idle


def test_the_first_is_one_that_somebody_can_be_called_before():
    assert events(THURSDAYS, date(2026, 9, 16))[0].day == date(2026, 9, 24)
    assert events(THURSDAYS | {"remind_days": 0}, date(2026, 9, 16))[0].day == date(2026, 9, 17)
    away = [{"name": "a", "calls_per_day": 5, "days_off": ["2026-09-14..2026-09-22"]}]
    assert events(THURSDAYS, plan__agents=away)[0].day == date(2026, 10, 1)
    assert events(THURSDAYS | {"first": "2026-10-15", "count": 1})[0].days == tuple(date(2026, 10, day) for day in (8, 9, 10, 12, 13))


def test_days_of_their_own_with_times():
    found = events(["2026-10-22", "2026-09-24 19:30"], launch__remind_days=2, launch__warm_days=4)
    assert [(event.day.day, event.time) for event in found] == [(24, "19:30"), (22, None)]
    assert [event.days for event in found] == [days(20, 21), tuple(date(2026, 10, day) for day in (19,))]
    assert events([]) == events(None) == ()


dates = st.lists(st.dates(MONDAY, MONDAY + timedelta(90)), unique=True, max_size=5).map(lambda found: [str(day) for day in found])
weekly = st.fixed_dictionaries(
    {"weekday": st.sampled_from(["monday", "thursday", "saturday"]), "count": st.integers(1, 6)},
    optional={"remind_days": st.integers(0, 4)},
)
away = st.lists(st.integers(0, 40).map(lambda number: str(MONDAY + timedelta(number))), max_size=20)


@pytest.mark.slow
@given(dates | weekly, st.integers(1, 10), away)
@hypothesis_settings(max_examples=60, deadline=None)
def test_what_holds_of_all_live_events(asked, warm_days, off):
    overrides = {
        "launch.live_events": asked,
        "launch.warm_days": warm_days,
        "plan.agents": [{"name": "a", "calls_per_day": 5, "days_off": off}],
    }
    settings = segmenter.launch_settings(overrides)
    try:
        found = list_live_events(settings, MONDAY)
    except ConfigError:  # nobody can be called before the first
        found = ()
    assert [event.day for event in found] == sorted({event.day for event in found})
    calls_on, is_holiday = call_test(settings.plan), holiday_test(settings.plan)
    before = MONDAY - timedelta(1)
    for event in found:
        assert all(before < day < event.remind_on <= event.day for day in event.days)
        assert all((event.day - day).days <= warm_days and calls_on(day) for day in event.days)
        assert event.holiday == is_holiday(event.day)
        assert event.alternative is None or not is_holiday(event.alternative)
        before = event.day


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["2026-09-10", "2026-09-24"], ["2026-09-10", "launch.as_of, 2026-09-14"]),
        ({"weekday": "thursday", "count": 2, "first": "2026-09-03"}, ["2026-09-03, 2026-09-10"]),
        (["2026-09-15"], ["2026-09-15", "reminder", "plan.start"]),
        ([str(MONDAY)], ["2026-09-14"]),
    ],
)
def test_events_that_nobody_can_be_called_before(asked, said):
    with pytest.raises(ConfigError) as error:
        events(asked)
    (problem,) = error.value.problems
    assert problem.startswith("launch.live_events: ")
    assert all(words in problem for words in said)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"weekday": "thursday"}, "launch.live_events: should have a weekday and a count"),
        ({"count": 3, "dates": ["2026-10-08"]}, "launch.live_events: should have a weekday and a count"),
        ({"weekday": "thurs", "count": 3}, "launch.live_events.weekday: should be 'monday'"),
        (THURSDAYS | {"time": "25:00"}, "launch.live_events.time: should be a time of day"),
        (THURSDAYS | {"time": "evening"}, "launch.live_events.time: should be a time of day"),
        (THURSDAYS | {"first": "2026-10-09"}, "launch.live_events.first: should be a thursday"),
        (THURSDAYS | {"weekdya": "friday"}, "launch.live_events.weekdya: is no key; nearest: weekday"),
        (["2026-10-08", "2026-13-08"], "launch.live_events.dates[1]: should be a day"),
        (["2026-10-08 8pm"], "launch.live_events.dates[0]: should be a time of day"),
        (["2026-10-08", "2026-10-08 20:00"], "launch.live_events: should have a day once"),
        ("thursday", "launch.live_events: should be a mapping"),
    ],
)
def test_bad_settings_are_one_clear_message(asked, key):
    with pytest.raises(ConfigError) as error:
        events(asked)
    (problem,) = error.value.problems
    assert problem.startswith(key)


def test_a_time_that_yaml_takes_for_minutes_is_a_time():
    assert events(THURSDAYS | {"time": 1200})[0].time == "20:00"
