"""Who may bring whom to a launch: whose reach counts and for how much, new friends, and what each reaches alone."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmenter
from segmenter.evaluation.as_of import launch_snapshot
from segmenter.spread import choose_key_users, make_graph
from segmenter.spread.launch_spread import EdgeChances, LaunchSpread, expected_friends, launch_spread, reach_of_each
from segmenter.tables import PastLaunches

SHOP = {
    "orders": pl.DataFrame(
        {
            "customer_id": ["a", "b", "c", "c", "till"],
            "time": ["2026-06-01", "2026-06-10", "2026-04-15", "2026-06-20", "2026-06-30"],
            "amount": [90, 45, 10, 20, 9_000],
        }
    ),
    "ties": pl.DataFrame({"from_id": ["a", "a", "b", "till", "a"], "to_id": ["b", "z", "c", "a", "till"]}),
}


def spread_of(raw=SHOP, value=None, members=(), **overrides):
    given = {"launch.as_of": "2026-07-01", "data.orders.not_customers": ["till"], "rules.orders.min": 1, "spread": "referrals"}
    asked = segmenter.launch_settings({**given, **overrides})
    tables = segmenter.canonical_tables(raw, asked.data, asked.launch)
    if members:
        at = {"launch": "spring", "community": asked.launch.community, "as_of": date(2026, 4, 1), "ends_on": date(2026, 5, 1)}
        rows = [{**at, "customer_id": who, "answer": "joined", "answered_on": date(2026, 4, 3)} for who in members]
        tables = replace(tables, launches=PastLaunches(pl.DataFrame(), pl.DataFrame(rows)))
    customers = launch_snapshot(replace(tables, launches=None), asked).customers
    return launch_spread(customers, tables, asked, value=value)


def column(spread, name):
    return dict(spread.people.select("person", name).rows())


def test_customers_whom_the_rules_allow_count_and_people_who_are_none_yet():
    found = spread_of()
    newcomer = 16_500 * 30 / (30 + 21 + 77)  # a shop of three: what all spent, for the days that it took them
    assert column(found, "eligible") == {"a": True, "b": True, "c": True, "till": False, "z": False}
    assert column(found, "value") == pytest.approx({"a": 3_000, "b": 1_500, "c": 1_000, "till": 0, "z": newcomer})
    assert found.chances.edges.select("from_id", "to_id").rows() == [("a", "b"), ("a", "z"), ("b", "c")]
    few = spread_of(**{"rules.orders.min": 2})
    assert column(few, "eligible") == {"a": False, "b": False, "c": True, "till": False, "z": False}
    assert {who for who, value in column(few, "value").items() if value} == {"c", "z"}
    assert set(column(spread_of(**{"spread.value": "people"}), "value").values()) == {0.0, 1.0}


def test_what_a_ranking_expects_counts_where_it_is_more_than_nothing():
    found = spread_of(value=pl.Series([500, -10, None, 3], dtype=pl.Int64))
    assert [column(found, "value")[who] for who in ("a", "b", "c", "till")] == [500, 0, 0, 0]


def test_members_are_reached_already():
    found = spread_of(members=["b", "z"])
    assert found.chances.edges.select("from_id", "to_id").rows() == [("b", "c")]
    assert column(found, "value")["b"] == 0
    assert column(spread_of(members=["z"], **{"spread.value": "people"}), "value")["a"] == 1


def test_new_customers_are_worth_what_such_have_spent_in_their_first_days():
    new = [(f"n{number:02}", "2026-06-05", 10 + number % 3) for number in range(60)]
    old = [("old", "2026-01-05", 5_000), ("day", "2026-06-30", 7_000)]
    orders = pl.DataFrame([*new, *old], schema=["customer_id", "time", "amount"], orient="row")
    brought = [(f"n{number:02}", "old", "2026-06-05") for number in range(0, 60, 2)]
    referrals = pl.DataFrame(brought, schema=["friend_id", "customer_id", "time"], orient="row")
    worth = [
        column(spread_of({"orders": orders, **more}), "newcomer")["old"] for more in ({"referrals": referrals}, {"ties": SHOP["ties"]})
    ]
    by_referral = [amount for number, (_, _, amount) in enumerate(new) if number % 2 == 0]
    assert worth == pytest.approx([100 * sum(by_referral) / 30, 100 * sum(amount for *_, amount in new) / 60])
    friends = column(spread_of({"orders": orders, "referrals": referrals}), "friends")
    assert friends["old"] > 1 > friends["n01"] > 0


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 900)), min_size=1, max_size=40), st.integers(1, 90))
@settings(deadline=None, max_examples=50)
def test_rates_of_new_friends_lie_between_their_own_and_that_of_all(rows, horizon):
    customers = pl.DataFrame(rows, schema={"referrals": pl.Int32, "days_known": pl.Int32}, orient="row")
    friends, usual = expected_friends(customers, horizon)
    own = (customers["referrals"] / customers["days_known"] * horizon).to_numpy()
    assert np.isfinite(friends.to_numpy()).all()
    low, high = np.minimum(own, usual), np.maximum(own, usual)
    assert ((friends.to_numpy() >= low * (1 - 1e-9)) & (friends.to_numpy() <= high * (1 + 1e-9))).all()
    again, _ = expected_friends(customers.reverse(), horizon)
    assert again.to_list() == friends.to_list()[::-1]


def test_days_before_the_first_referral_do_not_count_and_unknown_ones_are_the_usual():
    customers = pl.DataFrame({"referrals": [4, 0, 0], "days_known": [2_000, 2_000, None]})
    assert expected_friends(customers, 30, 100)[0][0] > 5 * expected_friends(customers, 30)[0][0]
    assert expected_friends(customers, 30)[0].is_not_null().all()
    assert expected_friends(customers.head(0), 30)[1] == 0


def made(edges, values, eligible=True):
    graph = make_graph(
        pl.DataFrame(edges, schema={"from_id": pl.String, "to_id": pl.String, "chance": pl.Float64}, orient="row"), values["person"]
    )
    people = values.with_columns(eligible=pl.lit(eligible))
    return LaunchSpread(graph, people, EdgeChances(pl.DataFrame(), False, 0, 0), "people")


def test_what_each_reaches_alone_is_what_the_cascade_says():
    values = pl.DataFrame({"person": ["a", "b", "c", "d"], "value": [1.0, 2.0, 4.0, 8.0]})
    spread = made([("a", "b", 0.5), ("b", "c", 0.5), ("a", "c", 0.2), ("c", "c", 1.0)], values)
    through = 1 - (1 - 0.5 * 0.5) * (1 - 0.2)
    found = reach_of_each(spread, 3)
    assert found["reach"].to_list() == pytest.approx([1 + 0.5 * 2 + through * 4, 2 + 0.5 * 4, 4, 8], rel=0.02)
    assert found["brings"].to_list()[2:] == [0, 0]
    assert reach_of_each(made([], values, eligible=False), 3)["reach"].null_count() == 4


@pytest.mark.parametrize("people", [[], ["a"]])
def test_nobody_and_one_alone(people):
    values = pl.DataFrame({"person": people, "value": [1.0] * len(people)}, schema={"person": pl.String, "value": pl.Float64})
    assert reach_of_each(made([], values), 1)["reach"].to_list() == values["value"].to_list()
    assert reach_of_each(made([], values.with_columns(value=0.0)), 1)["reach"].to_list() == [0.0] * len(people)


@pytest.mark.slow
def test_the_same_whatever_the_threads_and_the_order_of_rows(monkeypatch):
    raw = {name: frame.sample(fraction=1, shuffle=True, seed=5) for name, frame in SHOP.items()}
    one, other = spread_of(), spread_of(raw)
    assert one.people.equals(other.people)
    assert one.chances.edges.equals(other.chances.edges)
    reach = reach_of_each(one, 7)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert reach.equals(reach_of_each(other, 7))
    assert choose_key_users(one.graph, 5, one.people, seed=1).chosen.height == 3  # as many as are eligible
