"""Every customer's orders in the order of time, with running totals: what they came to at any date is a difference of two.

A backtest and a ranking that learns look at many dates; each needs one pass over the days of the orders, and no grouping.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.definition import BETWEEN, rows_of
from segmenter.tables import DAY, EPOCH, ONE, PERIODS, SUMMARY, Summary, Terms

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
    """Orders by customer and time.

    Parameters
    ----------
    customers : Series of String
        Sorted.
    starts : ndarray of shape (n_customers + 1,)
        Where the rows of each begin.
    days : ndarray of shape (n_rows,)
        Of each row, since 1970.
    amounts, times : ndarray of shape (n_rows,)
        What it adds to net spend in minor units; microseconds since 1970.
    totals : dict of str to ndarray of shape (n_rows + 1,)
        Running totals before each row: ``amount``, ``refund``, ``orders``, ``refund_orders``, ``order_days``.
    latest : dict of str to ndarray of shape (n_rows,)
        The last row up to each that is an ``order``, or an order or a refund with a place; of any customer, -1 for none.
    places, codes : Series of String, ndarray of shape (n_rows,)
        The places, and which of them each row names.
    """

    customers: pl.Series
    starts: Longs
    days: NDArray[np.int32]
    amounts: Longs
    times: Longs
    totals: dict[str, Longs]
    latest: dict[str, Longs]
    places: pl.Series
    codes: NDArray[np.uint32]

    @property
    def span(self) -> tuple[date, date] | None:
        """The days of the first and the last row of all; None without rows."""
        if not len(self.days):
            return None
        return EPOCH + timedelta(days=int(self.days.min())), EPOCH + timedelta(days=int(self.days.max()))

    def ends(self, day: int) -> Longs:
        """Find each customer's first row at or after a day.

        Parameters
        ----------
        day : int
            Since 1970.

        Returns
        -------
        ndarray of shape (n_customers,)
            Its place, or the next customer's first row.
        """
        if not len(self.days):
            return self.starts[:-1]
        before = np.add.reduceat((self.days < day).view(np.uint8), self.starts[:-1], dtype=np.int64)
        ends: Longs = self.starts[:-1] + before
        return ends

    def summary(self, terms: Terms) -> Summary:
        """Add up the orders before an as-of date.

        Parameters
        ----------
        terms : Terms
            The date, the window and the half-life.

        Returns
        -------
        Summary
            The same as of `definition.summarize_frame`.
        """
        today, starts = terms.today, self.starts[:-1]
        ends = self.ends(today)
        some = ends > starts
        starts, ends = starts[some], ends[some]

        def since(days: int | None) -> Longs:
            return starts if days is None else np.maximum(self.ends(today - days)[some], starts)

        window = since(terms.window_days)
        columns: dict[str, Any] = {
            "customer_id": self.customers.filter(pl.Series(some)),
            "spend": self._sum("amount", starts, ends),
            "spend_window": self._sum("amount", window, ends),
            "refunds": self._sum("refund", starts, ends),
            "decayed_spend": self._decayed(terms)[some],
            "orders": self._sum("orders", starts, ends),
            "refund_orders": self._sum("refund_orders", starts, ends),
            "days_since_first_row": today - (self.days[starts] if len(starts) else starts),
        }
        for length in PERIODS:
            once, twice = since(length), since(2 * length)
            for name, total in (("spend", "amount"), ("orders", "orders")):
                columns[f"{name}_{length}d"] = self._sum(total, once, ends)
                columns[f"{name}_{length}d_before"] = self._sum(total, twice, once)
        columns |= self._moments(starts, ends) | self._place(starts, ends)
        frame = pl.DataFrame(columns).select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items())
        return Summary(frame, terms, *(self.span or (None, None)))

    def between(self, start: date, stop: date) -> pl.DataFrame:
        """Say what customers did in a period.

        Parameters
        ----------
        start, stop : date
            From the first's midnight to the second's.

        Returns
        -------
        DataFrame
            ``customer_id``, ``spend`` (net, minor units) and ``orders`` of every customer of the timeline.
        """
        first, last = (self.ends((day - EPOCH).days) for day in (start, stop))
        sums = {"spend": self._sum("amount", first, last), "orders": self._sum("orders", first, last)}
        return pl.DataFrame({"customer_id": self.customers, **sums})

    def purchases(self, as_of: date) -> pl.DataFrame:
        """Give what models of repeat buying take: purchases of a customer on one day are one.

        Parameters
        ----------
        as_of : date
            What happened before its midnight counts.

        Returns
        -------
        DataFrame
            `PURCHASES`, for customers with at least one order by then.
        """
        today = (as_of - EPOCH).days
        starts, ends = self.starts[:-1], self.ends(today)
        bought = self._sum("orders", starts, ends) > 0
        starts, ends = starts[bought], ends[bought]
        first, last = self._first_orders()[bought], self.latest["order"][ends - 1]
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
        sums: Longs = total[ends] - total[starts]
        return sums

    def _decayed(self, terms: Terms) -> Longs:
        if not len(self.days):
            return np.zeros(0, np.int64)
        weights = np.array([*terms.weights(), 0], np.int64)
        weight = weights[np.where(self.days < terms.today, terms.today - self.days, -1)]
        # In two parts, which stay inside 64 bits wherever the sum of the amounts does.
        ones, rest = (np.add.reduceat(part * weight, self.starts[:-1]) for part in (self.amounts >> 16, self.amounts & (ONE - 1)))
        decayed: Longs = ones + (rest >> 16)
        return decayed

    def _first_orders(self) -> Longs:
        """Give each customer's first row that is an order; any row for those without."""
        orders = self.totals["orders"]
        # The running total is one higher from the row after the first order on.
        first: Longs = np.searchsorted(orders, orders[self.starts[:-1]] + 1) - 1
        return np.minimum(first, max(len(self.days) - 1, 0))

    def _moments(self, starts: Longs, ends: Longs) -> dict[str, pl.Series]:
        ordered = self._sum("orders", starts, ends) > 0
        orders = self.totals["orders"]
        first = np.searchsorted(orders, orders[starts] + 1) - 1
        found = {"first_order_at": first, "last_order_at": self.latest["order"][ends - 1] if len(ends) else ends}
        moments = {}
        for name, rows in found.items():
            times = pl.Series(name, self.times[np.where(ordered, rows, 0)]) if len(starts) else pl.Series(name, starts)
            moments[name] = pl.select(pl.when(pl.Series(ordered)).then(times)).to_series().alias(name)
        return moments

    def _place(self, starts: Longs, ends: Longs) -> dict[str, pl.Series]:
        """Name the place of the latest order that names one; of the latest refund where no order does."""
        rows = np.full(len(starts), -1, np.int64)
        for kind in ("refund_place", "order_place"):
            found = self.latest[kind][ends - 1] if len(ends) else ends
            rows = np.where(found >= starts, found, rows)
        codes = np.append(self.codes, np.uint32(len(self.places)))[rows]
        named = self.places.extend_constant(None, 1).gather(pl.Series(codes))
        parts = pl.DataFrame({"place": named}).select(
            pl.col("place").str.splitn(BETWEEN, 2).struct.rename_fields(["province", "city"]).struct.unnest().replace("", None)
        )
        return {"province": parts["province"], "city": parts["city"]}


