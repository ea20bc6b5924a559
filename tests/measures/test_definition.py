"""The definition gives the same on every backend, and the same as the canonical orders that the mapping makes."""

from datetime import date, datetime, timedelta

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from segmenter.measures.definition import (
    LINES,
    ROWS,
    each_order,
    finish,
    rows_of,
    summarize,
    summarize_frame,
    weights_table,
    whole_orders,
)
from segmenter.measures.spec import summary_schema
from segmenter.sources.mapping import placed_orders
from segmenter.tables import ORDERS, TIME, Terms

AS_OF = date(2026, 7, 1)
PLACES = st.sampled_from([None, "四川省", "云南", "é", "z", "Z"])

moments = st.one_of(
    st.sampled_from([0, 1, 200 * 86_400_000_000 - 1]).map(lambda micros: datetime(2026, 1, 1) + timedelta(microseconds=micros)),  # ties
    st.datetimes(datetime(1970, 1, 1), datetime(2026, 7, 3)),
    st.integers(-200 * 86_400, 86_400).map(lambda seconds: datetime(2026, 7, 1) + timedelta(seconds=seconds)),
)
# Beyond 2^53, where a float would no longer tell neighbours apart.
amounts = st.one_of(st.integers(-(10**12), 10**12), st.integers(10**16 - 3, 10**16), st.sampled_from([0, -1, -65_536, 65_535]))
orders = st.lists(st.tuples(st.sampled_from(["a", "b", "客户"]), moments, amounts, st.booleans(), PLACES, PLACES), max_size=25)
lines = st.lists(
    st.tuples(
        st.sampled_from(["a", "客户"]), st.sampled_from(["1", "2"]), moments, st.integers(-(10**12), 10**12), st.booleans(), PLACES, PLACES
    ),
    max_size=25,
)
terms = st.builds(
    Terms,
    as_of=st.sampled_from([AS_OF, date(2026, 6, 2)]),
    half_life_days=st.sampled_from([1.0, 90.0]),
    window_days=st.sampled_from([None, 45]),
)


def canonical(rows):
    return pl.DataFrame(
        [(who, None, when, amount, max(-amount, 0), placed, province, city) for who, when, amount, placed, province, city in rows],
        schema=ORDERS,
        orient="row",
    )


def raw_lines(rows):
    schema = {
        "customer_id": pl.String,
        "order_id": pl.String,
        "time": TIME,
        "paid": pl.Int64,
        "back": pl.Boolean,
        "province": pl.String,
        "city": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        yield connection


def there(database, name, frame):
    database.register(name, frame.to_arrow())
    return nw.from_native(database.table(name))


def here(lazy):
    return pl.from_arrow(lazy.to_native().to_arrow_table())


@given(orders, terms)
@settings(max_examples=60)
def test_duckdb_adds_up_as_polars_does(database, rows, terms):
    frame = canonical(rows)
    expected = summarize_frame(frame, terms)
    found = finish(
        here(
            summarize(
                there(database, "orders", rows_of(frame).select(ROWS.names())), there(database, "weights", weights_table(terms)), terms
            )
        )
    )
    assert_frame_equal(found, expected.frame)
    assert expected.frame.schema == summary_schema()
    times = [row[1].date() for row in rows]
    assert (expected.first, expected.last) == (min(times, default=None), max(times, default=None))


@given(lines, st.sampled_from(["order", "line"]))
@settings(max_examples=60)
def test_lines_become_the_orders_that_the_mapping_makes(database, rows, grain):
    raw = raw_lines(rows)
    frame = rows_of(raw).select(LINES.names())
    place = whole_orders if grain == "line" else each_order
    expected = rows_of(placed_orders(raw, grain)).select(ROWS.names()).sort(pl.all())
    for lazy, collect in ((nw.from_native(frame.lazy()), lambda lazy: lazy.to_native().collect()), (there(database, "lines", frame), here)):
        assert_frame_equal(collect(place(lazy)).cast(ROWS).sort(pl.all()), expected)


def test_the_place_is_of_the_latest_order_that_names_one_and_of_ties_the_larger():
    rows = [
        ("a", datetime(2026, 1, 2), 5, True, "é", None),
        ("a", datetime(2026, 1, 2), 5, True, "z", "x"),  # é is larger: bytes are compared
        ("a", datetime(2026, 1, 3), 5, True, None, None),
        ("a", datetime(2026, 1, 4), -5, False, "later, but a refund", None),
        ("b", datetime(2026, 1, 4), -5, False, None, "only a refund"),
        ("c", datetime(2026, 1, 4), 5, True, None, None),
    ]
    found = summarize_frame(canonical(rows), Terms(AS_OF, 90, None)).frame
    assert found.select("customer_id", "province", "city").rows() == [("a", "é", None), ("b", None, "only a refund"), ("c", None, None)]
