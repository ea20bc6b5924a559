"""Who spends more because they are invited, learned from launches whose control groups were drawn at random."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from segmenter.hashing import uniform
from segmenter.measures.past import Past
from segmenter.scoring.ranking import Evidence, Floats, Ranking

if TYPE_CHECKING:
    from segmenter.scoring.quantiles import QuantileMap

# Few measures, as effects are small beside what customers spend anyway; a missing one counts as nobody's: long ago, or nothing.
MEASURES = {
    **dict.fromkeys(("spend_window", "decayed_spend", "average_order", "orders", "spend_90d", "orders_90d", "spend_30d"), 0.0),
    **dict.fromkeys(("days_since_order", "average_gap_days", "days_since_event"), 36_525.0),
    **dict.fromkeys(("days_known", "referrals"), 0.0),
}
_PARTS, _FIRST = 5, 2  # of the customers; and the first of them that is judged
_WHALES = 0.99  # spend above this quantile of the buyers' counts as so much where it is learned from
_ALPHAS = np.logspace(0, 6, 13)  # how strongly the line is drawn to no differences at all; the data choose
_KNOTS = 100


@dataclass(frozen=True)
class UpliftRanking(Ranking):
    """A ranking by what an invitation can be expected to bring: the mean of a line in ranks and of shallow trees."""

    features: Sequence[str]
    quantiles: "QuantileMap"  # of each measure, for the line
    line: Floats  # (n_features + 1,): its slopes, and at last its level; minor units
    trees: Any  # a fitted HistGradientBoostingRegressor
    unit: float  # minor units of what the trees expect
    basis: Evidence = field(default_factory=Evidence)

    @property
    def columns(self) -> Sequence[str]:
        """The measures that it takes."""
        return self.features

    @property
    def expects_uplift(self) -> bool:
        """Yes."""
        return True

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give what inviting each customer can be expected to bring within the horizon, in minor units; less than 0 where it harms."""
        return _predict(self, _features(frame, self.features))

    def evidence(self, past: Past | None, *, horizon_days: int, seed: int) -> Evidence:
        """Give what it brought where it was tried on customers whom it had not learned from."""
        return self.basis


def learn_uplift(frame: pl.DataFrame, features: Sequence[str], *, seed: int) -> tuple[UpliftRanking, pl.DataFrame]:
    """Learn from launches who spends more because they are invited, and try it on customers who were not learned from.

    What customers spent, less what was expected of them whether they are invited or not, is weighed by the known chance of being
    invited: that has the mean of the invitation's effect on each of them [1]_. A ridge regression on ranks and shallow trees learn it,
    each as far as the data go, and their mean is taken. On simulated launches it found more than two models, one for those invited and
    one for those held out [2]_, and than their doubly robust version [3]_, see ``benchmarks/README.md``: of the few held out a model of
    their own learns little.

    Three fifths of the customers are judged, a fifth after the other, by what was learned from those before it: were each judged by all
    others, they would be lucky together where there is nothing to find, and the interval would hold the truth too seldom (88 % of times
    in place of 95) [4]_. The ranking itself is learned from all.

    Parameters
    ----------
    frame : DataFrame
        One row for each launch and customer: ``launch``, ``customer_id``, ``invited`` (false: held out at random), ``spend`` since, in
        minor units, and the measures as they were at the launch; both arms in each launch, and somebody bought something.
    features : sequence of str
        The measures to learn from.
    seed : int
        Of the five parts of the customers, whichever launches they were in: nobody is judged by what was learned from themselves.

    Returns
    -------
    UpliftRanking, DataFrame
        The ranking; and the frame, sorted by launch and customer, with ``share`` (invited of the launch), ``expected`` (spend, whether they
        are invited or not, learned from the other parts) and ``score`` (the place from 0 to 1 among those of the same part), for those who
        were judged. See `evaluation.qini`.

    References
    ----------
    .. [1] Chen, S., Tian, L., Cai, T. and Yu, M. (2017). A general statistical framework for subgroup identification and comparative
       treatment scoring. Biometrics 73(4), 1199-1209.
    .. [2] Künzel, S. R. et al. (2019). Metalearners for estimating heterogeneous treatment effects using machine learning. PNAS 116(10).
    .. [3] Kennedy, E. H. (2023). Towards optimal doubly robust estimation of heterogeneous causal effects. EJS 17(2), 3008-3049.
    .. [4] Wager, S. (2024). Sequential validation of treatment heterogeneity. arXiv 2405.05534.

    Examples
    --------
    >>> number = pl.int_range(4_000)
    >>> frame = pl.select(launch=pl.lit("a"), customer_id=number.cast(pl.String), invited=number % 2 == 0, orders=number % 7)
    >>> frame = frame.with_columns(spend=100 + 50 * pl.col("invited") * (pl.col("orders") < 3))
    >>> ranking, _ = learn_uplift(frame, ["orders"], seed=1)
    >>> (ranking.values(pl.DataFrame({"orders": [1, 5]})) > 20).tolist()
    [True, False]
    """
    from threadpoolctl import threadpool_limits

    import_module("sklearn.ensemble")  # before the limit, which is that of libraries at hand
    frame = frame.sort("launch", "customer_id").with_columns(share=pl.col("invited").mean().over("launch"))
    part = (_PARTS * uniform(frame["customer_id"], seed, "uplift").to_numpy()).astype(np.int64)
    measures, spend = _features(frame, features), np.maximum(frame["spend"].to_numpy().astype(np.float64), 0)
    spend = np.minimum(spend, np.quantile(spend[spend > 0], _WHALES))
    invited, share = frame["invited"].to_numpy(), frame["share"].to_numpy()
    # Sums over threads differ in the last bit with their number.
    with threadpool_limits(1):
        expected, score = np.zeros(len(part)), np.zeros(len(part))
        for own in map(part.__eq__, range(_PARTS)):
            expected[own] = _expect(measures, spend, ~own)(measures[own])
        effect = (invited - share) / (share * (1 - share)) * (spend - expected)
        for number in range(_FIRST, _PARTS):
            own, before = part == number, part < number
            if own.any() and before.any():
                score[own] = _places(_predict(_learn(measures[before], effect[before], features, spend.mean()), measures[own]))
        ranking = _learn(measures, effect, features, spend.mean())
    # As much as each launch's customers spent altogether, whales and season included.
    launch = frame["launch"].rank("dense").to_numpy() - 1
    level = np.bincount(launch, frame["spend"].to_numpy()) / np.maximum(np.bincount(launch, expected), 1e-9)
    tried = frame.with_columns(expected=pl.Series(expected * level[launch]), score=pl.Series(score))
    return ranking, tried.filter(pl.Series(part >= _FIRST))


