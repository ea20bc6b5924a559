"""From the config's sources to the canonical tables: first the customers, events and referrals, then the orders."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from segmenter.checks.id_forms import odd_ids
from segmenter.checks.ledger_ids import with_launches
from segmenter.engines.spark import SparkFiles, aggregate_files, aggregate_frame, is_uri
from segmenter.errors import InputError, SegmenterError
from segmenter.evaluation.as_of import sampling_of
from segmenter.evaluation.input_check import InputCheck, check_input, stops
from segmenter.findings import Finding, messages_of
from segmenter.ledger import open_ledger, read_past_launches
from segmenter.measures import shop_orders
from segmenter.measures.sampling import Sampling
from segmenter.measures.shop_orders import AggregatedOrders, SingleOrders
from segmenter.messages import Message
from segmenter.report.earlier_run import check_same
from segmenter.settings import (
    DatabaseSettings,
    DemoSettings,
    EngineSettings,
    FilesSettings,
    LaunchJob,
    LaunchSettings,
    LookalikeSettings,
    MappingSettings,
    SparkEngine,
)
from segmenter.sources import parquet_stream
from segmenter.sources.files import at_key, copies
from segmenter.sources.inputs import Inputs
from segmenter.sources.mapping import ShopRows, map_shop, shop_tables
from segmenter.sources.order_rows import NO_ORDERS, OrdersReading, map_orders
from segmenter.sources.order_store import Store, fingerprint
from segmenter.sources.parquet_files import fingerprints, parquet_files
from segmenter.sources.parquet_stream import Stream
from segmenter.sources.paths import unread_files
from segmenter.sources.raw import Fingerprint, Raw
from segmenter.sources.samples import sample_of
from segmenter.sources.seeds_file import read_seeds
from segmenter.sources.stream_aggregation import aggregate_stream
from segmenter.sources.stream_ids import contacts_of_stream, count_ids, damage_of_stream, ids_of_engine, spellings_of_stream, with_currency
from segmenter.tables import REJECTS, Orders, PastLaunches, Terms
from segmenter.words import Progress

TABLES = ("orders", "customers", "events", "referrals", "applicants", "visits", "ties")


def read_tables(
    data: MappingSettings,
    launch: LaunchSettings,
    *,
    seed: int,
    progress: Progress = lambda stage, done=0, total=0: None,
    terms: Terms | None = None,
    engine: EngineSettings | None = None,
    store: str | None = None,
    sampling: Sampling | None = None,
    categories: bool = False,
    seeds: str | None = None,
    stop: bool = True,
    single: bool = False,
    given: Mapping[str, Raw] | None = None,
) -> Inputs:
    """Read a shop's tables; an InputError says all that was found wrong at once.

    With `terms` many orders are aggregated for them as they are read, by `engine` (None is this process), and only as many
    customers' single orders are kept as `sampling` says; `store` is the folder in which this process keeps what it has read, by customer
    and time. With `single` those of any customers can be had later, by `Orders.of`. `categories` are read only without `terms`;
    `seeds` is a file of customer ids; `given` are tables that a program has read. Without `stop` what stops a launch is only among the
    findings, as far as the tables can be read.
    `progress` is called with the name of each table as its reading begins, and with the rows read and all rows while orders stream.
    """
    raw, source, listed = _read_sources(data, launch, seed, progress, terms, engine, seeds, given)
    progress("columns")
    found = (*_beside(source, data), *(finding for table in raw.values() for finding in table.findings))
    frames, prints = ({name: getattr(table, part) for name, table in raw.items()} for part in ("frame", "fingerprints"))
    with _with_findings(found):
        streamed = None if terms is None or not isinstance(source, Stream) else count_ids(source, terms.as_of)
        shop = map_shop(frames, data, launch, unreadable={name: table.rejects for name, table in raw.items()}, streamed=streamed)
        if source is not None and terms is not None:
            orders = _stream_orders(source, shop, terms, store, sampling, progress)
            prints["orders"] = orders.fingerprints
        elif "orders" in shop.rows:
            orders = map_orders(shop.rows["orders"], data, launch, shop.ids, shop.personal, categories)
        else:
            orders = NO_ORDERS
        tables = shop_tables(shop, orders, stops=stop)
    if source is not None and isinstance(data, FilesSettings):
        _check_copies(str(data.orders.path), prints["orders"])
    elif terms is not None and not single:
        tables = replace(tables, orders=_aggregate(tables.orders.single(), terms, engine, sampling))
    known = {name: prints[name] for name in TABLES if prints.get(name)}
    if listed is not None:
        ids, known["seeds"] = listed
        tables = replace(tables, seeds=ids, reads={**tables.reads, "seeds": {"rows": len(ids), "kept": len(ids)}})
    read = Inputs(replace(tables, findings=(*found, *tables.findings)), known, orders.warnings)
    read.log()
    return read


def _read_sources(
    data: MappingSettings,
    launch: LaunchSettings,
    seed: int,
    progress: Progress,
    terms: Terms | None,
    engine: EngineSettings | None,
    seeds: str | None,
    given: Mapping[str, Raw] | None,
) -> tuple[dict[str, Raw], Stream | SparkFiles | None, tuple[pl.Series, tuple[Fingerprint, ...]] | None]:
    """Read the rows of all tables but orders that are aggregated as they are read, and the seeds, with their fingerprints."""
    raw: dict[str, Raw] = dict(given or {})
    source: Stream | SparkFiles | None = None
    listed: tuple[pl.Series, tuple[Fingerprint, ...]] | None = None
    problems: list[str] = []
    if isinstance(data, DemoSettings):
        progress("demo shop")
        raw = _simulated(data, launch, seed)
    elif isinstance(data, FilesSettings | DatabaseSettings):
        for name in TABLES:
            try:
                if name == "orders" and terms is not None:
                    source = _order_source(data, launch, engine)
                if (name != "orders" or source is None) and (table := _read(data, name, progress)) is not None:
                    raw[name] = table
            except InputError as error:
                problems += error.messages
    if seeds is not None:
        try:
            listed = read_seeds(seeds, _id_columns(data))
        except InputError as error:
            problems += error.messages
    if problems:
        raise InputError(*problems)
    return raw, source, listed


def read_launch(settings: LaunchJob, terms: Terms, *, progress: Progress, sampling: Sampling | None = None, stop: bool = True) -> Inputs:
    """Read a launch's tables as its settings ask for; where its ranking needs no `sampling` of single orders, that which is given."""
    read = read_tables(
        settings.data,
        settings.launch,
        seed=settings.seed,
        progress=progress,
        terms=None if settings.needs_every_order else terms,
        engine=settings.engine,
        store=settings.history.store,
        sampling=sampling_of(settings) or sampling,
        categories=settings.by_category,
        seeds=settings.scoring.seeds_file,
        stop=stop,
    )
    check_same(settings, read)
    return read


