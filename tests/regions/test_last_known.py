"""The last known levels fit each other, and what is newer stands."""

import itertools
import random
from datetime import date, datetime

import polars as pl
import pytest

from segmenter.measures import measure
from segmenter.measures.shop_orders import SingleOrders
from segmenter.regions import resolve_places
from segmenter.regions.last_known import last_known
from segmenter.tables import APART, CUSTOMERS, EVENTS, LEVELS, ORDERS, REFERRALS, REJECTS, Tables

AS_OF = date(2026, 7, 1)
NOWHERE = (None, None, None)
MIANYANG = ("四川省", "绵阳市", "涪城区")


def places(cases):
    """Give the place of people whose orders tell these levels, one a day, and whose row in the customers table tells `own`."""
    rows = [
        (f"{who:06}", None, datetime(2026, 6, day), 100, 0, True, *place)
        for who, (told, _) in enumerate(cases)
        for day, place in enumerate(told, 1)
    ]
    people = [(f"{who:06}", *own, None, False, False, False) for who, (_, own) in enumerate(cases)]
    orders = SingleOrders(pl.DataFrame(rows, schema=ORDERS, orient="row"))
    customers = pl.DataFrame(people, schema=CUSTOMERS, orient="row")
    tables = Tables(orders, customers, EVENTS.to_frame(), REFERRALS.to_frame(), None, REJECTS.to_frame(), {})
    frame = measure(tables, as_of=AS_OF, half_life_days=90)
    assert APART not in frame.columns
    return frame.sort("customer_id").select(LEVELS).rows()


def places_of(*told, own=NOWHERE):
    return places([(told, own)])[0]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # A latest order that names less takes nothing away.
        ([MIANYANG, (None, None, None)], MIANYANG),
        ([MIANYANG, ("四川省", None, None)], MIANYANG),
        ([MIANYANG, ("四川", None, None)], ("四川", "绵阳市", "涪城区")),  # another spelling
        ([MIANYANG, ("Sichuan", None, None)], ("Sichuan", "绵阳市", "涪城区")),
        ([MIANYANG, (None, "绵阳", None)], ("四川省", "绵阳", "涪城区")),
        ([MIANYANG, (None, None, "涪城区")], MIANYANG),
        ([(None, "绵阳", None), ("四川", None, None)], ("四川", "绵阳", None)),
        ([("United Kingdom", "London", None), ("United Kingdom", None, None)], ("United Kingdom", "London", None)),
        # Who has moved is where the newest order says, and what is older and lies elsewhere is not known any more.
        ([MIANYANG, ("广东", None, None)], ("广东", None, None)),
        ([MIANYANG, ("四川", "成都", None)], ("四川", "成都", None)),
        ([MIANYANG, (None, "广州", None)], (None, "广州", None)),
        ([("广东", None, None), (None, "绵阳", None)], (None, "绵阳", None)),
        ([("广东", "广州", None), (None, None, "涪城区")], (None, None, "涪城区")),
        ([("四川", "成都", None), ("四川", None, "涪城区")], ("四川", None, "涪城区")),
        ([("四川", "成都", None), (None, None, "涪城区"), ("四川", None, None)], ("四川", None, "涪城区")),
        ([("广东", "广州", None), (None, None, "涪城区"), ("广东", None, None)], ("广东", "广州", None)),
        ([("United Kingdom", "London", None), ("France", None, None)], ("France", None, None)),
        # A name of several places, from elsewhere, is not taken for the one of that name here.
        ([("北京", "北京", "通州区"), ("江苏", None, None)], ("江苏", None, None)),
        ([("北京", "通州", None), ("江苏", None, None)], ("江苏", None, None)),
        ([("四川", "成都", "高新区"), ("四川", "绵阳", None)], ("四川", "绵阳", None)),
        ([("四川", None, None), (None, "深圳", "南山区")], (None, "深圳", "南山区")),
        ([("四川", "绵阳", None), (None, "深圳", "南山区")], (None, "深圳", "南山区")),
        ([("北京", "北京", "通州区"), ("江苏", "南通", None)], ("江苏", "南通", None)),
        # What the table does not know stays beside what was known.
        ([("United Kingdom", "London", None), (None, "Leeds", None)], ("United Kingdom", "Leeds", None)),
        ([("四川", "成都", None), (None, None, "某某园区")], ("四川", "成都", "某某园区")),
    ],
    ids=str,
)
def test_what_is_newer_stands_and_what_is_older_where_it_fits(told, expected):
    assert places_of(*told) == expected


