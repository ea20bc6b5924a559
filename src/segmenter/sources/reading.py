"""From the config's sources to the canonical tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from segmenter.errors import InputError
from segmenter.settings import DatabaseSettings, DemoSettings, FilesSettings, LaunchSettings
from segmenter.sources.mapping import canonical_tables
from segmenter.sources.raw import Fingerprint, Raw
from segmenter.tables import Tables

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
    """

    tables: Tables
    fingerprints: Mapping[str, tuple[Fingerprint, ...]]


def read_tables(
    data: FilesSettings | DatabaseSettings | DemoSettings,
    launch: LaunchSettings,
    *,
    seed: int,
    progress: Callable[[str], None] = lambda stage: None,
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
        Called with the name of each table as its reading begins.

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
    fingerprints: dict[str, tuple[Fingerprint, ...]] = {}
    problems: list[str] = []
    if isinstance(data, DemoSettings):
        from segmenter.sources.demo import simulate

        if launch.as_of is None:
            raise InputError("launch.as_of: is needed, as YYYY-MM-DD")
        progress("demo shop")
        shop = simulate(data.shop.customers, data.shop.days, launch.as_of, seed)
        raw = {name: getattr(shop, name) for name in TABLES}
    else:
        for name in TABLES:
            try:
                found = _read(data, name, progress)
            except InputError as error:
                problems += error.problems
                continue
            if found is not None:
                raw[name], unreadable[name], fingerprints[name] = found.frame, found.rejects, found.fingerprints
    if problems:
        raise InputError(*problems)
    progress("columns")
    return Read(canonical_tables(raw, data, launch, unreadable=unreadable), fingerprints)


def _read(data: FilesSettings | DatabaseSettings, name: str, progress: Callable[[str], None]) -> Raw | None:
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
