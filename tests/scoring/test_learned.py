from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_limits

import segmenter
from segmenter.errors import InputError
from segmenter.measures.past import past_of
from segmenter.measures.shop_orders import SingleOrders
from segmenter.measures.spec import LEARNING
from segmenter.scoring.learned import MEASURES, calibrated_from, fit, fit_learned, importance, past_launch, trial_cuts
from segmenter.tables import EVENTS, LEVELS, ORDERS, REFERRALS

UNTIL = date(2026, 7, 1)
SETTINGS = segmenter.launch_settings({"scoring": "learned", "scoring.trees": 40}).scoring


def fitted(tables, until=UNTIL, horizon=30, settings=SETTINGS, seed=1):
    past = past_of(tables, until, 90, None, horizon)
    return fit_learned(past, settings, horizon_days=horizon, seed=seed), past


@pytest.fixture(scope="module")
def learned(small_shop):
    return fitted(small_shop)


@pytest.fixture(scope="module")
def frame(learned):
    return learned[1].measures(UNTIL)


def orders_of(rows):
    """A shop of (customer, day of 2026, amount)."""
    times = [(who, datetime(2026, 1, 1) + timedelta(days=day), amount, max(-amount, 0), amount >= 0) for who, day, amount in rows]
    names = ["customer_id", "time", "amount", "refund", "is_order"]
    frame = pl.DataFrame(times, schema=names, orient="row").with_columns(
        pl.lit(None, pl.String).alias(name) for name in ("order_id", *LEVELS)
    )
    frame = frame.select(pl.col(name).cast(dtype) for name, dtype in ORDERS.items())
    return segmenter.tables.Tables(
        SingleOrders(frame), None, EVENTS.to_frame(), REFERRALS.to_frame(), None, segmenter.tables.REJECTS.to_frame(), {}
    )


@pytest.mark.slow
def test_threads_and_row_order_change_no_byte(small_shop, learned, frame):
    values = learned[0].values(frame)
    mixed = replace(
        small_shop,
        orders=SingleOrders(small_shop.orders.single().sample(fraction=1, shuffle=True, seed=4)),
        **{name: getattr(small_shop, name).sample(fraction=1, shuffle=True, seed=4) for name in ("events", "referrals", "customers")},
    )
    for threads in (1, 4):
        with threadpool_limits(threads):
            again, past = fitted(mixed)
            assert again.values(past.measures(UNTIL)).tobytes() == values.tobytes()
    assert len(np.unique(values)) > 100
    assert fitted(small_shop, seed=-(10**12))[0].values(frame).tobytes() != values.tobytes()


@pytest.mark.slow
def test_it_learns_from_dates_whose_horizon_is_over(small_shop, learned, frame):
    model, past = learned
    assert model.cuts == tuple(UNTIL - timedelta(days=30 + 15 * number) for number in range(6))
    assert model.rows == sum(past.measures(cut).height for cut in model.cuts)
    assert {"events_visit", "referrals", "overdue"} <= set(model.features)
    assert set(model.columns) == set(model.features) - {"overdue"}
    assert model.values(frame.select(model.columns)).tobytes() == model.values(frame).tobytes()
    assert model.values(frame.drop("events_visit")).shape == (frame.height,)
    assert model.values(frame.head(0)).tolist() == []
    few, _ = fitted(small_shop, settings=SETTINGS.model_copy(update={"cuts": 2, "rows": 400, "step_days": 40}))
    assert [(UNTIL - cut).days for cut in few.cuts] == [30, 70]
    assert 0 < few.rows <= 400


@pytest.mark.parametrize(("name", "way"), [(name, way) for name, way in MEASURES.items() if way and name != "overdue"])
def test_more_of_what_is_good_never_lowers_a_value(learned, frame, name, way):
    model = learned[0]
    known = frame.filter(pl.col(name).is_not_null())
    before = model.values(known)
    for more in (1, 50, 10**6):
        after = model.values(known.with_columns((pl.col(name).cast(pl.Int64) + way * more).alias(name)))
        assert (after >= before).all()
    # Recency counts even where the time between orders is not known; of the other measures several say the same.
    assert (after > before).any() or name != "days_since_order"


def test_which_measures_matter_is_told(small_shop, learned):
    told = importance(*learned, horizon_days=30, seed=1)
    assert set(told["measure"]) <= set(learned[0].features)
    assert told["importance"].is_sorted(descending=True)
    assert told["importance"].sum() == pytest.approx(1)
    assert (told["importance"] > 0).all()