def read_past(settings: LaunchJob, terms: Terms, sampling: Sampling, *, progress: Progress) -> Inputs:
    """Read the tables of a job that replays launches on as many customers as `sampling` says."""
    about, store, seeds = (settings.data, settings.launch), settings.history.store, settings.scoring.seeds_file
    read = read_tables(*about, seed=settings.seed, progress=progress, terms=terms, store=store, sampling=sampling, seeds=seeds)
    check_same(settings, read)
    return with_seed_launch(read, settings, terms.as_of)


def check_tables(settings: LaunchJob, terms: Terms, *, progress: Progress) -> tuple[Inputs | None, InputCheck]:
    """Read a launch's tables and judge them: what would stop the launch is among the findings."""
    try:
        read = read_launch(settings, terms, progress=progress, stop=False)
        if settings.ledger.use:
            read = replace(read, tables=with_launches(read.tables, _past_launches(settings, terms.as_of), terms.as_of))
    except SegmenterError as error:
        return None, InputCheck(None, tuple(stops(error.messages)))
    return read, check_input(read.tables, settings)


def _past_launches(settings: LaunchJob, as_of: date) -> PastLaunches | None:
    ledger, launch = open_ledger(settings.ledger.url, settings.out), settings.launch
    return read_past_launches(ledger, launch.name, as_of, community=launch.community, days=settings.rules.invitations.days)


def with_seed_launch(read: Inputs, settings: LaunchJob, as_of: date) -> Inputs:
    """Add what the ledger knows of launches where the ranking's seeds are one's joiners; for jobs that need nothing else of it."""
    scoring = settings.scoring
    if not settings.ledger.use or not isinstance(scoring, LookalikeSettings) or scoring.launch is None:
        return read
    return replace(read, tables=with_launches(read.tables, _past_launches(settings, as_of), as_of))


def _id_columns(data: MappingSettings) -> tuple[str, ...]:
    """List what the shop calls its customers' ids."""
    return tuple(name for name in (data.customers.columns.customer_id, data.orders.columns.customer_id) if name is not None)


def _simulated(data: DemoSettings, launch: LaunchSettings, seed: int) -> dict[str, Raw]:
    from segmenter.demo.shop import simulate

    if launch.as_of is None:
        raise InputError(Message("launch.date_missing", "launch.as_of: is needed, as YYYY-MM-DD"))
    shop = simulate(data.shop.customers, data.shop.days, launch.as_of, seed)
    return {name: Raw(table, (), REJECTS.to_frame()) for name, table in shop.tables().items()}


