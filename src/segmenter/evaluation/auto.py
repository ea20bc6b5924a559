"""Which ranking to use on a shop, by launches that its own past could have had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import log, sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.evaluation.chance import Outcome, draw_chance, outcome_of
from segmenter.evaluation.comparison import BUCKETS, MIN_BUCKETS, assign_buckets, sum_by_bucket
from segmenter.evaluation.experiments import fit_uplift
from segmenter.evaluation.gains import top_count
from segmenter.measures.past import Past
from segmenter.measures.spec import HALF_LIVES
from segmenter.messages import Message
from segmenter.scoring.decayed import BY_DECAYED
from segmenter.scoring.learned import LearnedRanking, calibrated_from, past_launch, trial_cuts
from segmenter.scoring.ranking import Evidence, Ranking, fit_ranking, require_past
from segmenter.scoring.single_measure import SingleMeasure
from segmenter.scoring.spend import BY_SPEND
from segmenter.settings import AnyScoring, AutoSettings, UpliftSettings, weighted_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SIMPLE: dict[str, Ranking] = {
    **{"spend": BY_SPEND, "decayed": BY_DECAYED},
    **{f"decayed_{days}d": SingleMeasure(f"decayed_spend_{days}d") for days in HALF_LIVES},
}
# The parts of each choice, from the simplest to the boldest: of challengers that did equally well the first is chosen.
CHOICES: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in _SIMPLE},
    **{f"blend_{days}d": ("learned", f"decayed_{days}d") for days in HALF_LIVES},
    "learned": ("learned",),
}
_TOPS = (5, 10, 20)  # percent: their mean is less moved by single customers than any of them
CHANCE = sum(_TOPS) / len(_TOPS) / 100  # the mean share that customers drawn at random would hold
_SIMPLEST = "decayed"
_USUAL_DAYS = 60  # half-life of the usual blend; of a longer horizon, the horizon
_CAUTION = 0.25  # standard errors that a gain must exceed
_FEW = 50  # with fewer later buyers than this a trial chooses nothing
_TRIALS = {"cut": pl.Date(), "choice": pl.String(), "share": pl.Float64()}


@dataclass(frozen=True)
class Trial:
    """What a launch at a past date would have held with each of `CHOICES`."""

    cut: date
    held: Ints  # later spend in the top 5, in the top 10 and in the top 20 %, added up, by bucket: (choices, 4096), minor units
    outcome: Outcome

    @property
    def whole(self) -> int:
        """All that was spent later, in minor units; > 0."""
        return int(self.outcome.spend.sum())

    def share(self, choice: str) -> float:
        """Give the mean share of later spend that a choice held."""
        return int(self.held[list(CHOICES).index(choice)].sum()) / (len(_TOPS) * self.whole)


@dataclass(frozen=True)
class AutoRanking(Ranking):
    """The ranking that was chosen."""

    choice: str  # one of `CHOICES`, or "weighted"
    parts: Mapping[str, Ranking]
    reference: Mapping[str, Floats]  # for each part of a blend, the sorted values of the customers it was fitted on
    money: tuple[Floats, Floats] | None = None  # for a blend: of the same customers its value, and what is expected of whom stands there
    trials: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_TRIALS))  # for each cut and choice its `Trial.share`
    buyers: int = 0  # different customers who bought after one of the cuts
    warnings: tuple[str, ...] = ()

    @property
    def expects_money(self) -> bool:
        """Whether a learned part says what can be expected."""
        return "learned" in self.parts

    @property
    def scores(self) -> bool:
        """Whether it is the weighted score."""
        return all(part.scores for part in self.parts.values())

    @property
    def columns(self) -> Sequence[str]:
        """The measures that its parts take."""
        return list(dict.fromkeys(name for part in self.parts.values() for name in part.columns))

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's value, larger is better: of a blend the mean of the parts' ranks, 0 to 1."""
        if len(self.parts) == 1:
            return self.parts[self.choice].values(frame)
        return _mean([_share_below(part.values(frame), self.reference[name]) for name, part in self.parts.items()])

    def expected_spend(self, values: Floats) -> Floats:
        """Give what can be expected of each: in a blend, what the learned part expects of whom stands as high there."""
        return values if self.money is None else np.interp(values, *self.money)

    def evidence(self, past: Past | None, *, horizon_days: int, seed: int) -> Evidence:
        """Give the trials, and what its learned part rests on."""
        learned = self.parts.get("learned")
        basis = learned.evidence(past, horizon_days=horizon_days, seed=seed) if isinstance(learned, LearnedRanking) else Evidence()
        shares = pl.DataFrame(list(mean_shares(self.trials).items()), {"choice": pl.String, "share": pl.Float64}, orient="row")
        cuts, warnings = self.trials["cut"].n_unique(), (*basis.warnings, *self.warnings)
        return replace(basis, choice=self.choice, trials=shares, trial_cuts=cuts, trial_buyers=self.buyers, warnings=warnings)