def test_measures_to_learn_from_are_taken_where_the_past_has_them(small_shop, learned):
    names = {measure.name for measure in LEARNING}
    # Spend of a year ago was not known at the first of the dates.
    assert names - set(learned[0].features) == {"spend_year_before"}
    plain = past_of(small_shop, UNTIL, 90, None)
    assert not names & set(fit_learned(plain, SETTINGS, horizon_days=30, seed=1).features)
    late, _ = fitted(small_shop, settings=SETTINGS.model_copy(update={"cuts": 1}))
    assert late.cuts[-1] - timedelta(days=365) >= learned[1].timeline.span[0]
    assert names <= set(late.features)


def test_what_is_expected_is_calibrated_and_nobody_overtakes(small_shop, learned, frame):
    raw, past = learned
    settings = SETTINGS.model_copy(update={"trials": 2})
    honest = calibrated_from(past, settings, horizon_days=30, seed=1)
    values, before = honest.values(frame), raw.values(frame)
    order = np.argsort(before, kind="stable")
    assert (np.diff(values[order]) >= 0).all()
    assert len(np.unique(values)) == len(np.unique(before))
    assert values.sum() == pytest.approx(before.sum(), rel=0.1)
    cuts = trial_cuts(past, settings, 30)
    assert [(UNTIL - cut).days for cut in cuts] == [30, 60]
    for cut, ratio in zip(cuts, honest.ratios, strict=True):
        then = past.measures(cut)
        expected = fit_learned(past.before(cut), settings, horizon_days=30, seed=1).values(then).sum()
        assert ratio == pytest.approx(expected / past.later(then["customer_id"], cut, 30)["spend"].sum())
    # What is learned for a trial is shared with whoever tries the same date.
    assert past_launch(past, cuts[0], settings, horizon_days=30, seed=1) is past_launch(past, cuts[0], settings, horizon_days=30, seed=1)


def test_a_whale_that_came_once_does_not_set_the_scale():
    rows = [(f"c{who}", day + who % 7, 100 * (who % 5 + 1)) for who in range(80) for day in range(1, 175, 5 + who % 5 * 9)]
    usual, past = fitted(orders_of(rows))
    once, again = fitted(orders_of([*rows, ("c7", 120, 10**7)]))
    assert once.values(again.measures(UNTIL)).sum() == pytest.approx(usual.values(past.measures(UNTIL)).sum(), rel=0.25)


def test_attributes_of_customers_are_no_events(small_shop):
    named = replace(small_shop, customers=small_shop.customers.with_columns(events_sponsor=pl.lit("yes")))
    assert "events_sponsor" not in fitted(named, settings=SETTINGS.model_copy(update={"trees": 1}))[0].features


@pytest.mark.parametrize(
    ("tables", "horizon", "rule"),
    [
        (orders_of([]), 30, "should begin 60 days before 2026-07-01 \\(got 0\\)"),
        (orders_of([("a", 150, 5), ("b", 200, 5)]), 30, "should begin 60 days before"),
        (orders_of([("a", 500, 5)]), 7, "should begin 14 days before 2026-07-01 \\(got 0\\)"),
        (orders_of([("a", 1, 5), ("b", 2, 5)]), 30, "should begin 60 days before"),  # an old export
        (orders_of([("a", 1, 500), ("a", 170, -5)]), 30, "nobody bought anything in 30 days"),
    ],
)
def test_too_little_to_learn_from(tables, horizon, rule):
    with pytest.raises(InputError, match=f"^scoring: .*{rule}.*; use scoring=decayed$"):
        fit(pl.DataFrame(), SETTINGS, past_of(tables, UNTIL, 90, None, horizon), horizon_days=horizon, seed=1)


def test_one_customer_and_customers_who_gave_back_more_than_they_spent():
    alone, past = fitted(orders_of([("a", day, 500) for day in range(1, 180, 7)]))
    assert alone.values(past.measures(UNTIL)).item() == pytest.approx(2000, rel=0.2)
    rows = [(f"c{who}", day + who % 7, 100 * (who % 5 + 1)) for who in range(80) for day in range(1, 170, 5 + who % 5 * 9)]
    back, past = fitted(orders_of([*rows, ("c7", 160, -(10**9)), ("c8", 130, -(10**9))]))
    values = back.values(past.measures(UNTIL))
    assert (values > 0).all()
    assert len(np.unique(values)) > 5
