"""Visits as analytics counts them: hours in a column of their own or not, and what is wrong with a table said once."""

from datetime import datetime

import polars as pl
import pytest

import segmenter
from segmenter.errors import InputError
from segmenter.tables import VISITS

ORDERS = pl.DataFrame({"customer_id": ["a"], "time": ["2026-06-01"], "amount": [5]})
BY_HOUR = {"日期": ["2026-06-30"] * 3, "小时": ["9", "20:00", "21:00-22:00"], "UV": ["30", "1,200", "7"], "PV": [100, 4_000, 9]}
MAPPED = {f"data.visits.columns.{name}": column for name, column in {"time": "日期", "hour": "小时", "uv": "UV", "pv": "PV"}.items()}


def read(visits: dict, **overrides) -> segmenter.Tables:
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", **overrides})
    return segmenter.canonical_tables({"orders": ORDERS, "visits": pl.DataFrame(visits)}, settings.data, settings.launch)


def test_a_day_and_its_hour_are_one_time_and_what_comes_later_is_not_there():
    tables = read(BY_HOUR, **MAPPED)
    rows = [(9, 30, 100), (20, 1_200, 4_000), (21, 7, 9)]
    assert tables.visits.rows() == [(datetime(2026, 6, 30, hour), uv, pv) for hour, uv, pv in rows]
    assert tables.visits.schema == VISITS
    by_day = {"time": ["2026-07-01", "2026-06-30", "2026-07-01"], "uv": [9, 4, 1], "pv": [1, 6, 1]}  # of later days nothing is asked
    assert read(by_day).visits.rows() == [(datetime(2026, 6, 30), 4, 6)]


def test_cells_that_are_none_are_rejects():
    tables = read(BY_HOUR | {"小时": ["9", "24", "21"], "PV": ["100", "1", "many"]}, **MAPPED, **{"data.max_reject_share": 1})
    assert tables.visits.height == 1
    assert sorted(tables.rejects.select("table", "column", "value").rows()) == [("visits", "PV", "many"), ("visits", "小时", "24")]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"data.visits.columns.hour": None}, r"data\.visits: .*once.*2026-06-30"),
        ({"data.visits.columns.uv": "PV", "data.visits.columns.pv": "UV"}, "uv should not exceed pv"),
        ({"data.visits.columns.pv": "浏览"}, r"data\.visits\.columns\.pv: "),
    ],
)
def test_a_table_that_cannot_be_meant_is_one_clear_error(change, wrong):
    with pytest.raises(InputError, match=wrong):
        read(BY_HOUR, **MAPPED | change)
