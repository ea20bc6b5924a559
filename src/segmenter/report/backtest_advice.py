"""What a backtest says in one sentence."""

import polars as pl

from segmenter.words import Lang, say


def advise(
    results: pl.DataFrame, intervals: pl.DataFrame, differences: pl.DataFrame, current: str, *, horizon_days: int, lang: Lang
) -> tuple[str, str]:
    """Say which ranking to use here, and by how much.

    The one whose top 10 % held most of the later spend. Where the launch's own is not clearly worse, there is no need to change.

    Parameters
    ----------
    results, intervals, differences : DataFrame
        See `backtest.Backtest`.
    current : str
        The launch's own ranking.
    horizon_days : int
        How long after each cut was looked at.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    recommended : str
        The ranking.
    sentence : str
        For the page and the terminal.

    Examples
    --------
    >>> intervals = pl.DataFrame({"ranking": ["spend", "recency"], "share": [0.5, 0.2]})
    >>> differences = pl.DataFrame({"ranking": ["spend"], "against": ["recency"], "difference": [0.3], "low": [0.21], "high": [0.4],
    ...     "clearly_better": [True]})
    >>> results = pl.DataFrame({"cut": None, "ranking": ["spend"], "lift_10": [5.0]}, schema_overrides={"cut": pl.Date})
    >>> advise(results, intervals, differences, "recency", horizon_days=30, lang="en")[1][:64]
    'Use spend instead of recency: the 10% of customers whom it puts '
    """
    known = intervals.filter(pl.col("share").is_not_null())
    if known.is_empty():
        en = "No ranking can be recommended: the eligible customers spent nothing after any of the dates."
        return current, say(lang, en, "无法推荐排序方式：各日期之后，符合条件的客户均无消费。")
    order = known.with_row_index().sort("share", "index", descending=[True, False])["ranking"].to_list()
    best = order[0]
    share = known.filter(ranking=best)["share"].item()
    lift = results.filter(pl.col("cut").is_null(), ranking=best)["lift_10"].item()
    held = say(
        lang,
        f"the 10% of customers whom it puts first spent {share:.1%} of everything in the {horizon_days} days after, "
        f"{lift:.1f} times what chance would give",
        f"排在最前的 10% 客户在之后 {horizon_days} 天内贡献了 {share:.1%} 的消费，是随机挑选的 {lift:.1f} 倍",
    )
    if best == current:
        other = next((name for name in order[1:]), None)
        rest = "" if other is None else _against(best, other, differences, lang)
        return best, say(lang, f"Stay with {best}: {held}{rest}.", f"继续使用 {best}：{held}{rest}。")
    if current not in order:
        en = f"Use {best}: {held}; {current}, which the launch uses, could not be computed."
        return best, say(lang, en, f"建议用 {best}：{held}；当前使用的 {current} 无法计算。")
    rest = _against(best, current, differences, lang)
    if _row(best, current, differences).get("clearly_better"):
        return best, say(lang, f"Use {best} instead of {current}: {held}{rest}.", f"建议用 {best} 代替 {current}：{held}{rest}。")
    en = f"{best} did best: {held}{rest}, so that {current}, which the launch uses, may stay."
    return best, say(lang, en, f"{best} 表现最好：{held}{rest}，因此当前使用的 {current} 可以不换。")


def _row(ranking: str, against: str, differences: pl.DataFrame) -> dict[str, object]:
    rows = differences.filter(ranking=ranking, against=against).to_dicts()
    return rows[0] if rows else {}


def _against(ranking: str, against: str, differences: pl.DataFrame, lang: Lang) -> str:
    """Say by how much one is ahead of another, in points of the share."""
    found = _row(ranking, against, differences)
    difference, low, high = (found.get(name) for name in ("difference", "low", "high"))
    if not isinstance(difference, float):
        return ""
    points = f"{100 * difference:.1f}"
    if not isinstance(low, float) or not isinstance(high, float):
        return say(
            lang,
            f"; {against} held {points} points less, on too few customers to be sure",
            f"；{against} 少 {points} 个百分点，但涉及客户太少，无法确定",
        )
    span = f"{100 * low:.1f}", f"{100 * high:.1f}"
    if low > 0:
        return say(
            lang,
            f"; {against} held {points} points less (between {span[0]} and {span[1]}): a clear difference",
            f"；{against} 少 {points} 个百分点（区间 {span[0]} 至 {span[1]}），差异明确",
        )
    return say(
        lang,
        f"; {against} held {points} points less (between {span[0]} and {span[1]}): no clear difference",
        f"；{against} 少 {points} 个百分点（区间 {span[0]} 至 {span[1]}），差异不明确",
    )
