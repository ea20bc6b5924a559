"""What a backtest says: which ranking to use, and how the others compare with it."""

import polars as pl

from segmenter.evaluation.backtest import Backtest
from segmenter.report.language import Lang, say


def advice(found: Backtest, lang: Lang) -> str:
    """Say which ranking to use here, and by how much; where the launch's own is not clearly worse, it may stay."""
    return say(lang, " ", "").join(part for part in (_choice(found, lang), _against_chance(found, lang)) if part)


def _choice(found: Backtest, lang: Lang) -> str:
    best, current = found.recommended, found.current
    known = found.intervals.drop_nulls("share").sort("share", descending=True, maintain_order=True)
    if known.is_empty():
        en = "No ranking can be recommended: the eligible customers spent nothing after any of the dates."
        return say(lang, en, "无法推荐排序方式：各日期之后，符合条件的客户均无消费。")
    share = known.filter(ranking=best)["share"].item()
    lift = found.results.filter(pl.col("cut").is_null(), ranking=best)["lift_10"].item()
    held = say(
        lang,
        f"the 10% of customers whom it puts first spent {share:.1%} of everything in the {found.horizon_days} days after, "
        f"{lift:.1f} times what chance would give",
        f"排在最前的 10% 客户在之后 {found.horizon_days} 天内贡献了 {share:.1%} 的消费，是随机挑选的 {lift:.1f} 倍",
    )
    others = known["ranking"].to_list()
    if best == current:
        rest = _lead(found, best, others[1], lang) if len(others) > 1 else ""
        return say(lang, f"Stay with {best}: {held}{rest}.", f"继续使用 {best}：{held}{rest}。")
    if current not in others:
        en = f"Use {best}: {held}; {current}, which the launch uses, could not be computed."
        return say(lang, en, f"建议用 {best}：{held}；当前使用的 {current} 无法计算。")
    rest = _lead(found, best, current, lang)
    if clearly_better(found, best, current):
        return say(lang, f"Use {best} instead of {current}: {held}{rest}.", f"建议用 {best} 代替 {current}：{held}{rest}。")
    en = f"{best} did best: {held}{rest}, so that {current}, which the launch uses, may stay."
    return say(lang, en, f"{best} 表现最好：{held}{rest}，因此当前使用的 {current} 可以不换。")


def _against_chance(found: Backtest, lang: Lang) -> str:
    """Say where even the best ranking may be no better than chance."""
    best = found.intervals.filter(ranking=found.recommended).drop_nulls()
    if best.is_empty():
        return ""
    lift = found.results.filter(pl.col("cut").is_null(), ranking=found.recommended)["lift_10"].drop_nulls()
    if lift.is_empty() or not lift[0]:
        return ""
    share, low, high = best.select("share", "low", "high").row(0)
    if low > (chance := share / lift[0]):
        return ""
    low, high, share = f"{low:.1%}", f"{high:.1%}", f"{chance:.1%}"
    en = f"Chance alone would give {share}, which lies within its 95% interval of {low} to {high}: no ranking is surely better than chance."
    return say(lang, en, f"随机挑选即可达到 {share}，处于其 95% 区间（{low} 至 {high}）之内：没有排序方式明确优于随机。")


def clearly_better(found: Backtest, ranking: str, against: str) -> bool:
    """Say whether the interval of their difference lies above 0."""
    return bool(found.differences.filter(ranking=ranking, against=against)["clearly_better"].any())


def _lead(found: Backtest, ranking: str, against: str, lang: Lang) -> str:
    """Say by how much one is ahead of another, in points of the share."""
    differences = found.differences.filter(ranking=ranking, against=against)
    if differences.is_empty() or differences["difference"].item() is None:
        return ""
    difference, low, high = differences.select("difference", "low", "high").row(0)
    points = f"{100 * difference:.1f}"
    if low is None or high is None:
        return say(
            lang,
            f"; {against} held {points} points less, on too few customers to be sure",
            f"；{against} 少 {points} 个百分点，但涉及客户太少，无法确定",
        )
    clear = say(lang, "a clear difference", "差异明确") if low > 0 else say(lang, "no clear difference", "差异不明确")
    en = f"; {against} held {points} points less (between {100 * low:.1f} and {100 * high:.1f}): {clear}"
    return say(lang, en, f"；{against} 少 {points} 个百分点（区间 {100 * low:.1f} 至 {100 * high:.1f}），{clear}")


def verdict(found: Backtest, name: str, lang: Lang) -> tuple[str, str]:
    """Compare a ranking with the recommended one: in words, and in percentage points with their interval.

    Both are empty for the recommended ranking and for what was not compared.
    """
    compared = found.differences.filter(ranking=name, against=found.recommended)
    if compared.is_empty() or compared["difference"].item() is None:
        return "", ""
    difference, low, high = compared.select("difference", "low", "high").row(0)
    figures = say(lang, f"{_points(difference)} points", f"{_points(difference)} 个百分点")
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