def timeline_of(orders: pl.DataFrame) -> Timeline:
    """Put canonical orders in the order of customers and time.

    Parameters
    ----------
    orders : DataFrame
        `tables.ORDERS`.

    Returns
    -------
    Timeline
        The same for any order of the rows.

    Examples
    --------
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
    customer, times, placed = (coded[name].to_numpy() for name in ("customer", "time_us", "is_order"))
    codes, named = coded["place"].to_numpy(), (coded["place"] < len(places)).to_numpy()
    starts = np.searchsorted(customer, np.arange(len(customers) + 1)).astype(np.int64)
    days = (times // DAY).astype(np.int32)
    at = np.arange(len(days), dtype=np.int64)

    def latest(rows: NDArray[np.bool_]) -> Longs:
        found: Longs = np.maximum.accumulate(np.where(rows, at, -1)) if len(at) else at
        return found

    last_order = latest(placed)
    before = np.append(np.int64(-1), last_order[:-1])  # the order before each row
    known = before >= starts[customer]
    new_day = placed & ~(known & (days[np.where(known, before, 0)] == days)) if len(at) else placed
    counted = {
        "amount": coded["amount"].to_numpy(),
        "refund": coded["refund"].to_numpy(),
        "orders": placed,
        "refund_orders": (coded["refund"] > 0).to_numpy(),
        "order_days": new_day,
    }
    totals = {name: np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)]) for name, values in counted.items()}
    rows_with = {"order": last_order, "order_place": latest(placed & named), "refund_place": latest(~placed & named)}
    return Timeline(customers, starts, days, counted["amount"], times, totals, rows_with, places, codes)


def with_purchases(frame: pl.DataFrame, timeline: Timeline, as_of: date) -> pl.DataFrame:
    """Add to the measures what models of repeat buying take.

    Parameters
    ----------
    frame : DataFrame
        One row per customer, sorted by ``customer_id``.
    timeline : Timeline
        Their orders.
    as_of : date
        As of when.

    Returns
    -------
    DataFrame
        With `PURCHASES`; null for those without orders.

    Examples
    --------
    >>> from datetime import datetime
    >>> from segmenter.tables import ORDERS
    >>> order = {"customer_id": "a", "time": datetime(2026, 6, 30), "amount": 100, "refund": 0, "is_order": True}
    >>> timeline = timeline_of(pl.DataFrame([order], schema=ORDERS))
    >>> with_purchases(pl.DataFrame({"customer_id": ["a", "b"]}), timeline, date(2026, 7, 1))["repeats"].to_list()
    [0, None]
    """
    return frame.join(timeline.purchases(as_of), on="customer_id", how="left", maintain_order="left")
