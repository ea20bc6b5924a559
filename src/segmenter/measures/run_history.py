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

from segmenter.measures.arrow_columns import Array
from segmenter.measures.definition import order_values
from segmenter.measures.id_order import union
from segmenter.measures.order_runs import CUSTOMERS, Run, microseconds
from segmenter.measures.raw_memory import jit
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
        return Summary(self._of_customers(summarize_runs(self.runs, terms).frame), terms, *(self.span or (None, None)))

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
        self._pass(lambda at, to, *rows: _between(*rows, first, last, out[:, at:to]))
        return self._of_customers(pl.DataFrame({"customer_id": self._united[0], "spend": out[0], "orders": out[1]}))

    def purchases(self, as_of: date) -> pl.DataFrame:
        """Give the `PURCHASES` before a date, of customers with any."""
        out = np.zeros((len(PURCHASES) - 1, len(self._united[0])), np.int64)
        today = (as_of - EPOCH).days
        self._pass(lambda at, to, *rows: _purchases(*rows, today, np.full(today, -1, np.int32), out[:, at:to]))
        found = {"customer_id": self._united[0], **dict(zip(PURCHASES.names()[1:], out, strict=True))}
        return self._of_customers(pl.DataFrame(found, schema=PURCHASES).filter(pl.col("repeats") >= 0))

    @cached_property
    def _united(self) -> tuple[pl.Series, list[NDArray[np.int64]]]:
        """All ids, and where those of each run are among them."""
        return union([run.ids for run in self.runs]) if self.runs else (pl.Series([], dtype=pl.String), [])

    @cached_property
    def _days(self) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The day of each customer's first row, and of each day whether it has rows."""
        ids = self._united[0]
        first, some, days = np.full(len(ids), _NEVER, np.int32), ~ids.is_in(self.nobody).to_numpy(), np.zeros(_DAYS, np.bool_)
        last = (self.before - EPOCH).days
        self._pass(lambda at, to, bounds, times, *_: _see_days(bounds, times, last, some[at:to], first[at:to], days))
        return first, days

    def _of_customers(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(~pl.col("customer_id").is_in(self.nobody)) if self.nobody else frame

    def _pass(self, work: Callable[..., object]) -> None:
        """Call with the places of some customers, where each run's orders of each begin, and these: times, amounts, which are back."""
        ids, positions = self._united

        def read(first: int) -> None:
            stop, before = min(first + CUSTOMERS, len(ids)), 0
            bounds = np.zeros((len(self.runs), stop - first + 1), np.int64)
            rows: list[tuple[Array, Array, Array]] = []
            for at, (run, where) in enumerate(zip(self.runs, positions, strict=True)):
                start, end = np.searchsorted(where, [first, stop]).tolist()
                offsets, columns = run.part(start, end)
                bounds[at, 1 + where[start:end] - first] = np.diff(offsets)
                bounds[at] = before + np.cumsum(bounds[at])
                before += int(offsets[-1])
                back = columns.get("back", np.zeros(len(columns["paid"]), np.uint8))
                rows.append((microseconds(columns["time"]), columns["paid"].astype(np.int64), back))
            work(first, stop, bounds, *(np.concatenate(part) for part in zip(*rows, strict=True)))

        with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
            list(pool.map(read, range(0, len(ids), CUSTOMERS)))


@jit
def _see_days(bounds: Any, times: Any, before: int, some: Any, first: Any, days: Any) -> None:
    for run in range(len(bounds)):
        for customer in range(len(first)):
            for at in range(bounds[run, customer], bounds[run, customer + 1]):
                day = times[at] // DAY
                if day < before and some[customer]:
                    days[day] = True
                    first[customer] = min(first[customer], day)


@jit
def _between(bounds: Any, times: Any, paid: Any, back: Any, start: int, stop: int, sums: Any) -> None:
    for run in range(len(bounds)):
        for customer in range(bounds.shape[1] - 1):
            for at in range(bounds[run, customer], bounds[run, customer + 1]):
                if start <= times[at] < stop:
                    is_order = paid[at] >= 0 and back[at] == 0
                    sums[0, customer] += paid[at] if is_order else min(paid[at], 0)
                    sums[1, customer] += np.int64(is_order)


@jit
def _purchases(bounds: Any, times: Any, paid: Any, back: Any, today: int, seen: Any, out: Any) -> None:
    """Write `PURCHASES` as rows: repeats, last days, known days, first and repeat spend; -1 repeats where there is no order."""
    for customer in range(bounds.shape[1] - 1):
        first, last, days = np.int64(today), np.int64(-1), np.int64(-1)
        for run in range(len(bounds)):
            for at in range(bounds[run, customer], bounds[run, customer + 1]):
                day = times[at] // DAY
                if day < today and paid[at] >= 0 and back[at] == 0:
                    first, last, days = min(first, day), max(last, day), days + np.int64(seen[day] != customer)
                    seen[day] = customer
        out[0, customer], out[1, customer], out[2, customer] = days, last - first, today - first
        for run in range(len(bounds)):
            for at in range(bounds[run, customer], bounds[run, customer + 1]):
                day = times[at] // DAY
                if day < today:
                    amount = paid[at] if paid[at] >= 0 and back[at] == 0 else min(paid[at], 0)
                    out[3 + np.int64(day > first), customer] += amount
