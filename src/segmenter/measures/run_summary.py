"""The measures of all customers at any date from runs of orders, in one pass over them. Imports Numba."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.arrow_columns import address, column_of, views_of
from segmenter.measures.customer_records import BLOCK, NEVER, CustomerRecords, begin_again, extract, give_back, weigh
from segmenter.measures.id_order import Union, union
from segmenter.measures.kernel import tell
from segmenter.measures.order_runs import CUSTOMERS, Run
from segmenter.measures.place_names import PlaceNames
from segmenter.measures.raw_memory import jit, load, load_byte, load_int, store, store_int
from segmenter.measures.record_columns import RecordColumns, days_with_rows, finish
from segmenter.measures.record_layout import (
    CITY_AT,
    COUNTS,
    DECAYED,
    DISTRICT_AT,
    FIRST,
    HOT,
    LAST,
    LONGEST_FIRST,
    LOWER,
    OUTER,
    PROVINCE_AT,
    RANGES,
    SPEND,
    THIRD,
    layout_of,
)
from segmenter.measures.run_columns import begin, moment, money, orders_of, table_of, whole
from segmenter.tables import DAY, Terms


@dataclass(frozen=True)
class RunSummary:
    """What runs come to as of a date."""

    frame: pl.DataFrame  # as `tables.Summary` has it
    by_day: pl.DataFrame  # as `tables.OrdersProfile` has it
    rows: int  # orders before the date
    later: int  # and the others


def summarize_runs(runs: Sequence[Run], terms: Terms, threads: int | None = None, united: Union | None = None) -> RunSummary:
    """Add the orders of each customer up, some customers at a time on each core; `united` are the runs' ids, where they are already."""
    ids, positions = united or union([run.ids for run in runs])
    layout, names, learned = layout_of(terms), PlaceNames(), terms.horizon_days is not None
    numbers = [np.array([*names.numbers(views_of(run.places)), -1], np.int32) for run in runs]
    table = table_of(runs, positions, numbers)
    texts, arenas = np.array([address(names.names)]), np.array([address(names.arena)])
    out = RecordColumns(layout, len(ids))
    owners = [CustomerRecords(0, layout.words, terms.today, learned=learned) for _ in range(threads or pl.thread_pool_size())]
    free: SimpleQueue[tuple[CustomerRecords, NDArray[np.int64], NDArray[np.int64]]] = SimpleQueue()
    for owner in owners:
        owner.reserve(BLOCK)
        free.put((owner, np.empty(len(runs), np.int64), np.empty((BLOCK, 2), np.int64)))

    def read(first: int) -> None:
        owner, rows, views = free.get()
        records = (layout.layout[0], owner.tables[0], out.cells, out.targets.ctypes.data, address(views))
        _add_runs(first, min(first + CUSTOMERS, len(ids)), table, rows, *records, address(texts), address(arenas))
        free.put((owner, rows, views))

    with ThreadPoolExecutor(len(owners)) as pool:
        list(pool.map(read, range(0, len(ids), CUSTOMERS)))
    by_day = days_with_rows(np.sum([owner.by_day for owner in owners], axis=0))
    later = sum(int(owner.tables["later"][0]) for owner in owners)
    columns = [ids.alias("customer_id"), *(column_of(name, column) for name, column in out.columns.items())]
    places = pl.Series(names.texts(), dtype=pl.String)
    return RunSummary(finish(pl.DataFrame(columns), places, terms), by_day, int(by_day["rows"].sum()), later)


