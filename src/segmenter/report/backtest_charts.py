"""The two charts of a backtest: how much each ranking finds, and at which date."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from segmenter.evaluation.backtest import Backtest
from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.ranking_words import BEST, RANDOM, ranking_name
from segmenter.report.sections import Figure, Key

_SHOWN = 50  # per cent of the customers that the gains curves reach: beyond, all are alike
_DATES = 5  # marks below a chart


def curves(found: Backtest, shown: Sequence[str], labels: Labels) -> Figure | None:
    """Draw how much later spend the top of each ranking holds; None where nothing was spent."""
    within = found.curves.filter(pl.col("customers") <= _SHOWN / 100 + 1e-9, pl.col("spend").is_not_null())
    points = {str(name): part.select("customers", "spend").rows() for (name,), part in within.group_by("ranking", maintain_order=True)}
    if not points:
        return None
    chart = charts.Lines(
        labels.say("Share of later spend held by the customers at the top", "排在前面的客户占后续消费额的比例"),
        [_line(found, name, points.get(name, []), labels) for name in shown],
        [(part / 100, f"{part}%") for part in range(0, _SHOWN + 1, 10)],
        [(part / 100, f"{part}%") for part in range(0, 101, 20)],
        labels.say("customers, from the top of the ranking down", "客户（从排名最前开始）"),
    )
    return Figure(chart, legend=_legend(found, shown, labels))


def over_time(found: Backtest, shown: Sequence[str], labels: Labels) -> Figure | None:
    """Draw the share of later spend in each ranking's top 10 % at each date; None where there are not two."""
    at_cuts = found.results.filter(pl.col("cut").is_not_null(), pl.col("spend_share_10").is_not_null())
    cuts = sorted(set(found.cuts))
    if len(cuts) < 2 or at_cuts.is_empty():
        return None
    shares = {(name, cut): share for name, cut, share in at_cuts.select("ranking", "cut", "spend_share_10").rows()}
    highest = next(end for end in (20, 40, 60, 80, 100) if end == 100 or end / 100 >= max(shares.values()))
    chart = charts.Lines(
        labels.say("Share of later spend in the top 10%, at each date", "各回测日期前 10% 客户的后续消费占比"),
        [_line(found, name, [(cut.toordinal(), shares.get((name, cut))) for cut in cuts], labels, dots=True) for name in shown],
        _date_marks(cuts),
        [(part / 100, f"{part}%") for part in range(0, highest + 1, highest // 4)],
    )
    return Figure(chart, legend=_legend(found, shown, labels))


def _line(found: Backtest, name: str, points: list[tuple[float, float | None]], labels: Labels, *, dots: bool = False) -> charts.Line:
    ends = name in (BEST, RANDOM)
    color = (
        charts.STRONG if name == found.recommended else charts.ACCENT if name == found.current else charts.FAINT if ends else charts.MUTED
    )
    return charts.Line(ranking_name(name, labels.lang), points, color, dashed=ends, dots=dots and not ends)


def _legend(found: Backtest, shown: Sequence[str], labels: Labels) -> tuple[Key, ...]:
    use, recommended = labels.say("in use now", "当前使用"), labels.say("recommended", "推荐")
    if found.current == found.recommended:
        return (Key(recommended + labels.say(" and in use now", "，也是当前使用的"), charts.STRONG),)
    return (Key(recommended, charts.STRONG), *([Key(use, charts.ACCENT)] if found.current in shown else []))


def _date_marks(cuts: list[date]) -> charts.Marks:
    """Mark the first date, the last, and so many between them that their texts stay apart."""
    first, last = cuts[0].toordinal(), cuts[-1].toordinal()
    room = (last - first) / (_DATES - 1)
    marks = [(first, str(cuts[0]))]
    for cut in cuts[1:-1]:
        if cut.toordinal() - marks[-1][0] >= room and last - cut.toordinal() >= room:
            marks.append((cut.toordinal(), str(cut)))
    return [*marks, (last, str(cuts[-1]))]
