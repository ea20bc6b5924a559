"""Expected spend over a horizon, learned from what the shop's customers did after earlier dates."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.measures.past import Past
from segmenter.measures.sampling import MIN_HISTORY_DAYS
from segmenter.messages import Message
from segmenter.scoring.ranking import Evidence, Floats, Ranking
from segmenter.settings import LearnedSettings, LearningSettings

# What spend is learned from, and which way it may only go: more spent, later and oftener never makes a customer worth less. Where
# history is short this keeps the trees from learning accidents.
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
}
_WHALES = 0.99  # spend above this quantile of the buyers' counts as so much
_BLOCK = 1 << 15  # rows
_IMPORTANCE_SAMPLE = 5_000  # customers


@dataclass(frozen=True)
class LearnedRanking(Ranking):
    """A ranking by learned expected spend."""

    trees: Any  # a fitted HistGradientBoostingRegressor
    features: list[str]  # the measures that it takes, and `overdue`
    unit: float  # minor units of an expectation of 1
    cuts: tuple[date, ...]  # what it learned from, the latest first
    rows: int  # customers at all of them together

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
            return values * self.unit

        # Rows are independent. OpenMP's own threads wait for each other in a busy loop, which other work on the machine makes long.
        with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count(), initializer=lambda: threadpool_limits(1)) as cores:
            return np.concatenate(list(cores.map(expected, range(0, frame.height, _BLOCK))))

    def evidence(self, past: Past | None, *, horizon_days: int, seed: int) -> Evidence:
        """Give the measures that matter, and what was learned from."""
        if past is None:
            raise ValueError("a learned ranking was fitted on a past: should be given (got None)")
        measures = importance(self, past, horizon_days=horizon_days, seed=seed)
        return Evidence(measures=measures, learned_cuts=self.cuts, learned_rows=self.rows)


def fit(frame: pl.DataFrame, settings: LearnedSettings, past: Past, *, horizon_days: int, seed: int) -> LearnedRanking:
    """Learn from the shop's past; the customers of today do not matter."""
    return learned_from(past, settings, horizon_days=horizon_days, seed=seed)


def learned_from(past: Past, settings: LearningSettings, *, horizon_days: int, seed: int) -> LearnedRanking:
    """Learn as `fit_learned` does, unless the same was learned before."""
    size = (settings.cuts, settings.step_days, settings.rows, settings.trees, settings.leaves)
    key = ("learned", past.until, *size, horizon_days, seed)
    return past.once(key, lambda: fit_learned(past, settings, horizon_days=horizon_days, seed=seed))


