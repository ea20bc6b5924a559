"""A measure over other days is a row of the table and nothing else: every way to compute it follows."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from segmenter.measures import measure, spec
from segmenter.measures.aggregator import aggregate
from segmenter.measures.definition import ROWS, finish, rows_of, summarize, summarize_frame, weights_table
from segmenter.measures.record_layout import layout_of
from segmenter.measures.shop_orders import SingleOrders
from segmenter.measures.spec import Measure
from segmenter.measures.timeline import timeline_of
from segmenter.tables import EVENTS, ORDERS, REFERRALS, REJECTS, Tables, Terms

AS_OF = date(2026, 7, 1)
# Edges that no other measure has, between and beyond theirs, of all that can be summed.
ADDED = (
    Measure("spend_7d", "money", "amount", (0, 7)),
    Measure("orders_45d_before", "count", "orders", (45, 90)),
    Measure("orders_365d", "count", "orders", (0, 365)),
    Measure("refunds_90d", "money", "refund", (0, 90)),
    Measure("refund_orders_60d_before", "count", "refund_orders", (60, 400)),
    Measure("refunds_window", "money", "refund", "window"),
    Measure("spend_of_old", "money", "amount", (365, 700)),
    Measure("share_7d", "count", formula=pl.col("orders_365d") - pl.col("orders_45d_before")),
)
days = st.sampled_from([1, 7, 8, 30, 31, 45, 46, 60, 61, 90, 91, 180, 181, 365, 366, 400, 401, 700, 701]) | st.integers(-2, 900)
rows = st.lists(
    st.tuples(st.sampled_from("abc"), days, st.integers(-(10**6), 10**6), st.integers(0, 10**6) | st.just(0), st.booleans()), max_size=30
)


def canonical(rows):
    orders = [
        {"customer_id": who, "time": datetime(2026, 7, 1, 9) - timedelta(ago), "amount": amount, "refund": refund, "is_order": is_order}
        for who, ago, amount, refund, is_order in rows
    ]
    return pl.DataFrame(orders, schema=ORDERS)


def on_duckdb(orders, terms):
    with duckdb.connect() as database:
        lazy = []
        for name, frame in (("orders", rows_of(orders).select(ROWS.names())), ("weights", weights_table(terms))):
            database.register(name, frame.to_arrow())
            lazy.append(nw.from_native(database.table(name)))
        return finish(pl.from_arrow(summarize(*lazy, terms).to_native().to_arrow_table()), terms)


@pytest.mark.slow
@pytest.mark.parametrize("added", [ADDED, ADDED[:2], ADDED[6:7]])
@settings(max_examples=25, deadline=None)
@given(rows, st.sampled_from([None, 1, 30, 100, 365, 800]), st.sampled_from([None, 1, 30, 319, 365, 400]))
def test_a_third_window_is_the_same_on_every_engine(added, rows, window, horizon):
    orders, terms = canonical(rows), Terms(AS_OF, 90.0, window, horizon)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spec, "MEASURES", (*spec.MEASURES, *added))
        expected = summarize_frame(orders, terms).frame
        assert_frame_equal(aggregate(orders, terms).frame, expected)
        assert_frame_equal(timeline_of(orders).summary(terms).frame, expected)
        assert_frame_equal(on_duckdb(orders, terms), expected)
    for name, of, after, to in (("spend_7d", 2, 0, 7), ("refund_orders_60d_before", 3, 60, 400), ("spend_of_old", 2, 365, 700)):
        if name in expected.columns:
            by_hand = {who: 0 for who, ago, *_ in rows if ago >= 1}
            for row in rows:
                by_hand |= {row[0]: by_hand[row[0]] + (row[2] if of == 2 else row[3] > 0)} if after < row[1] <= to and row[1] >= 1 else {}
            assert dict(expected.select("customer_id", name).rows()) == by_hand


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(rows, st.sampled_from([1, 30, 364, 365, 400]))
def test_what_is_learned_from_is_what_it_says(rows, horizon):
    orders, terms = canonical(rows), Terms(AS_OF, 90.0, None, horizon)
    plain = summarize_frame(orders, replace(terms, horizon_days=None)).frame
    expected = []
    for who in plain["customer_id"]:
        mine = [(ago, amount, is_order) for name, ago, amount, _, is_order in rows if name == who and ago >= 1]
        weights = {days: [round(2**16 * 2 ** (-ago / days)) for ago, *_ in mine] for days in (15, 30, 60, 120, 365)}
        spend = [sum(weight * row[1] for weight, row in zip(of, mine, strict=True)) // 2**16 for of in weights.values()]
        count = [sum(weight * row[2] for weight, row in zip(of, mine, strict=True)) for of in weights.values()]
        before = sum(amount for ago, amount, _ in mine if 365 - horizon < ago <= 365) if horizon < 365 else 0
        expected.append((*spend, *count, before, max((amount for _, amount, is_order in mine if is_order), default=None)))
    names = [measure.name for measure in spec.LEARNING]
    added = pl.DataFrame(expected, schema=dict.fromkeys(names, pl.Int64), orient="row")
    for found in (summarize_frame(orders, terms), aggregate(orders, terms), timeline_of(orders).summary(terms)):
        assert_frame_equal(found.frame.select(names), added)
        assert_frame_equal(found.frame.drop(names), plain)


def test_the_customer_frame_has_its_column_and_formulas_may_use_it(monkeypatch):
    monkeypatch.setattr(spec, "MEASURES", (*spec.MEASURES, *ADDED))
    orders = canonical([("a", 3, 500, 0, True), ("a", 50, 200, 0, True)])
    tables = Tables(SingleOrders(orders), None, EVENTS.to_frame(), REFERRALS.to_frame(), None, REJECTS.to_frame(), {})
    frame = measure(tables, as_of=AS_OF, half_life_days=90)
    assert frame.select("spend_7d", "orders_45d_before", "share_7d").rows() == [(500, 1, 1)]
    assert frame.columns[-len(ADDED) :] == [measure.name for measure in ADDED]


def test_the_ranges_are_cut_at_every_edge_and_old_amounts_stay_in_the_hot_part():
    cells = layout_of(Terms(AS_OF, 90.0, 365)).cells
    assert cells["spend_window"][-2] == 1  # the oldest range
    assert layout_of(Terms(AS_OF, 90.0, 45)).cells["spend_window"][-2] == 0
    assert layout_of(Terms(AS_OF, 90.0, None)).cells["spend_window"] == cells["spend"]
    counts = {name: cell[2] for name, cell in layout_of(Terms(AS_OF, 90.0, 45)).cells.items()}
    assert (counts["spend_30d"], counts["spend_30d_before"], counts["spend_90d"], counts["orders_90d_before"]) == (1, 2, 4, 1)


def test_money_and_the_summary_follow_the_table():
    for horizon in (None, 30):
        terms = Terms(AS_OF, 90.0, None, horizon)
        assert set(spec.sums(terms)) < set(spec.summary_schema(terms))
    assert {"spend", "average_order", "spend_outside", "expected_spend"} < set(spec.MONEY)
    assert not {"orders", "days_since_order", "refund_orders"} & set(spec.MONEY)
