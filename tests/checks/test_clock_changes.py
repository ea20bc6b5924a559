"""Local times that no clock showed, or that were shown twice."""

from datetime import date, datetime

import polars as pl
import pytest

from segmenter.checks.clock_changes import check_clock_changes


def found(*moments, zone="Europe/Berlin"):
    findings = check_clock_changes(pl.Series(moments, dtype=pl.Datetime("us")), zone, date(2026, 12, 31), "key")
    return [(finding.level, finding.message.code.removeprefix("dates."), finding.message.facts["count"]) for finding in findings]


@pytest.mark.parametrize(
    ("moment", "zone"),
    [
        (datetime(2026, 3, 29, 2, 30), "Europe/Berlin"),
        (datetime(2026, 3, 8, 2, 1), "America/New_York"),
        (datetime(2026, 10, 4, 2, 59), "Australia/Sydney"),
    ],
)
def test_a_time_that_was_skipped_is_doubted(moment, zone):
    assert found(moment, moment, zone=zone) == [("warning", "never", 2)]
    assert found(moment, zone="Asia/Shanghai") == found(moment.replace(hour=4), zone=zone) == []


def test_an_hour_that_came_twice_is_told():
    assert found(datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 3, 0)) == [("note", "twice", 1)]


def test_a_day_is_no_time_and_later_ones_say_nothing():
    assert found(datetime(2018, 11, 4), zone="America/Sao_Paulo") == []  # whose midnight was skipped
    assert check_clock_changes(pl.Series([datetime(2027, 3, 28, 2, 30)]), "Europe/Berlin", date(2026, 12, 31), "key") == []
    assert found() == []
