"""How the times of a column are written, by all of its values."""

from datetime import date, datetime

import polars as pl
import pytest

from segmenter.checks.date_texts import date_text
from segmenter.checks.time_format import EVIDENCE, TimeFormat, decide_format
from segmenter.sources import fields

AS_OF = date(2026, 7, 1)
JUNE = datetime(2026, 6, 3)


def read(*cells, form="auto", zone="Asia/Shanghai", as_of=AS_OF):
    """Give the times, and the codes of what was found."""
    moments, findings, _ = fields.times(pl.Series(cells), form, zone, as_of, "data.orders.time_format")
    return moments.to_list(), [(finding.level, finding.message.code.removeprefix("dates.")) for finding in findings]


def message(*cells, **settings):
    _, findings, _ = fields.times(
        pl.Series(cells), settings.get("form", "auto"), settings.get("zone", "Asia/Shanghai"), AS_OF, "data.orders.time_format"
    )
    return [str(finding.message) for finding in findings]


@pytest.mark.parametrize(
    "cells",
    [
        ("03/06/2026", "25/06/2026"),
        ("3-6-2026", "25-6-2026"),
        ("03/06/26", "25/06/26", "26/06/26"),
        ("3.6.2026", "4.6.2026"),
        ("03 06 2026", "25 06 2026"),
        ("3/6/2026 12:00 AM", "25/6/2026 9:05 PM"),
    ],
)
def test_the_day_first_by_what_can_be_nothing_else(cells):
    moments, found = read(*cells)
    assert moments[0] == JUNE
    assert found == [("note", "order")]


@pytest.mark.parametrize("cells", [("06/03/2026", "06/25/2026"), ("6-3-2026", "6-25-2026"), ("6/3/26", "6/25/26", "6/30/26")])
def test_the_month_first_by_what_can_be_nothing_else(cells):
    moments, found = read(*cells)
    assert moments[0] == JUNE
    assert found == [("note", "order")]


def test_a_year_of_two_digits_is_what_changes_least():
    assert read("26/06/03", "26/06/15", "26/06/29")[0][0] == JUNE
    assert read("26-06-03", "26-06-15", "26-06-29")[0][0] == JUNE
    # The first of each month of three years: as a year, the day would be 2001.
    assert read("01/06/24", "01/06/25", "01/06/26", "15/06/26")[0][0] == datetime(2024, 6, 1)


@pytest.mark.parametrize("cells", [("03/06/2026", "04/05/2026"), ("03-06-2026",), ("3/6/26", "4/5/26")])
def test_what_nothing_decides_stops_with_each_reading(cells):
    assert ("stop", "undecided") in read(*cells)[1]
    said = message(*cells)[0]
    assert "day_first (2026-0" in said
    assert "month_first (2026-0" in said
    assert "data.orders.time_format" in said
    assert read(*cells, form="day_first") == ([datetime(2026, 6, 3), datetime(2026, 5, 4)][: len(cells)], [])
    assert read(*cells, form="month_first") == ([datetime(2026, 3, 6), datetime(2026, 4, 5)][: len(cells)], [])


def test_values_that_contradict_each_other_stop_only_where_another_depends_on_it():
    assert ("stop", "contradiction") in read("25/06/2026", "06/25/2026", "03/06/2026")[1]
    moments, found = read("25/06/2026", "06/25/2026", "05/05/2026")
    assert moments == [datetime(2026, 6, 25)] * 2 + [datetime(2026, 5, 5)]
    assert found == [("note", "kinds")]


def test_what_is_not_before_the_as_of_date_decides_nothing():
    assert read("03/06/2026", "25/07/2026")[1] == read("03/06/2026")[1] == [("stop", "undecided")]
    assert message("03/06/2026", "25/06/2026", "26/07/2026", "46300") == message("03/06/2026", "25/06/2026")


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("3-Jun-2026", JUNE),
        ("03-JUN-26", JUNE),
        ("Jun 3, 2026 10:30 PM", datetime(2026, 6, 3, 22, 30)),
        ("June 3rd, 2026", JUNE),
        ("3. Juni 2026", JUNE),
        ("3 juin 2026 à 10:30", None),
        ("3 de junio de 2026", JUNE),
        ("Wed, 03 Jun 2026 10:30:00", datetime(2026, 6, 3, 10, 30)),
        ("Wed Jun  3 10:30:00 2026", datetime(2026, 6, 3, 10, 30)),
        ("2026年6月3日 下午3:05", datetime(2026, 6, 3, 15, 5)),
        ("2026年6月3日 14时30分15秒", datetime(2026, 6, 3, 14, 30, 15)),
        ("2026/6/3 星期三 10:30", datetime(2026, 6, 3, 10, 30)),
        ("2026年6月7日(日)", datetime(2026, 6, 7)),
        ("2026. 6. 3. 오후 3:05", datetime(2026, 6, 3, 15, 5)),
        ("２０２６－０６－０３", JUNE),
        ("3.6.2026 10.30", datetime(2026, 6, 3, 10, 30)),
        ("6/25/2026 9:05:06 a.m.", datetime(2026, 6, 25, 9, 5, 6)),
        ("2026-06-03 24:00", datetime(2026, 6, 4)),
        ("20260603103000", datetime(2026, 6, 3, 10, 30)),
        ("46176.4375", datetime(2026, 6, 3, 10, 30)),
        ("46176,4375", datetime(2026, 6, 3, 10, 30)),
        ("1780000000", datetime(2026, 5, 29, 4, 26, 40)),
        ("1780000000000", datetime(2026, 5, 29, 4, 26, 40)),
        ("1780000000000000", datetime(2026, 5, 29, 4, 26, 40)),
        ("2026-W23-3", None),
        ("30/02/2026", None),
        ("2026", None),
        ("12345", None),
        ("2026-06-03 25:00", None),
        ("2026-06-03 10:30 XYZ", None),
    ],
)
def test_a_time_is_read_as_people_and_machines_write_it(written, means):
    assert read(written)[0] == [means]


