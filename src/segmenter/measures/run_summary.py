"""The measures of all customers at any date from runs of orders, in one pass over them. Imports Numba."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures import kernel
from segmenter.measures.arrow_columns import Array, address, column_of, record, views_of
from segmenter.measures.customer_records import CustomerRecords, begin_again
from segmenter.measures.id_order import union
from segmenter.measures.order_runs import CUSTOMERS, Run, microseconds
from segmenter.measures.place_names import PlaceNames
from segmenter.measures.record_columns import RecordColumns, days_with_rows, finish
from segmenter.measures.record_layout import layout_of
from segmenter.tables import LEVELS, Terms


@dataclass(frozen=True)
class RunSummary:
    """What runs come to as of a date."""

    frame: pl.DataFrame  # as `tables.Summary` has it
    by_day: pl.DataFrame  # as `tables.OrdersProfile` has it
    rows: int  # orders before the date
    later: int  # and the others


def summarize_runs(runs: Sequence[Run], terms: Terms, threads: int | None = None) -> RunSummary:
    """Add the orders of each customer to a record by the kernel's own loop, some customers at a time: their records stay in the cache."""
    ids, positions = union([run.ids for run in runs]) if runs else (pl.Series([], dtype=pl.String), [])
    layout, names, learned = layout_of(terms), PlaceNames(), terms.horizon_days is not None
    codes = [np.array([*names.numbers(views_of(run.places)), -1], np.int32) for run in runs]
    texts, arenas = np.array([address(names.names)]), np.array([address(names.arena)])
    out = RecordColumns(layout, len(ids))
    owners = [CustomerRecords(0, layout.words, terms.today, learned=learned) for _ in range(threads or pl.thread_pool_size())]
    free: SimpleQueue[tuple[CustomerRecords, NDArray[np.int64]]] = SimpleQueue()
    for owner in owners:
        owner.reserve(CUSTOMERS)
        free.put((owner, np.empty((CUSTOMERS, 2), np.int64)))

    def read(first: int) -> None:
        owner, views = free.get()
        stop = min(first + CUSTOMERS, len(ids))
        parts = [part[0] for part in (owner.hots, owner.colds, owner.thirds)]
        begin_again(stop - first, *(part.ctypes.data for part in parts), layout.words, learned)
        for run, where, table in zip(runs, positions, codes, strict=True):
            start, end = np.searchsorted(where, [first, stop]).tolist()
            if start < end:
                batch, _held = _batch(run, start, end, where[start:end] - first, table)
                kernel.add(0, end - start, 0, batch[0], layout.layout[0], owner.tables[0], address(texts), address(arenas))
        out.extract(stop - first, parts, first, 0, address(views) - 16 * first, (1, address(texts), address(arenas)))
        free.put((owner, views))

    with ThreadPoolExecutor(len(owners)) as pool:
        list(pool.map(read, range(0, len(ids), CUSTOMERS)))
    by_day = days_with_rows(np.sum([owner.by_day for owner in owners], axis=0))
    later = sum(int(owner.tables["later"][0]) for owner in owners)
    columns = [ids.alias("customer_id"), *(column_of(name, column) for name, column in out.columns.items())]
    places = pl.Series(names.texts(), dtype=pl.String)
    return RunSummary(finish(pl.DataFrame(columns), places, terms), by_day, int(by_day["rows"].sum()), later)


def _batch(run: Run, start: int, end: int, numbers: NDArray[np.int64], table: NDArray[np.int32]) -> tuple[NDArray[np.void], object]:
    """Show some customers' orders to the kernel, and what must stay in memory meanwhile."""
    offsets, columns = run.part(start, end)
    places: dict[str, Array] = {level: table[columns[level]] for level in LEVELS if level in columns}
    whose, paid, times = numbers.astype(np.int32), columns["paid"].astype(np.int64), microseconds(columns["time"])
    back = columns.get("back")
    back = None if back is None else np.ascontiguousarray(back)
    held = (whose, offsets, times, paid, back, places)
    batch = record(
        kernel.BATCH,
        numbers=whose,
        offsets=offsets,
        order_times=times,
        paid=paid,
        back=back,
        provinces=places.get("province"),
        cities=places.get("city"),
        districts=places.get("district"),
        threads=1,
    )
    return batch, held
