"""A ranking by its settings, what it rests on, and the score that it gives.

The ranking called NAME in ``scoring=NAME`` is the module ``segmenter.scoring.NAME``: its `fit` takes what `fit_ranking` takes.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.measures.past import Past
from segmenter.messages import Message
from segmenter.rules import ELIGIBLE
from segmenter.settings import ScoringSettings

if TYPE_CHECKING:
    from segmenter.scoring.quantiles import QuantileMap

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a ranking rests on; each ranking fills what it has."""

    # measure, importance (share of all, 0 to 1): of what was learned from
    measures: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"measure": pl.String, "importance": pl.Float64}))
    learned_cuts: tuple[date, ...] = ()  # the past dates that it was learned from, the latest first
    learned_rows: int = 0  # customers at all of these dates together
    expected_over_realised: tuple[float, ...] = ()  # the money expected at each past launch in parts of what came, the latest first
    choice: str | None = None  # what `auto` chose
    # choice, share: what `auto` chose among, by mean share of later spend
    trials: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"choice": pl.String, "share": pl.Float64}))
    trial_cuts: int = 0  # over how many past launches
    trial_buyers: int = 0  # different customers who bought after them
    model: dict[str, Any] = field(default_factory=dict)  # what a model estimated, as plain values
    warnings: tuple[str, ...] = ()  # what a person should know


@dataclass(frozen=True, kw_only=True)
class RankingReport(Evidence):
    """How a launch ranked its customers: the evidence of the ranking called so in `scoring`, and how far it looks ahead."""

    kind: str
    horizon_days: int


class Ranking(ABC):
    """A fitted ranking."""

    @property
    @abstractmethod
    def columns(self) -> Sequence[str]:
        """The measures that it takes."""

    @property
    def texts(self) -> Sequence[str]:
        """Those of its columns that are texts."""
        return ()

    @property
    def expects_money(self) -> bool:
        """Whether its values are expected spend in minor units."""
        return False

    @property
    def expects_uplift(self) -> bool:
        """Whether its values are what an invitation brings, in minor units."""
        return False

    @property
    def scores(self) -> bool:
        """Whether its values are a score from 0 to 100 as they stand."""
        return False

    @abstractmethod
    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's value, larger is better."""

    def expected_spend(self, values: Floats) -> Floats:
        """Give what customers of these values can be expected to spend, in minor units; where it expects money at all."""
        return values

    def evidence(self, past: Past | None, *, horizon_days: int, seed: int) -> Evidence:
        """Give what it rests on, as of the date that it was fitted for."""
        return Evidence()


def fit_ranking(frame: pl.DataFrame, settings: ScoringSettings, past: Past | None, *, horizon_days: int, seed: int) -> Ranking:
    """Fit any ranking but `auto`, see `evaluation.auto`, on the eligible customers and, where it needs one, on the shop's past.

    The frame has the measures, ``verdict``, and the columns of `timeline.PURCHASES` where the settings need them. InputError where the
    past is missing or too short, or a model does not fit the shop.
    """
    if settings.needs_past:
        require_past(past, settings)
    ranking: Ranking = import_module(f"segmenter.scoring.{settings.kind}").fit(frame, settings, past, horizon_days=horizon_days, seed=seed)
    return ranking


def require_past(past: Past | None, settings: ScoringSettings) -> Past:
    """Give the past that a ranking needs; an InputError where it was not read."""
    if past is None:
        raise InputError(Message("scoring.no_past", "scoring: {kind} needs the shop's past, which was not read", kind=settings.kind))
    return past


def report_ranking(ranking: Ranking, settings: ScoringSettings, past: Past | None, *, horizon_days: int, seed: int) -> RankingReport:
    """Gather the evidence of a fitted ranking; `past` is what it was fitted on."""
    evidence = ranking.evidence(past, horizon_days=horizon_days, seed=seed)
    return RankingReport(kind=settings.kind, horizon_days=horizon_days, **vars(evidence))


@dataclass(frozen=True)
class RankingScore:
    """The score 0 to 100 of a fitted ranking: where its value stands among those of the eligible."""

    ranking: Ranking
    quantiles: "QuantileMap | None"  # the map of its values; None where they are scores as they stand

    def columns_of(self, frame: pl.DataFrame) -> list[pl.Series]:
        """Score customers, these or others, by their measures.

        ``score``, which tells different values apart; and where the ranking expects money ``expected_spend``, or ``expected_uplift`` where
        it expects what an invitation brings, in whole minor units.
        """
        from segmenter.scoring.quantiles import image

        values = self.ranking.values(frame)
        if self.quantiles is None:
            return [pl.Series("score", values)]
        series = [pl.Series("score", 100 * image(values, self.quantiles.knots_[0], self.quantiles.levels_[0]))]
        if self.ranking.expects_money:
            series.append(pl.Series("expected_spend", np.rint(self.ranking.expected_spend(values)).astype(np.int64)))
        if self.ranking.expects_uplift:
            series.append(pl.Series("expected_uplift", np.rint(values).astype(np.int64)))
        return series


def score_of(ranking: Ranking, frame: pl.DataFrame, *, knots: int) -> RankingScore:
    """Learn the score of a ranking on the eligible: those in a frame of measures with ``verdict``."""
    from segmenter.scoring.quantiles import QuantileMap

    if ranking.scores:
        return RankingScore(ranking, None)
    return RankingScore(ranking, QuantileMap(knots=knots).fit_columns([ranking.values(frame.filter(verdict=ELIGIBLE))]))
