"""The weighted score: seven components on 0..1, summed on 0..100."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.rules import ELIGIBLE
from segmenter.settings import ScoringSettings, Weights

if TYPE_CHECKING:
    from segmenter.scoring.quantiles import QuantileMap

COMPONENTS = tuple(Weights.model_fields)
_MOST_DAYS = 1 << 16  # in a table
COMPILED_FROM = 1_000_000  # customers: below, loading what is compiled takes longer than it saves


@dataclass(frozen=True)
class WeightedScorer:
    """A score learned on the eligible customers of one launch.

    Parameters
    ----------
    settings : ScoringSettings
        Half-life, weights and points.
    quantiles : QuantileMap
        The fitted map of the raw components.
    shares : dict of str to float
        What each component counts for, summing to 1; 0 where all eligible customers are equal.
    """

    settings: ScoringSettings
    quantiles: "QuantileMap"
    shares: dict[str, float]

    def counted(self, frame: pl.DataFrame) -> list[str]:
        """List the measures of events and referrals that the score counts.

        Parameters
        ----------
        frame : DataFrame
            The measures that there are.

        Returns
        -------
        list of str
            Their names.
        """
        return [name for name, _ in counts(frame, {**self.settings.engagement, **self.settings.advocacy})]

    def score(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Score customers, these or others.

        Parameters
        ----------
        frame : DataFrame
            The measures.

        Returns
        -------
        DataFrame
            The frame with ``component_<name>`` (0 to 1) and ``score`` (0 to 100, rounded to 4 decimals).
        """
        if frame.height >= COMPILED_FROM:
            from segmenter.scoring import component_kernel

            if (compiled := component_kernel.score(frame, self)) is not None:
                return frame.with_columns(compiled)
        return frame.with_columns(_score(frame, self))


def _score(frame: pl.DataFrame, scorer: WeightedScorer) -> list[pl.Series]:
    """Define the score; `kernel` comes to the same bytes."""
    from sklearn.utils import assert_all_finite

    from segmenter.scoring.quantiles import image

    series = []
    # Added one by one in a fixed order: the same bytes at any number of threads.
    total = np.zeros(frame.height)
    maps = zip(scorer.shares.items(), scorer.quantiles.knots_, scorer.quantiles.levels_, strict=True)
    raw = _raw(frame, scorer.settings)
    for (name, share), knots, levels in maps:
        values = frame.select(raw[name].alias(name)).to_series().to_numpy()
        assert_all_finite(values, input_name=name)
        component = image(values, knots, levels)
        total += component * (100 * share)
        series.append(pl.Series(f"component_{name}", component))
    return [*series, pl.Series("score", rounded(total))]


