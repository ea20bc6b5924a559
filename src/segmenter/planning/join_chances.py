"""The chance that somebody who is invited joins, and how many invitations fill a group.

Rates differ between launches by more than chance: each launch has its own, drawn around a common one. That is the usual model of
repeated binomial experiments [1]_; how far apart launches lie is learned with it, and from one launch alone it is an assumption, so
that no number of answers to one launch makes the next one certain.

References
----------
.. [1] Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., CRC Press, sections 5.1 to 5.3.
"""

from dataclasses import dataclass
from datetime import date
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.words import Lang, say

Floats = NDArray[np.float64]

BINS = 10  # of the score, each 10 wide
_BIN_EVIDENCE = 20.0  # the overall rate weighs as much as so many answers in each bin
# How alike launches are: their rates have the distribution Beta(rate × 500, (1 - rate) × 500), in which two of three launches lie
# within 2 points of a common rate of 30 %. An assumption, which answers to several launches correct.
_ALIKE = 500.0
_ALIKE_SPREAD = 1.0  # standard deviation of its logarithm
_NODES = np.linspace(-2.5, 2.5, 25)  # of that logarithm, in standard deviations
_RATES = 1 / (1 + np.exp(-np.linspace(-11.5, 11.5, 1001)))  # for the common rate, evenly on the scale of log-odds