def test_numbers_of_a_column_are_read_alike_and_told():
    assert read(46176.4375, 46177.0) == ([datetime(2026, 6, 3, 10, 30), datetime(2026, 6, 4)], [("note", "kinds")])
    assert read(1_780_000_000)[1] == [("note", "kinds")]
    assert "46176.4375" in message(46176.4375)[0]
    assert read("46176.4375", form="excel")[0] == read(46176.4375, form="excel")[0] == [datetime(2026, 6, 3, 10, 30)]
    assert read(1_780_000_000_000_000, form="epoch_us")[0] == [datetime(2026, 5, 29, 4, 26, 40)]


def test_several_formats_are_fine_where_each_value_fits_one_only():
    moments, found = read("2026-06-03", "25.06.2026", "6/25/2026", "46176", "3 Jun 2026")
    assert moments == [JUNE, datetime(2026, 6, 25), datetime(2026, 6, 25), JUNE, JUNE]
    assert found == [("note", "kinds")]


@pytest.mark.parametrize(
    "zone", ["UTC", "Z", " GMT", "+00:00", " +0000", " UTC+0", "+00", " (UTC)", "Z[UTC]", " GMT+0000 (Coordinated Universal Time)"]
)
def test_a_zone_is_converted_and_told(zone):
    assert read(f"2026-06-03 10:30{zone}") == ([datetime(2026, 6, 3, 18, 30)], [("note", "zone_moved")])


def test_names_of_zones_are_offsets():
    for name, hour in (("JST", 9), ("CEST", 16), ("EDT", 22), ("Europe/Paris", 16), ("hkt", 10)):
        assert read(f"2026-06-03 10:30 {name}")[0] == [datetime(2026, 6, 3, hour, 30)], name


@pytest.mark.parametrize(
    ("cell", "zone"),
    [("2026-06-03 10:30 CST", "Asia/Shanghai"), ("2026-01-03 10:30 CST", "America/Chicago"), ("2026-06-03 10:30 BST", "Europe/London")],
)
def test_a_name_of_several_zones_is_the_launchs_own_where_it_is_called_so(cell, zone):
    moments, found = read(cell, zone=zone)
    assert moments[0].hour == 10
    assert found == [("note", "zone_own")]


@pytest.mark.parametrize(
    ("cell", "zone"),
    [
        ("2026-06-03 10:30 CST", "Europe/Berlin"),
        ("2026-06-03 10:30 CST", "America/Chicago"),
        ("2026-01-03 10:30 BST", "Europe/London"),
        ("2026-06-03 10:30 IST", "Asia/Shanghai"),
    ],
)
def test_a_name_of_several_zones_stops_else(cell, zone):
    assert read(cell, zone=zone)[1] == [("stop", "zone_of_several")]


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S GMT"])
def test_a_zone_in_a_format_of_the_users_is_not_dropped(form):
    cell = "2026-06-03 10:30:00 GMT" if form.endswith("GMT") else "2026-06-03 10:30:00 UTC"
    assert read(cell, form=form) == ([datetime(2026, 6, 3, 18, 30)], [("note", "zone_moved")])
    assert read("2026-06-03T10:30:00Z", form="%Y-%m-%dT%H:%M:%SZ")[0] == [datetime(2026, 6, 3, 18, 30)]
    assert read("2026-06-03T10:30:00+01:00", form="%Y-%m-%dT%H:%M:%S+01:00")[0] == [datetime(2026, 6, 3, 17, 30)]
    assert read("2026-06-03 10:30:00 CST", form="%Y-%m-%d %H:%M:%S %Z", zone="Europe/Berlin")[1] == [("stop", "zone_of_several")]


def test_a_column_half_with_a_zone_stops_unless_it_is_the_launchs():
    assert ("stop", "half_zoned") in read("2026-06-03 10:30 UTC", "2026-06-03 10:31")[1]
    assert read("2026-06-03 10:30+08:00", "2026-06-03 10:31")[1] == []
    assert ("stop", "half_zoned") not in read("2026-06-03 10:30Z", "2026-06-03")[1]  # a day has no clock


def test_a_spreadsheet_that_read_some_dates_the_wrong_way_round_is_found():
    taken = [f"2026-0{month}-{day:02}" for month in (1, 2, 3) for day in range(1, 9)]
    left = [f"{day}/{month}/2026" for month in (1, 2) for day in range(13, 22)]
    assert ("stop", "swapped") in read(*taken, *left)[1]
    assert ("stop", "swapped") not in read(*taken, *left, "2026-03-25")[1]
    assert ("stop", "swapped") not in read(*taken, *left, "3/1/2026")[1]


def test_a_date_by_itself_says_what_it_may_be():
    found = date_text("03/06/2026")
    assert found is not None
    assert TimeFormat().day(found) is None
    assert TimeFormat({"/4": "mdy"}).day(found) == date(2026, 3, 6)
    assert date_text("nothing") is None
    assert decide_format(EVIDENCE.to_frame(), "key", AS_OF, "UTC") == (TimeFormat({}), [])
