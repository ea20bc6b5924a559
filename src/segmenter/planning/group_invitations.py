"""How many invitations fill a group, where not everybody joins."""

from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.planning.join_chances import JoinChances
from segmenter.settings import PlanSettings

_FEW = 10_000  # invitations that are looked at where there are fewer customers: the largest group that one thinks of


def fit_invitations(scores: pl.Series, chances: JoinChances, plan: PlanSettings) -> int:
    """Say how many invitations a group of customers of such scores takes, as the plan asks for it to be filled."""
    most = max(len(scores) + 1, _FEW)
    if plan.fill_confidence is None:
        return min(plan.group_capacity, most)
    mean = float(chances.chance(scores).to_numpy().mean()) if len(scores) else chances.mean
    enough = max(ceil(round(plan.fill * plan.group_capacity, 9)), 1)
    return count_invitations(
        mean, chances.evidence, enough, plan.group_capacity, confidence=plan.fill_confidence, risk=plan.overflow_risk, most=most
    )


def count_invitations(mean: float, evidence: float, enough: int, capacity: int, *, confidence: float, risk: float, most: int) -> int:
    """Count the invitations that fill a group, where the rate to join is Beta(mean × evidence, (1 - mean) × evidence).

    The fewest with which at least `enough` join with a chance of `confidence`, and never more than those with which more than `capacity`
    join with a chance of `risk`; nor more than `most`. How many of n join is beta-binomial: the customers of a group have the launch's
    rate in common. Turned round, the invitations that so many joins take are beta-negative-binomial (Johnson, Kemp and Kotz 2005,
    Univariate Discrete Distributions, 6.2.2-6.2.3), which gives the chances for every n at once.

    >>> count_invitations(0.3, 2000, 160, 200, confidence=0.9, risk=0.05, most=10_000)
    586
    """
    length = min(max(int(3 * capacity / mean), 64), most)
    while True:
        filled, overflow = (_chance_of(joins, length, mean, evidence) for joins in (enough, capacity + 1))
        # Positions in these arrays are numbers of invitations. The fewest that fill it, and the most that do not overfill it.
        count = min(int(np.searchsorted(filled, confidence)), int(np.searchsorted(overflow, risk, side="right")) - 1, most)
        if count < length or length >= most:
            return count
        length = min(2 * length, most)


def _chance_of(joins: int, length: int, mean: float, evidence: float) -> NDArray[np.float64]:
    """Give the chance that at least so many join of 0, 1, ..., `length` invited."""
    from scipy.stats import betanbinom

    chances = np.zeros(length + 1)
    if length >= joins:
        misses = np.arange(length - joins + 1)
        chances[joins:] = np.cumsum(betanbinom.pmf(misses, joins, mean * evidence, (1 - mean) * evidence))
    return np.minimum(chances, 1.0)
