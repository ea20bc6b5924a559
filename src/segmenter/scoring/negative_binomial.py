"""How often customers will buy where nobody stops: the NBD, to which BG/NBD and MBG/NBD come down as a / (a + b) goes to 0.

A customer buys at random at a rate λ for good, gamma distributed over customers with shape r and rate α.

Sources: Ehrenberg (1959), The Pattern of Consumer Purchases, Applied Statistics 8 (1); Schmittlein, Morrison and Colombo (1987), Counting
Your Customers: Who Are They and What Will They Do Next?, Management Science 33 (1), for customers known for times of their own.
"""

import numpy as np
from numpy.typing import NDArray

from segmenter.scoring.likelihood import Floats, Maximum, Objective, maximise

BOUNDS = {"r": (1e-3, 1e3), "alpha": (1e-5, 1e5)}  # time in units of the largest T


def fit_nbd(x: NDArray[np.int64], T: Floats) -> Maximum:  # noqa: N803 - the papers' name
    """Fit r and α by maximum likelihood.

    To x ≥ 0 purchases after the first, and times T, 0 to 1, from the first purchase to the end of what is known. The likelihood is that of
    the moments of purchases, as in BG/NBD. NoMaximumError where no parameters are the most likely ones, as where everybody buys at the
    same rate.
    """
    start = {"r": 1.0, "alpha": float(np.sort(T).sum() / x.sum())}  # in order: the sum is not exact
    return maximise(_objective(x, T), start, BOUNDS, len(x))


def _objective(x: NDArray[np.int64], T: Floats) -> Objective:  # noqa: N803
    """Give minus the mean log likelihood and its gradient: a customer's likelihood is Γ(r+x) α^r / (Γ(r) (α+T)^(r+x))."""
    from scipy.special import gammaln, psi

    counts, often = np.unique(x, return_counts=True)
    ends, end = np.unique(T, return_inverse=True)
    share, known, bought = often / len(x), np.bincount(end) / len(x), np.bincount(end, x) / len(x)

    def objective(log: Floats) -> tuple[float, Floats]:
        r, alpha = np.exp(log).tolist()
        log_end, shape = np.log(alpha + ends), r * known + bought
        value = (share * gammaln(r + counts)).sum() - gammaln(r) + r * log[1] - (shape * log_end).sum()
        by_r = (share * psi(r + counts)).sum() - psi(r) + log[1] - (known * log_end).sum()
        by_alpha = r / alpha - (shape / (alpha + ends)).sum()
        return -float(value), -np.array([by_r * r, by_alpha * alpha])

    return objective
