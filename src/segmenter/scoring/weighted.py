"""The weighted score as a ranking."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from segmenter.measures.past import Past
from segmenter.scoring.ranking import Floats, Ranking
from segmenter.scoring.scorer import WeightedScorer, fit_scorer
from segmenter.settings import WeightedSettings


@dataclass(frozen=True)
class WeightedRanking(Ranking):
    """By the weighted sum of the components: its score is its value."""

    scorer: WeightedScorer
    measures: tuple[str, ...]

    @property
    def columns(self) -> Sequence[str]:
        """The measures that it takes."""
        return self.measures

    @property
    def scores(self) -> bool:
        """Yes, from 0 to 100."""
        return True

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's score."""
        values: Floats = self.scorer.score(frame)["score"].to_numpy()
        return values


def fit(frame: pl.DataFrame, settings: WeightedSettings, past: Past | None, *, horizon_days: int, seed: int) -> WeightedRanking:
    """Learn the score on the eligible."""
    return rank_by(fit_scorer(frame, settings), frame)


def rank_by(scorer: WeightedScorer, frame: pl.DataFrame) -> WeightedRanking:
    """Rank by a score that was learned on a frame."""
    return WeightedRanking(scorer, tuple(scorer.measures(frame)))