def fit_learned(past: Past, settings: LearningSettings, *, horizon_days: int, seed: int) -> LearnedRanking:
    """Learn what customers will spend from what they spent after earlier dates.

    At each of the latest dates whose horizon is over, every customer's measures as they were are set against what the customer then
    spent. Gradient boosting of shallow trees under a Poisson loss [1]_ learns the mean, as spend is mostly 0 and never negative; a
    squared loss would follow the largest customers. These are tamed besides: spend above the 99th percentile of a date's buyers
    counts as so much. Each date counts alike, whatever its season. Past spend and decayed spend are among the measures.

    Parameters
    ----------
    past : Past
        Up to the as-of date.
    settings : LearningSettings
        How many dates and rows, and how large the model is.
    horizon_days : int
        How far to look ahead.
    seed : int
        The job's seed.

    Returns
    -------
    LearnedRanking
        The same for the same past, at any number of threads. InputError where the history is too short, or nobody bought anything after
        those dates.

    References
    ----------
    .. [1] Denuit, M., Hainaut, D. and Trufin, J. (2020). Effective Statistical Learning Methods for Actuaries II: Tree-Based Methods
       and Extensions, Springer, chapter 3.

    Examples
    --------
    >>> import segmenter
    >>> from segmenter.measures.past import past_of
    >>> settings = segmenter.launch_settings({"scoring": "learned", "launch.as_of": "2026-07-01"})
    >>> rows = [(f"C{n}", f"2026-{month:02}-{1 + n % 28:02}", 10 * n) for n in range(1, 90) for month in (1, 2, 3, 4, 5, 6)]
    >>> orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> past = past_of(tables, date(2026, 7, 1), 90, None)
    >>> learned = fit_learned(past, settings.scoring, horizon_days=30, seed=1)
    >>> values = learned.values(past.measures(date(2026, 7, 1)))
    >>> len(learned.cuts), bool(values[-1] > values[0])
    (6, True)
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    step = settings.step_days or max(horizon_days // 2, 7)
    few = past.sample(settings.rows // settings.cuts, seed)
    cuts = few.cuts(horizon_days, step, settings.cuts)
    if not cuts:
        need = horizon_days + min(horizon_days, MIN_HISTORY_DAYS)
        known = max((few.end - few.timeline.span[0]).days, 0) if few.timeline.span else 0
        rule = "should begin {need} days before {end} (got {known})"
        sentence = f"scoring: the history is too short to learn from: {rule}; use scoring=decayed"
        raise InputError(Message("scoring.short_history", sentence, need=need, end=few.end, known=known))
    frames = [few.measures(cut) for cut in cuts]
    kinds = [name for name, dtype in frames[0].schema.items() if name.startswith("events_") and dtype.is_numeric()]  # no attribute
    columns = [*MEASURES, *kinds]
    spent = [few.later(frame["customer_id"], cut, horizon_days)["spend"].to_numpy() for frame, cut in zip(frames, cuts, strict=True)]
    tamed = [_tamed(spend) for spend in spent]
    if not any(target.any() for target in tamed):
        sentence = "scoring: nobody bought anything in {days} days after any past date: nothing to learn; use scoring=decayed"
        raise InputError(Message("scoring.nothing_to_learn", sentence, days=horizon_days))
    features = np.concatenate([_features(frame, columns) for frame in frames])
    features[:, np.isnan(features).all(axis=0)] = 0.0  # which the trees cannot bin
    trees = HistGradientBoostingRegressor(
        loss="poisson",
        max_iter=settings.trees,
        max_leaf_nodes=settings.leaves,
        learning_rate=0.05,
        min_samples_leaf=50,
        l2_regularization=10.0,
        max_features=0.3,
        monotonic_cst=[MEASURES.get(name, 0) for name in columns],
        early_stopping=False,
        random_state=seed % (1 << 32),
    )
    # Sums over threads differ in the last bit with their number.
    with threadpool_limits(1):
        trees.fit(features, np.concatenate(tamed))
    # Targets have a mean of 1 at each date, and so have the expectations, nearly.
    # Where refunds outweighed all spend, the order of customers still counts.
    unit = max(sum(int(spend.sum()) for spend in spent), 1) / len(features)
    return LearnedRanking(trees, columns, unit, tuple(cuts), len(features))


def importance(learned: LearnedRanking, past: Past, *, horizon_days: int, seed: int) -> pl.DataFrame:
    """Say which measures matter: how much worse the model does on the latest date where one of them is shuffled.

    ``measure`` and ``importance`` (share of all, 0 to 1), the largest first; those of no use are left out. Breiman (2001), Random Forests,
    Machine Learning 45, section 10.
    """
    from sklearn.inspection import permutation_importance

    few = past.sample(_IMPORTANCE_SAMPLE, seed)
    frame = few.measures(learned.cuts[0])
    spent = _tamed(few.later(frame["customer_id"], learned.cuts[0], horizon_days)["spend"].to_numpy())
    features = _features(frame, learned.features)
    losses = permutation_importance(
        learned.trees, features, spent, scoring="neg_mean_poisson_deviance", n_repeats=2, random_state=seed % (1 << 32)
    )
    worth = np.maximum(losses.importances_mean, 0.0)
    shares = pl.DataFrame({"measure": learned.features, "importance": worth / (worth.sum() or 1.0)})
    return shares.filter(pl.col("importance") > 0).sort("importance", "measure", descending=[True, False])


def _features(frame: pl.DataFrame, columns: Sequence[str]) -> Floats:
    """Give measures as floats, missing ones as NaN; a kind of event that nobody had yet is 0."""
    overdue = ((pl.col("days_since_order") + 1) / (pl.col("average_gap_days") + 1)).alias("overdue")
    known = [overdue if name == "overdue" else pl.col(name) if name in frame.columns else pl.lit(0).alias(name) for name in columns]
    return frame.select(column.cast(pl.Float64).fill_null(float("nan")) for column in known).to_numpy(writable=True)


def _tamed(spend: NDArray[np.int64]) -> Floats:
    """Count spend from 0, the largest as the 99th percentile of the buyers, with a mean of 1."""
    counted = np.maximum(spend, 0).astype(np.float64)
    if not counted.any():
        return counted
    tamed = np.minimum(counted, np.quantile(counted[counted > 0], _WHALES))
    relative: Floats = tamed / tamed.mean()
    return relative
