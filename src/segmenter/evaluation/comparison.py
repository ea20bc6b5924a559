"""Whether one ranking holds more than another, or only seems to: a paired bootstrap over customers.

A customer appears at several cuts and in every ranking, so customers are drawn, with all that they spent, and every ranking sees the
same draws. They are drawn in 4,096 buckets by a hash of their id, whose sums vary as those of customers do (the method of random groups
[1]_), so that a million cost no more. Rankings are not fitted again; the interval of a share lies between percentiles of the draws [2]_.

The best of several rankings is ahead of the launch's own by luck more often than any one of them. So intervals of differences hold the
truth together: with whichever ranking all others are compared, in 95 of 100 shops none of them misses it. As many standard errors are
laid to either side as the largest difference of a draw, in its own standard errors, seldom exceeds [3]_.

References
----------
.. [1] Wolter, K. M. (2007). Introduction to Variance Estimation, 2nd ed., Springer, chapter 2.
.. [2] Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap, Chapman & Hall, chapter 13.
.. [3] Westfall, P. H. and Young, S. S. (1993). Resampling-Based Multiple Testing, Wiley, chapter 2.
"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.hashing import quick_hash

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BUCKETS = 4096
TAILS = (0.025, 0.975)
# Where rankings differ in fewer buckets, even all of them on one side are likelier than 2.5 % by chance alone (2**-5 > .025).
MIN_BUCKETS = 6
_HALF = 40  # bits: 4,096 such numbers add up to less than 2**53, where floats are still exact


def assign_buckets(ids: pl.Series, seed: int) -> Ints:
    """Put customers into buckets 0..4095 by a hash of their ids: the same at every cut."""
    return (quick_hash(ids, seed, "bootstrap") >> np.uint64(64 - 12)).astype(np.int64)


def sum_by_bucket(bucket: Ints, spend: Ints) -> Ints:
    """Sum later spend (minor units) by bucket: (4096,), exact."""
    sums = np.zeros(BUCKETS, np.int64)
    np.add.at(sums, bucket, spend)
    return sums


def compare_rankings(
    names: Sequence[str], held: Ints, total: Ints, seed: int, draws: int = 1000, known: Bools | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the rankings' mean shares of later spend, and compare every ranking with every other one, paired over customers.

    Later spend by bucket in minor units: `held` (cuts, rankings, 4096) of the customers in a ranking's top, `total` (cuts, 4096) of all;
    `known` (cuts, rankings) says which rankings could be computed, all if None. A mean is over a ranking's own cuts, a difference over
    those that both have, as shares of other cuts are nothing to compare. The first frame has ``ranking``, ``share``, and the ends ``low``
    and ``high`` of its 95 % interval, null where nothing was spent; the second ``ranking``, ``against``, the ``difference`` of their shares
    with its interval, which allows for all others, null where the two differ in the spend of too few buckets to say anything, and
    ``clearly_better``, where the whole interval lies above 0; both have ``dates``, the number of cuts.
    """
    known = np.ones(held.shape[:2], np.bool_) if known is None else known
    drawn, shares = draw_shares(held, total, seed, draws), _shares(np.ones((1, BUCKETS)), held, total)
    ends = dict.fromkeys(("low", "high"), pl.Float64)
    means = []
    for i, name in enumerate(names):
        dates = known[:, i]
        means.append((name, _number(_mean(shares, dates, i)[0]), *_interval(_mean(drawn, dates, i)), int(dates.sum())))
    number = len(names)
    value, error, extreme = np.full((number, number), np.nan), np.full((number, number), np.nan), np.zeros((number, draws))
    for i, j in permutations(range(number), 2):
        both = known[:, i] & known[:, j]
        value[i, j] = (_mean(shares, both, i) - _mean(shares, both, j))[0]
        apart = int((held[both, i] != held[both, j]).any(axis=0).sum())
        if np.isnan(value[i, j]) or 0 < apart < MIN_BUCKETS:
            continue
        off = _mean(drawn, both, i) - _mean(drawn, both, j) - value[i, j]
        error[i, j] = np.sqrt(np.nanmean(off**2))
        if error[i, j] > 0:
            extreme[j] = np.fmax(extreme[j], abs(off) / error[i, j])
    reach = np.quantile(extreme, TAILS[1] - TAILS[0], axis=1)
    pairs = []
    for i, j in permutations(range(number), 2):
        margin = max(reach[i], reach[j]) * error[i, j]
        low, high = _number(value[i, j] - margin), _number(value[i, j] + margin)
        better = low is not None and low > 0
        pairs.append((names[i], names[j], _number(value[i, j]), low, high, better, int((known[:, i] & known[:, j]).sum())))
    columns = {"ranking": pl.String, "against": pl.String, "difference": pl.Float64, **ends, "clearly_better": pl.Boolean}
    return (
        pl.DataFrame(means, {"ranking": pl.String, "share": pl.Float64, **ends, "dates": pl.Int64}, orient="row"),
        pl.DataFrame(pairs, {**columns, "dates": pl.Int64}, orient="row"),
    )


def draw_shares(held: Ints, total: Ints, seed: int, draws: int) -> Floats:
    """Draw buckets again and again, and give each ranking's share of spend in every draw: (draws, cuts, rankings).

    NaN where the customers drawn at a cut spent nothing.
    """
    chance = np.random.Generator(np.random.PCG64(seed % 2**64))
    # Equal chances: counting numbers drawn is a multinomial draw, and quicker than asking for one.
    weights = np.stack([np.bincount(chance.integers(BUCKETS, size=BUCKETS), minlength=BUCKETS) for _ in range(draws)])
    return _shares(weights.astype(np.float64), held, total)


def _shares(weights: Floats, held: Ints, total: Ints) -> Floats:
    shares = np.full((len(weights), *held.shape[:2]), np.nan)
    for cut, (here, whole) in enumerate(zip(held, total, strict=True)):
        if whole.sum() > 0:
            drawn = _weighted(weights, np.vstack([here, whole]))
            spent = drawn[:, -1:]
            np.divide(drawn[:, :-1], spent, out=shares[:, cut], where=spent > 0)
    return shares


def _mean(shares: Floats, dates: Bools, ranking: int) -> Floats:
    """Give a ranking's mean share over these cuts in every draw; NaN in a draw without any spend."""
    at = shares[:, dates, ranking]
    there = ~np.isnan(at)
    count = there.sum(axis=1)
    mean: Floats = np.divide(np.where(there, at, 0).sum(axis=1), count, out=np.full(len(at), np.nan), where=count > 0)
    return mean


def _weighted(weights: Floats, sums: Ints) -> Floats:
    """Multiply by the sums' two halves, so that nothing is rounded before the end: the same bits in whatever order it is done."""
    low, high = sums & ((1 << _HALF) - 1), sums >> _HALF
    product = weights @ low.T.astype(np.float64)
    return product + (weights @ high.T.astype(np.float64)) * 2.0**_HALF if high.any() else product


def _interval(drawn: Floats) -> tuple[float | None, float | None]:
    usable = drawn[~np.isnan(drawn)]
    if not len(usable):
        return None, None
    low, high = np.quantile(usable, TAILS)
    return float(low), float(high)


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
