"""The simulated shop after a launch: it lives on by its own law, the invited answer, and who joins orders more often."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from segmenter.demo.behaviour import DAY, Calendar, Traits, draw_moments, draw_traits, to_dates, write_times
from segmenter.demo.bringing import NEVER, Brought, bring_on, name_brought
from segmenter.demo.calls import call_month
from segmenter.demo.customers import TYPES, Floats, Ints, find_regions
from segmenter.demo.members import GroupLife, count_visits, draw_member_events, draw_members
from segmenter.demo.network import pull
from segmenter.demo.orders import (
    REFUND_DAYS,
    STATUSES,
    TOPICS,
    Purchases,
    add_contributions,
    draw_events,
    draw_purchases,
    draw_refunds,
    draw_talents,
    keep_purchases,
    tabulate_orders,
)
from segmenter.demo.shop import Shop, customer_ids, expected_spend, list_customers, stream
from segmenter.settings.rewards import Tier

_BROUGHT = 0.25  # of new customers: by an earlier one


@dataclass(frozen=True)
class After:
    """The shop some days after a launch."""

    shop: Shop  # the rows that there were before, untouched, then the new ones; its truth is that of the launch
    # By customer invited, how they stand at last: customer_id, answer (null where nobody has called), answered_on, hour, call_on,
    # new_phone, brought_by
    answers: pl.DataFrame
    # By customer of the launch: customer_id; joined_on (null: not); expected_effect, what joining can be expected to bring from then until
    # the end, net, in currency units, by the law and what was true at the launch; effect, what it did bring; the same for the live events,
    # expected of those who came; friends new to the shop who came because of it
    effects: pl.DataFrame
    calls: pl.DataFrame  # see `demo.calls.CALLS`: what second calls can be expected to bring is the chance of all but first attempts
    # customer_id, joined_on, group, brought_by (null: nobody), joined_by (a call, or brought), silent_on (the first day without a sign of
    # life), silent_group
    members: pl.DataFrame
    # By time: customer_id brought another, on a day; new: to the shop, or else into the group; generation (1: by somebody who was called);
    # cost, currency units by which their reward rises
    bringing: pl.DataFrame

    def until(self, day: date) -> "After":
        """Give what the shop knows before a day; the same whatever was called from then on."""
        shop = self.shop
        tables = {name: getattr(shop, name).filter(pl.col("time") < f"{day}") for name in ("orders", "events", "referrals")}
        customers, bringing = shop.customers.filter(pl.col("joined") < day), self.bringing.filter(pl.col("on") < day)
        return replace(self, shop=replace(shop, customers=customers, **tables), bringing=bringing)


def live_on(
    shop: Shop,
    days: int,
    invited: pl.DataFrame,
    *,
    effect: float,
    seed: int,
    life: GroupLife | None = None,
    attempts: int = 1,
    calls: pl.DataFrame | None = None,
    brings: float = 1.0,
    tiers: Tier | None = None,
    capacity: int | None = None,
) -> After:
    """Let a simulated shop live on after a launch.

    Customers go on ordering and dropping out as before, and new ones come. The invited are called as `calls.call_month` says, in at most
    so many `attempts`, or as in `calls`; each joins at the first call with their ``join_probability``. Members order at `effect` times
    their rate in addition, from the day of joining on, live as `life` says, and bring others, see `bringing.bring`: friends new to the
    shop, and `brings` times as readily as by their ties alone acquaintances into their own group, for the rewards of one of the `tiers`,
    while it has fewer than `capacity` members. All else has chances of its own: the same shop with other invitations has the same other
    orders, and what is before a day is the same whatever is called from then on. `invited` has ``customer_id``, each once, and ``call_on``,
    not before the as-of date; it may have the ``group``.
    """
    [as_of] = shop.truth["as_of"].unique()
    life = life or GroupLife()
    calendar, n, end = Calendar(as_of, days), shop.truth.height, as_of + timedelta(days=days)
    if calls is None:
        calls = call_month(shop.truth, invited, as_of, days, attempts=attempts, seed=seed)
    old = take_up(stream(seed, "people"), shop)
    friends, spread = bring_on(shop, old, calls, invited, days=days, brings=brings, tiers=tiers, capacity=capacity, seed=seed)
    members, joined = _members(shop, calls, spread, life, seed), spread.joined
    new, referrals = _new(stream(seed, "new"), shop, old, pull(shop.ties, n), days)
    everyone, chance = old + new, stream(seed, "orders")
    bought = draw_purchases(chance, calendar, everyone, *draw_moments(chance, calendar, everyone, everyone.rate))
    # As if everybody were a member from the first day on: who joins, and when, changes nothing for others.
    there, chance = replace(old, dropped=np.minimum(old.dropped, days)), stream(seed, "more orders")
    more = draw_purchases(chance, calendar, there, *draw_moments(chance, calendar, there, old.rate * effect))
    more = keep_purchases(more, more.at // DAY >= joined[more.who])
    came, first = np.full(len(friends.rate), -1), spread.rows.filter("new")
    came[first["brought"].to_numpy()] = n + len(new.rate) + np.arange(first.height)
    brought = _bringing(first["bringer"], came[first["brought"].to_numpy()], first["at"])
    chance = stream(seed, "friends' orders")
    theirs = draw_purchases(chance, calendar, friends, *draw_moments(chance, calendar, friends, friends.rate))
    theirs = _numbered(keep_purchases(theirs, came[theirs.who] >= 0), came)

    staff = shop.customers.filter("staff")["customer_id"]
    told = draw_member_events(members, staff, as_of, end, life, seed=seed)
    came_to = count_visits(told.join(members, on="customer_id", how="semi"), life.live_events)
    gained = _event_orders(shop.truth, old, came_to, calendar, life.event_effect, seed)
    drawn = [
        draw_events(stream(seed, "events"), calendar, everyone)[0],
        draw_events(stream(seed, "friends' events"), calendar, friends)[0],
    ]
    chance = stream(seed, "contributions")
    newly = draw_talents(chance, len(new.rate))
    talents = {kind: np.concatenate([shop.truth[f"{kind}s"].to_numpy(), newly[kind]]) for kind in newly}
    drawn[0] = add_contributions(chance, calendar, everyone, talents, drawn[0])
    drawn[1] = drawn[1].with_columns(pl.Series(came)[drawn[1]["customer_id"]].alias("customer_id")).filter(pl.col("customer_id") >= 0)
    kept = np.flatnonzero(came >= 0)[np.argsort(came[came >= 0])]
    everybody = n + len(new.rate) + len(kept)
    ids = pl.concat([shop.truth["customer_id"], customer_ids(n + 1, everybody, n)])
    listed = [
        list_customers(stream(seed, "customers"), as_of, new, ids[n : n + len(new.rate)], before=n),
        list_customers(stream(seed, "friends' list"), as_of, friends, pl.Series(came), before=n + len(new.rate))[kept],
    ]
    listed[1] = listed[1].with_columns(ids[n + len(new.rate) :].alias("customer_id"))
    orders = pl.concat(
        [
            _late_refunds(stream(seed, "refunds"), shop.orders, calendar),
            _named(tabulate_orders(calendar, bought + more + gained + theirs), ids),
        ]
    )
    return After(
        shop=Shop(
            orders=pl.concat([shop.orders, orders.sort("time", maintain_order=True)]),
            customers=pl.concat([shop.customers, *listed]),
            events=pl.concat([shop.events, _all_events(_named(pl.concat(drawn), ids), told, members)]),
            referrals=pl.concat([shop.referrals, _referred(calendar, pl.concat([referrals, brought]), ids)]),
            truth=shop.truth,
            ties=shop.ties,
        ),
        answers=answers_before(end, invited, calls, members),
        effects=pl.DataFrame(
            {
                "customer_id": shop.truth["customer_id"],
                "joined_on": pl.select(pl.when(pl.Series(joined < days)).then(to_dates(as_of, joined))).to_series(),
                "expected_effect": expected_spend(shop.truth, days, since=joined)["expected_spend"] * effect,
                "effect": _net(more, n),
                "event_effect": _net(gained, n),
                "friends": np.bincount(brought["customer_id"], minlength=n),
            }
        ),
        calls=calls,
        members=members,
        bringing=name_brought(spread.rows, came, ids, as_of),
    )


def take_up(rng: np.random.Generator, shop: Shop) -> Traits:
    """Take up the customers where the launch left them: a geometric dropout knows no past."""
    truth, customers, n = shop.truth, shop.customers, shop.truth.height
    values = {name: truth[name].to_numpy() for name in ("hazard", "rate", "amount_mean", "influence")}
    return Traits(
        joined=np.full(n, -1),
        first=np.zeros(n, dtype=np.int64),
        dropped=(rng.geometric(values["hazard"]) - 1) * truth["alive"].to_numpy(),
        kind=customers["type"].replace_strict(TYPES, range(len(TYPES)), return_dtype=pl.Int64).to_numpy(),
        region=find_regions(customers["province"]),
        staff=customers["staff"].to_numpy(),
        blocked=customers["blocked"].to_numpy(),
        topic=truth["topic"].replace_strict(TOPICS, range(len(TOPICS)), default=len(TOPICS), return_dtype=pl.Int64).to_numpy(),
        **values,
    )


def _new(rng: np.random.Generator, shop: Shop, old: Traits, brings: Floats, days: int) -> tuple[Traits, pl.DataFrame]:
    """Let as many come as came in the last so many days; some are brought, by whoever is still there."""
    [as_of] = shop.truth["as_of"].unique()
    came = int((shop.customers["joined"] >= as_of - timedelta(days=days)).sum())
    joined = np.sort(rng.integers(0, days, rng.poisson(came)))
    new, n = draw_traits(rng, joined), len(joined)
    bringer = rng.choice(len(old.rate), n, p=brings / brings.sum())
    brought = (rng.random(n) < _BROUGHT) & (old.dropped[bringer] > joined)
    new = replace(new, region=np.where(brought, old.region[bringer], new.region))
    at = joined[brought] * DAY + rng.integers(8 * 3600, 22 * 3600, int(brought.sum()))
    return new, _bringing(bringer[brought], len(old.rate) + np.flatnonzero(brought), at)


def _bringing(bringer: Ints | pl.Series, friend: Ints, at: Ints | pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        {"customer_id": bringer, "friend_id": friend, "at": at}, schema=dict.fromkeys(("customer_id", "friend_id", "at"), pl.Int64)
    )


def _members(shop: Shop, calls: pl.DataFrame, spread: Brought, life: GroupLife, seed: int) -> pl.DataFrame:
    """List who is in the groups by the end."""
    [as_of] = shop.truth["as_of"].unique()
    ids = shop.truth["customer_id"]
    into = spread.rows.filter(~pl.col("new"))
    by = pl.DataFrame({"customer_id": ids.gather(into["brought"]), "brought_by": ids.gather(into["bringer"])})
    joined = pl.DataFrame({"customer_id": ids, "joined_on": to_dates(as_of, spread.joined), "group": spread.group})
    joined = joined.filter(pl.Series(spread.joined < NEVER)).join(by, on="customer_id", how="left", validate="1:1")
    joined = joined.join(calls.drop_nulls("joins_on").select("customer_id", "joined_by"), on="customer_id", how="left", validate="1:1")
    how = pl.when(pl.col("brought_by").is_not_null()).then(pl.lit("brought")).otherwise("joined_by").alias("joined_by")
    return draw_members(joined.with_columns(how).sort("customer_id"), life, seed=seed)


def answers_before(day: date, invited: pl.DataFrame, calls: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Say how the invited stand on a day, as `After.answers`: who came by themselves has joined, too; who found the group full would."""
    members = members.filter(pl.col("joined_on") < day)
    last = calls.filter(pl.col("called_on") < day).sort("customer_id", "called_on").unique("customer_id", keep="last")
    known = invited.select("customer_id").join(last, on="customer_id", how="left", validate="1:1")
    known = known.join(members, on="customer_id", how="left", validate="1:1").sort("customer_id")
    there = pl.col("joined_on").is_not_null()
    alone = there & (pl.col("answer").ne_missing("joined") | pl.col("brought_by").is_not_null())
    shut_out = ~there & (pl.col("answer") == "joined")
    return known.select(
        "customer_id",
        pl.when(alone).then(pl.lit("joined")).when(shut_out).then(pl.lit("agreed")).otherwise("answer").alias("answer"),
        pl.when(there).then("joined_on").otherwise("called_on").alias("answered_on"),
        *(pl.when(~alone).then(name).alias(name) for name in ("hour", "call_on", "new_phone")),
        "brought_by",
    )


