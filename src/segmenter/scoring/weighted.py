"""The weighted score: seven components on 0..1, summed on 0..100."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from segmenter.rules import ELIGIBLE
from segmenter.settings import WeightedSettings, Weights

if TYPE_CHECKING:
    from segmenter.scoring.quantiles import QuantileMap

COMPONENTS = tuple(Weights.model_fields)


@dataclass(frozen=True)
class WeightedScorer:
    """A score learned on the eligible customers of one launch.

    Parameters
    ----------
    settings : WeightedSettings
        Half-life, weights and points.
    quantiles : QuantileMap
        The fitted map of the raw components.
    shares : dict of str to float
        What each component counts for, summing to 1; 0 where all eligible customers are equal.
    """

    settings: WeightedSettings
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
        kinds = {**self.settings.engagement, **self.settings.advocacy}
        counts = [count_of(frame, kind) for kind in kinds]
        return [count.meta.output_name() for count in counts if count is not None]

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
        mapped = pl.DataFrame(
            self.quantiles.transform(_raw(frame, self.settings).to_numpy()), schema=[f"component_{name}" for name in COMPONENTS]
        )
        # Added one by one in a fixed order: the same bytes at any number of threads.
        total = pl.lit(0.0)
        for name, share in self.shares.items():
            total = total + pl.col(f"component_{name}") * (100 * share)
        return frame.with_columns(*mapped.get_columns(), mapped.select(total.round(4).alias("score")).to_series())


def fit_scorer(frame: pl.DataFrame, settings: WeightedSettings) -> WeightedScorer:
    """Learn the score on the eligible.

    Parameters
    ----------
    frame : DataFrame
        The measures with ``verdict``; at least one customer eligible.
    settings : WeightedSettings
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

    raw = _raw(frame.filter(verdict=ELIGIBLE), settings)
    quantiles = QuantileMap(knots=settings.knots).fit(raw.to_numpy())
    weights: dict[str, float] = settings.weights.model_dump()
    telling = {name: weights[name] if len(knots) > 1 else 0.0 for name, knots in zip(COMPONENTS, quantiles.knots_, strict=True)}
    total = sum(telling.values())
    return WeightedScorer(settings, quantiles, {name: weight / total if total else 0.0 for name, weight in telling.items()})


def _raw(frame: pl.DataFrame, settings: WeightedSettings) -> pl.DataFrame:
    """Compute the seven numbers, larger is better, never null."""
    recent, before = pl.max_horizontal("spend_90d", 0), pl.max_horizontal("spend_90d_before", 0)
    change = pl.when(recent + before > 0).then((recent - before) / (recent + before)).otherwise(0.0)
    return frame.select(
        pl.col("spend_window").cast(pl.Float64).alias("spend"),
        pl.col("decayed_spend").cast(pl.Float64),
        pl.col("orders").cast(pl.Float64).alias("frequency"),
        _halving(frame, settings.half_life_days).alias("recency"),
        points(frame, settings.engagement).alias("engagement"),
        points(frame, settings.advocacy).alias("advocacy"),
        change.alias("growth"),
    )


def _halving(frame: pl.DataFrame, half_life_days: float) -> pl.Expr:
    # Plain Python powers, by table: vectorised ones may differ in the last bit with a value's place in its vector.
    days = frame["days_since_order"].drop_nulls().unique().to_list()
    table = {day: 2.0 ** (-day / half_life_days) for day in days}
    return pl.col("days_since_order").replace_strict(table, default=0.0, return_dtype=pl.Float64) if table else pl.lit(0.0)


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
    total = pl.lit(0.0)
    for kind, each in worth.items():
        if (count := count_of(frame, kind)) is not None:
            total = total + count * each
    return total
