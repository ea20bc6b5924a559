"""The draws of a forecast: what may come of customers invited by their ranks.

Four things are uncertain, and every draw takes all of them into account:

- how many join: the chances are drawn as `planning.join_chances` learned them;
- whose spend it is: the replayed customers near a rank are weighted anew by the Bayesian bootstrap [1]_;
- how good a month it is: the level is drawn from Student's predictive distribution of the logarithms of the replayed launches' levels,
  as for a further observation of a normal population with unknown mean and variance [2]_;
- who of those invited joins and what these buy: the sum over customers is compound, and is drawn from the translated gamma
  distribution with the same mean, variance and skewness [3]_. A normal one would promise too much: a few large buyers make much of the
  sales.

References
----------
.. [1] Rubin, D. B. (1981). The Bayesian Bootstrap. The Annals of Statistics 9 (1), 130-134.
.. [2] Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., CRC Press, section 3.3 (the conjugate prior) and 3.2.
.. [3] Bowers, N. L. et al. (1997). Actuarial Mathematics, 2nd ed., Society of Actuaries, section 12.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.planning.join_chances import BINS, JoinChances

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]

DRAWS = 2_000
_BIN_CUSTOMERS = 12  # replayed customers in the first, smallest bin of ranks
# How much the levels of months differ, before any are compared: by 17 %, worth two months.
_SPREAD, _SPREAD_EVIDENCE = 0.17, 2.0


@dataclass(frozen=True)
class Draws:
    """What may come of the invited in every draw; arrays are of shape (draws, bins of ranks), or (draws,)."""

    chance: Floats
    moments: tuple[Floats, Floats, Floats]
    level: Floats
    luck: Floats  # 0 to 1: of what they buy
    turnout: Floats  # standard normal: of who joins

    def joins(self, customers: Floats) -> Floats:
        """Draw how many join, of so many customers in each bin."""
        mean, variance = (customers * self.chance).sum(axis=1), (customers * self.chance * (1 - self.chance)).sum(axis=1)
        joins: Floats = np.clip(mean + variance**0.5 * self.turnout, 0, customers.sum())
        return joins

    def sales(self, left: Floats, left_squared: Floats, left_cubed: Floats) -> Floats:
        """Draw what they buy; given are, by bin, the sums of the shares of the horizon they have left, of their squares and cubes.

        Such a share is taken as the chance that a purchase falls into the time left.
        """
        from scipy.special import gammaincinv

        chance, (first, second, third) = self.chance, self.moments
        mean = (left * chance * first).sum(axis=1)
        variance = (left * chance * second - left_squared * (chance * first) ** 2).sum(axis=1)
        skewed = (left * chance * third - 3 * left_squared * chance**2 * first * second + 2 * left_cubed * (chance * first) ** 3).sum(
            axis=1
        )
        varied = np.maximum(variance, 1e-9)
        skewness = np.maximum(skewed / varied**1.5, 0.01)
        shape = 4 / skewness**2
        sales: Floats = self.level * (mean + varied**0.5 * (gammaincinv(shape, self.luck) - shape) / shape**0.5)
        return sales


def bin_edges(customers: int) -> Floats:
    """Give the inner edges of the bins of ranks, as shares of the eligible: the first bins are the narrowest, as the best differ most."""
    number = int(np.clip((customers / _BIN_CUSTOMERS) ** 0.5, 1, 40))
    edges: Floats = (np.arange(1, number) / number) ** 2
    return edges


def score_shares(score_bins: pl.Series, bins: Longs, number: int) -> Floats:
    """Give the share of each bin of scores in each bin of ranks."""
    shares = np.zeros((number, BINS + 1))
    np.add.at(shares, (bins, score_bins.to_numpy()), 1.0)
    shares[shares.sum(axis=1) == 0, BINS] = 1.0
    normal: Floats = shares / shares.sum(axis=1, keepdims=True)
    return normal


def draw(spends: Sequence[Longs], edges: Floats, shares: Floats, planned: Floats, joining: JoinChances, seed: int) -> Draws:
    """Draw the chances to join, the spend of the ranks, and the level of the month.

    `spends` has the later spend of the eligible at each past date by rank, `shares` the share of each bin of scores in each bin of ranks,
    `planned` the customers invited in each, by the share of the horizon that they have left.
    """
    rng = np.random.Generator(np.random.PCG64(seed % 2**64))
    chance = (joining.draws(rng, DRAWS)[:, None, :] * shares).sum(axis=2)
    usual = chance.mean(axis=0)
    moments = np.zeros((3, DRAWS, len(edges) + 1))
    luck, turnout = rng.random(DRAWS), rng.standard_normal(DRAWS)
    worth, doubt = [], []
    for number, spend in enumerate(spends):
        bins = np.searchsorted(edges, (np.arange(len(spend)) + 0.5) / len(spend), side="right")
        sizes = np.bincount(bins, minlength=len(edges) + 1)
        means = np.bincount(bins, spend, minlength=len(edges) + 1) / sizes
        squares = np.bincount(bins, spend.astype(np.float64) ** 2, minlength=len(edges) + 1) / sizes
        # What the launch would have sold then, and how far the chance of who bought could have moved that.
        worth.append(float((planned * usual * means).sum()))
        doubt.append(float(((planned * usual) ** 2 * (squares - means**2) / sizes).sum()))
        moments[:, number :: len(spends)] = _reweight(rng, spend, bins, sizes, len(range(number, DRAWS, len(spends))))
    spread, freedom, centre = _months(np.array(worth), np.array(doubt))
    level = np.exp(spread * rng.standard_t(freedom, DRAWS))
    if centre is not None:
        level *= centre / np.array(worth)[np.arange(DRAWS) % len(spends)]
    return Draws(chance, (moments[0], moments[1], moments[2]), level, luck, turnout)


def _reweight(rng: np.random.Generator, spend: Longs, bins: Longs, sizes: Longs, draws: int) -> Floats:
    """Give mean, mean square and mean cube of the spend in each bin under weights of the Bayesian bootstrap: (3, draws, bins)."""
    buyers = np.flatnonzero(spend)
    found = np.bincount(bins[buyers], minlength=len(sizes))
    # The weights are independent exponentials, divided by their sum; those of customers who bought nothing sum to a gamma.
    total = rng.standard_gamma(np.broadcast_to(sizes - found, (draws, len(sizes))))
    sums = np.zeros((3, draws, len(sizes)))
    if len(buyers):
        some, amounts = np.flatnonzero(found), spend[buyers].astype(np.float64)
        starts = (np.cumsum(found) - found)[some]  # the buyers are in the order of their ranks
        weights = rng.standard_exponential((draws, len(buyers)))
        total[:, some] += np.add.reduceat(weights, starts, axis=1)
        for power in range(3):
            weights *= amounts
            sums[power][:, some] = np.add.reduceat(weights, starts, axis=1)
    return sums / total


def _months(worth: Floats, doubt: Floats) -> tuple[float, float, float | None]:
    """Give spread and degrees of freedom of the logarithm of the next level, and its centre where all levels are above 0."""
    if not len(worth) or worth.min() <= 0:
        return _SPREAD * 2**0.5, _SPREAD_EVIDENCE, None
    logs = np.log(worth)
    more = len(worth) - 1
    # What differs by the chance of who bought is drawn apart from it.
    variance = max(float(logs.var(ddof=1)) - float((doubt / worth**2).mean()), 0.0) if more else 0.0
    freedom = _SPREAD_EVIDENCE + more
    pooled = (_SPREAD_EVIDENCE * _SPREAD**2 + more * variance) / freedom
    return (pooled * (1 + 1 / len(worth))) ** 0.5, freedom, float(np.exp(logs.mean()))
