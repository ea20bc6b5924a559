"""A typed cell comes to what `sources.fields` reads, or its row is a fallback row: on Polars, so without a cluster."""

import math
from datetime import UTC, datetime

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.checks.number_format import NumberFormat
from segmenter.engines import typed_cells
from segmenter.engines.spark_times import in_utc, micros_sql, zone_between
from segmenter.sources import fields

HALF = [0.125, 2.675, 1.005, -0.015, 0.5, 1.5, 2.5, 12.345, 1e9 + 0.005, 8_589_934_592.215, 1e12, 1e300, -0.0]
ODD = [None, math.nan, math.inf, -math.inf]
COLUMNS = {
    "texts": pl.Series(["a", " b\u3000", "N/A", "\\N", "", " - ", "\x1f", "ａ", "\x85c\u2028", "NULL", None]),
    "whole numbers": pl.Series([7, -8, None, 10**12, 10**15], dtype=pl.Int64),
    "small whole numbers": pl.Series([7, -8, None], dtype=pl.Int8),
    "floats": pl.Series([7.0, 8.5, -0.0, 2.0**60, 1e-9, *HALF, *ODD]),
    "small floats": pl.Series([*HALF[:-3], 7.0], dtype=pl.Float32),
    "decimals": pl.Series(["0.125", "2.675", None, "-0.015", "90071992547409.93", "99999999999999.995", "1"]).cast(pl.Decimal(30, 3)),
    "whole decimals": pl.Series(["7", None, "-9"]).cast(pl.Decimal(20, 0)),
    "nothing": pl.Series([None, None], dtype=pl.Null),
}


def found(cell, column):
    columns = nw.from_native(column.alias("cell").to_frame().lazy()).select("cell", value=cell.value, fallback=cell.fallback)
    frame = columns.to_native().collect()
    return frame["value"], frame["fallback"]


@pytest.mark.parametrize("name", COLUMNS)
def test_ids_and_names_are_read_as_elsewhere(name):
    cell = typed_cells.text(nw.col("cell"), COLUMNS[name].dtype)
    if cell is None:
        assert name in ("decimals",)
        return
    value, fallback = found(cell, COLUMNS[name])
    assert value.filter(~fallback).to_list() == fields.text(COLUMNS[name]).filter(~fallback).to_list()
    assert value.filter(fallback).null_count() == fallback.sum()
    assert not fallback.any() or name in ("floats", "small floats")


@pytest.mark.parametrize("name", COLUMNS)
def test_amounts_are_read_as_elsewhere(name):
    cell = typed_cells.amount(nw.col("cell"), COLUMNS[name].dtype, "CNY")
    if cell is None:
        assert name == "texts"
        return
    value, fallback = found(cell, COLUMNS[name])
    assert value.filter(~fallback).to_list() == fields.amount(COLUMNS[name], "CNY", NumberFormat(".")).filter(~fallback).to_list()
    assert fallback.to_list()[: value.len()] == value.is_null().to_list()
    assert value.count() or name == "nothing"


@pytest.mark.slow
@given(st.lists(st.floats(-1e11, 1e11) | st.integers(-(10**6), 10**6).map(lambda number: number / 8), min_size=1))
def test_every_amount_goes_to_the_nearest_minor_unit_and_of_two_to_the_even_one(numbers):
    column = pl.Series(numbers, dtype=pl.Float64)
    value, fallback = found(typed_cells.amount(nw.col("cell"), column.dtype, "GBP"), column)
    assert value.filter(~fallback).to_list() == fields.amount(column, "GBP", NumberFormat(".")).filter(~fallback).to_list()


def test_times_are_possible_ones():
    micros = pl.Series([None, -1, 0, 7_289_654_400_000_000 - 1, 7_289_654_400_000_000])
    value, fallback = found(typed_cells.time(nw.col("cell")), micros)
    assert value.to_list() == [None, None, 0, 7_289_654_400_000_000 - 1, None]
    assert fallback.to_list() == [True, True, False, False, True]
    read = fields.time(micros.cast(pl.Datetime("us")), "auto", "UTC")
    assert read.to_physical().to_list() == value.to_list()


@pytest.mark.parametrize("timezone", ["Europe/London", "America/St_Johns", "Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_a_zone_in_sql_is_that_of_polars(timezone):
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 10**6) for year in (1985, 2027))
    zone = zone_between(timezone, first, last)
    edges = [change + step for change, _ in zone.changes for step in (-1, 0, 1)]
    moments = pl.Series("utc", [*range(first, last, 77 * 86_400 * 10**6), *(edge for edge in edges if first <= edge <= last)])
    local = moments.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(timezone).dt.replace_time_zone(None).to_physical()
    written = moments.to_frame().select(pl.sql_expr(zone.sql("utc")).alias("local"))["local"]
    assert written.to_list() == local.to_list()


def test_what_times_are_in_a_zone_and_what_are_none():
    assert [in_utc(dtype) for dtype in (pl.Int64(), pl.Datetime("us", "UTC"), pl.Datetime("us"), pl.Date())] == [True, True, False, False]
    assert micros_sql("t", pl.Int64(), "auto") is None
    assert micros_sql("t", pl.String(), "epoch_s") is None
