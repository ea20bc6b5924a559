"""Orders in batches, of any number, become one record per customer, on all cores."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures import kernel
from segmenter.measures.arrow_columns import Array, address, bytes_of, texts_of, values_of, views_of
from segmenter.measures.customer_records import CHUNK, NEVER, CustomerRecords, extract, write_ids
from segmenter.measures.id_order import order_of, take, take_views
from segmenter.measures.kernel_job import Job
from segmenter.measures.place_names import PlaceNames
from segmenter.measures.record_layout import WIDTH, layout_of
from segmenter.measures.spec import summary_schema, sums
from segmenter.tables import APART, DAY, EPOCH, LEVELS, Summary, Terms

_ROWS = 1 << 18  # of a frame at a time
# What `extract` writes besides the measures.
_MOMENTS, _CODES = ("first_order_at", "last_order_at"), ("days_since_first_row", *LEVELS, APART)


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
        # Where it is a list: the rows added since, with the numbers of their customers.
        self.recorded: list[pl.DataFrame] | None = None
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

    def by_day(self) -> pl.DataFrame:
        """Give rows and net amount of each day before the as-of date so far, as `OrdersProfile` has them."""
        rows, amount = np.flip(sum((owner.by_day for owner in self._owners), np.int64(0)), 0).T
        days = pl.int_range(len(rows), dtype=pl.Int32, eager=True).cast(pl.Date).alias("day")
        return pl.DataFrame({"day": days, "rows": rows, "amount": amount}).filter(pl.col("rows") > 0)

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

    def add_runs(self, customers: pl.DataFrame, orders: pl.DataFrame, names: pl.Series) -> None:
        """Add orders that stand together by customer.

        `customers` has ``customer_id`` and ``count``, how many of the orders are whose; `orders` ``time`` (microseconds since 1970),
        ``paid``, and where there are any ``back`` (0 or 1) and `LEVELS`: by their number in `names`, one past the last for none.
        """
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(customers["count"].to_numpy(), dtype=np.int64)])
        codes = np.array([number * self.threads for number in self._places[0].numbers(views_of(names))] + [-1], np.int32)
        columns: dict[str, Array | None] = {name: orders[name].to_numpy() for name in orders.columns}
        columns |= {name: codes[column] for name in LEVELS if (column := columns.get(name)) is not None}
        self._run([Job(self.threads, customers["customer_id"], offsets=offsets, orders=columns, trusted=True)])
        if orders.height:
            times = columns["time"]
            assert times is not None
            self._seen["first"][0] = min(self._seen["first"][0], times.min())
            self._seen["last"][0] = max(self._seen["last"][0], times.max())

    def ids_of(self, numbers: NDArray[np.int32]) -> pl.Series:
        """Give the ids of customers by the numbers that `recorded` has, as text or whole numbers like the source."""
        texts, first_texts = self._texts()
        chunks = [owner.chunks[0] for owner in self._owners]  # orders added meanwhile may replace them
        hots = np.array([address(part) for part in chunks], np.int64)
        views = np.empty((len(numbers), 2), np.int64)
        write_ids(numbers, address(hots), self.threads, np.array(first_texts, np.int64), address(views))
        return pl.Series("customer_id", views[:, 1]) if self.integers else texts_of(views, texts)

    def place_names(self) -> pl.Series:
        """Give the names of places by their numbers; null where a number has none."""
        names = [places.texts() for places in self._places]
        longest = max(len(texts) for texts in names)
        return pl.Series([texts[at] if at < len(texts) else None for at in range(longest) for texts in names], dtype=pl.String)

    def summary(self) -> Summary:
        """Give the summary, sorted by customer; the aggregator is used up."""
        cells = self._layout.cells
        starts = np.cumsum([0, *(len(owner) for owner in self._owners)])
        views = np.empty((int(starts[-1]), 2), np.int64)
        types = {name: np.int64 if cell[WIDTH] == 8 else np.int32 for name, cell in cells.items()}
        types |= dict.fromkeys(_MOMENTS, np.int64) | dict.fromkeys(_CODES, np.int32)
        columns: dict[str, Array] = {name: np.empty(len(views), kind) for name, kind in types.items()}
        targets = np.array([column.ctypes.data for column in columns.values()], np.int64)
        table = np.array(list(cells.values()), np.int64)
        texts, first_texts = self._texts()
        names, arenas = self._names()
        places = (self.threads, address(names), address(arenas))
        for owner in self._owners:
            owner.slots = np.zeros(0, np.uint64)

        def read(thread: int) -> None:
            owner, stop = self._owners[thread], int(starts[thread + 1])
            for at in range(int(starts[thread]), stop, CHUNK):
                chunks = [part.pop(0) for part in (owner.hots, owner.colds, owner.thirds)]  # given back as soon as they are read
                parts = (min(CHUNK, stop - at), *(chunk.ctypes.data for chunk in chunks), at)
                extract(*parts, self._layout.layout[0], table, first_texts[thread], address(views), address(targets), *places)

        def ordered(name: str) -> pl.Series:
            column = columns.pop(name)  # each is given back as soon as it is in order
            out = np.empty_like(column)
            take(column, order, out)
            return pl.Series(name, out)

        list(self._pool.map(read, range(self.threads)))
        order = order_of(views, texts_of(views, texts))
        ids = np.empty_like(views)
        take_views(views, order, ids)
        frame = pl.DataFrame([texts_of(ids, texts), *self._pool.map(ordered, list(columns))])
        self._pool.shutdown()
        return Summary(self._finish(frame), self.terms, *self._days())

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
            self.recorded += [rows for job in jobs if (rows := job.recorded()) is not None]

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

    def _finish(self, frame: pl.DataFrame) -> pl.DataFrame:
        names = self.place_names()
        for level in LEVELS:
            codes = frame[level]
            if (codes >= 0).any():
                # One name more, which is none: the place of those who have none.
                places = names.extend_constant(None, 1).gather(codes.zip_with(codes >= 0, pl.Series([len(names)], dtype=pl.Int32)))
            else:
                places = pl.repeat(None, len(codes), dtype=pl.String, eager=True)
            frame = frame.with_columns(places.alias(level))
        if (frame["days_since_first_row"] < 0).any():
            # Customers who are known, or whose orders are kept and all later: they have none.
            frame = frame.filter(pl.col("days_since_first_row") >= 0)
        if (frame["first_order_at"] == NEVER).any():
            ordered = pl.col("last_order_at") >= 0
            largest = [name for name, measure in sums(self.terms).items() if measure.of == "largest"]
            frame = frame.with_columns(pl.when(ordered).then(name).alias(name) for name in (*_MOMENTS, *largest))
        return frame.select(pl.col(name).cast(dtype) for name, dtype in summary_schema(self.terms).items())

    def _days(self) -> tuple[date | None, date | None]:
        first, last = int(self._seen["first"].min()), int(self._seen["last"].max())
        return (None, None) if last < 0 else (EPOCH + timedelta(days=first // DAY), EPOCH + timedelta(days=last // DAY))


def aggregate(orders: pl.DataFrame, terms: Terms) -> Summary:
    """Summarize canonical orders by the kernel: the same as `definition.summarize_frame`."""
    aggregator = Aggregator(terms)
    for rows in orders.iter_slices(_ROWS):
        aggregator.add_orders(rows)
    return aggregator.summary()
