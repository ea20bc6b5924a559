from datetime import date, datetime

import polars as pl
import pytest

from segmenter.sources.answer_dates import answer_dates

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
