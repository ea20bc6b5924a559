"""How many the members of past launches brought, against what was expected of them: by how much the next ones' numbers are corrected."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.spread.launch_spread import EdgeChances
from segmenter.tables import INVITED

Floats = NDArray[np.float64]
# How alike launches are: what their members bring is multiplied by a gamma distributed number, by which two of three lie within 30 % of the
# usual. An assumption, as that of `planning.join_chances` from one launch alone.
_ALIKE = 10.0


@dataclass(frozen=True)
class Channel:
    """A way in which members bring: so many were expected in past launches, and `brought`."""

    expected: float
    brought: int

    @property
    def learned(self) -> bool:
        """Whether there was anything to learn from."""
        return self.expected > 0

    def draws(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw what to multiply what is expected by: the posterior of a Poisson rate (Jeffreys); 1, with doubt as large, before."""
        if not self.learned:
            return rng.gamma(1.0, 1.0, count)
        found: Floats = rng.gamma(self.brought + 0.5, 1 / self.expected, count)
        return found


@dataclass(frozen=True)
class Bringing:
    """What past launches say of whom members bring: along ties, others into their group, new customers into none."""

    launches: int
    members: int
    ties: Channel
    others: Channel
    new: Channel
    customers: int  # among the others, who were customers before

    def levels(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw by how much the members of a launch bring more, or fewer, than those of others, in any way."""
        found: Floats = rng.gamma(_ALIKE, 1 / _ALIKE, count)
        return found

    def known(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw the share of customers among the others."""
        found: Floats = rng.beta(self.customers + 0.5, self.others.brought - self.customers + 0.5, count)
        return found


def share_by_day(fatigue: float, days: int) -> Floats:
    """Give by day after joining the share of a horizon's bringing up to it, where each week has `fatigue` times that of the one before."""
    daily = fatigue ** (np.arange(days) // 7)
    share: Floats = np.cumsum(daily) / daily.sum()
    return share


def list_members(invited: pl.DataFrame | None, horizon: int, as_of: date) -> pl.DataFrame:
    """List who joined at past launches (`tables.INVITED`) before a date.

    ``launch``, ``as_of``, ``customer_id``, ``brought_by``, ``answered_on``, ``until`` (the launch's end, or the date), ``days`` until then.
    """
    known = INVITED.to_frame() if invited is None else pl.concat([INVITED.to_frame(), invited], how="diagonal_relaxed")
    joined = known.filter(pl.col("answer") == "joined", pl.col("answered_on") < as_of)
    joined = joined.with_columns(until=pl.min_horizontal("ends_on", pl.lit(as_of)))
    days = (pl.col("until") - pl.col("answered_on")).dt.total_days().clip(0, horizon)
    return joined.select("launch", "as_of", "customer_id", "brought_by", "answered_on", "until", days=days).sort("launch", "customer_id")


def find_new(members: pl.DataFrame, referrals: pl.DataFrame) -> pl.DataFrame:
    """Give the referrals by which members brought new customers while they were members of a running launch, with the ``launch``."""
    brought = members.join(referrals.filter(pl.col("time").is_not_null()), on="customer_id")
    there = brought.filter(pl.col("time").dt.date().is_between("answered_on", "until", closed="left"))
    pair = ["customer_id", "friend_id"]
    return there.sort(*pair, "launch").unique(pair, keep="first", maintain_order=True)


def learn_bringing(
    members: pl.DataFrame, new: pl.DataFrame, people: pl.DataFrame, chances: EdgeChances | None, fatigue: Floats, as_of: date
) -> Bringing:
    """Count whom the members of past launches (`list_members`) brought, and the `new` customers (`find_new`), against what was expected.

    `people` has ``person``, ``friends`` (new customers expected within the horizon, by what they brought while they were no members) and
    ``known_days`` (null for who is no customer); what came of known ties stands with the `chances`. What is expected counts the days that
    each member had: chances and rates are those of a whole horizon.
    """
    horizon, shares = len(fatigue), np.concatenate([[0.0, 0.0], fatigue])
    usual = float(people["friends"].sum()) / max(people.height, 1)
    rated = members.join(people.select("friends", customer_id="person"), on="customer_id", how="left", maintain_order="left")
    friends, days = rated["friends"].fill_null(usual).to_numpy(), members["days"].to_numpy().astype(np.int64)
    along, asked = (0, 0.0) if chances is None or not members.height else (chances.joined, chances.asked * float(shares[days].mean()))
    pairs = members.filter(pl.col("brought_by").is_not_null())
    since = (pl.lit(as_of) - pl.col("as_of")).dt.total_days()
    customers = pairs.join(people.select("known_days", customer_id="person"), on="customer_id").filter(pl.col("known_days") > since)
    outside = new.join(members.select("launch", friend_id="customer_id"), on=["launch", "friend_id"], how="anti")
    others = max(pairs.height - along, 0)
    return Bringing(
        launches=members["launch"].n_unique(),
        members=members.height,
        ties=Channel(0.0 if chances is None else asked * float(chances.edges["chance"].sum()) / max(chances.edges.height, 1), along),
        others=Channel(float((friends * shares[days]).sum()), others),
        new=Channel(float((friends * days).sum()) / horizon, outside.height),
        customers=min(customers.height, others),
    )