def _trees(loss: str, **sizes: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(loss=loss, early_stopping=False, random_state=0, **sizes)


def _expect(measures: Floats, spend: Floats, others: Any) -> Any:
    """Learn from the others what is spent, invited or not."""
    if not spend[others].any():
        return lambda rows: np.full(len(rows), spend.mean())
    sizes = {"max_iter": 60, "learning_rate": 0.06, "max_leaf_nodes": 6, "min_samples_leaf": 40, "l2_regularization": 10.0}
    unit = spend[others].mean()
    trees = _trees("poisson", **sizes).fit(measures[others], spend[others] / unit)
    return lambda rows: trees.predict(rows) * unit if len(rows) else np.zeros(0)


def _learn(measures: Floats, effect: Floats, features: Sequence[str], unit: float) -> UpliftRanking:
    from sklearn.linear_model import RidgeCV

    from segmenter.scoring.quantiles import QuantileMap

    quantiles = QuantileMap(knots=_KNOTS).fit(measures)
    line = RidgeCV(_ALPHAS).fit(quantiles.transform(measures), effect)
    sizes = {"max_iter": 30, "learning_rate": 0.06, "max_leaf_nodes": 4, "min_samples_leaf": max(len(effect) // 50, 40)}
    trees = _trees("squared_error", l2_regularization=200.0, **sizes).fit(measures, effect / unit)
    return UpliftRanking(features, quantiles, np.append(line.coef_, line.intercept_), trees, unit)


def _predict(ranking: UpliftRanking, measures: Floats) -> Floats:
    from threadpoolctl import threadpool_limits

    from segmenter.scoring.quantiles import image

    if not len(measures):
        return np.zeros(0)
    with threadpool_limits(1):
        total: Floats = ranking.trees.predict(measures) * ranking.unit + ranking.line[-1]
    # Measure by measure: equal customers come to the same, wherever they stand, which a product of matrices does not promise.
    maps = zip(measures.T, ranking.quantiles.knots_, ranking.quantiles.levels_, ranking.line, strict=False)
    for column, knots, levels, slope in maps:
        total += image(column, knots, levels) * slope
    return total / 2


def _places(values: Floats) -> Floats:
    from scipy.stats import rankdata

    places: Floats = (rankdata(values) - 0.5) / len(values)
    return places


def _features(frame: pl.DataFrame, names: Sequence[str]) -> Floats:
    return frame.select(pl.col(name).cast(pl.Float64).fill_null(MEASURES.get(name, 0.0)) for name in names).to_numpy()
