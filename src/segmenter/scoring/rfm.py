"""By quintiles of recency, frequency and monetary value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.past import Past
from segmenter.rules import ELIGIBLE
from segmenter.scoring.ranking import Floats, Ranking
from segmenter.scoring.recency import BY_RECENCY
from segmenter.scoring.single_measure import SingleMeasure
from segmenter.scoring.spend import BY_SPEND
from segmenter.settings import RfmSettings

_QUINTILES = 5
_PARTS = (BY_SPEND, SingleMeasure("orders"), BY_RECENCY)


@dataclass(frozen=True)
class RfmRanking(Ranking):
    """A ranking by quintiles of recency, frequency and monetary value.

    A customer gets 1 to 5 points for each, by the share of the eligible below: equal values get equal points, and a measure with few
    distinct values gives few distinct points. Equal sums are ordered by spend.

    References
    ----------
    .. [1] Hughes, A. M. (1994). Strategic Database Marketing, Probus: customers sorted into fifths, 555 the best.
    """

    learned: dict[str, Floats]  # for each measure the sorted values of the eligible

    @property
    def columns(self) -> Sequence[str]:
        """The three measures."""
        return tuple(part.measure for part in _PARTS)

    def points(self, frame: pl.DataFrame) -> NDArray[np.int64]:
        """Sum the points, from 3 to 15."""
        total = np.zeros(frame.height, np.int64)
        for part in _PARTS:
            ordered = self.learned[part.measure]
            below = np.searchsorted(ordered, part.values(frame), side="left")
            total += np.minimum(_QUINTILES * below // max(len(ordered), 1), _QUINTILES - 1) + 1
        return total

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's points, and less than one more by spend."""
        ordered = self.learned[BY_SPEND.measure]
        below = np.searchsorted(ordered, BY_SPEND.values(frame), side="left")
        return self.points(frame) + below / (len(ordered) + 1)


def fit(frame: pl.DataFrame, settings: RfmSettings, past: Past | None, *, horizon_days: int, seed: int) -> RfmRanking:
    """Learn the quintiles on the eligible.

    >>> frame = pl.DataFrame({"spend_window": [1, 2, 3, 4, 5], "orders": [1, 1, 1, 1, 9], "days_since_order": [5, 4, 3, 2, 1],
    ...     "verdict": "eligible"})
    >>> fit(frame, None, None, horizon_days=30, seed=1).points(frame).tolist()
    [3, 5, 7, 9, 15]
    """
    eligible = frame.filter(verdict=ELIGIBLE)
    return RfmRanking({part.measure: np.sort(part.values(eligible)) for part in _PARTS})
