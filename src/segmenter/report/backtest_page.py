"""The page of a backtest: which ranking to use, and why one may believe it, without a customer id or a contact in it."""

from datetime import date
from typing import Any

import polars as pl

from segmenter.evaluation.backtest import Backtest
from segmenter.report import charts
from segmenter.report.backtest_words import BEST, RANDOM, meaning, ranking, verdict
from segmenter.report.labels import Labels
from segmenter.report.page import page
from segmenter.settings import BacktestCore

Row = dict[str, Any]
_FEW = 5  # the spend of fewer customers would tell what single ones spend
_TOPS = ("1", "5", "10", "20")
_SHOWN = 50  # per cent of the customers that the gains curves reach: beyond, all are alike
_SIMPLE = ("rfm", "spend", "decayed", "recency", "weighted")  # the first of them to compare with: the usual answer
_DATES = 5  # marks below a chart


def backtest_page(found: Backtest, settings: BacktestCore) -> str:
    """Write what a backtest found as one HTML page that loads nothing.

    Parameters
    ----------
    found : Backtest
        What the backtest came to.
    settings : BacktestCore
        What it was made with; `lang` chooses the words.

    Returns
    -------
    str
        The page; the same for the same findings.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.backtest_settings({"launch.as_of": "2026-07-01", "backtest.rankings": ["spend", "recency"]})
    >>> days = [f"2026-{month:02}-{day:02}" for month in (3, 4, 5, 6) for day in range(1, 29)]
    >>> rows = [(f"C{place % 40:02}", day, 10 + place % 40) for place, day in enumerate(days)]
    >>> orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> found = segmenter.backtest(tables, settings)
    >>> found.advice in backtest_page(found, settings)
    True
    """
    labels = Labels(settings.lang, settings.launch.currency)
    means = {row["ranking"]: row for row in found.results.filter(pl.col("cut").is_null()).to_dicts()}
    rankings = [name for name in means if name not in (BEST, RANDOM)]
    kinds: dict[str, str] = {name: each.kind for name, each in settings.rankings.items()}
    size = _size(means, settings)
    drawn = _drawn(found, rankings)
    return page(
        "backtest.html.j2",
        labels,
        launch=settings.launch,
        found=found,
        first=labels.day(min(found.cuts)) if found.cuts else "–",
        last=labels.day(max(found.cuts)) if found.cuts else "–",
        size=size,
        tiles=_tiles(found, means, size, labels),
        curves=_curves(found, drawn, labels),
        drawn=[{"name": ranking(name, settings.lang), "role": _role(found, name)} for name in drawn],
        tops=_tops(found, means, drawn, size, labels),
        rankings=_rankings(found, means, size, labels),
        chart=_over_time(found, drawn, labels),
        cuts=_cuts(found, drawn, labels),
        claims=_claims(found, means, rankings, labels),
        choices=[{**row, "cut": _short_day(row["cut"])} for row in found.choices.to_dicts()],
        meanings=[{"name": name, "text": meaning(name, settings.lang)} for name in rankings if kinds.get(name, name) == name],
        step=_step(found, kinds),
    )


def _size(means: dict[str, Row], settings: BacktestCore) -> int | None:
    """Give how many are invited; None where that is everyone, which says nothing of a ranking."""
    share = means[RANDOM]["spend_share_size"]
    return settings.plan.size if isinstance(settings.plan.size, int) and (share is None or share < 1) else None


def _step(found: Backtest, kinds: dict[str, str]) -> str:
    """Say what follows: nothing, or to change to a ranking of the config's own or of the user's, because one should or may."""
    if found.recommended == found.current:
        return "keep"
    clear = found.differences.filter(ranking=found.recommended, against=found.current)["clearly_better"].any()
    return ("change" if clear else "may change") + ("" if kinds.get(found.recommended) == found.recommended else " own")


def _role(found: Backtest, name: str) -> str:
    return "recommended" if name == found.recommended else "current" if name == found.current else "end" if name in (BEST, RANDOM) else ""


def _drawn(found: Backtest, rankings: list[str]) -> list[str]:
    """Choose at most five lines, the most important last: the two ends, a simple ranking, the one in use and the recommended one."""
    chosen = [name for name in dict.fromkeys((found.current, found.recommended)) if name in rankings]
    simple = next((name for name in (*_SIMPLE, *rankings) if name in rankings and name not in chosen), None)
    return [RANDOM, BEST, *([simple] if simple else []), *chosen]


