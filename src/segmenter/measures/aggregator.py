"""The history kernel: orders in batches, of any number, become one record per customer, on all cores."""

import mmap
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from segmenter.measures import kernel
from segmenter.measures.id_order import order_of, take_views
from segmenter.measures.id_order import take as take_values
from segmenter.tables import EPOCH, SUMMARY, Summary, Terms

# What `kernel.extract` writes.
LONGS = (
    *("spend", "spend_window", "refunds", "decayed_spend", "spend_30d", "spend_30d_before", "spend_90d", "spend_90d_before"),
    *("first_order_at", "last_order_at"),
)
NUMBERS = (
    *("orders", "refund_orders", "orders_30d", "orders_30d_before", "orders_90d", "orders_90d_before", "days_since_first_row"),
    *("province", "city"),
)
_ROWS = 1 << 18  # of a frame at a time
_APART = 16  # words between what different threads write for every row: cores would pass the cache line to and fro
_TEXTS = 1 << 30  # the texts of an arena are shown to Arrow by the part of so many bytes in which they begin


@dataclass(frozen=True)
class Batch:
    """Order rows as they stand in the source, in typed columns.

    Parameters
    ----------
    ids : Series of String or an integer type
        Customers.
    times : Series of Datetime("us")
        Local, without zone.
    amounts : Series of Float64 or Int64
        What was paid or, negative, given back, in currency units.
    back : Series of Boolean or None
        Refunds and cancellations; negative amounts always are.
    odd : Series of Boolean or None
        Rows that the slow way must read.
    places : sequence of Series of String or None
        Province and city; None where the source has none.
    """

    ids: pl.Series
    times: pl.Series
    amounts: pl.Series
    back: pl.Series | None = None
    odd: pl.Series | None = None
    places: Sequence[pl.Series | None] = ()


@dataclass
class _Owner:
    """The customers that belong to one thread."""

    slots: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(1 << 10, np.uint64))
    hots: list[NDArray[np.int64]] = field(default_factory=list)
    colds: list[NDArray[np.int64]] = field(default_factory=list)
    addresses: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, 0), np.int64))
    arena: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(1 << 12, np.uint8))
    state: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))
    spare: NDArray[np.int64] = field(default_factory=lambda: np.zeros(kernel.BLOCK + kernel.COLD, np.int64))

    def room(self, rows: int) -> None:
        """Have records for so many new customers; memory is taken only when they are written."""
        while len(self.hots) * kernel.CHUNK < self.state[0] + rows:
            self.hots.append(_memory(kernel.CHUNK * kernel.HOT))
            self.colds.append(_memory(kernel.CHUNK * kernel.COLD))
        if self.addresses.shape[1] != len(self.hots):
            self.addresses = np.array([[array.ctypes.data for array in part] for part in (self.hots, self.colds)], np.int64)

    def grow(self) -> None:
        if self.state[0] + 1 > int(len(self.slots) * kernel.LOAD):
            slots = _memory(2 * len(self.slots)).view(np.uint64)
            kernel.rehash(self.slots, slots)
            self.slots = slots
        else:
            self.arena = np.concatenate([self.arena, np.zeros_like(self.arena)])


@dataclass
class _Places:
    """The names of places that one thread has met."""

    slots: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1 << 10, np.int64))
    names: NDArray[np.int64] = field(default_factory=lambda: np.zeros((1 << 9, 2), np.int64))
    meanings: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1 << 9, np.int64))
    arena: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(1 << 14, np.uint8))
    state: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))

    def grow(self) -> None:
        names, meanings = np.zeros((2 * len(self.names), 2), np.int64), np.zeros(2 * len(self.names), np.int64)
        names[: len(self.names)], meanings[: len(self.names)] = self.names, self.meanings
        self.names, self.meanings = names, meanings
        self.arena = np.concatenate([self.arena, np.zeros_like(self.arena)])
        self.slots = np.zeros(2 * len(self.slots), np.int64)
        kernel.rehash_names(self.names, self.state[0], self.arena, self.slots)

    def texts(self) -> list[str]:
        """Give the names in the order of their numbers."""
        count = int(self.state[0])  # before the names, to which other threads may add
        short = self.names.view(np.uint8).reshape(-1, 16)
        texts: list[str] = []
        for number in range(count):
            length, start = int(self.names[number, 0] & 0xFFFFFFFF), int(self.names[number, 1])
            long = length > kernel.LONGEST_INLINE
            text = self.arena[start : start + length] if long else short[number, 4 : 4 + length]
            texts.append(text.tobytes().decode())
        return texts


