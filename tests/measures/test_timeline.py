from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from segmenter.measures.definition import summarize_frame
from segmenter.measures.timeline import PURCHASES, timeline_of, with_purchases
from segmenter.tables import ORDERS, Terms

AS_OF = date(2026, 7, 1)

moments = st.one_of(
    st.sampled_from([0, 1, 181 * 86_400_000_000 - 1]).map(lambda micros: datetime(2026, 1, 1) + timedelta(microseconds=micros)),  # ties
    st.datetimes(datetime(1970, 1, 1), datetime(2026, 9, 3)),
    st.integers(-200, 40).map(lambda days: datetime(2026, 7, 1) + timedelta(days=days)),  # whole days: edges of periods
)
amounts = st.one_of(st.integers(-(2**41), 2**41), st.sampled_from([0, -1, -65_536, 65_535, 10**16]))
places = st.sampled_from([None, "", "四川省", "é", "z", "Z"])
orders = st.lists(st.tuples(st.sampled_from(["a", "b", "客户", ""]), moments, amounts, st.booleans(), places, places, places), max_size=25)
dates = st.one_of(st.sampled_from([AS_OF, date(2026, 6, 1), date(2026, 1, 1), date(2026, 12, 31)]), st.dates(date(1970, 1, 2), AS_OF))
terms = st.builds(
    Terms,
    as_of=dates,
    half_life_days=st.sampled_from([0.01, 1.0, 90.0, 36_525.0]),
    window_days=st.sampled_from([None, 1, 45, 36_525]),
    horizon_days=st.sampled_from([None, 1, 60, 364, 365]),
)


def canonical(rows):
    return pl.DataFrame(
        [(who, None, when, amount, max(-amount, 0), *rest) for who, when, amount, *rest in rows],
        schema=ORDERS,
        orient="row",
    )


@given(orders.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), terms)
@settings(max_examples=120)
def test_sums_are_those_of_the_definition_whatever_the_order_of_rows(both, terms):
    rows, mixed = both
    expected, found = summarize_frame(canonical(rows), terms), timeline_of(canonical(mixed)).summary(terms)
    assert_frame_equal(found.frame, expected.frame, check_exact=True)
    assert (found.first, found.last, found.terms) == (expected.first, expected.last, terms)


@given(orders, dates, dates)
@settings(max_examples=100)
def test_a_period_is_a_filter(rows, one, other):
    start, stop = sorted((one, other))
    inside = (pl.col("time") >= start) & (pl.col("time") < stop)
    sums = [pl.col("amount").filter(inside).sum(), pl.col("is_order").filter(inside).sum().cast(pl.Int64)]
    expected = canonical(rows).group_by("customer_id").agg(sums).sort("customer_id")
    expected.columns = ["customer_id", "spend", "orders"]
    assert_frame_equal(timeline_of(canonical(rows)).between(start, stop), expected, check_exact=True)


def bought(rows, as_of):
    """Purchases by their definition: days on which an order was placed; money goes to the first of them, or to those after it."""
    found = []
    for customer in sorted({row[0] for row in rows}, key=lambda name: name.encode()):
        mine = [row for row in rows if row[0] == customer and row[1].date() < as_of]
        if not (days := sorted({when.date() for _, when, _, placed, *_ in mine if placed})):
            continue
        known, last = (as_of - days[0]).days, (days[-1] - days[0]).days
        first = sum(amount for _, when, amount, *_ in mine if when.date() <= days[0])
        found.append((customer, len(days) - 1, last, known, first, sum(row[2] for row in mine) - first))
    return pl.DataFrame(found, schema=PURCHASES, orient="row")


@pytest.mark.slow
@given(orders.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), dates)
@settings(max_examples=200)
def test_purchases_are_days_with_an_order(both, as_of):
    rows, mixed = both
    assert_frame_equal(timeline_of(canonical(mixed)).purchases(as_of), bought(rows, as_of), check_exact=True)


def test_refunds_before_on_and_after_the_first_day():
    june = [("a", datetime(2026, 6, day, hour), amount, amount > 0, None, None, None) for day, hour, amount in [(1, 9, 100), (1, 8, -30)]]
    rows = [
        *june,
        ("a", datetime(2026, 5, 1), -7, False, None, None, None),  # of what was bought before the history
        ("a", datetime(2026, 6, 9), -50, False, None, None, None),
        ("a", datetime(2026, 6, 20), 500, True, None, None, None),
        ("a", datetime(2026, 6, 20, 1), 0, True, None, None, None),  # refunded whole, but an order
        ("b", datetime(2026, 6, 20), -500, False, None, None, None),
    ]
    timeline = timeline_of(canonical(rows))
    assert timeline.purchases(AS_OF).rows() == [("a", 1, 19, 30, 63, 450)]
    assert timeline.purchases(date(2026, 6, 1)).rows() == []
    frame = with_purchases(pl.DataFrame({"customer_id": ["a", "b", "c"]}), timeline, AS_OF)
    assert frame.select("repeats", "repeat_spend").rows() == [(1, 450), (None, None), (None, None)]
    assert timeline.span == (date(2026, 5, 1), date(2026, 6, 20))


@pytest.mark.parametrize("as_of", [AS_OF, date(1971, 1, 1)])
def test_a_shop_without_orders(as_of):
    timeline = timeline_of(ORDERS.to_frame())
    assert timeline.span is None
    assert timeline.between(as_of, as_of).schema == {"customer_id": pl.String, "spend": pl.Int64, "orders": pl.Int64}
    assert_frame_equal(timeline.purchases(as_of), PURCHASES.to_frame())
    assert_frame_equal(
        timeline.summary(Terms(as_of, 90, None)).frame, summarize_frame(ORDERS.to_frame(), Terms(as_of, 90, None)).frame, check_exact=True
    )
