from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter.errors import InputError
from segmenter.measures import measure
from segmenter.measures.definition import summarize_frame
from segmenter.measures.past import past_of
from segmenter.measures.sampling import Sampling
from segmenter.measures.shop_orders import AggregatedOrders, SingleOrders
from segmenter.sources.samples import sample_of
from segmenter.tables import ORDERS, REFERRALS, Summary, Terms

UNTIL = date(2026, 7, 1)
CUT = date(2026, 3, 1)


def customers_of(past):
    return past.timeline.customers.to_list()


def crowd(start, count):
    """New customers with an order each, from a day on."""
    return pl.DataFrame(
        {"customer_id": [f"new {number}" for number in range(count)], "time": datetime(start.year, start.month, start.day), "amount": 999,
         "refund": 0, "is_order": True, "order_id": None, "province": None, "city": None, "district": None},
        schema=ORDERS,
    )  # fmt: skip


@pytest.mark.parametrize("as_of", [UNTIL, CUT, date(2025, 6, 20), date(2024, 1, 1)])
def test_measures_are_those_of_a_launch(small_shop, as_of):
    past = past_of(small_shop, UNTIL, 90, 200)
    assert_frame_equal(past.measures(as_of), measure(small_shop, as_of=as_of, half_life_days=90, window_days=200), check_exact=True)
    assert past.before(as_of).measures(as_of) is past.measures(as_of)


def test_what_has_no_date_was_not_known(small_shop):
    tables = replace(small_shop, customers=small_shop.customers.with_columns(joined=pl.lit(None, pl.Date)))
    frame = past_of(tables, UNTIL, 90, None).measures(CUT)
    dated = measure(tables, as_of=CUT, half_life_days=90)
    orders, events = (table.filter(pl.col("time") < CUT)["customer_id"] for table in (tables.orders.single(), tables.events))
    assert frame["customer_id"].to_list() == sorted({*orders, *events})
    assert dated.height == 600 > frame.height
    undated = replace(tables, referrals=tables.referrals.with_columns(time=pl.lit(None, REFERRALS["time"])))
    assert measure(undated, as_of=CUT, half_life_days=90)["referrals"].sum() > 0
    assert past_of(undated, UNTIL, 90, None).measures(CUT)["referrals"].sum() == 0


def test_what_came_later_is_looked_up_within_the_past_only(small_shop):
    past = past_of(small_shop, UNTIL, 90, None)
    ids = past.measures(CUT)["customer_id"]
    later = past.later(ids, CUT, 30)
    inside = small_shop.orders.single().filter(
        pl.col("time") >= CUT, pl.col("time") < CUT + timedelta(days=30), pl.col("customer_id").is_in(ids)
    )
    assert later.sum().row(0) == (inside["amount"].sum(), inside["is_order"].sum())
    assert past.later(pl.Series(["nobody"]), CUT, 30).rows() == [(0, 0)]
    early = past.before(CUT)
    assert early.before(date(2026, 2, 1)).later(ids, date(2026, 1, 1), 31).height == len(ids)
    for look in (
        lambda: early.before(UNTIL),
        lambda: early.measures(CUT + timedelta(days=1)),
        lambda: early.later(ids, CUT - timedelta(days=29), 30),
        lambda: past.later(ids, UNTIL, 1),
    ):
        with pytest.raises(ValueError, match="got 2026-"):
            look()
    with pytest.raises(InputError, match="engine=local"):
        past_of(replace(small_shop, orders=AggregatedOrders(Summary(pl.DataFrame(), Terms(UNTIL, 90, None), None, None))), UNTIL, 90, None)


def test_dates_to_learn_from_have_a_past_and_a_horizon_that_is_over(small_shop):
    past = past_of(small_shop, UNTIL, 90, None)
    first = past.timeline.span[0]
    cuts = past.cuts(30, 15, 100)
    assert cuts[0] == UNTIL - timedelta(days=30)
    assert {(later - earlier).days for later, earlier in pairwise(cuts)} == {15}
    assert cuts[-1] - timedelta(days=15) < first + timedelta(days=30) <= cuts[-1]
    assert past.cuts(30, 15, 3) == cuts[:3]
    assert past.before(CUT).cuts(30, 15, 1) == [CUT - timedelta(days=30)]
    assert past.before(first + timedelta(days=59)).cuts(30, 15, 5) == []
    assert past.before(first).cuts(1, 1, 5) == []
    assert past_of(replace(small_shop, orders=SingleOrders(ORDERS.to_frame())), UNTIL, 90, None).cuts(30, 15, 5) == []


