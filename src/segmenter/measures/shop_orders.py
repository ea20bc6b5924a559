"""The two things that can be behind a shop's orders: every single one, or what they came to as they were read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import polars as pl

from segmenter.errors import InputError
from segmenter.measures.definition import summarize_frame
from segmenter.messages import Message
from segmenter.tables import Orders, Summary, Terms

KERNEL_ROWS = 1_000_000  # from so many on the kernel repays the loading of its compiled code


@dataclass(frozen=True)
class SingleOrders(Orders):
    """Every single order, as `tables.ORDERS`."""

    frame: pl.DataFrame

    @property
    def days(self) -> tuple[date | None, date | None]:
        first, last = self.frame.select(pl.col("time").min().alias("first"), pl.col("time").max().alias("last")).row(0)
        return (first.date(), last.date()) if first is not None else (None, None)

    @property
    def halvings(self) -> int:
        return 0

    @property
    def has_single(self) -> bool:
        return True

    def single(self) -> pl.DataFrame:
        return self.frame

    def summary(self, terms: Terms) -> Summary:
        if self.frame.height < KERNEL_ROWS:
            return summarize_frame(self.frame, terms)
        from segmenter.measures.aggregator import aggregate

        return aggregate(self.frame, terms)

    def customers(self, before: date) -> pl.Series:
        return self.frame.lazy().filter(pl.col("time") < before).select(pl.col("customer_id").unique()).collect().to_series()

    def totals(self, before: date) -> pl.DataFrame:
        sums = pl.col("is_order").sum().cast(pl.Int64).alias("orders"), pl.col("amount").sum().alias("spend")
        return self.frame.lazy().filter(pl.col("time") < before).group_by("customer_id").agg(*sums).collect()

    def of(self, customers: pl.Series) -> Orders:
        return self

    def ids(self) -> pl.Series:
        return self.frame["customer_id"]

    def last_order(self, before: date) -> date | None:
        last: date | None = self.frame.select(pl.col("time").filter(pl.col("is_order") & (pl.col("time") < before)).max().dt.date()).item()
        return last


class History(Protocol):
    """All orders before a date by customer and time, in memory (`timeline.Timeline`) or on disk (`run_history.RunHistory`)."""

    @property
    def span(self) -> tuple[date, date] | None: ...
    def last_day(self, before: date) -> date | None: ...
    def known(self, before: date) -> pl.Series: ...
    def summary(self, terms: Terms) -> Summary: ...
    def between(self, start: date, stop: date) -> pl.DataFrame: ...
    def purchases(self, as_of: date) -> pl.DataFrame: ...


class StoredHistory(History, Protocol):
    """Such orders on disk, of which single ones can be taken."""

    def orders(self, chosen: Callable[[pl.Series], pl.Series], start: date = ..., stop: date | None = None) -> pl.DataFrame: ...
    def without(self, nobody: Sequence[str]) -> "StoredHistory": ...


@dataclass(frozen=True)
class Sample:
    """The single orders of a half to the power of `halvings` of all customers."""

    orders: pl.DataFrame
    halvings: int


@dataclass(frozen=True)
class AggregatedOrders(Orders):
    """What orders come to as of one date, the single orders of some customers where they are wanted, and all of them if they are stored."""

    aggregate: Summary
    sample: Sample | None = None
    history: StoredHistory | None = None
    read: Callable[[pl.Series], pl.DataFrame] | None = None  # the single orders of some customers, out of where they come from

    @property
    def days(self) -> tuple[date | None, date | None]:
        return self.aggregate.first, self.aggregate.last

    @property
    def halvings(self) -> int:
        return 0 if self.sample is None else self.sample.halvings

    @property
    def has_single(self) -> bool:
        return self.sample is not None or self.history is not None

    def single(self) -> pl.DataFrame:
        if self.sample is None and self.history is not None:
            return self.history.orders(lambda ids: pl.repeat(value=True, n=len(ids), eager=True))
        if self.sample is None:
            wrong = "scoring: this ranking looks at single orders, and they were aggregated as they were read; use engine=local"
            raise InputError(Message("sources.no_single_orders", wrong))
        return self.sample.orders

    def summary(self, terms: Terms) -> Summary:
        if self.aggregate.terms != terms:
            raise ValueError(f"the orders were summarized for other terms: should be {terms} (got {self.aggregate.terms})")
        return self.aggregate

    def customers(self, before: date) -> pl.Series:
        self._check(before)
        return self.aggregate.frame["customer_id"]

    def totals(self, before: date) -> pl.DataFrame:
        self._check(before)
        return self.aggregate.frame.select("customer_id", pl.col("orders").cast(pl.Int64), "spend")

    def of(self, customers: pl.Series) -> Orders:
        return self if self.read is None else replace(self, sample=Sample(self.read(customers), 0))

    def ids(self) -> pl.Series:
        return pl.concat([self.aggregate.frame["customer_id"], *([] if self.sample is None else [self.sample.orders["customer_id"]])])

    def last_order(self, before: date) -> date | None:
        self._check(before)
        last: date | None = self.aggregate.frame.select(pl.col("last_order_at").max().dt.date()).item()
        return last

    def _check(self, before: date) -> None:
        if before != self.aggregate.terms.as_of:
            raise ValueError(f"the orders were summarized as of {self.aggregate.terms.as_of} (got {before})")