@dataclass(frozen=True)
class _Runs:
    """Orders that stand together by customer, each customer's from its offset to the next."""

    offsets: NDArray[np.int64]
    times: NDArray[np.int64]
    paid: NDArray[np.int64]
    back: NDArray[np.uint8] | None
    provinces: NDArray[np.int32] | None
    cities: NDArray[np.int32] | None


@dataclass(frozen=True)
class _Work:
    """What is to be done with a batch: by each thread, then by each owner of customers with the names of places, then at the end."""

    examine: Callable[[int], None]
    add: Callable[[int, int, int], None]
    done: Callable[[], NDArray[np.uint8]]
    held: tuple[object, ...]  # what the addresses in it belong to


class Adder:
    """Adds up orders, batch by batch; what comes out does not depend on the batches, their order or the number of threads.

    Parameters
    ----------
    terms : Terms
        What the summary is computed for.
    integers : bool
        Whether ids are whole numbers in the source: batches have them as such.
    known : Series of String, optional
        The customers that there are; rows of others are odd. Without it every id in the orders is a customer.
    threads : int, optional
        By default as many as Polars has.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> adder = Adder(Terms(date(2026, 7, 1), 90, None))
    >>> times = pl.Series([datetime(2026, 6, 30), datetime(2026, 6, 1), datetime(2026, 7, 1)])
    >>> adder.add(Batch(pl.Series(["b", "a", "a"]), times, pl.Series([12.5, 7.5, 1.0])), digits=2).to_list()
    []
    >>> adder.summary().frame.select("customer_id", "spend", "orders").rows()
    [('a', 750, 1), ('b', 1250, 1)]
    """

    def __init__(self, terms: Terms, *, integers: bool = False, known: pl.Series | None = None, threads: int | None = None) -> None:
        self.terms = terms
        self.integers = integers
        self.only_known = False
        self.threads = threads or pl.thread_pool_size()
        self._weights = np.array(terms.weights(), np.int64)
        self._window = terms.window_days if terms.window_days is not None else -1
        self._owners = [_Owner() for _ in range(self.threads)]
        self._places = [_Places() for _ in range(self.threads)]
        self._pool = ThreadPoolExecutor(self.threads)
        # Where it is a list, the rows added since, with the numbers of their customers.
        self.recorded: list[pl.DataFrame] | None = None
        self._seen = self._nothing_seen()
        if known is not None:
            numbers = known.cast(pl.Int64, strict=False)
            ids = numbers.filter((numbers.cast(pl.String) == known).fill_null(value=False)) if integers else known
            none = pl.repeat(0, len(ids), dtype=pl.Datetime("us"), eager=True)
            self._run([self._work(Batch(ids, none, pl.Series([], dtype=pl.Int64)), insert=True)])
            self._seen = self._nothing_seen()
            self.only_known = True

    @property
    def later(self) -> int:
        """Rows at or after the as-of date so far."""
        return int(self._seen[:, 0].sum())

    def add(self, batch: Batch, *, digits: int) -> pl.Series:
        """Add rows of a source, and say which of them the slow way must read.

        Parameters
        ----------
        batch : Batch
            The rows.
        digits : int
            Decimals of the currency: what makes its amounts minor units.

        Returns
        -------
        Series
            The numbers of the odd rows, which were not added.
        """
        return self.add_all([batch], digits=digits)[0]

    def add_all(self, batches: Sequence[Batch], *, digits: int) -> list[pl.Series]:
        """Add rows of a source: several batches at once keep the cores from waiting for each other after each.

        Parameters
        ----------
        batches : sequence of Batch
            The rows.
        digits : int
            Decimals of the currency.

        Returns
        -------
        list of Series
            For each batch the numbers of its odd rows.
        """
        works = [
            self._work(
                batch,
                odd=np.zeros(len(batch.ids), np.uint8) if batch.odd is None else _bits(batch.odd),
                back=None if batch.back is None else _bits(batch.back),
                scale=10.0**digits,
            )
            for batch in batches
        ]
        return [pl.Series(np.flatnonzero(odd)) for odd in self._run(works)]

    def add_rows(self, rows: pl.DataFrame) -> None:
        """Add order rows that the slow way has read.

        Parameters
        ----------
        rows : DataFrame
            ``customer_id``, ``time``, ``paid`` (minor units), ``back``, ``province``, ``city``.
        """
        ids = rows["customer_id"].cast(pl.Int64) if self.integers else rows["customer_id"]
        places = [rows["province"], rows["city"]]
        self._run([self._work(Batch(ids, rows["time"], rows["paid"], places=places), back=_bits(rows["back"]), trusted=True)])

    def add_runs(self, customers: pl.DataFrame, orders: pl.DataFrame, names: pl.Series) -> None:
        """Add orders that stand together by customer.

        Parameters
        ----------
        customers : DataFrame
            ``customer_id`` and ``count``: how many of the orders are whose.
        orders : DataFrame
            ``time`` (microseconds since 1970), ``paid``, and where there are any ``back`` (0 or 1), ``province``, ``city``: customer
            by customer, places by their number in `names`, one past the last for none.
        names : Series of String
            The names of the places.
        """
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(customers["count"].to_numpy(), dtype=np.int64)])
        numbers = np.append(self._numbers(names), np.int32(-1))
        codes = [numbers[orders[name].to_numpy()] if name in orders.columns else None for name in ("province", "city")]
        ids = customers["customer_id"]
        none = pl.repeat(0, len(ids), dtype=pl.Datetime("us"), eager=True)
        back = orders["back"].to_numpy() if "back" in orders.columns else None
        parts = (orders["time"].to_numpy(), orders["paid"].to_numpy(), back)
        seen = self._seen[:, 1:].copy()
        self._run([self._work(Batch(ids, none, orders["paid"]), trusted=True, runs=_Runs(offsets, *parts, *codes))])
        self._seen[:, 1:] = seen
        if len(parts[0]):
            self._seen[0, 1:3] = min(seen[0, 0], parts[0].min()), max(seen[0, 1], parts[0].max())

    def ids_of(self, numbers: NDArray[np.int32]) -> pl.Series:
        """Give the ids of customers by their numbers.

        Parameters
        ----------
        numbers : ndarray of shape (n,)
            As `recorded` has them.

        Returns
        -------
        Series
            Text or whole numbers, as the source has them.
        """
        texts, bases = self._texts()
        held = [owner.addresses[0] for owner in self._owners]  # orders added meanwhile may replace them
        hots = np.array([_at(addresses) for addresses in held], np.int64)
        views = np.empty((len(numbers), 2), np.int64)
        kernel.views_of(numbers, _at(hots), self.threads, np.array(bases, np.int64), views)
        return pl.Series("customer_id", views[:, 1]) if self.integers else _texts_of(views, texts)

    def place_names(self) -> pl.Series:
        """Give the names of places by their numbers; null where a number has none."""
        names = [place.texts() for place in self._places]
        longest = max(len(texts) for texts in names)
        return pl.Series([texts[at] if at < len(texts) else None for at in range(longest) for texts in names], dtype=pl.String)

    def _numbers(self, names: pl.Series) -> NDArray[np.int32]:
        """Give numbers to the names of places."""
        mine, view = self._places[0], _views(names)
        found = []
        for at in range(len(names)):
            while (
                number := kernel.interned(
                    *(int(view.views[2 * at]), int(view.views[2 * at + 1]), True, _at(view.buffers), _at(mine.slots), len(mine.slots) - 1),
                    *(_at(mine.names), _at(mine.meanings), _at(mine.arena), len(mine.arena), _at(mine.state)),
                )
            ) == kernel.FULL:
                mine.grow()
            found.append(number * self.threads)
        return np.array(found, np.int32)

    def _texts(self) -> tuple[list[NDArray[np.uint8]], list[int]]:
        """Show the owners' long texts as buffers to Arrow, and say where those of each begin."""
        texts: list[NDArray[np.uint8]] = []
        bases = []
        for owner in self._owners:
            bases.append(len(texts))
            texts += [owner.arena[at : at + 2 * _TEXTS - 1] for at in range(0, max(int(owner.state[1]), 1), _TEXTS)]
        return texts, bases

    def add_orders(self, orders: pl.DataFrame) -> None:
        """Add canonical orders of customers that may be added.

        Parameters
        ----------
        orders : DataFrame
            See `tables.ORDERS`.
        """
        ids = orders["customer_id"].cast(pl.Int64) if self.integers else orders["customer_id"]
        batch = Batch(ids, orders["time"], orders["amount"], places=[orders["province"], orders["city"]])
        self._run([self._work(batch, back=_bits(~orders["is_order"]), refunds=_values(orders["refund"])[0])])

    def _work(
        self,
        batch: Batch,
        *,
        odd: NDArray[np.uint8] | None = None,
        back: NDArray[np.uint8] | None = None,
        refunds: NDArray[np.int64] | None = None,
        scale: float = 1.0,
        trusted: bool = False,
        insert: bool = False,
        runs: "_Runs | None" = None,
    ) -> "_Work":
        count, raw = len(batch.ids), refunds is None
        if odd is None:
            odd = np.zeros(count, np.uint8)
        ids, times, amounts = _views(batch.ids), _values(batch.times), _values(batch.amounts)
        paid = np.empty(count, np.int64) if raw and not (insert or runs) else amounts[0]
        places = [_views(place) if place is not None and place.null_count() < count else None for place in batch.places]
        codes = [None if place is None else np.empty(count, np.int32) for place in (*places, None, None)][:2]
        levels = [
            (_at(place.views), _at(place.missing), _at(place.buffers), _at(code))
            for place, code in zip(places, codes, strict=False)
            if place is not None
        ]
        table = np.array(levels, np.int64)
        share = -(-count // self.threads)
        rows = np.empty((self.threads, self.threads, share), np.uint32)
        tags = np.empty_like(rows)
        counts = np.zeros((self.threads, self.threads + _APART), np.int64)
        is_float = amounts[0].dtype == np.float64
        records = np.full(count, -1, np.int32) if self.recorded is not None and not insert else None

        def examine(thread: int) -> None:
            at, stop, mine = thread * share, min((thread + 1) * share, count), self._places[thread]
            while at < stop:
                at = kernel.examine(
                    *(at, stop, raw and not (insert or runs), trusted or not raw),
                    *(_at(ids.views), _at(ids.missing), _at(ids.buffers)),
                    *(_at(times[0]), _at(times[1]), self.terms.today * kernel.DAY),
                    *(*((_at(amounts[0]), 0) if is_float else (0, _at(amounts[0]))), _at(amounts[1]), scale),
                    *(_at(odd), len(levels), _at(table), _at(mine.slots), len(mine.slots) - 1, _at(mine.names), _at(mine.meanings)),
                    *(_at(mine.arena), len(mine.arena), _at(mine.state), _at(paid), _at(rows[thread]), _at(tags[thread])),
                    *(_at(counts[thread]), share, thread, self.threads, _at(self._seen[thread])),
                )
                if at < stop:
                    mine.grow()

        if runs is None:
            offsets, orders = None, [_at(part) for part in (times[0], paid, refunds, back, *codes)]
        else:
            offsets, orders = runs.offsets, [_at(part) for part in (runs.times, runs.paid, None, runs.back, runs.provinces, runs.cities)]

        def add(thread: int, names: int, arenas: int) -> None:
            mine = self._owners[thread]
            for source in range(self.threads):
                at, stop = 0, int(counts[source, thread])
                mine.room(stop)
                while at < stop:
                    at = kernel.add(
                        *(at, stop, raw, trusted or not raw, self.only_known and not trusted and raw, insert),
                        *(_at(rows[source, thread]), _at(tags[source, thread]), _at(ids.views), _at(ids.buffers)),
                        *orders,
                        *(_at(odd), _at(mine.slots), len(mine.slots) - 1, _at(mine.addresses[0]), _at(mine.addresses[1])),
                        *(_at(mine.arena), len(mine.arena), _at(mine.state), self.terms.today, self._window, _at(self._weights)),
                        *(self.threads, names, arenas, _at(offsets), _at(records), thread, _at(self._seen[thread]), _at(mine.spare)),
                    )
                    if at < stop:
                        mine.grow()

        def done() -> NDArray[np.uint8]:
            if records is not None:
                self._record(records, times[0], paid, back, codes)
            return odd

        return _Work(examine, add, done, (ids, times, amounts, paid, places, codes, refunds, back, runs))

    def _run(self, works: Sequence["_Work"]) -> list[NDArray[np.uint8]]:
        """Work on all cores: first every row is handed to its owner, then every owner adds up theirs. Gives each batch's odd rows."""

        def examine(thread: int) -> None:
            for work in works:
                work.examine(thread)

        def add(thread: int) -> None:
            for work in works:
                work.add(thread, _at(names), _at(arenas))

        list(self._pool.map(examine, range(self.threads)))
        names, arenas = (np.array([_at(part) for part in parts], np.int64) for parts in self._tables())
        list(self._pool.map(add, range(self.threads)))
        return [work.done() for work in works]

    def _record(
        self,
        records: NDArray[np.int32],
        times: NDArray[np.int64],
        paid: NDArray[np.int64],
        back: NDArray[np.uint8] | None,
        codes: list[Any],
    ) -> None:
        kept = records >= 0
        none = np.full(len(records), -1, np.int32)
        columns = {
            **{"record": records, "time": times, "paid": paid, "back": np.zeros(len(records), np.uint8) if back is None else back},
            **{name: none if code is None else code for name, code in zip(("province", "city"), codes, strict=True)},
        }
        frame = pl.DataFrame(columns)
        self.recorded = [*(self.recorded or []), frame if kept.all() else frame.filter(kept)]

    def _tables(self) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        return [mine.names for mine in self._places], [mine.arena for mine in self._places]

    def _nothing_seen(self) -> NDArray[np.int64]:
        return np.array([[0, kernel.NEVER, -1, *[0] * _APART]] * self.threads, np.int64)

    def summary(self) -> Summary:
        """Give what the orders came to; the adder is used up.

        Returns
        -------
        Summary
            Sorted by customer.
        """
        starts = np.cumsum([0, *(int(owner.state[0]) for owner in self._owners)])
        views = np.empty((int(starts[-1]), 2), np.int64)
        found = {name: np.empty(len(views), kind) for names, kind in ((LONGS, np.int64), (NUMBERS, np.int32)) for name in names}
        columns = np.array([column.ctypes.data for column in found.values()], np.int64)
        texts, bases = self._texts()
        for owner in self._owners:
            owner.slots = np.zeros(0, np.uint64)

        def extract(thread: int) -> None:
            owner, at = self._owners[thread], int(starts[thread])
            while at < starts[thread + 1]:
                hot, cold = owner.hots.pop(0), owner.colds.pop(0)  # each chunk is given back as soon as it is read
                count = min(kernel.CHUNK, int(starts[thread + 1]) - at)
                windowed = self.terms.window_days is not None
                kernel.extract(
                    *(
                        count,
                        hot.ctypes.data,
                        cold.ctypes.data,
                        at,
                        self.terms.today,
                        windowed,
                        bases[thread],
                        views.ctypes.data,
                        _at(columns),
                    )
                )
                at += count

        def take(name: str) -> pl.Series:
            column = found.pop(name)  # each is given back as soon as it is in order
            ordered = np.empty_like(column)
            take_values(column, order, ordered)
            return pl.Series(name, ordered)

        list(self._pool.map(extract, range(self.threads)))
        order = order_of(views, _texts_of(views, texts))
        ids = np.empty_like(views)
        take_views(views, order, ids)
        frame = pl.DataFrame([_texts_of(ids, texts), *self._pool.map(take, list(found))])
        self._pool.shutdown()
        return Summary(self._finished(frame), self.terms, *self._days())

    def _finished(self, frame: pl.DataFrame) -> pl.DataFrame:
        known = self.place_names()
        for name in ("province", "city"):
            codes = frame[name]
            if (codes >= 0).any():
                # One name more, which is none: the place of those who have none.
                places = known.extend_constant(None, 1).gather(codes.zip_with(codes >= 0, pl.Series([len(known)], dtype=pl.Int32)))
            else:
                places = pl.repeat(None, len(codes), dtype=pl.String, eager=True)
            frame = frame.with_columns(places.alias(name))
        if (frame["days_since_first_row"] < 0).any():
            # Customers who are known, or whose orders are kept and all later: they have none.
            frame = frame.filter(pl.col("days_since_first_row") >= 0)
        if (frame["first_order_at"] == kernel.NEVER).any():
            ordered = pl.col("orders") > 0
            frame = frame.with_columns(pl.when(ordered).then(name).alias(name) for name in ("first_order_at", "last_order_at"))
        return frame.select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items())

    def _days(self) -> Any:
        first, last = int(self._seen[:, 1].min()), int(self._seen[:, 2].max())
        if last < 0:
            return None, None
        return EPOCH + timedelta(days=first // kernel.DAY), EPOCH + timedelta(days=last // kernel.DAY)


def _memory(words: int) -> NDArray[np.int64]:
    """Take zeroed memory straight from the system: it begins at a page, counts once it is written, and goes back when dropped."""
    if not hasattr(mmap, "MAP_PRIVATE"):  # Windows
        return np.frombuffer(mmap.mmap(-1, 8 * words), np.int64)
    memory = mmap.mmap(-1, 8 * words, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):  # fewer look-ups of addresses: a tenth to a third of the time
        with suppress(OSError):  # a kernel that has none
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.int64)


