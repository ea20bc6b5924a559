"""What a launch takes from the store, and what it adds: the rows of files as they are read, sorted into runs. Imports Numba."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from segmenter.measures.aggregator import Aggregator
from segmenter.measures.arrow_columns import Array
from segmenter.measures.order_runs import STEPS, Run, merged, narrow, run_of_rows
from segmenter.messages import Message
from segmenter.sources.file_days import Span
from segmenter.sources.order_store import Entry, Identity, Store, StoredRun
from segmenter.sources.parquet_stream import Stream
from segmenter.sources.reject_reasons import STRANGER
from segmenter.sources.run_files import open_run, write_run
from segmenter.tables import DAY, EPOCH

MAX_ROWS = 24_000_000  # that are held until they are sorted; a run of as many is not merged any more
_SMALLER = 3  # a run is merged with the smaller ones once it is at most so many times as large as they are together
_DEAD = 4  # and rewritten where one order in so many counts no more


@dataclass(frozen=True)
class Recalled:
    """What is kept of a stream's files."""

    files: dict[int, tuple[Entry, pl.DataFrame]]  # by number in the stream: the entry, and the rejects
    runs: list[Run]  # of which only the orders of these files count
    opened: dict[str, Run]  # all runs that were opened, by name

    def spans(self, stream: Stream, today: int) -> list[Span]:
        """Give the days of the files, see `file_days`."""
        found = []
        for at, (entry, _) in self.files.items():
            if days := [(day, rows) for day, rows in entry.days if day < today]:
                first, last = (datetime.combine(EPOCH, time()) + timedelta(days=days[end][0]) for end in (0, -1))
                found.append((stream.names[at], first, last, sum(rows for _, rows in days)))
        return found

    def days(self) -> list[int]:
        """Give the first and the last days, since 1970, of each file with orders."""
        return [entry.days[end][0] for entry, _ in self.files.values() if entry.days for end in (0, -1)]


def recall(store: Store, stream: Stream, ids: pl.Series | None, today: int) -> Recalled:
    """Find what is kept of files and can be used as of a date; the others have to be read."""
    recalled, damaged = _recall(store, stream, ids, today)
    if damaged and not store.is_as_found:
        # Another launch has replaced what this one was about to open.
        store.warnings.clear()
        store.look()
        recalled, _ = _recall(store, stream, ids, today)
    return recalled


def _recall(store: Store, stream: Stream, ids: pl.Series | None, today: int) -> tuple[Recalled, bool]:
    paths = {str(path.resolve()): at for at, path in enumerate(stream.paths)}
    found = {key: (entry, rejects) for key, at in paths.items() for entry, rejects in _find(store, stream.paths[at], key)}
    opened: dict[str, Run] = {}
    warned = len(store.warnings)
    for stored in list(store.runs):
        if not any(path in found for path in stored.files):
            continue
        try:
            opened[stored.name] = open_run(store, stored)
        except (OSError, ValueError, PolarsError) as error:
            lost = tuple({path for path in stored.files if path is not None})
            store.note_damage(stored.name, error, lost)
            store.forget(list(lost))
    for key in [key for key in found if key in store.entries]:
        kept = sum(rows for run in store.runs for path, rows in zip(run.files, run.rows, strict=True) if path == key)
        reads = found[key][0].reads
        counted = {**reads, "kept": kept, "rejected": found[key][1].height}
        if counted != reads or reads["rows"] != sum(reads[name] for name in ("filtered", "rejected", "kept")):
            wrong = Message("sources.store_counts", "its rows do not add up: {counts}", counts=str(counted))
            store.note_damage(store.place.name, ValueError(wrong), (key,))
            store.forget([key])
    strangers = set() if ids is None else {path for stored in store.runs for path in _strangers(stored, opened, ids)}
    usable = {
        key: value
        for key, value in found.items()
        # Rejects count only from before the as-of date, and of theirs nothing is known but that it was before the other one.
        if key in store.entries and key not in strangers and (today >= value[0].as_of or not value[0].reads["rejected"])
    }
    runs = [_limited(opened[run.name], run, set(usable)) for run in store.runs if usable.keys() & set(run.files)]
    # The file may be called otherwise now, from where the config names it.
    named = {paths[key]: (entry, rejects.with_columns(file=pl.lit(stream.names[paths[key]]))) for key, (entry, rejects) in usable.items()}
    return Recalled(named, runs, opened), len(store.warnings) > warned


