"""A simulated wholesale pharmacy platform in China: raw tables as such a shop exports them, and the truth behind them.

Customers order as in the Pareto/NBD family: at a gamma-distributed rate while they are customers, with a chance to drop out every day.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.sources.demo_customers import PROVINCE_WEIGHTS, TYPES, Floats, Ints, customer_table, look_up, pick

_DAY = 86_400  # seconds
_TYPE_SHARE = np.array([0.70, 0.24, 0.06])
_TYPE_RATE = np.array([1.0, 0.75, 0.45])  # hospitals order more rarely,
_TYPE_AMOUNT = np.array([1.0, 0.7, 5.0])  # and more at once
_RATE = 0.026  # orders a day of an average pharmacy

# How much of an average day's orders comes in each month (spring festival in February, 618, the cold months), weekday and hour.
_MONTHS = np.array([1.12, 0.74, 0.98, 0.93, 0.92, 1.08, 0.88, 0.90, 0.98, 1.00, 1.26, 1.21])
_WEEKDAYS = np.array([1.25, 1.18, 1.12, 1.10, 1.10, 0.75, 0.50])
_HOURS = np.array([1, 0.5, 0.2, 0.1, 0.1, 0.3, 1, 3, 7, 11, 11, 8, 5, 6, 9, 10, 9, 6, 4, 4, 5, 5, 4, 2])
# Share of each category by type, and what the months make of it.
_CATEGORIES = ("处方药", "非处方药", "感冒用药", "医疗器械", "中药饮片", "保健品", "消毒防护")
_TYPE_CATEGORY = np.array([[26, 26, 16, 8, 10, 9, 5], [34, 16, 14, 12, 14, 2, 8], [46, 6, 6, 24, 10, 1, 7]])
_MONTH_CATEGORY = np.ones((12, len(_CATEGORIES)))
_MONTH_CATEGORY[:, 2] = [2.0, 1.6, 1.2, 0.9, 0.6, 0.5, 0.5, 0.5, 0.8, 1.1, 1.7, 2.1]  # cold remedies: winter
_MONTH_CATEGORY[:, 5] = [1.8, 1.2, 0.8, 0.8, 0.9, 1.1, 0.8, 0.8, 1.3, 1.0, 1.2, 1.3]  # supplements: gifts for the festivals
_MONTH_CATEGORY[:, 6] = [0.9, 0.8, 0.9, 0.9, 1.1, 1.5, 1.7, 1.6, 1.1, 0.8, 0.8, 0.9]  # disinfection: summer
_STATUSES = ("待发货", "已发货", "已完成", "已退款")

_AMOUNT_SIGMA = 0.6  # of the logarithm of an order's amount around the customer's mean
_REFUND_SHARE = 0.03  # of orders
_REFUND_WHOLE = 0.6  # of refunds; the others give back 10-90 %
_NET = 1 - _REFUND_SHARE * (_REFUND_WHOLE + (1 - _REFUND_WHOLE) * 0.5)


@dataclass(frozen=True)
class Shop:
    """A simulated shop.

    Parameters
    ----------
    orders : DataFrame
        ``order_id, customer_id, time, amount, category, status``: one row per order and one per refund (``R...``, negative), by time.
        Times are text (``2025-07-03 14:05:12``), amounts Float64 currency units.
    customers : DataFrame
        ``customer_id, name, type, account, province, city, joined, staff, blocked, do_not_contact, phone, wechat``. Members of a chain
        share ``account``, which is null for all others.
    events : DataFrame
        ``customer_id, kind, time``, by time; kinds are visit, campaign, feedback, review and share.
    referrals : DataFrame
        ``customer_id`` brought ``friend_id``, ``time``, by time.
    truth : DataFrame
        What only the simulator knows, one row per customer: ``as_of``; ``rate``, orders on an average day while a customer;
        ``amount_mean``, currency units per order before refunds; ``hazard``, the chance to drop out on a day; ``alive`` at as_of;
        ``dropped_at``, the first day on which nothing could happen any more (null while alive); ``influence``, how readily one brings
        others and speaks well (around 1); ``join_probability``, the chance to accept an invitation.
    """

    orders: pl.DataFrame
    customers: pl.DataFrame
    events: pl.DataFrame
    referrals: pl.DataFrame
    truth: pl.DataFrame


@dataclass(frozen=True)
class _Calendar:
    start: date  # days and seconds count from its midnight
    days: int
    busy: Floats  # (days + 1,): the season, summed up to each midnight


@dataclass(frozen=True)
class _People:
    """What drives each customer, in the order of joining."""

    joined: Ints  # day; negative: before the history
    first: Ints  # day of the history
    dropped: Ints  # the first day without them, maybe after the history
    hazard: Floats
    kind: Ints
    region: Ints
    rate: Floats
    amount_mean: Floats
    influence: Floats
    staff: NDArray[np.bool_]
    blocked: NDArray[np.bool_]


def simulate(customers: int, days: int, as_of: date, seed: int) -> Shop:
    """Simulate a shop and its history.

    Customers come, order, and drop out unseen. Orders follow a gamma-Poisson process with seasons while a geometric dropout lasts
    (Pareto/NBD: Schmittlein, Morrison and Colombo 1987; dropout in steps as in Fader, Hardie and Shang 2010); amounts are log-normal
    around a heavy-tailed mean of the customer's own.

    Parameters
    ----------
    customers : int
        How many, ≥ 1.
    days : int
        Length of the history, ≥ 1.
    as_of : date
        Everything happens in the `days` before midnight of this date; only ``joined`` can be earlier.
    seed : int
        The same arguments give the same frames.

    Returns
    -------
    Shop
        Its tables, and the truth.

    Examples
    --------
    >>> shop = simulate(customers=100, days=365, as_of=date(2026, 7, 1), seed=1)
    >>> shop.customers.height, shop.orders["time"].max() < "2026-07-01"
    (100, True)
    """
    rng = np.random.Generator(np.random.PCG64(seed % 2**64))
    start = as_of - timedelta(days=days)
    calendar = _Calendar(start, days, np.concatenate([[0.0], np.cumsum(season(start, days))]))
    people = _people(rng, customers, days)
    orders, ordered = _orders(rng, calendar, people)
    events, seen = _events(rng, calendar, people)
    referrals = _referrals(rng, start, people)

    idle = days - np.maximum(ordered, seen) / _DAY
    willing = -2.4 + 1.1 * np.log1p(people.influence) + 1.6 * np.exp2(-idle / 60) + rng.normal(0, 0.4, customers)
    ids = "C" + pl.Series(np.arange(1, customers + 1)).cast(pl.String).str.zfill(max(6, len(str(customers))))
    alive = people.dropped >= days
    rest = {
        "joined": _dates(start, people.joined),
        "staff": pl.Series(people.staff),
        "blocked": pl.Series(people.blocked),
        "do_not_contact": pl.Series(rng.random(customers) < 0.03),
    }
    truth = pl.DataFrame(
        {
            "customer_id": ids,
            "as_of": pl.repeat(as_of, customers, dtype=pl.Date, eager=True),
            "rate": people.rate,
            "amount_mean": people.amount_mean,
            "hazard": people.hazard,
            "alive": alive,
            "dropped_at": _dates(start, np.minimum(people.dropped, days)),
            "influence": people.influence,
            "join_probability": 1 / (1 + np.exp(-willing)),
        }
    )
    return Shop(
        orders=orders.with_columns(ids.gather(orders["customer_id"]).alias("customer_id")),
        customers=customer_table(rng, ids, people.kind, people.region, rest),
        events=events.with_columns(ids.gather(events["customer_id"]).alias("customer_id")),
        referrals=referrals.with_columns(ids.gather(referrals[column]).alias(column) for column in ("customer_id", "friend_id")),
        truth=truth.with_columns(pl.when(~pl.col("alive")).then("dropped_at")),
    )


def expected_spend(truth: pl.DataFrame, horizon_days: int) -> pl.DataFrame:
    """Work out what each customer can be expected to spend after the as-of date, by the simulator's own law.

    Whoever is alive at as_of is still there on day d of the horizon (0, 1, ...) with probability (1 - hazard)^(d + 1), and places
    rate × season orders on it. Refunds are taken off the orders that they belong to, whenever they come.

    Parameters
    ----------
    truth : DataFrame
        See `Shop`; one row or more.
    horizon_days : int
        Days from as_of on, ≥ 0.

    Returns
    -------
    DataFrame
        ``customer_id`` and ``expected_spend``, net, in currency units, in the order of `truth`.

    Examples
    --------
    >>> shop = simulate(customers=100, days=365, as_of=date(2026, 7, 1), seed=1)
    >>> expected_spend(shop.truth, 90)["expected_spend"].min()
    0.0
    """
    [as_of] = truth["as_of"].unique()
    stays = 1 - truth["hazard"].to_numpy()
    busy = np.zeros(truth.height)
    for day in season(as_of, horizon_days)[::-1]:  # Horner's scheme: no matrix of customers × days
        busy = stays * (day + busy)
    spend = busy * truth["alive"].to_numpy() * truth["rate"].to_numpy() * truth["amount_mean"].to_numpy() * _NET
    return pl.DataFrame({"customer_id": truth["customer_id"], "expected_spend": spend})


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
    busy: Floats = (_MONTHS / _MONTHS.mean())[_months(dates)] * (_WEEKDAYS / _WEEKDAYS.mean())[weekdays]
    return busy


def _people(rng: np.random.Generator, n: int, days: int) -> _People:
    # Whoever came before the history is in place on its first day, as if nobody had dropped out until then.
    joined = np.sort(np.where(rng.random(n) < 0.4, -rng.integers(1, 1096, n), rng.integers(0, days, n)))
    first = np.maximum(joined, 0)
    hazard = np.clip(rng.gamma(1.2, 1 / 700, n), 1e-6, 0.2)
    kind = rng.choice(len(TYPES), n, p=_TYPE_SHARE)
    staff, blocked, never = (rng.random(n) < share for share in (0.005, 0.007, 0.05))
    rate = rng.gamma(0.9, _RATE / 0.9, n) * _TYPE_RATE[kind] * np.where(blocked, 12, 1) * ~never
    whale = np.where(rng.random(n) < 0.015, np.minimum(3 * (1 - rng.random(n)) ** (-1 / 1.6), 40), 1)
    mean = 650 * rng.lognormal(0, 0.75, n) * _TYPE_AMOUNT[kind] * whale
    return _People(
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


def _moments(rng: np.random.Generator, calendar: _Calendar, people: _People, rate: Floats) -> tuple[Ints, Ints]:
    """Draw when something happens while each is a customer: who, and at which second; by time."""
    last = np.minimum(people.dropped, calendar.days)
    low, high = calendar.busy[people.first], calendar.busy[last]
    who = np.repeat(np.arange(len(rate)), rng.poisson(rate * (high - low)))
    drawn = low[who] + (high - low)[who] * rng.random(len(who))
    day = np.minimum(np.searchsorted(calendar.busy, drawn, side="right") - 1, last[who] - 1)  # rounding may reach the last midnight
    hour = np.searchsorted(np.cumsum(_HOURS[:-1]) / _HOURS.sum(), rng.random(len(who)), side="right")
    at = day * _DAY + hour * 3600 + rng.integers(0, 3600, len(who))
    by_time = np.argsort(at, kind="stable")
    return who[by_time], at[by_time]


def _orders(rng: np.random.Generator, calendar: _Calendar, people: _People) -> tuple[pl.DataFrame, Ints]:
    """Draw the orders and their refunds; also each customer's latest order, in seconds."""
    who, at = _moments(rng, calendar, people, people.rate)
    noise = rng.normal(-(_AMOUNT_SIGMA**2) / 2, _AMOUNT_SIGMA, len(who))  # of mean 1 once it is an exponent
    cents = np.maximum(1, np.rint(100 * people.amount_mean[who] * np.exp(noise))).astype(np.int64)
    day = at // _DAY
    weights = (_TYPE_CATEGORY[:, None, :] * _MONTH_CATEGORY).reshape(-1, len(_CATEGORIES))
    category = pick(rng, weights, people.kind[who] * 12 + _months(np.datetime64(calendar.start) + day))

    refunded = np.flatnonzero(rng.random(len(who)) < _REFUND_SHARE)
    part = np.where(rng.random(len(refunded)) < _REFUND_WHOLE, 1, rng.uniform(0.1, 0.9, len(refunded)))
    later = at[refunded] + rng.integers(1, 10, len(refunded)) * _DAY + rng.integers(-3600, 3601, len(refunded))
    known = later < calendar.days * _DAY
    refunded, part, later = refunded[known], part[known], later[known]
    back = np.maximum(1, np.rint(cents[refunded] * part)).astype(np.int64)

    number = pl.Series(np.arange(len(at)) - np.searchsorted(day, day) + 1).cast(pl.String).str.zfill(7)  # within the day
    ids = _times(calendar.start, at).dt.strftime("%Y%m%d-") + number
    age = calendar.days - at / _DAY
    status = np.where(age < 1, 0, np.where(age < 4, 1, 2))
    every = np.concatenate([at, later])
    frame = pl.DataFrame(
        {
            "order_id": pl.concat([ids, "R" + ids.gather(refunded)]),
            "customer_id": np.concatenate([who, who[refunded]]),
            "time": _times(calendar.start, every).dt.strftime("%Y-%m-%d %H:%M:%S"),
            "amount": np.concatenate([cents, -back]) / 100,
            "category": look_up(_CATEGORIES, np.concatenate([category, category[refunded]])),
            "status": look_up(_STATUSES, np.concatenate([status, np.full(len(later), 3)])),
        }
    )
    return frame[np.argsort(every, kind="stable")], _latest(who, at, len(people.rate))


