"""Aggregates a stream of orders, on all cores, a few batches in memory at a time.

A row is typed where each of its cells is what it seems to be: an id without spaces around it, a time, an amount that is a number.
Typed rows go to the kernel as they are. The others are fallback rows: `order_rows` reads them, as it reads all rows elsewhere.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter import tables
from segmenter.checks.order_customers import check_customers
from segmenter.contacts import Contacts
from segmenter.errors import InputError
from segmenter.measures.sampling import Sampling, is_sampled
from segmenter.measures.shop_orders import AggregatedOrders, Sample
from segmenter.messages import Message
from segmenter.money import digits
from segmenter.sources.expressions import ROW
from segmenter.sources.fallback_rows import FallbackRows
from segmenter.sources.file_days import Span, join_days
from segmenter.sources.order_rows import OrdersReading, turnover
from segmenter.sources.order_store import Identity, Store
from segmenter.sources.parquet_stream import TYPED, WANTED, Stream, batches, days_of_batch, people_in
from segmenter.sources.raw import Fingerprint, one_line, sha256
from segmenter.sources.row_mapping import nothing_wanted
from segmenter.sources.samples import orders_of, sample_stream
from segmenter.tables import EPOCH, NO_PROFILE, OrdersProfile, Summary, Terms
from segmenter.words import Progress

if TYPE_CHECKING:
    from segmenter.measures.aggregator import Aggregator, Batch
    from segmenter.measures.order_runs import Run
    from segmenter.sources.run_recorder import Recorder

_AT_ONCE = 1_000_000  # rows that are aggregated at a time
_FATES = ("filtered", "later", "rejected", "kept")


def aggregate_stream(
    stream: Stream,
    terms: Terms,
    ids: pl.Series | None,
    progress: Progress,
    store: Store | None,
    personal: Contacts,
    sampling: Sampling | None = None,
) -> OrdersReading:
    """Read and aggregate orders: the same as of a reading of all rows at once, with the store or without.

    Rows of others than the customers `ids` are rejected; what is `personal` neither the rejects show nor the store keeps.
    """
    # Here and not above: it brings Numba, which small shops do without.
    from segmenter.measures.aggregator import Aggregator

    aggregator = Aggregator(terms, integers=stream.integers, known=ids)
    kept = None if store is None else _Kept(store, stream, aggregator, ids)
    recalled = {} if kept is None else kept.recalled.files
    days: list[Span] = [] if kept is None or len(stream.paths) == 1 else kept.recalled.spans(stream, terms.today)
    fresh = [at for at in range(len(stream.paths)) if at not in recalled]
    total = {name: sum(entry.reads[name] for entry, _ in recalled.values()) for name in ("rows", "filtered", "rejected", "kept")}
    total["later"] = 0
    rejects = [frame for _, frame in recalled.values()]
    done = sum(stream.heights[at] for at in recalled)
    hashing = ThreadPoolExecutor(1)
    try:
        identities = {at: Identity.of(stream.paths[at]) for at in fresh}
        hashes = {at: hashing.submit(sha256, stream.paths[at]) for at in fresh}
        for files in [fresh] if kept is None else [[at] for at in fresh]:
            recorder = None if kept is None else kept.recorder
            reads, found = _read_files(stream, files, aggregator, ids, recorder, days, partial(_report, progress, done, stream.rows))
            done += sum(stream.heights[at] for at in files)
            total = {name: total[name] + reads[name] for name in total}
            rejects.append(personal.without(found))
            if recorder is not None:
                recorder.end_file(files[0], identities[files[0]], hashes[files[0]], reads, rejects[-1])
        if kept is None:
            by_day, summary = aggregator.by_day(), aggregator.summary()
        else:
            by_day, summary, later = kept.summary(total["kept"])
            total |= {"later": total["later"] + later, "kept": total["kept"] - later}
        shas = {at: recalled[at][0].sha256 if at in recalled else hashes[at].result() for at in range(len(stream.paths))}
    except OSError as error:
        raise InputError(Message("sources.orders_unreadable", "data.orders.path: cannot be read ({why})", why=one_line(error))) from error
    finally:
        hashing.shutdown(wait=False, cancel_futures=True)
        if kept is not None:
            kept.recorder.close()
    _check_counts(total, stream)
    prints = tuple(
        Fingerprint(name, path.stat().st_size, shas[at], "Parquet")
        for at, (name, path) in enumerate(zip(stream.names, stream.paths, strict=True))
    )
    profile = OrdersProfile(by_day, NO_PROFILE.by_status, join_days(days))
    if kept is None:
        orders = AggregatedOrders(summary, None if sampling is None else sample_stream(stream, ids, summary, sampling))
    else:
        orders = kept.orders(summary, sampling)
    orders = replace(orders, read=partial(orders_of, stream, ids))
    warnings = () if store is None else tuple(store.warnings)
    ordered = {name: total[name] for name in ("rows", *_FATES)}
    customers = check_customers(summary.frame["orders"], summary.frame["spend"], stream.launch.currency, partial(people_in, stream))
    left_out, findings = pl.concat([tables.REJECTED.to_frame(), *rejects]), (*stream.findings, *customers)
    return OrdersReading(orders, ordered, left_out, None, prints, warnings, profile, findings, turnover=turnover(summary))


class _Kept:
    """The store, for one launch. What it needs is imported here and not above: small shops do without Numba."""

    def __init__(self, store: Store, stream: Stream, aggregator: "Aggregator", ids: pl.Series | None) -> None:
        from segmenter.sources.run_recorder import Recorder, recall

        self._aggregator = aggregator
        self.runs: list[Run] = []
        self.recalled = recall(store, stream, ids, aggregator.terms.today)
        self.recorder = Recorder(store, stream, self.recalled, aggregator)

    def summary(self, kept: int) -> tuple[pl.DataFrame, Summary, int]:
        """Aggregate what was kept and what was read, and keep this too: days, summary, orders of kept files after the as-of date."""
        from segmenter.measures.run_summary import summarize_runs

        terms = self._aggregator.terms
        self.runs = self.recorder.runs()
        found = summarize_runs(self.runs, terms)
        if found.rows + found.later != kept:
            wrong = "data.orders.path: its rows do not add up ({counts}); please report it, with the config"
            raise InputError(Message("sources.wrong_counts", wrong, counts=str({"kept": kept, "rows": found.rows, "later": found.later})))
        self.recorder.publish()
        ends = [day for day in self._aggregator.days if day is not None]
        ends += [EPOCH + timedelta(days=day) for day in self.recalled.days()]
        return found.by_day, Summary(found.frame, terms, min(ends, default=None), max(ends, default=None)), found.later

    def orders(self, summary: Summary, sampling: Sampling | None) -> AggregatedOrders:
        """Give the orders as the runs have them, and with them those of a sample, unless that would be all."""
        from segmenter.measures.run_history import RunHistory

        history = RunHistory(self.runs, summary.terms.as_of)
        if sampling is None or sampling.max_customers is None:
            return AggregatedOrders(summary, history=history)
        halvings = sampling.halvings(summary)
        drawn = Sample(history.orders(lambda ids: is_sampled(ids, halvings, sampling.seed)), halvings)
        return AggregatedOrders(summary, drawn, history)


def _report(progress: Progress, before: int, rows: int, done: int) -> None:
    progress("orders", before + done, rows)


def _check_counts(total: dict[str, int], stream: Stream) -> None:
    if total["rows"] != sum(total[name] for name in _FATES):
        wrong = "data.orders.path: its rows do not add up ({counts}); please report it, with the config"
        raise InputError(Message("sources.wrong_counts", wrong, counts=str(total)))
    if total["filtered"] == total["rows"]:
        raise InputError(nothing_wanted("orders", stream.settings.orders.where, total["rows"]))


def _read_files(
    stream: Stream,
    files: Sequence[int],
    aggregator: "Aggregator",
    ids: pl.Series | None,
    recorder: "Recorder | None",
    days: list[Span],
    progress: Callable[[int], None],
) -> tuple[dict[str, int], pl.DataFrame]:
    """Aggregate files: what became of their rows, and their rejects; and note their days."""
    fallback, decimals = FallbackRows(stream, files, ids), digits(stream.launch.currency)
    received = accepted = later = 0
    aggregator.recorded = None if recorder is None else []

    def record() -> None:
        if recorder is not None and (rows := aggregator.recorded):
            aggregator.recorded = []
            recorder.take(rows)

    try:
        for group in _groups(batches(stream, files)):
            rows, blank = _wanted(stream, group, fallback)
            received += blank + sum(batch.height for batch in rows)
            if stream.typed:
                before = aggregator.later
                left = aggregator.add_all([_typed_batch(stream, batch) for batch in rows], digits=decimals)
                later += aggregator.later - before
                accepted += sum(batch.height - len(numbers) for batch, numbers in zip(rows, left, strict=True))
                if len(stream.paths) > 1:
                    days += (span for batch, taken in zip(rows, left, strict=True) for span in days_of_batch(stream, files, batch, taken))
                rows = [batch[numbers] for batch, numbers in zip(rows, left, strict=True)]
            for batch in rows:
                if batch.height and fallback.put(batch.select(*stream.columns, ROW)):
                    aggregator.add_rows(fallback.read())
            record()
            progress(received)
        if fallback.frames:
            aggregator.add_rows(fallback.read())
        days += fallback.days
    except (PolarsError, OSError) as error:
        raise InputError(*_damages(stream, files, error)) from error
    record()
    height = sum(stream.heights[at] for at in files)
    reads = {
        "rows": height - fallback.blank,
        "filtered": height - received,
        "later": later + fallback.reads["later"],
        "rejected": fallback.reads["rejected"],
        "kept": accepted - later + fallback.reads["kept"],
    }
    return reads, pl.concat([tables.REJECTED.to_frame(), *fallback.rejects])


def _groups(decoded: Iterator[pl.DataFrame]) -> Iterator[list[pl.DataFrame]]:
    """Take several batches at a time: the cores wait for each other after each time."""
    group: list[pl.DataFrame] = []
    for batch in decoded:
        group.append(batch)
        if sum(frame.height for frame in group) >= _AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _wanted(stream: Stream, group: list[pl.DataFrame], fallback: FallbackRows) -> tuple[list[pl.DataFrame], int]:
    """Give the rows that are wanted, and count those in which nothing stands: they are no rows, neither wanted nor left out."""
    if stream.where is None:
        return group, 0
    nothing = ~pl.col(WANTED) & pl.all_horizontal(pl.col(stream.columns).is_null())
    return [batch.filter(WANTED) for batch in group], sum(
        fallback.blanks(batch.filter(nothing).select(*stream.columns, ROW)) for batch in group if not batch[WANTED].all()
    )


def _typed_batch(stream: Stream, batch: pl.DataFrame) -> "Batch":
    from segmenter.measures.aggregator import Batch

    found = {name: batch[TYPED + name] for name in stream.typed}
    places = [found.pop(level, None) for level in tables.LEVELS]
    who, when, amounts = (found.pop(name) for name in ("customer_id", "time", "amount"))
    return Batch(who, when, amounts, places=places, **found)


def _damages(stream: Stream, files: Sequence[int], error: Exception) -> list[Message]:
    """Say which files cannot be read: a scan of many does not."""
    problems = []
    for at in files:
        name = stream.names[at]
        try:
            pl.read_parquet(stream.paths[at], glob=False, hive_partitioning=False)
        except (PolarsError, PanicException) as wrong:
            sentence = "data.orders.path: {name}: is no whole Parquet file ({why}); copy or export it again"
            problems.append(Message("sources.damaged_file", sentence, name=name, why=one_line(wrong)))
        except OSError as wrong:
            sentence = "data.orders.path: {name}: cannot be read ({why})"
            problems.append(Message("sources.unreadable_file", sentence, name=name, why=one_line(wrong)))
    sentence = "data.orders: its columns, where or refund cannot be computed ({why})"
    return problems or [Message("sources.not_computed", sentence, why=one_line(error))]
