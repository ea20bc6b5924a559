"""What a segment is called: a few words that its medians bear out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import polars as pl

from segmenter import money
from segmenter.messages import Message

RATIO = 1.25  # a median counts as high or low from so many times everyone's on
SHORT, LONG = 30, 90  # days: what is just now and what is long ago, however the shop stands

Medians = Mapping[str, float | None]


def names(medians: Sequence[Medians], everyone: Medians, currency: str) -> list[Message]:
    """Name each segment, the best first, by how its medians compare with everyone's: no two the same.

    A measure is high where its median is above 0 and at least 1.25 times everyone's, and low where 1.25 times it is at most
    everyone's. Segments that would be called the same get further words, then figures, then their number.
    """
    if len(medians) == 1:
        return [Message("segments.everyone", "all eligible customers")]
    words = [_words(mine, everyone)[:3] for mine in medians]
    further = [
        [*_further(mine, everyone, currency), Message("segments.number", "no. {number}", number=number)]
        for number, mine in enumerate(medians, 1)
    ]
    for step in zip(*further, strict=True):  # one word per segment, or none
        same = defaultdict(list)
        for index, name in enumerate(words):
            same[tuple(name)].append(index)
        for indexes in same.values():
            if len({step[index] for index in indexes}) > 1:
                for index in indexes:
                    words[index] = [*words[index], *filter(None, [step[index]])]
    return [Message("segments.name", "{words}", words=tuple(name)) for name in words]


def _words(mine: Medians, everyone: Medians) -> list[Message]:
    new = _level(mine, everyone, "days_known") < 0 and _at_most(mine, "days_known", LONG)
    tenure = [Message("segments.new", "new")] if new else []
    orders = mine["orders"] or 0
    if orders == 0:
        if mine["events"]:
            return [Message("segments.window_shoppers", "window shoppers"), *tenure]
        return [Message("segments.yet_to_buy", "yet to buy"), *tenure]
    value = {
        1: Message("segments.big_spenders", "big spenders"),
        0: Message("segments.mid_spenders", "mid spenders"),
        -1: Message("segments.small_buyers", "small buyers"),
    }
    words = [value[_level(mine, everyone, "spend")], *tenure]
    days, usual = mine["days_since_order"], everyone["days_since_order"]
    lapsed = days is not None and usual is not None and days > max(usual, LONG)
    often = _level(mine, everyone, "orders")
    if often > 0 and orders >= 3:
        words.append(Message("segments.once_frequent", "once frequent") if lapsed else Message("segments.frequent", "frequent"))
    elif often > 0:
        words.append(Message("segments.repeat_buyers", "repeat buyers"))
    elif often < 0:
        words.append(Message("segments.few_orders", "few orders") if orders > 1 else Message("segments.one_order", "one order"))
    if lapsed:
        words.append(Message("segments.lapsed", "lapsed"))
    elif _level(mine, everyone, "days_since_order") < 0 and _at_most(mine, "days_since_order", LONG):
        just = _at_most(mine, "days_since_order", SHORT)
        words.append(Message("segments.just_bought", "just bought") if just else Message("segments.bought_lately", "bought lately"))
    return words


def _further(mine: Medians, everyone: Medians, currency: str) -> list[Message | None]:
    spend = pl.DataFrame({"spend": [round(mine["spend"] or 0)]}).select(money.text("spend", currency)).item()
    choices = {
        "average_order": {1: Message("segments.large_orders", "large orders"), -1: Message("segments.small_orders", "small orders")},
        "events": {1: Message("segments.often_here", "often here"), -1: Message("segments.seldom_here", "seldom here")},
        "days_known": {1: Message("segments.long_known", "known for long"), -1: Message("segments.less_known", "known for less")},
        "referrals": {1: Message("segments.bring_friends", "bring friends")},
        "refunds": {1: Message("segments.return_much", "return much")},
    }
    return [
        *(words.get(_level(mine, everyone, measure)) for measure, words in choices.items()),
        Message("segments.about_spend", "about {spend} {currency}", spend=spend, currency=currency),
        Message("segments.about_orders", "about {orders:g} orders", orders=mine["orders"] or 0),
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
