"""The named segments of the usual grid: recency against frequency and spend, in fifths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from segmenter.messages import Message
from segmenter.segments.archetypes import ARCHETYPES, Archetype

Floats = NDArray[np.float64]

# From the longest ago (R 1) to the latest (R 5), each from the least (FM 1) to the most (FM 5).
GRID = (
    ("lost", "lost", "at_risk", "cannot_lose", "cannot_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "at_risk"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential_loyal", "potential_loyal", "loyal", "loyal"),
    ("new_customers", "potential_loyal", "potential_loyal", "champions", "champions"),
)
_CALLED = {  # what a segment is called, and the archetype whose advice goes for it
    "champions": (Message("segments.rfm_champions", "champions"), "loyal_big"),
    "loyal": (Message("segments.rfm_loyal", "loyal customers"), "regulars"),
    "potential_loyal": (Message("segments.rfm_potential_loyal", "potential loyalists"), "rising"),
    "new_customers": (Message("segments.rfm_new_customers", "new customers"), "newcomers"),
    "promising": (Message("segments.rfm_promising", "promising"), "promising"),
    "need_attention": (Message("segments.rfm_need_attention", "need attention"), "occasional"),
    "about_to_sleep": (Message("segments.rfm_about_to_sleep", "about to sleep"), "slipping"),
    "at_risk": (Message("segments.rfm_at_risk", "at risk"), "slipping"),
    "cannot_lose": (Message("segments.rfm_cannot_lose", "cannot lose them"), "slipping_big"),
    "hibernating": (Message("segments.rfm_hibernating", "hibernating"), "occasional"),
    "lost": (Message("segments.rfm_lost", "lost customers"), "lost"),
}
_FIFTHS, _ORDERS, NEVER = 5, 1, "yet_to_buy"


def _who(kind: str) -> Message:
    """Say which cells a segment has."""
    cells = [(r, fm) for r, row in enumerate(GRID, 1) for fm, name in enumerate(row, 1) if name == kind]
    recency, value = ("-".join(map(str, sorted({min(points), max(points)}))) for points in zip(*cells, strict=True))
    return Message("segments.who_rfm", "Recency {recency}, frequency and spend {value}.", recency=recency, value=value)


RFM = {kind: Archetype(name, _who(kind), ARCHETYPES[like].advice) for kind, (name, like) in _CALLED.items()}
RFM[NEVER] = ARCHETYPES[NEVER]


@dataclass
class RfmGrid:
    """The grid with the fifths of a shop's eligible customers who have ordered.

    R is 5 for the fifth that ordered last, F and M are 5 for those who ordered and spent most, and FM is the mean of F and M, halves
    upwards. Equal values get equal points, so that a measure with few distinct values gives few distinct points: where most have
    ordered once, F is 1 or 5. A cell in which nobody is makes no segment; who would be in it later goes to the nearest that has some.

    References
    ----------
    .. [1] Hughes, A. M. (1994). Strategic Database Marketing, Probus: fifths of recency, frequency and monetary value.
    .. [2] Putler, RFM Analysis For Successful Customer Segmentation, putler.com/rfm-analysis: the eleven names, each with a range of R
       and one of FM. The ranges overlap: `GRID` gives a cell one of the names in whose ranges it lies.
    """

    limits: list[list[float]]  # of spend, orders and minus days: above how many of them a value is, so many points more than 1 it has
    kinds: list[str]  # the key in `RFM` of each segment

    @classmethod
    def fit(cls, measures: Floats) -> Self:
        """Learn the fifths from measures, (n, d), of which spend, orders and days since the last order are the first.

        >>> grid = RfmGrid.fit(np.array([[float(n), n, 50 - n] for n in range(1, 11)]))
        >>> [str(name) for name in grid.names()]
        ['champions', 'loyal customers', 'need attention', 'hibernating', 'lost customers']
        """
        ordered = np.sort(_parts(measures[measures[:, _ORDERS] > 0]))
        n = ordered.shape[1]
        fifths = [-(-part * n // _FIFTHS) - 1 for part in range(1, _FIFTHS)] if n else []
        grid = cls(ordered[:, fifths].tolist(), list(RFM))
        found = np.unique(grid.predict(measures))
        grid.kinds = [grid.kinds[label - 1] for label in found.tolist()]
        return grid

    @property
    def n_clusters(self) -> int:
        """How many segments there are."""
        return len(self.kinds)

    def predict(self, measures: Floats) -> NDArray[np.int64]:
        """Give each row the number of its segment, from 1 on."""
        spend, orders, recency = (np.searchsorted(limits, part) for limits, part in zip(self.limits, _parts(measures), strict=True))
        labels: NDArray[np.int64] = self._cells()[recency, (spend + orders + 1) // 2]
        if NEVER in self.kinds:
            labels[measures[:, _ORDERS] <= 0] = self.kinds.index(NEVER) + 1
        return labels

    def renumber(self, labels: Sequence[int]) -> Self:
        """Put the segments in another order; those that are not among the labels are given up."""
        self.kinds = [self.kinds[label - 1] for label in labels]
        return self

    def names(self) -> list[Message]:
        """Name the segments, in their order."""
        return [Message("segments.name", "{words}", words=(RFM[kind].name,)) for kind in self.kinds]

    def to_dict(self) -> dict[str, Any]:
        """Give what it learned as plain values."""
        return {"limits": self.limits, "kinds": self.kinds}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """Make it of what `to_dict` gives."""
        return cls(facts["limits"], facts["kinds"])

    def _cells(self) -> NDArray[np.int64]:
        """Give the label of each cell: its own name's, or that of the nearest cell that has one; a tie goes to the later and better."""
        known = [(r, fm) for r in reversed(range(_FIFTHS)) for fm in reversed(range(_FIFTHS)) if GRID[r][fm] in self.kinds]
        labels = np.ones((_FIFTHS, _FIFTHS), np.int64)
        for r, fm in np.ndindex(labels.shape) if known else ():
            near = min(known, key=lambda cell: abs(cell[0] - r) + abs(cell[1] - fm))
            labels[r, fm] = self.kinds.index(GRID[near[0]][near[1]]) + 1
        return labels


def _parts(measures: Floats) -> Floats:
    """Give spend, orders and recency as rows, each the better the larger."""
    return np.ascontiguousarray(measures[:, :3].T) * [[1.0], [1.0], [-1.0]]
