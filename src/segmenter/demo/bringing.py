"""Whom the members of the simulated shop's groups bring: acquaintances into their own group, who bring on, and friends to the shop."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.demo.behaviour import DAY, Traits, draw_traits, to_dates
from segmenter.demo.customers import Floats, Ints
from segmenter.demo.network import pull
from segmenter.demo.shop import Shop, stream
from segmenter.hashing import quick_hash
from segmenter.settings.rewards import Reward, Tier

FATIGUE = 0.7  # each week after joining somebody brings so many times as many as the week before
RESPONSE = 0.8  # by so much a reward of an average order raises the chance that one more is brought
_HOURS = 8, 22  # of the day, when people write to each other
_FRIENDS, _MAY = 0.1, 4  # new to the shop, whom an average member brings; of so many times as many whom they may bring
NEVER = 10**6  # a day that does not come
_ROWS = {"bringer": pl.Int64, "brought": pl.Int64, "new": pl.Boolean, "at": pl.Int64, "generation": pl.Int64, "cost": pl.Float64}


@dataclass(frozen=True)
class Offer:
    """What the shop gives for friends brought, and what a group holds."""

    rewards: Mapping[int, Reward]  # by friends brought, rising
    orders: Floats  # currency units of each customer's average order
    capacity: int | None

    def worth(self, who: int, friends: int) -> float:
        """Give what somebody has for so many friends, in currency units: the highest level reached, once."""
        reached = [reward for level, reward in self.rewards.items() if level <= friends]
        return max((reward.amount or (reward.share or 0.0) * float(self.orders[who]) for reward in reached), default=0.0)

    def factor(self, who: int, friends: int) -> float:
        """Say how many times as likely they bring one more as without rewards."""
        gain = self.worth(who, friends + 1) - self.worth(who, friends)
        return 1 + RESPONSE * gain / float(self.orders[who])


@dataclass(frozen=True)
class People:
    """The shop's customers at the launch: arrays of one length."""

    called: Ints  # the day on which a call brings them into their group, or `NEVER`
    group: pl.Series  # its name; null has no limit
    left: Ints  # the first day on which they are no customers
    closed: NDArray[np.bool_]  # whether nobody may bring them


@dataclass(frozen=True)
class Brought:
    """What came of it."""

    # In order of time: bringer and who is brought (rows of the customers, or of the new friends where it is `new`), at (second), generation
    # (1: by somebody who was called), cost (currency units by which the bringer's reward rises)
    rows: pl.DataFrame
    joined: Ints  # by customer: the day of joining, or `NEVER`
    group: pl.Series  # by customer: the group that they are in, or were called for


def bring(shop: Shop, people: People, friends: pl.DataFrame, offer: Offer, *, days: int, readily: float, seed: int) -> Brought:
    """Let members bring others from the day after joining on, while both are customers and the group holds more.

    `friends` new to the shop have ``bringer``, ``at``, ``chance`` and ``drawn``; a tie's chance is `readily` times its own. Ties have draws
    of their own: whoever else is called, the same pair has the same luck. Of a day, who is called comes first.
    """
    ids = shop.truth["customer_id"]
    one, other, chance, drawn, wait = _luck(shop.ties, ids, seed)
    starts = np.searchsorted(one, np.arange(len(ids) + 1))
    names = people.group.drop_nulls().unique().sort()
    number = people.group.replace_strict(names, range(len(names)), default=-1, return_dtype=pl.Int64)
    joined, group = np.full(len(ids), NEVER), number.to_numpy().copy()
    generation, count = np.zeros((2, len(ids)), dtype=np.int64)
    size, most = np.zeros(len(names) + 1, dtype=np.int64), offer.capacity or len(ids)  # the last of who is in none
    # What may happen, by time: second, bringer, whether the friend is new, friend, chance, draw.
    due = [(at, who, True, friend, p, luck) for friend, (who, at, p, luck) in enumerate(friends.rows())]
    heapify(due)
    rows = []

    def enter(who: int, day: int) -> None:
        joined[who] = day
        size[group[who]] += 1
        for tie in range(starts[who], starts[who + 1]):
            heappush(due, ((day + 1) * DAY + int(wait[tie]), who, False, int(other[tie]), readily * float(chance[tie]), float(drawn[tie])))

    for day in range(days):
        for who in np.flatnonzero((people.called == day) & (joined == NEVER)).tolist():
            if group[who] < 0 or size[group[who]] < most:
                enter(who, day)
        while due and due[0][0] < (day + 1) * DAY:
            at, who, new, friend, likely, luck = heappop(due)
            if joined[who] > day or people.left[who] <= day or luck >= likely * offer.factor(who, int(count[who])):
                continue
            if not new and (joined[friend] <= day or people.left[friend] <= day or people.closed[friend]):
                continue
            if not new and group[who] >= 0 and size[group[who]] >= most:
                continue
            cost = offer.worth(who, int(count[who]) + 1) - offer.worth(who, int(count[who]))
            rows.append((who, friend, new, at, int(generation[who]) + 1, cost))
            count[who] += 1
            if not new:
                group[friend], generation[friend] = group[who], generation[who] + 1
                enter(friend, day)
    groups = pl.concat([names, pl.Series([None], dtype=pl.String)]).gather(np.where(group < 0, len(names), group))
    return Brought(pl.DataFrame(rows, schema=_ROWS, orient="row"), joined, groups)