def _events(rng: np.random.Generator, calendar: _Calendar, people: _People) -> tuple[pl.DataFrame, Ints]:
    """Draw the events of every kind; also each customer's latest, in seconds."""
    rate, influence, blocked = people.rate, people.influence, people.blocked
    rates = {
        "visit": 0.5 * rate + 0.004 + 0.3 * blocked,
        "campaign": (0.04 * rate + 0.0006) * (0.5 + influence),
        "feedback": (0.010 * rate + 0.0001) * influence,
        "review": 0.040 * rate * influence,
        "share": (0.015 * rate + 0.0003) * influence + 0.02 * blocked,
    }
    drawn = [_moments(rng, calendar, people, each) for each in rates.values()]
    who = np.concatenate([moments[0] for moments in drawn])
    at = np.concatenate([moments[1] for moments in drawn])
    kinds = look_up(tuple(rates), np.repeat(np.arange(len(rates)), [len(moments[0]) for moments in drawn]))
    frame = pl.DataFrame({"customer_id": who, "kind": kinds, "time": _times(calendar.start, at).dt.strftime("%Y-%m-%d %H:%M:%S")})
    return frame[np.argsort(at, kind="stable")], _latest(who, at, len(rate))


def _referrals(rng: np.random.Generator, start: date, people: _People) -> pl.DataFrame:
    """Let some who joined during the history be brought by an earlier customer of their province, the influential more often."""
    place = np.argsort(people.region, kind="stable")  # by province, then by joining
    pull = np.concatenate([[0.0], np.cumsum(people.influence[place])])
    begin = np.searchsorted(people.region[place], people.region[place])  # where each one's province begins
    low, high = pull[begin], pull[:-1]  # those who came before
    chosen = np.searchsorted(pull, low + (high - low) * rng.random(len(place)), side="right") - 1
    before = np.minimum(chosen, np.arange(len(place)) - 1)
    friend, bringer = place, place[before]
    joined = people.joined[friend]
    some = (rng.random(len(place)) < 0.25) & (before >= begin) & (joined >= 0) & (people.dropped[bringer] > joined)
    at = joined * _DAY + rng.integers(8 * 3600, 22 * 3600, len(place))
    frame = pl.DataFrame({"customer_id": bringer, "friend_id": friend, "time": _times(start, at).dt.strftime("%Y-%m-%d %H:%M:%S")})
    return frame.filter(some)[np.argsort(at[some], kind="stable")]


def _months(dates: NDArray[np.datetime64]) -> Ints:
    months: Ints = dates.astype("M8[M]").astype(np.int64) % 12
    return months


def _times(start: date, seconds: Ints) -> pl.Series:
    return pl.Series((np.datetime64(start, "s") + seconds).astype("M8[us]"))


def _dates(start: date, days: Ints) -> pl.Series:
    return pl.Series(np.datetime64(start, "D") + days).cast(pl.Date)


def _latest(who: Ints, at: Ints, customers: int) -> Ints:
    latest = np.full(customers, -(10**10))  # long before any history, where there is nothing
    np.maximum.at(latest, who, at)
    return latest