def rank(frame: pl.DataFrame, settings: AnyScoring, past: Past | None, *, horizon_days: int, seed: int) -> Ranking:
    """Fit any ranking, `auto` and `uplift` among them: see `fit_ranking`."""
    if isinstance(settings, AutoSettings):
        return fit_auto(frame, settings, past, horizon_days=horizon_days, seed=seed)
    if isinstance(settings, UpliftSettings):
        return fit_uplift(settings, past, seed=seed)
    return fit_ranking(frame, settings, past, horizon_days=horizon_days, seed=seed)


def fit_auto(frame: pl.DataFrame, settings: AutoSettings, past: Past | None, *, horizon_days: int, seed: int) -> AutoRanking:
    """Choose a ranking by launches that the shop's own past could have had, and fit it.

    At each of the latest dates whose horizon is over, the learned ranking is fitted on what was known then, and it, spend that decays
    more or less quickly, and blends of the two are judged by what all customers spent afterwards. A blend is the mean of its parts'
    ranks: the errors of different rankings partly cancel out, so that a mean is seldom worse than the best of them [1]_ [2]_. Which is
    used, `choose` says. Without trials, as the history is short, it is the usual blend; where there is nothing to learn from at all, or
    nothing did better than chance, decayed spend; and where nobody has ordered yet, the weighted score, which counts what else they did.

    References
    ----------
    .. [1] Bates, J. M. and Granger, C. W. J. (1969). The Combination of Forecasts. Operational Research Quarterly 20 (4).
    .. [2] Timmermann, A. (2006). Forecast Combinations. Handbook of Economic Forecasting 1, chapter 4.
    """
    if not (frame["orders"] > 0).any():
        sentence = "scoring=auto: nobody has ordered yet; ranking by the weighted score of what else customers did"
        warnings = [Message("evaluation.auto_without_any_order", sentence)]
        weighted = fit_ranking(frame, weighted_of(settings), None, horizon_days=horizon_days, seed=seed)
        return AutoRanking("weighted", {"weighted": weighted}, {}, warnings=tuple(warnings))
    past = require_past(past, settings)
    cuts = trial_cuts(past, settings, horizon_days)
    trials = [trial for cut in cuts if (trial := _try_launch(past, cut, settings, horizon_days, seed)) is not None]
    choice, buyers, warnings = _choose(trials, horizon_days, seed)
    parts: dict[str, Ranking] = {}
    try:
        for name in CHOICES[choice]:
            parts[name] = _SIMPLE.get(name) or calibrated_from(past, settings, horizon_days=horizon_days, seed=seed)
    except InputError as error:
        sentence = "scoring=auto: ranking by decayed spend, as nothing can be learned: {why}"
        warnings = [Message("evaluation.auto_without_learning", sentence, why=error.reason)]
        choice, parts = _SIMPLEST, {_SIMPLEST: BY_DECAYED}
    values = {name: part.values(frame) for name, part in parts.items()} if len(parts) > 1 else {}
    reference = {name: np.sort(value) for name, value in values.items()}
    money = None
    if values and frame.height:
        blended = _mean([_share_below(value, reference[name]) for name, value in values.items()])
        levels, first, sizes = np.unique(np.sort(blended), return_index=True, return_counts=True)
        money = (levels, np.maximum.accumulate(np.add.reduceat(reference["learned"], first) / sizes))
    rows = [(trial.cut, name, trial.share(name)) for trial in trials for name in CHOICES]
    return AutoRanking(choice, parts, reference, money, pl.DataFrame(rows, schema=_TRIALS, orient="row"), buyers, tuple(warnings))


