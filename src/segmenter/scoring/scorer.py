"""The weighted score: the components put on 0..1 and summed on 0..100. Every launch has one: it gives key users and reasons."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from segmenter.rules import ELIGIBLE
from segmenter.scoring.components import COMPONENTS, MEASURES, REACH, counts, raw_components, rounded, weights_of_roles
from segmenter.settings import ScoringSettings

if TYPE_CHECKING:
    from segmenter.scoring.quantiles import QuantileMap

COMPILED_FROM = 1_000_000  # customers: below, loading what is compiled takes longer than it saves


@dataclass(frozen=True)
class WeightedScorer:
    """A score learned on the eligible customers of one launch."""

    settings: ScoringSettings  # half-life, weights and points
    quantiles: "QuantileMap"  # the fitted map of the raw components
    shares: dict[str, float]  # what each component counts for, summing to 1; 0 where all eligible customers are equal

    def measures(self, frame: pl.DataFrame) -> list[str]:
        """List the measures of a frame that the score takes, those that count events and referrals among them."""
        return [
            *MEASURES,
            *(name for name, _ in counts(frame, {**self.settings.engagement, **self.settings.advocacy})),
            *list(self.shares)[len(COMPONENTS) :],
        ]

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

            if (series := component_kernel.score(frame, self.settings, self.quantiles, self.shares)) is not None:
                return frame.with_columns(series)
        return frame.with_columns(_score(frame, self))


def _score(frame: pl.DataFrame, scorer: WeightedScorer) -> list[pl.Series]:
    """Define the score; `component_kernel` comes to the same bytes."""
    from segmenter.estimators import assert_all_finite
    from segmenter.scoring.quantiles import image

    series = []
    # One after the other in a fixed order: the same bytes at any number of threads.
    total = np.zeros(frame.height)
    maps = zip(scorer.shares.items(), scorer.quantiles.knots_, scorer.quantiles.levels_, strict=True)
    raw = raw_components(frame, scorer.settings, reach=REACH in scorer.shares)
    for (name, share), knots, levels in maps:
        values = frame.select(raw[name].alias(name)).to_series().to_numpy()
        assert_all_finite(values, input_name=name)
        component = image(values, knots, levels)
        total += component * (100 * share)
        series.append(pl.Series(f"component_{name}", component))
    return [*series, pl.Series("score", rounded(total))]


def fit_scorer(frame: pl.DataFrame, settings: ScoringSettings, *, reach: float | None = None) -> WeightedScorer:
    """Learn the score on the eligible.

    Parameters
    ----------
    frame : DataFrame
        The measures with ``verdict``; at least one customer eligible.
    settings : ScoringSettings
        Half-life, weights and points.
    reach : float, optional
        Where the frame has ``reach``, the people whom each would bring: what that weighs.

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
    raw = raw_components(frame, settings, reach=reach is not None)
    columns = (eligible.select(values.alias(name)).collect().to_series().to_numpy() for name, values in raw.items())
    quantiles = QuantileMap(knots=settings.knots).fit_columns(columns)
    weights = {**{name: getattr(settings.weights, name) for name in COMPONENTS}, **weights_of_roles(settings)}
    weights |= {} if reach is None else {REACH: reach}
    differing = {name: weights[name] if len(knots) > 1 else 0.0 for name, knots in zip(raw, quantiles.knots_, strict=True)}
    total = sum(differing.values())
    return WeightedScorer(settings, quantiles, {name: weight / total if total else 0.0 for name, weight in differing.items()})
