"""What a backtest says: which ranking to use, and how the others compare with it."""

import polars as pl

from segmenter.evaluation.backtest import Backtest
from segmenter.evaluation.chance import FEW_BUYERS
from segmenter.report.language import Lang, say


def advice(found: Backtest, lang: Lang) -> str:
    """Say which ranking to use here, and by how much; the launch's own stays unless another is clearly better, and chance far."""
    return say(lang, " ", "").join(part for part in (_choice(found, lang), _doubts(found, lang)) if part)


def _choice(found: Backtest, lang: Lang) -> str:
    best, current = found.recommended, found.current
    known = found.intervals.drop_nulls("share")
    if known.is_empty():
        en = "No ranking can be recommended: the eligible customers spent nothing after any of the dates."
        return say(lang, en, "无法推荐排序方式：各日期之后，符合条件的客户均无消费。")
    if not known["beats_chance"].any():
        return _cannot_tell(found, lang)
    share = known.filter(ranking=best)["share"].item()
    lift = found.results.filter(pl.col("cut").is_null(), ranking=best)["lift_10"].item()
    held = say(
        lang,
        f"the 10% of customers whom it puts first spent {share:.1%} of everything in the {found.horizon_days} days after, "
        f"{lift:.1f} times what chance would give",
        f"排在最前的 10% 客户在之后 {found.horizon_days} 天内贡献了 {share:.1%} 的消费，是随机挑选的 {lift:.1f} 倍",
    )
    if best == current:
        others = found.differences.filter(ranking=best).drop_nulls("difference").sort("difference", maintain_order=True)
        rest = _lead(found, best, others["against"][0], lang) if others.height else ""
        return say(lang, f"Stay with {best}: {held}{rest}.", f"继续使用 {best}：{held}{rest}。")
    if current not in known["ranking"]:
        en = f"Use {best}: {held}; {current}, which the launch uses, could not be computed."
        return say(lang, en, f"建议用 {best}：{held}；当前使用的 {current} 无法计算。")
    rest = _lead(found, best, current, lang)
    return say(lang, f"Use {best} instead of {current}: {held}{rest}.", f"建议用 {best} 代替 {current}：{held}{rest}。")


def _cannot_tell(found: Backtest, lang: Lang) -> str:
    """Say why no ranking is praised, where none held more than chance might."""
    most, current, chance = max(found.intervals["share"].drop_nulls().to_list()), found.current, found.chance
    buyers, days, between = f"{chance.buyers:,}", found.horizon_days, (f"{chance.low:.1%}", f"{chance.high:.1%}")
    en = (
        f"It cannot be told which ranking is best: {buyers} customers bought in the {days} days after, and 10% of all drawn at random "
        f"would hold {between[0]} to {between[1]} of what was spent. No ranking held surely more than chance (at most {most:.1%}). "
    )
    zh = (
        f"无法判断哪种排序方式更好：之后 {days} 天内有 {buyers} 位客户购买，随机抽取 10% 即可占消费额的 {between[0]} 至 {between[1]}。"
        f"没有排序方式明确优于随机（最高 {most:.1%}）。"
    )
    if found.recommended == current:
        return say(lang, f"{en}{current} may stay until there is more to judge by.", f"{zh}在数据更多之前，可继续使用 {current}。")
    en = f"{en}{current}, which the launch uses, could not be computed; {found.recommended} will do in its place."
    return say(lang, en, f"{zh}当前使用的 {current} 无法计算，可暂用 {found.recommended}。")


def _doubts(found: Backtest, lang: Lang) -> str:
    """Say where the advised ranking itself may be chance, or the evidence is thin."""
    beating, name = found.intervals.filter("beats_chance")["ranking"], found.recommended
    if beating.is_empty():
        return ""
    if name not in beating:
        return say(lang, f"Whether {name} is better than chance cannot be told.", f"无法判断 {name} 是否优于随机。")
    if (buyers := found.chance.buyers) < FEW_BUYERS:
        return say(lang, f"This rests on only {buyers} customers who bought later.", f"该结论仅基于之后有购买的 {buyers} 位客户。")
    return ""