def added_up(orders: pl.DataFrame, terms: Terms) -> Summary:
    """Summarize canonical orders by the kernel.

    Parameters
    ----------
    orders : DataFrame
        `tables.ORDERS`.
    terms : Terms
        The date, the window and the half-life.

    Returns
    -------
    Summary
        The same as of `definition.summarize_frame`.

    Examples
    --------
    >>> from datetime import date
    >>> from segmenter.tables import ORDERS
    >>> added_up(ORDERS.to_frame(), Terms(date(2026, 7, 1), 90, None)).frame.height
    0
    """
    adder = Adder(terms)
    for rows in orders.iter_slices(_ROWS):
        adder.add_orders(rows)
    return adder.summary()


def _at(array: NDArray[Any] | None) -> int:
    """Give an array's address; 0 where there is nothing in it."""
    return int(array.__array_interface__["data"][0]) if array is not None and array.size else 0


def _bits(series: pl.Series) -> NDArray[np.uint8]:
    return series.fill_null(value=False).cast(pl.UInt8).to_numpy()


def _missing(array: pa.Array) -> NDArray[np.uint8] | None:
    if not array.null_count:
        return None
    bits = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")
    return 1 - bits[array.offset : array.offset + len(array)]


def _values(series: pl.Series) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """Give the values of a column of numbers or times, and which are missing."""
    array = series.rechunk().to_physical().to_arrow()
    kind = array.type.to_pandas_dtype()
    values = np.frombuffer(array.buffers()[1], kind) if len(array) else np.zeros(0, kind)
    return values[array.offset : array.offset + len(array)], _missing(array)


