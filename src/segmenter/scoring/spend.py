"""By net spend."""

import polars as pl

from segmenter.measures.past import Past
from segmenter.scoring.single_measure import SingleMeasure
from segmenter.settings import SpendSettings

BY_SPEND = SingleMeasure("spend_window")


def fit(frame: pl.DataFrame, settings: SpendSettings, past: Past | None, *, horizon_days: int, seed: int) -> SingleMeasure:
    """Learn nothing: the measure says it."""
    return BY_SPEND
