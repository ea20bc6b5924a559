"""The law that the simulated shop lives by: who comes and goes, and when they order.

Customers order as in the Pareto/NBD family: at a gamma-distributed rate while they are customers, with a chance to drop out every day.
"""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.demo.customers import PROVINCE_WEIGHTS, TYPES, Floats, Ints

DAY = 86_400  # seconds
_TYPE_SHARE = np.array([0.70, 0.24, 0.06])
_TYPE_RATE = np.array([1.0, 0.75, 0.45])  # hospitals order more rarely,
_TYPE_AMOUNT = np.array([1.0, 0.7, 5.0])  # and more at once
_RATE = 0.026  # orders a day of an average pharmacy

# How much of an average day's orders comes in each month (spring festival in February, 618, the cold months), weekday and hour.
_MONTHS = np.array([1.12, 0.74, 0.98, 0.93, 0.92, 1.08, 0.88, 0.90, 0.98, 1.00, 1.26, 1.21])
_WEEKDAYS = np.array([1.25, 1.18, 1.12, 1.10, 1.10, 0.75, 0.50])
_HOURS = np.array([1, 0.5, 0.2, 0.1, 0.1, 0.3, 1, 3, 7, 11, 11, 8, 5, 6, 9, 10, 9, 6, 4, 4, 5, 5, 4, 2])


@dataclass(frozen=True)
class Calendar:
    """Some days of the shop.

    Parameters
    ----------
    start : date
        The first: days and seconds count from its midnight.
    days : int
        How many, ≥ 1.

    Examples
    --------
    >>> Calendar(date(2026, 2, 14), 2).busy.round(2)
    array([0.  , 0.55, 0.92])
    """

    start: date
    days: int

    @property
    def busy(self) -> Floats:
        """The season, summed up to each midnight; of shape (days + 1,)."""
        return np.concatenate([[0.0], np.cumsum(season(self.start, self.days))])


@dataclass(frozen=True)
class People:
    """What drives each customer: arrays of one length.

    Parameters
    ----------
    joined : ndarray of int
        Day of joining; negative: before the calendar.
    first : ndarray of int
        First day on it.
    dropped : ndarray of int
        The first day without them, maybe after it.
    hazard : ndarray of float
        The chance to drop out on a day.
    kind, region : ndarray of int
        Indices into `TYPES` and `PROVINCE_WEIGHTS`.
    rate, amount_mean, influence : ndarray of float
        Orders on an average day; currency units per order before refunds; how readily one brings others, around 1.
    staff, blocked : ndarray of bool
        The shop's own; those who abuse it.
    """

    joined: Ints
    first: Ints
    dropped: Ints
    hazard: Floats
    kind: Ints
    region: Ints
    rate: Floats
    amount_mean: Floats
    influence: Floats
    staff: NDArray[np.bool_]
    blocked: NDArray[np.bool_]

    def __add__(self, others: "People") -> "People":
        return People(*(np.concatenate([getattr(self, each.name), getattr(others, each.name)]) for each in fields(self)))


