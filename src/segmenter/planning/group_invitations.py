"""How many invitations fill a group, where not everybody joins.

A group is filled when enough of its list join, `plan.fill` of its capacity, if everybody on the list is asked. A list is long enough for
that with the chance `plan.fill_confidence`; invitations to it stop when the group is full, so that who is last on it is a reserve.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.planning.join_chances import BINS, JoinChances
from segmenter.settings import PlanSettings

Floats = NDArray[np.float64]
MOST = 10_000  # invitations that are looked at where there are fewer customers: the largest group that one thinks of


@dataclass(frozen=True)
class ListLengths:
    """The invitations of a group: so many that it fills and lives, and as many as it has room for."""

    few: int
    many: int

    def count_groups(self, invitations: int) -> int:
        """Count the groups of so many: as few as have room for them, but no more than fill, and one in any case."""
        return max(min(-(-invitations // self.many), invitations // self.few), 1)


def count_members(plan: PlanSettings) -> int:
    """Count the members with which a group is filled."""
    return max(ceil(round(plan.fill * plan.group_capacity, 9)), 1)


def fit_invitations(scores: pl.Series, chances: JoinChances, plan: PlanSettings, most: int = 0) -> ListLengths:
    """Say how many invitations a group of customers of such scores takes; `most` is how many customers there are, if more than scores.

    As many as hardly ever overfill it (`plan.overflow_risk`); where even these do not fill it, as the chance to join is a guess, as many
    as are expected to take its places.
    """
    mean = float(chances.chance(scores).to_numpy().mean()) if len(scores) else chances.mean
    return fit_mean(mean, chances, plan, max(len(scores) + 1, most, MOST))


def fit_mean(mean: float, chances: JoinChances, plan: PlanSettings, most: int) -> ListLengths:
    """Say the same of customers whose mean chance to join is known, for lists of at most so many."""
    if plan.fill_confidence is None:
        return ListLengths(plan.smallest, min(plan.group_capacity, most))
    limits = {"confidence": plan.fill_confidence, "risk": plan.overflow_risk}
    few, many = count_invitations(mean, chances.evidence, count_members(plan), plan.group_capacity, **limits, most=most)
    few = min(max(few, ceil(round(plan.smallest / mean, 9))), most)
    return ListLengths(few, many if many >= few else max(few, min(int(plan.group_capacity / mean), most)))


def most_invitations(chances: JoinChances, plan: PlanSettings) -> int:
    """Say how many invitations a group takes of those who are the least likely to join."""
    every_bin = pl.Series([*range(100 // BINS // 2, 100, 100 // BINS), None], dtype=pl.Float64)
    return fit_mean(min(chances.chance(every_bin)), chances, plan, MOST).many


def chance_filled(expected: Floats, invitations: Floats, evidence: float, members: int) -> Floats:
    """Give the chances that so many members join, of lists of which so many are expected to."""
    mean = np.clip(expected / np.maximum(invitations, 1), 1e-9, 1 - 1e-9)
    fewer = [
        chances_of_joins(n, rate, evidence)[:members].sum() if members <= n else 1.0 for n, rate in zip(invitations, mean, strict=True)
    ]
    return np.clip(1 - np.array(fewer, dtype=np.float64), 0.0, 1.0)


def chances_of_joins(n: int, mean: float, evidence: float) -> Floats:
    """Give the chance of 0, 1, ..., n joins of n invitations: beta-binomial, which scipy.stats has, too, and takes a second to load."""
    from scipy.special import betaln

    joins, a, b = np.arange(n + 1), mean * evidence, (1 - mean) * evidence
    chances: Floats = np.exp(-np.log(n + 1) - betaln(n - joins + 1, joins + 1) + betaln(joins + a, n - joins + b) - betaln(a, b))
    return chances


@lru_cache(1_000)
def count_invitations(
    mean: float, evidence: float, enough: int, capacity: int, *, confidence: float, risk: float, most: int
) -> tuple[int, int]:
    """Count the invitations that fill a group, where the rate to join is Beta(mean × evidence, (1 - mean) × evidence).

    The fewest with which at least `enough` join with a chance of `confidence`; and the most with which more than `capacity` join with at
    most a chance of `risk`; neither is more than `most`. How many of n join is beta-binomial: the customers of a group have the launch's
    rate in common. Turned round, the invitations that so many joins take are beta-negative-binomial (Johnson, Kemp and Kotz 2005,
    Univariate Discrete Distributions, 6.2.2-6.2.3), which gives the chances for every n at once.

    >>> count_invitations(0.3, 2000, 160, 200, confidence=0.9, risk=0.05, most=10_000)
    (586, 597)
    """
    length = min(max(int(3 * capacity / mean), 64), most)
    while True:
        filled, overflow = (_chance_of(joins, length, mean, evidence) for joins in (enough, capacity + 1))
        # Positions in these arrays are numbers of invitations. The fewest that fill it, and the most that do not overfill it.
        few, many = int(np.searchsorted(filled, confidence)), int(np.searchsorted(overflow, risk, side="right")) - 1
        if max(few, many) < length or length >= most:
            return min(few, most), min(many, most)
        length = min(2 * length, most)


def _chance_of(joins: int, length: int, mean: float, evidence: float) -> Floats:
    """Give the chance that at least so many join of 0, 1, ..., `length` invited."""
    from scipy.special import betaln

    chances = np.zeros(length + 1)
    if length >= joins:
        misses, a, b = np.arange(length - joins + 1), mean * evidence, (1 - mean) * evidence
        chances[joins:] = np.cumsum(
            np.exp(-np.log(joins + misses) - betaln(joins, misses + 1) + betaln(a + joins, b + misses) - betaln(a, b))
        )
    return np.minimum(chances, 1.0)
