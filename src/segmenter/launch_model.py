"""The fitted score and segmenter of a launch as one, to score others later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from segmenter import money
from segmenter.measures.spec import MONEY
from segmenter.measures.timeline import PURCHASES
from segmenter.scoring.ranking import RankingScore
from segmenter.segments import MEASURES, Segmentation, features

if TYPE_CHECKING:
    from segmenter.segments.clusters import Segmenter
    from segmenter.segments.rfm_segments import RfmGrid

# Measures that say something by being missing.
_MISSING = ("average_order", "average_gap_days", "largest_order", *PURCHASES)


@dataclass(frozen=True)
class LaunchModel:
    """What a launch learned."""

    score: RankingScore
    segmenter: "Segmenter | RfmGrid"  # not the whole `Segmentation`, which names customers
    columns: Sequence[str]  # the measures that `predict` needs
    currency: str  # ISO 4217: the unit of those that are money

    @property
    def texts(self) -> Sequence[str]:
        """Those of the columns that are text."""
        return [name for name in self.columns if name in self.score.ranking.texts]

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
        as_is = {*_MISSING, *self.score.ranking.texts}
        counts = [pl.col(name) if name in as_is else pl.col(name).fill_null(0) for name in others]
        measures = frame.select(*minor, *counts, *days)
        segments = pl.Series("segment", self.segmenter.predict(features(measures)), dtype=pl.Int32)
        return pl.DataFrame(self.score.columns_of(measures)).select("score", segments)


def launch_model(score: RankingScore, segmentation: Segmentation, currency: str) -> LaunchModel:
    """Put a launch's score and segmenter together.

    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> plan = segmenter.plan_launch(tables, settings)
    >>> rows = segmenter.to_units(plan.customers, list(MONEY), "CNY").select(pl.col(plan.model.columns).cast(pl.Float64))
    >>> plan.model.predict(rows)["score"].equals(plan.customers["score"])
    True
    """
    return LaunchModel(score, segmentation.model, list(dict.fromkeys([*score.ranking.columns, *MEASURES])), currency)
