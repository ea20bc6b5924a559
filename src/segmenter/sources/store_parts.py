"""What the store keeps of files: written beside the reading, and aggregated again instead of it."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.messages import Message
from segmenter.sources.file_days import Span, days_of_file
from segmenter.sources.order_store import Entry, Identity, Store
from segmenter.sources.parquet_stream import Stream
from segmenter.sources.reject_reasons import STRANGER
from segmenter.tables import LEVELS, TIME

if TYPE_CHECKING:
    from segmenter.measures.aggregator import Aggregator

MAX_ROWS = 8_000_000  # of a part
_AHEAD = 2  # files whose bytes are checked while others are aggregated


class StoreWriter:
    """Writes what was aggregated of files into the store, in a thread of its own."""

    def __init__(self, store: Store, aggregator: "Aggregator") -> None:
        self._store, self._aggregator = store, aggregator
        self._pool = ThreadPoolExecutor(1)
        self._entries: list[Future[None]] = []

    def put(self, recorded: list[pl.DataFrame]) -> Future[list[str]]:
        """Write rows that were added as a part."""
        return self._pool.submit(lambda: [self._store.put(frame) for frame in part_of(self._aggregator, recorded)])

    def keep(
        self,
        path: Path,
        identity: Identity,
        sha: Future[str],
        reads: dict[str, int],
        parts: Sequence[Future[list[str]]],
        rejects: pl.DataFrame,
    ) -> None:
        """Write a file's entry, unless another launch may have to read it otherwise: later rows count then, strangers are customers."""
        if reads["later"] or STRANGER in rejects["reason"]:
            return
        counted = {name: count for name, count in reads.items() if name != "later"}

        def write() -> None:
            entry = Entry(sha.result(), counted, self._aggregator.terms.today, [part.result() for part in parts], self._store.put(rejects))
            self._store.keep(path, identity, entry)

        self._entries.append(self._pool.submit(write))
        if len(self._entries) > 1:
            self._entries[-2].result()  # of what waits to be written, one file's rows are held

    def finish(self) -> None:
        """Wait until all is written."""
        for entry in self._entries:
            entry.result()

    def close(self) -> None:
        """Write nothing more."""
        self._pool.shutdown(cancel_futures=True)


def recall(
    store: Store, stream: Stream, aggregator: "Aggregator", ids: pl.Series | None, days: list[Span]
) -> dict[int, tuple[Entry, pl.DataFrame]]:
    """Aggregate files from the store: what is kept of each, and its rejects; the others have to be read. Their days are noted."""
    found = {}
    with ThreadPoolExecutor(_AHEAD) as pool:
        paths = iter(enumerate(stream.paths))
        waiting: deque[tuple[int, Future[tuple[Entry, list[list[pl.DataFrame]], pl.DataFrame] | None]]] = deque()

        def look_ahead() -> None:
            if (following := next(paths, None)) is not None:
                waiting.append((following[0], pool.submit(_load, store, following[1], aggregator.terms.today)))

        for _ in range(_AHEAD + 1):
            look_ahead()
        while waiting:
            at, loading = waiting.popleft()
            look_ahead()
            if (loaded := loading.result()) is None:
                continue
            entry, parts, rejects = loaded
            if ids is not None and not all(part[0]["customer_id"].cast(pl.String).is_in(ids.implode()).all() for part in parts):
                continue  # some are strangers, whose rows are to be rejected one by one
            for customers, orders, places in parts:
                aggregator.add_runs(customers, orders, places["place"])
                if len(stream.paths) > 1:
                    days += days_of_file(stream.names[at], orders["time"].cast(TIME), aggregator.terms.as_of)
            # The file may be called otherwise now, from where the config names it.
            found[at] = entry, rejects.with_columns(file=pl.lit(stream.names[at]))
    return found


def _load(store: Store, path: Path, today: int) -> tuple[Entry, list[list[pl.DataFrame]], pl.DataFrame] | None:
    entry = store.find(path, today)
    if entry is None:
        return None
    parts, rejects = [store.load(path, names) for names in entry.parts], store.load(path, [entry.rejects])
    whole = [part for part in parts if part is not None]
    if rejects is None or len(whole) < len(parts):
        return None
    counted = {**entry.reads, "kept": sum(orders.height for _, orders, _ in whole), "rejected": rejects[0].height}
    if counted != entry.reads or entry.reads["rows"] != sum(entry.reads[name] for name in ("filtered", "rejected", "kept")):
        wrong = Message("sources.store_counts", "its rows do not add up: {counts}", counts=str(counted))
        store.note_damage(path, path.name, ValueError(wrong))
        return None
    return entry, whole, rejects[0]


def part_of(aggregator: "Aggregator", recorded: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Make a part of rows that were added, as they were recorded: customers, orders and places, as `Aggregator.add_runs` takes them."""
    from segmenter.measures.id_order import in_order, take

    def whole(name: str) -> NDArray[Any]:
        return np.concatenate([frame[name].to_numpy() for frame in recorded])

    def ordered(values: NDArray[Any]) -> NDArray[Any]:
        out = np.empty_like(values)
        take(values, order, out)
        return out

    records = whole("record").astype(np.uint64)
    records, order = in_order(records, int(records.max(initial=0)).bit_length())
    starts = np.concatenate([np.zeros(min(len(records), 1), np.int64), np.flatnonzero(np.diff(records)) + 1])
    counts = np.diff(starts, append=len(records)).astype(np.uint32)
    customers = pl.DataFrame({"customer_id": aggregator.ids_of(records[starts].astype(np.int32)), "count": counts})
    orders = {"time": ordered(whole("time")), "paid": ordered(whole("paid"))}
    if (back := whole("back")).any():
        orders["back"] = ordered(back)
    codes = {name: values for name in LEVELS if ((values := whole(name)) >= 0).any()}
    names = aggregator.place_names()
    met = sum((np.bincount(values + 1, minlength=len(names) + 1) for values in codes.values()), np.zeros(len(names) + 1, np.int64))
    used = np.flatnonzero(met[1:]).astype(np.int32)
    # The place after the last name is for none: -1 in `codes`.
    table = np.full(len(names) + 1, len(used), np.min_scalar_type(len(used)))
    table[used] = np.arange(len(used))
    orders |= {name: ordered(table[values]) for name, values in codes.items()}
    return customers, pl.DataFrame(orders), names.gather(pl.Series(used)).to_frame("place")
