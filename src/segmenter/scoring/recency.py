"""By the last order, the latest first."""

import polars as pl

from segmenter.measures.past import Past
from segmenter.scoring.single_measure import SingleMeasure
from segmenter.settings import RecencySettings

BY_RECENCY = SingleMeasure("days_since_order", ascending=True)


def fit(frame: pl.DataFrame, settings: RecencySettings, past: Past | None, *, horizon_days: int, seed: int) -> SingleMeasure:
    """Learn nothing: the measure says it."""
    return BY_RECENCY
