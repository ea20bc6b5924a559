"""Qini and uplift at k: by hand, against another library's figure, and whether the interval holds the truth."""

import os

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.evaluation.qini import measure_qini, measure_uplift

REPETITIONS = int(os.environ.get("SEGMENTER_REPETITIONS", "300"))


def experiment(invited, spend, expected=0.0, share=0.5):
    return pl.DataFrame({"invited": invited, "spend": spend}).with_columns(share=share, expected=pl.lit(expected, pl.Float64))


def test_by_hand():
    # Effects by customer as they are weighed: 2 × 8, -2 × 2, 2 × 5, -2 × 5.
    frame = experiment([True, False, True, False], [8, 2, 5, 5])
    first = np.array([4.0, 3.0, 2.0, 1.0])
    assert measure_uplift(frame, first).value == pytest.approx((16 - 4 + 10 - 10) / 4)
    assert measure_uplift(frame, first, 50).value == pytest.approx((16 - 4) / 2)
    assert measure_uplift(frame, first, 25).value == pytest.approx(16)
    assert measure_qini(frame, first).value == pytest.approx((16 * 3 - 4 * 1 - 10 * 1 + 10 * 3) / 8 / 4)
    # Where all are equal, any part of a ranking brings what all bring, and no list is better than one at random.
    equal = np.ones(4)
    assert measure_uplift(frame, equal, 25).value == pytest.approx(measure_uplift(frame, equal).value)
    assert measure_qini(frame, equal).value == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 1_000), st.integers(0, 3)), min_size=4, max_size=30), st.randoms())
def test_the_order_of_rows_does_not_matter_and_differences_add_up(rows, random):
    invited, spend, score = (list(column) for column in zip(*rows, strict=True))
    order = list(range(len(rows)))
    random.shuffle(order)
    frame, score, other = experiment(invited, spend), np.array(score, float), np.array(spend, float)
    assert measure_qini(frame[order], score[order]) == pytest.approx(measure_qini(frame, score))
    apart = measure_qini(frame, score).value - measure_qini(frame, other).value
    assert measure_qini(frame, score, other).value == pytest.approx(apart, abs=1e-9)
    assert measure_qini(frame, -score).value == pytest.approx(-measure_qini(frame, score).value, abs=1e-9)


def test_on_hillstrom_it_is_the_coefficient_of_another_library(data_dir):
    """The women's arm against none, ranked by past spend less recency, each rank once.

    The figure is that of econml 0.17.0: `econml.validate.utils.calc_uplift` with metric "qini" and as many percentiles as customers.
    """
    arms = pl.read_parquet(data_dir / "hillstrom.parquet").filter(pl.col("segment") != "Mens E-Mail")
    score = arms["history"].to_numpy() - 10 * arms["recency"].to_numpy() + np.arange(arms.height) * 1e-9
    invited, spend = arms["segment"] == "Womens E-Mail", (100 * arms["spend"]).round()
    found = measure_qini(experiment(invited, spend, spend.mean(), invited.mean()), score)
    assert found.value == pytest.approx(-0.09021634756258812, abs=1e-6 * 0.09)
    assert found.low < 0 < found.high  # past spend says nothing of whom the mail moved


def test_where_one_customer_decides_nothing_is_said_and_of_many_the_reach_is_that_of_a_normal():
    alone = measure_uplift(experiment([True, False] * 50, [1_000] + [0] * 99), np.zeros(100))
    assert alone.value == 20
    assert alone.low == pytest.approx(0)
    chance = np.random.default_rng(3)
    spend = chance.integers(-100, 100, 4_000)
    many = measure_uplift(experiment(chance.random(4_000) < 0.5, spend), np.zeros(4_000))
    error = 2 * np.sqrt((spend.astype(float) ** 2).sum()) / 4_000
    assert many.high - many.value == pytest.approx(1.96 * error, rel=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("effect", ["none", "falls", "rises"])
def test_the_interval_holds_the_truth(effect):
    """Most buy nothing, a few much; a fifth is held out; what is expected is half right, and so is the ranking."""
    hits = np.zeros(3)
    for repetition in range(REPETITIONS):
        chance = np.random.default_rng([5, repetition])
        taste = chance.normal(size=3_000)
        without = np.exp(8 + taste / 2) * 0.3
        gain = {"none": 0 * taste, "falls": 800 / (1 + np.exp(taste)), "rises": 0.4 * without}[effect]
        invited = np.ones(3_000, bool)
        invited[chance.permutation(3_000)[:600]] = False
        often = chance.poisson((without + gain * invited) / np.exp(8))
        spend = (often * np.exp(8 + 0.8 * chance.normal(size=3_000) - 0.32)).round().astype(int)
        frame = experiment(pl.Series(invited), spend, share=0.8).with_columns(expected=pl.Series(without * 0.7 + 400))
        score = taste + chance.normal(size=3_000)
        weights = 0.5 - (np.argsort(np.argsort(-score)) + 0.5) / 3_000
        first = np.argsort(-score)[:600]
        truths = (weights @ gain / 3_000, gain[first].mean(), gain.mean())
        found = measure_qini(frame, score), measure_uplift(frame, score, 20), measure_uplift(frame, score)
        hits += [gain.low <= truth <= gain.high for gain, truth in zip(found, truths, strict=True)]
    # 95 % ± 3.5 points: 2.8 standard errors of three hundred.
    assert (np.abs(hits / REPETITIONS - 0.95) <= 0.035).all(), hits / REPETITIONS
