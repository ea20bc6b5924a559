"""What customers drawn at random would have held of later spend: what any ranking has to hold more than.

Every draw puts the customers into one random order, the same at all cuts, as a ranking mostly puts the same customers first: on the later
spend as it was, this is a permutation test [1]_, exact for any number of buyers and however much the largest of them spent. Customers are
drawn in the buckets of `comparison`, each of one or two in a small shop; of the last bucket that has room in the top, as much as fits.

References
----------
.. [1] Good, P. I. (2005). Permutation, Parametric and Bootstrap Tests of Hypotheses, 3rd ed., Springer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.evaluation.comparison import BUCKETS, TAILS, assign_buckets, sum_by_bucket
from segmenter.evaluation.gains import top_count
from segmenter.hashing import quick_hash

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FEW_BUYERS = 100  # of fewer, even a share of 30 % is known to no better than 9 points either way


@dataclass(frozen=True)
class Outcome:
    """What came after one cut, whatever the ranking: by bucket how many customers there were and what they spent (minor units)."""

    customers: Ints  # (4096,)
    spend: Ints  # (4096,)
    buyers: NDArray[np.uint64]  # who bought, by a hash


@dataclass(frozen=True)
class Chance:
    """What the top of customers drawn at random would hold of later spend, mean over the cuts; null where nothing was spent."""

    share: float | None
    low: float | None  # and high: its 95 % interval
    high: float | None
    buyers: int  # different customers who bought after a cut: what the evidence rests on
    drawn: Floats  # the share in each draw; empty where nothing was spent

    def beaten_by(self, share: float | None, rankings: int = 1) -> bool:
        """Say whether chance would hardly hold as much; the best of several rankings must be that many times less likely [1]_.

        References
        ----------
        .. [1] Dunn, O. J. (1961). Multiple Comparisons among Means. Journal of the American Statistical Association 56(293), 52-64.
        """
        if share is None or not len(self.drawn):
            return False
        as_good = 1 + int((self.drawn >= share - 1e-12).sum())  # itself is one of the draws that might have been
        return rankings * as_good / (1 + len(self.drawn)) <= TAILS[0]


def outcome_of(ids: pl.Series, spend: Ints, bought: NDArray[np.bool_], seed: int) -> Outcome:
    """Sum up what customers did after a cut, in any order of them."""
    bucket = assign_buckets(ids, seed)
    buyers = np.sort(quick_hash(ids.filter(pl.Series(bought)), seed, "buyer"))
    return Outcome(np.bincount(bucket, minlength=BUCKETS).astype(np.int64), sum_by_bucket(bucket, spend), buyers)


def draw_chance(outcomes: Sequence[Outcome], tops: Sequence[int], seed: int, draws: int = 1000) -> Chance:
    """Draw customers at random again and again: what the top so many percent hold of the later spend, mean over the cuts and the `tops`.

    Cuts after which nothing was spent do not count.

    >>> ids, later = pl.Series([f"C{number}" for number in range(50)]), np.arange(50) * 100
    >>> chance = draw_chance([outcome_of(ids, later, later > 0, 7)], [10], 7)
    >>> chance.share, chance.buyers, chance.beaten_by(0.1), chance.beaten_by(0.19)
    (0.1, 49, False, True)
    """
    buyers = len(np.unique(np.concatenate([outcome.buyers for outcome in outcomes]))) if outcomes else 0
    spent = [outcome for outcome in outcomes if outcome.spend.sum() > 0]
    if not spent:
        return Chance(None, None, None, buyers, np.zeros(0))
    there = np.flatnonzero(np.sum([outcome.customers for outcome in spent], axis=0))
    lots = np.random.Generator(np.random.PCG64(seed % 2**64)).integers(1 << 16, size=(draws, len(there)), dtype=np.uint16)
    orders = np.argsort(lots, axis=1, kind="stable")
    mean, drawn = 0.0, np.zeros(draws)
    for outcome in spent:
        number, whole = int(outcome.customers.sum()), int(outcome.spend.sum())
        counts = [top_count(number, top) for top in tops]
        for count, held in zip(counts, _held(outcome.customers[there], outcome.spend[there], orders, counts), strict=True):
            mean += count / number
            drawn += held / whole
    parts = len(spent) * len(tops)
    drawn /= parts
    low, high = np.quantile(drawn, TAILS)
    return Chance(mean / parts, float(low), float(high), buyers, drawn)


def _held(customers: Ints, spend: Ints, orders: Ints, counts: Sequence[int]) -> Iterator[Floats]:
    """Give what the first so many customers of each order of the buckets spent."""
    share = max(counts) / customers.sum()
    width = min(int(share * len(customers)) + 4 * isqrt(len(customers)) + 1, len(customers))  # enough, as a rule, for the largest top
    numbers, sums = _running(customers, orders[:, :width]), _running(spend, orders[:, :width])
    if numbers[:, -1].min() < max(counts):
        numbers, sums = _running(customers, orders), _running(spend, orders)
    row = np.arange(len(orders))
    for count in counts:
        last = (numbers[:, 1:] < count).sum(axis=1)  # the last bucket of which some are in the top
        part = (count - numbers[row, last]) / (numbers[row, last + 1] - numbers[row, last])
        yield sums[row, last] + (sums[row, last + 1] - sums[row, last]) * part


def _running(values: Ints, orders: Ints) -> Ints:
    sums = np.zeros((len(orders), orders.shape[1] + 1), np.int64)
    np.cumsum(values[orders], axis=1, out=sums[:, 1:])
    return sums
