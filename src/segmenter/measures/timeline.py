"""Every customer's orders in the order of time, with running totals: a sum up to any date is a difference of two.

A backtest and a ranking that learns look at many dates; each needs one pass over the days of the orders, and no grouping.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.definition import BETWEEN, rows_of
from segmenter.measures.place_levels import ABOVE, apart
from segmenter.measures.shop_orders import History
from segmenter.measures.spec import WEIGHT_ONE, day_weights, summary_schema, sums
from segmenter.tables import APART, DAY, EPOCH, LEVELS, Summary, Terms

Longs = NDArray[np.int64]
_NONE = np.iinfo(np.int64).min
_OF_ORDERS = 1 << 60  # added to the time of an order: what it says goes before what any refund says
PURCHASES = pl.Schema(
    {
        "customer_id": pl.String(),
        "repeats": pl.Int64(),  # distinct days with an order, after the first
        "last_days": pl.Int64(),  # from the first such day to the last
        "known_days": pl.Int64(),  # from the first such day to the as-of date
        "first_spend": pl.Int64(),  # net spend of the first day
        "repeat_spend": pl.Int64(),  # and of all that came later
    }
)


@dataclass(frozen=True)
class Timeline:
    """Orders and refunds by customer and time. Amounts are minor units, times microseconds and days days since 1970."""

    customers: pl.Series  # sorted
    starts: Longs  # where the rows of each customer begin, and where the last one's end
    days: NDArray[np.int32]
    amounts: Longs
    times: Longs
    totals: dict[str, Longs]  # before each row: what the measures sum, and `order_days`
    latest: dict[tuple[str, str], Longs]  # the last row up to each of any customer that is an "order" or "refund", and names a level; -1
    last_order: Longs  # the last row up to each of any customer that is an order; -1 for none
    places: pl.DataFrame  # the `LEVELS`; the last is none
    codes: NDArray[np.uint32]  # which of the places each row names

    @property
    def span(self) -> tuple[date, date] | None:
        """The days of the first and the last row of all; None without rows."""
        if not len(self.days):
            return None
        return EPOCH + timedelta(days=int(self.days.min())), EPOCH + timedelta(days=int(self.days.max()))

    def last_day(self, before: date) -> date | None:
        """Give the day of the last row before a date."""
        days = self.days[self.days < (before - EPOCH).days]
        return EPOCH + timedelta(days=int(days.max())) if len(days) else None

    def known(self, before: date) -> pl.Series:
        """Give the sorted ids of who had a row before a date."""
        return self.customers.filter(pl.Series(self.ends((before - EPOCH).days) > self.starts[:-1]))

    def ends(self, day: int) -> Longs:
        """Find each customer's first row at or after a day since 1970: the next customer's first row where there is none."""
        if not len(self.days):
            return self.starts[:-1]
        before = np.add.reduceat((self.days < day).view(np.uint8), self.starts[:-1], dtype=np.int64)
        ends: Longs = self.starts[:-1] + before
        return ends

    def summary(self, terms: Terms) -> Summary:
        """Give the same as `definition.summarize_frame`."""
        starts, ends = self.starts[:-1], self.ends(terms.today)
        some = ends > starts
        starts, ends = starts[some], ends[some]

        @cache
        def since(days: int | None) -> Longs:
            """Find each customer's first row that is at most so many days old."""
            return starts if days is None else np.maximum(self.ends(terms.today - days)[some], starts)

        ago = np.where(self.days < terms.today, terms.today - self.days, -1)

        @cache
        def weights(half_life: int | None) -> Longs:
            """Weigh each row by its day; those that are not past by nothing."""
            return np.array([*day_weights(terms, half_life), 0], np.int64)[ago]

        columns: dict[str, Any] = {
            "customer_id": self.customers.filter(pl.Series(some)),
            "days_since_first_row": terms.today - (self.days[starts] if len(starts) else starts),
            **self._moments(starts, ends),
            **self._place(starts, ends),
        }
        for name, measure in sums(terms).items():
            match measure.of:
                case "decayed_amount":
                    columns[name] = self._decayed_amounts(weights(measure.half_life))[some]
                case "decayed_orders":
                    columns[name] = self._by_customer(self._orders * weights(measure.half_life))[some]
                case "largest":
                    largest = pl.Series(self._largest(terms)[some])
                    columns[name] = largest.set(largest == _NONE, None)
                case of:
                    after, to = measure.between(terms)
                    columns[name] = self._sum(str(of), since(to), since(after) if after else ends)
        frame = pl.DataFrame(columns).select(pl.col(name).cast(dtype) for name, dtype in summary_schema(terms).items())
        return Summary(frame, terms, *(self.span or (None, None)))

    def between(self, start: date, stop: date) -> pl.DataFrame:
        """Give ``spend`` (net, minor units) and ``orders`` of every ``customer_id`` from one midnight to another."""
        first, last = (self.ends((day - EPOCH).days) for day in (start, stop))
        columns = {"spend": self._sum("amount", first, last), "orders": self._sum("orders", first, last)}
        return pl.DataFrame({"customer_id": self.customers, **columns})

    def purchases(self, as_of: date) -> pl.DataFrame:
        """Give the `PURCHASES` before a date, of customers with any: what a customer orders on one day is one purchase."""
        today = (as_of - EPOCH).days
        starts, ends = self.starts[:-1], self.ends(today)
        bought = self._sum("orders", starts, ends) > 0
        starts, ends = starts[bought], ends[bought]
        first, last = self._first_orders(starts), self.last_order[ends - 1]
        first_day = self.days[first].astype(np.int64)
        # What is given back on the first day, or before it, belongs to it.
        code = np.flatnonzero(bought)
        key = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts)) << 32 | self.days
        next_day = np.minimum(np.searchsorted(key, code << 32 | first_day, side="right"), ends)
        columns = {
            "customer_id": self.customers.filter(pl.Series(bought)),
            "repeats": self._sum("order_days", starts, ends) - 1,
            "last_days": self.days[last] - first_day,
            "known_days": today - first_day,
            "first_spend": self._sum("amount", starts, next_day),
            "repeat_spend": self._sum("amount", next_day, ends),
        }
        return pl.DataFrame(columns, schema=PURCHASES)

    def _sum(self, name: str, starts: Longs, ends: Longs) -> Longs:
        total = self.totals[name]
        difference: Longs = total[ends] - total[starts]
        return difference

    @cached_property
    def _orders(self) -> Longs:
        """Which rows are orders: 1, or 0."""
        return np.diff(self.totals["orders"])

    @cached_property
    def _small(self) -> bool:
        """Whether sums of weighted amounts surely stay inside 64 bits."""
        return int(np.abs(self.amounts).max(initial=0)) * len(self.amounts) < 2**62 // WEIGHT_ONE

    def _decayed_amounts(self, weights: Longs) -> Longs:
        if self._small:
            return self._by_customer(self.amounts * weights) // WEIGHT_ONE
        # In two parts, which stay inside 64 bits wherever the sum of the amounts does.
        ones, rest = (self._by_customer(part * weights) for part in (self.amounts // WEIGHT_ONE, self.amounts % WEIGHT_ONE))
        return ones + rest // WEIGHT_ONE

    def _by_customer(self, values: Longs) -> Longs:
        total: Longs = np.add.reduceat(values, self.starts[:-1]) if len(values) else values
        return total

    def _largest(self, terms: Terms) -> Longs:
        if not len(self.days):
            return np.zeros(0, np.int64)
        orders = np.where((self._orders == 1) & (self.days < terms.today), self.amounts, _NONE)
        largest: Longs = np.maximum.reduceat(orders, self.starts[:-1])
        return largest

    def _first_orders(self, starts: Longs) -> Longs:
        """Give the first row from each start on that is an order."""
        orders = self.totals["orders"]
        # The running total is one higher from the row after the first order on.
        first: Longs = np.searchsorted(orders, orders[starts] + 1) - 1
        return first

    def _moments(self, starts: Longs, ends: Longs) -> dict[str, pl.Series]:
        ordered = self._sum("orders", starts, ends) > 0
        rows = {"first_order_at": self._first_orders(starts), "last_order_at": self.last_order[ends - 1] if len(ends) else ends}
        moments = {}
        for name, at in rows.items():
            times = pl.Series(name, self.times[np.where(ordered, at, 0)]) if len(starts) else pl.Series(name, starts)
            moments[name] = pl.select(pl.when(pl.Series(ordered)).then(times)).to_series().alias(name)
        return moments

    def _place(self, starts: Longs, ends: Longs) -> dict[str, pl.Series]:
        """Name each level as the latest order that names it; as the latest refund where no order does."""
        codes, times = np.append(self.codes, np.uint32(self.places.height - 1)), np.append(self.times, np.int64(-1))
        told: dict[str, pl.Series] = {}
        for level in LEVELS:
            rows, rank = np.full(len(starts), -1, np.int64), np.zeros(len(starts), np.int64)
            for kind in ("refund", "order"):
                if (latest := self.latest.get((kind, level))) is not None:
                    known = latest[ends - 1] >= starts
                    rows, rank = np.where(known, latest[ends - 1], rows), np.where(known, _OF_ORDERS * (kind == "order"), rank)
            told |= {f"{level}_{name}": names for name, names in self.places[pl.Series(codes[rows])].to_dict().items()}
            told[f"{level}_at"] = pl.Series(times[rows] + rank)
        names = {level: pl.col(f"{level}_{level}") for level in LEVELS}
        above = {name: pl.col(name) for name in ABOVE}
        moments = {level: pl.col(f"{level}_at") for level in LEVELS}
        return pl.DataFrame(told).select(**names, **{APART: apart(names | above, moments)}).to_dict()


def timeline_of(orders: pl.DataFrame) -> Timeline:
    """Put canonical orders (`tables.ORDERS`) in the order of customers and time: the same for any order of the rows.

    >>> from datetime import datetime
    >>> from segmenter.tables import APART, ORDERS
    >>> days = [datetime(2026, 6, 30), datetime(2026, 6, 1), datetime(2026, 6, 1)]
    >>> orders = [{"customer_id": "a", "time": day, "amount": 100, "refund": 0, "is_order": True} for day in days]
    >>> timeline = timeline_of(pl.DataFrame(orders, schema=ORDERS))
    >>> timeline.purchases(date(2026, 7, 1)).select("repeats", "last_days", "known_days", "first_spend", "repeat_spend").rows()
    [(1, 29, 30, 200, 100)]
    >>> timeline.between(date(2026, 6, 2), date(2026, 7, 1)).row(0)
    ('a', 100, 1)
    """
    customers = orders["customer_id"].unique().sort()
    rows = rows_of(orders)
    place = pl.concat_str(pl.col(LEVELS).fill_null(""), separator=BETWEEN)
    rows = rows.with_columns(place=pl.when(pl.any_horizontal(pl.col(LEVELS).is_not_null())).then(place))
    places = rows["place"].drop_nulls().unique().sort()
    levels = _levels(places)
    coded = rows.select(
        pl.col("customer_id").cast(pl.Enum(customers)).to_physical().alias("customer"),
        "time_us",
        pl.col("place").cast(pl.Enum(places)).to_physical().cast(pl.UInt32).fill_null(len(places)).alias("place"),
        "amount",
        "refund",
        "is_order",
    ).sort("customer", "time_us", "place", "is_order", "amount", "refund")
    customer, times, is_order = (coded[name].to_numpy() for name in ("customer", "time_us", "is_order"))
    codes = coded["place"].to_numpy()
    starts = np.searchsorted(customer, np.arange(len(customers) + 1)).astype(np.int64)
    days = (times // DAY).astype(np.int32)
    row_numbers = np.arange(len(days), dtype=np.int64)

    def latest(of: NDArray[np.bool_]) -> Longs:
        rows: Longs = np.maximum.accumulate(np.where(of, row_numbers, -1)) if len(row_numbers) else row_numbers
        return rows

    last_order = latest(is_order)
    before = np.append(np.int64(-1), last_order[:-1])  # the order before each row
    known = before >= starts[customer]
    new_day = is_order & ~(known & (days[np.where(known, before, 0)] == days)) if len(days) else is_order
    addends = {
        "amount": coded["amount"].to_numpy(),
        "refund": coded["refund"].to_numpy(),
        "orders": is_order,
        "refund_orders": (coded["refund"] > 0).to_numpy(),
        "order_days": new_day,
    }
    totals = {name: np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)]) for name, values in addends.items()}
    named = {level: levels[level].is_not_null().to_numpy()[codes] for level in LEVELS if levels[level].null_count() < levels.height}
    kinds = {"refund": ~is_order, "order": is_order}
    latest_rows = {(kind, level): latest(of & has) for level, has in named.items() for kind, of in kinds.items()}
    return Timeline(customers, starts, days, addends["amount"], times, totals, latest_rows, last_order, levels, codes)


def _levels(places: pl.Series) -> pl.DataFrame:
    """Take places apart, and add one that is none."""
    parts = places.extend_constant(None, 1).str.splitn(BETWEEN, len(LEVELS)).struct.rename_fields(LEVELS).struct.unnest()
    return parts.select(pl.when(pl.col(LEVELS) != "").then(pl.col(LEVELS)))


def with_purchases(frame: pl.DataFrame, timeline: History, as_of: date) -> pl.DataFrame:
    """Add the `PURCHASES`, which models of repeat buying take, to a customer frame; null for those without orders."""
    purchases = timeline.purchases(as_of)
    if frame["customer_id"].equals(purchases["customer_id"]):  # as where all have ordered: a join of millions of ids takes its time
        return frame.hstack(purchases.drop("customer_id"))
    return frame.join(purchases, on="customer_id", how="left", maintain_order="left")
