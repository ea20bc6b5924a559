"""By net spend in which older orders count less."""

import polars as pl

from segmenter.measures.past import Past
from segmenter.scoring.single_measure import SingleMeasure
from segmenter.settings import DecayedSettings

BY_DECAYED = SingleMeasure("decayed_spend")


def fit(frame: pl.DataFrame, settings: DecayedSettings, past: Past | None, *, horizon_days: int, seed: int) -> SingleMeasure:
    """Learn nothing: the measure says it."""
    return BY_DECAYED
