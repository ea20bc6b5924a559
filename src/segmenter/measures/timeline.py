"""Every customer's orders in the order of time, with running totals: a sum up to any date is a difference of two.

A backtest and a ranking that learns look at many dates; each needs one pass over the days of the orders, and no grouping.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.definition import BETWEEN, rows_of
from segmenter.measures.spec import WEIGHT_ONE, day_weights, summary_schema, sums
from segmenter.tables import DAY, EPOCH, Summary, Terms

Longs = NDArray[np.int64]
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
    latest: dict[str, Longs]  # the last row up to each of any customer that is an `order`, or has a place; -1 for none
    places: pl.Series
    codes: NDArray[np.uint32]  # which of the places each row names

    @property
    def span(self) -> tuple[date, date] | None:
        """The days of the first and the last row of all; None without rows."""
        if not len(self.days):
            return None
        return EPOCH + timedelta(days=int(self.days.min())), EPOCH + timedelta(days=int(self.days.max()))

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

        columns: dict[str, Any] = {
            "customer_id": self.customers.filter(pl.Series(some)),
            "days_since_first_row": terms.today - (self.days[starts] if len(starts) else starts),
            **self._moments(starts, ends),
            **self._place(starts, ends),
        }
        for name, measure in sums().items():
            after, to = measure.between(terms)
            decayed = measure.of == "decayed_amount"
            columns[name] = (
                self._decayed(terms)[some] if decayed else self._sum(str(measure.of), since(to), since(after) if after else ends)
            )
        frame = pl.DataFrame(columns).select(pl.col(name).cast(dtype) for name, dtype in summary_schema().items())
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
        first, last = self._first_orders(starts), self.latest["order"][ends - 1]
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

    def _decayed(self, terms: Terms) -> Longs:
        if not len(self.days):
            return np.zeros(0, np.int64)
        weights = np.array([*day_weights(terms), 0], np.int64)
        weight = weights[np.where(self.days < terms.today, terms.today - self.days, -1)]
        # In two parts, which stay inside 64 bits wherever the sum of the amounts does.
        parts = (self.amounts // WEIGHT_ONE, self.amounts % WEIGHT_ONE)
        ones, rest = (np.add.reduceat(part * weight, self.starts[:-1]) for part in parts)
        decayed: Longs = ones + rest // WEIGHT_ONE
        return decayed

    def _first_orders(self, starts: Longs) -> Longs:
        """Give the first row from each start on that is an order."""
        orders = self.totals["orders"]
        # The running total is one higher from the row after the first order on.
        first: Longs = np.searchsorted(orders, orders[starts] + 1) - 1
        return first

    def _moments(self, starts: Longs, ends: Longs) -> dict[str, pl.Series]:
        ordered = self._sum("orders", starts, ends) > 0
        rows = {"first_order_at": self._first_orders(starts), "last_order_at": self.latest["order"][ends - 1] if len(ends) else ends}
        moments = {}
        for name, at in rows.items():
            times = pl.Series(name, self.times[np.where(ordered, at, 0)]) if len(starts) else pl.Series(name, starts)
            moments[name] = pl.select(pl.when(pl.Series(ordered)).then(times)).to_series().alias(name)
        return moments

    def _place(self, starts: Longs, ends: Longs) -> dict[str, pl.Series]:
        """Name the place of the latest order that names one; of the latest refund where no order does."""
        rows = np.full(len(starts), -1, np.int64)
        for kind in ("refund_place", "order_place"):
            latest = self.latest[kind][ends - 1] if len(ends) else ends
            rows = np.where(latest >= starts, latest, rows)
        codes = np.append(self.codes, np.uint32(len(self.places)))[rows]
        places = self.places.extend_constant(None, 1).gather(pl.Series(codes))
        parts = pl.DataFrame({"place": places}).select(
            pl.col("place").str.splitn(BETWEEN, 2).struct.rename_fields(["province", "city"]).struct.unnest().replace("", None)
        )
        return {"province": parts["province"], "city": parts["city"]}


def timeline_of(orders: pl.DataFrame) -> Timeline:
    """Put canonical orders (`tables.ORDERS`) in the order of customers and time: the same for any order of the rows.

    >>> from datetime import datetime
    >>> from segmenter.tables import ORDERS
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
    places = rows["place"].drop_nulls().unique().sort()
    coded = rows.select(
        pl.col("customer_id").cast(pl.Enum(customers)).to_physical().alias("customer"),
        "time_us",
        pl.col("place").cast(pl.Enum(places)).to_physical().cast(pl.UInt32).fill_null(len(places)).alias("place"),
        "amount",
        "refund",
        "is_order",
    ).sort("customer", "time_us", "place", "is_order", "amount", "refund")
    customer, times, is_order = (coded[name].to_numpy() for name in ("customer", "time_us", "is_order"))
    codes, has_place = coded["place"].to_numpy(), (coded["place"] < len(places)).to_numpy()
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
    latest_rows = {"order": last_order, "order_place": latest(is_order & has_place), "refund_place": latest(~is_order & has_place)}
    return Timeline(customers, starts, days, addends["amount"], times, totals, latest_rows, places, codes)


def with_purchases(frame: pl.DataFrame, timeline: Timeline, as_of: date) -> pl.DataFrame:
    """Add the `PURCHASES`, which models of repeat buying take, to a customer frame; null for those without orders."""
    return frame.join(timeline.purchases(as_of), on="customer_id", how="left", maintain_order="left")
