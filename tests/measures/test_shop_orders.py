"""Orders give the same, whatever is behind them."""

from datetime import date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter.errors import InputError
from segmenter.measures import shop_orders
from segmenter.measures.shop_orders import AggregatedOrders, Sample, SingleOrders
from segmenter.tables import ORDERS, Terms

TERMS = Terms(date(2026, 7, 1), 90.0, None)
ROWS = [
    ("a", None, datetime(2026, 5, 1, 23), 500, 0, True, "四川", None, None),
    ("a", None, datetime(2026, 6, 30), -200, 200, False, None, None, None),
    ("b", None, datetime(2026, 6, 3), -100, 100, False, None, None, None),
    ("c", None, datetime(2026, 7, 1), 900, 0, True, None, None, None),
]
FRAME = pl.DataFrame(ROWS, schema=ORDERS, orient="row")


@pytest.mark.parametrize("frame", [FRAME, FRAME.tail(1), FRAME.clear()])
def test_single_and_aggregated_orders_say_the_same(frame, monkeypatch):
    single = SingleOrders(frame)
    aggregated = AggregatedOrders(single.summary(TERMS))
    for question in (
        lambda orders: orders.days,
        lambda orders: orders.halvings,
        lambda orders: orders.last_order(TERMS.as_of),
        lambda orders: sorted(orders.customers(TERMS.as_of)),
    ):
        assert question(single) == question(aggregated)
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    assert_frame_equal(single.summary(TERMS).frame, aggregated.summary(TERMS).frame)


def test_the_last_order_is_no_refund_and_before_the_date():
    assert SingleOrders(FRAME).last_order(TERMS.as_of) == date(2026, 5, 1)
    assert SingleOrders(FRAME).last_order(date(2026, 7, 2)) == date(2026, 7, 1)
    assert SingleOrders(FRAME).days == (date(2026, 5, 1), date(2026, 7, 1))


def test_aggregated_orders_have_the_single_ones_of_a_sample_or_none_and_one_date():
    summary = SingleOrders(FRAME).summary(TERMS)
    assert not AggregatedOrders(summary).has_single
    with pytest.raises(InputError, match="engine=local"):
        AggregatedOrders(summary).single()
    sampled = AggregatedOrders(summary, Sample(FRAME.head(2), 1))
    assert (sampled.single().height, sampled.halvings) == (2, 1)
    with pytest.raises(ValueError, match="summarized for other terms"):
        sampled.summary(Terms(date(2026, 7, 2), 90.0, None))
    for asked in (sampled.customers, sampled.last_order):
        with pytest.raises(ValueError, match="summarized as of 2026-07-01"):
            asked(date(2026, 7, 2))
