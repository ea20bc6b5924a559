from datetime import date
from math import lgamma, log

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.errors import InputError
from segmenter.scoring.gamma_gamma import GammaGamma, _objective, fit_gamma_gamma


@pytest.fixture(scope="module")
def cdnow(data_dir):
    """Repeat buyers of the first 39 weeks: purchase days after the first, and mean spend on them in dollars."""
    days = pl.read_parquet(data_dir / "cdnow_sample.parquet").filter(pl.col("date") <= date(1997, 9, 30))
    days = days.group_by("sample_id", "date").agg(pl.col("amount").sum()).sort("sample_id", "date")
    repeat = pl.col("amount").slice(1)
    return days.group_by("sample_id", maintain_order=True).agg(x=pl.len() - 1, mean=repeat.mean()).filter(pl.col("mean") > 0)


def test_published_parameters(cdnow):
    model = fit_gamma_gamma(cdnow["x"], cdnow["mean"])
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), abs=5e-3)
    assert model.log_likelihood == pytest.approx(-4055.92, abs=5e-3)
    assert model.correlation == pytest.approx(np.corrcoef(cdnow["x"], cdnow["mean"])[0, 1], rel=1e-12)
    assert model.independent
    assert model.population_mean == pytest.approx(35.2, abs=0.1)
    assert model.expected_mean([0], [0])[0] == pytest.approx(model.population_mean)


@pytest.mark.filterwarnings("ignore")  # what lifetimes and autograd say about themselves
def test_lifetimes_agrees(cdnow):
    from lifetimes import GammaGammaFitter

    x, mean = cdnow["x"].to_numpy().astype(float), cdnow["mean"].to_numpy()
    theirs, ours = GammaGammaFitter().fit(x, mean), fit_gamma_gamma(x, mean)
    for name, value in theirs.params_.items():
        assert getattr(ours, name) == pytest.approx(value, rel=2e-3)
        assert ours.standard_errors[name] == pytest.approx(theirs.standard_errors_[name], rel=1e-2)
    np.testing.assert_allclose(ours.expected_mean(x, mean), theirs.conditional_expected_average_profit(x, mean), rtol=1e-3)


def drawn(customers, seed, p=3.0, q=4.0, v=20.0):
    random = np.random.default_rng(seed)
    x, rate = random.geometric(0.3, customers), random.gamma(q, 1 / v, customers)
    return x, random.gamma(p * x, 1 / rate) / x


def test_the_gradient_is_that_of_the_likelihood():
    x, mean = drawn(300, seed=1)
    order = np.lexsort((mean, x))
    objective = _objective(x[order].astype(float), mean[order])
    for logs in np.random.default_rng(2).uniform(-2, 3, (10, 3)):
        p, q, v = np.exp(logs)
        plain = sum(
            lgamma(p * n + q)
            - lgamma(p * n)
            - lgamma(q)
            + q * log(v)
            + (p * n - 1) * log(m)
            + p * n * log(n)
            - (p * n + q) * log(v + n * m)
            for n, m in zip(x.tolist(), mean.tolist(), strict=True)
        )
        value, gradient = objective(logs)
        assert value == pytest.approx(-plain / len(x), rel=1e-12)
        differences = [(objective(logs + step)[0] - objective(logs - step)[0]) / 2e-5 for step in 1e-5 * np.eye(3)]
        np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-8)


def test_parameters_come_back_and_neither_order_nor_unit_changes_them():
    x, mean = drawn(20_000, seed=3)
    model = fit_gamma_gamma(x, mean)
    for name, true in {"p": 3.0, "q": 4.0, "v": 20.0}.items():
        assert abs(getattr(model, name) - true) < 4 * model.standard_errors[name]
    assert abs(model.correlation) < 0.05
    mixed = np.random.default_rng(4).permutation(len(x))
    assert fit_gamma_gamma(x[mixed], mean[mixed]) == model
    cents = fit_gamma_gamma(x, 100 * mean)
    assert (cents.p, cents.q, cents.v) == pytest.approx((model.p, model.q, 100 * model.v), rel=1e-6)
    assert cents.log_likelihood == pytest.approx(model.log_likelihood - len(x) * np.log(100))


def test_those_who_buy_often_and_spend_more_each_time_are_noticed():
    x, mean = drawn(2_000, seed=5)
    model = fit_gamma_gamma(x, mean * x)
    assert model.correlation > 0.3
    assert not model.independent


positive = st.floats(-2, 3).map(lambda power: 10**power)


@given(positive, positive, positive, st.integers(1, 10_000), st.floats(0, 1e12))
def test_between_the_own_mean_and_that_of_all(p, above, v, x, mean):
    model = GammaGamma(p, 1 + above, v, {}, 0.0, 0.0)
    found = model.expected_mean([x, 0], [mean, np.nan])
    low, high = sorted((mean, model.population_mean))
    assert low * (1 - 1e-9) <= found[0] <= high * (1 + 1e-9)
    assert found[1] == pytest.approx(model.population_mean)


@pytest.mark.parametrize(
    ("x", "mean", "why"),
    [
        ([4] * 9, [1.0, 2.0, 3.0] * 3, "at_bound"),  # within and between cannot be told apart
        ([1, 2, 1, 3] * 50, [1.0, 1e5, 1e-5, 1e9] * 50, "no_mean|at_bound"),
        ([1, 2], [5.0, 7.0], "at_bound"),
    ],
)
def test_a_weak_prior_decides_where_no_parameters_are_the_most_likely(x, mean, why):
    model = fit_gamma_gamma(x, mean)
    assert model.doubt.code.removeprefix("scoring.") in why.split("|")
    assert model.standard_errors == {}
    assert model.q >= 1.5
    assert np.isfinite(model.expected_mean([0, *x], [0.0, *mean])).all()


@pytest.mark.parametrize("x", [[1, 2, 3] * 9, [3]])
def test_where_all_spend_the_same_that_is_expected_of_all(x):
    model = fit_gamma_gamma(x, [4.99] * len(x))
    assert model.doubt.code == "scoring.equal_amounts"
    assert model.expected_mean([0, 1, 9], [0.0, 4.99, 4.99]).tolist() == [4.99] * 3


def test_no_customers_no_fit():
    with pytest.raises(InputError, match=r"came back and spent .got none"):
        fit_gamma_gamma([], [])


@pytest.mark.parametrize(
    ("x", "mean", "said"),
    [
        ([0], [5.0], "x: should be counts ≥ 1"),
        ([1.5], [5.0], "x: should be whole"),
        ([1], [0.0], "mean: should be > 0"),
        ([1], [np.inf], "mean: should be finite"),
        ([1], [np.nan], "mean: should be > 0"),
        ([1, 2], [5.0], "two columns of one length"),
    ],
)
def test_customers_that_cannot_be(x, mean, said):
    with pytest.raises(InputError, match=said):
        fit_gamma_gamma(x, mean)


def test_a_heavy_tail_does_not_make_a_mean_that_nobody_spends():
    x, mean = drawn(2_000, seed=6, q=1.1)
    model = fit_gamma_gamma(x, mean)
    assert model.doubt.code == "scoring.no_mean"
    assert model.expected_mean(x, mean).mean() == pytest.approx(mean.mean(), rel=0.5)