@pytest.mark.slow
def test_a_sample_is_drawn_from_those_known_and_nested(small_shop):
    known = small_shop.orders.single().filter(pl.col("time") < CUT)["customer_id"].n_unique()
    after = replace(small_shop, orders=SingleOrders(pl.concat([small_shop.orders.single(), crowd(CUT, 3000)])))
    kept = {}
    for most in (known, known - 1, 200, 50, 10, 1):
        few = past_of(small_shop, UNTIL, 90, None, max_customers=most, first=CUT, seed=5)
        kept[most] = customers_of(few)
        assert few.share == (1 if most == known else few.share)
        assert (
            small_shop.orders.single().filter(pl.col("time") < CUT, pl.col("customer_id").is_in(kept[most]))["customer_id"].n_unique()
            <= most
        )
        crowded = past_of(after, UNTIL, 90, None, max_customers=most, first=CUT, seed=5)
        assert crowded.share == few.share
        assert_frame_equal(crowded.measures(CUT), few.measures(CUT), check_exact=True)
        # The same by another way: a sample of all, or of a larger sample, is that sample again.
        for whole in (past_of(small_shop, UNTIL, 90, None), past_of(after, UNTIL, 90, None, max_customers=300, first=CUT, seed=5)):
            again = whole.before(CUT).sample(most, 5)
            assert again.until == CUT
            if most <= 300:
                assert again.share == few.share
                assert_frame_equal(again.measures(CUT), few.measures(CUT), check_exact=True)
        assert few.before(CUT).sample(most, 5).timeline is few.timeline
    sizes = [set(ids) for ids in kept.values()]
    assert all(smaller <= larger for larger, smaller in pairwise(sizes))
    assert len(sizes[2]) > 50
    other = past_of(small_shop, UNTIL, 90, None, max_customers=200, first=CUT, seed=6)
    assert customers_of(other) != kept[200]
    assert other.tables.customers.height < 400


def test_what_was_computed_is_shared_by_earlier_looks_but_not_by_samples(small_shop):
    past = past_of(small_shop, UNTIL, 90, None)
    assert past.once("answer", lambda: 42) == past.before(CUT).once("answer", lambda: 43) == 42
    few = past.sample(100, 5)
    assert few.once("answer", lambda: 44) == 44
    assert past.sample(100, 5).timeline is few.timeline


@pytest.mark.slow
@pytest.mark.parametrize(("most", "first"), [(120, None), (120, CUT), (30, CUT), (10**6, None), (None, None)])
def test_single_orders_of_a_sample_are_enough_where_those_of_all_were_added_up(small_shop, most, first):
    summary = summarize_frame(small_shop.orders.single(), Terms(UNTIL, 90, None))
    sample = sample_of(small_shop.orders.single(), summary, Sampling(most, 5, first))
    added_up = replace(small_shop, orders=AggregatedOrders(summary, sample))
    one, other = (past_of(tables, UNTIL, 90, None, max_customers=most, first=first, seed=5) for tables in (small_shop, added_up))
    assert other.share == one.share == 0.5**sample.halvings
    for as_of in (UNTIL, CUT):
        assert_frame_equal(other.measures(as_of), one.measures(as_of), check_exact=True)
    # A sample for a later date is the smaller one; for an earlier date it is thinned.
    early = past_of(added_up, UNTIL, 90, None, max_customers=most, first=UNTIL, seed=5)
    assert_frame_equal(
        early.measures(UNTIL), past_of(small_shop, UNTIL, 90, None, max_customers=most, seed=5).measures(UNTIL), check_exact=True
    )


def test_an_old_export_does_not_teach_that_nobody_buys(small_shop):
    past = past_of(small_shop, date(2026, 7, 1), 90, None)
    assert past.end == date(2026, 7, 1)
    late = past_of(small_shop, date(2026, 7, 6), 90, None)
    assert late.end == date(2026, 7, 6)  # a few days without orders happen
    old = past_of(small_shop, date(2026, 9, 1), 90, None)
    assert old.end == date(2026, 7, 1)
    assert old.cuts(30, 30, 3) == past.cuts(30, 30, 3)
