from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from segmenter import tables
from segmenter.errors import InputError
from segmenter.measures import measure
from segmenter.measures.shop_orders import AggregatedOrders, SingleOrders
from segmenter.tables import Tables, Terms

AS_OF = date(2026, 7, 1)
MIDNIGHT = datetime(2026, 7, 1)

moments = st.integers(-200 * 86_400, 3 * 86_400).map(lambda seconds: MIDNIGHT + timedelta(seconds=seconds))
orders = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from([None, "1", "2", "3"]),
        moments,
        st.integers(-(10**12), 10**12),
        st.booleans(),
        st.sampled_from([None, "四川", "云南"]),
    ),
    max_size=30,
)
events = st.lists(st.tuples(st.sampled_from("abd"), st.sampled_from(["visit", "评价"]), moments), max_size=20)


def shop(orders, events=(), customers=None, referrals=()):
    rows = [(who, order, when, amount, max(-amount, 0), placed, where, None, None) for who, order, when, amount, placed, where in orders]
    return Tables(
        orders=SingleOrders(pl.DataFrame(rows, schema=tables.ORDERS, orient="row")),
        customers=customers,
        events=pl.DataFrame(list(events), schema=tables.EVENTS, orient="row"),
        referrals=pl.DataFrame(list(referrals), schema=tables.REFERRALS, orient="row"),
        contacts=None,
        rejects=tables.REJECTS.to_frame(),
        reads={},
    )


def people(*ids, **columns):
    frame = {
        "customer_id": ids,
        "province": None,
        "city": None,
        "district": None,
        "joined": None,
        "do_not_contact": False,
        "blocked": False,
        "staff": False,
    } | columns
    return pl.DataFrame(
        [
            pl.Series(name, values if isinstance(values, tuple | list) else [values] * len(ids), dtype=tables.CUSTOMERS.get(name))
            for name, values in frame.items()
        ]
    )


def by_hand(orders, half_life, window):
    """The definitions again, one customer and one order at a time, in exact fractions."""
    found = {}
    mine = defaultdict(list)
    for who, order, when, amount, placed, where in orders:
        if when < MIDNIGHT:
            mine[who].append(((AS_OF - when.date()).days, when, order, amount, placed, where))
    for who, rows in mine.items():
        placed = [row for row in rows if row[4]]
        days = [row[0] for row in placed]
        named = [row for row in rows if row[5] is not None]
        latest = max(named, key=lambda row: (row[4], row[1], row[5]), default=None)
        spend = sum(row[3] for row in rows)
        found[who] = {
            "customer_id": who,
            "province": latest and latest[5],
            "spend": spend,
            "spend_window": sum(row[3] for row in rows if row[0] <= window),
            "refunds": sum(max(-row[3], 0) for row in rows),
            "orders": len(placed),
            "days_since_order": min(days, default=None),
            "average_order": round(Fraction(spend, len(days))) if days else None,
            "average_gap_days": (max(days) - min(days)) / (len(days) - 1) if len(days) > 1 else None,
            "decayed_spend": sum(row[3] * round(65536 * 2 ** (-row[0] / half_life)) for row in rows) // 65536,
            "spend_30d": sum(row[3] for row in rows if row[0] <= 30),
            "orders_30d_before": sum(30 < day <= 60 for day in days),
            "spend_90d_before": sum(row[3] for row in rows if 90 < row[0] <= 180),
            "orders_90d": sum(day <= 90 for day in days),
        }
    return [found[who] for who in sorted(found)]


@given(orders, st.sampled_from([7.0, 90.0]), st.sampled_from([1, 45, 365]))
def test_measures_are_the_definitions(orders, half_life, window):
    expected = by_hand(orders, half_life, window)
    frame = measure(shop(orders), as_of=AS_OF, half_life_days=half_life, window_days=window)
    assert frame.height == len(expected)
    if expected:
        got = frame.select(list(expected[0])).to_dicts()
        for row, wanted in zip(got, expected, strict=True):
            # The average passes through a float: exact to 2^53 minor units.
            assert abs((row.pop("average_order") or 0) - (wanted.pop("average_order") or 0)) <= 1
            assert row == wanted
    assert frame["customer_id"].is_sorted()
    assert (frame["spend"] == frame["spend_window"] + frame["spend_outside"]).all()


