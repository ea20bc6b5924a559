"""Which ranking to use on a shop, by launches that its own past could have had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.evaluation.experiments import fit_uplift
from segmenter.evaluation.gains import top_count
from segmenter.measures.past import Past
from segmenter.messages import Message
from segmenter.scoring.decayed import BY_DECAYED
from segmenter.scoring.learned import LearnedRanking, learned_from
from segmenter.scoring.ranking import Evidence, Ranking, fit_ranking
from segmenter.scoring.single_measure import SingleMeasure
from segmenter.scoring.spend import BY_SPEND
from segmenter.settings import AnyScoring, AutoSettings, UpliftSettings

Floats = NDArray[np.float64]
# The weights of a blend's parts, each put on 0..1 by the share of customers below. From the simplest to the boldest: of rankings that
# did equally well the first is chosen.
CHOICES: dict[str, dict[str, int]] = {
    "decayed": {"decayed": 1},
    "spend": {"spend": 1},
    "blend": {"learned": 1, "spend": 1, "decayed": 1},
    "blend_learned_2": {"learned": 2, "spend": 1, "decayed": 1},
    "blend_learned_4": {"learned": 4, "spend": 1, "decayed": 1},
    "learned": {"learned": 1},
}
_TOPS = (5, 10, 20)  # percent: their mean is less moved by single customers than any of them
CHANCE = sum(_TOPS) / len(_TOPS) / 100  # the mean share that customers drawn at random would hold
_UNTRIED, _SIMPLEST = "blend_learned_2", "decayed"
_TRIALS = {"cut": pl.Date(), "choice": pl.String(), "share": pl.Float64()}


@dataclass(frozen=True)
class AutoRanking(Ranking):
    """The ranking that was chosen."""

    choice: str  # one of `CHOICES`
    parts: Mapping[str, SingleMeasure | LearnedRanking]
    reference: Mapping[str, Floats]  # for each part of a blend, the sorted values of the customers it was fitted on
    trials: pl.DataFrame  # for each past launch ``cut`` and ``choice``: ``share``, the mean share of later spend in its top 5, 10, 20 %
    warnings: tuple[str, ...]

    @property
    def expects_money(self) -> bool:
        """Whether its values are expected spend."""
        return self.choice == "learned"

    @property
    def columns(self) -> Sequence[str]:
        """The measures that its parts take."""
        return list(dict.fromkeys(name for part in self.parts.values() for name in part.columns))

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's value, larger is better: of a blend the weighted mean of the parts' ranks, 0 to 1."""
        weights = CHOICES[self.choice]
        if len(weights) == 1:
            return self.parts[self.choice].values(frame)
        total = np.zeros(frame.height)
        for name, weight in weights.items():
            total += weight * _share_below(self.parts[name].values(frame), self.reference[name])
        blended: Floats = total / sum(weights.values())
        return blended

    def evidence(self, past: Past | None, *, horizon_days: int, seed: int) -> Evidence:
        """Give the trials, and what its learned part rests on."""
        learned = self.parts.get("learned")
        basis = learned.evidence(past, horizon_days=horizon_days, seed=seed) if isinstance(learned, LearnedRanking) else Evidence()
        shares = pl.DataFrame(list(mean_shares(self.trials).items()), {"choice": pl.String, "share": pl.Float64}, orient="row")
        trials = self.trials["cut"].n_unique()
        return replace(basis, choice=self.choice, trials=shares, trial_cuts=trials, warnings=self.warnings)


def rank(frame: pl.DataFrame, settings: AnyScoring, past: Past | None, *, horizon_days: int, seed: int) -> Ranking:
    """Fit any ranking, `auto` and `uplift` among them: see `fit_ranking`."""
    if isinstance(settings, AutoSettings):
        return fit_auto(frame, settings, past, horizon_days=horizon_days, seed=seed)
    if isinstance(settings, UpliftSettings):
        return fit_uplift(settings, past, seed=seed)
    return fit_ranking(frame, settings, past, horizon_days=horizon_days, seed=seed)


