"""A shop's past from runs of orders on disk: what `timeline` is in memory, each answer in one pass over them. Imports Numba."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.definition import order_values
from segmenter.measures.id_order import Union, union
from segmenter.measures.order_runs import CUSTOMERS, Run
from segmenter.measures.raw_memory import jit, load
from segmenter.measures.run_columns import begin, counts, first_row, is_order, moment, net, orders_of, table_of
from segmenter.measures.run_summary import summarize_runs
from segmenter.measures.timeline import PURCHASES
from segmenter.tables import DAY, EPOCH, LEVELS, ORDERS, TIME, Summary, Terms

_NEVER = np.iinfo(np.int32).max
_DAYS = 1 << 17  # since 1970: no order is later
_ROWS = {name: ORDERS[name] for name in ("customer_id", "order_id", "time", *LEVELS)} | {
    "paid": ORDERS["amount"],
    "back": ORDERS["is_order"],
}


@dataclass(frozen=True)
class RunHistory:
    """Orders before a date, of all customers but `nobody`; dates that are asked for are none later."""

    runs: Sequence[Run]
    before: date
    nobody: Sequence[str] = field(default_factory=list)

    @property
    def span(self) -> tuple[date, date] | None:
        """The days of the first and the last row of all; None without rows."""
        days = np.flatnonzero(self._days[1])
        return (EPOCH + timedelta(days=int(days[0])), EPOCH + timedelta(days=int(days[-1]))) if len(days) else None

    def last_day(self, before: date) -> date | None:
        """Give the day of the last row before a date."""
        days = np.flatnonzero(self._days[1][: (before - EPOCH).days])
        return EPOCH + timedelta(days=int(days[-1])) if len(days) else None

    def known(self, before: date) -> pl.Series:
        """Give the sorted ids of who had a row before a date."""
        return self._united[0].filter(pl.Series(self._days[0] < (before - EPOCH).days))

    def summary(self, terms: Terms) -> Summary:
        """Give the same as `definition.summarize_frame`."""
        return Summary(self._of_customers(summarize_runs(self.runs, terms, united=self._united).frame), terms, *(self.span or (None, None)))

    def orders(self, chosen: Callable[[pl.Series], pl.Series], start: date = EPOCH, stop: date | None = None) -> pl.DataFrame:
        """Give the canonical orders from one midnight to another of customers that are chosen by their ids, in no order."""
        parts = [pl.DataFrame(schema=_ROWS)]
        for run in self.runs:
            columns = run.rows((chosen(run.ids) & ~run.ids.is_in(self.nobody)).to_numpy())
            whose = run.ids.gather(pl.Series(columns.pop("customer")))
            found: dict[str, Any] = {"customer_id": whose, "time": pl.Series(columns["time"]).cast(TIME), "paid": columns["paid"]}
            back = columns.get("back")
            found["back"] = pl.repeat(value=False, n=len(whose), eager=True) if back is None else pl.Series(back).cast(pl.Boolean)
            places = run.places.extend_constant(None, 1)  # the last is none
            found |= {level: places.gather(pl.Series(columns[level])) for level in LEVELS if level in columns}
            within = pl.col("time").is_between(start, min(stop or self.before, self.before), closed="left")
            parts.append(pl.DataFrame(found).filter(within))
        rows = nw.from_native(pl.concat(parts, how="diagonal_relaxed"))
        return rows.with_columns(**order_values()).to_native().select(ORDERS.names())

    def without(self, nobody: Sequence[str]) -> "RunHistory":
        """Give the same without some ids."""
        return replace(self, nobody=list(nobody))

    def between(self, start: date, stop: date) -> pl.DataFrame:
        """Give ``spend`` (net, minor units) and ``orders`` of every ``customer_id`` from one midnight to another."""
        out = np.zeros((2, len(self._united[0])), np.int64)
        first, last = ((day - EPOCH).days * DAY for day in (start, stop))
        self._pass(_between, first, last, out)
        return self._of_customers(pl.DataFrame({"customer_id": self._united[0], "spend": out[0], "orders": out[1]}))

    def purchases(self, as_of: date) -> pl.DataFrame:
        """Give the `PURCHASES` before a date, of customers with any."""
        out = np.zeros((len(PURCHASES) - 1, len(self._united[0])), np.int64)
        self._pass(_purchases, (as_of - EPOCH).days, out)
        found = {"customer_id": self._united[0], **dict(zip(PURCHASES.names()[1:], out, strict=True))}
        return self._of_customers(pl.DataFrame(found, schema=PURCHASES).filter(pl.col("repeats") >= 0))

    @cached_property
    def _united(self) -> Union:
        """All ids, and where those of each run are among them."""
        return union([run.ids for run in self.runs])

    @cached_property
    def _days(self) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The day of each customer's first row, and of each day whether it has rows."""
        ids = self._united[0]
        first, some, days = np.full(len(ids), _NEVER, np.int32), ~ids.is_in(self.nobody).to_numpy(), np.zeros(_DAYS, np.bool_)
        self._pass(_see_days, (self.before - EPOCH).days, some, first, days)
        return first, days

    def _of_customers(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(~pl.col("customer_id").is_in(self.nobody)) if self.nobody else frame

    @cached_property
    def _table(self) -> NDArray[np.void]:
        return table_of(self.runs, self._united[1], [None] * len(self.runs))

    def _pass(self, work: Callable[..., object], *of: Any) -> None:
        """Call with the first of some customers, one past their last, the runs, and what it is `of`."""
        count = len(self._united[0])
        with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
            list(pool.map(lambda first: work(first, min(first + CUSTOMERS, count), self._table, *of), range(0, count, CUSTOMERS)))


@jit
def _see_days(first: int, stop: int, runs: Any, before: int, some: Any, earliest: Any, days: Any) -> None:
    for number in range(len(runs)):
        run = runs[number]
        for row in range(first_row(run, first), first_row(run, stop)):
            customer = load(run.where + 8 * row)
            for at in range(load(run.starts + 8 * row), load(run.starts + 8 * row + 8) if some[customer] else 0):
                day = moment(run.time, run.time_bytes, at) // DAY
                if day < before and counts(run, at):
                    days[day] = True
                    earliest[customer] = min(earliest[customer], day)


@jit
def _between(first: int, stop: int, runs: Any, start: int, end: int, sums: Any) -> None:
    for number in range(len(runs)):
        run = runs[number]
        for row in range(first_row(run, first), first_row(run, stop)):
            customer = load(run.where + 8 * row)
            for at in range(load(run.starts + 8 * row), load(run.starts + 8 * row + 8)):
                if start <= moment(run.time, run.time_bytes, at) < end and counts(run, at):
                    sums[0, customer] += net(run, at)
                    sums[1, customer] += np.int64(is_order(run, at))


@jit
def _purchases(first: int, stop: int, runs: Any, today: int, out: Any) -> None:
    """Write `PURCHASES` as rows: repeats, last days, known days, first and repeat spend; -1 repeats where there is no order."""
    rows, bounds, seen = np.empty(len(runs), np.int64), np.empty((len(runs), 2), np.int64), np.full(today, -1, np.int64)
    begin(runs, first, rows)
    for customer in range(first, stop):
        begun, last, days = np.int64(today), np.int64(-1), np.int64(-1)
        for number in range(len(runs)):
            run = runs[number]
            bounds[number, 0], bounds[number, 1] = orders_of(run, rows, number, customer)
            for at in range(bounds[number, 0], bounds[number, 1]):
                day = moment(run.time, run.time_bytes, at) // DAY
                if day < today and counts(run, at) and is_order(run, at):
                    begun, last, days = min(begun, day), max(last, day), days + np.int64(seen[day] != customer)
                    seen[day] = customer
        out[0, customer], out[1, customer], out[2, customer] = days, last - begun, today - begun
        for number in range(len(runs)):
            run = runs[number]
            for at in range(bounds[number, 0], bounds[number, 1]):
                day = moment(run.time, run.time_bytes, at) // DAY
                if day < today and counts(run, at):
                    out[3 + np.int64(day > begun), customer] += net(run, at)
