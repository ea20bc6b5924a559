"""Who came through whom: members by generation, what key users by reach brought against what was expected, and whether it grows."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

import polars as pl

from segmenter.launch_record import LaunchRecord
from segmenter.planning import Estimate
from segmenter.tables import ORDERS, REFERRALS

_LEAST = 5  # key users, to see by how much more than chance they differ


@dataclass(frozen=True)
class Generations:
    """Who came through whom.

    `people`, a row for each member: ``customer_id``, ``group``, ``generation`` (0: invited; n: brought by one of n - 1, or 1 by somebody
    who is no member; null: neither), ``brought_by``, ``joined_on``, ``spend`` (minor units, since the launch), ``brought`` (members, by
    themselves), ``through`` (members who came through them, at any remove; of several key users, through the nearest), and ``brings`` (of
    key users). `key_users` are those by reach: ``customer_id``, ``group``, ``brings``, ``joined``, ``through`` and ``new``, who else came
    through them and was new to the shop. `bridges` brought members into another group than their own, or into several: ``customer_id``,
    ``group``, ``groups``, ``brought``.
    """

    people: pl.DataFrame
    counts: pl.DataFrame  # ``generation``, ``members``, of them ``customers`` of the shop, ``spend``; null last
    key_users: pl.DataFrame
    bridges: pl.DataFrame
    expected: Estimate | None  # what the key users who joined were to bring, in all days, with its 95 % interval; None without any
    through: int  # who came through them: members, and whoever was new to the shop
    reproduction: Estimate | None  # the same of members brought by each who has been there for `settled_days`; None where nobody has
    settled: int  # of whom there are so many
    settled_days: int
    new: int  # brought to the shop by members, as the referrals say: not invited, and without an order before the launch
    new_customers: int  # of them with an order since
    circles: int  # people of whom it is said that they came through themselves: nobody brought them, then
    outside: int  # brought by somebody who is no member

    @property
    def brought(self) -> int:
        """Count the members whom somebody brought."""
        return int(self.people["brought_by"].count())


def trace_generations(
    spent: pl.DataFrame,
    launch: LaunchRecord,
    *,
    until: date,
    settled_days: int,
    orders: pl.DataFrame | None = None,
    referrals: pl.DataFrame | None = None,
    newcomers: pl.DataFrame | None = None,
) -> Generations | None:
    """Trace who came through whom; None where of nobody it is known who brought them.

    `spent` are rows of `tables.INVITED` with ``joined`` and ``spend``; orders and referrals are the shop's; newcomers, whom it does not
    know, have ``customer_id``, ``brought_by``, ``answered_on`` and ``group``. Who brought somebody is what an answer says, or else the
    first referral of the launch's days by who was a member by then, where they joined no earlier.
    """
    joined = spent.filter("joined", (pl.col("answered_on") < until).fill_null(value=False)).select(
        *("customer_id", "group", "status", "brought_by", "spend", "brings"), joined_on="answered_on", newcomer=False
    )
    if newcomers is not None:
        new = newcomers.filter(pl.col("answered_on") < until).rename({"answered_on": "joined_on"})
        joined = pl.concat([joined, new.with_columns(spend=pl.lit(0, pl.Int64), newcomer=True)], how="diagonal")
    joined = joined.unique("customer_id", keep="first", maintain_order=True).sort("customer_id")
    told = _referrals_of(joined, REFERRALS.to_frame() if referrals is None else referrals, launch.as_of, until)
    first = told.unique("customer_id", keep="first", maintain_order=True)
    both = joined.join(first, on="customer_id", how="left", maintain_order="left")
    came = (pl.col("referred_on") <= pl.col("joined_on")) & (pl.col("referred_by") != pl.col("customer_id"))
    both = both.with_columns(pl.coalesce("brought_by", pl.when(came).then("referred_by")).alias("brought_by"))
    by = {who: bringer for who, bringer in both.select("customer_id", "brought_by").rows() if bringer is not None}
    circular = _circular(by)
    people = both.with_columns(pl.when(~pl.col("customer_id").is_in(list(circular))).then("brought_by").alias("brought_by"))
    ordered = (ORDERS.to_frame() if orders is None else orders.filter("is_order", pl.col("time") < until)).group_by("customer_id")
    bought = ordered.agg(pl.col("time").min().dt.date().alias("bought"))
    new = first.join(spent.drop_nulls("status"), on="customer_id", how="anti").join(bought, on="customer_id", how="left")
    new = new.filter((pl.col("bought") >= launch.as_of).fill_null(value=True))
    chosen = spent.filter("in_plan", pl.col("brings").is_not_null()).select("customer_id", "group", "brings", "joined")
    if not by and (new.is_empty() or chosen.is_empty()):
        return None
    outsiders = new.join(people, on="customer_id", how="anti").select("customer_id", "referred_by").rows()
    people, through, new_through = _trace(people, dict(outsiders), {*chosen["customer_id"]})
    counted = {"through": through, "new": new_through}
    key_users = chosen.with_columns(pl.Series(name, [of[who] for who in chosen["customer_id"]], pl.Int64) for name, of in counted.items())
    key_users = key_users.sort("brings", "customer_id", descending=[True, False])
    there = people.filter(pl.col("joined_on") <= pl.lit(until) - pl.duration(days=settled_days))
    inside = key_users.filter(pl.col("joined") | (pl.col("through") > 0)).with_columns(came=pl.col("through") + pl.col("new"))
    known, customers = people["customer_id"].implode(), (~pl.col("newcomer")).sum().cast(pl.Int64).alias("customers")
    return Generations(
        people=people.drop("status", "newcomer"),
        counts=people.group_by("generation")
        .agg(pl.len().alias("members"), customers, pl.col("spend").sum())
        .sort("generation", nulls_last=True),
        key_users=key_users,
        bridges=_bridges(people),
        expected=_expected(inside),
        through=int(inside["came"].sum()),
        reproduction=_reproduction(there["brought"]),
        settled=there.height,
        settled_days=settled_days,
        new=new.height,
        new_customers=new["bought"].count(),
        circles=len(circular),
        outside=people.filter(pl.col("brought_by").is_not_null(), ~pl.col("brought_by").is_in(known)).height,
    )


def _referrals_of(members: pl.DataFrame, referrals: pl.DataFrame, since: date, until: date) -> pl.DataFrame:
    """List the referrals by who was a member on their day: ``customer_id`` (the friend), ``referred_by`` and ``_on``; the first first."""
    late = referrals.filter(pl.col("time") >= since, pl.col("time") < until)
    by = late.join(members.select("customer_id", "joined_on"), on="customer_id").filter(pl.col("joined_on") <= pl.col("time").dt.date())
    return by.sort("time", "friend_id", "customer_id").select(
        pl.col("friend_id").alias("customer_id"), referred_by="customer_id", referred_on=pl.col("time").dt.date()
    )


def _circular(by: dict[str, str]) -> set[str]:
    """Find who would have come through themselves."""
    circular: set[str] = set()
    clear: set[str] = set()
    for who in by:
        way: dict[str, int] = {}
        at: str | None = who
        while at is not None and at not in way and at not in clear:
            way[at] = len(way)
            at = by.get(at)
        if at in way:
            circular |= {*list(way)[way[at] :]}
        clear |= way.keys()
    return circular


def _trace(people: pl.DataFrame, new: dict[str, str], key_users: set[str]) -> tuple[pl.DataFrame, Counter[str], Counter[str]]:
    """Add ``generation``, ``brought`` and ``through``, where there is no circle; count members by who brought them, and who is `new`."""
    by = {who: bringer for who, bringer in people.select("customer_id", "brought_by").rows() if bringer is not None}
    generation, counts = [], (Counter[str](), Counter[str]())
    for count, everyone, bringers in zip(counts, (people["customer_id"].to_list(), list(new)), (by, by | new), strict=True):
        for who in everyone:
            at, steps, passed = who, 0, False
            while (bringer := bringers.get(at)) is not None:
                at, steps = bringer, steps + 1
                if not (passed and at in key_users):
                    count[at] += 1
                passed = passed or at in key_users
            generation.append(steps)
    direct, members = Counter(by.values()), people["customer_id"]
    traced = people.with_columns(
        pl.Series("generation", generation[: len(members)], pl.Int64),
        pl.Series("brought", [direct[who] for who in members], pl.Int64),
        pl.Series("through", [counts[0][who] for who in members], pl.Int64),
    )
    invited = (pl.col("generation") > 0) | (pl.col("status") == "planned").fill_null(value=False)
    return traced.with_columns(pl.when(invited).then("generation").alias("generation")), *counts


def _bridges(people: pl.DataFrame) -> pl.DataFrame:
    friends = people.drop_nulls("group").select(customer_id="brought_by", friend="group").drop_nulls("customer_id")
    both = people.join(friends, on="customer_id").group_by("customer_id", "group", "brought").agg(pl.col("friend").unique())
    groups = pl.concat_list("friend", pl.when(pl.col("group").is_not_null()).then(pl.concat_list("group")).otherwise([]))
    joined = both.with_columns(groups.list.unique().list.sort().alias("groups")).filter(pl.col("groups").list.len() > 1)
    named = joined.with_columns(pl.col("groups").list.join(", "), links=pl.col("groups").list.len())
    return named.sort("links", "brought", "customer_id", descending=[True, True, False]).select("customer_id", "group", "groups", "brought")


def _expected(key_users: pl.DataFrame) -> Estimate | None:
    """Say within what so many key users bring by chance what was expected: a Poisson interval, as much wider as they differ more [1]_.

    References
    ----------
    .. [1] McCullagh, P., Nelder, J. A. (1989). Generalized Linear Models, 2nd ed., Chapman and Hall, section 6.2: quasi-likelihood.
    """
    from scipy.stats import poisson

    mean = float(key_users["brings"].sum())
    if not mean:
        return None
    apart = (key_users["came"] - key_users["brings"]).to_numpy()
    wider = max(1.0, float(apart.var(ddof=1)) * len(apart) / mean) if len(apart) >= _LEAST else 1.0
    return Estimate(mean, *(wider * float(poisson.ppf(end, mean / wider)) for end in (0.025, 0.975)))


def _reproduction(brought: pl.Series) -> Estimate | None:
    """Give the mean number of members brought, with Garwood's (1936) interval of a Poisson mean, as much wider as members differ more."""
    from scipy.stats import chi2

    if brought.is_empty():
        return None
    numbers = brought.to_numpy()
    count, mean = float(numbers.sum()), float(numbers.mean())
    wider = max(1.0, float(numbers.var(ddof=1)) / mean) if count and len(numbers) > 1 else 1.0
    low, high = (wider * end / 2 / len(brought) for end in (chi2.ppf(0.025, 2 * count / wider), chi2.ppf(0.975, 2 * count / wider + 2)))
    return Estimate(mean, float(low) if count else 0.0, float(high))
