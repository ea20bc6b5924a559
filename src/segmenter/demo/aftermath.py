"""The simulated shop after a launch: it lives on by its own law, the invited answer, and who joins orders more often."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from segmenter.demo.behaviour import DAY, Calendar, Traits, draw_moments, draw_traits, to_dates, write_times
from segmenter.demo.customers import TYPES, Ints, find_regions
from segmenter.demo.orders import REFUND_DAYS, STATUSES, draw_events, draw_purchases, draw_refunds, tabulate_orders
from segmenter.demo.shop import Shop, customer_ids, expected_spend, list_customers
from segmenter.hashing import uniform

# What comes of a call where nobody joins; None: the agents did not get to it, or wrote nothing down.
_OTHERWISE = (
    ("not reached", 0.42),
    ("refused", 0.36),
    ("will join", 0.08),
    ("wrong number", 0.05),
    ("refused for good", 0.04),
    (None, 0.05),
)
_BROUGHT = 0.25  # of new customers: by an earlier one
_FRIENDS = 0.1  # whom a member of influence 1 brings


@dataclass(frozen=True)
class After:
    """The shop some days after a launch."""

    shop: Shop  # the rows that there were before, untouched, then the new ones; its truth is that of the launch
    # By customer invited: customer_id; answer: joined, will join, refused, refused for good, not reached or wrong number, null where there
    # is none yet; answered_on
    answers: pl.DataFrame
    # By customer of the launch: customer_id; joined_on (null: not); expected_effect, what joining can be expected to bring from then until
    # the end, net, in currency units, by the law and what was true at the launch; effect, what it did bring; friends who came because of it
    effects: pl.DataFrame


def live_on(shop: Shop, days: int, invited: pl.DataFrame, *, effect: float, seed: int) -> After:
    """Let a simulated shop live on after a launch.

    Customers go on ordering and dropping out as before, and new ones come. The invited are called; each joins with their
    ``join_probability``, and answers within two days of the call. Members order at `effect` times their rate in addition, from the day
    of joining on, and bring friends. All else has chances of its own: the same shop with other invitations has the same other orders.
    `invited` has ``customer_id``, each once, and ``call_on``, not before the as-of date.
    """
    [as_of] = shop.truth["as_of"].unique()
    calendar, n = Calendar(as_of, days), shop.truth.height
    old = _old(_chance(seed, "people"), shop)
    new, referrals = _new(_chance(seed, "new"), shop, old, days)
    answers = _answers(shop.truth, invited, as_of, days, seed)
    joined = _joined(shop.truth, answers, as_of)
    members = joined < days
    friends, brought = _friends(_chance(seed, "friends"), old, joined, days, first=n + len(new.rate))

    everyone, chance = old + new, _chance(seed, "orders")
    bought = draw_purchases(chance, calendar, everyone, *draw_moments(chance, calendar, everyone, everyone.rate))
    members_only, chance = replace(old, first=np.minimum(joined, np.minimum(old.dropped, days))), _chance(seed, "more orders")
    more = draw_purchases(chance, calendar, members_only, *draw_moments(chance, calendar, members_only, old.rate * effect * members))
    all_traits, chance = everyone + friends, _chance(seed, "friends' orders")
    who, at = draw_moments(chance, calendar, friends, friends.rate)
    theirs = draw_purchases(chance, calendar, all_traits, who + len(everyone.rate), at)

    chance = _chance(seed, "events")
    events = [draw_events(chance, calendar, everyone)[0], draw_events(_chance(seed, "friends' events"), calendar, friends)[0]]
    events[1] = events[1].with_columns(pl.col("customer_id") + len(everyone.rate))
    ids = pl.concat([shop.truth["customer_id"], customer_ids(n + 1, len(all_traits.rate), n)])
    orders = pl.concat(
        [_late_refunds(_chance(seed, "refunds"), shop.orders, calendar), _named(tabulate_orders(calendar, bought + more + theirs), ids)]
    )
    net = np.bincount(more.who, more.cents, n) - np.bincount(more.who[more.refunded], more.back, n)
    return After(
        shop=Shop(
            orders=pl.concat([shop.orders, orders.sort("time", maintain_order=True)]),
            customers=pl.concat([shop.customers, list_customers(_chance(seed, "customers"), as_of, new + friends, ids[n:], before=n)]),
            events=pl.concat([shop.events, _named(pl.concat(events).sort("time", maintain_order=True), ids)]),
            referrals=pl.concat([shop.referrals, _referred(calendar, pl.concat([referrals, brought]), ids)]),
            truth=shop.truth,
        ),
        answers=answers,
        effects=pl.DataFrame(
            {
                "customer_id": shop.truth["customer_id"],
                "joined_on": pl.select(pl.when(pl.Series(members)).then(to_dates(as_of, joined))).to_series(),
                "expected_effect": expected_spend(shop.truth, days, since=joined)["expected_spend"] * effect,
                "effect": net / 100,
                "friends": np.bincount(brought["customer_id"], minlength=n),
            }
        ),
    )


def _chance(seed: int, purpose: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed % 2**64, *purpose.encode()]))


def _old(rng: np.random.Generator, shop: Shop) -> Traits:
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
        **values,
    )


def _new(rng: np.random.Generator, shop: Shop, old: Traits, days: int) -> tuple[Traits, pl.DataFrame]:
    """Let as many come as came in the last so many days; some are brought, by whoever is still there."""
    [as_of] = shop.truth["as_of"].unique()
    came = int((shop.customers["joined"] >= as_of - timedelta(days=days)).sum())
    joined = np.sort(rng.integers(0, days, rng.poisson(came)))
    new, n = draw_traits(rng, joined), len(joined)
    bringer = rng.choice(len(old.rate), n, p=old.influence / old.influence.sum())
    brought = (rng.random(n) < _BROUGHT) & (old.dropped[bringer] > joined)
    new = replace(new, region=np.where(brought, old.region[bringer], new.region))
    return new, _bringing(rng, bringer[brought], len(old.rate) + np.flatnonzero(brought), joined[brought])


def _friends(rng: np.random.Generator, old: Traits, joined: Ints, days: int, first: int) -> tuple[Traits, pl.DataFrame]:
    """Let members bring friends, while they are there."""
    until = np.minimum(old.dropped, days)
    bringer = np.repeat(np.arange(len(joined)), rng.poisson(_FRIENDS * old.influence * (joined < until)))
    came = joined[bringer] + (rng.random(len(bringer)) * (until - joined)[bringer]).astype(np.int64)
    friends = replace(draw_traits(rng, came), region=old.region[bringer])
    return friends, _bringing(rng, bringer, first + np.arange(len(came)), came)


def _bringing(rng: np.random.Generator, bringer: Ints, friend: Ints, day: Ints) -> pl.DataFrame:
    at = day * DAY + rng.integers(8 * 3600, 22 * 3600, len(day))
    return pl.DataFrame(
        {"customer_id": bringer, "friend_id": friend, "at": at}, schema=dict.fromkeys(("customer_id", "friend_id", "at"), pl.Int64)
    )


def _answers(truth: pl.DataFrame, invited: pl.DataFrame, as_of: date, days: int, seed: int) -> pl.DataFrame:
    """Draw what the invited say and when, by chances of the customer's own."""
    called = invited.select("customer_id", "call_on").join(truth, on="customer_id", validate="1:1").sort("customer_id")
    joins, else_, wait = (uniform(called["customer_id"], seed, f"demo {purpose}").to_numpy() for purpose in ("joins", "otherwise", "waits"))
    words = [word for word, _ in _OTHERWISE]
    edges = np.cumsum([share for _, share in _OTHERWISE])[:-1]
    otherwise = pl.Series(words, dtype=pl.String).gather(np.searchsorted(edges, else_, side="right"))
    answers = called.select(
        "customer_id",
        pl.when(pl.Series(joins) < pl.col("join_probability")).then(pl.lit("joined")).otherwise(otherwise).alias("answer"),
        (pl.col("call_on") + pl.duration(days=pl.lit(pl.Series((3 * wait).astype(np.int64))))).alias("answered_on"),
    )
    known = pl.col("answer").is_not_null() & (pl.col("answered_on") < as_of + timedelta(days=days))
    return answers.select("customer_id", *(pl.when(known).then(name).alias(name) for name in ("answer", "answered_on")))


def _joined(truth: pl.DataFrame, answers: pl.DataFrame, as_of: date) -> Ints:
    """Give the day of joining; of who does not, one that never comes."""
    joined = answers.filter(pl.col("answer") == "joined").select("customer_id", day=(pl.col("answered_on") - as_of).dt.total_days())
    days = truth.select("customer_id").join(joined, on="customer_id", how="left", maintain_order="left")["day"]
    found: Ints = days.fill_null(10**6).to_numpy()
    return found


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
