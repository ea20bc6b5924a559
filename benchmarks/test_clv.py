"""BG/NBD on ``--customers`` customers: ours against `lifetimes`, which fits with autograd and predicts with the textbook's 2F1.

    make bench BENCH="-k clv --customers=1000000"

From a million customers on, the ratios are checked as well.
"""

import numpy as np
import polars as pl
import pytest

from segmenter.scoring.beta_geometric import fit_beta_geometric
from segmenter.scoring.clv import fit_clv

ROUNDS = {"rounds": 3, "warmup_rounds": 1}
HORIZON = 90  # days
MOST = {"fit": 0.12, "predict": 0.6}  # of lifetimes' time

# Its imports and its autograd warn of what NumPy and pandas will no longer have; nothing of that is ours.
theirs = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def customers(pytestconfig):
    """x, t_x and T as BG/NBD has them, on whole days of two years: more than half never come back."""
    many = pytestconfig.getoption("customers")
    random = np.random.default_rng(1)
    rate, leaves, known = random.gamma(0.25, 1 / 30, many), random.beta(0.8, 2.4, many), random.integers(0, 730, many).astype(np.float64)
    x, t_x, time, alive = np.zeros(many, np.int64), np.zeros(many), np.zeros(many), np.arange(many)
    while len(alive):
        time[alive] += np.ceil(random.exponential(1, len(alive)) / np.maximum(rate[alive], 1e-9))
        alive = alive[time[alive] <= known[alive]]
        x[alive] += 1
        t_x[alive] = time[alive]
        alive = alive[random.random(len(alive)) >= leaves[alive]]
    return x, t_x, known


@pytest.fixture(scope="module")
def ours(customers):
    return fit_beta_geometric(*customers, kind="bg_nbd")


@pytest.fixture(scope="module")
def medians():
    """Seconds of what has been measured: (what, whose)."""
    return {}


def note(medians, what, whose, benchmark, customers):
    if benchmark.stats is None:  # --benchmark-disable
        return
    medians[what, whose] = benchmark.stats.stats.median
    if whose == "lifetimes" and (what, "segmenter") in medians:
        ratio = medians[what, "segmenter"] / medians[what, whose]
        benchmark.extra_info["ratio"] = round(ratio, 3)
        print(f"{what}: {ratio:.3f} × the time of lifetimes")
        assert ratio <= MOST[what] or len(customers[0]) < 1_000_000


@pytest.mark.benchmark(group="clv: fit")
def test_fit(benchmark, customers, medians):
    model = benchmark.pedantic(lambda: fit_beta_geometric(*customers, kind="bg_nbd"), **ROUNDS)
    assert model.log_likelihood < 0
    note(medians, "fit", "segmenter", benchmark, customers)


@theirs
@pytest.mark.benchmark(group="clv: fit")
def test_fit_lifetimes(benchmark, customers, ours, medians):
    from lifetimes import BetaGeoFitter

    model = benchmark.pedantic(lambda: BetaGeoFitter().fit(*customers), **ROUNDS)
    for name, value in model.params_.items():
        assert getattr(ours, name) == pytest.approx(value, rel=1e-2)
    note(medians, "fit", "lifetimes", benchmark, customers)


@pytest.mark.benchmark(group="clv: predict")
def test_predict(benchmark, customers, ours, medians):
    expected = benchmark.pedantic(lambda: ours.expected(*customers, HORIZON), **ROUNDS)
    assert np.isfinite(expected).all()
    note(medians, "predict", "segmenter", benchmark, customers)


@theirs
@pytest.mark.benchmark(group="clv: predict")
def test_predict_lifetimes(benchmark, customers, ours, medians):
    import pandas as pd
    from lifetimes import BetaGeoFitter

    model = BetaGeoFitter()
    model.params_ = pd.Series({name: getattr(ours, name) for name in ("r", "alpha", "a", "b")})
    expected = benchmark.pedantic(lambda: model.conditional_expected_number_of_purchases_up_to_time(HORIZON, *customers), **ROUNDS)
    np.testing.assert_allclose(ours.expected(*customers, HORIZON), expected, rtol=1e-6)
    note(medians, "predict", "lifetimes", benchmark, customers)


@pytest.mark.benchmark(group="clv: both models, fitted and predicted")
def test_whole(benchmark, customers):
    x, t_x, known = customers
    random = np.random.default_rng(2)
    spend = random.gamma(3 * np.maximum(x, 1)) * 2_000 / random.gamma(4, size=len(x))
    whole = {"repeats": x, "last_days": t_x, "known_days": known, "repeat_spend": np.where(x > 0, spend, 0)}
    frame = pl.DataFrame({name: column.astype(np.int64) for name, column in whole.items()})
    value = benchmark.pedantic(lambda: fit_clv(frame, kind="bg_nbd", unit_days=1).expected_spend(frame, HORIZON), **ROUNDS)
    assert np.isfinite(value).all()
