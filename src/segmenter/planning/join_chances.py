"""The chance that somebody who is invited joins.

Rates differ between launches by more than chance: each launch has its own, drawn around a common one. That is the usual model of
repeated binomial experiments [1]_; how far apart launches lie is learned with it, and from one launch alone it is an assumption, so
that no number of answers to one launch makes the next one certain.

References
----------
.. [1] Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., CRC Press, sections 5.1 to 5.3.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.messages import Message
from segmenter.tables import DECIDED, INVITED, REACHED

Floats = NDArray[np.float64]

BINS = 10  # of the score, each 10 wide
_BIN_EVIDENCE = 20.0  # the overall rate weighs as much as so many answers in each bin
# How alike launches are: their rates have the distribution Beta(rate × 500, (1 - rate) × 500), in which two of three launches lie
# within 2 points of a common rate of 30 %. An assumption, which answers to several launches correct.
_ALIKE = 500.0
_ALIKE_SPREAD = 1.0  # standard deviation of its logarithm
_SLOPE, _STEPS = 0.1, 8  # how steep the chance is by the score: the standard deviation of the log-odds from one tenth to the next
_NODES = np.linspace(-2.5, 2.5, 25)  # of that logarithm, in standard deviations
_RATES = 1 / (1 + np.exp(-np.linspace(-11.5, 11.5, 1001)))  # for the common rate, evenly on the scale of log-odds


@dataclass(frozen=True)
class JoinChances:
    """The chance to join, by score.

    The next launch's rate has the distribution Beta(`mean` × `evidence`, (1 - `mean`) × `evidence`). `bins` has for each tenth of the score
    the two parameters of the Beta distribution of its pooled rate, and the log-odds that the launches in which it was asked would have
    given it. It is learned from `joined` of `asked` customers in `launches`; before, the rate was a `guess`. Where all launches say who
    was not reached, so many were `called`, and `reached`; else None.
    """

    mean: float
    evidence: float
    bins: tuple[tuple[float, float, float], ...]
    asked: int
    joined: int
    launches: int
    guess: float
    called: int | None = None
    reached: int | None = None

    def chance(self, scores: pl.Series) -> pl.Series:
        """Give the ``join_chance`` of each customer, above 0 and below 1, by the score from 0 to 100; null where there is none."""
        apart = np.array([_log_odds(yes / (yes + no)) - usual for yes, no, usual in self.bins])
        chances = 1 / (1 + (1 - self.mean) / self.mean * np.exp(-apart))
        return pl.Series("join_chance", [*chances, self.mean]).gather(bin_of(scores))

    def draws(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw what the next launch's chances may be: so many rows, a column for each bin of the score, the last of those without one."""
        level = np.clip(rng.beta(self.mean * self.evidence, (1 - self.mean) * self.evidence, (count, 1)), 1e-9, 1 - 1e-9)
        if not self.asked:  # the guess is about whoever is invited, of whatever score
            return np.repeat(level, BINS + 1, axis=1)
        yes, no, usual = np.array(self.bins).T
        pooled = np.clip(rng.beta(yes, no, (count, len(yes))), 1e-9, 1 - 1e-9)
        apart = np.log(pooled / (1 - pooled)) - usual
        return np.concatenate([1 / (1 + (1 - level) / level * np.exp(-apart)), level], axis=1)

    def note(self) -> Message:
        """Say what the chance is, and what it rests on."""
        if not self.asked:
            sentence = "The chance to join, {guess:.3g} %, is a guess (plan.join_chance): nobody has answered yet."
            return Message("planning.join_chance_guessed", sentence, guess=100 * self.guess)
        sentence = (
            "The chance to join, {mean:.0f} %, is learned from {asked:,} invitation{s} of {launches} launch{es}, of which {joined:,} were "
            "accepted (the guess was {guess:.3g} %)."
        )
        facts = {"mean": 100 * self.mean, "guess": 100 * self.guess, "asked": self.asked, "joined": self.joined, "launches": self.launches}
        s, es = "" if self.asked == 1 else "s", "" if self.launches == 1 else "es"
        if self.called is None or self.reached is None:
            return Message("planning.join_chance_learned", sentence, **facts, s=s, es=es)
        sentence = (
            "The chance to join, {mean:.0f} % of those invited, is learned from {launches} launch{es}: of {called:,} called {reached:,} "
            "were reached, {joined:,} joined (the guess was {guess:.3g} %)."
        )
        return Message("planning.join_chance_reached", sentence, **facts, called=self.called, reached=self.reached, es=es)


