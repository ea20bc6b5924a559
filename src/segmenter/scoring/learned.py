"""Expected spend over a horizon, learned from what the shop's customers did after earlier dates."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.measures.past import Past
from segmenter.measures.sampling import MIN_HISTORY_DAYS
from segmenter.measures.spec import LEARNING
from segmenter.messages import Message
from segmenter.scoring.money_curve import PastLaunch, money_curve
from segmenter.scoring.ranking import Evidence, Floats, Ranking
from segmenter.settings import LearnedSettings, LearningSettings

# What spend is learned from, and which way it may only go: more spent, later and oftener never makes a customer worth less. Where
# history is short this keeps the trees from learning accidents.
_YEAR_BEFORE = "spend_year_before"
MEASURES = {
    "spend_window": 1,
    "decayed_spend": 1,
    "average_order": 1,
    "spend_30d": 0,
    "spend_30d_before": 0,
    "spend_90d": 0,
    "spend_90d_before": 0,
    "orders": 1,
    "orders_30d": 0,
    "orders_90d": 0,
    "orders_90d_before": 0,
    "refunds": 0,
    "refund_orders": 0,
    "days_since_order": -1,
    "average_gap_days": 0,
    "days_known": 0,
    "days_since_event": 0,
    "referrals": 0,
    "overdue": -1,  # days since the last order, in the customer's own gaps
    **{measure.name: 0 if measure.name == _YEAR_BEFORE else 1 for measure in LEARNING},
}
_YEAR = timedelta(days=365)
_WHALES = 0.99  # spend above this quantile of the buyers' counts as so much
_LEAF = 50  # customers of a leaf, at least; and 10 who bought, else few buyers teach accidents
_LEAF_BUYERS = 10
_OLDER = 0.7  # what the level of a date counts, where that of the next later one counts 1
_BLOCK = 1 << 15  # rows
_IMPORTANCE_SAMPLE = 2_500  # customers


@dataclass(frozen=True)
class LearnedRanking(Ranking):
    """A ranking by learned expected spend."""

    trees: Any  # a fitted HistGradientBoostingRegressor
    features: list[str]  # the measures that it takes, and `overdue`
    unit: float  # minor units of an expectation of 1
    cuts: tuple[date, ...]  # what it learned from, the latest first
    rows: int  # customers at all of them together
    # Logarithms of expectations, and what is added to them: see `money_curve`.
    curve: tuple[Floats, Floats] = (np.zeros(1), np.zeros(1))
    ratios: tuple[float, ...] = ()  # at each past launch that the curve comes from, what was expected in parts of what came

    @property
    def columns(self) -> Sequence[str]:
        """The measures that it takes."""
        return [name for name in self.features if name != "overdue"]

    @property
    def expects_money(self) -> bool:
        """Yes."""
        return True

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's expected spend over the horizon, in minor units, > 0."""
        from threadpoolctl import threadpool_limits

        if not frame.height:
            return np.zeros(0)

        def expected(start: int) -> Floats:
            values: Floats = self.trees.predict(_features(frame[start : start + _BLOCK], self.features))
            return values * np.exp(np.interp(np.log(values), *self.curve)) * self.unit

        # Rows are independent. OpenMP's own threads wait for each other in a busy loop, which other work on the machine makes long.
        with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count(), initializer=lambda: threadpool_limits(1)) as cores:
            return np.concatenate(list(cores.map(expected, range(0, frame.height, _BLOCK))))

    def evidence(self, past: Past | None, *, horizon_days: int, seed: int) -> Evidence:
        """Give the measures that matter, and what was learned from."""
        if past is None:
            raise ValueError("a learned ranking was fitted on a past: should be given (got None)")
        measures = importance(self, past, horizon_days=horizon_days, seed=seed)
        return Evidence(measures=measures, learned_cuts=self.cuts, learned_rows=self.rows, expected_over_realised=self.ratios)


def fit(frame: pl.DataFrame, settings: LearnedSettings, past: Past, *, horizon_days: int, seed: int) -> LearnedRanking:
    """Learn from the shop's past; the customers of today do not matter."""
    try:
        return calibrated_from(past, settings, horizon_days=horizon_days, seed=seed)
    except InputError as error:
        raise InputError(Message("scoring.not_learned", "scoring: {why}; use scoring=decayed", why=error.reason)) from error


def calibrated_from(past: Past, settings: LearningSettings, *, horizon_days: int, seed: int) -> LearnedRanking:
    """Learn, and expect of the best and of the others what came of their like at past launches.

    Each was ranked by what had been learned until then. Customers keep their order, and together they are expected to spend as much as
    before: whether the past launches as a whole brought more or less says nothing of the next one, on real shops, as seasons turn.
    """
    learned = learned_from(past, settings, horizon_days=horizon_days, seed=seed)

    def calibrate() -> LearnedRanking:
        found = (past_launch(past, cut, settings, horizon_days=horizon_days, seed=seed) for cut in trial_cuts(past, settings, horizon_days))
        launches = [launch for launch in found if launch is not None]
        ratios = tuple(float(launch.expected.sum()) * launch.unit / int(launch.spend.sum()) for launch in launches)
        return replace(learned, curve=money_curve(launches), ratios=ratios)

    return past.once(("calibrated", past.until, settings.trials, *_size(settings), horizon_days, seed), calibrate)