def _find(store: Store, path: Path, key: str) -> list[tuple[Entry, pl.DataFrame]]:
    """Find a file's entry and its rejects, if it has both."""
    entry = store.find(path)
    rejects = None if entry is None else store.load(entry.rejects, key)
    return [] if entry is None or rejects is None else [(entry, rejects)]


def _strangers(stored: StoredRun, opened: dict[str, Run], ids: pl.Series) -> set[str | None]:
    """List the files with orders of others than the customers: their rows are to be rejected one by one."""
    run = opened.get(stored.name)
    if run is None or (strange := ~run.ids.is_in(ids.implode())).sum() == 0:
        return set()
    rows = np.repeat(strange.to_numpy(), np.diff(run.starts))
    return {stored.files[number] for number in np.unique(run.columns["file"][rows]).tolist()}


def _limited(run: Run, stored: StoredRun, paths: set[str]) -> Run:
    """Let only the orders of some files count."""
    keep = np.array([path in paths for path in stored.files])
    return run if keep.all() else replace(run, keep=keep)


class Recorder:
    """Takes what the aggregator records of the files that are read, and makes runs of it."""

    def __init__(self, store: Store, stream: Stream, recalled: Recalled, aggregator: Aggregator) -> None:
        self.store, self._stream, self._recalled, self._aggregator = store, stream, recalled, aggregator
        self._pool = ThreadPoolExecutor(1)
        self._rows: list[Future[tuple[dict[str, Array], NDArray[np.int64]]]] = []  # of the file that is read
        self._waiting: dict[bool, list[dict[str, Array]]] = {True: [], False: []}  # of files before it: that are to be kept, and others
        self._paths: list[str] = []  # of the files that were read, by number
        self._days: list[NDArray[np.int64]] = []  # of the file that is read
        self._runs: list[Run] = []  # of all that was read
        self._made: list[tuple[StoredRun, Run]] = []  # of these, what the index does not name yet
        self._merging = dict(recalled.opened)  # all that were opened or made, by name
        self._entries: dict[str, tuple[int, Future[str], Entry]] = {}

    def take(self, recorded: list[dict[str, Array]]) -> None:
        """Take rows of a file."""
        self._rows += [self._pool.submit(_narrowed, rows, len(self._paths)) for rows in recorded]

    def end_file(self, at: int, identity: Identity, sha: Future[str], reads: dict[str, int], rejects: pl.DataFrame) -> None:
        """Take all rows of a file as whole; it is kept, unless another launch may have to read it otherwise: later rows count then."""
        key = str(self._stream.paths[at].resolve())
        done = [future.result() for future in self._rows]
        keep = not reads["later"] and STRANGER not in rejects["reason"]
        self._waiting[keep] += [rows for rows, _ in done if len(rows["record"])]
        self._paths.append(key)
        self._rows = []
        if keep:
            counted = {name: count for name, count in reads.items() if name != "later"}
            days = _days_with_rows([days for _, days in done])
            entry = Entry(identity, None, "", counted, self._aggregator.terms.today, days, self.store.put(rejects))
            self._entries[key] = at, sha, entry
        if sum(len(rows["record"]) for part in self._waiting.values() for rows in part) > MAX_ROWS:
            self._sort()
            self._publish()  # a launch that is killed has not read them in vain

    def runs(self) -> list[Run]:
        """Sort what waits, and give all runs whose orders count."""
        self._sort()
        return [*self._recalled.runs, *self._runs]

    def close(self) -> None:
        """Take nothing more."""
        self._pool.shutdown(cancel_futures=True)

    def _sort(self) -> None:
        if not any(self._waiting.values()):
            return
        ids, ranks = self._aggregator.customers()
        names = self._aggregator.place_names()
        for keep, rows in self._waiting.items():
            self._waiting[keep] = []
            if rows and keep:
                files = [path if path in self._entries else None for path in self._paths]
                stored, run = write_run(self.store, partial(run_of_rows, rows, ids, ranks, names), files)
                self._made.append((stored, run))
                self._merging[stored.name] = run
                self._runs.append(run)
            elif rows:
                self._runs.append(run_of_rows(rows, ids, ranks, names, lambda name, dtype, length: np.empty(length, dtype)))

    def publish(self) -> None:
        """Put what was read into the store, and what there is of it in order."""
        self._publish(merge=True)
        named = {run.name for run in self.store.runs} if self.store.is_as_found else set()
        for stored, _ in self._made:
            if stored.name not in named:
                self.store.delete(stored.name)

    def _publish(self, *, merge: bool = False) -> None:
        """Put what was read into the store's index, in place of what it had of these files and of those that are gone."""
        store = self.store
        read = [key for key, (at, _, entry) in self._entries.items() if Identity.of(self._stream.paths[at]) == entry.identity]
        store.forget([*read, *(path for path in store.entries if not Path(path).exists())])
        store.entries |= {key: replace(self._entries[key][2], sha256=self._entries[key][1].result()) for key in read}
        store.runs += [replace(stored, files=[path if path in read else None for path in stored.files]) for stored, _ in self._made]
        if merge:
            self._merge(self._merging)
        if store.publish() and not merge:
            self._entries, self._made = {}, []

    def _merge(self, opened: dict[str, Run]) -> None:
        """Merge runs that have become small beside the smaller ones, and rewrite those of which much counts no more."""
        store = self.store
        live = {run.name: sum(rows for path, rows in zip(run.files, run.rows, strict=True) if path is not None) for run in store.runs}
        store.runs = sorted((run for run in store.runs if live[run.name]), key=lambda run: -live[run.name])
        after = 0
        merging: list[StoredRun] = []
        some = [run for run in store.runs if live[run.name] < MAX_ROWS or (sum(run.rows) - live[run.name]) * _DEAD > sum(run.rows)]
        for run in reversed(some):
            if (after and live[run.name] <= _SMALLER * after) or (sum(run.rows) - live[run.name]) * _DEAD > sum(run.rows):
                merging = [other for other in some if live[other.name] <= live[run.name]]
            after += live[run.name]
        if not merging:
            return
        try:
            parts = [(stored, opened[stored.name] if stored.name in opened else open_run(store, stored)) for stored in merging]
        except (OSError, ValueError, PolarsError):
            return  # the launch that needs it says so
        files = sorted({path for run in merging for path in run.files if path is not None})
        number = {path: at for at, path in enumerate(files)}
        numbers = [np.array([number.get(str(path), 0) for path in run.files], np.uint32) for run in merging]
        limited = [_limited(run, stored, set(files)) for stored, run in parts]
        new, whole = write_run(store, partial(merged, limited, numbers), files)
        self._made.append((new, whole))
        store.runs = [*(run for run in store.runs if run not in merging), new]


def _narrowed(rows: dict[str, Array], file: int) -> tuple[dict[str, Array], NDArray[np.int64]]:
    """Write rows in few bytes, and count those of each day."""
    small = narrow(rows, file)
    return small, np.bincount(small["time"] // (DAY // STEPS[small["time"].itemsize]))


def _days_with_rows(counts: Sequence[NDArray[np.int64]]) -> list[list[int]]:
    total = np.zeros(max((len(part) for part in counts), default=0), np.int64)
    for part in counts:
        total[: len(part)] += part
    days = np.flatnonzero(total)
    return [list(pair) for pair in zip(days.tolist(), total[days].tolist(), strict=True)]
