"""What a segment is called: the archetype of the trade that its medians bear out, each given once as far as that goes."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from segmenter import money
from segmenter.messages import Message
from segmenter.segments.archetypes import ARCHETYPES

AWAY = 1.5  # orders missed, by the shop's or their own rhythm, from which on customers are away
RATIO = 1.25  # a median counts as high or low from so many times everyone's on
SHORT, LONG = 30, 90  # days: what is just now and what is long ago, however the shop stands
FEW_ORDERED = 0.1  # so large a share may have ordered where it is said that they never did
GIVEN = 0.35  # by so much must another archetype fit less before one is given a second time
# What tells apart segments of one archetype: the words for the higher and for the lower.
_APART = {
    "spend": (Message("segments.more_spend", "higher spend"), Message("segments.less_spend", "lower spend")),
    "days_since_order": (Message("segments.longer_away", "longer away"), Message("segments.more_recent", "more recent")),
    "average_order": (Message("segments.larger_orders", "larger orders"), Message("segments.smaller_orders", "smaller orders")),
    "orders": (Message("segments.more_orders", "more orders"), Message("segments.fewer_orders", "fewer orders")),
    "days_known": (Message("segments.known_longer", "known for longer"), Message("segments.known_less", "known for less")),
    "events": (Message("segments.often_here", "often here"), Message("segments.seldom_here", "seldom here")),
    "refunds": (Message("segments.more_refunds", "more refunds"), Message("segments.fewer_refunds", "fewer refunds")),
}
_OF_ORDERS = ("days_since_order", "average_order")

Medians = Mapping[str, float | None]


def names(medians: Sequence[Medians], everyone: Medians, currency: str) -> list[Message]:
    """Name each segment, the best first, by its medians and the share of ``ordered``: no two the same.

    Each gets an archetype that is true of its medians against everyone's, so that all together fit best and as few as can be share one;
    those get what tells them apart: a measure of which one's median is at least 1.25 times the other's, else figures, else their number.
    """
    if len(medians) < 2:
        return [ARCHETYPES["everyone"].name for _ in medians]
    words: list[tuple[Message, ...]] = [()] * len(medians)
    chosen = _assign([fits(mine, everyone) for mine in medians])
    for archetype in dict.fromkeys(chosen):
        alike = [index for index, other in enumerate(chosen) if other == archetype]
        for index, further in _tell_apart(alike, medians, currency).items():
            words[index] = (ARCHETYPES[archetype].name, *further)
    return [Message("segments.name", "{words}", words=each) for each in words]


def fits(mine: Medians, everyone: Medians) -> dict[str, float]:
    """Say how well each archetype fits a segment, 0 to 1; those that are not true of it are left out."""
    orders, events = mine["orders"] or 0, mine["events"] or 0
    if not orders:
        if (mine.get("ordered") or 0) > FEW_ORDERED:
            return {"hardly_bought": 1.0}
        return {"browsers": 1.0} if events else {"yet_to_buy": 1.0}
    spend, often, basket, lately = (_times(mine, everyone, name) for name in ("spend", "orders", "average_order", "spend_90d"))
    known, usually_known = mine["days_known"] or 0, everyone["days_known"] or 0
    days = mine["days_since_order"]
    days = known if days is None else days
    gaps = [gap for gap in (mine["average_gap_days"] if orders > 1 else None, everyone["average_gap_days"]) if gap is not None]
    missed = days / max(min(gaps, default=SHORT), SHORT / 4)  # how many orders they have missed
    away = days > SHORT and missed >= AWAY and (days > (everyone["days_since_order"] or 0) or (days > LONG and missed >= 2 * AWAY))
    long_away = away and (days > 2 * LONG or (orders >= 2 and days > LONG and missed >= 2 * AWAY))
    new = not away and known <= max(LONG, usually_known / 4) and RATIO * known <= usually_known
    again, here, big, small = orders >= 2, not away and not new, spend >= RATIO, RATIO * spend <= 1
    steady = here and orders >= 3
    seldom = _times(mine, everyone, "average_gap_days") >= RATIO or RATIO * often <= 1
    judged = {
        "loyal_big": (steady and big and often >= RATIO, 0.6 + 0.2 * _far(spend) + 0.2 * _far(often)),
        "regulars": (steady and often >= 1, 0.7),
        "repeat": (here and 2 <= orders < 3, 0.7 + 0.1 * _far(often)),
        "rising": (here and again and known <= 0.7 * usually_known and lately >= RATIO, 0.7 + 0.2 * _far(lately)),
        "frequent_small": (steady and often >= RATIO and RATIO * basket <= 1, 0.65 + 0.3 * _far(1 / basket)),
        "small_active": (here and again and small, 0.65 + 0.1 * _far(1 / spend)),
        "big_rare": (here and big and basket >= 2 * often and (often < 1 or orders < 2), 0.8 + 0.1 * _far(basket)),
        "large_orders": (here and again and big and basket >= max(RATIO, often), 0.65 + 0.2 * _far(basket)),
        "promising": (new and (again or big), 0.85 + 0.1 * _far(spend)),
        "newcomers": (new, 0.8),
        "one_time": (orders < 2 and not new, 0.9),
        "occasional": (here and again and seldom, 0.55 + 0.2 * _far(missed)),
        "slipping_big": (again and away and spend >= 1.5, 0.8 + 0.2 * _far(spend)),
        "slipping": (again and away, 0.8 - 0.1 * _far(1 / spend)),
        "lost": (long_away and spend < 1.5, 0.75 + 0.15 * _far(missed / 4)),
        "ordinary": (True, 0.3),
    }
    return {archetype: fit for archetype, (true, fit) in judged.items() if true}


def _assign(judged: Sequence[Mapping[str, float]]) -> list[str]:
    """Give each segment an archetype that is true of it, the fits together as high as can be."""
    from scipy.optimize import linear_sum_assignment

    archetypes = [archetype for archetype in ARCHETYPES if any(archetype in fit for fit in judged)]
    copies = [(archetype, given) for given in range(len(judged)) for archetype in archetypes]
    untrue = -1e6
    gains = [[fit.get(archetype, untrue) - GIVEN * given for archetype, given in copies] for fit in judged]
    return [copies[column][0] for column in linear_sum_assignment(np.array(gains), maximize=True)[1].tolist()]


def _tell_apart(alike: list[int], medians: Sequence[Medians], currency: str, deep: int = 0) -> dict[int, tuple[Message, ...]]:
    """Split segments of one archetype at the first measure that sets them apart, and again; figures where none does."""
    if len(alike) < 2:
        return dict.fromkeys(alike, ())
    measure, parts = next(((measure, parts) for measure in _APART if (parts := _split(alike, medians, measure))), ("", None))
    if parts is None or deep == 2:
        return _figures(alike, medians, currency)
    return {
        index: (word, *further)
        for word, part in zip(_APART[measure], parts, strict=True)
        for index, further in _tell_apart(part, medians, currency, deep + 1).items()
    }


def _split(alike: list[int], medians: Sequence[Medians], measure: str) -> tuple[list[int], list[int]] | None:
    """Split into the higher and the lower at the widest gap; None where nothing is 1.25 times as high."""
    known = [(value, index) for index in alike if (value := medians[index][measure]) is not None]
    ordered = sorted(known, key=lambda each: (-each[0], each[1]))
    # The orders of a segment whose half has none are those of the others.
    if len(ordered) < len(alike) or (measure in _OF_ORDERS and not all(medians[index]["orders"] for index in alike)):
        return None
    gaps = [(_ratio(high, low), place) for place, ((high, _), (low, _)) in enumerate(pairwise(ordered), 1)]
    wide, place = max(gaps, key=lambda gap: gap[0])
    indexes = [index for _, index in ordered]
    return None if wide < RATIO else (sorted(indexes[:place]), sorted(indexes[place:]))


def _figures(alike: list[int], medians: Sequence[Medians], currency: str) -> dict[int, tuple[Message, ...]]:
    """Tell segments by their spend, and those of which that is the same by their number among all."""
    spends = pl.DataFrame({"spend": [round(medians[index]["spend"] or 0) for index in alike]})
    texts = spends.select(money.text("spend", currency)).to_series().to_list()
    said: dict[int, tuple[Message, ...]] = {}
    for index, spend in zip(alike, texts, strict=True):
        about = Message("segments.about_spend", "about {spend} {currency}", spend=spend, currency=currency)
        number = Message("segments.number", "no. {number}", number=index + 1)
        said[index] = (about, number) if texts.count(spend) > 1 else (about,)
    return said


def _times(mine: Medians, everyone: Medians, measure: str) -> float:
    """Give how many times everyone's median a segment's is: 1 where either is not known."""
    median, usual = mine[measure], everyone[measure]
    return 1.0 if median is None or usual is None else _ratio(median, usual)


def _ratio(high: float, low: float) -> float:
    """Divide within 1/100 and 100, whatever is 0 or below."""
    if high == low:
        return 1.0
    return min(max(high / low, 0.01), 100.0) if low > 0 and high > 0 else (100.0 if high > low else 0.01)


def _far(times: float) -> float:
    """Grade a ratio: 0 at 1 or below, 1 from 5 on."""
    return min(math.log(max(times, 1.0)) / math.log(5), 1.0)