def rounded(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round scores to 4 decimals, in place.

    Parameters
    ----------
    score : ndarray of shape (n_customers,)
        Unrounded.

    Returns
    -------
    ndarray of shape (n_customers,)
        The same array.

    Examples
    --------
    >>> rounded(np.array([61.53846153])).tolist()
    [61.5385]
    """
    score *= 10_000.0
    np.rint(score, out=score)
    score /= 10_000.0
    return score


def fit_scorer(frame: pl.DataFrame, settings: ScoringSettings) -> WeightedScorer:
    """Learn the score on the eligible.

    Parameters
    ----------
    frame : DataFrame
        The measures with ``verdict``; at least one customer eligible.
    settings : ScoringSettings
        Half-life, weights and points.

    Returns
    -------
    WeightedScorer
        Ready to score all customers.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({})
    >>> frame = pl.DataFrame({"customer_id": ["a", "b"], "spend_window": [100, 900], "decayed_spend": [90, 80], "orders": 1,
    ...     "days_since_order": [3, 40], "spend_90d": [100, 900], "spend_90d_before": 0, "referrals": 0, "verdict": "eligible"})
    >>> fit_scorer(frame, settings.scoring).score(frame)["score"].to_list()
    [61.5385, 38.4615]
    """
    from segmenter.scoring.quantiles import QuantileMap

    eligible = frame.lazy().filter(verdict=ELIGIBLE)
    raw = _raw(frame, settings)
    columns = (eligible.select(raw[name].alias(name)).collect().to_series().to_numpy() for name in COMPONENTS)
    quantiles = QuantileMap(knots=settings.knots).fit_columns(columns)
    weights: dict[str, float] = settings.weights.model_dump()
    telling = {name: weights[name] if len(knots) > 1 else 0.0 for name, knots in zip(COMPONENTS, quantiles.knots_, strict=True)}
    total = sum(telling.values())
    return WeightedScorer(settings, quantiles, {name: weight / total if total else 0.0 for name, weight in telling.items()})


def _raw(frame: pl.DataFrame, settings: ScoringSettings) -> dict[str, pl.Expr]:
    """Define the seven numbers, larger is better, never null."""
    recent, before = (pl.max_horizontal(name, 0).cast(pl.Float64) for name in ("spend_90d", "spend_90d_before"))
    change = pl.when(recent + before > 0).then((recent - before) / (recent + before)).otherwise(0.0)
    return {
        "spend": pl.col("spend_window").cast(pl.Float64),
        "decayed_spend": pl.col("decayed_spend").cast(pl.Float64),
        "frequency": pl.col("orders").cast(pl.Float64),
        "recency": _halving(frame, settings.half_life_days),
        "engagement": points(frame, settings.engagement),
        "advocacy": points(frame, settings.advocacy),
        "growth": change,
    }


def _halving(frame: pl.DataFrame, half_life_days: float) -> pl.Expr:
    days, column = frame["days_since_order"].drop_nulls(), pl.col("days_since_order")
    if days.is_empty():
        return pl.repeat(0.0, pl.len())
    low, high = int(days.min()), int(days.max())  # type: ignore[arg-type]  # numbers
    if days.dtype.is_integer() and high - low < _MOST_DAYS:
        return pl.lit(pl.Series(halved(range(low, high + 1), half_life_days))).gather(column - low).fill_null(0.0)
    days = days.unique()
    return column.replace_strict(days, halved(days, half_life_days), default=0.0, return_dtype=pl.Float64)


def halved(days: Iterable[int], half_life_days: float) -> list[float]:
    """Compute what is left of 1 after days.

    Parameters
    ----------
    days : iterable of int
        How many.
    half_life_days : float
        After so many days 0.5 is left; > 0.

    Returns
    -------
    list of float
        2^(-days / half_life_days).

    Examples
    --------
    >>> halved([0, 90, 180], 90)
    [1.0, 0.5, 0.25]
    """
    # Plain Python powers: vectorised ones may differ in the last bit with a value's place in its vector.
    return [2.0 ** (-day / half_life_days) for day in days]


def counts(frame: pl.DataFrame, worth: dict[str, float]) -> list[tuple[str, float]]:
    """List the measures that count events, with the points for each event.

    Parameters
    ----------
    frame : DataFrame
        The measures that there are.
    worth : dict of str to float
        Points for each event of a kind.

    Returns
    -------
    list of (str, float)
        In the order of `worth`.

    Examples
    --------
    >>> counts(pl.DataFrame({"events_visit": [2], "referrals": [1]}), {"visit": 1, "referral": 5, "review": 3})
    [('events_visit', 1), ('referrals', 5)]
    """
    found = [(count_of(frame, kind), each) for kind, each in worth.items()]
    return [(count.meta.output_name(), each) for count, each in found if count is not None]


def count_of(frame: pl.DataFrame, kind: str) -> pl.Expr | None:
    """Find the measure that counts a kind of event.

    Parameters
    ----------
    frame : DataFrame
        The measures.
    kind : str
        A kind of event, or ``referral``.

    Returns
    -------
    Expr or None
        None where the shop has no such events.

    Examples
    --------
    >>> count_of(pl.DataFrame({"events_visit": [1]}), "visit").meta.output_name()
    'events_visit'
    """
    column = "referrals" if kind == "referral" else f"events_{kind.lower()}"  # as the kinds of events are read
    return pl.col(column) if column in frame.columns else None


def points(frame: pl.DataFrame, worth: dict[str, float]) -> pl.Expr:
    """Add up points for events.

    Parameters
    ----------
    frame : DataFrame
        The measures.
    worth : dict of str to float
        Points for each event of a kind.

    Returns
    -------
    Expr
        Points, ≥ 0.

    Examples
    --------
    >>> frame = pl.DataFrame({"events_visit": [2], "referrals": [1]})
    >>> frame.select(points(frame, {"visit": 1, "referral": 5, "review": 3})).item()
    7.0
    """
    total = pl.repeat(0.0, pl.len())
    for name, each in counts(frame, worth):
        total = total + pl.col(name) * each
    return total
