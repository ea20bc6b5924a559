"""Launches whose customers, regions and lift are made up."""

import numpy as np
import polars as pl


def launch(invited, stratum, spend, before, **more):
    columns = {"invited": invited, "stratum": stratum, "spend": spend, "before": before, **more}
    frame = pl.DataFrame(
        columns, {"invited": pl.Boolean, "stratum": pl.String, "spend": pl.Int64, "before": pl.Int64} | dict.fromkeys(more, pl.String)
    )
    return frame.select(pl.format("C{}", pl.int_range(pl.len())).alias("customer_id"), pl.all())


def regions(seed=3, count=12, held=4, same_size=False):
    chance = np.random.default_rng(seed)
    sizes = np.full(count, 20) if same_size else chance.integers(5, 60, count)
    level = chance.normal(1000, 200, count).repeat(sizes)
    region = np.arange(count).repeat(sizes)
    before = (level + chance.normal(0, 100, len(level))).astype(int)
    spend = (level + chance.exponential(300, len(level))).astype(int)
    return launch(region >= held, "all", spend, before, cluster=pl.Series(region).cast(pl.String))


class Shop:
    """Most buy nothing and a few a lot; who bought much before does so again. A tenth of each of ten strata is held out."""

    def __init__(self, customers, rate, sigma):
        self.chance = np.random.default_rng(7)
        self.customers, self.sigma = customers, sigma
        self.taste = self.chance.normal(size=customers)
        self.rate = rate * np.exp(0.4 * self.taste)
        before = np.exp(9 + 0.8 * self.taste + 0.5 * self.chance.normal(size=customers)) * (self.chance.random(customers) < 0.7)
        self.by_past = np.lexsort((self.chance.random(customers), before))
        stratum = np.empty(customers, int)
        stratum[self.by_past] = np.arange(customers) * 10 // customers
        self.frame = launch(True, pl.Series(stratum).cast(pl.String), 0, before.round().astype(int))

    def launched(self, effect):
        """One launch, whose invitations make so much more of the invited buy, and what they truly brought per customer."""
        rest = (self.sigma**2 - 0.36) ** 0.5 * self.chance.normal(size=self.customers)
        amounts = np.exp(8.5 + 0.6 * self.taste + rest).round().astype(int)
        luck = self.chance.random(self.customers)
        without, with_it = amounts * (luck < self.rate), amounts * (luck < self.rate * (1 + effect))
        size = self.customers // 10
        invited = np.ones(self.customers, bool)
        invited[self.by_past.reshape(10, -1)[:, self.chance.permutation(size)[: size // 10]]] = False
        spend = np.where(invited, with_it, without)
        return self.frame.with_columns(invited=pl.Series(invited), spend=pl.Series(spend)), (with_it - without)[invited].mean()


def story(gain, held=500, cluster=False):
    """A launch of a hundred customers in each of ten regions, who spend 100 or 300 by turns and those invited `gain` more."""
    region = np.arange(2 * held) // (held // 5)
    invited = region % 2 == 0
    spend = 10_000 + 20_000 * (np.arange(2 * held) // 10 % 2) + gain * invited
    more = {"cluster": pl.Series(region).cast(pl.String)} if cluster else {}
    return launch(invited, "all", spend, 100 + np.arange(2 * held) % 10, **more)
