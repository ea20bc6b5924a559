"""Runs: all orders of some files by customer, then time, in narrow columns that may be mapped from disk. Imports Numba.

A few runs are as good as one: a customer's orders are those of all of them. Runs are made of rows as they were recorded, or of runs.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.arrow_columns import Array
from segmenter.measures.id_order import arrange, count, deal, put, take, union
from segmenter.tables import DAY, LEVELS

Make = Callable[[str, Any, int], Array]  # makes a column: its name, type and length
SECOND = 1_000_000
STEPS = {2: DAY, 4: SECOND, 8: 1}  # microseconds in the unit of times of so many bytes: days, seconds, microseconds
_BUCKET = 1 << 16  # rows that are put in order at a time: they stay in the cache
CUSTOMERS = 1 << 13  # that are read at a time


@dataclass(frozen=True)
class Run:
    """Customers, and their orders from one of `starts` to the next.

    Columns: ``time`` by `STEPS`, ``paid`` (minor units), ``file`` (by number), and where there are any ``back`` (1: a refund or
    cancellation) and `LEVELS`, by their number in `places`, one past the last for none.
    """

    ids: pl.Series  # sorted, text
    starts: NDArray[np.int64]
    columns: dict[str, Array]
    places: pl.Series
    keep: NDArray[np.bool_] | None = None  # by number of the file: whether its orders count; None where all do

    def part(self, first: int, stop: int) -> tuple[NDArray[np.int64], dict[str, Array]]:
        """Give the orders that count of some customers, and where those of each begin."""
        start, end = int(self.starts[first]), int(self.starts[stop])
        offsets, columns = self.starts[first : stop + 1] - start, {name: values[start:end] for name, values in self.columns.items()}
        if self.keep is not None and not (kept := self.keep[columns["file"]]).all():
            offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept, dtype=np.int64)])[offsets]
            columns = {name: values[kept] for name, values in columns.items()}
        return offsets, columns

    def rows(self, chosen: NDArray[np.bool_]) -> dict[str, Array]:
        """Give the orders that count of chosen customers, with ``customer``, which of the `ids`; times in microseconds, amounts in full."""
        taken = np.repeat(chosen, np.diff(self.starts))
        if self.keep is not None:
            taken &= self.keep[self.columns["file"]]
        at = np.flatnonzero(taken)
        columns = {name: values[at] for name, values in self.columns.items()}
        columns |= {"time": microseconds(columns["time"]), "paid": columns["paid"].astype(np.int64)}
        return {"customer": np.searchsorted(self.starts, at, side="right") - 1, **columns}


def microseconds(times: Array) -> NDArray[np.int64]:
    """Give times of any width as microseconds since 1970."""
    wide = times.astype(np.int64)
    wide *= STEPS[times.itemsize]
    return wide


def narrow(recorded: dict[str, Array], file: int) -> dict[str, Array]:
    """Write rows as they were recorded in as few bytes as hold them exactly."""
    times, paid = recorded["time"], recorded["paid"]
    rows = {"record": recorded["record"], "time": _coarse(times), "file": np.full(len(times), file, np.min_scalar_type(file))}
    limits = np.iinfo(np.int32)
    fits = limits.min < paid.min(initial=0) and paid.max(initial=0) <= limits.max
    rows["paid"] = paid.astype(np.int32) if fits else paid.copy()
    if "back" in recorded and recorded["back"].any():
        rows["back"] = recorded["back"].astype(np.uint8)
    for level in LEVELS:
        if (codes := recorded.get(level)) is not None and (highest := codes.max(initial=-1)) >= 0:
            rows[level] = codes.astype(np.int16 if highest <= np.iinfo(np.int16).max else np.int32)
    return rows


def _coarse(times: NDArray[np.int64]) -> Array:
    for kind in (np.uint16, np.uint32):
        step = STEPS[np.dtype(kind).itemsize]
        if not (times[:1000] % step).any():
            units = times // step
            if units.max(initial=0) <= np.iinfo(kind).max and (units * step == times).all():
                return units.astype(kind)
    return times.copy()


def run_of_rows(rows: list[dict[str, Array]], ids: pl.Series, ranks: NDArray[np.uint32], names: pl.Series, make: Make) -> Run:
    """Make a run of rows that were recorded and made `narrow`, which are used up.

    `ids` and `ranks` are `Aggregator.customers()`, `names` its names of places. Rows go to the buckets of their customers first, as they
    come, and are put in order there.
    """
    keys = [ranks[part.pop("record")] for part in rows]
    counts, used = np.zeros(len(ids), np.int64), np.zeros(len(names), np.int64)
    for part, key in zip(rows, keys, strict=True):
        count(key, 0, counts)
        used += sum(counted(part[level], len(names)) for level in LEVELS if level in part)
    starts, total = _starts(counts), int(counts.sum())
    there = np.flatnonzero(used)
    # The place after the last name is for none: -1 in the rows.
    table = np.full(len(names) + 1, len(there), np.min_scalar_type(len(there)))
    table[there] = np.arange(len(there))
    out = {}
    for name in ("time", "paid", "file", "back", *LEVELS):
        if kinds := [part[name].dtype for part in rows if name in part]:
            out[name] = make(name, table.dtype if name in LEVELS else max(kinds, key=lambda kind: kind.itemsize), total)
    shift = max(0, (len(ids) * _BUCKET // max(total, 1)).bit_length() - 1)
    sizes = np.zeros((len(rows) + 1, (len(ids) >> shift) + 1), np.int64)
    for key, size in zip(keys, sizes[1:], strict=True):
        count(key, shift, size)
    begins = starts[np.arange(sizes.shape[1]) << shift] + np.cumsum(sizes, axis=0)
    dealt = np.empty(total, np.uint32)

    def spread(number: int) -> None:
        part, key = rows[number], keys[number]
        to = deal(key, shift, begins[number])
        put(key, to, dealt)
        for name, column in out.items():
            put(_converted(name, part.pop(name, None), column.dtype, table, len(key)), to, column)
        keys[number] = key[:0]

    def fill(bucket: int) -> None:
        first, stop = bucket << shift, min((bucket + 1) << shift, len(ids))
        start, end = int(starts[first]), int(starts[stop])
        order = arrange(dealt[start:end] - np.uint32(first), out["time"][start:end], starts[first : stop + 1] - start)
        for column in out.values():
            take(np.array(column[start:end]), order, column[start:end])

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        list(pool.map(spread, range(len(rows))))
        list(pool.map(fill, range(-(-len(ids) // (1 << shift)))))
    return _run(ids, counts, starts, out, names.gather(pl.Series(there, dtype=pl.UInt32)))


def _converted(name: str, values: Array | None, kind: Any, table: Array, height: int) -> Array:
    """Give a column of recorded rows in the type of the run; where they have none, it says nothing."""
    if name in LEVELS:
        return np.full(height, table[-1]) if values is None else table[values]
    if values is None:
        return np.zeros(height, kind)
    wide = values.astype(kind, copy=False)
    return wide * kind.type(STEPS[values.itemsize] // STEPS[kind.itemsize]) if name == "time" and wide is not values else wide


def merged(runs: Sequence[Run], files: Sequence[NDArray[np.uint32]], make: Make) -> Run:
    """Make one run of several; `files` has the number in it of each of their files."""
    ids, positions = union([run.ids for run in runs])
    counts = np.zeros(len(ids), np.int64)
    for run, where in zip(runs, positions, strict=True):
        for first in range(0, len(where), CUSTOMERS):
            stop = min(first + CUSTOMERS, len(where))
            counts[where[first:stop]] += np.diff(run.part(first, stop)[0])
    starts = _starts(counts)
    places = pl.concat([run.places for run in runs]).unique().sort()
    number = {name: at for at, name in enumerate(places)}
    tables = [np.array([*(number[name] for name in run.places), len(places)], np.min_scalar_type(len(places))) for run in runs]
    there = {name: [run.columns[name].dtype for run in runs if name in run.columns] for name in ("time", "paid", "back")}
    kinds: dict[str, Any] = {name: max(types, key=lambda kind: kind.itemsize) for name, types in there.items() if types}
    kinds["file"] = np.min_scalar_type(max((int(part.max(initial=0)) for part in files), default=0))
    kinds |= {level: tables[0].dtype for level in LEVELS if any(level in run.columns for run in runs)}
    out = {name: make(name, kind, int(starts[-1])) for name, kind in kinds.items()}
    step = STEPS[kinds["time"].itemsize]

    def fill(first: int) -> None:
        stop = min(first + CUSTOMERS, len(ids))
        parts: list[dict[str, Array]] = []
        for run, where, table, numbers in zip(runs, positions, tables, files, strict=True):
            bounds = np.searchsorted(where, [first, stop])
            offsets, columns = run.part(int(bounds[0]), int(bounds[1]))
            nothing = {"back": np.zeros(offsets[-1], np.uint8), **dict.fromkeys(LEVELS, np.full(offsets[-1], len(table) - 1, table.dtype))}
            columns |= {"time": microseconds(columns["time"]), "file": numbers[columns["file"]]}
            columns |= {level: table[columns[level]] for level in LEVELS if level in columns}
            keys = np.repeat((where[bounds[0] : bounds[1]] - first).astype(np.uint32), np.diff(offsets))
            parts.append({**nothing, **columns, "key": keys})
        whole = {name: np.concatenate([part[name] for part in parts]) for name in ("key", *kinds)}
        start, end = int(starts[first]), int(starts[stop])
        order = arrange(whole["key"], whole["time"], starts[first : stop + 1] - start)
        whole["time"] //= step
        for name, values in out.items():
            values[start:end] = whole[name][order]

    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        list(pool.map(fill, range(0, len(ids), CUSTOMERS)))
    return _run(ids, counts, starts, out, places)


def _run(ids: pl.Series, counts: NDArray[np.int64], starts: NDArray[np.int64], columns: dict[str, Array], places: pl.Series) -> Run:
    some = counts > 0
    if some.all():
        return Run(ids, starts, columns, places)
    return Run(ids.filter(pl.Series(some)), np.append(starts[:-1][some], starts[-1]), columns, places)


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def counted(values: Array, size: int) -> NDArray[np.int64]:
    """Count how often each number from 0 up to a size is there."""
    total = np.zeros(size, np.int64)
    for at in range(0, len(values), 1 << 22):
        part = values[at : at + (1 << 22)]  # NumPy makes them wide, and those of all rows are many
        total += np.bincount(part[part >= 0], minlength=size)
    return total
