"""Names of rankings, and how they compare, as people read them."""

from segmenter.evaluation.backtest import Backtest
from segmenter.report.labels import Labels
from segmenter.words import Lang, say

BEST, RANDOM = "best", "random"  # the two ends between which rankings lie
_ENDS = {BEST: ("best possible", "理论上限"), RANDOM: ("by chance", "随机抽取")}
_MEANINGS = {
    "spend": ("who has spent most so far", "按历史累计消费额排序"),
    "decayed": ("who has spent most, where older orders count less and less", "按消费额排序，越早的订单权重越低"),
    "recency": ("who ordered last", "按最近下单时间排序"),
    "rfm": (
        "points from 1 to 5 each for recency, frequency and spend, added up: the usual answer",
        "最近下单、频次、金额各打 1–5 分后相加，业内最常用的做法",
    ),
    "weighted": (
        "a sum of spend, recency, frequency and more, with the weights of the config",
        "按配置的权重，对消费额、下单频次、最近下单等加权求和",
    ),
    "clv": ("how much a model of buying habits expects each to spend", "用购买习惯模型预测每位客户将来的消费额"),
    "learned": ("how much a model expects that learned from this shop's own past", "用本店历史数据训练模型，预测每位客户将来的消费额"),
    "auto": ("at each date, the way that had been best on this shop's past until then", "每次自动选用此前在本店历史上表现最好的方式"),
}


def ranking(name: str, lang: Lang) -> str:
    """Name a ranking; only the two ends have another name than in the config.

    Parameters
    ----------
    name : str
        As in `Backtest.results`.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    str
        To be shown.

    Examples
    --------
    >>> ranking("decayed", "en"), ranking("best", "en"), ranking("random", "zh")
    ('decayed', 'best possible', '随机抽取')
    """
    return say(lang, *_ENDS[name]) if name in _ENDS else name


def meaning(name: str, lang: Lang) -> str:
    """Say whom a ranking puts first.

    Parameters
    ----------
    name : str
        Of a ranking.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    str
        One line; empty for a ranking of the user's own.

    Examples
    --------
    >>> meaning("recency", "en"), meaning("mine", "en")
    ('who ordered last', '')
    """
    return say(lang, *_MEANINGS[name]) if name in _MEANINGS else ""


def verdict(found: Backtest, name: str, labels: Labels) -> tuple[str, str]:
    """Compare a ranking with the recommended one: in words, and in figures.

    Parameters
    ----------
    found : Backtest
        With `differences` and `recommended`.
    name : str
        Of the ranking.
    labels : Labels
        The language.

    Returns
    -------
    str
        ``clearly worse``, ``no clear difference``, ...; empty for the recommended ranking and for what was not compared.
    str
        The difference of their shares in percentage points, with its interval where there is one; or empty.

    Examples
    --------
    >>> import polars as pl
    >>> from types import SimpleNamespace
    >>> columns = ["ranking", "against", "difference", "low", "high", "clearly_better"]
    >>> there, back = ("spend", "rfm", 0.02, 0.011, 0.03, True), ("rfm", "spend", -0.02, -0.03, -0.011, False)
    >>> found = SimpleNamespace(recommended="spend", differences=pl.DataFrame([there, back], columns, orient="row"))
    >>> verdict(found, "rfm", Labels("en", "GBP"))
    ('clearly worse', '−2.0 points (−3.0 to −1.1)')
    """
    compared = {(row["ranking"], row["against"]): row for row in found.differences.to_dicts()}
    row, back = compared.get((name, found.recommended)), compared.get((found.recommended, name))
    if row is None or row["difference"] is None:
        return "", ""
    figures = labels.say("{} points", "{} 个百分点").format(_points(row["difference"]))
    if row["low"] is None or row["high"] is None:
        return labels.say("too little to tell", "数据太少，无法判断"), figures
    figures += labels.say(" ({} to {})", "（{} 至 {}）").format(_points(row["low"]), _points(row["high"]))
    if row["clearly_better"]:
        return labels.say("clearly better", "明显更好"), figures
    if back is not None and back["clearly_better"]:
        return labels.say("clearly worse", "明显更差"), figures
    if row["low"] == row["high"] == 0:
        return labels.say("the same", "完全相同"), ""
    return labels.say("no clear difference", "无明显差别"), figures


def _points(share: float) -> str:
    text = f"{abs(100 * share):.1f}"
    return text if float(text) == 0 else f"{'+' if share > 0 else '−'}{text}"
