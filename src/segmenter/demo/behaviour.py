"""The law that the simulated shop lives by: who comes and goes, and when they order.

Customers order as in the Pareto/NBD family: at a gamma-distributed rate while they are customers, with a chance to drop out every day.
"""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.demo.customers import PROVINCE_WEIGHTS, TYPES, Floats, Ints, pick

DAY = 86_400  # seconds
_TYPE_SHARE = np.array([0.70, 0.24, 0.06])
_TYPE_RATE = np.array([1.0, 0.75, 0.45])  # hospitals order more rarely,
_TYPE_AMOUNT = np.array([1.0, 0.7, 5.0])  # and more at once
_RATE = 0.026  # orders a day of an average pharmacy
# What each type is interested in: shares of `orders.TOPICS`, and at last of those who buy a bit of everything.
_TYPE_TOPIC = np.array([[0.22, 0.34, 0.18, 0.11, 0.15], [0.30, 0.17, 0.20, 0.18, 0.15], [0.40, 0.05, 0.05, 0.35, 0.15]])

# How much of an average day's orders comes in each month (spring festival in February, 618, the cold months), weekday and hour.
_MONTHS = np.array([1.12, 0.74, 0.98, 0.93, 0.92, 1.08, 0.88, 0.90, 0.98, 1.00, 1.26, 1.21])
_WEEKDAYS = np.array([1.25, 1.18, 1.12, 1.10, 1.10, 0.75, 0.50])
_HOURS = np.array([1, 0.5, 0.2, 0.1, 0.1, 0.3, 1, 3, 7, 11, 11, 8, 5, 6, 9, 10, 9, 6, 4, 4, 5, 5, 4, 2])


@dataclass(frozen=True)
class Calendar:
    """Some days of the shop."""

    start: date  # days and seconds count from its midnight
    days: int

    @property
    def busy(self) -> Floats:
        """The season, summed up to each midnight; of shape (days + 1,)."""
        return np.concatenate([[0.0], np.cumsum(season(self.start, self.days))])


@dataclass(frozen=True)
class Traits:
    """What drives the customers: arrays of one length."""

    joined: Ints  # day of joining; negative: before the calendar
    first: Ints  # first day on the calendar
    dropped: Ints  # the first day without them, maybe after it
    hazard: Floats  # the chance to drop out on a day
    kind: Ints  # index into TYPES
    region: Ints  # index into PROVINCE_WEIGHTS
    rate: Floats  # orders on an average day
    amount_mean: Floats  # currency units per order before refunds
    influence: Floats  # how readily one brings others, around 1
    topic: Ints  # index into `orders.TOPICS`, or their number: none
    staff: NDArray[np.bool_]  # the shop's own
    blocked: NDArray[np.bool_]  # who abuse it

    def __add__(self, others: "Traits") -> "Traits":
        return Traits(*(np.concatenate([getattr(self, field.name), getattr(others, field.name)]) for field in fields(self)))


def season(first: date, days: int) -> Floats:
    """Give how busy each day is, against an average day."""
    dates = np.datetime64(first) + np.arange(days)
    weekdays = (dates.astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    busy: Floats = (_MONTHS / _MONTHS.mean())[months(dates)] * (_WEEKDAYS / _WEEKDAYS.mean())[weekdays]
    return busy


def draw_traits(rng: np.random.Generator, joined: Ints) -> Traits:
    """Draw what drives customers, by their days of joining.

    Whoever came before the calendar is there on its first day, as if nobody had dropped out until then.
    """
    n = len(joined)
    first = np.maximum(joined, 0)
    hazard = np.clip(rng.gamma(1.2, 1 / 700, n), 1e-6, 0.2)
    kind = rng.choice(len(TYPES), n, p=_TYPE_SHARE)
    staff, blocked, never = (rng.random(n) < share for share in (0.005, 0.007, 0.05))
    rate = rng.gamma(0.9, _RATE / 0.9, n) * _TYPE_RATE[kind] * np.where(blocked, 12, 1) * ~never
    whale = np.where(rng.random(n) < 0.015, np.minimum(3 * (1 - rng.random(n)) ** (-1 / 1.6), 40), 1)
    mean = 650 * rng.lognormal(0, 0.75, n) * _TYPE_AMOUNT[kind] * whale
    return Traits(
        joined=joined,
        first=first,
        dropped=first + rng.geometric(hazard),
        hazard=hazard,
        kind=kind,
        region=rng.choice(len(PROVINCE_WEIGHTS), n, p=PROVINCE_WEIGHTS / PROVINCE_WEIGHTS.sum()),
        rate=rate,
        amount_mean=mean * np.where(blocked, 0.01, np.where(staff, 0.1, 1)),
        influence=rng.gamma(1.0, 1.0, n) * (0.6 + 0.4 * np.minimum(rate / _RATE, 4)),
        topic=pick(rng.spawn(1)[0], _TYPE_TOPIC, kind),  # chances of its own
        staff=staff,
        blocked=blocked,
    )


def draw_moments(rng: np.random.Generator, calendar: Calendar, traits: Traits, rate: Floats) -> tuple[Ints, Ints]:
    """Draw who does something at which second, by time, while they are customers; `rate` is how often on an average day."""
    last, busy = np.minimum(traits.dropped, calendar.days), calendar.busy
    low, high = busy[traits.first], busy[last]
    who = np.repeat(np.arange(len(rate)), rng.poisson(rate * (high - low)))
    drawn = low[who] + (high - low)[who] * rng.random(len(who))
    day = np.minimum(np.searchsorted(busy, drawn, side="right") - 1, last[who] - 1)  # rounding may reach the last midnight
    hour = np.searchsorted(np.cumsum(_HOURS[:-1]) / _HOURS.sum(), rng.random(len(who)), side="right")
    at = day * DAY + hour * 3600 + rng.integers(0, 3600, len(who))
    by_time = np.argsort(at, kind="stable")
    return who[by_time], at[by_time]


def to_dates(start: date, days: Ints) -> pl.Series:
    """Turn days of a calendar into dates."""
    return pl.Series(np.datetime64(start, "D") + days).cast(pl.Date)


def write_times(start: date, seconds: Ints) -> pl.Series:
    """Write moments as the shop does."""
    moments = pl.Series((np.datetime64(start, "s") + seconds).astype("M8[us]"))
    return moments.dt.strftime("%Y-%m-%d %H:%M:%S")


def latest_moments(who: Ints, at: Ints, customers: int) -> Ints:
    """Give each customer's latest moment."""
    last = np.full(customers, -(10**10))
    np.maximum.at(last, who, at)
    return last


def months(dates: NDArray[np.datetime64]) -> Ints:
    """Give the months of dates."""
    found: Ints = dates.astype("M8[M]").astype(np.int64) % 12
    return found