def _tiles(found: Backtest, means: dict[str, Row], size: int | None, labels: Labels) -> list[Row]:
    chosen, chance, best = (means.get(name, {}) for name in (found.recommended, RANDOM, BEST))
    taken = "10" if size is None else "size"
    invited = labels.say("the top 10%", "前 10% 客户") if size is None else labels.say(f"the top {size:,}", f"前 {size:,} 名客户")
    days = found.horizon_days
    figures = [
        (
            labels.say("Later spend in the top 10%", "前 10% 客户的后续消费占比"),
            labels.share(chosen.get("spend_share_10")),
            labels.say(
                f"of what was spent in the {days} days after, ranked by {found.recommended}",
                f"按 {found.recommended} 排序，占之后 {days} 天消费额的比例",
            ),
        ),
        (
            labels.say("Against chance", "与随机抽取相比"),
            _times(chosen.get("lift_10"), labels),
            labels.say("as much as if the 10% were drawn by lot", "同样邀请 10% 的客户，是随机抽取的多少倍"),
        ),
        (
            labels.say(f"Buyers among {invited}", f"{invited}的购买率"),
            labels.share(chosen.get(f"precision_{taken}")),
            labels.say("bought within {} days; {} of customers drawn by lot", "之后 {} 天内有购买；随机抽取为 {}").format(
                days, labels.share(chance.get(f"precision_{taken}"))
            ),
        ),
        (
            labels.say("Best possible", "理论上限"),
            labels.share(best.get("spend_share_10")),
            labels.say(
                "of later spend in the top 10%, with hindsight: no ranking can hold more", "事后才知道的最优排序，前 10% 也只有这么多"
            ),
        ),
    ]
    return [{"name": name, "figure": figure, "note": note} for name, figure, note in figures]


def _times(value: float | None, labels: Labels) -> str:
    return "–" if value is None else labels.say("{}×", "{} 倍").format(f"{value:,.1f}")


def _line(found: Backtest, name: str, points: list[tuple[float, float | None]], labels: Labels, *, dots: bool = False) -> charts.Line:
    role = _role(found, name)
    color = {"recommended": charts.STRONG, "current": charts.ACCENT, "end": charts.FAINT}.get(role, charts.MUTED)
    return charts.Line(ranking(name, labels.lang), points, color, dashed=role == "end", dots=dots and role != "end")


def _curves(found: Backtest, drawn: list[str], labels: Labels) -> str:
    within = found.curves.filter(pl.col("customers") <= _SHOWN / 100 + 1e-9, pl.col("spend").is_not_null())
    points = {str(name): part.select("customers", "spend").rows() for (name,), part in within.group_by("ranking", maintain_order=True)}
    if not points:
        return ""
    return charts.lines(
        labels.say("Share of later spend held by the customers at the top", "排在前面的客户占后续消费额的比例"),
        [_line(found, name, points.get(name, []), labels) for name in drawn],
        [(part / 100, f"{part}%") for part in range(0, _SHOWN + 1, 10)],
        [(part / 100, f"{part}%") for part in range(0, 101, 20)],
        labels.say("customers, from the top of the ranking down", "客户（从排名最前开始）"),
    )


def _tops(found: Backtest, means: dict[str, Row], drawn: list[str], size: int | None, labels: Labels) -> Row:
    names = [*reversed(drawn[2:]), RANDOM, BEST]
    tops = [*((top, f"{top}%") for top in _TOPS), *([] if size is None else [("size", labels.number(size))])]
    return {
        "names": [{"name": ranking(name, labels.lang), "role": _role(found, name)} for name in names],
        "rows": [
            {"top": text, "cells": [labels.share(means.get(name, {}).get(f"spend_share_{top}")) for name in names]} for top, text in tops
        ],
    }


def _rankings(found: Backtest, means: dict[str, Row], size: int | None, labels: Labels) -> list[Row]:
    """List all rankings, the best first; the two ends last."""
    intervals = {row["ranking"]: row for row in found.intervals.to_dicts()}
    taken = "10" if size is None else "size"
    rows = []
    for name, row in means.items():
        between = intervals.get(name, {})
        low, high = between.get("low"), between.get("high")
        words, figures = verdict(found, name, labels)
        rows.append(
            {
                "name": ranking(name, labels.lang),
                "role": _role(found, name),
                "current": name == found.current,
                "shares": {top: labels.share(row[f"spend_share_{top}"]) for top in (*_TOPS, "size")},
                "between": "" if low is None or high is None or name in (BEST, RANDOM) else f"{labels.share(low)}–{labels.share(high)}",
                "lift": _times(row["lift_10"], labels),
                "precision": labels.share(row[f"precision_{taken}"]),
                "gini": "–" if row["gini"] is None else f"{row['gini'] + 0:.3f}",
                "verdict": words,
                "figures": figures,
                "order": (name == RANDOM, name == BEST, -(row["spend_share_10"] or 0)),
            }
        )
    return sorted(rows, key=lambda row: row["order"])


