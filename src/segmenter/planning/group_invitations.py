"""How many invitations fill a group, where not everybody joins."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.planning.join_chances import JoinChances
from segmenter.settings import PlanSettings

Floats = NDArray[np.float64]
_FEW = 10_000  # invitations that are looked at where there are fewer customers: the largest group that one thinks of


@dataclass(frozen=True)
class GroupInvitations:
    """So many invitations; the chance that enough join to fill the group, and that more join than it can hold."""

    invitations: int
    filled: float
    overflow: float


def fit_invitations(scores: pl.Series, chances: JoinChances, plan: PlanSettings) -> GroupInvitations:
    """Say how many invitations a group of customers of such scores takes, as the plan asks for it to be filled."""
    mean = float(chances.chance(scores).to_numpy().mean()) if len(scores) else chances.mean
    sure, most = plan.fill_confidence, max(len(scores) + 1, _FEW)
    return count_invitations(
        mean, chances.evidence, plan.group_capacity, fill=plan.fill, confidence=sure, risk=plan.overflow_risk, most=most
    )


def count_invitations(
    mean: float, evidence: float, capacity: int, *, fill: float, confidence: float | None, risk: float, most: int | None = None
) -> GroupInvitations:
    """Say how many invitations fill a group, where the rate to join is Beta(mean × evidence, (1 - mean) × evidence).

    The fewest with which at least ``fill × capacity`` join with a chance of `confidence`, and never more than those with which more
    than `capacity` join with a chance of `risk`; nor more than `most`, or 1,000 for each place. Without a confidence it is one for each
    place. How many of n join is beta-binomial: the customers of a group have the launch's rate in common. Turned round, the invitations
    that so many joins take are beta-negative-binomial [1]_, which gives the chances for every n at once.

    References
    ----------
    .. [1] Johnson, N. L., Kemp, A. W. and Kotz, S. (2005). Univariate Discrete Distributions, 3rd ed., Wiley, sections 6.2.2-6.2.3.

    Examples
    --------
    >>> found = count_invitations(0.3, 2000, 200, fill=0.8, confidence=0.9, risk=0.05)
    >>> found.invitations, round(found.filled, 2), round(found.overflow, 2)
    (586, 0.9, 0.03)
    """
    limit = 1000 * capacity if most is None else most
    enough = max(ceil(round(fill * capacity, 9)), 1)
    if confidence is None:
        count, length = min(capacity, limit), min(capacity + 1, limit)
    else:
        count, length = 0, min(max(int(3 * capacity / mean), 64), limit)
    while True:
        filled, overflow = (_chance_of(joins, length, mean, evidence) for joins in (enough, capacity + 1))
        if confidence is not None:
            # Positions in these arrays are numbers of invitations. The fewest that fill it, and the most that do not overfill it.
            count = min(int(np.searchsorted(filled, confidence)), int(np.searchsorted(overflow, risk, side="right")) - 1, limit)
        if count < length or length >= limit:
            return GroupInvitations(count, float(filled[min(count, length)]), float(overflow[min(count, length)]))
        length = min(2 * length, limit)


def _chance_of(joins: int, length: int, mean: float, evidence: float) -> Floats:
    """Give the chance that at least so many join of 0, 1, ..., `length` invited."""
    from scipy.stats import betanbinom

    chances = np.zeros(length + 1)
    if length >= joins:
        misses = np.arange(length - joins + 1)
        chances[joins:] = np.cumsum(betanbinom.pmf(misses, joins, mean * evidence, (1 - mean) * evidence))
    return np.minimum(chances, 1.0)
