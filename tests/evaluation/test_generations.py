"""Who came through whom: nobody is lost or counted twice, no circle stands, and a figure comes with its interval."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.evaluation.generations import Generations, trace_generations
from segmenter.launch_record import LaunchRecord
from segmenter.tables import INVITED, ORDERS, REFERRALS

BEGAN, UNTIL = date(2026, 7, 1), date(2026, 7, 31)
LAUNCH = LaunchRecord("spring", "tea", BEGAN, 30, None, "CNY")


def people(*rows: dict[str, object]) -> pl.DataFrame:
    usual = {"status": "planned", "in_plan": True, "group": "g1", "answer": "joined", "answered_on": BEGAN + timedelta(days=1)}
    frame = pl.DataFrame([usual | {"spend": 100} | row for row in rows], {**INVITED, "spend": pl.Int64()})
    return frame.with_columns(joined=(pl.col("answer") == "joined").fill_null(value=False))


def trace(spent: pl.DataFrame, **more: object) -> Generations:
    found = trace_generations(spent, LAUNCH, **{"until": UNTIL, "settled_days": 14} | more)  # type: ignore[arg-type]
    assert found is not None
    return found


def of(found: Generations, name: str) -> dict[str, object]:
    return dict(found.people.select("customer_id", name).rows())


UNASKED = {"status": None, "in_plan": False}


def test_members_stand_in_the_generation_in_which_they_came():
    found = trace(
        people(
            {"customer_id": "k", "brings": 3.0},
            {"customer_id": "a", "brought_by": "k", **UNASKED, "group": "g2"},
            {"customer_id": "b", "brought_by": "a", **UNASKED},
            {"customer_id": "u", **UNASKED},  # by themselves
            {"customer_id": "v", "brought_by": "u", **UNASKED},
            {"customer_id": "w", "brought_by": "somebody of the shop", **UNASKED},
            {"customer_id": "n", "brought_by": "k", "answer": "refused"},  # no member
        )
    )
    assert of(found, "generation") == {"a": 1, "b": 2, "k": 0, "u": None, "v": 1, "w": 1}
    assert found.counts.rows() == [(0, 1, 1, 100), (1, 3, 3, 300), (2, 1, 1, 100), (None, 1, 1, 100)]
    assert found.key_users.select("customer_id", "brings", "joined", "through", "new").rows() == [("k", 3.0, True, 2, 0)]
    assert (found.brought, found.outside, found.circles) == (4, 1, 0)
    assert found.bridges.rows() == [("a", "g2", "g1, g2", 1), ("k", "g1", "g1, g2", 1)]


def test_whoever_came_through_several_key_users_counts_for_the_nearest():
    found = trace(
        people(
            {"customer_id": "k", "brings": 5.0},
            {"customer_id": "l", "brings": 2.0, "brought_by": "m"},
            {"customer_id": "m", "brought_by": "k"},
            {"customer_id": "n", "brought_by": "l"},
        )
    )
    assert found.key_users.select("customer_id", "through").rows() == [("k", 2), ("l", 1)]
    assert of(found, "through") == {"k": 2, "l": 1, "m": 2, "n": 0}
    assert found.through == 3
    assert found.expected is not None
    assert found.expected.low <= 3 <= found.expected.high


def test_referrals_say_it_where_no_answer_does_and_only_of_who_was_a_member_by_then():
    rows = [
        {"customer_id": "a"},
        {"customer_id": "b", "answered_on": BEGAN + timedelta(days=9), **UNASKED},
        {"customer_id": "c", "answered_on": BEGAN + timedelta(days=9), "brought_by": "b", **UNASKED},
        {"customer_id": "d", "answered_on": BEGAN, **UNASKED},
        {"customer_id": "e", "answer": None, "answered_on": None},
    ]
    day = datetime(2026, 7, 5)
    referred = [("a", "b", day), ("a", "c", day), ("a", "d", day), ("a", "new", day), ("a", "lurks", day), ("e", "x", day)]
    referred += [("a", "old", datetime(2026, 6, 1)), ("c", "b", datetime(2026, 7, 2)), ("a", "later", datetime(2026, 8, 5))]
    bought = [("new", day), ("lurks", datetime(2026, 8, 3)), ("x", day), ("b", datetime(2025, 1, 1)), ("b", day)]
    orders = pl.DataFrame([{"customer_id": who, "time": at, "amount": 5, "is_order": True} for who, at in bought], ORDERS)
    found = trace(people(*rows), orders=orders, referrals=pl.DataFrame(referred, REFERRALS, orient="row"))
    assert of(found, "brought_by") == {"a": None, "b": "a", "c": "b", "d": None}  # who was there before a was not brought by a
    assert (found.new, found.new_customers) == (4, 1)  # who have had no order before: two are members without any, one will order
    assert trace_generations(people({"customer_id": "a"}), LAUNCH, until=UNTIL, settled_days=14) is None


def test_whoever_is_new_to_the_shop_counts_for_the_key_user_through_whom_they_came():
    rows = {"customer_id": "k", "brings": 5.0}, {"customer_id": "a", "brought_by": "k"}, {"customer_id": "m", "brought_by": "a"}
    day = datetime(2026, 7, 9)
    friends = pl.DataFrame([("a", "x", day), ("k", "y", day), ("m", "k", day)], REFERRALS, orient="row")
    found = trace(people(*rows), referrals=friends)
    assert found.key_users.select("through", "new").rows() == [(2, 2)]
    assert found.through == 4
    alone = trace(people(rows[0]), referrals=friends)  # no member brought, but somebody new
    assert alone.key_users.select("through", "new").rows() == [(0, 1)]


def test_newcomers_count_among_the_generations_and_in_no_sales():
    new = pl.DataFrame({"customer_id": ["new 1"], "brought_by": ["a"], "answered_on": [BEGAN + timedelta(days=3)], "group": ["g2"]})
    found = trace(people({"customer_id": "a"}), newcomers=new)
    assert found.counts.rows() == [(0, 1, 1, 100), (1, 1, 0, 0)]
    assert found.bridges["customer_id"].to_list() == ["a"]


@pytest.mark.parametrize(("children", "grows"), [(0, False), (2, True)])
def test_the_reproduction_number_tells_growth_from_an_end(children, grows):
    rows = [{"customer_id": f"k{at:02}"} for at in range(40)]
    late = BEGAN + timedelta(days=25)
    rows += [{"customer_id": f"k{at:02}f{n}", "brought_by": f"k{at:02}", "answered_on": late} for at in range(40) for n in range(children)]
    found = trace(people(*rows, {"customer_id": "z", "brought_by": "k00", "answered_on": late}))
    assert found.settled == 40
    assert found.reproduction is not None
    assert found.reproduction.mean == pytest.approx(children + 1 / 40)
    assert (found.reproduction.low > 1, found.reproduction.high < 1) == (grows, not grows)
    assert trace(people(*rows, {"customer_id": "z", "brought_by": "k00"}), settled_days=60).reproduction is None


NAMES = "abcdefgh"
LINKS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([*NAMES, "outside", None]), min_size=1)


@given(LINKS, st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)), st.randoms())
def test_generations_add_up_sales_are_kept_and_no_circle_survives(links, invited, key_users, random):
    rows = [
        {"customer_id": who, "brought_by": by, "spend": 10**at, "brings": 2.0 if who in key_users else None}
        | ({} if who in invited | key_users else UNASKED)
        for at, (who, by) in enumerate(links.items())
    ]
    spent = people(*rows)
    found = trace_generations(spent, LAUNCH, until=UNTIL, settled_days=0)
    if found is None:
        assert not any(links.values())
        return
    assert found.counts["members"].sum() == len(links)
    assert found.counts["spend"].sum() == spent["spend"].sum()
    by = {who: bringer for who, bringer in of(found, "brought_by").items() if bringer is not None}
    for who in by:
        seen, at = set(), who
        while at in by:
            assert at not in seen
            seen.add(at)
            at = by[at]
    assert len(by) + found.circles == sum(bringer is not None for bringer in links.values())
    of_members = sum(bringer in links for bringer in by.values())
    assert found.people["brought"].sum() == of_members == len(by) - found.outside
    assert found.key_users["through"].sum() <= len(by)
    random.shuffle(rows)
    again = trace_generations(people(*rows), LAUNCH, until=UNTIL, settled_days=0)
    assert again is not None
    assert again.people.equals(found.people)
    assert (again.key_users.equals(found.key_users), again.bridges.equals(found.bridges)) == (True, True)
    assert (again.expected, again.reproduction) == (found.expected, found.reproduction)
