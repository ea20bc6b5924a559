import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import nbinom

from segmenter.scoring import negative_binomial
from segmenter.scoring.likelihood import NoMaximumError
from segmenter.scoring.negative_binomial import fit_nbd


def drawn(customers, seed, r=0.7, alpha=0.2):
    """Draw purchase counts of customers known for up to a unit of time."""
    random = np.random.default_rng(seed)
    known = random.integers(0, 366, customers) / 365
    return random.poisson(random.gamma(r, 1 / alpha, customers) * known), known


def log_likelihood(x, known, r, alpha):
    """As SciPy has it for the counts; of the moments it is x! / T^x times as much."""
    moments = gammaln(x + 1) - x * np.log(np.where(x > 0, known, 1))
    return (nbinom.logpmf(x, r, alpha / (alpha + known)) + moments).sum()


def test_a_direct_search_agrees():
    x, known = drawn(3_000, seed=1)
    found = fit_nbd(x, known)
    r, alpha = found.parameters.values()
    assert found.log_likelihood == pytest.approx(log_likelihood(x, known, r, alpha), rel=1e-12)
    start, exact = np.log([1.0, 1.0]), {"xatol": 1e-8, "fatol": 1e-9}
    direct = minimize(lambda log: -log_likelihood(x, known, *np.exp(log)), start, method="Nelder-Mead", options=exact)
    assert (r, alpha) == pytest.approx(np.exp(direct.x), rel=1e-6)
    assert found.log_likelihood >= -direct.fun - 1e-8
    # Standard errors against the curvature of the log likelihood, by differences.
    step = 1e-3 * np.array([r, alpha])
    at = [[log_likelihood(x, known, r + i * step[0], alpha + j * step[1]) for j in (-1, 0, 1)] for i in (-1, 0, 1)]
    cross = (at[2][2] - at[2][0] - at[0][2] + at[0][0]) / 4
    information = -np.array([[at[2][1] - 2 * at[1][1] + at[0][1], cross], [cross, at[1][2] - 2 * at[1][1] + at[1][0]]]) / np.outer(
        step, step
    )
    assert list(found.standard_errors.values()) == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=1e-4)


def test_the_gradient_is_that_of_the_likelihood():
    objective = negative_binomial._objective(*drawn(500, seed=2))
    for log in np.random.default_rng(3).uniform(-2, 2, (10, 2)):
        differences = [(objective(log + step)[0] - objective(log - step)[0]) / 2e-5 for step in 1e-5 * np.eye(2)]
        np.testing.assert_allclose(objective(log)[1], differences, rtol=1e-6, atol=1e-8)


def test_parameters_come_back_and_the_order_changes_nothing():
    x, known = drawn(20_000, seed=4)
    found = fit_nbd(x, known)
    for name, true in {"r": 0.7, "alpha": 0.2}.items():
        assert abs(found.parameters[name] - true) < 4 * found.standard_errors[name]
    random = np.random.default_rng(5)
    for _ in range(20):  # the sum of the times differs in some of these orders, in its last digit
        mixed = random.permutation(len(x))
        assert fit_nbd(x[mixed], known[mixed]) == found


def test_equal_rates_have_no_most_likely_spread():
    with pytest.raises(NoMaximumError, match="r runs to infinity"):
        fit_nbd(np.full(50, 4), np.ones(50))
