"""How a launch's ranking came about, and what it rests on: facts that `report.ranking_words` makes a sentence of."""

from dataclasses import dataclass

from segmenter.measures.past import Past
from segmenter.scoring.ranking import Evidence, Ranking
from segmenter.settings import AnyScoring


@dataclass(frozen=True, kw_only=True)
class RankingReport(Evidence):
    """How a launch ranked its customers: the evidence of the ranking called so in `scoring`, and how far it looks ahead."""

    kind: str
    horizon_days: int


def report_ranking(ranking: Ranking, settings: AnyScoring, past: Past | None, *, horizon_days: int, seed: int) -> RankingReport:
    """Gather the evidence of a fitted ranking; `past` is what it was fitted on."""
    evidence = ranking.evidence(past, horizon_days=horizon_days, seed=seed)
    return RankingReport(kind=settings.kind, horizon_days=horizon_days, **vars(evidence))
