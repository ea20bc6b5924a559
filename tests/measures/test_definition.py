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
    NEAR,
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
from segmenter.sources.order_rows import canonical_orders
from segmenter.tables import LEVELS, ORDERS, TIME, Terms

AS_OF = date(2026, 7, 1)
PLACES = st.sampled_from([None, "四川省", "云南", "é", "z", "Z"])

moments = st.one_of(
    st.sampled_from([0, 1, 200 * 86_400_000_000 - 1]).map(lambda micros: datetime(2026, 1, 1) + timedelta(microseconds=micros)),  # ties
    st.datetimes(datetime(1970, 1, 1), datetime(2026, 7, 3)),
    st.integers(-200 * 86_400, 86_400).map(lambda seconds: datetime(2026, 7, 1) + timedelta(seconds=seconds)),
)
# Beyond 2^53, where a float would no longer tell neighbours apart.
amounts = st.one_of(st.integers(-(10**12), 10**12), st.integers(10**16 - 3, 10**16), st.sampled_from([0, -1, -65_536, 65_535]))
orders = st.lists(st.tuples(st.sampled_from(["a", "b", "客户"]), moments, amounts, st.booleans(), PLACES, PLACES, PLACES), max_size=25)
lines = st.lists(
    st.tuples(
        st.sampled_from(["a", "客户"]),
        st.sampled_from(["1", "2"]),
        moments,
        st.integers(-(10**12), 10**12),
        st.booleans(),
        PLACES,
        PLACES,
        PLACES,
    ),
    max_size=25,
)
terms = st.builds(
    Terms,
    as_of=st.sampled_from([AS_OF, date(2026, 6, 2)]),
    half_life_days=st.sampled_from([1.0, 90.0]),
    window_days=st.sampled_from([None, 45]),
    horizon_days=st.sampled_from([None, 1, 60, 364, 365]),
)


def canonical(rows):
    return pl.DataFrame(
        [(who, None, when, amount, max(-amount, 0), *rest) for who, when, amount, *rest in rows],
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
        "district": pl.String,
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


@pytest.mark.slow
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
        ),
        terms,
    )
    assert_frame_equal(found, expected.frame)
    assert expected.frame.schema == summary_schema(terms)
    times = [row[1].date() for row in rows]
    assert (expected.first, expected.last) == (min(times, default=None), max(times, default=None))


def by_hand(rows, grain, near=NEAR):
    """Orders and refunds as canonical orders, row by row in Python."""
    if grain == "order":
        backs = [back or paid < 0 for _, _, _, paid, back, *_ in rows]
        return [
            (who, order, when, min(paid, 0) if back else paid, abs(paid) if back else 0, not back, *places)
            for (who, order, when, paid, _, *places), back in zip(rows, backs, strict=True)
        ]
    days, placed_on = {}, {}
    for who, order, when, *line in rows:
        days.setdefault((who, order, when.date()), []).append((when, *line))
    found = []
    for (who, order, day), group in sorted(days.items()):
        paid = sum(amount for _, amount, back, *_ in group if not back)
        credit = sum(min(amount, 0) for _, amount, back, *_ in group if back)
        returned = sum(abs(amount) for _, amount, back, *_ in group if back)
        placed = paid >= 0 and any(not back for _, _, back, *_ in group)
        first = placed and (day - placed_on.get((who, order), date.min)).days > near
        if placed:
            placed_on[who, order] = day
        told = [max(((line[0], line[at].encode()) for line in group if line[at]), default=(None, b"")) for at in (3, 4, 5)]
        places = (name.decode() or None for _, name in told)
        found.append((who, order, min(line[0] for line in group), paid + credit, returned - min(paid, 0), first, *places))
    return found


@given(lines, st.sampled_from(["order", "line"]), st.sampled_from([0, NEAR]))
@settings(max_examples=60)
def test_lines_become_orders_and_refunds(database, rows, grain, near):
    raw = raw_lines(rows)
    expected = pl.DataFrame(by_hand(rows, grain, near), schema=ORDERS, orient="row").sort(pl.all())
    assert_frame_equal(canonical_orders(raw, grain, near).sort(pl.all()), expected)
    known = there(database, "lines", rows_of(raw).select(LINES.names()))
    found = here(whole_orders(known, near) if grain == "line" else each_order(known))
    assert_frame_equal(found.select(ROWS.names()).cast(ROWS).sort(pl.all()), rows_of(expected).select(ROWS.names()).sort(pl.all()))


def test_each_level_is_of_the_latest_order_that_names_it_and_of_ties_one_row_tells_all():
    rows = [
        ("a", datetime(2026, 1, 2), 5, True, "é", "c", "d"),
        ("a", datetime(2026, 1, 2), 5, True, "z", "x", "x"),  # é is larger: bytes are compared
        ("a", datetime(2026, 1, 3), 5, True, None, None, None),
        ("a", datetime(2026, 1, 4), -5, False, "later, but a refund", None, None),
        ("b", datetime(2026, 1, 4), -5, False, None, "only a refund", None),
        ("c", datetime(2026, 1, 4), 5, True, None, None, None),
    ]
    found = summarize_frame(canonical(rows), Terms(AS_OF, 90, None)).frame
    assert found.select("customer_id", *LEVELS).rows() == [
        ("a", "é", "c", "d"),
        ("b", None, "only a refund", None),
        ("c", None, None, None),
    ]
