"""From the config's sources to the canonical tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from segmenter.contacts import Contacts
from segmenter.engines import spark
from segmenter.engines.scan import Scanned
from segmenter.errors import InputError
from segmenter.measures.sampling import Sampling
from segmenter.settings import DatabaseSettings, DemoSettings, EngineSettings, FilesSettings, LaunchSettings, SparkEngine
from segmenter.sources import parquet_stream
from segmenter.sources.files import copies, fingerprints, parquet_files
from segmenter.sources.mapping import canonical_tables
from segmenter.sources.parquet_stream import streamed
from segmenter.sources.raw import Fingerprint, Raw
from segmenter.sources.samples import sample_of, sample_stream
from segmenter.sources.store import Store, fingerprint
from segmenter.tables import Sample, Tables, Terms
from segmenter.words import Progress

TABLES = ("orders", "customers", "events", "referrals")


@dataclass(frozen=True)
class Read:
    """What was read.

    Parameters
    ----------
    tables : Tables
        In canonical form.
    fingerprints : mapping of str to tuple of Fingerprint
        For each table, what its sources were; empty for the demo shop.
    warnings : tuple of str
        What was found damaged and read again.
    notes : tuple of str
        What a person should know of the sources, such as sheets that were not read.
    """

    tables: Tables
    fingerprints: Mapping[str, tuple[Fingerprint, ...]]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


# Reads and adds up orders, given the customers of the customers table and their contacts: what they come to, what the files were,
# warnings, and single orders of some customers.
_Scan = Callable[[pl.Series | None, Contacts], tuple[Scanned, tuple[Fingerprint, ...], Sequence[str], Sample | None]]


def read_tables(
    data: FilesSettings | DatabaseSettings | DemoSettings,
    launch: LaunchSettings,
    *,
    seed: int,
    progress: Progress = lambda stage, done=0, total=0: None,
    terms: Terms | None = None,
    engine: EngineSettings | None = None,
    store: str | None = None,
    sampling: Sampling | None = None,
    categories: bool = False,
) -> Read:
    """Read a shop's tables.

    Parameters
    ----------
    data : FilesSettings, DatabaseSettings or DemoSettings
        Where they are, and how their columns are mapped.
    launch : LaunchSettings
        As-of date, time zone and currency.
    seed : int
        Of the demo shop.
    progress : callable, optional
        Called with the name of each table as its reading begins, and with the rows read and all rows while orders stream.
    terms : Terms, optional
        What the measures of orders are for: many orders in Parquet files are then added up as they are read, and the
        tables' orders are a `Summary`.
    engine : EngineSettings, optional
        Where that happens; needs `terms`. None is this process.
    store : str, optional
        The folder in which this process keeps what it has added up, by file.
    sampling : Sampling, optional
        Of how many customers single orders are wanted besides, where orders are added up as they are read.
    categories : bool, optional
        Whether to read the orders' categories too; not with `terms`.

    Returns
    -------
    Read
        The tables and the fingerprints of their sources.

    Raises
    ------
    InputError
        A source cannot be read, or its rows cannot be understood; all that was found at once.

    Examples
    --------
    >>> import segmenter
    >>> from segmenter.settings import ShopSettings
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> data = DemoSettings.model_construct(**dict(settings.data), kind="demo", shop=ShopSettings(customers=100, days=120))
    >>> read_tables(data, settings.launch, seed=1).tables.customers.height
    100
    """
    raw: dict[str, pl.DataFrame] = {}
    unreadable: dict[str, pl.DataFrame] = {}
    prints: dict[str, tuple[Fingerprint, ...]] = {}
    notes: list[str] = []
    problems: list[str] = []
    scan: _Scan | None = None
    if isinstance(data, DemoSettings):
        from segmenter.demo.shop import simulate

        if launch.as_of is None:
            raise InputError("launch.as_of: is needed, as YYYY-MM-DD")
        progress("demo shop")
        shop = simulate(data.shop.customers, data.shop.days, launch.as_of, seed)
        raw = {name: getattr(shop, name) for name in TABLES}
    else:
        for name in TABLES:
            try:
                if name == "orders" and terms is not None:
                    scan = _scan(data, launch, terms, engine, store, progress, sampling)
                    if scan is not None:
                        continue
                found = _read(data, name, progress)
            except InputError as error:
                problems += error.problems
                continue
            if found is not None:
                raw[name], unreadable[name], prints[name] = found.frame, found.rejects, found.fingerprints
                notes += found.notes
    if problems:
        raise InputError(*problems)
    progress("columns")
    warnings: list[str] = []
    samples: list[Sample | None] = []

    def add_up(ids: pl.Series | None, personal: Contacts) -> Scanned:
        assert scan is not None  # for the type checker
        scanned, prints["orders"], told, sample = scan(ids, personal)
        warnings.extend(told)
        samples.append(sample)
        return scanned

    with _told(notes):
        read = canonical_tables(raw, data, launch, unreadable=unreadable, scan=None if scan is None else add_up, categories=categories)
    if scan is not None and isinstance(data, FilesSettings):
        _check_copies(str(data.orders.path), prints.get("orders", ()))
    if scan is None and terms is not None:
        read = _summarized(read, terms, engine, sampling)
    if samples:
        read = replace(read, sample=samples[0])
    return Read(read, {name: prints[name] for name in TABLES if name in prints}, tuple(warnings), tuple(notes))


@contextmanager
def _told(notes: Sequence[str]) -> Iterator[None]:
    """Add what is known of the sources to what is wrong with their rows: it may be why."""
    try:
        yield
    except InputError as error:
        raise InputError(*error.problems, *notes) from error


def _scan(
    data: FilesSettings | DatabaseSettings,
    launch: LaunchSettings,
    terms: Terms,
    engine: EngineSettings | None,
    store: str | None,
    progress: Progress,
    sampling: Sampling | None,
) -> _Scan | None:
    """Say how orders are added up as they are read; None where their rows have to be read first."""
    if not isinstance(data, FilesSettings) or data.orders.path is None:
        return None
    path = data.orders.path
    if isinstance(engine, SparkEngine) and spark.is_uri(path):
        return lambda ids, _: (spark.summarize_files([path], [], data, launch, ids, terms, engine), (), (), None)
    files = parquet_files(path)
    if files is None:
        return None
    places, names = [place for place, _ in files], [name for _, name in files]
    if isinstance(engine, SparkEngine):
        return lambda ids, _: (spark.summarize_files(places, names, data, launch, ids, terms, engine), fingerprints(files), (), None)
    stream = streamed(places, names, data, launch)
    if stream is None:
        return None
    kept = None if store is None else Store(Path(store), fingerprint(data, launch, stream.schema))

    def add_up(ids: pl.Series | None, personal: Contacts) -> tuple[Scanned, tuple[Fingerprint, ...], Sequence[str], Sample | None]:
        scanned, prints = parquet_stream.add_up(stream, terms, ids, progress, kept, personal)
        sample = None if sampling is None else sample_stream(stream, ids, scanned.summary, sampling)
        return scanned, prints, () if kept is None else kept.warnings, sample

    return add_up


def _check_copies(path: str, prints: Sequence[Fingerprint]) -> None:
    if copies(prints):
        # Those without rows may well be the same.
        full = {name for place, name in parquet_files(path) or () if pl.scan_parquet(place, glob=False).select(pl.len()).collect().item()}
        if problems := copies([each for each in prints if each.name in full]):
            raise InputError(*(f"data.orders.path: {problem}" for problem in problems))


def _summarized(read: Tables, terms: Terms, engine: EngineSettings | None, sampling: Sampling | None) -> Tables:
    """Add up orders that were read here; few of them wait for `measure`."""
    orders = read.orders
    assert isinstance(orders, pl.DataFrame)  # nothing was added up while reading
    match engine:
        case SparkEngine():
            summary = spark.summarize_frame(orders, terms, engine)
        case _ if orders.height < parquet_stream.FEWEST:
            return read
        case _:
            from segmenter.measures.aggregator import aggregate

            summary = aggregate(orders, terms)
    return replace(read, orders=summary, sample=None if sampling is None else sample_of(orders, summary, sampling))


def _read(data: FilesSettings | DatabaseSettings, name: str, progress: Progress) -> Raw | None:
    from segmenter.sources.database import read_query
    from segmenter.sources.files import read_files

    if isinstance(data, FilesSettings):
        path = getattr(data, name).path
        if path is None:
            return None
        progress(name)
        return read_files(name, path, data)
    query = getattr(data, name).query
    if query is None:
        return None
    progress(name)
    return read_query(name, query, data)
