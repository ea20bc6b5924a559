import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.errors import InputError
from segmenter.evaluation.auto import CHOICES, rank
from segmenter.measures.past import past_of
from segmenter.measures.timeline import with_purchases
from segmenter.scoring.ranking import fit_ranking, report_ranking, score_of
from segmenter.scoring.spend import BY_SPEND

UNTIL = date(2026, 7, 1)
money = st.one_of(st.integers(-(10**12), 10**12), st.integers(0, 50))


def scoring(kind, **overrides):
    return segmenter.launch_settings({"scoring": kind, **overrides}).scoring


def spends(values, eligible=True):
    return pl.DataFrame(
        {"spend_window": values, "verdict": "eligible" if eligible else "staff"}, schema_overrides={"spend_window": pl.Int64}
    )


def scores(values, knots=256):
    frame = spends(values)
    (series,) = score_of(BY_SPEND, frame, knots=knots).columns_of(frame)
    return series.to_numpy()


@given(st.lists(money, min_size=1, max_size=300), st.sampled_from([2, 8, 256]))
def test_scores_rise_with_values_from_0_to_100(values, knots):
    found, ordered = scores(values, knots), np.array(values)
    assert ((found >= 0) & (found <= 100)).all()
    assert (np.diff(found[ordered.argsort()]) >= 0).all()
    assert found[ordered.argmin()] == 0
    assert found[ordered.argmax()] == (100 if len(set(values)) > 1 else 0)


@pytest.mark.parametrize("whale", [10**6, 10**12])
@pytest.mark.parametrize("count", [200, 5_000])
def test_different_values_keep_different_scores_beside_whales(whale, count):
    values = [*range(1, count), whale, whale + 1, -whale, 7, 7]
    found = scores(values)
    assert len(np.unique(found)) == len(set(values))
    assert found[-1] == found[-2]
    # Others are put among the eligible, and beyond them at the ends.
    learned = score_of(BY_SPEND, spends(values), knots=256)
    (others,) = learned.columns_of(spends([-(10**15), 10**15, 7], eligible=False))
    assert others.to_list() == [0, 100, found[-1]]


def test_what_needs_the_past():
    kinds = ("weighted", "spend", "decayed", "recency", "rfm", "clv", "learned", "auto")
    assert [kind for kind in kinds if scoring(kind).needs_past] == ["clv", "learned", "auto"]
    seeds = ({"seeds": "a.csv"}, {"seeds": "launch:spring"}, {"seeds": "a.csv", "seeds_on": "2026-05-01"})
    alike = [scoring("lookalike", **{f"scoring.{key}": value for key, value in each.items()}) for each in seeds]
    assert [settings.needs_past for settings in alike] == [settings.needs_every_order for settings in alike] == [False, True, True]
    for kind in ("clv", "learned"):
        with pytest.raises(InputError, match="needs the shop's past"):
            fit_ranking(spends([1, 2]), scoring(kind), None, horizon_days=30, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["clv", "learned"])
def test_rankings_that_expect_money_say_how_much(small_shop, kind):
    past = past_of(small_shop, UNTIL, 90, None, 30)
    frame = with_purchases(past.measures(UNTIL), past.timeline, UNTIL).with_columns(verdict=pl.lit("eligible"))
    ranking = fit_ranking(frame, scoring(kind, **({"scoring.trees": 20} if kind == "learned" else {})), past, horizon_days=30, seed=1)
    assert ranking.expects_money
    values = ranking.values(frame.select(ranking.columns))
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    score, expected = score_of(ranking, frame, knots=256).columns_of(frame)
    assert (score.name, expected.name, expected.dtype) == ("score", "expected_spend", pl.Int64)
    assert expected.to_list() == np.rint(values).tolist()
    spent = small_shop.orders.single().filter(pl.col("time") >= date(2026, 6, 1))["amount"].sum()
    assert 0.5 < math.fsum(values) / spent < 2
    if kind == "clv":
        assert (values[frame["repeats"].is_null().to_numpy()] == 0).all()


def test_a_shop_without_a_customer_has_nothing_that_a_model_of_repeat_buying_fits(small_shop):
    past = past_of(small_shop, UNTIL, 90, None, 30)
    nobody = past.measures(UNTIL).with_columns(verdict=pl.lit("eligible"))
    early = with_purchases(nobody, past.timeline, date(2025, 1, 1))
    with pytest.raises(InputError, match="scoring=spend"):
        fit_ranking(early, scoring("clv"), past, horizon_days=30, seed=1)


@pytest.fixture(scope="module")
def past(small_shop):
    return past_of(small_shop, UNTIL, 90, None, 30)


@pytest.fixture(scope="module")
def frame(past):
    return with_purchases(past.measures(UNTIL), past.timeline, UNTIL).with_columns(verdict=pl.lit("eligible"))


def report(frame, kind, past, **overrides):
    settings = segmenter.launch_settings({"scoring": kind, **overrides}).scoring
    return report_ranking(rank(frame, settings, past, horizon_days=30, seed=1), settings, past, horizon_days=30, seed=1)


@pytest.mark.parametrize("kind", ["weighted", "spend", "decayed", "recency", "rfm"])
def test_simple_rankings_need_no_evidence(frame, kind):
    found = report(frame, kind, None)
    assert (found.kind, found.measures.height, found.trials.height, found.model, found.warnings) == (kind, 0, 0, {}, ())
    assert (found.learned_cuts, found.choice) == ((), None)


@pytest.mark.slow
def test_what_models_rest_on(frame, past):
    assert report(frame, "clv", past).model["customers"] == frame["repeats"].count()
    small = {"scoring.trees": 20}
    learned = report(frame, "learned", past, **small)
    assert learned.measures["importance"].sum() == pytest.approx(1)
    assert (len(learned.learned_cuts), learned.learned_cuts[0]) == (6, date(2026, 6, 1))
    auto = report(frame, "auto", past, **small, **{"scoring.trials": 1})
    assert (auto.trials["choice"].to_list(), auto.trial_cuts) == (list(CHOICES), 1)
    assert auto.trials["share"].is_between(0, 1).all()
    early = report(frame, "auto", past.before(past.timeline.span[0]), **small)
    assert (early.kind, early.choice, early.trials.height, early.measures.height, len(early.warnings)) == ("auto", "decayed", 0, 0, 1)
