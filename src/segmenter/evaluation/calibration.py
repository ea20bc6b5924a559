"""Whether the money that a ranking expects is the money that comes."""

from math import fsum

import numpy as np
import polars as pl
from numpy.typing import NDArray


def calibration(
    expected: NDArray[np.float64] | NDArray[np.int64], spend: NDArray[np.int64], bins: int = 10
) -> tuple[pl.DataFrame, float | None]:
    """Compare the money that a ranking expects with the money that came.

    Parameters
    ----------
    expected : ndarray of shape (n,)
        Expected spend of each customer in minor units, finite.
    spend : ndarray of int of shape (n,)
        Net spend after the cut in minor units.
    bins : int
        How many, ≥ 1. Customers of the same expectation stay together, in the bin of their middle: then bins differ in size, and
        there are fewer of them, as where there are fewer customers.

    Returns
    -------
    DataFrame
        ``bin`` (1 expects most), ``customers``, and the sums ``expected`` and ``actual`` in minor units.
    float or None
        All that was expected over all that came; None where nothing came.

    Examples
    --------
    >>> frame, ratio = calibration(np.array([90.5, 10.0, 80.5, 20.0]), np.array([100, 0, 60, 0]), bins=2)
    >>> frame.rows(), ratio
    ([(1, 2, 171, 160), (2, 2, 30, 0)], 1.25625)
    """
    _, group, sizes = np.unique(-expected, return_inverse=True, return_counts=True)
    middles = 2 * sizes.cumsum() - sizes  # in halves of a customer
    _, bin_of = np.unique((middles * bins // (2 * max(len(spend), 1)))[group], return_inverse=True)
    parts = [bin_of == each for each in range(int(bin_of.max(initial=-1)) + 1)]
    rows = [
        (each, int(part.sum()), round(fsum(expected[part].tolist())), int(spend[part].sum())) for each, part in enumerate(parts, start=1)
    ]
    schema = dict.fromkeys(("bin", "customers", "expected", "actual"), pl.Int64)
    came = int(spend.sum())
    return pl.DataFrame(rows, schema, orient="row"), fsum(expected.tolist()) / came if came > 0 else None