def fit_auto(frame: pl.DataFrame, settings: AutoSettings, past: Past | None, *, horizon_days: int, seed: int) -> AutoRanking:
    """Choose a ranking by launches that the shop's own past could have had, and fit it.

    At each of the latest dates whose horizon is over, the learned ranking is fitted on what was known then, and it, simple rankings and
    blends of them are judged by what customers spent afterwards. A blend is the mean of its parts' ranks: the errors of different
    rankings partly cancel out, so that a mean is seldom worse than the best of them [1]_ [2]_. What did best over all trials is chosen;
    of equals the simpler; and decayed spend where nothing did better than chance. Without trials, as the history is short, the plain
    blend is chosen, and where there is nothing to learn from at all, decayed spend.

    References
    ----------
    .. [1] Bates, J. M. and Granger, C. W. J. (1969). The Combination of Forecasts. Operational Research Quarterly 20 (4).
    .. [2] Timmermann, A. (2006). Forecast Combinations. Handbook of Economic Forecasting 1, chapter 4.
    """
    simple: dict[str, SingleMeasure | LearnedRanking] = {"decayed": BY_DECAYED, "spend": BY_SPEND}

    def choose(choice: str, parts: Mapping[str, SingleMeasure | LearnedRanking], trials: pl.DataFrame, *warnings: Message) -> AutoRanking:
        needed = {name: parts[name] for name in CHOICES[choice]}
        reference = {name: np.sort(part.values(frame)) for name, part in needed.items()} if len(needed) > 1 else {}
        return AutoRanking(choice, needed, reference, trials, warnings)

    if past is None:
        sentence = "scoring=auto: single orders are not at hand, as an engine aggregated them elsewhere; ranking by decayed spend"
        return choose(_SIMPLEST, simple, pl.DataFrame(schema=_TRIALS), Message("evaluation.auto_without_orders", sentence))
    rows = [
        (cut, name, share)
        for cut in _choose_cuts(past, settings, horizon_days)
        for name, share in _try_launch(past, cut, settings, horizon_days, seed).items()
    ]
    trials = pl.DataFrame(rows, schema=_TRIALS, orient="row")
    try:
        parts = {**simple, "learned": learned_from(past, settings, horizon_days=horizon_days, seed=seed)}
    except InputError as error:
        sentence = "scoring=auto: ranking by decayed spend, as nothing can be learned: {why}"
        return choose(_SIMPLEST, simple, trials, Message("evaluation.auto_without_learning", sentence, why=error.reason))
    if trials.is_empty():
        sentence = "scoring=auto: the history is too short to compare rankings on; taking the mean of the learned, spend and decayed ones"
        return choose(_UNTRIED, parts, trials, Message("evaluation.auto_without_trials", sentence))
    mean = mean_shares(trials)
    best = max(mean, key=lambda name: mean[name])
    if below_chance(mean):
        sentence = (
            "scoring=auto: no ranking did better than chance on this shop's past: the best, {best}, held {share:.1%} of the later spend, "
            "where chance holds {chance:.1%}; ranking by decayed spend, the simplest"
        )
        facts = {"best": best, "share": mean[best], "chance": CHANCE}
        return choose(_SIMPLEST, parts, trials, Message("evaluation.auto_below_chance", sentence, **facts))
    return choose(best, parts, trials)


def below_chance(means: Mapping[str, float]) -> bool:
    """Say whether no choice held more of the later spend than as many customers drawn at random; not where nothing was tried."""
    return bool(means) and max(means.values()) <= CHANCE


def mean_shares(trials: pl.DataFrame) -> dict[str, float]:
    """Give each choice's mean share over the trials, in the order of `CHOICES`; empty without trials."""
    shares = {name: trials.filter(choice=name)["share"].to_list() for name in CHOICES}
    return {name: sum(found) / len(found) for name, found in shares.items() if found}


def _choose_cuts(past: Past, settings: AutoSettings, horizon_days: int) -> list[date]:
    """List dates whose horizons do not overlap, or half overlap where there would be too few of them."""
    apart = past.cuts(horizon_days, horizon_days, settings.trials)
    return apart if len(apart) == settings.trials else past.cuts(horizon_days, max(horizon_days // 2, 7), settings.trials)


def _try_launch(past: Past, cut: date, settings: AutoSettings, horizon_days: int, seed: int) -> dict[str, float]:
    """Say which share of later spend each choice would have held; empty where nothing could be learned yet, or nobody came."""
    few = past.sample(settings.rows // settings.cuts, seed)
    what = ("trial", cut, few.share, settings.model_dump_json(), horizon_days, seed)
    return past.once(what, lambda: _compare(past, few, cut, settings, horizon_days, seed))


def _compare(past: Past, few: Past, cut: date, settings: AutoSettings, horizon_days: int, seed: int) -> dict[str, float]:
    try:
        learned = learned_from(past.before(cut), settings, horizon_days=horizon_days, seed=seed)
    except InputError:
        return {}
    frame = few.measures(cut)
    spend = few.later(frame["customer_id"], cut, horizon_days)["spend"].to_numpy()
    if (whole := int(spend.sum())) <= 0:
        return {}
    values = {"learned": learned.values(frame), "spend": BY_SPEND.values(frame), "decayed": BY_DECAYED.values(frame)}
    ranks = {name: _share_below(value, np.sort(value)) for name, value in values.items()}
    shares = {}
    for name, weights in CHOICES.items():
        blended = values[name] if len(weights) == 1 else sum(weight * ranks[part] for part, weight in weights.items())
        order = np.argsort(-np.asarray(blended), kind="stable")
        shares[name] = sum(int(spend[order[: top_count(len(order), top)]].sum()) / whole for top in _TOPS) / len(_TOPS)
    return shares


def _share_below(values: Floats, ordered: Floats) -> Floats:
    """Give the share of the customers below, counting half of those equal."""
    below = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    share: Floats = below / (2 * max(len(ordered), 1))
    return share