def _event_orders(truth: pl.DataFrame, old: Traits, came: pl.DataFrame, calendar: Calendar, effect: float, seed: int) -> Purchases:
    """Let who comes to a live event order there, while they are customers; one event's chances are its own."""
    number = truth.select("customer_id").with_row_index("who")
    whole = draw_purchases(stream(seed, "no orders"), calendar, old, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    for (day,), part in came.join(number, on="customer_id").group_by("day", maintain_order=True):
        chance = stream(seed, f"event {day}")
        since = (day - calendar.start).days
        most = chance.poisson(effect * old.rate * (old.dropped > since))
        who = np.repeat(np.arange(len(most)), most)
        at = np.sort(since * DAY + chance.integers(19 * 3600, 23 * 3600, len(who)))
        drawn = draw_purchases(chance, calendar, old, chance.permutation(who), at)
        whole += keep_purchases(drawn, np.isin(drawn.who, part["who"].to_numpy()))
    return whole


def _net(bought: Purchases, customers: int) -> Floats:
    """Sum up what is bought, less what is given back, in currency units."""
    cents: Floats = np.bincount(bought.who, bought.cents, customers).astype(float)
    return (cents - np.bincount(bought.who[bought.refunded], bought.back, customers)) / 100


def _numbered(bought: Purchases, number: Ints) -> Purchases:
    return replace(bought, who=number[bought.who])


def _all_events(drawn: pl.DataFrame, told: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Put together what happens without groups and in them: members come to the shop by their group, as long as they are alive there."""
    known = drawn.join(members.select("customer_id", "joined_on"), on="customer_id", how="left", maintain_order="left")
    by_group = (pl.col("kind") == "visit") & (pl.col("time").str.slice(0, 10) >= pl.col("joined_on").cast(pl.String))
    apart = known.filter(~by_group.fill_null(value=False)).select(drawn.columns)
    told = told.with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M:%S"))
    return pl.concat([apart, told.select(drawn.columns)]).sort("time", "customer_id", "kind")


def _late_refunds(rng: np.random.Generator, orders: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """Let some of the last orders before the launch be given back after it."""
    latest = orders.filter(pl.col("time") >= f"{calendar.start - timedelta(days=REFUND_DAYS + 1)}")
    back = latest.filter(pl.col("amount") < 0)["order_id"].str.strip_prefix("R")
    latest = latest.filter(pl.col("amount") > 0, ~pl.col("order_id").is_in(back.implode()))
    at = (latest["time"].str.to_datetime() - calendar.start).dt.total_seconds().to_numpy()
    refunded, cents, later = draw_refunds(rng, (latest["amount"] * 100).round().cast(pl.Int64).to_numpy(), at)
    known = (later >= 0) & (later < calendar.days * DAY)
    return latest[refunded[known]].with_columns(
        order_id="R" + pl.col("order_id"),
        time=write_times(calendar.start, later[known]),
        amount=pl.Series(-cents[known] / 100),
        status=pl.lit(STATUSES[3]),
    )


def _named(frame: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return frame.with_columns(ids.gather(frame["customer_id"]).alias("customer_id"))


def _referred(calendar: Calendar, bringing: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    bringing = bringing.sort("at", "friend_id")
    who = {column: ids.gather(bringing[column]) for column in ("customer_id", "friend_id")}
    return pl.DataFrame({**who, "time": write_times(calendar.start, bringing["at"].to_numpy())})
