"""How many the members of past launches brought, against what was expected of them: by how much the next ones' numbers are corrected."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.tables import INVITED

Floats = NDArray[np.float64]


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
        """Draw by how much what is expected is to be multiplied: the posterior of a Poisson rate (Jeffreys), before 1 with doubt as large."""
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

    def known(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw the share of customers among the others."""
        found: Floats = rng.beta(self.customers + 0.5, self.others.brought - self.customers + 0.5, count)
        return found


def share_by_day(fatigue: float, days: int) -> Floats:
    """Give by day after joining the share of a horizon's bringing up to it, where each week has `fatigue` times that of the one before."""
    daily = fatigue ** (np.arange(days) // 7)
    share: Floats = np.cumsum(daily) / daily.sum()
    return share


def learn_bringing(
    invited: pl.DataFrame | None, referrals: pl.DataFrame, people: pl.DataFrame, edges: pl.DataFrame, fatigue: Floats, as_of: date
) -> Bringing:
    """Count whom the members of past launches (`tables.INVITED`) brought until the launch's end, or the as-of date.

    `people` has ``person``, ``friends`` (expected within the horizon) and ``known_days`` (null for who is no customer), `edges` the chances
    along ties. What is expected counts the days that each member had: chances and rates are those of a whole horizon.
    """
    horizon = len(fatigue)
    known = INVITED.to_frame() if invited is None else pl.concat([INVITED.to_frame(), invited], how="diagonal_relaxed")
    known = known.filter(answer="joined").filter(pl.col("answered_on") < as_of)
    days = (pl.min_horizontal("ends_on", pl.lit(as_of)) - pl.col("answered_on")).dt.total_days().clip(0, horizon)
    members = known.select("launch", "as_of", "customer_id", "brought_by", "answered_on", "ends_on", days=days).sort("launch", "customer_id")
    shares = np.concatenate([[0.0], fatigue])
    members = members.with_columns(share=pl.Series(shares[members["days"].to_numpy().astype(np.int64) - (members["days"] > 0).to_numpy()]))
    pairs = members.filter(pl.col("brought_by").is_not_null())
    ties = edges.select(brought_by="from_id", customer_id="to_id")
    along = pairs.join(ties, on=["brought_by", "customer_id"], how="semi")
    others = pairs.join(ties, on=["brought_by", "customer_id"], how="anti")
    before = (pl.lit(as_of) - pl.col("as_of")).dt.total_days()
    customers = others.join(people.select(customer_id="person", known_days="known_days"), on="customer_id")
    return Bringing(
        launches=members["launch"].n_unique(),
        members=members.height,
        ties=Channel(_along_ties(members, pairs, edges), along.height),
        others=Channel(_at_rate(members, people, "share"), others.height),
        new=Channel(_at_rate(members.with_columns(share=pl.col("days") / horizon), people, "share"), _new(members, referrals, as_of)),
        customers=customers.filter(pl.col("known_days") > before).height,
    )


def _along_ties(members: pl.DataFrame, pairs: pl.DataFrame, edges: pl.DataFrame) -> float:
    """Sum the chances along ties to whoever has not joined otherwise."""
    alone = members.join(pairs.select("launch", "customer_id"), on=["launch", "customer_id"], how="anti")
    asked = members.join(edges, left_on="customer_id", right_on="from_id")
    asked = asked.join(alone.select("launch", to_id="customer_id"), on=["launch", "to_id"], how="anti")
    return float(asked.sort("launch", "customer_id", "to_id").select(pl.col("chance") * pl.col("share")).to_series().to_numpy().sum())


def _at_rate(members: pl.DataFrame, people: pl.DataFrame, share: str) -> float:
    rated = members.join(people.select(customer_id="person", friends="friends"), on="customer_id", how="left", maintain_order="left")
    usual = float(people["friends"].mean() or 0.0)  # type: ignore[arg-type]
    return float((rated["friends"].fill_null(usual).to_numpy() * rated[share].to_numpy()).sum())


def _new(members: pl.DataFrame, referrals: pl.DataFrame, as_of: date) -> int:
    """Count the new customers whom members brought while they were members of a running launch, and who joined no group."""
    dated = referrals.filter(pl.col("time").is_not_null()).with_columns(day=pl.col("time").dt.date())
    brought = members.join(dated.filter(pl.col("day") < as_of), on="customer_id")
    brought = brought.filter(pl.col("day") >= pl.col("answered_on"), pl.col("day") < pl.col("ends_on"))
    return brought.join(members, left_on=["launch", "friend_id"], right_on=["launch", "customer_id"], how="anti")["friend_id"].n_unique()
