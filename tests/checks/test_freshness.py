"""Whether orders are whole up to the as-of date."""

from datetime import date, timedelta

import polars as pl
import pytest

from segmenter.checks.freshness import check_freshness
from segmenter.tables import NO_FILES, NO_PROFILE, OrdersProfile

AS_OF = date(2026, 7, 1)


def found(rows, as_of=AS_OF, files=()):
    """Give the levels and codes of what is found in the rows of each day, and in files."""
    by_day = pl.DataFrame({"day": list(rows), "rows": list(rows.values()), "amount": 0}, schema=NO_PROFILE.by_day.schema).sort("day")
    by_file = pl.DataFrame([(*file, 1) for file in files], schema=NO_FILES.schema, orient="row")
    findings = check_freshness(OrdersProfile(by_day, NO_PROFILE.by_status, by_file), as_of)
    return [(finding.level, finding.message.code.removeprefix("dates.")) for finding in findings]


def daily(first, last, rows=40):
    return {first + timedelta(days=at): rows for at in range((last - first).days + 1)}


YEAR = daily(date(2025, 6, 1), date(2026, 6, 30))


def test_orders_up_to_the_day_before_are_fresh():
    assert found({}) == found(YEAR) == found({date(2026, 6, 3): 1, date(2026, 6, 5): 1}) == []


@pytest.mark.parametrize("days", [5, 20, 100])
def test_an_export_that_ends_before_the_date_is_stale(days):
    assert found(YEAR, AS_OF + timedelta(days=days)) == [("warning", "stale")]


def test_what_is_stale_depends_on_what_is_usual():
    weekly = {date(2025, 6, 1) + timedelta(days=7 * at): 5 for at in range(56)}
    assert max(weekly) == date(2026, 6, 21)
    assert found(weekly) == []
    assert found(weekly, date(2026, 7, 20)) == [("warning", "stale")]
    assert found({date(2026, 1, 1): 3, date(2026, 1, 3): 2}) == [("warning", "stale")]


@pytest.mark.parametrize(
    ("first", "last", "level"),
    [
        (date(2026, 3, 1), date(2026, 3, 31), "warning"),
        (date(2026, 4, 6), date(2026, 4, 12), "warning"),
        (date(2025, 12, 20), date(2026, 1, 31), "warning"),
        (date(2025, 12, 24), date(2026, 1, 4), "note"),
    ],
)
def test_days_that_are_missing_are_found(first, last, level):
    rows = {day: count for day, count in YEAR.items() if not first <= day <= last}
    assert found(rows) == [(level, "gap")]


def test_two_missing_months_do_not_hide_each_other():
    rows = {day: count for day, count in YEAR.items() if (day.year, day.month) not in {(2025, 9), (2026, 3)}}
    assert found(rows) == [("warning", "gap")] * 2


def test_closed_weekends_and_holidays_are_no_gap():
    rows = {day: count for day, count in YEAR.items() if day.weekday() < 5 and not date(2026, 4, 3) <= day <= date(2026, 4, 7)}
    assert found(rows) == []


def test_a_month_in_part_is_found():
    assert found(YEAR | daily(date(2026, 2, 1), date(2026, 2, 28), 12)) == [("warning", "month")]
    assert found(YEAR | daily(date(2026, 6, 1), date(2026, 6, 30), 5))[:1] == [("warning", "month")]
    growing = {day: 20 + at // 4 for at, day in enumerate(YEAR)}
    assert found(growing) == []


def test_last_days_in_part_are_found():
    assert found(YEAR | {date(2026, 6, 30): 9}) == [("note", "cut_off_day")]
    assert found(YEAR | daily(date(2026, 6, 28), date(2026, 6, 30), 9)) == [("warning", "cut_off")]
    weekend = {day: 5 if day.weekday() > 4 else 60 for day in daily(date(2026, 1, 1), date(2026, 6, 28))}
    assert found(weekend, date(2026, 6, 29)) == []


def test_files_of_the_same_days_are_told_and_an_older_one_doubted():
    def files(*spans):
        return [(f"{at}.csv", date(2026, *first), date(2026, *last)) for at, (first, last) in enumerate(spans)]

    assert found(YEAR, files=files(((1, 1), (1, 31)), ((2, 1), (2, 28)))) == []
    assert found(YEAR, files=files(((1, 1), (1, 31)), ((1, 31), (2, 28)))) == []  # in the middle of a day
    assert found(YEAR, files=files(((1, 1), (3, 31)), ((3, 1), (6, 30)))) == [("note", "overlap")]
    assert found(YEAR, files=files(((1, 1), (6, 30)), ((1, 3), (6, 28)))) == []  # of two shops
    assert found(YEAR, files=files(((1, 1), (3, 31)), ((1, 1), (6, 30)))) == [("note", "overlap"), ("warning", "older_file")]
    assert found(YEAR, files=files(((2, 1), (6, 30)), ((1, 1), (4, 30)))) == [("note", "overlap"), ("warning", "older_file")]


@pytest.mark.parametrize(
    ("file", "column", "most"), [("taobao_orders", "paid_at", 0.04), ("online_retail", "InvoiceDate", 0.0), ("cdnow_master", "date", 0.0)]
)
def test_real_shops_raise_next_to_no_false_alarm_wherever_their_orders_end(data_dir, file, column, most):
    times = pl.read_parquet(data_dir / f"{file}.parquet", columns=[column]).to_series()
    days = (times.str.to_datetime().dt.date() if times.dtype == pl.String else times.cast(pl.Date)).drop_nulls()
    rows = dict(days.value_counts().sort(column).rows())
    ends = list(rows)[len(rows) // 3 :: 3]
    alarms = [
        ("warning", "cut_off") in found({day: count for day, count in rows.items() if day <= end}, end + timedelta(1)) for end in ends
    ]
    assert sum(alarms) <= most * len(ends)