@pytest.mark.slow
@given(orders, events, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_neither_row_order_nor_the_future_changes_anything(orders, events, random):
    before = measure(shop(orders, events), as_of=AS_OF, half_life_days=90)
    future = [("z", "9", MIDNIGHT, 5, True, "西藏"), ("a", "9", MIDNIGHT + timedelta(days=400), -5, False, "西藏")]
    orders, events = [*orders, *future], [*events, ("a", "unheard of", MIDNIGHT)]
    random.shuffle(orders)
    random.shuffle(events)
    assert_frame_equal(measure(shop(orders, events), as_of=AS_OF, half_life_days=90), before)


def test_the_day_before_counts_one_even_a_second_before_midnight():
    rows = [("a", "1", MIDNIGHT - timedelta(seconds=1), 100, True, None), ("b", "2", datetime(2026, 6, 30), 100, True, None)]
    assert measure(shop(rows), as_of=AS_OF, half_life_days=90)["days_since_order"].to_list() == [1, 1]


def test_a_brand_without_sales_has_customers_by_their_table_and_events():
    customers = people("a", "b", "c", joined=[date(2026, 6, 1), None, date(2026, 7, 1)])
    frame = measure(shop([], [("a", "visit", datetime(2026, 6, 20, 9))], customers), as_of=AS_OF, half_life_days=90)
    columns = ["customer_id", "spend", "orders", "days_since_order", "events_visit", "days_since_activity", "days_known"]
    assert frame.select(columns).rows() == [("a", 0, 0, None, 1, 11, 30), ("b", 0, 0, None, 0, None, None)]  # c joins on the day itself


def test_complaints_and_violations_are_no_activity():
    did = [("a", kind, datetime(2026, 6, 29, 9)) for kind in ("complaint", "complaint_closed", "violation")]
    frame = measure(
        shop([("a", "1", datetime(2026, 6, 1), 100, True, None)], [*did, ("a", "visit", datetime(2026, 6, 11))]),
        as_of=AS_OF,
        half_life_days=90,
    )
    assert frame.select("events", "events_violation", "days_since_event", "days_since_activity").rows() == [(4, 1, 20, 20)]
    only = measure(shop([("a", "1", datetime(2026, 6, 1), 100, True, None)], did), as_of=AS_OF, half_life_days=90)
    assert only.select("events", "days_since_event", "days_since_activity").rows() == [(3, None, 30)]


def test_someone_who_joined_later_but_had_ordered_is_a_customer_without_that_date():
    customers = people("a", joined=[date(2026, 8, 1)])
    frame = measure(shop([("a", "1", datetime(2026, 6, 30), 100, True, None)], customers=customers), as_of=AS_OF, half_life_days=90)
    assert frame.select("customer_id", "joined", "days_known").rows() == [("a", None, 1)]


def test_the_customer_s_own_region_goes_before_the_orders():
    customers = people("a", "b", province=["广东省", None], city=[None, None])
    rows = [(who, "1", datetime(2026, 6, 30), 100, True, "四川") for who in "ab"]
    assert measure(shop(rows, customers=customers), as_of=AS_OF, half_life_days=90)["province"].to_list() == ["广东省", "四川"]


def test_sums_of_the_largest_amounts_do_not_wrap_around():
    rows = [("a", str(number), datetime(2026, 6, 30), 10**12, True, None) for number in range(300)]
    frame = measure(shop(rows), as_of=AS_OF, half_life_days=90)
    assert frame["spend"].item() == 300 * 10**12
    assert 0 < frame["decayed_spend"].item() <= 300 * 10**12


def test_an_attribute_may_not_be_called_like_a_measure():
    with pytest.raises(InputError, match=r"data\.customers\.attributes: score, spend"):
        measure(shop([], customers=people("a").with_columns(score=pl.lit("x"), spend=pl.lit("x"))), as_of=AS_OF, half_life_days=90)


def test_friends_are_counted_once_and_only_from_before():
    referrals = [("a", "x", datetime(2026, 6, 1)), ("a", "x", None), ("a", "y", MIDNIGHT), ("a", "a", None)]
    frame = measure(shop([], customers=people("a", "b"), referrals=referrals), as_of=AS_OF, half_life_days=90)
    assert frame["referrals"].to_list() == [1, 0]


def test_what_a_summary_says_is_not_copied():
    rows = [(f"C{number:05}", None, MIDNIGHT - timedelta(days=number % 300 + 1), number, True, "四川") for number in range(50_000)]
    orders = SingleOrders(shop(rows).orders.single())
    summary = AggregatedOrders(orders.summary(Terms(AS_OF, 90, None)))
    frame = measure(replace(shop(()), orders=summary), as_of=AS_OF, half_life_days=90)
    addresses = [values["spend"].to_numpy().ctypes.data for values in (frame, summary.aggregate.frame)]
    assert addresses[0] == addresses[1]
    assert set(frame.n_chunks("all")) == {1}
    assert frame["province"].to_list() == ["四川"] * 50_000
