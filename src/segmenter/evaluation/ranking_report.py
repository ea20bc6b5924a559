"""What a person should know about the ranking of a launch: how it came about, and what it rests on."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from segmenter.evaluation.auto import CHOICES, Auto
from segmenter.measures.past import Past
from segmenter.scoring.clv import ClvRanking
from segmenter.scoring.learned import LearnedRanking, importance
from segmenter.scoring.ranking import Ranking
from segmenter.settings import AnyScoring
from segmenter.words import Lang, say


@dataclass(frozen=True)
class Told:
    """How a launch ranked its customers.

    Parameters
    ----------
    kind : str
        Of `scoring`.
    sentence : str
        How the ranking came about.
    measures : DataFrame
        ``measure``, ``importance`` (share of all, 0 to 1): what a learned ranking rests on; empty for others.
    trials : DataFrame
        ``choice``, ``share``: what `auto` chose among, by mean share of later spend; empty for others.
    model : dict
        What `clv` estimated; empty for others.
    warnings : tuple of str
        What a person should know.
    """

    kind: str
    sentence: str
    measures: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"measure": pl.String, "importance": pl.Float64}))
    trials: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"choice": pl.String, "share": pl.Float64}))
    model: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def tell(ranking: Ranking, settings: AnyScoring, past: Past | None, *, horizon_days: int, seed: int, lang: Lang) -> Told:
    """Say how a ranking came about, and what it rests on.

    Parameters
    ----------
    ranking : Ranking
        Fitted.
    settings : AnyScoring
        Its settings.
    past : Past or None
        What it was fitted on.
    horizon_days : int
        How far it looks ahead.
    seed : int
        The job's seed.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    Told
        For the report and the manifest.

    Examples
    --------
    >>> import segmenter
    >>> from segmenter.scoring.spend import BY_SPEND
    >>> settings = segmenter.launch_settings({"scoring": "spend"})
    >>> tell(BY_SPEND, settings.scoring, None, horizon_days=30, seed=1, lang="en").sentence
    'Customers are ranked by net spend.'
    """
    match ranking:
        case ClvRanking():
            often = "how often they buy times how much they spend at a time"
            en = f"Customers are ranked by what they can be expected to spend in the next {horizon_days} days: {often}."
            zh = f"客户按未来 {horizon_days} 天的预期消费排序：预期购买次数 × 预期单次消费。"
            return Told("clv", say(lang, en, zh), model=ranking.model.report(), warnings=ranking.model.warnings)
        case LearnedRanking():
            measures = importance(ranking, _of(past), horizon_days=horizon_days, seed=seed)
            return Told("learned", _learned(ranking, horizon_days, lang), measures)
        case Auto():
            trials = pl.DataFrame(
                [(name, _mean(ranking.trials.filter(choice=name)["share"])) for name in CHOICES] if ranking.trials.height else [],
                schema={"choice": pl.String, "share": pl.Float64},
                orient="row",
            )
            learned = ranking.parts.get("learned")
            if not isinstance(learned, LearnedRanking):
                return Told("auto", ranking.why, trials=trials, warnings=ranking.warnings)
            measures = importance(learned, _of(past), horizon_days=horizon_days, seed=seed)
            sentence = say(lang, " ", "").join((ranking.why, _learned(learned, horizon_days, lang)))
            return Told("auto", sentence, measures, trials, warnings=ranking.warnings)
        case _:
            return Told(settings.kind, _simple(settings.kind, lang))


def _of(past: Past | None) -> Past:
    assert past is not None  # or it could not have been fitted
    return past


def _mean(shares: pl.Series) -> float:
    return float(sum(shares.to_list()) / len(shares))


def _learned(learned: LearnedRanking, horizon_days: int, lang: Lang) -> str:
    count, latest, rows = len(learned.cuts), learned.cuts[0], f"{learned.rows:,}"
    en = (
        f"The learned ranking expects what each customer will spend in the next {horizon_days} days, from {rows} customers as they were at "
        f"{count} past dates, the latest {latest}."
    )
    zh = f"学习模型根据过去 {count} 个日期（最近为 {latest}）的 {rows} 条客户记录，预测每位客户未来 {horizon_days} 天的消费。"
    return say(lang, en, zh)


def _simple(kind: str, lang: Lang) -> str:
    told = {
        "weighted": ("by the weighted score of their components", "各项加权评分"),
        "spend": ("by net spend", "净消费额"),
        "decayed": ("by net spend in which older orders count less", "按时间衰减的净消费额（越久的订单权重越低）"),
        "recency": ("by their last order, the latest first", "最近一次下单时间，越近越靠前"),
        "rfm": ("by RFM: fifths of recency, frequency and spend", "RFM 五分位得分之和"),
    }
    en, zh = told[kind]
    return say(lang, f"Customers are ranked {en}.", f"客户按{zh}排序。")