@dataclass(frozen=True)
class Joining:
    """The chance to join, by score.

    Parameters
    ----------
    mean : float
        Of the next launch's rate.
    evidence : float
        That rate has the distribution Beta(mean × evidence, (1 - mean) × evidence).
    bins : tuple of (float, float, float)
        For each tenth of the score: the two parameters of the Beta distribution of its pooled rate, and the log-odds that the
        launches in which it was asked would have given it.
    asked, joined, launches : int
        What it is learned from.
    guess : float
        What it was before.
    """

    mean: float
    evidence: float
    bins: tuple[tuple[float, float, float], ...]
    asked: int
    joined: int
    launches: int
    guess: float

    def chance(self, scores: pl.Series) -> pl.Series:
        """Give the chance of each customer.

        Parameters
        ----------
        scores : Series of Float64
            0 to 100; null where there is none.

        Returns
        -------
        Series of Float64
            ``join_chance``, above 0 and below 1.
        """
        chances = _shifted(np.array([_log_odds(yes / (yes + no)) - usual for yes, no, usual in self.bins]), self.mean)
        by_bin = pl.Series("join_chance", [*chances, self.mean])
        return by_bin.gather(bin_of(scores))

    def draws(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw what the next launch's chances may be.

        Parameters
        ----------
        rng : Generator
            Drawn from.
        count : int
            How many draws.

        Returns
        -------
        ndarray of shape (count, 11)
            By bin of the score; the last is of those without a score.
        """
        level = np.clip(rng.beta(self.mean * self.evidence, (1 - self.mean) * self.evidence, (count, 1)), 1e-9, 1 - 1e-9)
        if not self.asked:  # the guess is about whoever is invited, of whatever score
            return np.repeat(level, BINS + 1, axis=1)
        yes, no, usual = np.array(self.bins).T
        pooled = np.clip(rng.beta(yes, no, (count, len(yes))), 1e-9, 1 - 1e-9)
        apart = np.log(pooled / (1 - pooled)) - usual
        return np.concatenate([1 / (1 + (1 - level) / level * np.exp(-apart)), level], axis=1)

    def sentence(self, lang: Lang) -> str:
        """Say what the chance is, and what it rests on.

        Parameters
        ----------
        lang : {"en", "zh"}
            The language.

        Returns
        -------
        str
            One sentence.
        """
        mean, guess = f"{100 * self.mean:.0f} %", f"{100 * self.guess:.3g} %"
        if not self.asked:
            en = f"The chance to join, {guess}, is a guess (plan.join_chance): nobody has answered yet."
            return say(lang, en, f"入群概率 {guess} 为预设值（plan.join_chance），目前还没有任何答复。")
        launches = "1 launch" if self.launches == 1 else f"{self.launches} launches"
        invitations = "1 invitation" if self.asked == 1 else f"{self.asked:,} invitations"
        en = f"The chance to join, {mean}, is learned from {invitations} of {launches}, of which {self.joined:,} were accepted"
        zh = f"入群概率 {mean} 由 {self.launches} 次活动的 {self.asked:,} 次邀约学得，其中 {self.joined:,} 人入群"
        return say(lang, f"{en} (the guess was {guess}).", f"{zh}（预设值为 {guess}）。")


@dataclass(frozen=True)
class Places:
    """How many are invited to a group.

    Parameters
    ----------
    invitations : int
        So many.
    filled, overflow : float
        The chance that enough join, and that more join than it can hold.
    """

    invitations: int
    filled: float
    overflow: float


def learn_joining(invited: pl.DataFrame | None, *, as_of: date, chance: float, evidence: float) -> Joining:
    """Learn the chance to join from the answers to earlier launches.

    Who was planned and has an answer was asked. In a launch that has ended and has any answer, everybody planned was: shops often
    note only who joined. Who was held out, or joined unasked, tells nothing of the chance.

    The common rate begins at the guess, and the rate of the next launch at Beta(chance × evidence, (1 - chance) × evidence); the
    posterior is summed over a grid. A tenth of the score has the rate of its own answers, with the overall rate weighing as much as 20
    of them; what its launches would have given it anyway is taken off, so that a bin asked by an unpopular launch is not blamed for it.

    Parameters
    ----------
    invited : DataFrame or None
        See `tables.INVITED`: all launches as of the date; None where there is no ledger.
    as_of : date
        The date.
    chance : float
        The guess (`plan.join_chance`).
    evidence : float
        How many answers it weighs (`plan.join_evidence`).

    Returns
    -------
    Joining
        The same for any order of the rows.

    Examples
    --------
    >>> people = {"launch": "spring", "ends_on": date(2026, 6, 1), "status": "planned", "score": [*range(50, 90)],
    ...           "answer": ["joined"] * 20 + [None] * 20}
    >>> joining = learn_joining(pl.DataFrame(people), as_of=date(2026, 7, 1), chance=0.3, evidence=20)
    >>> joining.sentence("en")
    'The chance to join, 42 %, is learned from 40 invitations of 1 launch, of which 20 were accepted (the guess was 30 %).'
    >>> joining.chance(pl.Series([55.0, 75.0, None])).round(2).to_list()
    [0.6, 0.27, 0.42]
    """
    counts = _counts(invited, as_of)
    by_launch = counts.group_by("launch").agg(pl.col("asked", "joined").sum()).sort("launch")
    mean, sure = _next_rate(by_launch["asked"].to_numpy(), by_launch["joined"].to_numpy(), chance, evidence)
    pull = _BIN_EVIDENCE
    usual = (pl.col("joined") + pull * mean) / (pl.col("asked") + pull)
    scored = counts.join(by_launch.select("launch", usual=usual), on="launch").filter(pl.col("bin") < BINS)
    bins = []
    for place in range(BINS):
        here = scored.filter(bin=place).sort("launch")  # sums of floats: in one order
        asked, joined = int(here["asked"].sum()), int(here["joined"].sum())
        expected = float((here["asked"] * here["usual"]).sum())
        yes, no = joined + pull * mean, asked - joined + pull * (1 - mean)
        bins.append((yes, no, _log_odds((expected + pull * mean) / (asked + pull))))
    return Joining(
        mean=mean,
        evidence=sure,
        bins=tuple(bins),
        asked=int(by_launch["asked"].sum()),
        joined=int(by_launch["joined"].sum()),
        launches=by_launch.height,
        guess=chance,
    )


def bin_of(scores: pl.Series) -> pl.Series:
    """Put scores into bins.

    Parameters
    ----------
    scores : Series of Float64
        0 to 100; null where there is none.

    Returns
    -------
    Series of UInt32
        From 0 to 9; 10 for null.

    Examples
    --------
    >>> bin_of(pl.Series([0.0, 9.99, 10.0, 100.0, None])).to_list()
    [0, 0, 1, 9, 10]
    """
    return (scores.cast(pl.Float64) * BINS / 100).floor().clip(0, BINS - 1).fill_nan(None).cast(pl.UInt32).fill_null(BINS)


def places(
    mean: float, evidence: float, capacity: int, *, fill: float, confidence: float | None, risk: float, most: int | None = None
) -> Places:
    """Say how many invitations fill a group.

    The fewest with which at least ``fill × capacity`` join with a chance of `confidence`, and never more than those with which more
    than `capacity` join with a chance of `risk`. How many of n join is beta-binomial: the people of a group have the launch's rate in
    common. Turned round, the invitations that so many joins take are beta-negative-binomial [1]_, which gives the chances for every n
    at once.

    Parameters
    ----------
    mean : float
        The mean chance of those who would be invited.
    evidence : float
        `Joining.evidence`.
    capacity : int
        Members that the group can hold, ≥ 1.
    fill : float
        It counts as filled at this share.
    confidence : float or None
        The chance to fill it; None for one invitation for each place.
    risk : float
        The chance to overfill it that is accepted.
    most : int or None
        No more than so many invitations, ≥ 1: those who could be invited. None for 1,000 for each place.

    Returns
    -------
    Places
        And what they reach.

    References
    ----------
    .. [1] Johnson, N. L., Kemp, A. W. and Kotz, S. (2005). Univariate Discrete Distributions, 3rd ed., Wiley, sections 6.2.2-6.2.3.

    Examples
    --------
    >>> found = places(0.3, 2000, 200, fill=0.8, confidence=0.9, risk=0.05)
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
        filled, overflow = (_reached(joins, length, mean, evidence) for joins in (enough, capacity + 1))
        if confidence is not None:
            # Places in these arrays are numbers of invitations. The fewest that fill it, and the most that do not overfill it.
            count = min(int(np.searchsorted(filled, confidence)), int(np.searchsorted(overflow, risk, side="right")) - 1, limit)
        if count < length or length >= limit:
            return Places(count, float(filled[min(count, length)]), float(overflow[min(count, length)]))
        length = min(2 * length, limit)


def _reached(joins: int, length: int, mean: float, evidence: float) -> Floats:
    """Give the chance that at least so many join of 0, 1, ..., `length` invited."""
    from scipy.stats import betanbinom

    chances = np.zeros(length + 1)
    if length >= joins:
        misses = np.arange(length - joins + 1)
        chances[joins:] = np.cumsum(betanbinom.pmf(misses, joins, mean * evidence, (1 - mean) * evidence))
    return np.minimum(chances, 1.0)


def _counts(invited: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    """Count who was asked and who joined, by launch and bin of the score."""
    schema = {"launch": pl.String, "bin": pl.UInt32, "asked": pl.Int64, "joined": pl.Int64}
    if invited is None:
        return pl.DataFrame(schema=schema)
    planned = invited.filter(pl.col("status") == "planned")
    answered = pl.col("answer").is_not_null()
    over = (pl.col("ends_on") <= as_of) & answered.any().over("launch")
    asked = planned.filter(over | answered)
    binned = asked.select("launch", bin_of(asked["score"]).alias("bin"), joined=(pl.col("answer") == "joined").fill_null(value=False))
    return binned.group_by("launch", "bin").agg(pl.len().cast(pl.Int64).alias("asked"), pl.col("joined").sum().cast(pl.Int64))


def _next_rate(asked: NDArray[np.int64], joined: NDArray[np.int64], chance: float, evidence: float) -> tuple[float, float]:
    """Give mean and evidence of the next launch's rate."""
    from scipy.special import betaln

    # Who is sure of the guess is as sure that launches are alike.
    alike = max(_ALIKE, 10 * evidence) * np.exp(_ALIKE_SPREAD * _NODES)
    weight = np.exp(-(_NODES**2) / 2)
    weight /= weight.sum()
    # So that the common rate and the launch's own part together have the evidence of the guess, as long as nobody has answered.
    apart = float((weight / (alike + 1)).sum())
    prior = (1 - apart) / (1 / (evidence + 1) - apart) - 1
    if not len(asked):
        return chance, evidence
    rate, yes, no = _RATES[:, None], _RATES[:, None] * alike, (1 - _RATES)[:, None] * alike
    # On the scale of log-odds a Beta(a, b) density is p^a (1 - p)^b.
    log_weight = prior * (chance * np.log(rate) + (1 - chance) * np.log1p(-rate)) + np.log(weight)
    for n, k in zip(asked, joined, strict=True):
        log_weight = log_weight + betaln(yes + k, no + n - k) - betaln(yes, no)
    posterior = np.exp(log_weight - log_weight.max())
    posterior /= posterior.sum()
    mean = float((posterior * rate).sum())
    square = float((posterior * (rate**2 + rate * (1 - rate) / (alike + 1))).sum())
    return mean, mean * (1 - mean) / (square - mean**2) - 1


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _shifted(log_odds: Floats, mean: float) -> Floats:
    shifted: Floats = 1 / (1 + (1 - mean) / mean * np.exp(-log_odds))
    return shifted
