"""Which ranking to use on a shop, by launches that its own past could have had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.evaluation.gains import taken
from segmenter.measures.past import Past
from segmenter.scoring.decayed import BY_DECAYED
from segmenter.scoring.learned import LearnedRanking, learned_from
from segmenter.scoring.ranking import Ranking, fit_ranking
from segmenter.scoring.single_measure import SingleMeasure
from segmenter.scoring.spend import BY_SPEND
from segmenter.settings import AnyScoring, AutoSettings
from segmenter.words import Lang, say

Floats = NDArray[np.float64]
# What the values of a blend's parts count for, when each is put by its standing among the customers. From the simplest to the boldest:
# of rankings that did equally well the first is taken.
CHOICES: dict[str, dict[str, int]] = {
    "decayed": {"decayed": 1},
    "spend": {"spend": 1},
    "blend": {"learned": 1, "spend": 1, "decayed": 1},
    "blend_learned_2": {"learned": 2, "spend": 1, "decayed": 1},
    "blend_learned_4": {"learned": 4, "spend": 1, "decayed": 1},
    "learned": {"learned": 1},
}
_TOPS = (5, 10, 20)  # percent: their mean is less moved by single customers than any of them
_UNTRIED: Literal["blend_learned_2"] = "blend_learned_2"
_SIMPLEST: Literal["decayed"] = "decayed"


@dataclass(frozen=True)
class Auto(Ranking):
    """The ranking that was chosen.

    Parameters
    ----------
    choice : str
        Of `CHOICES`.
    parts : dict of str to SingleMeasure or LearnedRanking
        Its fitted parts.
    standing : dict of str to ndarray
        For each part the sorted values of the customers it was fitted on.
    trials : DataFrame
        For each past launch ``cut`` and ``choice``: ``share``, the mean share of later spend in its top 5, 10 and 20 %.
    why : str
        In one sentence.
    warnings : tuple of str
        What a person should know.
    measures : sequence of str
        The measures that its parts take.
    """

    choice: str
    parts: Mapping[str, SingleMeasure | LearnedRanking]
    standing: Mapping[str, Floats]
    trials: pl.DataFrame
    why: str
    warnings: tuple[str, ...]
    measures: Sequence[str]

    @property
    def columns(self) -> Sequence[str]:
        """The measures that its parts take."""
        return self.measures

    @property
    def expects_money(self) -> bool:
        """Whether its values are expected spend."""
        return self.choice == "learned"

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's value, larger is better.

        Parameters
        ----------
        frame : DataFrame
            The measures.

        Returns
        -------
        ndarray of shape (n_customers,)
            Of a single ranking its values, of a blend the weighted mean of the standings, 0 to 1.
        """
        weights = CHOICES[self.choice]
        if len(weights) == 1:
            return self.parts[self.choice].values(frame)
        total = np.zeros(frame.height)
        for name, weight in weights.items():
            total += weight * _standing(self.parts[name].values(frame), self.standing[name])
        blended: Floats = total / sum(weights.values())
        return blended


def rank(frame: pl.DataFrame, settings: AnyScoring, past: Past | None, *, horizon_days: int, seed: int, lang: Lang) -> Ranking:
    """Fit any ranking, `auto` among them.

    Parameters
    ----------
    frame, settings, past, horizon_days, seed
        See `fit_ranking`.
    lang : {"en", "zh"}
        The language of what it says.

    Returns
    -------
    Ranking
        Fitted.

    Raises
    ------
    InputError
        The history is too short, or a model does not fit the shop.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"scoring": "recency"})
    >>> frame = pl.DataFrame({"days_since_order": [3, 1], "verdict": "eligible"})
    >>> rank(frame, settings.scoring, None, horizon_days=30, seed=1, lang="en").values(frame).tolist()
    [-3.0, -1.0]
    """
    if isinstance(settings, AutoSettings):
        return fit_auto(frame, settings, past, horizon_days=horizon_days, seed=seed, lang=lang)
    return fit_ranking(frame, settings, past, horizon_days=horizon_days, seed=seed)


