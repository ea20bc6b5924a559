"""What a shop knew at earlier dates, and what came after them."""

from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from threading import RLock
from typing import Any, TypeVar

import polars as pl

from segmenter.measures.customer_frame import measure
from segmenter.measures.sampling import MIN_HISTORY_DAYS, halvings, is_sampled
from segmenter.measures.shop_orders import AggregatedOrders, History, SingleOrders, StoredHistory
from segmenter.measures.timeline import timeline_of
from segmenter.tables import Tables, Terms

Result = TypeVar("Result")
_QUIET = timedelta(days=7)  # without orders, which a shop may have


@dataclass(frozen=True)
class Cache:
    """What was computed before, by name, for any number of threads: each result has a lock, and the guard is that of the locks."""

    results: dict[Hashable, Any] = field(default_factory=dict)
    locks: dict[Hashable, "RLock"] = field(default_factory=dict)
    guard: "RLock" = field(default_factory=RLock)

    def lock_of(self, what: Hashable) -> "RLock":
        """Give the lock of a result."""
        with self.guard:
            return self.locks.setdefault(what, RLock())


@dataclass(frozen=True)
class Past:
    """A shop's history up to a date, looked at from any earlier one."""

    tables: Tables  # with single orders
    timeline: History  # of the same orders
    until: date  # nothing at or after its midnight is looked at
    half_life_days: float
    window_days: int | None
    horizon_days: int | None = None  # where it is given, its measures have those of `spec.LEARNING`
    share: float = 1.0  # of the shop's customers that it has: 1, 1/2, 1/4, ...
    cache: Cache = field(default_factory=Cache)  # shared by the pasts made of this one
    stored: StoredHistory | None = None  # the `timeline`, where it is on disk: its measures are those of many, and not held

    @property
    def end(self) -> date:
        """Where its orders end: `until`, or earlier where they are older than a week, as an old export's are."""
        last = (self.timeline.last_day(self.until) or self.until - timedelta(days=1)) + timedelta(days=1)
        # Else the days without data would teach that nobody buys any more.
        return self.until if self.until - last <= _QUIET else last

    def before(self, until: date) -> "Past":
        """Look no further than a date that is not after the present one; what was computed is shared."""
        if until > self.until:
            raise ValueError(f"a past cannot be prolonged: should be at most {self.until} (got {until})")
        return replace(self, until=until)

    def with_half_life(self, days: float) -> "Past":
        """Measure decayed spend by another half-life."""
        return self if days == self.half_life_days else replace(self, half_life_days=days, cache=Cache())

    def once(self, what: Hashable, compute: Callable[[], Result]) -> Result:
        """Compute something about this past, unless it was before; `what` holds all that it depends on besides the tables."""
        with self.cache.lock_of(what):
            if what not in self.cache.results:
                self.cache.results[what] = compute()
        result: Result = self.cache.results[what]
        return result

    def sample(self, max_customers: int, seed: int) -> "Past":
        """Keep at most so many of the customers with orders by `until`; those who came later have no say in who is kept."""
        times = halvings(self.timeline.known(self.until), max_customers, seed)
        if 0.5**times >= self.share and self.stored is None:
            return self
        return self.once(("sample", times, seed), lambda: self._sample(times, seed)).before(self.until)

    def _sample(self, times: int, seed: int) -> "Past":
        few = _thinned(self.tables, times, seed, self.stored)
        timeline = timeline_of(few.orders.single())
        return replace(self, tables=few, timeline=timeline, until=date.max, share=0.5**times, cache=Cache(), stored=None)

    def measures(self, as_of: date) -> pl.DataFrame:
        """Compute the measures as they were, see `measure`.

        What has no date was not known: referrals without a time count nothing, and customers without a date of joining are there
        from their first order or event on.
        """
        if as_of > self.until:
            raise ValueError(f"measures of a past: should be as of {self.until} at most (got {as_of})")
        return self._measures(as_of) if self.stored else self.once(("measures", as_of), lambda: self._measures(as_of))

    def _measures(self, as_of: date) -> pl.DataFrame:
        terms = Terms(as_of, self.half_life_days, self.window_days, self.horizon_days)
        dated = self.tables.referrals.filter(pl.col("time").is_not_null())
        tables = replace(self.tables, orders=AggregatedOrders(self.timeline.summary(terms)), referrals=dated)
        measures = measure(tables, **asdict(terms))
        return measures.filter(pl.col("days_known").is_not_null()) if measures["days_known"].null_count() else measures

    def later(self, customers: pl.Series, as_of: date, horizon_days: int) -> pl.DataFrame:
        """Give ``spend`` (net, minor units) and ``orders`` of sorted customers within a horizon that ends by `until`."""
        stop = as_of + timedelta(days=horizon_days)
        if stop > self.until:
            raise ValueError(f"what came later is not known yet: should end by {self.until} (got {stop})")
        later = self.timeline.between(as_of, stop)
        joined = customers.alias("customer_id").to_frame().join(later, on="customer_id", how="left", maintain_order="left")
        return joined.select(pl.col("spend", "orders").fill_null(0))

    def cuts(self, horizon_days: int, step_days: int, max_cuts: int) -> list[date]:
        """List the latest dates, the latest first, whose horizon is over and before which there was a history."""
        if self.timeline.span is None:
            return []
        earliest = self.timeline.span[0] + timedelta(days=min(horizon_days, MIN_HISTORY_DAYS))
        dates = (self.end - timedelta(days=horizon_days + step_days * number) for number in range(max_cuts))
        return [day for day in dates if day >= earliest]