def _choose(trials: Sequence[Trial], horizon_days: int, seed: int) -> tuple[str, int, list[Message]]:
    """Choose, and say on how many buyers that rests, and what it is not sure of."""
    if not trials:
        sentence = "scoring=auto: the history is too short to compare rankings on; taking the mean of learned and decayed spend"
        return usual(horizon_days), 0, [Message("evaluation.auto_without_trials", sentence)]
    chance = draw_chance([trial.outcome for trial in trials], _TOPS, seed)
    means = {name: sum(trial.share(name) for trial in trials) / len(trials) for name in CHOICES}
    best = max(means, key=lambda name: means[name])
    if below_chance(means):
        sentence = (
            "scoring=auto: no ranking did better than chance on this shop's past: the best, {best}, held {share:.1%} of the later spend, "
            "where chance holds {chance:.1%}; ranking by decayed spend, the simplest"
        )
        facts = {"best": best, "share": means[best], "chance": CHANCE}
        return _SIMPLEST, chance.buyers, [Message("evaluation.auto_below_chance", sentence, **facts)]
    if chance.buyers < _FEW:
        sentence = (
            "scoring=auto: cannot tell which ranking is best here: only {buyers} customers bought after the past dates, fewer than {few}; "
            "taking the mean of learned and decayed spend, which is the best guess on other shops"
        )
        return usual(horizon_days), chance.buyers, [Message("evaluation.auto_few_buyers", sentence, buyers=chance.buyers, few=_FEW)]
    choice, blend = choose(trials, horizon_days, _CAUTION), usual(horizon_days)
    if chance.beaten_by(means[blend]) or chance.beaten_by(means[choice], len(CHOICES)):
        return choice, chance.buyers, []
    sentence = (
        "scoring=auto: cannot tell whether any ranking is better than chance here: even {best} held {share:.1%} of what {buyers:,} "
        "customers spent later, where of 20 draws at random one holds {low:.1%} or less, or {high:.1%} or more; taking the mean of learned "
        "and decayed spend, which is the best guess on other shops"
    )
    facts = {"best": best, "share": means[best], "buyers": chance.buyers, "low": chance.low, "high": chance.high}
    return blend, chance.buyers, [Message("evaluation.auto_like_chance", sentence, **facts)]


def choose(trials: Sequence[Trial], horizon_days: int, caution: float) -> str:
    """Choose by trials: the usual blend, or what gains most on it after so many standard errors are taken off its gain.

    A gain is the difference of the mean shares. Its error is that over customers, whose spend after all dates counts together, in the
    buckets of `comparison`. Challengers are few and each is sensible, so little caution is best: on other shops a quarter of an error did
    as well as none, one (the rule of [1]_) a little worse and two worse (`benchmarks/choice.py`).

    References
    ----------
    .. [1] Breiman, L., Friedman, J., Stone, C. J. and Olshen, R. A. (1984). Classification and Regression Trees, section 3.4.3.
    """
    best, most = usual(horizon_days), 0.0
    for name in CHOICES:
        gain, error = _gain(trials, list(CHOICES).index(name), list(CHOICES).index(usual(horizon_days)))
        if gain - caution * error > most:
            best, most = name, gain - caution * error
    return best


