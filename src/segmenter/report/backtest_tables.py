"""The tables and charts of a backtest: the rankings side by side, over all dates and at each."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from segmenter.evaluation.backtest import Backtest
from segmenter.evaluation.launch_sales import FEW
from segmenter.report import charts
from segmenter.report.backtest_words import chosen, verdict
from segmenter.report.labels import Labels
from segmenter.report.ranking_words import BEST, RANDOM, ranking_name
from segmenter.report.sections import Cell, Column, Figure, Grid, Key, Mark, Row, Section, Table, columns, note, row
from segmenter.settings import BacktestCore

Means = dict[str, dict[str, Any]]  # by ranking: its row of means
_TOPS = ("1", "5", "10", "20")
_SHOWN = 50  # per cent of the customers that the gains curves reach: beyond, all are alike
_DATES = 5  # marks below a chart


def times(value: float | None, labels: Labels) -> str:
    """Write a multiple."""
    return "–" if value is None else labels.say(f"{value:,.1f}×", f"{value:,.1f} 倍")


def _between(low: float | None, high: float | None, labels: Labels) -> str:
    return "" if low is None or high is None else f"{labels.share(low)}–{labels.share(high)}"


def _mark(found: Backtest, name: str, labels: Labels) -> tuple[Mark, str]:
    if name == found.recommended:
        return "recommended", chosen(found, labels.lang)
    return ("current", labels.say("in use now", "当前使用")) if name == found.current else ("", "")


def shown_name(means: Means, name: str, labels: Labels) -> str:
    """Name a ranking; with a star where its means are not over all dates."""
    dates, whole = (means[each]["dates"] or 0 for each in (name, RANDOM))
    return ranking_name(name, labels.lang) + ("*" if dates < whole else "")


def _against(found: Backtest, labels: Labels) -> str:
    return labels.say(f"Against {found.recommended}", f"与 {found.recommended} 相比")


def tops(found: Backtest, means: Means, shown: Sequence[str], size: int | None, labels: Labels) -> Section:
    """Show how much later spend the top of each ranking holds."""
    names, say = [*reversed(shown[2:]), RANDOM, BEST], labels.say
    headings = [Column(say("Invite the top …", "邀请排名前 …"), "left")]
    for name in names:
        mark, mark_text = _mark(found, name, labels)
        headings.append(Column(shown_name(means, name, labels), mark=mark, mark_text=mark_text))
    parts = [*((top, f"{top}%") for top in _TOPS), *([] if size is None else [("size", labels.number(size))])]
    rows = [
        row(shown_top, *(labels.share(means.get(name, {}).get(f"spend_share_{top}")) for name in names), role="now" if top == "10" else "")
        for top, shown_top in parts
    ]
    under = say("Share of later spend, average over the dates.", "后续消费占比，各日期的平均值。")
    under += "" if size is None else say(" The last row is the size of the launch.", "最后一行为本次计划的邀请人数。")
    chart = _curves(found, means, shown, labels)
    explanation = say(
        "Go along the bottom to the share of customers that you would invite, then up to a line: so much of all that the eligible "
        f"customers spent in the {found.horizon_days} days after came from these. The higher the line, the better.",
        f"横轴是邀请的客户比例，向上对应到曲线，就是这些客户占全部符合条件客户之后 {found.horizon_days} 天消费额的比例。曲线越高越好。",
    )
    heading = say("How much later spend each ranking finds", "各排序方式能找到多少后续消费")
    table = Table(tuple(headings), tuple(rows), look="tight", under=(under,))
    return Section(heading, (note(explanation), _beside(chart, table)))


def _beside(chart: Figure | None, table: Table) -> Grid | Table:
    return table if chart is None else Grid(((chart,), (table,)))


def rankings(found: Backtest, means: Means, size: int | None, settings: BacktestCore, labels: Labels) -> Section:
    """List all rankings, the best first; the two ends last."""
    say = labels.say
    taken, shown_size = ("10", "10%") if size is None else ("size", labels.number(size))
    parts = [*_TOPS, *([] if size is None else ["size"])]
    over = say("Share of later spend in the top …", "排名前 … 的客户占后续消费额的比例")
    headings = (
        Column(say("Ranking", "排序方式"), "left"),
        Column(_against(found, labels), "left"),
        *(Column(shown_size if top == "size" else f"{top}%", over=over) for top in parts),
        *columns(say("Lift", "提升"), say(f"Buyers in the top {shown_size}", f"前 {shown_size} 购买率"), say("Gini", "基尼系数"), left=()),
    )
    intervals = {name: (low, high) for name, low, high in found.intervals.select("ranking", "low", "high").rows()}
    intervals[RANDOM] = (found.chance.low, found.chance.high)
    ahead = dict(found.differences.filter(against=found.recommended).select("ranking", "difference").rows())
    order = sorted(means, key=lambda name: (name == RANDOM, name == BEST, -(ahead.get(name) or 0)))
    rows = []
    for name in order:
        figures, (mark, mark_text) = means[name], _mark(found, name, labels)
        if name == found.recommended == found.current and mark_text != (use := say("in use now", "当前使用")):
            mark_text += say(f", {use}", f"，{use}")
        between = _between(*intervals.get(name, (None, None)), labels)
        shares = [Cell(labels.share(figures[f"spend_share_{top}"]), between if top == "10" else "") for top in parts]
        gini = "–" if figures["gini"] is None else f"{figures['gini'] + 0:.3f}"
        cells = (
            Cell(shown_name(means, name, labels), mark_text, mark),
            Cell(*verdict(found, name, labels.lang)),
            *shares,
            *map(Cell, (times(figures["lift_10"], labels), labels.share(figures[f"precision_{taken}"]), gini)),
        )
        rows.append(Row(cells, "now" if mark == "recommended" else "end" if name in (BEST, RANDOM) else ""))
    explanation = say(
        "The best first. “Clearly” means that the difference depends neither on a few customers nor on picking the luckiest of several "
        "rankings: customers were drawn anew again and again, and all ranges of differences hold together with 95% certainty.",
        "从好到差排列。“明显”表示差别既非个别客户造成，也非从多种排序中挑了运气最好的：反复重抽客户，所有差值区间同时成立的把握为 95%。",
    )
    under = say(
        "Below the share in the top 10% stands the range in which it lies with 95% certainty (by chance: 95% of the draws); lift is of "
        "the top 10%, too.",
        "前 10% 占比下方为其 95% 区间（随机抽取一行：95% 的抽取结果）；提升也按前 10% 计算。",
    )
    table = Table(headings, tuple(rows), look="dense", under=(under, *cautions(found, labels)))
    return Section(say("All rankings", "全部排序方式"), (note(explanation), table), (_brief(found, means, intervals, settings, labels),))


def cautions(found: Backtest, labels: Labels) -> list[str]:
    """Say which rankings may be chance, and which had fewer dates than others."""
    say, said = labels.say, []
    unsure = found.intervals.filter(~pl.col("beats_chance"))["ranking"].to_list()
    if unsure:
        said.append(say(f"Not surely better than chance: {', '.join(unsure)}.", f"不能确定优于随机：{'、'.join(unsure)}。"))
    few = [f"{name} {dates}" for name, dates in found.intervals.select("ranking", "dates").rows() if dates < len(found.cuts)]
    if few:
        listed, dates = say(", ", "、").join(few), len(found.cuts)
        en = (
            f"* could not be computed at all {dates} dates ({listed}): its shares are of its own dates; what counts is how far it is from "
            f"{found.recommended} on the dates that both have, by which the rankings are sorted."
        )
        zh = f"* 并非 {dates} 个日期都能计算（{listed}），占比只计各自的日期；排列和比较看与 {found.recommended} 在共有日期上的差别。"
        said.append(say(en, zh))
    return said


def _brief(
    found: Backtest, means: Means, intervals: dict[str, tuple[float | None, float | None]], settings: BacktestCore, labels: Labels
) -> Table:
    """Show the rankings side by side in a terminal."""
    say, size = labels.say, settings.plan.size
    days, dates = found.horizon_days, len(found.cuts)
    among = say(f"buyers, top {size}", f"前 {size} 购买率") if isinstance(size, int) else say("buyers, all", "全部购买率")
    figures = (say("spend, top 10%", "前 10% 消费占比"), say("between", "区间"), say("lift", "提升"), among)
    headings = columns(say("ranking", "排序方式"), *figures, _against(found, labels), left=(0, 5))
    rows = tuple(
        row(
            shown_name(means, name, labels),
            labels.share(mean["spend_share_10"]),
            _between(*intervals.get(name, (None, None)), labels),
            "–" if mean["lift_10"] is None else f"{mean['lift_10']:.1f}",
            labels.share(mean["precision_size"]),
            chosen(found, labels.lang) if name == found.recommended else verdict(found, name, labels.lang)[0],
            role="now" if name == found.recommended else "",
        )
        for name, mean in means.items()
    )
    title = say(f"{dates} past dates, {days} days after each", f"{dates} 个历史日期，各看之后 {days} 天")
    return Table(headings, rows, title=f"{settings.launch.name} · {title}")


def over_time(found: Backtest, shown: Sequence[str], labels: Labels) -> Section:
    """Show each date's customers, and what the top 10 % of the most important rankings held."""
    say, names = labels.say, list(reversed(shown[2:]))
    headings = (say("Date", "日期"), say("Eligible", "符合条件"), say("Bought later", "之后购买"), say("Spent later", "之后消费"))
    rows = []
    for (cut,), part in found.results.drop_nulls("cut").sort("cut", maintain_order=True).group_by("cut", maintain_order=True):
        eligible, buyers, spend = part.select("eligible", "later_buyers", "later_spend").row(0)  # the same in every row
        shares = dict(part.select("ranking", "spend_share_10").rows())
        rows.append(
            row(
                str(cut),
                labels.number(eligible),
                labels.number(buyers),
                labels.money(spend if buyers is not None and buyers >= FEW else None),
                *(labels.share(shares.get(name)) for name in names),
            )
        )
    table = Table(columns(*headings, *(ranking_name(name, labels.lang) for name in names)), tuple(rows), look="tight")
    explanation = say(
        "Share of later spend in the top 10%, at each date. A ranking to rely on lies above the others most of the time, not once.",
        "各日期前 10% 客户的后续消费占比。可靠的排序方式应多数时候都更高，而不是偶尔一次。",
    )
    heading = say("Does the order hold over time?", "换个时间，结果还一样吗？")
    return Section(heading, (note(explanation), _beside(_shares_by_date(found, shown, labels), table)))


