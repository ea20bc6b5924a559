"""The fitted scorer and segmenter of a launch as one, to score others later."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from segmenter import money
from segmenter.measures.spec import MONEY
from segmenter.measures.timeline import PURCHASES
from segmenter.scoring import WeightedScorer
from segmenter.scoring.ranking import RankingScore
from segmenter.segments import MEASURES, Segmentation, features

if TYPE_CHECKING:
    from segmenter.segments.clusters import Segmenter

# Measures that tell something by being missing.
_MISSING = ("average_order", "average_gap_days", *PURCHASES)


@dataclass(frozen=True)
class LaunchModel:
    """What a launch learned.

    Parameters
    ----------
    scorer : WeightedScorer
        The fitted score.
    ranking : RankingScore or None
        The fitted score of another ranking than the weighted.
    segmenter : Segmenter
        The fitted clusters; not the whole `Segmentation`, which names customers.
    columns : list of str
        The measures that `predict` needs.
    currency : str
        ISO 4217 code: the unit of those that are money.
    """

    scorer: WeightedScorer
    ranking: RankingScore | None
    segmenter: "Segmenter"
    columns: list[str]
    currency: str

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Score customers by what this launch learned.

        Parameters
        ----------
        frame : DataFrame
            `columns`, in the units of ``customers.parquet``: money in currency units.

        Returns
        -------
        DataFrame
            ``score`` (0 to 100) and ``segment`` (from 1, the best), one row per row.
        """
        unit = 10 ** money.digits(self.currency)
        whole = {name: pl.col(name) if name in _MISSING else pl.col(name).fill_null(0) for name in self.columns if name in MONEY}
        minor = [(column * unit).round().cast(pl.Int64) for column in whole.values()]
        days = [pl.col(name).cast(pl.Int32) for name in self.columns if name.startswith("days_")]
        others = [name for name in self.columns if name not in MONEY and not name.startswith("days_")]
        counts = [pl.col(name) if name in _MISSING else pl.col(name).fill_null(0) for name in others]
        measures = frame.select(*minor, *counts, *days)
        segments = self.segmenter.predict(features(measures))
        scored = self.scorer.score(measures) if self.ranking is None else pl.DataFrame(self.ranking.columns_of(measures))
        return scored.select("score", pl.Series("segment", segments, dtype=pl.Int32))


def launch_model(
    frame: pl.DataFrame, scorer: WeightedScorer, ranking: RankingScore | None, segmentation: Segmentation, currency: str
) -> LaunchModel:
    """Put a launch's scorer and segmenter together.

    Parameters
    ----------
    frame : DataFrame
        The measures they were fitted on: which kinds of events there are.
    scorer : WeightedScorer
        The fitted components and their weighted score.
    ranking : RankingScore or None
        The fitted score of another ranking than the weighted.
    segmentation : Segmentation
        The fitted segments.
    currency : str
        ISO 4217 code.

    Returns
    -------
    LaunchModel
        Both, and the measures that they need.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> plan = segmenter.plan_launch(tables, settings)
    >>> rows = segmenter.to_units(plan.customers, list(MONEY), "CNY").select(pl.col(plan.model.columns).cast(pl.Float64))
    >>> plan.model.predict(rows)["score"].equals(plan.customers["score"])
    True
    """
    components = ("spend_window", "decayed_spend", "orders", "days_since_order", "spend_90d", "spend_90d_before", *scorer.counted(frame))
    needed = [*(components if ranking is None else ranking.ranking.columns), *MEASURES]
    return LaunchModel(scorer, ranking, segmentation.model, list(dict.fromkeys(needed)), currency)
