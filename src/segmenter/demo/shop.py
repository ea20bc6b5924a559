"""A simulated wholesale pharmacy platform in China: raw tables as such a shop exports them, and the truth behind them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

import numpy as np
import polars as pl

from segmenter.demo.behaviour import DAY, Calendar, People, dates, latest, moments, people_of, season, written
from segmenter.demo.customers import customer_table
from segmenter.demo.orders import NET, event_table, order_table, place


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
    TABLES: ClassVar = ("orders", "customers", "events", "referrals")

    def tables(self) -> dict[str, pl.DataFrame]:
        """Give what a shop has; the truth is the simulator's alone."""
        return {name: getattr(self, name) for name in self.TABLES}


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
    calendar = Calendar(start, days)
    people = people_of(
        rng, np.sort(np.where(rng.random(customers) < 0.4, -rng.integers(1, 1096, customers), rng.integers(0, days, customers)))
    )
    placed = place(rng, calendar, people, *moments(rng, calendar, people, people.rate))
    orders, ordered = order_table(calendar, placed), latest(placed.who, placed.at, customers)
    events, seen = event_table(rng, calendar, people)
    referrals = _referrals(rng, start, people)

    idle = days - np.maximum(ordered, seen) / DAY
    willing = -2.4 + 1.1 * np.log1p(people.influence) + 1.6 * np.exp2(-idle / 60) + rng.normal(0, 0.4, customers)
    ids = customer_ids(1, customers, customers)
    alive = people.dropped >= days
    rest = {
        "joined": dates(start, people.joined),
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
            "dropped_at": dates(start, np.minimum(people.dropped, days)),
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
    spend = busy * truth["alive"].to_numpy() * truth["rate"].to_numpy() * truth["amount_mean"].to_numpy() * NET
    return pl.DataFrame({"customer_id": truth["customer_id"], "expected_spend": spend})


def customer_ids(first: int, last: int, customers: int) -> pl.Series:
    """Give customers their numbers.

    Parameters
    ----------
    first, last : int
        From 1.
    customers : int
        How many the shop began with.

    Returns
    -------
    Series of str
        Their ids.

    Examples
    --------
    >>> customer_ids(9, 10, 10).to_list()
    ['C000009', 'C000010']
    """
    return "C" + pl.Series(np.arange(first, last + 1)).cast(pl.String).str.zfill(max(6, len(str(customers))))


def _referrals(rng: np.random.Generator, start: date, people: People) -> pl.DataFrame:
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
    at = joined * DAY + rng.integers(8 * 3600, 22 * 3600, len(place))
    frame = pl.DataFrame({"customer_id": bringer, "friend_id": friend, "time": written(start, at)})
    return frame.filter(some)[np.argsort(at[some], kind="stable")]