def past_of(
    tables: Tables,
    until: date,
    half_life_days: float,
    window_days: int | None,
    horizon_days: int | None = None,
    *,
    max_customers: int | None = None,
    first: date | None = None,
    seed: int = 0,
) -> Past:
    """Make a past of a shop's tables with single orders; of at most so many customers, see `Sampling`.

    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "a"], "time": ["2026-06-30", "2026-05-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> past = past_of(tables, date(2026, 7, 1), 90, None)
    >>> frame = past.measures(date(2026, 6, 1))
    >>> frame["spend"].item(), past.later(frame["customer_id"], date(2026, 6, 1), 30).row(0)
    (750, (1250, 1))
    """
    times, orders, nobody = tables.orders.halvings, tables.orders, tables.not_customers
    stored = orders.history.without(nobody) if isinstance(orders, AggregatedOrders) and orders.history and max_customers is None else None
    if stored is None:
        tables = replace(tables, orders=SingleOrders(orders.single()))
    if nobody:
        tables = _kept(tables, lambda table: table.filter(~pl.col("customer_id").is_in(nobody)))
    if stored is not None:
        return Past(tables, stored, until, half_life_days, window_days, horizon_days, stored=stored)
    if times:
        tables = _thinned(tables, times, seed)
    if max_customers is not None:
        known = tables.orders.customers(first or until)
        if (more := halvings(known, max_customers, seed)) > times:
            times, tables = more, _thinned(tables, more, seed)
    return Past(tables, timeline_of(tables.orders.single()), until, half_life_days, window_days, horizon_days, share=0.5**times)


def _thinned(tables: Tables, times: int, seed: int, stored: StoredHistory | None = None) -> Tables:
    few = _kept(tables, lambda table: table.filter(is_sampled(table["customer_id"], times, seed)))
    return few if stored is None else replace(few, orders=SingleOrders(stored.orders(lambda ids: is_sampled(ids, times, seed))))


def _kept(tables: Tables, of: Callable[[pl.DataFrame], pl.DataFrame]) -> Tables:
    customers = None if tables.customers is None else of(tables.customers)
    orders = SingleOrders(of(tables.orders.single())) if isinstance(tables.orders, SingleOrders) else tables.orders
    return replace(tables, orders=orders, customers=customers, events=of(tables.events), referrals=of(tables.referrals))