def season(first: date, days: int) -> Floats:
    """Give how busy each day is, against an average day.

    Parameters
    ----------
    first : date
        The first day.
    days : int
        How many days, ≥ 0.

    Returns
    -------
    ndarray of shape (days,)
        Around 1: by the month and by the day of the week.

    Examples
    --------
    >>> season(date(2026, 2, 14), 2).round(2)  # a Saturday and a Sunday in the month of the spring festival
    array([0.55, 0.37])
    """
    dates = np.datetime64(first) + np.arange(days)
    weekdays = (dates.astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    busy: Floats = (_MONTHS / _MONTHS.mean())[months(dates)] * (_WEEKDAYS / _WEEKDAYS.mean())[weekdays]
    return busy


def people_of(rng: np.random.Generator, joined: Ints) -> People:
    """Draw what drives customers.

    Parameters
    ----------
    rng : Generator
        Drawn from.
    joined : ndarray of int
        Their days of joining; whoever came before the calendar is in place on its first day, as if nobody had dropped out until then.

    Returns
    -------
    People
        In the order of `joined`.

    Examples
    --------
    >>> people_of(np.random.default_rng(1), np.array([-3, 5])).first
    array([0, 5])
    """
    n = len(joined)
    first = np.maximum(joined, 0)
    hazard = np.clip(rng.gamma(1.2, 1 / 700, n), 1e-6, 0.2)
    kind = rng.choice(len(TYPES), n, p=_TYPE_SHARE)
    staff, blocked, never = (rng.random(n) < share for share in (0.005, 0.007, 0.05))
    rate = rng.gamma(0.9, _RATE / 0.9, n) * _TYPE_RATE[kind] * np.where(blocked, 12, 1) * ~never
    whale = np.where(rng.random(n) < 0.015, np.minimum(3 * (1 - rng.random(n)) ** (-1 / 1.6), 40), 1)
    mean = 650 * rng.lognormal(0, 0.75, n) * _TYPE_AMOUNT[kind] * whale
    return People(
        joined=joined,
        first=first,
        dropped=first + rng.geometric(hazard),
        hazard=hazard,
        kind=kind,
        region=rng.choice(len(PROVINCE_WEIGHTS), n, p=PROVINCE_WEIGHTS / PROVINCE_WEIGHTS.sum()),
        rate=rate,
        amount_mean=mean * np.where(blocked, 0.01, np.where(staff, 0.1, 1)),
        influence=rng.gamma(1.0, 1.0, n) * (0.6 + 0.4 * np.minimum(rate / _RATE, 4)),
        staff=staff,
        blocked=blocked,
    )


def moments(rng: np.random.Generator, calendar: Calendar, people: People, rate: Floats) -> tuple[Ints, Ints]:
    """Draw when something happens while each is a customer.

    Parameters
    ----------
    rng : Generator
        Drawn from.
    calendar : Calendar
        On which days.
    people : People
        From `first` until `dropped`, which is not before it.
    rate : ndarray of float
        How often on an average day.

    Returns
    -------
    tuple of ndarray of int
        Who, and at which second; by time.

    Examples
    --------
    >>> people = people_of(np.random.default_rng(1), np.array([-3, 5]))
    >>> who, at = moments(np.random.default_rng(1), Calendar(date(2026, 7, 1), 30), people, np.array([0.0, 0.5]))
    >>> set(who.tolist()), bool(at.min() >= 5 * DAY)
    ({1}, True)
    """
    last, busy = np.minimum(people.dropped, calendar.days), calendar.busy
    low, high = busy[people.first], busy[last]
    who = np.repeat(np.arange(len(rate)), rng.poisson(rate * (high - low)))
    drawn = low[who] + (high - low)[who] * rng.random(len(who))
    day = np.minimum(np.searchsorted(busy, drawn, side="right") - 1, last[who] - 1)  # rounding may reach the last midnight
    hour = np.searchsorted(np.cumsum(_HOURS[:-1]) / _HOURS.sum(), rng.random(len(who)), side="right")
    at = day * DAY + hour * 3600 + rng.integers(0, 3600, len(who))
    by_time = np.argsort(at, kind="stable")
    return who[by_time], at[by_time]


def dates(start: date, days: Ints) -> pl.Series:
    """Turn days of a calendar into dates.

    Parameters
    ----------
    start : date
        Day 0.
    days : ndarray of int
        Before it: negative.

    Returns
    -------
    Series of Date
        As long as `days`.

    Examples
    --------
    >>> dates(date(2026, 7, 1), np.array([-1])).to_list()
    [datetime.date(2026, 6, 30)]
    """
    return pl.Series(np.datetime64(start, "D") + days).cast(pl.Date)


def written(start: date, seconds: Ints) -> pl.Series:
    """Write moments as the shop does.

    Parameters
    ----------
    start : date
        Seconds count from its midnight.
    seconds : ndarray of int
        The moments.

    Returns
    -------
    Series of str
        As long as `seconds`.

    Examples
    --------
    >>> written(date(2026, 7, 1), np.array([61])).to_list()
    ['2026-07-01 00:01:01']
    """
    return _times(start, seconds).dt.strftime("%Y-%m-%d %H:%M:%S")


def latest(who: Ints, at: Ints, customers: int) -> Ints:
    """Give each customer's latest moment.

    Parameters
    ----------
    who, at : ndarray of int
        Customer and second.
    customers : int
        How many there are.

    Returns
    -------
    ndarray of int of shape (customers,)
        Seconds; long before any calendar for those without.

    Examples
    --------
    >>> latest(np.array([0, 0]), np.array([5, 3]), 1)
    array([5])
    """
    last = np.full(customers, -(10**10))
    np.maximum.at(last, who, at)
    return last


def months(dates: NDArray[np.datetime64]) -> Ints:
    """Give the months of dates.

    Parameters
    ----------
    dates : ndarray of datetime64
        Any.

    Returns
    -------
    ndarray of int
        From 0.

    Examples
    --------
    >>> months(np.array(["2026-07-01"], dtype="M8[D]"))
    array([6])
    """
    found: Ints = dates.astype("M8[M]").astype(np.int64) % 12
    return found


def _times(start: date, seconds: Ints) -> pl.Series:
    return pl.Series((np.datetime64(start, "s") + seconds).astype("M8[us]"))