@pytest.mark.parametrize(
    ("own", "told", "expected"),
    [
        ((None, None, None), [MIANYANG], MIANYANG),
        (("四川", None, None), [MIANYANG], ("四川", "绵阳市", "涪城区")),
        (("四川省", None, None), [MIANYANG, ("四川省", "成都市", None)], ("四川省", "成都市", None)),
        (("广东", None, None), [MIANYANG], ("广东", None, None)),
        (("广东", "广州", None), [MIANYANG], ("广东", "广州", None)),
        ((None, "广州", None), [MIANYANG], (None, "广州", None)),
        ((None, "绵阳市", None), [MIANYANG], MIANYANG),
        ((None, None, "天河区"), [MIANYANG], (None, None, "天河区")),
        (("四川", None, "武侯区"), [MIANYANG], ("四川", None, "武侯区")),
        ((None, "成都", "武侯区"), [MIANYANG], ("四川省", "成都", "武侯区")),
        ((None, None, "天河区"), [("广东", "广州", "天河区"), ("北京", None, None)], (None, None, "天河区")),
        (("北京", None, "通州区"), [("北京", None, None), (None, "南通", "通州区")], ("北京", None, "通州区")),
        ((None, None, "通州区"), [("北京", "北京", "通州区"), ("四川", None, None)], ("四川", None, "通州区")),
    ],
    ids=str,
)
def test_the_customers_table_is_the_newest(own, told, expected):
    assert places_of(*told, own=own) == expected


NAMES = [
    *(MIANYANG, ("四川", "成都", "武侯区"), ("Guangdong", "Guangzhou", "天河区"), ("广东", "深圳", "南山区")),
    *(("江苏", "南通", "通州区"), ("北京", "北京", "通州区"), ("北京市", "北京市", "朝阳区"), ("吉林", "长春", "朝阳区")),
    *(("海南", "海口", "龙华区"), ("广东", "深圳", "龙华区"), ("UK", "London", None), ("四川", "某地", None)),
]
MASKS = itertools.product([True, False], repeat=3)
TOLD = sorted({tuple(name if said else None for name, said in zip(place, mask, strict=True)) for mask in MASKS for place in NAMES}, key=str)


def read(*places):
    frame = pl.DataFrame(places, schema=dict.fromkeys(LEVELS, pl.String), orient="row")
    return resolve_places(frame.with_columns(address=pl.lit(None, pl.String))).rows()


def check_newest(cases):
    found = places(cases)
    newest = [next((place for place in (own, *reversed(told)) if any(place)), NOWHERE) for told, own in cases]
    different = list({*found, *newest})
    meant = dict(zip(different, read(*different), strict=True))
    for case, last, place in zip(cases, newest, found, strict=True):
        assert all(name in (None, there) for name, there in zip(last, place, strict=True)), (case, place)
        (*said, sure), (*there, _) = meant[last], meant[place]
        if sure:
            assert all(lies in (None, name) for name, lies in zip(said, there, strict=True) if name is not None), (case, place)


@pytest.mark.slow
def test_nobody_is_taken_to_be_elsewhere_than_the_newest_order_says():
    check_newest([((older, newer), NOWHERE) for older in TOLD for newer in TOLD])
    check_newest([((older,), own) for older in TOLD for own in TOLD])
    chance = random.Random(1)
    check_newest([(chance.choices(TOLD, k=chance.randint(2, 5)), chance.choice(TOLD)) for _ in range(20_000)])


@pytest.mark.slow
def test_nobody_is_taken_to_be_elsewhere_whatever_three_places_say():
    check_newest([((oldest, older), own) for oldest in TOLD for older in TOLD for own in TOLD])


def test_rows_keep_their_order_and_other_columns():
    rows = [("b", *MIANYANG, 0), ("a", "广东", "绵阳市", None, 1), ("c", None, None, None, 0)]
    frame = pl.DataFrame(rows, schema=["customer_id", *LEVELS, APART], orient="row")
    assert last_known(frame).rows() == [("b", *MIANYANG), ("a", "广东", None, None), ("c", None, None, None)]
