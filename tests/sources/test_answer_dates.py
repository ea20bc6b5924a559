from datetime import date, datetime, time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.sources.answer_dates import answer_dates, answer_times, call_day, clock_hours, hours_of

JULY = date(2026, 7, 31)


def read(*cells: object, before: date = JULY) -> list[date | None]:
    return answer_dates(pl.Series(cells), before, "Asia/Shanghai").to_list()


@pytest.mark.parametrize(
    "written",
    ["7月3日", "7月3", "7 月 3 日", "７月３日", "7/3", "07-03", "3-Jul", "3 July", "Jul 3", "July 3rd", "3-Jul-2026", "July 3, 2026"],
)
def test_days_as_people_write_them(written: str) -> None:
    assert read(written, None, f" {written} ") == [date(2026, 7, 3), None, date(2026, 7, 3)]


def test_days_as_spreadsheets_store_them() -> None:
    assert read(46206, 20260703) == read(46206.75, 46206.0) == read("46206", "46206.5") == [date(2026, 7, 3)] * 2
    assert read(datetime(2026, 7, 3, 23, 59)) == read("2026-7-3 14:20") == read("3.7.2026") == [date(2026, 7, 3)]
    assert read("2026-07-03T18:00:00Z") == [date(2026, 7, 4)]  # in Shanghai


def test_a_day_without_a_year_is_the_last_before_the_review() -> None:
    assert read("12-30", "7/30", "7/31") == [date(2025, 12, 30), date(2026, 7, 30), date(2025, 7, 31)]
    assert read("12/30", before=date(2027, 1, 5)) == [date(2026, 12, 30)]


@pytest.mark.parametrize(
    "written", ["7.3", "03/07/2026", "26/7/3", "周五", "13/13", "2月30日", "39999", "0703", "3 Mayo nnaise", "-", "１"]
)
def test_what_may_be_another_day_is_none(written: str) -> None:
    assert read(written) == [None]


def test_the_hour_of_a_call_is_kept_where_it_is_told() -> None:
    times = answer_times(pl.Series(["2026-7-3 14:20", "7月3日 9:05", "7/3", "2026-07-03"]), JULY, "Asia/Shanghai")
    assert times.dt.date().to_list() == [date(2026, 7, 3)] * 4
    assert hours_of(times).to_list() == [14, 9, None, None]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("明天下午再打", date(2026, 9, 17)),
        ("后天", date(2026, 9, 18)),
        ("大后天上午", date(2026, 9, 19)),
        ("周三下午", date(2026, 9, 23)),  # said on a Wednesday
        ("周五之后再联系", date(2026, 9, 19)),
        ("下周再联系", date(2026, 9, 21)),
        ("下周三", date(2026, 9, 23)),
        ("下下周一", date(2026, 9, 28)),
        ("星期天", date(2026, 9, 20)),
        ("周末再打", date(2026, 9, 19)),
        ("过两天", date(2026, 9, 18)),
        ("三天后", date(2026, 9, 19)),
        ("過幾天再打", date(2026, 9, 19)),
        ("两周后", date(2026, 9, 30)),
        ("20号以后联系", date(2026, 9, 21)),
        ("10号", date(2026, 10, 10)),
        ("10月9日下午", date(2026, 10, 9)),
        ("9/20", date(2026, 9, 20)),
        ("2026-09-22 00:00:00", date(2026, 9, 22)),
        ("46285", date(2026, 9, 20)),
        ("月底再说", date(2026, 9, 30)),
        ("下个月", date(2026, 10, 1)),
        ("下月初", date(2026, 10, 1)),
        ("国庆后联系", date(2026, 10, 8)),
        ("节后再打", date(2026, 9, 28)),  # after the Mid-Autumn Festival
        ("今晚8点", date(2026, 9, 16)),
        ("call back tomorrow", date(2026, 9, 17)),
        ("call again Wednesday afternoon", date(2026, 9, 23)),
        ("asked me to call back next Monday", date(2026, 9, 21)),
        ("call after the 10th", date(2026, 10, 11)),
        ("in two weeks", date(2026, 9, 30)),
        ("next week", date(2026, 9, 21)),
        ("after the weekend", date(2026, 9, 21)),
        ("Sep 20", date(2026, 9, 20)),
        ("3 October", date(2026, 10, 3)),
        ("打不通，晚点再打", date(2026, 9, 17)),
        ("no answer, try again later", date(2026, 9, 17)),
        ("下午4点", None),
        ("未接", None),
        ("2026-09-01", None),  # before it was said
        ("2026-02-31", None),
        ("03/07/2026", None),
        ("call at 15:30", None),
        ("打了3次", None),
    ],
)
def test_days_to_call_again_in_words(text: str, day: date | None) -> None:
    assert call_day(text, date(2026, 9, 16)) == day


def test_whoever_is_to_be_called_later_is_called_from_the_next_day_on() -> None:
    # On which of these days anybody calls, the calendar of the launch says, and that of its country.
    assert call_day("稍后再打", date(2026, 9, 18)) == date(2026, 9, 19)
    assert call_day("稍后再打", date(2026, 9, 30)) == date(2026, 10, 1)
    assert call_day("回头再说", date(2026, 9, 18), soon=False) is None


@pytest.mark.parametrize(
    ("cells", "hours"),
    [
        (["14:30", None, "9:05:00"], [14, None, 9]),
        (["下午2点半", "上午9点"], [14, 9]),
        (["2:30 pm", "12:05 am"], [14, 0]),
        ([time(14, 30)], [14]),
        (["14:30", "2026-07-03 14:30"], None),
        (["3", "14"], None),
        (["25:00"], None),
        ([None], None),
    ],
)
def test_a_column_of_times_has_hours(cells: list[object], hours: list[int | None] | None) -> None:
    found = clock_hours(pl.Series(cells))
    assert (None if found is None else found.to_list()) == hours


@pytest.mark.slow
@given(st.text(max_size=20), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_day_to_call_again_is_never_before_the_call(text: str, on: date) -> None:
    day = call_day(text, on)
    assert day is None or day >= on
