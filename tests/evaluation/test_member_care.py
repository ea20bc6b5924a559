"""Whose complaint is open too long, and who broke the rules again."""

from datetime import date, datetime

import polars as pl

from segmenter.evaluation.member_care import list_breaches, list_complaints
from segmenter.tables import EVENTS, INVITED

UNTIL = date(2026, 7, 10)
PEOPLE = pl.DataFrame([{"customer_id": who, "group": "g", "agent": "Li"} for who in "abcde"], INVITED)


def events(*rows: tuple[str, str, datetime]) -> pl.DataFrame:
    return pl.DataFrame([{"customer_id": who, "kind": kind, "time": time} for who, kind, time in rows], EVENTS)


TOLD = events(
    ("a", "complaint", datetime(2026, 7, 8, 9)),
    ("a", "complaint", datetime(2026, 7, 9, 9)),
    ("b", "complaint", datetime(2026, 7, 8, 9)),
    ("b", "complaint_closed", datetime(2026, 7, 9, 9)),
    ("c", "complaint", datetime(2026, 7, 1, 9)),
    ("c", "complaint_closed", datetime(2026, 7, 2, 9)),
    ("c", "complaint", datetime(2026, 7, 3, 9)),  # again
    ("d", "complaint", datetime(2026, 7, 9, 0)),  # 24 hours, not more
    ("e", "complaint", datetime(2026, 7, 7, 9)),
    ("e", "complaint_closed", datetime(2026, 7, 10, 9)),  # not known by then
    ("stranger", "complaint", datetime(2026, 7, 1)),
    *(("a", "violation", datetime(2026, 7, day)) for day in (2, 5, 10)),
    *(("b", "violation", datetime(2026, 7, day)) for day in (9, 10)),
)


def test_complaints_that_nobody_has_closed_are_listed_the_oldest_first():
    found = list_complaints(PEOPLE, TOLD.reverse(), until=UNTIL, hours=24)
    assert found.select("customer_id", "opened", "hours").rows() == [
        ("c", datetime(2026, 7, 3, 9), 159),
        ("e", datetime(2026, 7, 7, 9), 63),
        ("a", datetime(2026, 7, 8, 9), 39),
    ]
    assert list_complaints(PEOPLE, TOLD.clear(), until=UNTIL, hours=24).is_empty()


def test_who_broke_the_rules_twice_before_the_date_is_listed():
    found = list_breaches(PEOPLE, TOLD, until=UNTIL, times=2)
    assert found.rows() == [("a", "g", "Li", 2, date(2026, 7, 5))]
    assert list_breaches(PEOPLE, TOLD, until=UNTIL, times=1)["customer_id"].to_list() == ["a", "b"]
    assert list_breaches(PEOPLE, TOLD, until=UNTIL, times=None).is_empty()