def usual(horizon_days: int) -> str:
    """Name the blend that is best on most shops."""
    days = max(_USUAL_DAYS, horizon_days)
    return f"blend_{min(HALF_LIVES, key=lambda known: abs(log(known / days)))}d"


def below_chance(means: Mapping[str, float]) -> bool:
    """Say whether no choice held more of the later spend than as many customers drawn at random; not where nothing was tried."""
    return bool(means) and max(means.values()) <= CHANCE


def mean_shares(trials: pl.DataFrame) -> dict[str, float]:
    """Give each choice's mean share over the trials, in the order of `CHOICES`; empty without trials."""
    shares = {name: trials.filter(choice=name)["share"].to_list() for name in CHOICES}
    return {name: sum(found) / len(found) for name, found in shares.items() if found}


def _gain(trials: Sequence[Trial], one: int, other: int) -> tuple[float, float]:
    """Give the gain of one choice on another, summed over the trials, and its standard error; none where too few buckets tell."""
    pull, gain, apart = np.zeros(BUCKETS), 0.0, np.zeros(BUCKETS, np.bool_)
    for trial in trials:
        more = trial.held[one] - trial.held[other]
        here = int(more.sum()) / trial.whole
        pull += (more - here * trial.outcome.spend) / trial.whole  # what each bucket does to the gain
        gain += here
        apart |= more != 0
    return (gain, sqrt(float((pull * pull).sum()))) if apart.sum() >= MIN_BUCKETS else (0.0, 0.0)


def _try_launch(past: Past, cut: date, settings: AutoSettings, horizon_days: int, seed: int) -> Trial | None:
    """Look what each choice would have held; None where nothing could be learned yet, or nothing was spent later."""
    few = past.sample(settings.rows // settings.cuts, seed)
    what = ("trial", cut, few.share, settings.model_dump_json(), horizon_days, seed)
    return past.once(what, lambda: _compare(past, few, cut, settings, horizon_days, seed))


def _compare(past: Past, few: Past, cut: date, settings: AutoSettings, horizon_days: int, seed: int) -> Trial | None:
    launch = past_launch(past, cut, settings, horizon_days=horizon_days, seed=seed)
    if launch is None:
        return None
    frame, spend = few.measures(cut), launch.spend
    later = few.later(frame["customer_id"], cut, horizon_days)
    values = {**{name: part.values(frame) for name, part in _SIMPLE.items()}, "learned": launch.expected}
    outcome = outcome_of(frame["customer_id"], spend, (later["orders"] > 0).to_numpy(), seed)
    return try_choices(cut, values, assign_buckets(frame["customer_id"], seed), spend, outcome)


def try_choices(cut: date, values: Mapping[str, Floats], bucket: Ints, spend: Ints, outcome: Outcome) -> Trial:
    """Look what each choice would have held, by the values of all parts."""
    ranks = {name: _share_below(value, np.sort(value)) for name, value in values.items()}
    held = np.zeros((len(CHOICES), BUCKETS), np.int64)
    for number, parts in enumerate(CHOICES.values()):
        order = np.argsort(-_mean([ranks[name] for name in parts]), kind="stable")
        firsts = [order[: top_count(len(order), top)] for top in _TOPS]
        held[number] = sum(sum_by_bucket(bucket[first], spend[first]) for first in firsts)
    return Trial(cut, held, outcome)


def _mean(ranks: Sequence[Floats]) -> Floats:
    mean: Floats = sum(ranks[1:], start=ranks[0]) / len(ranks)
    return mean


def _share_below(values: Floats, ordered: Floats) -> Floats:
    """Give the share of the customers below, counting half of those equal."""
    below = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    share: Floats = below / (2 * max(len(ordered), 1))
    return share
