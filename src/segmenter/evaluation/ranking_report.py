"""How a launch's ranking came about, and what it rests on: facts that `report.ranking_words` makes a sentence of."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from segmenter.evaluation.auto import AutoRanking, mean_shares
from segmenter.measures.past import Past
from segmenter.scoring.learned import Learned, importance
from segmenter.scoring.ranking import ClvRanking, Ranking
from segmenter.settings import AnyScoring


@dataclass(frozen=True)
class RankingReport:
    """How a launch ranked its customers.

    Parameters
    ----------
    kind : str
        Of `scoring`.
    horizon_days : int
        How far it looks ahead.
    measures : DataFrame
        ``measure``, ``importance`` (share of all, 0 to 1): what a learned ranking rests on; empty for others.
    learned_cuts : tuple of date
        The past dates that it was learned from, the latest first; empty for others.
    learned_rows : int
        Customers at all of these dates together.
    choice : str or None
        What `auto` chose.
    trials : DataFrame
        ``choice``, ``share``: what `auto` chose among, by mean share of later spend; empty for others.
    trial_cuts : int
        Over how many past launches.
    model : dict
        What `clv` estimated; empty for others.
    warnings : tuple of str
        What a person should know.
    """

    kind: str
    horizon_days: int
    measures: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"measure": pl.String, "importance": pl.Float64}))
    learned_cuts: tuple[date, ...] = ()
    learned_rows: int = 0
    choice: str | None = None
    trials: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"choice": pl.String, "share": pl.Float64}))
    trial_cuts: int = 0
    model: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def report_ranking(ranking: Ranking, settings: AnyScoring, past: Past | None, *, horizon_days: int, seed: int) -> RankingReport:
    """Gather the evidence of a fitted ranking; `past` is what it was fitted on."""
    match ranking:
        case ClvRanking():
            return RankingReport(settings.kind, horizon_days, model=ranking.model.report(), warnings=ranking.model.warnings)
        case Learned():
            return RankingReport(settings.kind, horizon_days, **_learned(ranking, past, horizon_days, seed))
        case AutoRanking():
            learned = ranking.parts.get("learned")
            return RankingReport(
                settings.kind,
                horizon_days,
                choice=ranking.choice,
                trials=pl.DataFrame(list(mean_shares(ranking.trials).items()), {"choice": pl.String, "share": pl.Float64}, orient="row"),
                trial_cuts=ranking.trials["cut"].n_unique(),
                warnings=ranking.warnings,
                **(_learned(learned, past, horizon_days, seed) if isinstance(learned, Learned) else {}),
            )
        case _:
            return RankingReport(settings.kind, horizon_days)


def _learned(learned: Learned, past: Past | None, horizon_days: int, seed: int) -> dict[str, Any]:
    if past is None:
        raise ValueError("a learned ranking was fitted on a past: should be given (got None)")
    measures = importance(learned, past, horizon_days=horizon_days, seed=seed)
    return {"measures": measures, "learned_cuts": learned.cuts, "learned_rows": learned.rows}
