"""Orders in batches, of any number, become one record per customer, on all cores."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures import kernel
from segmenter.measures.arrow_columns import Array, address, bytes_of, column_of, texts_of, values_of
from segmenter.measures.customer_records import CHUNK, NEVER, CustomerRecords, write_ids
from segmenter.measures.id_order import order_of, take, take_views
from segmenter.measures.kernel_job import Job
from segmenter.measures.place_names import PlaceNames
from segmenter.measures.record_columns import RecordColumns, days_with_rows, finish
from segmenter.measures.record_layout import layout_of
from segmenter.tables import DAY, EPOCH, LEVELS, Summary, Terms

_ROWS = 1 << 18  # of a frame at a time


@dataclass(frozen=True)
class Batch:
    """Order rows as they stand in the source, in typed columns. Rows that have to be read by the fallback are marked, or found here."""

    ids: pl.Series  # text or whole numbers
    times: pl.Series  # Datetime("us"), local
    amounts: pl.Series  # Float64 or Int64: what was paid or, negative, given back, in currency units
    back: pl.Series | None = None  # refunds and cancellations; negative amounts always are
    fallback: pl.Series | None = None
    places: Sequence[pl.Series | None] = ()  # the `LEVELS`; None where the source has none


class Aggregator:
    """Aggregates orders batch by batch; the result does not depend on the batches, their order or the number of threads.

    `integers`: ids are whole numbers in the source, and in its batches. `known`: the customers that there are; rows of others are left
    to the fallback. Without it every id in the orders is a customer.

    >>> from datetime import datetime
    >>> aggregator = Aggregator(Terms(date(2026, 7, 1), 90, None))
    >>> times = pl.Series([datetime(2026, 6, 30), datetime(2026, 6, 1), datetime(2026, 7, 1)])
    >>> [left.to_list() for left in aggregator.add_all([Batch(pl.Series(["b", "a", "a"]), times, pl.Series([12.5, 7.5, 1.0]))], digits=2)]
    [[]]
    >>> aggregator.summary().frame.select("customer_id", "spend", "orders").rows()
    [('a', 750, 1), ('b', 1250, 1)]
    """

    def __init__(self, terms: Terms, *, integers: bool = False, known: pl.Series | None = None, threads: int | None = None) -> None:
        self.terms = terms
        self.integers = integers
        self.only_known = False
        self.threads = threads or pl.thread_pool_size()
        # Where it is a list, rows are put there with the numbers of their customers, and not added.
        self.recorded: list[dict[str, Array]] | None = None
        self._layout = layout_of(terms)
        self._owners = [
            CustomerRecords(thread, self._layout.words, terms.today, learned=terms.horizon_days is not None)
            for thread in range(self.threads)
        ]
        self._places = [PlaceNames() for _ in range(self.threads)]
        self._pool = ThreadPoolExecutor(self.threads)
        self._seen = np.array([(0, NEVER, -1)] * self.threads, kernel.SEEN)
        if known is not None:
            numbers = known.cast(pl.Int64, strict=False)
            ids = numbers.filter((numbers.cast(pl.String) == known).fill_null(value=False)) if integers else known
            self._run([Job(self.threads, ids, only_ids=True)])
            self.only_known = True

    @property
    def later(self) -> int:
        """Rows at or after the as-of date so far."""
        return int(self._seen["later"].sum()) + sum(int(owner.tables["later"][0]) for owner in self._owners)

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The days of the first and the last row so far, those after the as-of date included."""
        first, last = int(self._seen["first"].min()), int(self._seen["last"].max())
        return (None, None) if last < 0 else (EPOCH + timedelta(days=first // DAY), EPOCH + timedelta(days=last // DAY))

    def by_day(self) -> pl.DataFrame:
        """Give rows and net amount of each day before the as-of date so far, as `OrdersProfile` has them."""
        return days_with_rows(np.sum([owner.by_day for owner in self._owners], axis=0))

    def add_all(self, batches: Sequence[Batch], *, digits: int) -> list[pl.Series]:
        """Add rows of a source, and give the numbers of each batch's rows that are left to the fallback; `digits`: of the currency.

        Several batches at once keep the cores from waiting for each other after each.
        """
        jobs = [
            Job(
                self.threads,
                batch.ids,
                times=batch.times,
                amounts=batch.amounts,
                scale=10.0**digits,
                back=None if batch.back is None else bytes_of(batch.back),
                places=batch.places,
                fallback=None if batch.fallback is None else bytes_of(batch.fallback),
                only_known=self.only_known,
                recorded=self.recorded is not None,
            )
            for batch in batches
        ]
        self._run(jobs)
        return [pl.Series(np.flatnonzero(job.fallback)) for job in jobs]

    def add_rows(self, rows: pl.DataFrame) -> None:
        """Add rows that the fallback has read: ``customer_id``, ``time``, ``paid`` (minor units), ``back``, the `LEVELS`."""
        job = Job(
            self.threads,
            self._ids(rows),
            times=rows["time"],
            amounts=rows["paid"],
            back=bytes_of(rows["back"]),
            places=[rows[level] for level in LEVELS],
            trusted=True,
            recorded=self.recorded is not None,
        )
        self._run([job])

    def add_orders(self, orders: pl.DataFrame) -> None:
        """Add canonical orders (`tables.ORDERS`) of customers that may be added."""
        job = Job(
            self.threads,
            self._ids(orders),
            times=orders["time"],
            amounts=orders["amount"],
            refunds=values_of(orders["refund"])[0],
            back=bytes_of(~orders["is_order"]),
            places=[orders[level] for level in LEVELS],
            trusted=True,
        )
        self._run([job])

    def customers(self) -> tuple[pl.Series, NDArray[np.uint32]]:
        """Give the ids of all customers so far, sorted, as text, and the place of each there by the number that `recorded` has."""
        numbers = np.concatenate([np.arange(len(owner), dtype=np.int32) * self.threads + at for at, owner in enumerate(self._owners)])
        texts, first_texts = self._texts()
        hots = np.array([address(owner.chunks[0]) for owner in self._owners], np.int64)
        views = np.empty((len(numbers), 2), np.int64)
        write_ids(numbers, address(hots), self.threads, np.array(first_texts, np.int64), address(views))
        order = order_of(views, texts_of(views, texts))
        ids = np.empty_like(views)
        take_views(views, order, ids)
        ranks = np.zeros(int(numbers.max(initial=-1)) + 1, np.uint32)
        ranks[numbers[order]] = np.arange(len(order), dtype=np.uint32)
        return texts_of(ids, texts), ranks

    def place_names(self) -> pl.Series:
        """Give the names of places by their numbers; null where a number has none."""
        names = [places.texts() for places in self._places]
        longest = max(len(texts) for texts in names)
        return pl.Series([texts[at] if at < len(texts) else None for at in range(longest) for texts in names], dtype=pl.String)

    def summary(self) -> Summary:
        """Give the summary, sorted by customer; the aggregator is used up."""
        starts = np.cumsum([0, *(len(owner) for owner in self._owners)])
        views = np.empty((int(starts[-1]), 2), np.int64)
        out = RecordColumns(self._layout, len(views))
        texts, first_texts = self._texts()
        names, arenas = self._names()
        places = (self.threads, address(names), address(arenas))
        for owner in self._owners:
            owner.slots = np.zeros(0, np.uint64)

        def read(thread: int) -> None:
            owner, stop = self._owners[thread], int(starts[thread + 1])
            for at in range(int(starts[thread]), stop, CHUNK):
                chunks = [part.pop(0) for part in (owner.hots, owner.colds, owner.thirds)]  # given back as soon as they are read
                out.extract(min(CHUNK, stop - at), chunks, at, first_texts[thread], address(views), places)

        def ordered(name: str) -> pl.Series:
            column = out.columns.pop(name)  # each is given back as soon as it is in order
            values = np.empty_like(column)
            take(column, order, values)
            return column_of(name, values)

        list(self._pool.map(read, range(self.threads)))
        order = order_of(views, texts_of(views, texts))
        ids = np.empty_like(views)
        take_views(views, order, ids)
        frame = pl.DataFrame([texts_of(ids, texts), *self._pool.map(ordered, list(out.columns))])
        self._pool.shutdown()
        return Summary(finish(frame, self.place_names(), self.terms), self.terms, *self.days)

    def _ids(self, rows: pl.DataFrame) -> pl.Series:
        return rows["customer_id"].cast(pl.Int64) if self.integers else rows["customer_id"]

    def _run(self, jobs: Sequence[Job]) -> None:
        """Work on all cores: first every row is handed to its customer's thread, then every thread adds what it was handed."""

        def examine(thread: int) -> None:
            names = self._places[thread]
            for job in jobs:
                at, stop = thread * job.share, min((thread + 1) * job.share, job.count)
                while at < stop:
                    seen = self._seen[thread]
                    at = kernel.examine(at, stop, job.batch[0], self._layout.layout[0], names.tables[0], seen, thread)
                    if at < stop:
                        names.grow()

        def add(thread: int) -> None:
            owner = self._owners[thread]
            for job in jobs:
                for source in range(self.threads):
                    at, stop = 0, int(job.handed[source, thread])
                    owner.reserve(stop)
                    while at < stop:
                        tables = (job.batch[0], self._layout.layout[0], owner.tables[0])
                        at = kernel.add(at, stop, source, *tables, address(names), address(arenas))
                        if at < stop:
                            owner.grow()

        self._on_all_cores(examine)
        names, arenas = self._names()
        self._on_all_cores(add)
        if self.recorded is not None:
            self.recorded += [job.recorded() for job in jobs]

    def _on_all_cores(self, work: Callable[[int], None]) -> None:
        list(self._pool.map(work, range(self.threads)))

    def _names(self) -> tuple[Array, Array]:
        """Give the addresses of each thread's names of places, and of their long texts."""
        texts, arenas = [places.names for places in self._places], [places.arena for places in self._places]
        return np.array([*map(address, texts)], np.int64), np.array([*map(address, arenas)], np.int64)

    def _texts(self) -> tuple[list[NDArray[np.uint8]], list[int]]:
        """Show the owners' long ids as buffers to Arrow, and say where those of each begin."""
        texts: list[NDArray[np.uint8]] = []
        firsts = []
        for owner in self._owners:
            firsts.append(len(texts))
            texts += owner.texts()
        return texts, firsts


def aggregate(orders: pl.DataFrame, terms: Terms) -> Summary:
    """Summarize canonical orders by the kernel: the same as `definition.summarize_frame`."""
    aggregator = Aggregator(terms)
    for rows in orders.iter_slices(_ROWS):
        aggregator.add_orders(rows)
    return aggregator.summary()