def learned_from(past: Past, settings: LearningSettings, *, horizon_days: int, seed: int) -> LearnedRanking:
    """Learn as `fit_learned` does, unless the same was learned before."""
    key = ("learned", past.until, *_size(settings), horizon_days, seed)
    return past.once(key, lambda: fit_learned(past, settings, horizon_days=horizon_days, seed=seed))


def _size(settings: LearningSettings) -> tuple[int | None, ...]:
    return settings.cuts, settings.step_days, settings.rows, settings.tree_rows, settings.trees, settings.leaves


def trial_cuts(past: Past, settings: LearningSettings, horizon_days: int) -> list[date]:
    """List the dates of past launches: their horizons do not overlap, or half overlap where there would be too few of them."""
    apart = past.cuts(horizon_days, horizon_days, settings.trials)
    return apart if len(apart) == settings.trials else past.cuts(horizon_days, max(horizon_days // 2, 7), settings.trials)


def past_launch(past: Past, cut: date, settings: LearningSettings, *, horizon_days: int, seed: int) -> PastLaunch | None:
    """Look what was expected at a past date, and what came; None where nothing could be learned yet, or nothing was spent later."""

    def look() -> PastLaunch | None:
        try:
            learned = learned_from(past.before(cut), settings, horizon_days=horizon_days, seed=seed)
        except InputError:
            return None
        frame = few.measures(cut)
        spend = few.later(frame["customer_id"], cut, horizon_days)["spend"].to_numpy()
        return PastLaunch(learned.values(frame) / learned.unit, spend, learned.unit) if spend.sum() > 0 else None

    few = past.sample(settings.rows // settings.cuts, seed)
    return past.once(("past launch", cut, few.share, *_size(settings), horizon_days, seed), look)


def fit_learned(past: Past, settings: LearningSettings, *, horizon_days: int, seed: int) -> LearnedRanking:
    """Learn what customers will spend from what they spent after earlier dates.

    At each of the latest dates whose horizon is over, every customer's measures as they were are set against what the customer then
    spent. Gradient boosting of shallow trees under a Poisson loss [1]_ learns the mean, as spend is mostly 0 and never negative; a
    squared loss would follow the largest customers. These are tamed besides: spend above the 99th percentile of a date's buyers
    counts as so much. Each date counts alike, whatever its season. Past spend and decayed spend are among the measures. Where buyers
    are few and spend much varied, leaves are larger and draw less.

    InputError where the history is too short, or nobody bought anything after those dates.

    References
    ----------
    .. [1] Denuit, M., Hainaut, D. and Trufin, J. (2020). Effective Statistical Learning Methods for Actuaries II: Tree-Based Methods
       and Extensions, Springer, chapter 3.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    step = settings.step_days or max(horizon_days // 2, 7)
    few = past.sample(settings.rows // settings.cuts, seed)
    cuts = few.cuts(horizon_days, step, settings.cuts)
    if not cuts:
        need = horizon_days + min(horizon_days, MIN_HISTORY_DAYS)
        known = max((few.end - few.timeline.span[0]).days, 0) if few.timeline.span else 0
        sentence = "the history is too short to learn from: should begin {need} days before {end} (got {known})"
        raise InputError(Message("scoring.short_history", sentence, need=need, end=few.end, known=known))
    frames = [few.measures(cut) for cut in cuts]
    spent = [few.later(frame["customer_id"], cut, horizon_days)["spend"].to_numpy() for frame, cut in zip(frames, cuts, strict=True)]
    tamed = [_tamed(spend) for spend in spent]
    if not any(target.any() for target in tamed):
        sentence = "nobody bought anything in {days} days after any past date: nothing to learn"
        raise InputError(Message("scoring.nothing_to_learn", sentence, days=horizon_days))
    columns = _columns(frames[0], years=few.timeline.span is not None and few.timeline.span[0] + _YEAR <= cuts[-1])
    rows = sum(frame.height for frame in frames)
    some = _some([frame.height for frame in frames], min(settings.tree_rows / rows, 1.0), seed)
    features = np.concatenate([_features(frame[few], columns) for frame, few in zip(frames, some, strict=True)])
    features[:, np.isnan(features).all(axis=0)] = 0.0  # which the trees cannot bin
    target = np.concatenate([_relative(target)[few] for target, few in zip(tamed, some, strict=True)])
    buyers, mean = max(int((target > 0).sum()), 1), float(target.mean())
    trees = HistGradientBoostingRegressor(
        loss="poisson",
        max_iter=settings.trees,
        max_leaf_nodes=settings.leaves,
        learning_rate=0.1,
        max_bins=63,
        min_samples_leaf=int(np.clip(_LEAF_BUYERS * len(target) / buyers, _LEAF, max(len(target) // 8, _LEAF))),
        l2_regularization=5 * float((target**2).mean()) / mean if mean else 0.0,  # five times the dispersion, which is 1 of Poisson's
        max_features=0.3,
        monotonic_cst=[MEASURES.get(name, 0) for name in columns],
        early_stopping=False,
        random_state=seed % (1 << 32),
    )
    # Sums over threads differ in the last bit with their number.
    with threadpool_limits(1):
        trees.fit(features, target)
    return LearnedRanking(trees, columns, _unit(spent, tamed), tuple(cuts), rows)


def _columns(frame: pl.DataFrame, *, years: bool) -> list[str]:
    """List what is learned from: spend of a year ago only where it was known at all dates, as it is 0 before."""
    kinds = [name for name, dtype in frame.schema.items() if name.startswith("events_") and dtype.is_numeric()]  # no attribute
    known = {"overdue", *frame.columns} - (set() if years else {_YEAR_BEFORE})
    return [*(name for name in MEASURES if name in known), *kinds]


def _some(heights: Sequence[int], share: float, seed: int) -> list[NDArray[np.int64]]:
    """Draw a share of the rows of each date."""
    rng = np.random.Generator(np.random.PCG64(seed % 2**64))
    return [np.sort(rng.permutation(height)[: max(round(share * height), 1)]) for height in heights]


def _unit(spent: Sequence[NDArray[np.int64]], tamed: Sequence[Floats]) -> float:
    """Give the mean spend of a customer that is expected, in minor units: what is not usual does not set the scale.

    The mean of the dates' tamed means, in which later dates count more, times what the whales add on most dates.
    """
    weights = _OLDER ** np.arange(len(tamed))
    level = float(np.average([target.mean() for target in tamed], weights=weights))
    more = [max(int(spend.sum()) / target.sum(), 1.0) for spend, target in zip(spent, tamed, strict=True) if target.any()]
    # Where refunds outweighed all spend, the order of customers still counts.
    return level * float(np.quantile(more, 0.5 if len(more) > 2 else 0.0))


def importance(learned: LearnedRanking, past: Past, *, horizon_days: int, seed: int) -> pl.DataFrame:
    """Say which measures matter: how much worse the model does on the latest date where one of them is shuffled.

    ``measure`` and ``importance`` (share of all, 0 to 1), the largest first; those of no use are left out. Breiman (2001), Random Forests,
    Machine Learning 45, section 10.
    """
    from sklearn.inspection import permutation_importance
    from threadpoolctl import threadpool_limits

    frame = past.measures(learned.cuts[0])
    frame = frame[_some([frame.height], min(_IMPORTANCE_SAMPLE / frame.height, 1.0), seed)[0]]
    spent = _relative(_tamed(past.later(frame["customer_id"], learned.cuts[0], horizon_days)["spend"].to_numpy()))
    features = _features(frame, learned.features)
    # OpenMP's threads would wait for each other in a busy loop between so many short calls.
    with threadpool_limits(1):
        losses = permutation_importance(
            learned.trees, features, spent, scoring="neg_mean_poisson_deviance", n_repeats=1, random_state=seed % (1 << 32)
        )
    worth = np.maximum(losses.importances_mean, 0.0)
    shares = pl.DataFrame({"measure": learned.features, "importance": worth / (worth.sum() or 1.0)})
    return shares.filter(pl.col("importance") > 0).sort("importance", "measure", descending=[True, False])


def _features(frame: pl.DataFrame, columns: Sequence[str]) -> Floats:
    """Give measures as floats, missing ones as NaN; a kind of event that nobody had yet is 0."""
    overdue = ((pl.col("days_since_order") + 1) / (pl.col("average_gap_days") + 1)).alias("overdue")
    unseen = {name for name in columns if name.startswith("events_")}.difference(frame.columns)
    known = [overdue if name == "overdue" else pl.lit(0).alias(name) if name in unseen else pl.col(name) for name in columns]
    return frame.select(column.cast(pl.Float64).fill_null(float("nan")) for column in known).to_numpy(writable=True)


def _tamed(spend: NDArray[np.int64]) -> Floats:
    """Count spend from 0, the largest as the 99th percentile of the buyers: of few buyers as the second largest."""
    counted = np.maximum(spend, 0).astype(np.float64)
    return np.minimum(counted, np.quantile(counted[counted > 0], _WHALES, method="lower")) if counted.any() else counted


def _relative(target: Floats) -> Floats:
    """Give it with a mean of 1, so that each date counts alike."""
    relative: Floats = target / (target.mean() or 1.0)
    return relative
