"""Which customers a look at the past takes: all, half of them, a quarter, ... by a hash of their ids."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from segmenter.hashing import quick_hash
from segmenter.tables import Summary

# Before this many days of history nothing is learned from a date.
MIN_HISTORY_DAYS = 30


@dataclass(frozen=True)
class Sampling:
    """How many customers a past needs. Who came at or after `first` (None: the as-of date) has no say in how many are kept.

    >>> ids = pl.Series([f"C{number}" for number in range(1000)])
    >>> is_sampled(ids, halvings(ids, 300, seed=1), seed=1).sum()
    260
    """

    max_customers: int | None  # None for all
    seed: int
    first: date | None = None
    min_days: int = MIN_HISTORY_DAYS  # no date is looked at with less history than this

    def halvings(self, summary: Summary) -> int:
        """Say how often the customers of a summary of all orders are halved."""
        if self.max_customers is None:
            return 0
        as_of, began = summary.terms.as_of, summary.first
        first = as_of if self.first is None or began is None else max(self.first, began + timedelta(days=self.min_days))
        days = (as_of - min(first, as_of)).days
        return halvings(summary.frame.filter(pl.col("days_since_first_row") > days)["customer_id"], self.max_customers, self.seed)


def halvings(ids: pl.Series, max_customers: int, seed: int) -> int:
    """Say how often distinct customers are halved until at most so many (≥ 1) are left.

    It is the same whether `ids` were halved before or not, as long as that was less often.
    """
    hashes = quick_hash(ids, seed, "past")
    count = 0
    while len(hashes) > max_customers:
        count += 1
        hashes = hashes[hashes < np.uint64(1 << 64 - count)]
    return count


def is_sampled(ids: pl.Series, halvings: int, seed: int) -> pl.Series:
    """Say which customers belong to a sample: the hash of their ids begins with so many zero bits. A smaller one is part of a larger."""
    if not halvings:
        return pl.repeat(value=True, n=len(ids), dtype=pl.Boolean, eager=True)
    return pl.Series(quick_hash(ids, seed, "past") >> np.uint64(64 - halvings) == 0)
