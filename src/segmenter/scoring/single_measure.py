"""A ranking by one measure, which several are."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from segmenter.scoring.ranking import Floats, Ranking

_NEVER = -(1 << 20)  # days: below any recency


@dataclass(frozen=True)
class SingleMeasure(Ranking):
    """By a measure: the largest first, or the smallest (and then a missing one last)."""

    measure: str
    ascending: bool = False

    @property
    def columns(self) -> Sequence[str]:
        """The measure."""
        return (self.measure,)

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's value: the measure as it is, or its negative."""
        measure = frame[self.measure].cast(pl.Float64)
        values: Floats = ((-measure).fill_null(_NEVER) if self.ascending else measure).to_numpy()
        return values
