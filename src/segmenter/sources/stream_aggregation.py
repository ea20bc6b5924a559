"""Aggregates a stream of orders, on all cores, a few batches in memory at a time.

A row is typed where each of its cells is what it seems to be: an id without spaces around it, a time, an amount that is a number.
Typed rows go to the kernel as they are. The others are fallback rows: `order_rows` reads them, as it reads all rows elsewhere.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter import tables
from segmenter.checks.order_customers import check_customers
from segmenter.contacts import Contacts
from segmenter.errors import InputError
from segmenter.measures.sampling import Sampling
from segmenter.measures.shop_orders import AggregatedOrders
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
from segmenter.sources.samples import sample_stream
from segmenter.sources.store_parts import MAX_ROWS, StoreWriter, recall
from segmenter.tables import NO_PROFILE, OrdersProfile, Terms
from segmenter.words import Progress

if TYPE_CHECKING:
    from segmenter.measures.aggregator import Aggregator, Batch

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
    days: list[Span] = []
    recalled = {} if store is None else recall(store, stream, aggregator, ids, days)
    fresh = [at for at in range(len(stream.paths)) if at not in recalled]
    total = {name: sum(entry.reads[name] for entry, _ in recalled.values()) for name in ("rows", "filtered", "rejected", "kept")}
    total |= {"later": aggregator.later, "kept": total["kept"] - aggregator.later}
    rejects = [frame for _, frame in recalled.values()]
    done = sum(stream.heights[at] for at in recalled)
    hashing = ThreadPoolExecutor(1)
    writer = None if store is None else StoreWriter(store, aggregator)
    try:
        identities = {at: Identity.of(stream.paths[at]) for at in fresh}
        hashes = {at: hashing.submit(sha256, stream.paths[at]) for at in fresh}
        for files in [fresh] if writer is None else [[at] for at in fresh]:
            reads, found, parts = _read_files(stream, files, aggregator, ids, writer, days, partial(_report, progress, done, stream.rows))
            done += sum(stream.heights[at] for at in files)
            total = {name: total[name] + reads[name] for name in total}
            rejects.append(personal.without(found))
            if writer is not None:
                at = files[0]
                writer.keep(stream.paths[at], identities[at], hashes[at], reads, parts, rejects[-1])
        if writer is not None:
            writer.finish()
        shas = {at: recalled[at][0].sha256 if at in recalled else hashes[at].result() for at in range(len(stream.paths))}
    except OSError as error:
        raise InputError(Message("sources.orders_unreadable", "data.orders.path: cannot be read ({why})", why=one_line(error))) from error
    finally:
        hashing.shutdown(wait=False, cancel_futures=True)
        if writer is not None:
            writer.close()
    if store is not None:
        store.prune()
    _check_counts(total, stream)
    prints = tuple(
        Fingerprint(name, path.stat().st_size, shas[at], "Parquet")
        for at, (name, path) in enumerate(zip(stream.names, stream.paths, strict=True))
    )
    profile = OrdersProfile(aggregator.by_day(), NO_PROFILE.by_status, join_days(days))
    summary = aggregator.summary()
    orders = AggregatedOrders(summary, None if sampling is None else sample_stream(stream, ids, summary, sampling))
    warnings = () if store is None else tuple(store.warnings)
    ordered = {name: total[name] for name in ("rows", *_FATES)}
    customers = check_customers(summary.frame["orders"], summary.frame["spend"], stream.launch.currency, partial(people_in, stream))
    left_out, findings = pl.concat([tables.REJECTED.to_frame(), *rejects]), (*stream.findings, *customers)
    return OrdersReading(orders, ordered, left_out, None, prints, warnings, profile, findings, turnover=turnover(summary))


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
    writer: StoreWriter | None,
    days: list[Span],
    progress: Callable[[int], None],
) -> tuple[dict[str, int], pl.DataFrame, list[Future[list[str]]]]:
    """Aggregate files: what became of their rows, their rejects, and their parts on their way into the store; and note their days."""
    fallback, decimals = FallbackRows(stream, files, ids), digits(stream.launch.currency)
    parts: list[Future[list[str]]] = []
    received = accepted = later = 0
    aggregator.recorded = None if writer is None else []

    def write() -> None:
        if writer is not None and (rows := aggregator.recorded):
            aggregator.recorded = []
            parts.append(writer.put(rows))

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
            if aggregator.recorded and sum(frame.height for frame in aggregator.recorded) > MAX_ROWS:
                write()
            progress(received)
        if fallback.frames:
            aggregator.add_rows(fallback.read())
        days += fallback.days
    except (PolarsError, OSError) as error:
        raise InputError(*_damages(stream, files, error)) from error
    write()
    height = sum(stream.heights[at] for at in files)
    reads = {
        "rows": height - fallback.blank,
        "filtered": height - received,
        "later": later + fallback.reads["later"],
        "rejected": fallback.reads["rejected"],
        "kept": accepted - later + fallback.reads["kept"],
    }
    return reads, pl.concat([tables.REJECTED.to_frame(), *fallback.rejects]), parts


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
