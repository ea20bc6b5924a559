"""What was expected at past launches against what came, by the size of the expectation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_GROUPS = 10  # of customers by what is expected of them
_DOUBT = 0.5  # by so much, in parts of it, what is expected of a group may be wrong before anything is compared


@dataclass(frozen=True)
class PastLaunch:
    """Of customers by id what was expected at a past date, in parts of the mean, and what they spent, in minor units: > 0 together."""

    expected: Floats
    spend: NDArray[np.int64]
    unit: float


def money_curve(launches: Sequence[PastLaunch]) -> tuple[Floats, Floats]:
    """Say by how much expectations of any size were too small at past launches: by their logarithm, the logarithm of the factor.

    By tenths of the customers, from the least expected of to the most, the share of what was expected is compared with the share of
    what came, over all launches together. The difference is shrunk the more, the fewer buyers it rests on (Efron and Morris, 1975), and
    what is expected keeps rising, at a tenth of its slope at least.
    """
    expected, came, noise, level = np.zeros((4, _GROUPS))
    for launch in launches:
        order, whole = np.argsort(launch.expected, kind="stable"), int(launch.spend.sum())
        group = np.arange(len(order)) * _GROUPS // len(order)
        values, spend = launch.expected[order], launch.spend[order] / whole
        sums = np.bincount(group, values, _GROUPS)
        expected += sums / sums.sum()
        came += np.bincount(group, spend, _GROUPS)
        noise += sums / sums.sum() * float((spend**2).sum())  # as of a compound Poisson sum: a group without buyers is not certain of it
        with np.errstate(divide="ignore", invalid="ignore"):
            level += np.log(sums / np.bincount(group, minlength=_GROUPS)) / len(launches)
    some = np.isfinite(level) & (expected > 0)
    if not some.any():
        return np.zeros(1), np.zeros(1)
    expected, came, noise, level = expected[some], came[some], noise[some], level[some]
    known = (_DOUBT * expected) ** 2
    factor = np.log(np.maximum(1 + known / (known + noise) * (came / expected - 1), 0.1))
    for at in range(1, len(level)):
        factor[at] = max(factor[at], factor[at - 1] - 0.9 * (level[at] - level[at - 1]))
    return level, factor - np.log((expected * np.exp(factor)).sum() / expected.sum())
