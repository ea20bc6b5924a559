"""Order rows that were kept become orders, single or aggregated, part by part."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import narwhals as nw
import polars as pl

from segmenter import tables
from segmenter.checks.order_grain import OrderGrain
from segmenter.measures.definition import NEAR, order_values, rows_of, whole_orders
from segmenter.measures.sampling import Sampling, is_sampled
from segmenter.measures.shop_orders import AggregatedOrders, Sample, SingleOrders
from segmenter.sources.file_days import Span, days_of_files
from segmenter.sources.order_checks import share_once
from segmenter.sources.order_parts import Parts
from segmenter.sources.order_statuses import sum_statuses
from segmenter.tables import Terms


@dataclass
class Totals:
    """What rows before the as-of date come to, added up part by part."""

    as_of: date
    status: bool  # whether they have one
    category: bool
    turnover: int = 0
    by_day: list[pl.DataFrame] = field(default_factory=list)
    statuses: list[pl.DataFrame] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    spending: list[pl.DataFrame] = field(default_factory=list)  # of all dates

    def add(self, rows: pl.DataFrame) -> None:
        """Add a part."""
        before = rows.filter(pl.col("time") < self.as_of)
        net = _with_values(before).select(day=pl.col("time").dt.date(), amount="amount")
        self.by_day.append(net.group_by("day").agg(rows=pl.len().cast(pl.Int64), amount=pl.col("amount").sum()))
        self.spans += days_of_files(before, self.as_of)
        self.turnover += int(before["paid"].abs().sum())
        if self.status:
            self.statuses.append(sum_statuses(before))
        if self.category:
            self.spending.append(_with_values(rows).select(tables.SPENDING.names()))

    def days(self) -> pl.DataFrame:
        """Give `OrdersProfile.by_day`."""
        return pl.concat(self.by_day).group_by("day").agg(pl.col("rows", "amount").sum()).sort("day")


@dataclass(frozen=True)
class KeptOrders:
    """Rows that are orders, or lines of them."""

    good: pl.Series  # of all rows
    parts: Parts
    grain: OrderGrain
    twice: pl.Series  # the places of refunds that were told before

    def single(self, totals: Totals) -> SingleOrders:
        """Give every single order."""
        return SingleOrders(pl.concat([self._orders(rows) for rows in self._rows(totals)]))

    def aggregated(self, terms: Terms, sampling: Sampling | None, totals: Totals) -> AggregatedOrders:
        """Give what they come to, and the single orders of some customers."""
        from segmenter.measures.aggregator import Aggregator

        aggregator = Aggregator(terms)
        for rows in self._rows(totals):
            aggregator.add_orders(self._orders(rows))
        summary = aggregator.summary()
        if sampling is None:
            return AggregatedOrders(summary)
        halvings = sampling.halvings(summary)
        chosen = [rows.filter(is_sampled(rows["customer_id"], halvings, sampling.seed)) for rows in self._rows(None)]
        return AggregatedOrders(summary, Sample(pl.concat([self._orders(rows) for rows in chosen]), halvings))

    def _rows(self, totals: Totals | None) -> Iterator[pl.DataFrame]:
        for values in self.parts():
            rows = values.filter(self.good.gather(values["at"]))
            if self.twice.len():
                again = pl.col("at").is_in(self.twice.implode())
                rows = rows.with_columns(pl.when(again).then(0).otherwise("paid").alias("paid"), back=pl.col("back") | again)
            rows = share_once(rows.drop("at")) if self.grain.once else rows.drop("at")
            if totals is not None:
                totals.add(rows)
            yield rows

    def _orders(self, rows: pl.DataFrame) -> pl.DataFrame:
        return canonical_orders(rows, self.grain.grain, 0 if self.grain.used_again else NEAR)


def canonical_orders(rows: pl.DataFrame, grain: str, near: int = NEAR) -> pl.DataFrame:
    """Turn order rows into canonical orders and refunds, as `tables.ORDERS`: of each row, or of the rows of one ``order_id``."""
    if grain == "order":
        return _with_values(rows).select(tables.ORDERS.names())
    orders: pl.DataFrame = whole_orders(nw.from_native(rows_of(rows).lazy()), near).to_native().collect()
    return orders.with_columns(pl.col("time_us").cast(tables.TIME).alias("time")).select(tables.ORDERS.names())


def _with_values(rows: pl.DataFrame) -> pl.DataFrame:
    return nw.from_native(rows).with_columns(**order_values()).to_native()