@jit
def _add_runs(  # noqa: PLR0915 - one loop, as the kernel's
    first: int,
    stop: int,
    runs: Any,
    rows: Any,
    layout: Any,
    owner: Any,
    cells: Any,
    columns: int,
    views: int,
    names: int,
    arenas: int,
) -> None:
    """Write what the orders of some customers come to into `columns`, as the kernel does: sums that each order touches are in registers.

    A block's records stay in the nearest cache. What comes after `cells` is as `extract` and `tell` take it.
    """
    today, day_table, ranges, words, orders = layout.today, layout.days, layout.ranges, layout.words, 8 * layout.orders
    hots, colds, thirds = load(owner.hots), load(owner.colds), load(owner.thirds)
    weights, learned = layout.weights, layout.weights != 0
    nobody, by_day, lower, as_of = owner.spare + 8 * BLOCK, owner.by_day, 8 * (words - LOWER), np.int64(today * DAY)
    provinces = cities = districts = False
    for at in range(len(runs)):
        provinces, cities = provinces or runs[at].province != 0, cities or runs[at].city != 0
        districts = districts or runs[at].district != 0
    begin(runs, first, rows)
    for block in range(first, stop, BLOCK):
        end = min(block + BLOCK, stop)
        begin_again(end - block, hots, colds, thirds, words, learned)
        for customer in range(block, end):
            hot, cold = hots + 8 * HOT * (customer - block), colds + 8 * words * (customer - block)
            third = thirds + 8 * THIRD * (customer - block)
            spend = outer = decayed = rest = ordered = np.int64(0)
            earliest, latest, told = NEVER, np.int64(-1), np.int64(-1) if provinces or cities or districts else NEVER
            for number in range(len(runs)):
                run = runs[number]
                times, time_bytes, paid, paid_bytes, back = run.time, run.time_bytes, run.paid, run.paid_bytes, run.back
                keep, file, file_bytes = run.keep, run.file, run.file_bytes
                start, after = orders_of(run, rows, number, customer)
                for order in range(after - 1, start - 1, -1):  # the latest first: it says where a customer is, and few others need be asked
                    if keep != 0 and load_byte(keep + whole(file, file_bytes, order)) == 0:
                        continue
                    time, amount = moment(times, time_bytes, order), money(paid, paid_bytes, order)
                    if time >= as_of:
                        owner.later += 1
                        continue
                    days = today - np.int64(np.uint64(time) // np.uint64(DAY))
                    is_order = amount >= 0 and not (back != 0 and load_byte(back + order))
                    refund = np.int64(0) if is_order else abs(amount)
                    amount = amount if is_order else min(amount, np.int64(0))
                    store(by_day + 16 * days, load(by_day + 16 * days) + 1)
                    store(by_day + 16 * days + 8, load(by_day + 16 * days + 8) + amount)
                    at = (np.int64(is_order) << 60) + time
                    if at >= told:
                        tell(
                            at,
                            _place(run, run.province, order),
                            _place(run, run.city, order),
                            _place(run, run.district, order),
                            cold,
                            cold + lower,
                            1,
                            names,
                            arenas,
                        )
                        told = load(cold + 8 * PROVINCE_AT) if provinces else NEVER
                        told = min(told, load(cold + lower + 8 * CITY_AT)) if cities else told
                        told = min(told, load(cold + lower + 8 * DISTRICT_AT)) if districts else told
                    of_day = load(day_table + 8 * days)
                    weight, of_range = of_day & 0xFFFFFFFF, of_day >> 32
                    decayed += (amount >> 16) * weight
                    rest += (amount & 0xFFFF) * weight
                    ordered += np.int64(is_order)
                    spend += amount
                    outer += amount * np.int64(of_range == ranges)
                    latest = max(latest, time if is_order else np.int64(-1))
                    earliest = min(earliest, time if is_order else NEVER)
                    kept = cold if of_range < ranges else nobody
                    spent, counted = kept + 8 * (RANGES + of_range), kept + orders + 4 * of_range
                    store(spent, load(spent) + amount)
                    store_int(counted, load_int(counted) + np.int32(is_order))
                    if learned:
                        weigh(third, weights + 4 * len(LONGEST_FIRST) * days, amount, is_order)
                    if refund > 0 or not is_order:
                        give_back(cold, days, refund, is_order, of_range, layout)
            store(hot + 8 * SPEND, spend)
            store(hot + 8 * OUTER, outer)
            store(hot + 8 * DECAYED, decayed + (rest >> 16))
            store(hot + 8 * COUNTS, ordered)
            store(hot + 8 * FIRST, earliest)
            store(hot + 8 * LAST, latest)
        extract(end - block, hots, colds, thirds, block, layout, cells, 0, views - 16 * block, columns, 1, names, arenas)


@jit
def _place(run: Any, column: int, order: int) -> int:
    """Read the number of a level's name; -1 for none."""
    return load_int(run.numbers + 4 * whole(column, run.place_bytes, order)) if column != 0 else np.int32(-1)
