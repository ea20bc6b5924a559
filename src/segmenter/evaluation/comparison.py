"""Whether one ranking holds more than another, or only seems to: a paired bootstrap over customers.

A customer appears at several cuts and in every ranking, so what is drawn again is the customer, with all that they spent. Customers
are first put into 4,096 buckets by a hash of their id, and the buckets are drawn: sums by bucket are all that is kept, and a million
customers cost no more than 4,096. Buckets are groups by chance, so that their sums vary as those of customers do (the method of
random groups [1]_), and below some thousand buyers a bucket holds hardly more than one. All rankings see the same draws: what they
share cancels out of their difference. The rankings themselves stand as they are and are not fitted again. Intervals are those
between the percentiles of the draws [2]_.

The same functions compare shares of buyers, where `spend` is 1 for those who bought and 0 for others.

References
----------
.. [1] Wolter, K. M. (2007). Introduction to Variance Estimation, 2nd ed., Springer, chapter 2.
.. [2] Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap, Chapman & Hall, chapter 13.
"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.hashing import lots

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BUCKETS = 4096
TAILS = (0.025, 0.975)
# Where rankings differ in fewer buckets, even all of them on one side are likelier than 2.5 % by chance alone (2**-5 > .025).
FEWEST = 6
_HALF = 40  # bits: 4,096 such numbers add up to less than 2**53, where floats are still exact


def buckets(ids: pl.Series, seed: int) -> Ints:
    """Put customers into buckets by a hash of their ids: the same at every cut.

    Parameters
    ----------
    ids : Series of String
        Without nulls.
    seed : int
        The job's seed.

    Returns
    -------
    ndarray of int of shape (n,)
        From 0 to 4095, in the order of `ids`.

    Examples
    --------
    >>> buckets(pl.Series(["C1", "C2", "C1"]), 7).tolist()
    [1650, 3904, 1650]
    """
    return (lots(ids, seed, "bootstrap") >> np.uint64(64 - 12)).astype(np.int64)


def bucket_sums(bucket: Ints, spend: Ints, taken: NDArray[np.bool_] | Ints | None = None) -> Ints:
    """Add up later spend by bucket.

    Parameters
    ----------
    bucket : ndarray of int of shape (n,)
        As `buckets` gives them.
    spend : ndarray of int of shape (n,)
        Net spend after the cut in minor units.
    taken : ndarray of bool of shape (n,) or of int of shape (k,), optional
        Those whom a ranking takes, or their positions such as ``order[:k]``; all where there is none.

    Returns
    -------
    ndarray of int of shape (4096,)
        In minor units, exact.

    Examples
    --------
    >>> bucket_sums(np.array([0, 1, 0]), np.array([100, 300, 50]), np.array([True, True, False]))[:3].tolist()
    [100, 300, 0]
    """
    if taken is not None:
        bucket, spend = bucket[taken], spend[taken]
    sums = np.zeros(BUCKETS, np.int64)
    np.add.at(sums, bucket, spend)
    return sums


def drawn_shares(held: Ints, total: Ints, seed: int, draws: int = 1000) -> Floats:
    """Draw buckets again and again, and give each ranking's share of spend in every draw.

    Parameters
    ----------
    held : ndarray of int of shape (cuts, rankings, 4096)
        Sums over the customers that a ranking takes.
    total : ndarray of int of shape (cuts, 4096)
        Sums over all customers.
    seed : int
        The job's seed, ≥ 0.
    draws : int
        How many, ≥ 1.

    Returns
    -------
    ndarray of float of shape (draws, rankings)
        Means over the cuts whose customers drawn spent more than 0; NaN in a draw without any.

    Examples
    --------
    >>> total = np.full((1, BUCKETS), 10)
    >>> drawn_shares(np.stack([total * 0, total], axis=1), total, seed=7, draws=2).tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    chance = np.random.Generator(np.random.PCG64(seed % 2**64))
    # Equal chances: counting numbers drawn is a multinomial draw, and quicker than asking for one.
    weights = np.stack([np.bincount(chance.integers(BUCKETS, size=BUCKETS), minlength=BUCKETS) for _ in range(draws)])
    return _mean_shares(weights.astype(np.float64), held, total)


