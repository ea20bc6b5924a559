"""What customers spent most in, and launches whose groups keep to it."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import settings_of
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import ConfigError
from segmenter.launch_stages import plan_launch
from segmenter.loader import read_tables
from segmenter.measures.categories import main_category
from segmenter.tables import SPENDING

AS_OF = date(2026, 7, 1)
MIDNIGHT = datetime(2026, 7, 1)

rows = st.tuples(
    st.sampled_from("abc"),
    st.integers(-3 * 86_400, 86_400).map(lambda seconds: MIDNIGHT + timedelta(seconds=seconds)),
    st.integers(-3, 3) | st.integers(-(10**12), 10**12),
    st.sampled_from([None, "tea", "silk", "茶"]),
)


def spent(*rows):
    return pl.DataFrame(rows, SPENDING, orient="row")


def test_refunds_take_off_ties_go_by_name_and_nothing_after_the_date_counts():
    day = datetime(2026, 6, 1)
    found = main_category(
        spent(
            ("gave back", day, 900, "tea"),
            ("gave back", MIDNIGHT - timedelta(microseconds=1), -500, "tea"),
            ("gave back", day, 450, "silk"),
            ("tied", day, 100, "tea"),
            ("tied", day, 100, "silk"),
            ("later", day, 1, "tea"),
            ("later", MIDNIGHT, 10**12, "silk"),
            ("only later", MIDNIGHT, 1, "silk"),
            ("unnamed", day, 10**12, None),
            ("unnamed", day, 1, "tea"),
            ("unknown", day, 5, None),
        ),
        AS_OF,
    )
    assert found.rows() == [("gave back", "silk"), ("later", "tea"), ("tied", "silk"), ("unnamed", "tea")]
    assert main_category(spent(), AS_OF).is_empty()


@given(st.lists(rows, max_size=30))
@settings(deadline=None, max_examples=60)
def test_it_is_what_adding_up_by_hand_gives(rows):
    sums = Counter()
    for who, when, amount, category in rows:
        if category is not None and when < MIDNIGHT:
            sums[who, category] += amount
    best = {}
    for (who, category), amount in sums.items():
        best[who] = min(best.get(who, (-amount, category)), (-amount, category))
    expected = [(who, category) for who, (_, category) in sorted(best.items())]
    assert main_category(spent(*rows), AS_OF).rows() == main_category(spent(*rows[::-1]), AS_OF).rows() == expected


TERMS = {
    "plan": "allocated",
    "scoring": "weighted",
    "launch.as_of": "2026-07-01",
    "plan.topic": "category",
    "plan.size": 150,
    "plan.smallest": 5,
    "plan.group_capacity": 30,
    "plan.by_region": "none",
    "plan.fill_confidence": None,
    "plan.holdout": 0.05,
}


@pytest.mark.slow
def test_groups_keep_to_what_their_members_buy_whatever_comes_later(small_shop):
    asked = segmenter.launch_settings(TERMS | {"rules.custom": [{"name": "no devices", "keep": "category <> '医疗器械'"}]})
    plan = plan_launch(small_shop, asked)
    assert plan.customers.select("customer_id", "category").drop_nulls().equals(main_category(small_shop.spending, AS_OF))
    invited = plan.customers.filter("invited").join(plan.groups.select("group", "topic"), on="group")
    assert invited["topic"].n_unique() > 1
    assert (invited["category"] == invited["topic"]).all()
    assert "医疗器械" in plan.customers.filter(verdict="no devices")["category"]
    assert "医疗器械" not in invited["category"]

    later = small_shop.spending.with_columns(time=pl.lit(MIDNIGHT).cast(pl.Datetime("us")), amount=10**11, category=pl.lit("茶"))
    mixed = pl.concat([small_shop.spending, later]).sample(fraction=1, shuffle=True, seed=1)
    again = plan_launch(replace(small_shop, spending=mixed), asked)
    assert_frame_equal(again.customers, plan.customers, check_exact=True)


@pytest.mark.slow
def test_an_attribute_of_that_name_is_the_customers_own_and_orders_without_are_refused(small_shop):
    own = small_shop.customers.with_columns(category=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("A")).otherwise(pl.lit("B")))
    none = replace(small_shop, spending=None)
    asked = segmenter.launch_settings(TERMS)
    groups = plan_launch(replace(none, customers=own), asked).groups
    assert set(groups["topic"]) == {"A", "B"}
    with pytest.raises(ConfigError, match=r"plan\.topic: category: the orders have no such column; .* data\.orders\.columns\.category"):
        plan_launch(none, asked)
    with pytest.raises(ConfigError, match=r"plan\.layer_by: category: the orders"):
        plan_launch(none, segmenter.launch_settings(TERMS | {"plan.topic": None, "plan.layer_by": "category"}))
    with pytest.raises(ConfigError, match=r"plan\.topic: should be topic, segment, category or an attribute .*\(got categry\).* category"):
        plan_launch(none, segmenter.launch_settings(TERMS | {"plan.topic": "categry"}))


def job(*overrides):
    return settings_of("launch", "plan=allocated", *overrides)


@pytest.mark.slow
def test_the_job_reads_single_orders_for_it_and_only_for_it():
    assert not job("plan.topic=segment").by_category
    assert not job("plan.topic=category", "data.customers.attributes=[type,category]", "engine=spark").by_category
    with pytest.raises(ConfigError, match=r"plan\.topic: .* single orders, and so engine=local \(got spark\)"):
        job("plan.topic=category", "engine=spark")
    asked = job("plan.topic=category", "data.shop.customers=100", "data.shop.days=120")
    tables = read_tables(asked.data, asked.launch, seed=1, categories=asked.by_category).tables
    assert tables.spending.schema == SPENDING
    assert tables.spending["category"].null_count() == 0
    assert read_tables(asked.data, asked.launch, seed=1).tables.spending is None
