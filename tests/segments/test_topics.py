"""Topics: what is planted is found, is the same a month later and in any order, and what is odd has its message."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from sklearn.metrics import adjusted_rand_score

import segmenter
from segmenter.demo.shop import simulate
from segmenter.errors import ConfigError, InputError
from segmenter.launch_stages import plan_launch
from segmenter.segments.fitted import Fitted
from segmenter.segments.topics import count_interests, find_topics
from segmenter.tables import EVENTS, SPENDING

AS_OF = date(2026, 7, 1)
NO_EVENTS = EVENTS.to_frame()


def asked(**changes):
    return segmenter.launch_settings({f"topics.{key}": value for key, value in changes.items()}).topics


def spent(*rows):
    return pl.DataFrame([(who, datetime(2026, 6, 1), amount, category) for who, amount, category in rows], SPENDING, orient="row")


def interests(spending, events=NO_EVENTS, kinds=()):
    return count_interests(spending, events, kinds, AS_OF)


def found(spending, fitted=None, **changes):
    return find_topics(interests(spending), asked(**changes), seed=7, fitted=fitted)


def planted(customers=400, topics=3, seed=0):
    """Customers who buy four fifths of two categories of their own topic."""
    random, rows = np.random.default_rng(seed), []
    for number in range(customers):
        for _ in range(6):
            own = random.random() < 0.8
            category = 2 * (number % topics) + random.integers(2) if own else random.integers(2 * topics)
            rows.append((f"c{number:04}", int(random.integers(50, 150)), f"k{category}"))
    return spent(*rows)


def test_shares_are_net_of_refunds_before_the_date_and_of_what_is_known():
    later = pl.DataFrame([("a", datetime(2026, 7, 1), 10**6, "tea")], SPENDING, orient="row")
    rows = spent(
        ("a", 300, "tea"), ("a", -100, "tea"), ("a", 600, "silk"), ("a", 900, None), ("b", 5, "tea"), ("b", -5, "tea"), ("c", -9, "silk")
    )
    assert interests(pl.concat([rows, later])).rows() == [("a", "silk", 750_000), ("a", "tea", 250_000)]


def test_events_count_half_where_there_are_both():
    moment = datetime(2026, 6, 1)
    did = pl.DataFrame([("a", "course", moment), ("b", "course", moment), ("b", "visit", moment)], EVENTS, orient="row")
    table = interests(spent(("a", 30, "tea"), ("c", 1, "tea")), did, ["course"])
    assert table.rows() == [("a", "course", 500_000), ("a", "tea", 500_000), ("b", "course", 1_000_000), ("c", "tea", 1_000_000)]
    assert count_interests(None, did, ["course"], AS_OF).height == 2


def test_planted_topics_are_found_named_and_the_same_in_any_order():
    spending = planted()
    topics = found(spending)
    truth = [int(who[1:]) % 3 for who in topics.customers["customer_id"]]
    assert adjusted_rand_score(truth, topics.customers["topic"].to_list()) > 0.8
    assert set(topics.model["names"]) == {"k0 · k1", "k2 · k3", "k4 · k5"}
    assert topics.profiles["customers"].sum() == 400
    assert topics.customers["topic_share"].is_between(0, 1).all()
    assert topics.customers["topic_share"].mean() > 0.7
    again = found(spending.sample(fraction=1, shuffle=True, seed=1))
    assert_frame_equal(again.customers, topics.customers, check_exact=True)
    assert json.dumps(again.model) == json.dumps(topics.model)
    assert {name: len(others) for name, others in topics.near.items()} == dict.fromkeys(topics.model["names"], 2)


@pytest.mark.slow
def test_topics_that_are_kept_give_the_same_customers_the_same_and_say_what_they_do_not_know():
    spending = planted()
    first = found(spending)
    kept = Fitted.from_dict(json.loads(json.dumps(Fitted(None, first.model, "spring", AS_OF).to_dict())))
    again = found(pl.concat([spending, planted(900, seed=3).filter(pl.col("customer_id") > "c0400")]), kept)
    assert again.model == first.model
    assert again.customers.filter(pl.col("customer_id") < "c0400").equals(first.customers)
    assert not again.warnings
    other = found(spent(("a", 9, "k0"), ("a", 1, "tea"), ("b", 9, "tea")), kept)
    assert other.customers.rows() == [("a", "k0 · k1", 0.9)]
    assert "55%" in other.warnings[0]
    assert "tea" in other.warnings[0]
    assert "made new" in found(spending, kept, k=2).warnings[0]
    for damaged in ({**first.model, "own": []}, {**first.model, "centers": {"k0": ["x"] * 3}}, {"names": ["a"]}):
        with pytest.raises(InputError, match=r"topics of spring: .* segments\.from=new"):
            found(spending, Fitted(None, damaged, "spring", AS_OF))


rows = st.lists(
    st.tuples(st.sampled_from([f"c{number}" for number in range(8)]), st.integers(-50, 100), st.sampled_from("abcd") | st.none()),
    max_size=40,
)


@given(rows, st.sampled_from(["auto", 1, 2, 5]))
@settings(deadline=None, max_examples=40)
def test_whatever_is_bought_everybody_known_has_one_topic_and_no_two_are_called_the_same(rows, k):
    topics = found(spent(*rows), k=k)
    known = interests(spent(*rows))["customer_id"].unique().sort()
    assert topics.customers["customer_id"].equals(known)
    assert topics.customers["topic"].null_count() == 0
    assert topics.customers["topic_share"].is_between(0, 1).all()
    names = topics.model["names"]
    assert len(set(names)) == len(names)
    assert set(topics.customers["topic"]) == set(names)
    if known.is_empty():
        assert "nobody has bought" in topics.warnings[0]


@pytest.mark.slow
def test_odd_shops():
    one = found(spent(*((f"c{number}", 5, "tea") for number in range(60))))
    assert one.model["names"] == ["tea"]
    assert one.customers["topic_share"].to_list() == [1.0] * 60
    each = found(spent(*((f"c{number:03}", 5, f"k{number:03}") for number in range(300))))
    assert each.customers.height == 200  # of the categories beyond topics.categories nothing is known
    assert "100 categories" in each.warnings[0]
    unknown = find_topics(interests(planted(60)), asked(events=["Curse"]), seed=7, kinds=["course", "visit"])
    assert "nobody has done curse" in unknown.warnings[0]
    assert "course" in unknown.warnings[0]


TERMS = {
    "plan": "allocated",
    "scoring": "weighted",
    "launch.as_of": "2026-07-01",
    "plan.topic": "topic",
    "plan.size": 150,
    "plan.smallest": 5,
    "plan.group_capacity": 30,
    "plan.fill_confidence": None,
    "plan.holdout": 0.05,
}


@pytest.mark.slow
def test_groups_keep_to_topics_and_nothing_later_changes_them(small_shop):
    launch = segmenter.launch_settings(TERMS | {"plan.by_region": "none"})
    plan = plan_launch(small_shop, launch)
    invited = plan.customers.filter("invited").join(plan.groups.select("group", "topic"), on="group", suffix="_of_group")
    assert invited["topic"].n_unique() > 1
    assert (invited["topic"] == invited["topic_of_group"]).all()
    assert plan.invite_list["topic"].null_count() == 0
    assert plan.fitted.topics == plan.topics.model
    assert (plan.groups["focus"] > plan.groups["focus_by_chance"]).all()

    midnight = pl.lit(datetime(2026, 7, 1)).cast(pl.Datetime("us"))
    later = small_shop.spending.with_columns(time=midnight, amount=10**11, category=pl.lit("later"))
    mixed = pl.concat([small_shop.spending, later]).sample(fraction=1, shuffle=True, seed=1)
    again = plan_launch(replace(small_shop, spending=mixed), launch)
    assert_frame_equal(again.customers, plan.customers, check_exact=True)
    assert_frame_equal(again.groups, plan.groups, check_exact=True)

    layers = plan_launch(small_shop, segmenter.launch_settings(TERMS | {"plan.topic": None, "plan.layer_by": "topic"}))
    assert set(layers.layers["layer"]) - {""} == set(plan.topics.model["names"])
    kept = plan_launch(small_shop, launch, fitted=plan.fitted)
    assert kept.customers.equals(plan.customers)


@pytest.mark.slow
def test_small_topics_join_their_nearest_in_the_area(small_shop):
    plan = plan_launch(small_shop, segmenter.launch_settings(TERMS))
    assert any("joined with the nearest there" in note for note in plan.notes)
    own = plan.customers.filter("invited").join(plan.groups.select("group", "topic"), on="group", suffix="_of_group")
    assert (own["topic"] == own["topic_of_group"]).mean() > 0.5
    # More focus than by region alone, at equal size.
    assert (plan.groups["focus"] * plan.groups["size"]).sum() > 1.2 * (plan.groups["focus_by_chance"] * plan.groups["size"]).sum()


@pytest.mark.slow
def test_an_attribute_called_topic_is_the_customers_own(small_shop):
    own = replace(small_shop, customers=small_shop.customers.with_columns(topic=pl.lit("A")))
    plan = plan_launch(own, segmenter.launch_settings(TERMS))
    assert plan.topics is None
    assert set(plan.groups["topic"]) == {"A"}
    share = replace(small_shop, customers=small_shop.customers.with_columns(topic_share=pl.lit("A")))
    for tables, terms in ((own, {"launch.as_of": "2026-07-01", "topics.use": True}), (share, TERMS)):
        with pytest.raises(InputError, match=r"data\.customers\.attributes: topic.*rename"):
            plan_launch(tables, segmenter.launch_settings(terms))


def test_orders_without_categories_are_refused_with_the_way_out(small_shop):
    none = replace(small_shop, spending=None)
    for terms, key in ((TERMS, "plan.topic"), ({"launch.as_of": "2026-07-01", "topics.use": True}, "topics.use")):
        with pytest.raises(ConfigError, match=rf"{key}: .* data\.orders\.columns\.category=.* topics\.events"):
            plan_launch(none, segmenter.launch_settings(terms))


@pytest.mark.slow
def test_the_demo_shops_topics_are_found_and_are_the_same_a_month_later():
    shop = simulate(20_000, 730, AS_OF, seed=3)
    orders = shop.orders.with_columns(pl.col("time").str.to_datetime(), (pl.col("amount") * 100).round().cast(pl.Int64))
    spending = orders.select(SPENDING.names()).cast(dict(SPENDING))
    bought = orders.filter(pl.col("amount") > 0).group_by("customer_id").len("many")
    truth = shop.truth.select("customer_id", planted="topic").join(bought, on="customer_id")

    def at(day, fitted=None):
        return find_topics(count_interests(spending, NO_EVENTS, (), day), asked(), seed=7, fitted=fitted)

    now = at(AS_OF)
    both = truth.drop_nulls().join(now.customers, on="customer_id")
    assert adjusted_rand_score(both["planted"], both["topic"]) >= 0.8
    often = both.filter(pl.col("many") >= 3)
    assert adjusted_rand_score(often["planted"], often["topic"]) >= 0.9
    assert sorted(now.model["names"]) == sorted(" · ".join(sorted(name.split(" · "))) for name in set(both["planted"]))

    month = AS_OF - timedelta(days=30)
    before = at(month)
    for after in (now, at(AS_OF, Fitted(None, before.model, "june", month))):
        assert set(after.model["names"]) == set(before.model["names"])
        same = before.customers.join(after.customers, on="customer_id", suffix="_after")
        assert (same["topic"] == same["topic_after"]).mean() > 0.97


@pytest.mark.slow
def test_a_million_purchases_of_ten_thousand_categories():
    random = np.random.default_rng(1)
    rows = 1_000_000
    spending = pl.DataFrame(
        {
            "customer_id": pl.Series(random.integers(0, 200_000, rows)).cast(pl.String),
            "time": pl.repeat(datetime(2026, 6, 1), rows, dtype=SPENDING["time"], eager=True),
            "amount": random.integers(1, 10_000, rows),
            "category": "k" + pl.Series((10_000 * random.random(rows) ** 3).astype(int)).cast(pl.String),
        }
    )
    topics = found(spending)
    assert topics.customers.height > 140_000