def learn_join_chances(invited: pl.DataFrame | None, *, as_of: date, chance: float, evidence: float) -> JoinChances:
    """Learn the chance to join from the answers to earlier launches, `tables.INVITED`; the same for any order of the rows.

    An invitation brings somebody if they are reached, and join then: the chance is the product of both. Who was called (has an answer)
    was reached if anybody ever spoke to them. When the launch is over, who was reached has joined or not; while it runs, only who has
    joined or refused has decided, and all others count as neither: each who has decided then stands for as many calls as it takes to
    reach one of that score (a bin's own number of calls, with that of the launch weighing as much as 20 of them). Where lists do not say
    who was not reached, as shops often note only who joined, everybody planned was asked in a launch that is over, and whose day has
    come in one that runs. Who was held out, or joined unasked, tells nothing of the chance.

    The common rate begins at the guess, and the rate of the next launch at Beta(chance × evidence, (1 - chance) × evidence); the
    posterior is summed over a grid. A tenth of the score has the rate of its own answers, with what a line through all tenths says of it
    weighing as much as 20 of them; what its launches would have given it anyway is taken off, so that a bin asked by an unpopular launch
    is not blamed for it.
    """
    counts = _count_answers(invited, as_of)
    by_launch = counts.group_by("launch").agg(pl.col("asked", "joined").sum()).sort("launch")
    mean, sure = _next_rate(by_launch["asked"].to_numpy(), by_launch["joined"].to_numpy(), chance, evidence)
    pull = _BIN_EVIDENCE
    usual = (pl.col("joined") + pull * mean) / (pl.col("asked") + pull)
    scored = counts.join(by_launch.select("launch", usual=usual), on="launch").filter(pl.col("bin") < BINS)
    parts = [scored.filter(bin=number).sort("launch") for number in range(BINS)]  # sums of floats: in one order
    asked, joined = (np.array([float(part[name].sum()) for part in parts]) for name in ("asked", "joined"))
    expected = np.array([float((part["asked"] * part["usual"]).sum()) for part in parts])
    own = (expected + pull * mean) / (asked + pull)
    trend = _trend(asked, joined, np.log(own / (1 - own)))
    line = 1 / (1 + (1 - mean) / mean * np.exp(-trend))  # what the scores around say of a tenth
    yes, no = joined + pull * line, asked - joined + pull * (1 - line)
    bins = [(float(y), float(n), _log_odds(float(usual))) for y, n, usual in zip(yes, no, own, strict=True)]
    return JoinChances(
        mean=mean,
        evidence=sure,
        bins=tuple(bins),
        asked=int(by_launch["asked"].sum()),
        joined=int(by_launch["joined"].sum()),
        launches=by_launch.height,
        guess=chance,
        called=None if counts["called"].null_count() or counts.is_empty() else int(counts["called"].sum()),
        reached=None if counts["called"].null_count() or counts.is_empty() else int(counts["reached"].sum()),
    )


def bin_of(scores: pl.Series) -> pl.Series:
    """Put scores from 0 to 100 into bins from 0 to 9; null into 10."""
    return (scores.cast(pl.Float64) * BINS / 100).floor().clip(0, BINS - 1).fill_nan(None).cast(pl.UInt32).fill_null(BINS)


def _count_answers(invited: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    """Count by launch and bin of the score who was ``called``, ``reached``, ``asked`` and ``joined``; see `learn_join_chances`.

    Of a launch whose lists do not say who was not reached, ``called`` and ``reached`` are null.
    """
    known = INVITED.to_frame() if invited is None else pl.concat([INVITED.to_frame(), invited], how="diagonal_relaxed")
    answer, joined = pl.col("answer"), (pl.col("answer") == "joined").fill_null(value=False)
    said = answer.is_not_null()
    # Who was brought by a member tells nothing of how many come when they are called.
    marked = known.filter(pl.col("status") == "planned", pl.col("brought_by").is_null()).with_columns(
        over=(pl.col("ends_on") <= as_of).fill_null(value=False),
        reached=(answer.is_in(REACHED) | (said & (pl.col("calls") > pl.col("missed")))).fill_null(value=False),
        vain=(said & (~answer.is_in(REACHED) | (pl.col("missed") > 0))).fill_null(value=False),
    )
    marked = marked.with_columns(tells=pl.col("vain").any().over("launch"), any=said.any().over("launch"))
    come = (pl.col("over") | (pl.col("planned_at") < as_of)).fill_null(value=False)
    called = marked.filter(said | (~pl.col("tells") & pl.col("any") & come))
    decided = pl.col("reached") & (pl.col("over") | answer.is_in(DECIDED))
    counts = called.group_by("launch", "tells", "over", bin_of(called["score"]).alias("bin")).agg(
        called=pl.len().cast(pl.Int64),
        reached=pl.col("reached").sum().cast(pl.Int64),
        decided=decided.sum().cast(pl.Int64),
        joined=joined.sum().cast(pl.Int64),
    )
    # Each who has decided stands for so many calls as it takes to reach one of their score: the willing are reached more easily.
    usual = pl.col("called").sum().over("launch") / pl.col("reached").sum().over("launch")
    calls = (pl.col("called") + _BIN_EVIDENCE) / (pl.col("reached") + _BIN_EVIDENCE / usual)
    asked = (
        pl.when(pl.col("tells") & ~pl.col("over")).then((pl.col("decided") * calls).fill_nan(0).round().cast(pl.Int64)).otherwise("called")
    )
    told = [pl.when("tells").then(name).alias(name) for name in ("called", "reached")]
    return counts.select("launch", "bin", *told, asked.alias("asked"), "joined").filter(pl.col("asked") > 0)


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


def _trend(asked: Floats, joined: Floats, usual: Floats) -> Floats:
    """Give by how much the log-odds of each tenth of the score lie above the usual, on one line that is drawn towards a flat one."""
    place = np.arange(BINS) - (asked * np.arange(BINS)).sum() / max(asked.sum(), 1.0)
    slope = 0.0
    for _ in range(_STEPS):
        rate = 1 / (1 + np.exp(-usual - slope * place))
        gain = (place * (joined - asked * rate)).sum() - slope / _SLOPE**2
        slope += gain / ((place**2 * asked * rate * (1 - rate)).sum() + 1 / _SLOPE**2)
    trend: Floats = slope * place
    return trend


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))
