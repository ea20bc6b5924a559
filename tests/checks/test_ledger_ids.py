"""The ledger's people under the ids that the tables have now."""

from datetime import date, datetime

import polars as pl
import pytest

from segmenter.checks.ledger_ids import known_ids, recognize_invited, with_launches
from segmenter.measures.shop_orders import SingleOrders
from segmenter.tables import EVENTS, INVITED, ORDERS, PRECEDENTS, REFERRALS, REJECTS, PastLaunches, Tables

AS_OF = date(2026, 7, 1)


def invited(*ids, launch="spring", **more):
    row = {"launch": launch, "as_of": date(2026, 5, 1), "in_plan": True, "status": "planned", **more}
    return pl.DataFrame([row | {"customer_id": name} for name in ids], schema=INVITED)


def told(frame, known, *, sure=True):
    found, findings = recognize_invited(frame, pl.Series(known), since=date(2026, 1, 1), sure=sure)
    return found["customer_id"].to_list(), [(finding.level, finding.message.code) for finding in findings]


def test_who_is_written_otherwise_is_recognised_and_said():
    assert told(invited("00001", "00002"), ["1", "2", "3"]) == (["1", "2"], [("warning", "ids.recognised")])
    assert told(invited("Ann@b.com", "c@d.com"), ["ann@b.com", "c@d.com"])[0] == ["ann@b.com", "c@d.com"]
    assert told(invited("1", "2"), ["1", "2"]) == (["1", "2"], [])


def test_zeros_are_not_lost_where_others_have_them():
    assert told(invited("007", "008"), ["007", "8"])[0] == ["007", "008"]


@pytest.mark.parametrize(("known", "stops"), [("abcdef", False), ("abcxyz", False), ("abxyzw", True), ("uvwxyz", True)])
def test_a_launch_of_strangers_stops(known, stops):
    _, findings = told(invited(*"abcdef"), list(known))
    assert findings == ([("stop", "ids.ledger_unknown")] if stops else [])


def test_where_it_is_not_sure_or_long_ago_nothing_stops():
    assert told(invited(*"abcdef"), ["x"], sure=False)[1] == [("warning", "ids.ledger_silent")]
    assert told(invited(*"abcdef", as_of=date(2024, 5, 1)), ["x"])[1] == []
    assert told(invited(*"abc"), ["x"])[1] == []


def test_two_ids_of_one_customer_become_one():
    both = pl.concat([invited("A1"), invited("a1 ", answer="joined")])
    found, _ = recognize_invited(both, pl.Series(["a1"]), since=AS_OF, sure=True)
    assert found.select("customer_id", "answer").rows() == [("a1", "joined")]


def test_rules_see_earlier_launches_under_the_shops_ids():
    row = {"time": datetime(2026, 6, 1), "amount": 1, "is_order": True}
    orders = SingleOrders(pl.DataFrame([row | {"customer_id": name} for name in ("1", "2")], schema=ORDERS))
    tables = Tables(orders, None, EVENTS.to_frame(), REFERRALS.to_frame(), None, REJECTS.to_frame(), {})
    assert sorted(known_ids(tables, AS_OF)) == ["1", "2"]
    precedents = pl.DataFrame(
        [("001", None, 1, True, False, *[None] * 4), ("01", date(2026, 5, 1), 1, False, False, *[None] * 4)], PRECEDENTS, orient="row"
    )
    found = with_launches(tables, PastLaunches(precedents, invited("001")), AS_OF)
    assert found.launches.customers.rows() == [("1", date(2026, 5, 1), 2, True, False, *[None] * 4)]
    assert with_launches(tables, None, AS_OF).launches is None
