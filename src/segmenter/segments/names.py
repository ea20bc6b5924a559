"""What a segment is called: a few words that its medians bear out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import polars as pl

from segmenter import money
from segmenter.words import Lang, say

RATIO = 1.25  # a median counts as high or low from so many times everyone's on
SHORT, LONG = 30, 90  # days: what is just now and what is long ago, however the shop stands

Medians = Mapping[str, float | None]


def names(medians: Sequence[Medians], everyone: Medians, lang: Lang, currency: str) -> list[str]:
    """Name each segment by how its medians stand against everyone's.

    A measure is high where its median is above 0 and at least 1.25 times everyone's, and low where 1.25 times it is at most
    everyone's. Segments that would be called the same get further words, then figures, then their number.

    Parameters
    ----------
    medians : sequence of mapping of str to float or None
        Each segment's median by measure, the best segment first: ``spend``, ``orders``, ``days_since_order``, ``days_known``,
        ``average_order``, ``events``, ``referrals``, ``refunds``; money in minor units, None where nobody has the measure.
    everyone : mapping of str to float or None
        The medians of all eligible customers.
    lang : {"en", "zh"}
        The language.
    currency : str
        ISO 4217 code.

    Returns
    -------
    list of str
        One name per segment, no two the same.

    Examples
    --------
    >>> everyone = dict(spend=100, orders=2, days_since_order=60, days_known=400, average_order=50, events=0, referrals=0, refunds=0)
    >>> names([everyone | {"spend": 900, "orders": 9, "days_since_order": 8}, everyone | {"spend": 40}], everyone, "en", "CNY")
    ['big spenders, frequent, just bought', 'small buyers']
    """
    if len(medians) == 1:
        return [say(lang, "all eligible customers", "全部符合条件的客户")]
    words = [_words(mine, everyone, lang)[:3] for mine in medians]
    further = [[*_further(mine, everyone, lang, currency), say(lang, f"no. {at}", f"第 {at} 组")] for at, mine in enumerate(medians, 1)]
    for step in zip(*further, strict=True):  # one word per segment, or none
        same = defaultdict(list)
        for index, each in enumerate(words):
            same[tuple(each)].append(index)
        for indexes in same.values():
            if len({step[index] for index in indexes}) > 1:
                for index in indexes:
                    words[index] = [*words[index], *filter(None, [step[index]])]
    return [say(lang, ", ", "、").join(each) for each in words]


def _words(mine: Medians, everyone: Medians, lang: Lang) -> list[str]:
    new = _level(mine, everyone, "days_known") < 0 and _at_most(mine, "days_known", LONG)
    tenure = [say(lang, "new", "新客")] if new else []
    orders = mine["orders"] or 0
    if orders == 0:
        return [say(lang, "window shoppers", "只逛未买") if mine["events"] else say(lang, "yet to buy", "尚未下单"), *tenure]
    spend = _level(mine, everyone, "spend")
    value = {1: say(lang, "big spenders", "高消费"), 0: say(lang, "mid spenders", "中等消费"), -1: say(lang, "small buyers", "低消费")}
    words = [value[spend], *tenure]
    days, usual = mine["days_since_order"], everyone["days_since_order"]
    lapsed = days is not None and usual is not None and days > max(usual, LONG)
    often = _level(mine, everyone, "orders")
    if often > 0 and orders >= 3:
        words.append(say(lang, "once frequent", "曾常购") if lapsed else say(lang, "frequent", "常购"))
    elif often > 0:
        words.append(say(lang, "repeat buyers", "复购"))
    elif often < 0:
        words.append(say(lang, "few orders", "少购") if orders > 1 else say(lang, "one order", "仅购一次"))
    if lapsed:
        words.append(say(lang, "lapsed", "久未下单"))
    elif _level(mine, everyone, "days_since_order") < 0 and _at_most(mine, "days_since_order", LONG):
        just = _at_most(mine, "days_since_order", SHORT)
        words.append(say(lang, "just bought", "近期活跃") if just else say(lang, "bought lately", "近期有购"))
    return words


def _further(mine: Medians, everyone: Medians, lang: Lang, currency: str) -> list[str | None]:
    spend = pl.DataFrame({"spend": [round(mine["spend"] or 0)]}).select(money.text("spend", currency)).item()
    return [
        {1: say(lang, "large orders", "单笔大"), -1: say(lang, "small orders", "单笔小")}.get(_level(mine, everyone, "average_order")),
        {1: say(lang, "often here", "常互动"), -1: say(lang, "seldom here", "少互动")}.get(_level(mine, everyone, "events")),
        {1: say(lang, "known for long", "老客"), -1: say(lang, "known for less", "较新")}.get(_level(mine, everyone, "days_known")),
        {1: say(lang, "bring friends", "常推荐")}.get(_level(mine, everyone, "referrals")),
        {1: say(lang, "return much", "退款多")}.get(_level(mine, everyone, "refunds")),
        say(lang, f"about {spend} {currency}", f"消费约 {spend} {currency}"),
        say(lang, f"about {mine['orders'] or 0:g} orders", f"约 {mine['orders'] or 0:g} 单"),
    ]


def _level(mine: Medians, everyone: Medians, measure: str) -> int:
    median, usual = mine[measure], everyone[measure]
    if median is None or usual is None:
        return 0
    if median > max(usual, 0) and median >= RATIO * usual:
        return 1
    return -1 if median < usual and RATIO * median <= usual else 0


def _at_most(mine: Medians, measure: str, days: int) -> bool:
    median = mine[measure]
    return median is not None and median <= days