def shares(names: Sequence[str], held: Ints, total: Ints, drawn: Floats) -> pl.DataFrame:
    """Give each ranking's mean share of later spend, and how far chance could have moved it.

    Parameters
    ----------
    names : sequence of str
        The rankings.
    held, total : ndarray of int
        As for `drawn_shares`.
    drawn : ndarray of float of shape (draws, rankings)
        From `drawn_shares`.

    Returns
    -------
    DataFrame
        ``ranking``, ``share``, and ``low`` and ``high``, the ends of its 95 % interval; null where there is no later spend.

    Examples
    --------
    >>> total = np.full((1, BUCKETS), 10)
    >>> held = np.stack([total // 2], axis=1)
    >>> shares(["spend"], held, total, drawn_shares(held, total, seed=7)).rows()
    [('spend', 0.5, 0.5, 0.5)]
    """
    (share,) = _mean_shares(np.ones((1, BUCKETS)), held, total)
    rows = [(name, _number(share[i]), *_interval(drawn[:, i])) for i, name in enumerate(names)]
    return pl.DataFrame(rows, {"ranking": pl.String} | dict.fromkeys(("share", "low", "high"), pl.Float64), orient="row")


def differences(names: Sequence[str], held: Ints, total: Ints, drawn: Floats) -> pl.DataFrame:
    """Compare every ranking with every other one, paired over customers.

    Parameters
    ----------
    names : sequence of str
        The rankings.
    held, total : ndarray of int
        As for `drawn_shares`.
    drawn : ndarray of float of shape (draws, rankings)
        From `drawn_shares`.

    Returns
    -------
    DataFrame
        ``ranking``, ``against``, ``difference`` of their mean shares, and ``low`` and ``high``, the ends of its 95 % interval; these
        are null where the two differ in the spend of fewer than 6 buckets, too few to say anything, unless they differ in none.
        ``clearly_better`` is true where the whole interval lies above 0.

    Examples
    --------
    >>> total = np.full((1, BUCKETS), 10)
    >>> held = np.stack([total // 2, total], axis=1)
    >>> differences(["spend", "best"], held, total, drawn_shares(held, total, seed=7)).rows()
    [('spend', 'best', -0.5, -0.5, -0.5, False), ('best', 'spend', 0.5, 0.5, 0.5, True)]
    """
    (share,) = _mean_shares(np.ones((1, BUCKETS)), held, total)
    rows = []
    for i, j in permutations(range(len(names)), 2):
        apart = int((held[:, i] != held[:, j]).any(axis=0).sum())
        interval = (None, None) if 0 < apart < FEWEST else _interval(drawn[:, i] - drawn[:, j])
        rows.append((names[i], names[j], _number(share[i] - share[j]), *interval))
    schema = {"ranking": pl.String, "against": pl.String} | dict.fromkeys(("difference", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema, orient="row").with_columns(clearly_better=(pl.col("low") > 0).fill_null(False))


def _mean_shares(weights: Floats, held: Ints, total: Ints) -> Floats:
    sums, cuts = np.zeros((len(weights), held.shape[1])), np.zeros((len(weights), 1))
    for here, whole in zip(held, total, strict=True):
        if whole.sum() > 0:
            drawn = _weighted(weights, np.vstack([here, whole]))
            spent = drawn[:, -1:]
            sums += np.divide(drawn[:, :-1], spent, out=np.zeros_like(sums), where=spent > 0)
            cuts += spent > 0
    return np.divide(sums, cuts, out=np.full_like(sums, np.nan), where=cuts > 0)


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
