"""A launch and a look back at its date see the same customers."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of import launch_snapshot, past_snapshot, sampling_of, terms_of
from segmenter.measures.past import past_of
from segmenter.tables import SPENDING

CUT = date(2026, 5, 1)


def settings(**overrides):
    return segmenter.launch_settings({"launch.as_of": str(CUT)} | {key.replace("__", "."): value for key, value in overrides.items()})


@pytest.mark.parametrize("kind", ["spend", "clv", "learned"])
def test_a_launch_and_a_later_look_back_at_its_date_see_the_same_customers(small_shop, kind):
    # Only a launch counts who has no date: of joining, or of being brought.
    shop = replace(
        small_shop,
        customers=small_shop.customers.filter(pl.col("joined").is_not_null()),
        referrals=small_shop.referrals.filter(pl.col("time").is_not_null()),
    )
    asked = settings(scoring=kind, rules__spend__min=500)
    now = launch_snapshot(shop, asked)
    terms = terms_of(asked)
    assert terms.horizon_days == (30 if kind == "learned" else None)
    past = past_of(shop, CUT + timedelta(days=60), terms.half_life_days, terms.window_days, terms.horizon_days)
    then = past_snapshot(past, asked, CUT, purchases=kind == "clv")
    assert_frame_equal(then.customers, now.customers.filter(pl.col("days_known").is_not_null()), check_exact=True)
    assert 0 < now.eligible.sum() == then.eligible.sum() < now.customers.height
    assert then.past.until == CUT
    assert (now.past is not None) == (kind != "spend")
    assert ("largest_order" in now.customers.columns) == (kind == "learned")
    assert ("repeats" in now.customers.columns) == (kind == "clv")


def test_a_target_or_a_ranking_that_learns_needs_a_past_of_some_customers(small_shop):
    assert sampling_of(settings(scoring="weighted")) is None
    assert sampling_of(settings(scoring="weighted", launch__target=1000)).max_customers == 60_000
    for scoring in ("learned", "auto"):
        assert sampling_of(settings(scoring=scoring)).max_customers == 100_000 // 6
    assert launch_snapshot(small_shop, settings(scoring="weighted")).past is None
    assert launch_snapshot(small_shop, settings(scoring="weighted", launch__target=1000)).past.until == CUT
    assert launch_snapshot(small_shop, settings()).past.until == CUT
    with pytest.raises(InputError, match=r"launch\.as_of: is needed"):
        terms_of(segmenter.launch_settings({}))


def test_places_that_are_contacts_count_as_unknown(small_shop):
    people = small_shop.customers.with_columns(
        province=pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("13800001234")).otherwise("province")
    )
    snapshot = launch_snapshot(replace(small_shop, customers=people), settings())
    (warning,) = snapshot.warnings
    assert (warning.code, warning.facts) == ("evaluation.contact_places", {"count": 3})
    assert "13800001234" not in snapshot.customers["region"].to_list()


def test_a_plan_by_category_needs_orders_with_one(small_shop):
    asked = settings(plan="allocated", plan__topic="category")
    with pytest.raises(ConfigError, match="the orders have no such column"):
        launch_snapshot(replace(small_shop, spending=None), asked)
    spending = small_shop.orders.single().select("customer_id", "time", "amount", category=pl.lit("tea")).cast(dict(SPENDING))
    assert launch_snapshot(replace(small_shop, spending=spending), asked).customers["category"].drop_nulls().unique().to_list() == ["tea"]