def clearly_better(found: Backtest, ranking: str, against: str) -> bool:
    """Say whether the interval of their difference lies above 0."""
    return bool(found.differences.filter(ranking=ranking, against=against)["clearly_better"].any())


def chosen(found: Backtest, lang: Lang) -> str:
    """Mark the recommended ranking in a word: where it may be no better than chance, it only stays."""
    if found.recommended in found.intervals.filter("beats_chance")["ranking"]:
        return say(lang, "recommended", "推荐")
    return say(lang, "in use now", "当前使用") if found.recommended == found.current else say(lang, "for now", "暂用")


def leader(found: Backtest) -> str | None:
    """Name the ranking that held most more than the recommended one on the dates that both have, though not clearly; None without any."""
    ahead = found.differences.filter(pl.col("difference") > 0, against=found.recommended)
    return None if ahead.is_empty() else str(ahead.sort("difference", descending=True, maintain_order=True)["ranking"][0])


def _lead(found: Backtest, ranking: str, against: str, lang: Lang) -> str:
    """Say how far apart two are, in points of the share."""
    differences = found.differences.filter(ranking=ranking, against=against)
    if differences.is_empty() or differences["difference"].item() is None:
        return ""
    difference, low, high, dates = differences.select("difference", "low", "high", "dates").row(0)
    points = f"{abs(100 * difference):.1f}"
    if difference < 0 and low is not None and high is not None:
        low, high = -high, -low
    more = "less" if difference >= 0 else "more"
    en, zh = f"; {against} held {points} points {more}", f"；{against} {'少' if difference >= 0 else '多'} {points} 个百分点"
    if dates < len(found.cuts):
        en, zh = f"{en} on the {dates} dates that both have", f"{zh}（仅比较两者都有的 {dates} 个日期）"
    if low is None or high is None:
        return say(lang, f"{en}, on too few customers to be sure", f"{zh}，但涉及客户太少，无法确定")
    clear = say(lang, "a clear difference", "差异明确") if low > 0 else say(lang, "no clear difference", "差异不明确")
    en = f"{en} (between {100 * low:.1f} and {100 * high:.1f}): {clear}"
    return say(lang, en, f"{zh}（区间 {100 * low:.1f} 至 {100 * high:.1f}），{clear}")


def verdict(found: Backtest, name: str, lang: Lang) -> tuple[str, str]:
    """Compare a ranking with the recommended one: in words, and in percentage points with their interval.

    Both are empty for the recommended ranking and for what was not compared.
    """
    compared = found.differences.filter(ranking=name, against=found.recommended)
    if compared.is_empty() or compared["difference"].item() is None:
        return "", ""
    difference, low, high, dates = compared.select("difference", "low", "high", "dates").row(0)
    figures = say(lang, f"{_points(difference)} points", f"{_points(difference)} 个百分点")
    if dates < len(found.cuts):
        figures += say(lang, f" on {dates} dates", f"，{dates} 个日期")
    if low is None or high is None:
        return say(lang, "too little to tell", "数据太少，无法判断"), figures
    figures += say(lang, f" ({_points(low)} to {_points(high)})", f"（{_points(low)} 至 {_points(high)}）")
    if clearly_better(found, name, found.recommended):
        return say(lang, "clearly better", "明显更好"), figures
    if clearly_better(found, found.recommended, name):
        return say(lang, "clearly worse", "明显更差"), figures
    if low == high == 0:
        return say(lang, "the same", "完全相同"), ""
    return say(lang, "no clear difference", "无明显差别"), figures


def _points(share: float) -> str:
    text = f"{abs(100 * share):.1f}"
    return text if float(text) == 0 else f"{'+' if share > 0 else '−'}{text}"
