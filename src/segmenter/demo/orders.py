"""What the simulated shop's customers order, give back and do, as the shop exports it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from segmenter.demo.behaviour import DAY, Calendar, People, dates, latest, moments, months, written
from segmenter.demo.customers import Ints, look_up, pick

# Share of each category by type, and what the months make of it.
CATEGORIES = ("处方药", "非处方药", "感冒用药", "医疗器械", "中药饮片", "保健品", "消毒防护")
_TYPE_CATEGORY = np.array([[26, 26, 16, 8, 10, 9, 5], [34, 16, 14, 12, 14, 2, 8], [46, 6, 6, 24, 10, 1, 7]])
_MONTH_CATEGORY = np.ones((12, len(CATEGORIES)))
_MONTH_CATEGORY[:, 2] = [2.0, 1.6, 1.2, 0.9, 0.6, 0.5, 0.5, 0.5, 0.8, 1.1, 1.7, 2.1]  # cold remedies: winter
_MONTH_CATEGORY[:, 5] = [1.8, 1.2, 0.8, 0.8, 0.9, 1.1, 0.8, 0.8, 1.3, 1.0, 1.2, 1.3]  # supplements: gifts for the festivals
_MONTH_CATEGORY[:, 6] = [0.9, 0.8, 0.9, 0.9, 1.1, 1.5, 1.7, 1.6, 1.1, 0.8, 0.8, 0.9]  # disinfection: summer
STATUSES = ("待发货", "已发货", "已完成", "已退款")

_AMOUNT_SIGMA = 0.6  # of the logarithm of an order's amount around the customer's mean
_REFUND_SHARE = 0.03  # of orders
REFUND_DAYS = 9  # at most, after the order
_REFUND_WHOLE = 0.6  # of refunds; the others give back 10-90 %
NET = 1 - _REFUND_SHARE * (_REFUND_WHOLE + (1 - _REFUND_WHOLE) * 0.5)  # of an order, on average


@dataclass(frozen=True)
class Placed:
    """Orders by time, and what of them is given back.

    Parameters
    ----------
    who, at, cents, category : ndarray of int
        Customer, second of the calendar, minor units, index of the category: one of each per order.
    refunded, back, later : ndarray of int
        Order, minor units, second of the calendar: one of each per refund.
    """

    who: Ints
    at: Ints
    cents: Ints
    category: Ints
    refunded: Ints
    back: Ints
    later: Ints

    def __add__(self, others: "Placed") -> "Placed":
        at = np.concatenate([self.at, others.at])
        by_time = np.argsort(at, kind="stable")
        place = np.argsort(by_time)  # of each order among all
        who, cents, category = (
            np.concatenate([getattr(self, name), getattr(others, name)])[by_time] for name in ("who", "cents", "category")
        )
        refunded = place[np.concatenate([self.refunded, others.refunded + len(self.at)])]
        back, later = np.concatenate([self.back, others.back]), np.concatenate([self.later, others.later])
        return Placed(who, at[by_time], cents, category, refunded, back, later)


def place(rng: np.random.Generator, calendar: Calendar, people: People, who: Ints, at: Ints) -> Placed:
    """Draw what is ordered, and what is given back before the calendar ends.

    Parameters
    ----------
    rng : Generator
        Drawn from.
    calendar : Calendar
        On which days.
    people : People
        The customers.
    who, at : ndarray of int
        Who orders, and at which second, by time.

    Returns
    -------
    Placed
        The orders.

    Examples
    --------
    >>> from datetime import date
    >>> from segmenter.demo.behaviour import people_of
    >>> rng, calendar = np.random.default_rng(1), Calendar(date(2026, 7, 1), 30)
    >>> people = people_of(rng, np.array([-3, 5]))
    >>> placed = place(rng, calendar, people, *moments(rng, calendar, people, np.array([1.0, 0.5])))
    >>> bool((placed.cents > 0).all())
    True
    """
    noise = rng.normal(-(_AMOUNT_SIGMA**2) / 2, _AMOUNT_SIGMA, len(who))  # of mean 1 once it is an exponent
    cents = np.maximum(1, np.rint(100 * people.amount_mean[who] * np.exp(noise))).astype(np.int64)
    weights = (_TYPE_CATEGORY[:, None, :] * _MONTH_CATEGORY).reshape(-1, len(CATEGORIES))
    category = pick(rng, weights, people.kind[who] * 12 + months(np.datetime64(calendar.start) + at // DAY))
    refunded, back, later = give_back(rng, cents, at)
    known = later < calendar.days * DAY
    return Placed(who, at, cents, category, refunded[known], back[known], later[known])


def give_back(rng: np.random.Generator, cents: Ints, at: Ints) -> tuple[Ints, Ints, Ints]:
    """Draw which orders are given back, how much of them and when: in part or whole, 1 to 9 days later.

    Parameters
    ----------
    rng : Generator
        Drawn from.
    cents, at : ndarray of int
        Minor units and second of each order.

    Returns
    -------
    tuple of ndarray of int
        Order, minor units and second of each refund.

    Examples
    --------
    >>> refunded, back, later = give_back(np.random.default_rng(1), np.full(1_000, 500), np.zeros(1_000, dtype=np.int64))
    >>> 15 < len(refunded) < 45, int(back.max())
    (True, 500)
    """
    refunded = np.flatnonzero(rng.random(len(cents)) < _REFUND_SHARE)
    part = np.where(rng.random(len(refunded)) < _REFUND_WHOLE, 1, rng.uniform(0.1, 0.9, len(refunded)))
    later = at[refunded] + rng.integers(1, REFUND_DAYS + 1, len(refunded)) * DAY + rng.integers(-3600, 3601, len(refunded))
    return refunded, np.maximum(1, np.rint(cents[refunded] * part)).astype(np.int64), later


def order_table(calendar: Calendar, placed: Placed) -> pl.DataFrame:
    """Write orders and refunds as the shop exports them.

    Parameters
    ----------
    calendar : Calendar
        The days; an order's status is that at their end.
    placed : Placed
        All orders of those days.

    Returns
    -------
    DataFrame
        As `demo.Shop.orders`, by time; the customers are indices.

    Examples
    --------
    >>> from datetime import date
    >>> one = np.array([0])
    >>> placed = Placed(one, one + 60, one + 1250, one, one, one + 1250, one + DAY)
    >>> order_table(Calendar(date(2026, 7, 1), 30), placed).select("order_id", "time", "amount", "status").rows()
    [('20260701-0000001', '2026-07-01 00:01:00', 12.5, '已完成'), ('R20260701-0000001', '2026-07-02 00:00:00', -12.5, '已退款')]
    """
    who, at, refunded = placed.who, placed.at, placed.refunded
    day = at // DAY
    number = pl.Series(np.arange(len(at)) - np.searchsorted(day, day) + 1).cast(pl.String).str.zfill(7)  # within the day
    ids = dates(calendar.start, day).dt.strftime("%Y%m%d-") + number
    age = calendar.days - at / DAY
    status = np.where(age < 1, 0, np.where(age < 4, 1, 2))
    every = np.concatenate([at, placed.later])
    frame = pl.DataFrame(
        {
            "order_id": pl.concat([ids, "R" + ids.gather(refunded)]),
            "customer_id": np.concatenate([who, who[refunded]]),
            "time": written(calendar.start, every),
            "amount": np.concatenate([placed.cents, -placed.back]) / 100,
            "category": look_up(CATEGORIES, np.concatenate([placed.category, placed.category[refunded]])),
            "status": look_up(STATUSES, np.concatenate([status, np.full(len(refunded), 3)])),
        }
    )
    return frame[np.argsort(every, kind="stable")]


def event_table(rng: np.random.Generator, calendar: Calendar, people: People) -> tuple[pl.DataFrame, Ints]:
    """Draw events of every kind.

    Parameters
    ----------
    rng : Generator
        Drawn from.
    calendar : Calendar
        On which days.
    people : People
        The customers.

    Returns
    -------
    DataFrame
        As `demo.Shop.events`, by time; the customers are indices.
    ndarray of int
        Each customer's latest, in seconds.

    Examples
    --------
    >>> from datetime import date
    >>> from segmenter.demo.behaviour import people_of
    >>> rng = np.random.default_rng(1)
    >>> event_table(rng, Calendar(date(2026, 7, 1), 30), people_of(rng, np.full(200, -3)))[0].columns
    ['customer_id', 'kind', 'time']
    """
    rate, influence, blocked = people.rate, people.influence, people.blocked
    rates = {
        "visit": 0.5 * rate + 0.004 + 0.3 * blocked,
        "campaign": (0.04 * rate + 0.0006) * (0.5 + influence),
        "feedback": (0.010 * rate + 0.0001) * influence,
        "review": 0.040 * rate * influence,
        "share": (0.015 * rate + 0.0003) * influence + 0.02 * blocked,
    }
    drawn = [moments(rng, calendar, people, each) for each in rates.values()]
    who = np.concatenate([moments[0] for moments in drawn])
    at = np.concatenate([moments[1] for moments in drawn])
    kinds = look_up(tuple(rates), np.repeat(np.arange(len(rates)), [len(moments[0]) for moments in drawn]))
    frame = pl.DataFrame({"customer_id": who, "kind": kinds, "time": written(calendar.start, at)})
    return frame[np.argsort(at, kind="stable")], latest(who, at, len(rate))
