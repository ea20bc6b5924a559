"""What a shop knew at earlier dates, and what came after them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from threading import RLock
from typing import Any, TypeVar

import numpy as np
import polars as pl

from segmenter.errors import InputError
from segmenter.hashing import quick_hash
from segmenter.measures.customer_frame import measure
from segmenter.measures.timeline import Timeline, timeline_of
from segmenter.tables import EPOCH, Summary, Tables, Terms

Found = TypeVar("Found")
# Before this many days of history nothing is learned from a date.
LEAST_DAYS = 30
_QUIET = timedelta(days=7)  # without orders, which a shop may have


@dataclass(frozen=True)
class Sampling:
    """How many customers a past needs: all, half of them, a quarter, ... by a hash of their ids.

    Parameters
    ----------
    most : int or None
        Customers at most; None for all.
    seed : int
        The job's seed.
    first : date or None
        Who came at or after this date has no say in how many are kept; None for the as-of date.
    least_days : int
        No date is looked at with less history than this.

    Examples
    --------
    >>> ids = pl.Series([f"C{number}" for number in range(1000)])
    >>> of_sample(ids, halvings(ids, most=300, seed=1), seed=1).sum()
    260
    """

    most: int | None
    seed: int
    first: date | None = None
    least_days: int = LEAST_DAYS

    def halvings(self, summary: Summary) -> int:
        """Say how often the customers of a summary are halved.

        Parameters
        ----------
        summary : Summary
            What all orders came to.

        Returns
        -------
        int
            From 0.
        """
        if self.most is None:
            return 0
        as_of, began = summary.terms.as_of, summary.first
        first = as_of if self.first is None or began is None else max(self.first, began + timedelta(days=self.least_days))
        days = (as_of - min(first, as_of)).days
        return halvings(summary.frame.filter(pl.col("days_since_first_row") > days)["customer_id"], self.most, self.seed)


def halvings(ids: pl.Series, most: int, seed: int) -> int:
    """Say how often customers are halved until few enough are left.

    Parameters
    ----------
    ids : Series of String
        Those who have a say, each once.
    most : int
        How many may be left, ≥ 1.
    seed : int
        The job's seed.

    Returns
    -------
    int
        From 0; the same whether `ids` were halved before or not, as long as that was less often.

    Examples
    --------
    See `Sampling`.
    """
    quick = quick_hash(ids, seed, "past")
    count = 0
    while len(quick) > most:
        count += 1
        quick = quick[quick < np.uint64(1 << 64 - count)]
    return count


def of_sample(ids: pl.Series, halvings: int, seed: int) -> pl.Series:
    """Say which customers belong to a sample: the hash of their ids begins with so many zeros.

    Parameters
    ----------
    ids : Series of String
        Without nulls.
    halvings : int
        From 0, when all do.
    seed : int
        The job's seed.

    Returns
    -------
    Series of Boolean
        In the order of `ids`. A smaller sample is part of a larger one.

    Examples
    --------
    See `Sampling`.
    """
    if not halvings:
        return pl.repeat(value=True, n=len(ids), dtype=pl.Boolean, eager=True)
    return pl.Series(quick_hash(ids, seed, "past") >> np.uint64(64 - halvings) == 0)


@dataclass(frozen=True)
class Kept:
    """What was computed before, for any number of threads.

    Parameters
    ----------
    found : dict
        The results by name.
    locks : dict
        Held by the thread that computes one.
    guard : Lock
        Of the locks.
    """

    found: dict[Hashable, Any] = field(default_factory=dict)
    locks: dict[Hashable, "RLock"] = field(default_factory=dict)
    guard: "RLock" = field(default_factory=RLock)

    def lock_of(self, what: Hashable) -> "RLock":
        """Give the lock of a result."""
        with self.guard:
            return self.locks.setdefault(what, RLock())


@dataclass(frozen=True)
class Past:
    """A shop's history up to a date, looked at from any earlier one.

    Parameters
    ----------
    tables : Tables
        Their orders one by one.
    timeline : Timeline
        The same orders.
    until : date
        Nothing at or after its midnight is looked at.
    half_life_days, window_days
        See `measure`.
    share : float
        Of the shop's customers that it has: 1, 1/2, 1/4, ...
    kept : Kept
        What was computed so far; shared by the pasts made of this one.
    """

    tables: Tables
    timeline: Timeline
    until: date
    half_life_days: float
    window_days: int | None
    share: float = 1.0
    kept: Kept = field(default_factory=Kept)

    @property
    def end(self) -> date:
        """Where its orders end: `until`, or earlier where they are older than a week, as an old export's are."""
        days = self.timeline.days[self.timeline.days < (self.until - EPOCH).days]
        last = EPOCH + timedelta(days=int(days.max()) + 1) if len(days) else self.until
        # Else the days without data would teach that nobody buys any more.
        return self.until if self.until - last <= _QUIET else last

    def before(self, until: date) -> "Past":
        """Look no further than a date.

        Parameters
        ----------
        until : date
            Not after the present one.

        Returns
        -------
        Past
            Which shares what was computed.
        """
        if until > self.until:
            raise ValueError(f"a past cannot be prolonged: should be at most {self.until} (got {until})")
        return replace(self, until=until)

    def with_half_life(self, days: float) -> "Past":
        """Measure decayed spend by another half-life.

        Parameters
        ----------
        days : float
            The half-life; > 0.

        Returns
        -------
        Past
            Of the same orders.
        """
        return self if days == self.half_life_days else replace(self, half_life_days=days, kept=Kept())

    def once(self, what: Hashable, compute: Callable[[], Found]) -> Found:
        """Compute something about this past, unless it was computed before.

        Parameters
        ----------
        what : hashable
            Its name, and all that it depends on besides the tables.
        compute : callable
            Gives it.

        Returns
        -------
        object
            What it gave.
        """
        with self.kept.lock_of(what):
            if what not in self.kept.found:
                self.kept.found[what] = compute()
        found: Found = self.kept.found[what]
        return found

    def sample(self, most: int, seed: int) -> "Past":
        """Keep at most so many customers, by a hash of their ids: all, half of them, a quarter, ...

        Parameters
        ----------
        most : int
            Of the customers with orders by `until`; those who came later have no say in who is kept.
        seed : int
            The job's seed.

        Returns
        -------
        Past
            Itself where there are no more.
        """
        known = self.timeline.customers.filter(pl.Series(self.timeline.ends((self.until - EPOCH).days) > self.timeline.starts[:-1]))
        times = halvings(known, most, seed)
        if 0.5**times >= self.share:
            return self
        return self.once(("sample", times, seed), lambda: self._sample(times, seed)).before(self.until)

    def _sample(self, times: int, seed: int) -> "Past":
        few = _thinned(self.tables, times, seed)
        assert isinstance(few.orders, pl.DataFrame)  # as `past_of` made sure
        return replace(self, tables=few, timeline=timeline_of(few.orders), until=date.max, share=0.5**times, kept=Kept())

    def measures(self, as_of: date) -> pl.DataFrame:
        """Compute the measures as they were.

        Parameters
        ----------
        as_of : date
            Not after `until`.

        Returns
        -------
        DataFrame
            See `measure`. What has no date was not known: referrals without a time count nothing, and customers without a date of
            joining are there from their first order or event on.
        """
        if as_of > self.until:
            raise ValueError(f"measures of a past: should be as of {self.until} at most (got {as_of})")
        return self.once(("measures", as_of), lambda: self._measures(as_of))

    def _measures(self, as_of: date) -> pl.DataFrame:
        terms = Terms(as_of, self.half_life_days, self.window_days)
        dated = self.tables.referrals.filter(pl.col("time").is_not_null())
        tables = replace(self.tables, orders=self.timeline.summary(terms), referrals=dated)
        measures = measure(tables, as_of=as_of, half_life_days=self.half_life_days, window_days=self.window_days)
        return measures.filter(pl.col("days_known").is_not_null())

    def later(self, customers: pl.Series, as_of: date, horizon_days: int) -> pl.DataFrame:
        """Say what customers did within a horizon.

        Parameters
        ----------
        customers : Series of String
            Sorted.
        as_of : date
            When it began.
        horizon_days : int
            How many days; they end by `until`.

        Returns
        -------
        DataFrame
            ``spend`` (net, minor units) and ``orders``, in the order of `customers`.
        """
        stop = as_of + timedelta(days=horizon_days)
        if stop > self.until:
            raise ValueError(f"what came later is not known yet: should end by {self.until} (got {stop})")
        found = self.timeline.between(as_of, stop)
        joined = customers.alias("customer_id").to_frame().join(found, on="customer_id", how="left", maintain_order="left")
        return joined.select(pl.col("spend", "orders").fill_null(0))

    def cuts(self, horizon_days: int, step_days: int, most: int) -> list[date]:
        """List the latest dates whose horizon is over, and before which there was a history.

        Parameters
        ----------
        horizon_days, step_days : int
            How long each is looked after, and how far they lie apart.
        most : int
            How many.

        Returns
        -------
        list of date
            The latest first; perhaps none.
        """
        if self.timeline.span is None:
            return []
        earliest = self.timeline.span[0] + timedelta(days=min(horizon_days, LEAST_DAYS))
        dates = (self.end - timedelta(days=horizon_days + step_days * number) for number in range(most))
        return [day for day in dates if day >= earliest]