def fit_auto(frame: pl.DataFrame, settings: AutoSettings, past: Past | None, *, horizon_days: int, seed: int, lang: Lang) -> Auto:
    """Choose a ranking by launches that the shop's own past could have had, and fit it.

    At each of the latest dates whose horizon is over, the learned ranking is fitted on what was known then, and it, simple
    rankings and blends of them are judged by what customers spent afterwards. A blend is the mean of the standings in its parts: the
    errors of different rankings partly cancel out, so that a mean is seldom worse than the best of them [1]_ [2]_. What did best over
    all trials is taken; of equals the simpler. Without trials, as the history is short, the plain blend is taken, and where there is
    nothing to learn from at all, decayed spend.

    Parameters
    ----------
    frame : DataFrame
        The measures of those to rank.
    settings : AutoSettings
        How many trials, and how the learned ranking is fitted.
    past : Past or None
        Up to the as-of date; None where orders were added up elsewhere.
    horizon_days : int
        How far it looks ahead.
    seed : int
        The job's seed.
    lang : {"en", "zh"}
        The language of the sentence and of warnings.

    Returns
    -------
    Auto
        Fitted, with its evidence.

    References
    ----------
    .. [1] Bates, J. M. and Granger, C. W. J. (1969). The Combination of Forecasts. Operational Research Quarterly 20 (4).
    .. [2] Timmermann, A. (2006). Forecast Combinations. Handbook of Economic Forecasting 1, chapter 4.

    Examples
    --------
    >>> import segmenter
    >>> from segmenter.measures.past import past_of
    >>> settings = segmenter.launch_settings({"scoring": "auto", "launch.as_of": "2026-07-01"})
    >>> rows = [(f"C{n}", f"2026-06-{1 + n:02}", 10 * n) for n in range(1, 9)]
    >>> orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> past = past_of(tables, date(2026, 7, 1), 90, None)
    >>> auto = fit_auto(past.measures(date(2026, 7, 1)), settings.scoring, past, horizon_days=30, seed=1, lang="en")
    >>> auto.choice
    'decayed'
    """
    if past is None:
        en = "scoring=auto: single orders are not at hand, as an engine added them up elsewhere; ranking by decayed spend"
        warning = say(lang, en, "scoring=auto：订单已由其他引擎汇总，没有逐笔订单可供学习；按衰减消费额排序")
        rule = BY_DECAYED
        return Auto(_SIMPLEST, {_SIMPLEST: rule}, {}, _table([]), _why(_SIMPLEST, {}, [], lang), (warning,), rule.columns)
    trials = [(cut, found) for cut in _cuts(past, settings, horizon_days) if (found := _trial(past, cut, settings, horizon_days, seed))]
    mean = {name: sum(found[name] for _, found in trials) / len(trials) for name in CHOICES} if trials else {}
    warnings: list[str] = []
    parts: dict[str, SingleMeasure | LearnedRanking] = {"decayed": BY_DECAYED, "spend": BY_SPEND}
    try:
        parts["learned"] = learned_from(past, settings, horizon_days=horizon_days, seed=seed)
        choice = max(mean, key=lambda name: mean[name]) if mean else _UNTRIED
        if not mean:
            en = "scoring=auto: the history is too short to compare rankings on; taking the mean of the learned, spend and decayed ones"
            warnings.append(say(lang, en, "scoring=auto：历史数据太短，无法比较各排序方式；取学习模型、消费额与衰减消费额的平均排名"))
    except InputError as error:
        choice = _SIMPLEST
        why = error.problems[0].removeprefix("scoring: ").partition(";")[0]
        warnings.append(say(lang, f"scoring=auto: ranking by decayed spend, as {why}", f"scoring=auto：按衰减消费额排序（{why}）"))
    needed = {name: parts[name] for name in CHOICES[choice]}
    standing = {name: np.sort(part.values(frame)) for name, part in needed.items()} if len(needed) > 1 else {}
    columns = list(dict.fromkeys(name for part in needed.values() for name in part.columns))
    return Auto(choice, needed, standing, _table(trials), _why(choice, mean, [cut for cut, _ in trials], lang), tuple(warnings), columns)


def _table(trials: Sequence[tuple[date, dict[str, float]]]) -> pl.DataFrame:
    rows = [(cut, name, share) for cut, found in trials for name, share in found.items()]
    return pl.DataFrame(rows, schema={"cut": pl.Date, "choice": pl.String, "share": pl.Float64}, orient="row")


def _cuts(past: Past, settings: AutoSettings, horizon_days: int) -> list[date]:
    """List dates whose horizons do not overlap, or half overlap where there would be too few of them."""
    apart = past.cuts(horizon_days, horizon_days, settings.trials)
    return apart if len(apart) == settings.trials else past.cuts(horizon_days, max(horizon_days // 2, 7), settings.trials)


def _trial(past: Past, cut: date, settings: AutoSettings, horizon_days: int, seed: int) -> dict[str, float] | None:
    """Say which share of later spend each choice would have held; None where nothing could be learned yet, or nobody came."""
    few = past.sample(settings.rows // settings.cuts, seed)
    what = ("trial", cut, few.share, settings.model_dump_json(), horizon_days, seed)
    return past.once(what, lambda: _tried(past, few, cut, settings, horizon_days, seed))


def _tried(past: Past, few: Past, cut: date, settings: AutoSettings, horizon_days: int, seed: int) -> dict[str, float] | None:
    before = past.before(cut)
    try:
        learned = learned_from(before, settings, horizon_days=horizon_days, seed=seed)
    except InputError:
        return None
    frame = few.measures(cut)
    spend = few.later(frame["customer_id"], cut, horizon_days)["spend"].to_numpy()
    if (whole := int(spend.sum())) <= 0:
        return None
    values = {"learned": learned.values(frame), "spend": BY_SPEND.values(frame), "decayed": BY_DECAYED.values(frame)}
    standings = {name: _standing(each, np.sort(each)) for name, each in values.items()}
    shares = {}
    for name, weights in CHOICES.items():
        mixed = values[name] if len(weights) == 1 else sum(weight * standings[part] for part, weight in weights.items())
        order = np.argsort(-np.asarray(mixed), kind="stable")
        shares[name] = sum(int(spend[order[: taken(len(order), top)]].sum()) / whole for top in _TOPS) / len(_TOPS)
    return shares


def _standing(values: Floats, ordered: Floats) -> Floats:
    """Give the share of the customers below, counting half of those equal."""
    below = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    standing: Floats = below / (2 * max(len(ordered), 1))
    return standing


def _why(choice: str, mean: Mapping[str, float], cuts: Sequence[date], lang: Lang) -> str:
    if not mean:
        return say(lang, f"{choice} was chosen, without a trial.", f"选用 {choice}，未能在历史上试验。")
    singles = [f"{name} {share:.1%}" for name, share in mean.items() if len(CHOICES[name]) == 1 and name != choice]
    count, share = len(cuts), mean[choice]
    en = f"{choice} was chosen: over {count} past launches its top 5, 10 and 20% held {share:.1%} of the later spend on average"
    zh = f"选用 {choice}：在过去 {count} 次模拟启动中，其前 5%、10%、20% 客户平均占后续消费的 {share:.1%}"
    return say(lang, f"{en} ({', '.join(singles)}).", f"{zh}（{'，'.join(singles)}）。")
