"""Orders read and added up by a Spark cluster."""

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import narwhals as nw
import polars as pl

from segmenter.engines.dialect import name, text
from segmenter.engines.java import driver
from segmenter.engines.parquet_schema import parquet_columns
from segmenter.engines.scan import Scanned, Source, scan, summarized
from segmenter.engines.sql_mapping import SOURCE
from segmenter.errors import ConfigError, InputError
from segmenter.settings import LaunchSettings, MappingSettings, SparkEngine
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.raw import column_names
from segmenter.tables import Summary, Terms

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# So that SQL means what it means elsewhere.
_SQL = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
_TOKENS = re.compile(r"""'[^']*'|"[^"]*"|[^\W\d]\w*""")
_DEFAULTS = {
    "spark.app.name": "segmenter",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.maxResultSize": "0",  # one row per customer may be more than Spark's 1g
}
_HERE = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}


def summarize_files(
    places: Sequence[Path | str],
    names: Sequence[str],
    settings: MappingSettings,
    launch: LaunchSettings,
    ids: pl.Series | None,
    terms: Terms,
    engine: SparkEngine,
) -> Scanned:
    """Read the orders' Parquet files and add them up.

    Parameters
    ----------
    places : sequence of Path or of str
        Files of this machine, which lie in the same place on all workers; or URIs of files, folders or globs.
    names : sequence of str
        What the files are called in rejects; empty for URIs, whose files are called by what follows the folder.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency.
    ids : Series or None
        The customers of the customers table; rows of others are rejected.
    terms : Terms
        What the summary is for.
    engine : SparkEngine
        The cluster.

    Returns
    -------
    Scanned
        The same as of a reading in this process.

    Raises
    ------
    InputError
        The files cannot be read, or not surely as in this process.
    ConfigError
        PySpark or Java is not there, or the cluster cannot be reached.
    """
    local = [Path(place) for place in places if not is_uri(place)]
    dtypes = parquet_columns(local, names, "spark") if len(local) == len(places) else {}
    called = {str(place.resolve()): given for place, given in zip(local, names, strict=True)} if dtypes else {}
    roots = [_root(str(place)) for place in places]
    with _opened(engine) as cluster:
        paths = [_address(place) for place in local] if dtypes else [str(place) for place in places]
        cluster.read(paths, dtypes)
        known = dict(zip(column_names(list(dtypes)), dtypes.values(), strict=True))
        source = Source(lambda file: called[_path(file)] if called else _after(roots, file), known)
        return scan(cluster, source, settings, launch, ids, terms)


def summarize_frame(orders: pl.DataFrame, terms: Terms, engine: SparkEngine) -> Summary:
    """Add up canonical orders.

    Parameters
    ----------
    orders : DataFrame
        `tables.ORDERS`; it passes through this process's memory.
    terms : Terms
        What the summary is for.
    engine : SparkEngine
        The cluster.

    Returns
    -------
    Summary
        The same as of `history.definition.summarize_frame`.

    Raises
    ------
    ConfigError
        PySpark or Java is not there, or the cluster cannot be reached.
    """
    with _opened(engine) as cluster:
        return summarized(cluster, orders, terms)


def is_uri(place: Path | str) -> bool:
    """Tell addresses such as ``s3a://shop/orders`` from files of this machine.

    Parameters
    ----------
    place : Path or str
        What the config names.

    Returns
    -------
    bool
        Whether Spark alone can look it up.

    Examples
    --------
    >>> is_uri("hdfs://host/orders/*.parquet"), is_uri("C:/orders"), is_uri("data/orders.parquet")
    (True, False, False)
    """
    return isinstance(place, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", place) is not None


def _address(place: Path) -> str:
    """Write a file's path for Spark, to which no character of it is a wildcard."""
    return "file:" + re.sub(r"([*?\[\]{}\\])", r"\\\1", place.resolve().as_posix())


def _path(file: str) -> str:
    return unquote(urlsplit(file).path)


def _root(place: str) -> str:
    """Give the folder of a URI above its first wildcard."""
    fixed = re.split(r"[*?\[{]", _path(place), maxsplit=1)
    return fixed[0].rsplit("/", 1)[0] + "/" if len(fixed) > 1 or fixed[0].endswith((".parquet", ".pq")) else fixed[0].rstrip("/") + "/"


def _after(roots: Sequence[str], file: str) -> str:
    path = _path(file)
    return next((path.removeprefix(root) for root in roots if path.startswith(root)), path)


@contextlib.contextmanager
def _opened(settings: SparkEngine) -> "Iterator[_Spark]":
    with warnings.catch_warnings():
        # What PySpark says of pandas concerns nobody here: no pandas frame is made.
        warnings.simplefilter("ignore")
        try:
            from py4j.protocol import Py4JError
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise ConfigError('engine=spark: needs PySpark; pip install "segmenter[spark]"') from error
        with contextlib.ExitStack() as stack:
            active = SparkSession.getActiveSession()  # a notebook's
            session = _with_sql(active.newSession()) if active is not None else stack.enter_context(_session(settings))
            try:
                yield _Spark(session)
            except (PySparkException, Py4JError) as error:
                # While Java is there: the message is asked of it.
                raise InputError(f"data.orders: engine=spark: {_message(error)}") from error


@contextlib.contextmanager
def _session(settings: SparkEngine) -> "Iterator[SparkSession]":
    from py4j.protocol import Py4JError
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    own = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in settings.conf.items()}
    home = _HERE if settings.master.startswith("local") else {}
    conf: dict[str, str] = {**_DEFAULTS, **home, **own, **_SQL, "spark.master": settings.master}
    with driver(conf):
        try:
            session = SparkSession.builder.config(map=dict(conf)).getOrCreate()
        except Py4JError as error:
            _forget(SparkContext)
            raise ConfigError(f"engine.master: cannot start there (got {settings.master}): {_message(error)}") from error
        try:
            yield session
        finally:
            session.stop()
            _forget(SparkContext)