def _over_time(found: Backtest, drawn: list[str], labels: Labels) -> str:
    each = found.results.filter(pl.col("cut").is_not_null(), pl.col("spend_share_10").is_not_null())
    cuts = sorted(set(found.cuts))
    if len(cuts) < 2 or each.is_empty():
        return ""
    shares = {(name, cut): share for name, cut, share in each.select("ranking", "cut", "spend_share_10").rows()}
    most = next(end for end in (20, 40, 60, 80, 100) if end == 100 or end / 100 >= max(shares.values()))
    return charts.lines(
        labels.say("Share of later spend in the top 10%, at each date", "各回测日期前 10% 客户的后续消费占比"),
        [_line(found, name, [(cut.toordinal(), shares.get((name, cut))) for cut in cuts], labels, dots=True) for name in drawn],
        _marked(cuts),
        [(part / 100, f"{part}%") for part in range(0, most + 1, most // 4)],
    )


def _marked(cuts: list[date]) -> charts.Marks:
    """Mark the first date, the last, and so many between them that their texts stay apart."""
    first, last = cuts[0].toordinal(), cuts[-1].toordinal()
    room = (last - first) / (_DATES - 1)
    marks = [(first, _short_day(cuts[0]))]
    for cut in cuts[1:-1]:
        if cut.toordinal() - marks[-1][0] >= room and last - cut.toordinal() >= room:
            marks.append((cut.toordinal(), _short_day(cut)))
    return [*marks, (last, _short_day(cuts[-1]))]


def _short_day(day: date) -> str:
    return f"{day:%Y-%m-%d}"


def _cuts(found: Backtest, drawn: list[str], labels: Labels) -> Row:
    names = list(reversed(drawn[2:]))
    rows = []
    for (cut,), part in found.results.drop_nulls("cut").sort("cut", maintain_order=True).group_by("cut", maintain_order=True):
        eligible, buyers, spend = part.select("eligible", "later_buyers", "later_spend").row(0)  # the same in every row
        shares = dict(part.select("ranking", "spend_share_10").rows())
        rows.append(
            {
                "cut": str(cut),
                "left_out": cut not in found.compared,
                "eligible": labels.number(eligible),
                "buyers": labels.number(buyers),
                "spend": labels.money(spend if buyers is not None and buyers >= _FEW else None),
                "shares": [labels.share(shares.get(name)) for name in names],
            }
        )
    return {"names": [ranking(name, labels.lang) for name in names], "rows": rows, "left_out": any(row["left_out"] for row in rows)}


def _claims(found: Backtest, means: dict[str, Row], rankings: list[str], labels: Labels) -> list[Row]:
    """Say of each ranking that expects money how it came; the recommended one first."""
    claims = []
    few = _FEW * max(len(found.compared), 1)  # a customer counts once at each date
    for name in sorted(rankings, key=lambda name: name != found.recommended):
        bins = found.calibration.filter(pl.col("ranking") == name).sort("bin").to_dicts()
        if bins:
            each = [(row["expected"] / row["customers"], row["actual"] / row["customers"]) for row in bins if row["customers"] >= few]
            most = max((max(pair) for pair in each), default=0)
            shown = iter(each)
            rows = [
                {"bin": row["bin"], "customers": labels.number(row["customers"])}
                | (_claim(*next(shown), most, labels) if row["customers"] >= few else dict.fromkeys(("expected", "actual", "off")))
                for row in bins
            ]
            claims.append({"name": name, "over_all": _over_all(means[name]["calibration"], labels), "rows": rows})
    return claims


def _claim(expected: float, actual: float, most: float, labels: Labels) -> Row:
    return {
        "expected": {"text": labels.money(expected), "part": expected / most if most > 0 else 0},
        "actual": {"text": labels.money(actual), "part": actual / most if most > 0 else 0},
        "off": _signed(expected - actual, labels),
    }


def _signed(difference: float, labels: Labels) -> str:
    text = labels.money(abs(difference))
    return text if text == labels.money(0) else f"{'+' if difference > 0 else '−'}{text}"


def _over_all(calibration: float | None, labels: Labels) -> str:
    if calibration is None:
        return labels.say("over all: cannot be said", "总体：无法判断")
    off = round(100 * (calibration - 1))
    if off == 0:
        return labels.say("over all, it expects what came", "总体上，预期与实际一致")
    en = f"over all, it expects {abs(off)}% too {'much' if off > 0 else 'little'}"
    return labels.say(en, f"总体上，预期比实际{'高' if off > 0 else '低'} {abs(off)}%")
