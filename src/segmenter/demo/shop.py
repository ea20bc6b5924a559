"""A simulated wholesale pharmacy platform in China: raw tables as such a shop exports them, and the truth behind them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

import numpy as np
import polars as pl

from segmenter.demo.behaviour import DAY, Calendar, Traits, draw_moments, draw_traits, latest_moments, season, to_dates
from segmenter.demo.customers import Ints, draw_customers, look_up
from segmenter.demo.network import draw_network, refer
from segmenter.demo.orders import NET, TOPICS, add_contributions, draw_events, draw_purchases, draw_talents, tabulate_orders


@dataclass(frozen=True)
class Shop:
    """A simulated shop; times are text (``2025-07-03 14:05:12``), amounts Float64 currency units."""

    # order_id, customer_id, time, amount, category, status: a row per order and per refund (R…, negative), by time
    orders: pl.DataFrame
    # customer_id, name, type, account, province, city, joined, staff, blocked, do_not_contact, phone, wechat; members of a chain share
    # account, which is null for all others
    customers: pl.DataFrame
    events: pl.DataFrame  # customer_id, kind (visit, campaign, feedback, review, share, answer, idea, post), time; by time
    referrals: pl.DataFrame  # customer_id brought friend_id, time; by time
    # What only the simulator knows, a row per customer: as_of; rate, orders on an average day while a customer; amount_mean, currency
    # units per order before refunds; hazard, the chance to drop out on a day; alive at as_of; dropped_at, the first day on which nothing
    # could happen any more (null while alive); influence, how readily one brings others and speaks well (around 1); topic, what most of
    # their orders are of (null: of everything); join_probability; answers, ideas and posts, how often they do so on an average day while
    # a customer
    truth: pl.DataFrame
    ties: pl.DataFrame  # who knows whom, which only the simulator knows, too: see `demo.network.draw_network`
    TABLES: ClassVar = ("orders", "customers", "events", "referrals")

    def tables(self) -> dict[str, pl.DataFrame]:
        """Give what a shop has; the truth is the simulator's alone."""
        return {name: getattr(self, name) for name in self.TABLES}


def simulate(customers: int, days: int, as_of: date, seed: int) -> Shop:
    """Simulate a shop and its history.

    Customers come, order, and drop out unseen. Orders follow a gamma-Poisson process with seasons while a geometric dropout lasts
    (Pareto/NBD: Schmittlein, Morrison and Colombo 1987; dropout in steps as in Fader, Hardie and Shang 2010); amounts are log-normal
    around a heavy-tailed mean of the customer's own. Everything happens in the `days` before midnight of `as_of`; only ``joined`` can be
    earlier. The same arguments give the same frames.
    """
    rng = np.random.Generator(np.random.PCG64(seed % 2**64))
    start = as_of - timedelta(days=days)
    calendar = Calendar(start, days)
    traits = draw_traits(
        rng, np.sort(np.where(rng.random(customers) < 0.4, -rng.integers(1, 1096, customers), rng.integers(0, days, customers)))
    )
    bought = draw_purchases(rng, calendar, traits, *draw_moments(rng, calendar, traits, traits.rate))
    orders, ordered = tabulate_orders(calendar, bought), latest_moments(bought.who, bought.at, customers)
    events, seen = draw_events(rng, calendar, traits)
    chance = stream(seed, "talents")
    talents = draw_talents(chance, customers)
    events = add_contributions(chance, calendar, traits, talents, events)
    luck = rng.random(customers), rng.random(customers), rng.integers(8 * 3600, 22 * 3600, customers)
    idle = days - np.maximum(ordered, seen) / DAY
    willing = -2.4 + 1.1 * np.log1p(traits.influence) + 1.6 * np.exp2(-idle / 60) + rng.normal(0, 0.4, customers)
    ids = customer_ids(1, customers, customers)
    alive = traits.dropped >= days
    listed = list_customers(rng, start, traits, ids)
    ties = draw_network(stream(seed, "network"), listed, traits.region, traits.influence)
    referrals = refer(ties, start, traits, luck)
    truth = pl.DataFrame(
        {
            "customer_id": ids,
            "as_of": pl.repeat(as_of, customers, dtype=pl.Date, eager=True),
            "rate": traits.rate,
            "amount_mean": traits.amount_mean,
            "hazard": traits.hazard,
            "alive": alive,
            "dropped_at": to_dates(start, np.minimum(traits.dropped, days)),
            "influence": traits.influence,
            "topic": look_up((*TOPICS, None), traits.topic),
            "join_probability": 1 / (1 + np.exp(-willing)),
            **{f"{kind}s": often for kind, often in talents.items()},
        }
    )
    return Shop(
        orders=orders.with_columns(ids.gather(orders["customer_id"]).alias("customer_id")),
        customers=listed,
        events=events.with_columns(ids.gather(events["customer_id"]).alias("customer_id")),
        referrals=referrals.with_columns(ids.gather(referrals[column]).alias(column) for column in ("customer_id", "friend_id")),
        truth=truth.with_columns(pl.when(~pl.col("alive")).then("dropped_at")),
        ties=ties,
    )


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Give chances of their own for a purpose, so that nothing else is drawn otherwise for it."""
    return np.random.Generator(np.random.PCG64([seed % 2**64, *purpose.encode()]))


def list_customers(rng: np.random.Generator, start: date, traits: Traits, ids: pl.Series, *, before: int = 0) -> pl.DataFrame:
    """Make the shop's list of customers, where `before` are listed already."""
    rest = {
        "joined": to_dates(start, traits.joined),
        "staff": pl.Series(traits.staff),
        "blocked": pl.Series(traits.blocked),
        "do_not_contact": pl.Series(rng.random(len(ids)) < 0.03),
    }
    return draw_customers(rng, ids, traits.kind, traits.region, rest, before=before)


def expected_spend(truth: pl.DataFrame, horizon_days: int, since: Ints | int = 0) -> pl.DataFrame:
    """Work out what each customer can be expected to spend after the as-of date, by the simulator's own law.

    Whoever is alive at as_of is still there on day d of the horizon (0, 1, ...) with probability (1 - hazard)^(d + 1), and places
    rate × season orders on it; only days from `since` on count. Refunds are taken off the orders that they belong to, whenever they come.
    """
    [as_of] = truth["as_of"].unique()
    stays = 1 - truth["hazard"].to_numpy()
    busy = np.zeros(truth.height)
    for day, usual in reversed(list(enumerate(season(as_of, horizon_days)))):  # Horner's scheme: no matrix of customers × days
        busy = stays * (usual * (day >= np.asarray(since)) + busy)
    spend = busy * truth["alive"].to_numpy() * truth["rate"].to_numpy() * truth["amount_mean"].to_numpy() * NET
    return pl.DataFrame({"customer_id": truth["customer_id"], "expected_spend": spend})


def customer_ids(first: int, last: int, customers: int) -> pl.Series:
    """Give customers their numbers."""
    return "C" + pl.Series(np.arange(first, last + 1)).cast(pl.String).str.zfill(max(6, len(str(customers))))