def _forget(context: Any) -> None:
    # PySpark keeps the connection for the life of the process; this Java ends before.
    if context._gateway is not None:
        context._gateway.shutdown()
    context._gateway = context._jvm = None


def _with_sql(session: "SparkSession") -> "SparkSession":
    for key, value in _SQL.items():
        session.conf.set(key, value)
    return session


def _message(error: Exception) -> str:
    java = getattr(error, "java_exception", None)  # of Py4J's errors, whose own text is a stack
    lines = [line.strip() for line in str(java.toString() if java is not None else error).splitlines() if line.strip()]
    message = lines[0] if lines else repr(error)
    return f"{message}; write times in microseconds, or engine=local" if "TIMESTAMP(NANOS" in message else message


class _Spark:
    """See `dialect.Engine`."""

    name = "spark"
    text_type = "STRING"

    def __init__(self, session: "SparkSession") -> None:
        self._session = session

    def read(self, paths: Sequence[str], dtypes: Mapping[str, pl.DataType]) -> None:
        """Name the rows of files `SOURCE`."""
        frame = self._session.read.parquet(*paths)
        raw = frame.columns
        own = column_names(raw)
        found = dict(frame.dtypes)
        columns = []
        for column, called in zip(raw, own, strict=True):
            dtype = dtypes.get(column)
            cell = name(column)
            if isinstance(dtype, pl.Datetime) and dtype.time_zone is None and found[column] == "timestamp":
                cell = f"CAST({cell} AS TIMESTAMP_NTZ)"  # an old kind of timestamp, which says nothing of zones
            columns.append(f"{cell} AS {name(called)}")
        place = ["_metadata.file_path AS " + FILE, f"_metadata.row_index + 1 AS {ROW}"]
        frame.selectExpr(*columns, *place).createOrReplaceTempView(SOURCE)

    def schema(self, query: str) -> pl.Schema:
        return _frame(self._session.sql(query).limit(0)).schema

    def fetch(self, query: str) -> pl.DataFrame:
        return _frame(self._session.sql(query))

    def view(self, name: str, query: str) -> None:
        self._session.sql(query).createOrReplaceTempView(name)

    def keep(self, name: str, query: str) -> None:
        self._session.sql(query).persist().createOrReplaceTempView(name)

    def upload(self, name: str, frame: pl.DataFrame) -> None:
        self._session.createDataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest())).createOrReplaceTempView(name)

    def lazy(self, name: str) -> nw.LazyFrame[Any]:
        lazy: nw.LazyFrame[Any] = nw.from_native(self._session.table(name))
        return lazy

    def collect(self, lazy: nw.LazyFrame[Any]) -> pl.DataFrame:
        return _frame(lazy.to_native())

    def sql(self, expression: str) -> str:
        # Names in other letters than English ones have to be quoted here, and a backslash doubled.
        return _TOKENS.sub(lambda found: found[0] if found[0].isascii() or found[0][0] in "'\"" else name(found[0]), expression).replace(
            "\\", "\\\\"
        )

    def trimmed(self, text_: str, blanks: str) -> str:
        return f"trim(BOTH {text(blanks)} FROM {text_})"

    def half_even(self, number: str) -> str:
        return f"rint({number})"

    def micros(self, moment: str, dtype: pl.DataType) -> str:
        # The session's zone is UTC: to it a local time is what its clock shows.
        return f"unix_micros(CAST({moment} AS TIMESTAMP))"

    def hashed(self, columns: Sequence[str]) -> str:
        return f"xxhash64({', '.join(columns)})"


def _frame(found: "DataFrame") -> pl.DataFrame:
    frame = pl.from_arrow(found.toArrow())
    assert isinstance(frame, pl.DataFrame)
    return frame
