import datetime as dt
from decimal import Decimal

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import InputError
from segmenter.sources.data_frames import read_frames
from segmenter.sources.expressions import FILE, ROW


def read(table):
    return read_frames({"orders": table})["orders"].frame.drop(FILE)


def column(values, **more):
    return read(pd.DataFrame({"c": pd.Series(values, **more), "number": range(len(values))}))["c"]


KINDS = {
    "lazy": pl.DataFrame.lazy,
    "pandas": pl.DataFrame.to_pandas,
    "objects": lambda table: table.to_pandas().astype(object),
    "arrow-backed": lambda table: table.to_pandas(use_pyarrow_extension_array=True),
    "arrow": pl.DataFrame.to_arrow,
    "duckdb": lambda table: duckdb.from_arrow(table.to_arrow()),
    "narwhals": nw.from_native,
    "texts": lambda table: table.with_columns(pl.col("customer_id", "province").cast(pl.Categorical)),
    "enum": lambda table: table.with_columns(pl.col("province").cast(pl.Enum(sorted(set(table["province"].drop_nulls()))))),
    "decimals": lambda table: table.with_columns(pl.col("amount").cast(pl.Decimal(18, 2))),
    "zoned": lambda table: table.with_columns(
        pl.col("time").dt.replace_time_zone("Asia/Shanghai").dt.convert_time_zone("America/Lima")
    ).to_pandas(),
}
SHOPS = st.lists(
    st.tuples(
        st.sampled_from(["007", "8", "é", " x", "张三", None]),
        st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2026, 7, 2)).map(lambda time: time.replace(microsecond=0)),
        st.integers(-10_000, 1_000_000).map(lambda cents: cents / 100) | st.none(),
        st.sampled_from(["四川", "Sichuan", "'\"<b>", None]),
    ),
    min_size=1,
    max_size=12,
)


@given(rows=SHOPS, kind=st.sampled_from(sorted(KINDS)))
def test_the_same_rows_are_the_same_tables_whatever_frame_they_are_in(rows, kind):
    types = {"customer_id": pl.String, "time": pl.Datetime("us"), "amount": pl.Float64, "province": pl.String}
    table = pl.DataFrame([("good", dt.datetime(2026, 1, 1), 1.0, None), *rows], schema=types, orient="row")
    chosen = segmenter.launch_settings({"launch.as_of": "2026-07-01", "data.max_reject_share": 1})

    def tables(frame):
        return segmenter.canonical_tables({"orders": read_frames({"orders": frame})["orders"].frame}, chosen.data, chosen.launch)

    wanted = tables(table)
    found = tables(KINDS[kind](table))
    assert_frame_equal(found.orders.single(), wanted.orders.single())
    assert found.reads == wanted.reads
    assert_frame_equal(found.rejects.drop("value"), wanted.rejects.drop("value"))


def test_what_is_missing_is_missing_however_pandas_says_it():
    assert column(["a", None, np.nan, pd.NA, pd.NaT, 3], dtype=object).to_list() == ["a", None, None, None, None, "3"]
    assert column([1, None], dtype="Int64").to_list() == [1, None]
    assert column([1.5, np.nan]).to_list() == [1.5, None]


def test_objects_of_one_type_keep_it_and_those_of_several_become_text():
    assert column([dt.date(2026, 1, 2), None], dtype=object).dtype == pl.Date
    assert column([Decimal("1.20"), None], dtype=object).dtype.is_decimal()
    assert column([1, 2, 1], dtype="category").to_list() == [1, 2, 1]
    assert column([1, "x", dt.date(2026, 1, 1)], dtype=object).to_list() == ["1", "x", "2026-01-01"]
    assert column([2**70, 1]).to_list() == [str(2**70), "1"]
    assert column(pd.period_range("2026-01", periods=2, freq="M")).to_list() == ["2026-01", "2026-02"]
    assert read(pl.DataFrame({"c": pl.Series(["a", None, 3], dtype=pl.Object), "n": [1, 2, 3]}))["c"].to_list() == ["a", None, "3"]


def test_an_index_with_a_name_is_a_column_and_one_without_is_none():
    frame = pd.DataFrame({"v": [1, 2, 3]}, index=pd.Index(["a", "b", "c"], name="customer_id"))
    assert read(frame).columns == ["customer_id", "v", ROW]
    assert read(frame.reset_index().iloc[1:])["v"].to_list() == [2, 3]
    both = pd.DataFrame({"v": [1], "k": [2]}, index=pd.MultiIndex.from_tuples([(9, 8)], names=["k", None]))
    assert read(both).drop(ROW).row(0) == (1, 2)


def test_a_name_that_stands_there_twice_is_nobody_s():
    for frame in (
        pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]),
        pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a", "b"]),
        duckdb.sql("SELECT 1 AS a, 2 AS a, 3 AS b"),
    ):
        assert read(frame).drop(ROW).to_dict(as_series=False) == {"a_1": [1], "a_2": [2], "b": [3]}
    assert read(pd.DataFrame([[1, 2]])).columns == ["0", "1", ROW]
    assert read(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("amount", "sum")]))).columns == ["amount sum", ROW]


def test_types_of_other_engines_are_read():
    found = read(duckdb.sql("SELECT uuid() u, 12::HUGEINT h, 80.5::DECIMAL(9, 1) d, INTERVAL 1 DAY i, 'x'::ENUM('x', 'y') e"))
    assert len(found["u"][0]) == 36
    assert found.select("h", "d", "e").row(0) == (12, Decimal("80.5"), "x")
    assert read(pa.table({"n": pa.nulls(2), "v": pa.array(["x", "y"]).dictionary_encode()}))["v"].to_list() == ["x", "y"]


@pytest.mark.parametrize("frame", [pl.DataFrame(), pd.DataFrame(), pa.table({}), pl.DataFrame({"a": []}), pd.DataFrame({"a": []})])
def test_an_empty_frame_has_no_rows(frame):
    assert read(frame).height == 0


def test_what_is_no_table_or_cannot_be_computed_is_said_all_at_once(tmp_path):
    gone = duckdb.from_arrow(pa.table({"a": ["x"]})).project("a::INTEGER AS a")
    bad = {"orders": [1], "customers": "c.csv", "events": pl.Series([1]), "referrals": pl.scan_csv(tmp_path / "gone.csv"), "ties": gone}
    with pytest.raises(InputError) as said:
        read_frames(bad)
    assert [problem.partition(":")[0] for problem in said.value.problems] == list(bad)


def test_the_frame_stays_as_it_is():
    frame = pl.DataFrame({" a ": [1], "b": [None]})
    read(frame)
    assert frame.columns == [" a ", "b"]
