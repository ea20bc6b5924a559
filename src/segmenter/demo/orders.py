"""What the simulated shop's customers order, give back and do, as the shop exports it."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.demo.behaviour import DAY, Calendar, Traits, draw_moments, latest_moments, months, to_dates, write_times
from segmenter.demo.customers import TYPES, Floats, Ints, look_up, pick

# Share of each category by type, and what the months make of it.
CATEGORIES = ("处方药", "非处方药", "感冒用药", "医疗器械", "中药饮片", "保健品", "消毒防护")
_TYPE_CATEGORY = np.array([[26, 26, 16, 8, 10, 9, 5], [34, 16, 14, 12, 14, 2, 8], [46, 6, 6, 24, 10, 1, 7]])
# The topics that customers may have: what four fifths of their orders are of, and in which parts.
TOPICS = ("处方药", "非处方药 · 感冒用药", "中药饮片 · 保健品", "医疗器械 · 消毒防护")
_OF_TOPIC = 0.8
_TOPIC_CATEGORY = np.array([[1, 0, 0, 0, 0, 0, 0], [0, 0.55, 0.45, 0, 0, 0, 0], [0, 0, 0, 0, 0.6, 0.4, 0], [0, 0, 0, 0.6, 0, 0, 0.4]])
_MONTH_CATEGORY = np.ones((12, len(CATEGORIES)))
_MONTH_CATEGORY[:, 2] = [2.0, 1.6, 1.2, 0.9, 0.6, 0.5, 0.5, 0.5, 0.8, 1.1, 1.7, 2.1]  # cold remedies: winter
_MONTH_CATEGORY[:, 5] = [1.8, 1.2, 0.8, 0.8, 0.9, 1.1, 0.8, 0.8, 1.3, 1.0, 1.2, 1.3]  # supplements: gifts for the festivals
_MONTH_CATEGORY[:, 6] = [0.9, 0.8, 0.9, 0.9, 1.1, 1.5, 1.7, 1.6, 1.1, 0.8, 0.8, 0.9]  # disinfection: summer
STATUSES = ("待发货", "已发货", "已完成", "已退款")

_AMOUNT_SIGMA = 0.6  # of the logarithm of an order's amount around the customer's mean
_REFUND_SHARE = 0.03  # of orders
REFUND_DAYS = 9  # at most, after the order
_REFUND_WHOLE = 0.6  # of refunds; the others give back 10-90 %
# What a few do for the others: share of the customers who do it at all, and how often they do on an average day.
_TALENTS = {"answer": (0.08, 0.03), "idea": (0.04, 0.02), "post": (0.06, 0.025)}
NET = 1 - _REFUND_SHARE * (_REFUND_WHOLE + (1 - _REFUND_WHOLE) * 0.5)  # of an order, on average


@dataclass(frozen=True)
class Purchases:
    """Orders by time, and what of them is given back."""

    # One of each per order: customer, second of the calendar, minor units, index of the category.
    who: Ints
    at: Ints
    cents: Ints
    category: Ints
    # One of each per refund: order, minor units, second of the calendar.
    refunded: Ints
    back: Ints
    later: Ints

    def __add__(self, others: "Purchases") -> "Purchases":
        at = np.concatenate([self.at, others.at])
        by_time = np.argsort(at, kind="stable")
        rank = np.argsort(by_time)  # of each order among all
        who, cents, category = (
            np.concatenate([getattr(self, name), getattr(others, name)])[by_time] for name in ("who", "cents", "category")
        )
        refunded = rank[np.concatenate([self.refunded, others.refunded + len(self.at)])]
        back, later = np.concatenate([self.back, others.back]), np.concatenate([self.later, others.later])
        return Purchases(who, at[by_time], cents, category, refunded, back, later)


def draw_purchases(rng: np.random.Generator, calendar: Calendar, traits: Traits, who: Ints, at: Ints) -> Purchases:
    """Draw what is ordered, and what is given back before the calendar ends."""
    noise = rng.normal(-(_AMOUNT_SIGMA**2) / 2, _AMOUNT_SIGMA, len(who))  # of mean 1 once it is an exponent
    cents = np.maximum(1, np.rint(100 * traits.amount_mean[who] * np.exp(noise))).astype(np.int64)
    general = _TYPE_CATEGORY / _TYPE_CATEGORY.sum(axis=1, keepdims=True)
    topical = _OF_TOPIC * _TOPIC_CATEGORY[:, None, :] + (1 - _OF_TOPIC) * general
    weights = (np.concatenate([topical, general[None]])[:, :, None, :] * _MONTH_CATEGORY).reshape(-1, len(CATEGORIES))
    row = (traits.topic * len(TYPES) + traits.kind)[who] * 12 + months(np.datetime64(calendar.start) + at // DAY)
    category = pick(rng, weights, row)
    refunded, back, later = draw_refunds(rng, cents, at)
    known = later < calendar.days * DAY
    return Purchases(who, at, cents, category, refunded[known], back[known], later[known])


def keep_purchases(bought: Purchases, kept: NDArray[np.bool_]) -> Purchases:
    """Keep some orders and what is given back of them."""
    place, also = np.cumsum(kept) - 1, kept[bought.refunded]
    who, at, cents, category = (values[kept] for values in (bought.who, bought.at, bought.cents, bought.category))
    return Purchases(who, at, cents, category, place[bought.refunded[also]], bought.back[also], bought.later[also])


def draw_refunds(rng: np.random.Generator, cents: Ints, at: Ints) -> tuple[Ints, Ints, Ints]:
    """Draw which orders are given back, how much of them and when: in part or whole, 1 to 9 days later."""
    refunded = np.flatnonzero(rng.random(len(cents)) < _REFUND_SHARE)
    part = np.where(rng.random(len(refunded)) < _REFUND_WHOLE, 1, rng.uniform(0.1, 0.9, len(refunded)))
    later = at[refunded] + rng.integers(1, REFUND_DAYS + 1, len(refunded)) * DAY + rng.integers(-3600, 3601, len(refunded))
    return refunded, np.maximum(1, np.rint(cents[refunded] * part)).astype(np.int64), later


def tabulate_orders(calendar: Calendar, bought: Purchases) -> pl.DataFrame:
    """Write orders and refunds as the shop exports them, by time; the customers are indices."""
    who, at, refunded = bought.who, bought.at, bought.refunded
    day = at // DAY
    number = pl.Series(np.arange(len(at)) - np.searchsorted(day, day) + 1).cast(pl.String).str.zfill(7)  # within the day
    ids = to_dates(calendar.start, day).dt.strftime("%Y%m%d-") + number
    age = calendar.days - at / DAY
    status = np.where(age < 1, 0, np.where(age < 4, 1, 2))
    every = np.concatenate([at, bought.later])
    frame = pl.DataFrame(
        {
            "order_id": pl.concat([ids, "R" + ids.gather(refunded)]),
            "customer_id": np.concatenate([who, who[refunded]]),
            "time": write_times(calendar.start, every),
            "amount": np.concatenate([bought.cents, -bought.back]) / 100,
            "category": look_up(CATEGORIES, np.concatenate([bought.category, bought.category[refunded]])),
            "status": look_up(STATUSES, np.concatenate([status, np.full(len(refunded), 3)])),
        }
    )
    return frame[np.argsort(every, kind="stable")]


def draw_events(rng: np.random.Generator, calendar: Calendar, traits: Traits) -> tuple[pl.DataFrame, Ints]:
    """Draw events of every kind, by time, and each customer's latest, in seconds; the customers are indices."""
    rate, influence, blocked = traits.rate, traits.influence, traits.blocked
    rates = {
        "visit": 0.5 * rate + 0.004 + 0.3 * blocked,
        "campaign": (0.04 * rate + 0.0006) * (0.5 + influence),
        "feedback": (0.010 * rate + 0.0001) * influence,
        "review": 0.040 * rate * influence,
        "share": (0.015 * rate + 0.0003) * influence + 0.02 * blocked,
    }
    drawn = [draw_moments(rng, calendar, traits, often) for often in rates.values()]
    who = np.concatenate([who for who, _ in drawn])
    at = np.concatenate([at for _, at in drawn])
    kinds = look_up(tuple(rates), np.repeat(np.arange(len(rates)), [len(who) for who, _ in drawn]))
    frame = pl.DataFrame({"customer_id": who, "kind": kinds, "time": write_times(calendar.start, at)})
    return frame[np.argsort(at, kind="stable")], latest_moments(who, at, len(rate))


def draw_talents(rng: np.random.Generator, customers: int) -> dict[str, Floats]:
    """Draw how often each answers others, has ideas and writes, on an average day: a few do, most never."""
    rates = {}
    for kind, (share, often) in _TALENTS.items():
        drawn = rng.gamma(1.5, often / 1.5, customers)
        rates[kind] = drawn * (rng.random(customers) < share)
    return rates


def add_contributions(
    rng: np.random.Generator, calendar: Calendar, traits: Traits, talents: dict[str, Floats], events: pl.DataFrame
) -> pl.DataFrame:
    """Add what customers do for the others, while they are customers, to the events by time; the customers are indices."""
    parts = [events]
    for kind, often in talents.items():
        who, at = draw_moments(rng, calendar, traits, often)
        parts.append(
            pl.DataFrame({"customer_id": who, "kind": pl.repeat(kind, len(who), eager=True), "time": write_times(calendar.start, at)})
        )
    return pl.concat(parts).sort("time", maintain_order=True)
