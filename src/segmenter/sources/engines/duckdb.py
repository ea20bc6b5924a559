"""Orders read and added up by DuckDB, which writes to disk what is larger than memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from segmenter.errors import ConfigError, InputError
from segmenter.history.summary import Summary, Terms
from segmenter.settings import DuckdbEngine, LaunchSettings, MappingSettings
from segmenter.sources.engines.dialect import name, text
from segmenter.sources.engines.files import parquet_columns
from segmenter.sources.engines.mapping import SOURCE
from segmenter.sources.engines.scan import Scanned, Source, scan, summarized
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.raw import column_names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def summarize_files(
    places: Sequence[Path],
    names: Sequence[str],
    settings: MappingSettings,
    launch: LaunchSettings,
    ids: pl.Series | None,
    terms: Terms,
    engine: DuckdbEngine,
) -> Scanned:
    """Read the orders' Parquet files and add them up.

    Parameters
    ----------
    places, names : sequence of Path and of str
        The files, and what they are called in rejects.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency.
    ids : Series or None
        The customers of the customers table; rows of others are rejected.
    terms : Terms
        What the summary is for.
    engine : DuckdbEngine
        Memory and disk.

    Returns
    -------
    Scanned
        The same as of a reading in this process.

    Raises
    ------
    InputError
        The files cannot be read, or not surely as in this process.
    ConfigError
        DuckDB is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import datetime
    >>> import segmenter
    >>> given = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> path = Path(tempfile.mkdtemp()) / "orders.parquet"
    >>> pl.DataFrame({"customer_id": ["a"], "time": [datetime(2026, 6, 30)], "amount": [12.5]}).write_parquet(path)
    >>> terms = Terms(given.launch.as_of, half_life_days=90, window_days=None)
    >>> engine = DuckdbEngine(kind="duckdb", memory=None, spill=None)
    >>> summarize_files([path], ["orders.parquet"], given.data, given.launch, None, terms, engine).summary.frame["spend"].to_list()
    [1250]
    """
    dtypes = parquet_columns(places, names, "duckdb")
    clean = column_names(list(dtypes))
    if len({column.lower() for column in clean}) < len(clean):
        raise InputError(f"data.orders.path: {names[0]}: to DuckDB the case of columns' names says nothing; rename them, or engine=local")
    files = dict(zip(map(str, places), names, strict=True))
    with _opened(engine) as database:
        columns = ", ".join(f"{name(raw)} AS {name(own)}" for raw, own in zip(dtypes, clean, strict=True))
        listed = ", ".join(text(file) for file in files)
        read = f"read_parquet([{listed}], filename = 'segmenter_file', file_row_number = TRUE, hive_partitioning = FALSE)"
        database.view(SOURCE, f"SELECT {columns}, segmenter_file AS {FILE}, file_row_number + 1 AS {ROW} FROM {read}")
        return scan(database, Source(files.__getitem__, dict(zip(clean, dtypes.values(), strict=True))), settings, launch, ids, terms)


def summarize_frame(orders: pl.DataFrame, terms: Terms, engine: DuckdbEngine) -> Summary:
    """Add up canonical orders.

    Parameters
    ----------
    orders : DataFrame
        `tables.ORDERS`.
    terms : Terms
        What the summary is for.
    engine : DuckdbEngine
        Memory and disk.

    Returns
    -------
    Summary
        The same as of `history.definition.summarize_frame`.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> from segmenter.tables import ORDERS
    >>> order = {"customer_id": "a", "time": datetime(2026, 6, 30), "amount": 100, "refund": 0, "is_order": True}
    >>> terms = Terms(as_of=date(2026, 7, 1), half_life_days=1, window_days=None)
    >>> engine = DuckdbEngine(kind="duckdb", memory=None, spill=None)
    >>> summarize_frame(pl.DataFrame([order], schema=ORDERS), terms, engine).frame["decayed_spend"].item()
    50
    """
    with _opened(engine) as database:
        return summarized(database, orders, terms)


@contextmanager
def _opened(settings: DuckdbEngine) -> "Iterator[_DuckDB]":
    try:
        import duckdb
    except ImportError as error:
        raise ConfigError('engine=duckdb: needs DuckDB; pip install "segmenter[duckdb]"') from error
    with TemporaryDirectory(prefix="segmenter-", dir=_folder(settings.spill)) as spill:
        config: dict[str, Any] = {
            "temp_directory": spill,
            "preserve_insertion_order": False,  # so that less is held in memory
            "autoinstall_known_extensions": False,
        }
        if settings.memory is not None:
            config["memory_limit"] = settings.memory
        connection = duckdb.connect(config=config)
        try:
            yield _DuckDB(connection)
        except duckdb.Error as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise InputError(f"data.orders: engine=duckdb: {lines[0] if lines else error!r}") from error
        finally:
            connection.close()


def _folder(spill: str | None) -> Path | None:
    if spill is None:
        return None
    folder = Path(spill).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"engine.spill: should be a folder that can be written to (got {spill}: {error.strerror})") from error
    return folder


class _DuckDB:
    """See `dialect.Engine`."""

    name = "duckdb"
    text_type = "VARCHAR"

    def __init__(self, connection: "DuckDBPyConnection") -> None:
        self._connection = connection

    def schema(self, query: str) -> pl.Schema:
        return _frame(self._connection.sql(f"{query} LIMIT 0")).schema

    def fetch(self, query: str) -> pl.DataFrame:
        return _frame(self._connection.sql(query))

    def view(self, name: str, query: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")

    def keep(self, name: str, query: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def upload(self, name: str, frame: pl.DataFrame) -> None:
        self._connection.register(name, frame.to_arrow())

    def lazy(self, name: str) -> nw.LazyFrame[Any]:
        return nw.from_native(self._connection.table(name))

    def collect(self, lazy: nw.LazyFrame[Any]) -> pl.DataFrame:
        return _frame(lazy.to_native())

    def sql(self, expression: str) -> str:
        return expression

    def trimmed(self, text_: str, blanks: str) -> str:
        # trim with characters of one's own is slow, and hardly a text needs it.
        ends = " OR ".join(f"contains({text(blanks)}, {end}({text_}, 1))" for end in ("left", "right"))
        return f"CASE WHEN {ends} THEN trim({text_}, {text(blanks)}) ELSE {text_} END"

    def half_even(self, number: str) -> str:
        return f"round_even({number}, 0)"

    def micros(self, moment: str, dtype: pl.DataType) -> str:
        if isinstance(dtype, pl.Datetime) and dtype.time_unit == "ns":
            nanos = f"epoch_ns({moment})"
            return f"(({nanos} - ({nanos} % 1000 + 1000) % 1000) // 1000)"  # down, before 1970 too
        zoned = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
        return f"epoch_us({moment})" if zoned else f"epoch_us(CAST({moment} AS TIMESTAMP))"

    def hashed(self, columns: Sequence[str]) -> str:
        return f"hash({', '.join(columns)})"


def _frame(relation: Any) -> pl.DataFrame:
    frame = pl.from_arrow(relation.to_arrow_table())
    assert isinstance(frame, pl.DataFrame)
    return frame