def _curves(found: Backtest, means: Means, shown: Sequence[str], labels: Labels) -> Figure | None:
    """Draw how much later spend the top of each ranking holds; None where nothing was spent."""
    within = found.curves.filter(pl.col("customers") <= _SHOWN / 100 + 1e-9, pl.col("spend").is_not_null())
    points = {str(name): part.select("customers", "spend").rows() for (name,), part in within.group_by("ranking", maintain_order=True)}
    if not points:
        return None
    chart = charts.Lines(
        labels.say("Share of later spend held by the customers at the top", "排在前面的客户占后续消费额的比例"),
        [_line(found, name, points.get(name, []), labels, shown_name(means, name, labels)) for name in shown],
        [(part / 100, f"{part}%") for part in range(0, _SHOWN + 1, 10)],
        [(part / 100, f"{part}%") for part in range(0, 101, 20)],
        labels.say("customers, from the top of the ranking down", "客户（从排名最前开始）"),
    )
    return Figure(chart, legend=_legend(found, shown, labels))


def _shares_by_date(found: Backtest, shown: Sequence[str], labels: Labels) -> Figure | None:
    """Draw the share of later spend in each ranking's top 10 % at each date; None where there are not two."""
    at_cuts = found.results.filter(pl.col("cut").is_not_null(), pl.col("spend_share_10").is_not_null())
    cuts = sorted(set(found.cuts))
    if len(cuts) < 2 or at_cuts.is_empty():
        return None
    shares = {(name, cut): share for name, cut, share in at_cuts.select("ranking", "cut", "spend_share_10").rows()}
    highest = next(end for end in (20, 40, 60, 80, 100) if end == 100 or end / 100 >= max(shares.values()))
    chart = charts.Lines(
        labels.say("Share of later spend in the top 10%, at each date", "各回测日期前 10% 客户的后续消费占比"),
        [_line(found, name, [(cut.toordinal(), shares.get((name, cut))) for cut in cuts], labels) for name in shown],
        _date_marks(cuts),
        [(part / 100, f"{part}%") for part in range(0, highest + 1, highest // 4)],
    )
    return Figure(chart, legend=_legend(found, shown, labels))


def _line(found: Backtest, name: str, points: list[tuple[float, float | None]], labels: Labels, title: str = "") -> charts.Line:
    """Draw a curve under its title; without one, what a ranking held at each date."""
    ends = name in (BEST, RANDOM)
    color = (
        charts.STRONG if name == found.recommended else charts.ACCENT if name == found.current else charts.FAINT if ends else charts.MUTED
    )
    return charts.Line(title or ranking_name(name, labels.lang), points, color, dashed=ends, dots=not title and not ends)


def _legend(found: Backtest, shown: Sequence[str], labels: Labels) -> tuple[Key, ...]:
    use, recommended = labels.say("in use now", "当前使用"), chosen(found, labels.lang)
    if found.current == found.recommended:
        both = "" if recommended == use else labels.say(" and in use now", "，也是当前使用的")
        return (Key(recommended + both, charts.STRONG),)
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