def _read(data: FilesSettings | DatabaseSettings, name: str, progress: Progress) -> Raw | None:
    """Read a table's rows as the shop has them; None where it has no such table."""
    from segmenter.sources.database import read_query
    from segmenter.sources.files import read_files

    source = getattr(data, name).path if isinstance(data, FilesSettings) else getattr(data, name).query
    if source is None:
        return None
    progress(name)
    return read_files(name, source, data) if isinstance(data, FilesSettings) else read_query(name, source, data)


def _order_source(
    data: FilesSettings | DatabaseSettings, launch: LaunchSettings, engine: EngineSettings | None
) -> Stream | SparkFiles | None:
    """Say from where orders are aggregated as they are read; None where their rows have to be read first."""
    if not isinstance(data, FilesSettings) or data.orders.path is None:
        return None
    path = data.orders.path
    if isinstance(engine, SparkEngine) and is_uri(path):
        return SparkFiles([path], [], data, launch, engine)
    if (files := parquet_files(path)) is None:
        return None
    paths, names = [file for file, _ in files], [name for _, name in files]
    if isinstance(engine, SparkEngine):
        return SparkFiles(paths, names, data, launch, engine, fingerprints(files))
    return parquet_stream.stream_of(paths, names, data, launch)


def _beside(source: Stream | SparkFiles | None, data: MappingSettings) -> list[Finding]:
    """Say what stands beside the files that are aggregated as they are read."""
    if source is None or not isinstance(data, FilesSettings) or data.orders.path is None or is_uri(data.orders.path):
        return []
    return at_key("data.orders.path", unread_files(data.orders.path))


def _stream_orders(
    source: Stream | SparkFiles, shop: ShopRows, terms: Terms, store: str | None, sampling: Sampling | None, progress: Progress
) -> OrdersReading:
    match source:
        case SparkFiles():
            orders = aggregate_files(source, terms, shop.ids, sampling)
            return replace(orders, findings=(*orders.findings, *ids_of_engine(source.settings, orders.orders.customers(terms.as_of))))
        case Stream():
            joined = shop.spellings.filter(pl.col("customer_id") != pl.col("becomes"))
            source, currencies = with_currency(source, terms.as_of)
            source = source.spelled(dict(joined.rows()))
            orders = _aggregate_stream(source, shop, terms, store, sampling, progress)
            ids = odd_ids(orders.orders.customers(terms.as_of).to_frame("customer_id"))["customer_id"]
            # Hardly ever: what is mended in an id is seen when all are known, and then they are read again.
            mends, told = ({}, []) if source.integers else spellings_of_stream(source, ids)
            if mends:
                source = source.spelled({**source.spellings, **mends})
                orders = _aggregate_stream(source, shop, terms, store, sampling, progress)
            found = (*orders.findings, *currencies, *told, *damage_of_stream(source, ids))
            return replace(orders, findings=found, contacts_of=contacts_of_stream(source, shop.personal, terms.as_of))


def _aggregate_stream(
    stream: Stream, shop: ShopRows, terms: Terms, store: str | None, sampling: Sampling | None, progress: Progress
) -> OrdersReading:
    kept = None if store is None else Store(Path(store), fingerprint(stream))
    return aggregate_stream(stream, terms, shop.ids, progress, kept, shop.personal, sampling)


def _check_copies(path: str, prints: Sequence[Fingerprint]) -> None:
    if copies(prints):
        # Those without rows may well be the same.
        full = {name for file, name in parquet_files(path) or () if pl.scan_parquet(file, glob=False).select(pl.len()).collect().item()}
        if problems := copies([print_ for print_ in prints if print_.name in full]):
            raise InputError(*(Message("sources.copied_files", "data.orders.path: {problem}", problem=problem) for problem in problems))


def _aggregate(orders: pl.DataFrame, terms: Terms, engine: EngineSettings | None, sampling: Sampling | None) -> Orders:
    """Let go of single orders where there are many, or where another engine is to aggregate them."""
    if isinstance(engine, SparkEngine):
        summary = aggregate_frame(orders, terms, engine)
    elif orders.height < shop_orders.KERNEL_ROWS:
        return SingleOrders(orders)
    else:
        summary = SingleOrders(orders).summary(terms)
    return AggregatedOrders(summary, None if sampling is None else sample_of(orders, summary, sampling))


@contextmanager
def _with_findings(findings: Sequence[Finding]) -> Iterator[None]:
    """Add what is known of the sources to what is wrong with their rows: it may be why."""
    try:
        yield
    except InputError as error:
        raise InputError(*error.messages, *messages_of(findings, "warning")) from error