def past_of(
    tables: Tables,
    until: date,
    half_life_days: float,
    window_days: int | None,
    *,
    most: int | None = None,
    first: date | None = None,
    seed: int = 0,
) -> Past:
    """Make a past of a shop's tables.

    Parameters
    ----------
    tables : Tables
        With the orders themselves.
    until : date
        Up to when.
    half_life_days, window_days
        See `measure`.
    most, first, seed
        How many customers to keep: see `Sampling`. All where `most` is None.

    Returns
    -------
    Past
        All of it.

    Raises
    ------
    InputError
        The orders were added up as they were read.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "a"], "time": ["2026-06-30", "2026-05-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> past = past_of(tables, date(2026, 7, 1), 90, None)
    >>> frame = past.measures(date(2026, 6, 1))
    >>> frame["spend"].item(), past.later(frame["customer_id"], date(2026, 6, 1), 30).row(0)
    (750, (1250, 1))
    """
    times = 0
    if isinstance(tables.orders, Summary):
        if tables.sample is None:
            raise InputError("scoring: this ranking looks at single orders, and they were added up as they were read; use engine=local")
        times = tables.sample.halvings
        tables = _thinned(replace(tables, orders=tables.sample.orders), times, seed)
    assert isinstance(tables.orders, pl.DataFrame)  # for the type checker
    if most is not None:
        known = tables.orders.lazy().filter(pl.col("time") < (first or until)).select(pl.col("customer_id").unique()).collect().to_series()
        if (more := halvings(known, most, seed)) > times:
            times, tables = more, _thinned(tables, more, seed)
    assert isinstance(tables.orders, pl.DataFrame)  # for the type checker
    return Past(tables, timeline_of(tables.orders), until, half_life_days, window_days, share=0.5**times)


def _thinned(tables: Tables, times: int, seed: int) -> Tables:
    def of(table: pl.DataFrame) -> pl.DataFrame:
        return table.filter(of_sample(table["customer_id"], times, seed))

    assert isinstance(tables.orders, pl.DataFrame)  # as the callers made sure
    people = None if tables.customers is None else of(tables.customers)
    return replace(tables, orders=of(tables.orders), customers=people, events=of(tables.events), referrals=of(tables.referrals))