@dataclass(frozen=True)
class _Views:
    """A column of texts, or of whole numbers in the form of texts."""

    views: NDArray[np.int64]
    missing: NDArray[np.uint8] | None
    buffers: NDArray[np.int64]
    column: pa.Array | None  # kept alive, for it owns the buffers


def _views(series: pl.Series) -> _Views:
    if series.dtype.is_integer():
        values, missing = _values(series.cast(pl.Int64))
        views = np.empty((len(values), 2), np.int64)
        views[:, 0], views[:, 1] = kernel.INTEGER, values
        return _Views(views, missing, np.zeros(0, np.int64), None)
    array = series.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    views = np.frombuffer(array.buffers()[1], np.int64) if len(array) else np.zeros(0, np.int64)
    buffers = np.array([buffer.address for buffer in array.buffers()[2:]], np.int64)
    return _Views(views[2 * array.offset : 2 * (array.offset + len(array))], _missing(array), buffers, array)


def _texts_of(views: NDArray[np.int64], texts: list[NDArray[np.uint8]]) -> pl.Series:
    """Make ids of views, or of numbers in the form of views."""
    if len(views) and views[0, 0] == kernel.INTEGER:
        return pl.Series("customer_id", views[:, 1]).cast(pl.String)
    buffers = [None, pa.py_buffer(views), *(pa.py_buffer(text) for text in texts)]
    return pl.Series("customer_id", pa.Array.from_buffers(pa.string_view(), len(views), buffers))
