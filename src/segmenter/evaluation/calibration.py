"""Whether the money that a ranking expects is the money that comes."""

from math import fsum

import numpy as np
import polars as pl
from numpy.typing import NDArray


def measure_calibration(
    expected: NDArray[np.float64] | NDArray[np.int64], spend: NDArray[np.int64], bins: int = 10
) -> tuple[pl.DataFrame, float | None]:
    """Compare expected with actual spend (minor units) by bins of customers, and give all that was expected over all that came.

    The frame has ``bin`` (1 expects most), ``customers``, and the sums ``expected`` and ``actual``. Customers of the same expectation
    stay together, in the bin of their middle: bins differ in size, and there may be fewer of them.
    """
    _, group, sizes = np.unique(-expected, return_inverse=True, return_counts=True)
    middles = 2 * sizes.cumsum() - sizes  # in halves of a customer
    _, bin_of = np.unique((middles * bins // (2 * max(len(spend), 1)))[group], return_inverse=True)
    parts = [bin_of == number for number in range(int(bin_of.max(initial=-1)) + 1)]
    rows = [
        (number, int(part.sum()), round(fsum(expected[part].tolist())), int(spend[part].sum()))
        for number, part in enumerate(parts, start=1)
    ]
    schema = dict.fromkeys(("bin", "customers", "expected", "actual"), pl.Int64)
    came = int(spend.sum())
    return pl.DataFrame(rows, schema, orient="row"), fsum(expected.tolist()) / came if came > 0 else None