def bring_on(
    shop: Shop,
    old: Traits,
    calls: pl.DataFrame,
    invited: pl.DataFrame,
    *,
    days: int,
    brings: float,
    tiers: Tier | None,
    capacity: int | None,
    seed: int,
) -> tuple[Traits, Brought]:
    """Give the friends new to the shop whom members may bring, and what came of a launch, see `aftermath.live_on`."""
    friends, may = _friends(stream(seed, "friends"), old, pull(shop.ties, shop.truth.height), days)
    people, offer = list_people(shop, old, calls, invited), make_offer(tiers, shop, capacity)
    return friends, bring(shop, people, may, offer, days=days, readily=brings, seed=seed)


def _friends(rng: np.random.Generator, old: Traits, brings: Floats, days: int) -> tuple[Traits, pl.DataFrame]:
    """Draw the friends new to the shop whom members may bring while they are customers, as traits and for `bringing.bring`."""
    until = np.minimum(old.dropped, days)
    bringer = np.repeat(np.arange(len(until)), rng.poisson(_MAY * _FRIENDS * brings * (until > 0)))
    came = (rng.random(len(bringer)) * until[bringer]).astype(np.int64)
    at = came * DAY + rng.integers(8 * 3600, 22 * 3600, len(came))
    friends = replace(draw_traits(rng, came), region=old.region[bringer])
    return friends, pl.DataFrame({"bringer": bringer, "at": at, "chance": np.full(len(at), 1 / _MAY), "drawn": rng.random(len(at))})


def make_offer(tiers: Tier | None, shop: Shop, capacity: int | None) -> Offer:
    """Put a tier's rewards beside what each customer's orders before the launch came to on average, refunds off; without any, all's."""
    cents, placed = (pl.col("amount") * 100).round().cast(pl.Int64), pl.col("amount") > 0
    money = shop.orders.group_by("customer_id").agg(average=cents.sum() / placed.sum() / 100).filter(pl.col("average") > 0)
    each = shop.truth.select("customer_id").join(money, on="customer_id", how="left", maintain_order="left")["average"]
    return Offer({} if tiers is None else tiers.rewards, each.fill_null(strategy="mean").fill_null(1.0).to_numpy(), capacity)


def _luck(ties: pl.DataFrame, ids: pl.Series, seed: int) -> tuple[Any, ...]:
    """Give ties as arrays, with a draw of each and the seconds from the day after joining on until one would bring the other."""
    one, other, chance = (ties[name].to_numpy() for name in ("one", "other", "chance"))
    pair = pl.select(pl.format("{}:{}", ids.gather(one), ids.gather(other))).to_series()
    drawn, later = (quick_hash(pair, seed, f"demo {purpose}") / 2.0**64 for purpose in ("brings", "brings on"))
    week = np.floor(np.log1p(-later) / np.log(FATIGUE))
    day, hour = np.divmod(7 * (FATIGUE**week - (1 - later)) / (FATIGUE**week * (1 - FATIGUE)), 1)
    wait = (7 * week + np.clip(day, 0, 6)) * DAY + _HOURS[0] * 3600 + hour * (_HOURS[1] - _HOURS[0]) * 3600
    return one, other, chance, drawn, wait.astype(np.int64)


def list_people(shop: Shop, old: Traits, calls: pl.DataFrame, invited: pl.DataFrame) -> People:
    """Say when calls bring whom into which group; nobody brings staff, or who is blocked."""
    [as_of] = shop.truth["as_of"].unique()
    group = pl.col("group") if "group" in invited.columns else pl.lit(None, dtype=pl.String).alias("group")
    came = calls.drop_nulls("joins_on").select("customer_id", day=(pl.col("joins_on") - as_of).dt.total_days())
    known = shop.truth.select("customer_id").join(came, on="customer_id", how="left", maintain_order="left")
    known = known.join(invited.select("customer_id", group), on="customer_id", how="left", maintain_order="left", validate="1:1")
    return People(known["day"].fill_null(NEVER).to_numpy(), known["group"], old.dropped, old.staff | old.blocked)


def name_brought(rows: pl.DataFrame, came: Ints, ids: pl.Series, as_of: date) -> pl.DataFrame:
    """Name who brought whom on which day."""
    brought = np.where(rows["new"], came[rows["brought"] * rows["new"]] if len(came) else -1, rows["brought"])
    names = {
        "customer_id": ids.gather(rows["bringer"]),
        "brought": ids.gather(brought),
        "on": to_dates(as_of, rows["at"].to_numpy() // DAY),
    }
    return pl.DataFrame({**names, **{name: rows[name] for name in ("new", "generation", "cost")}})
