"""A connection to a Spark cluster: a session of our own, or a notebook's."""

import contextlib
import re
import time
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from segmenter.engines.failures import failure, reason
from segmenter.engines.java import driver
from segmenter.errors import ConfigError, InputError
from segmenter.memory import available
from segmenter.messages import Message
from segmenter.settings import SparkEngine

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
_PART = 100_000  # rows
_LEAST, _MOST = 1 << 30, 8 << 30  # bytes of a driver that does the workers' work
_SECONDS = 300
_NO_START = "engine.master: cannot start there (got {master}): {why}"
# Spark's compiled queries are methods longer than Java compiles by itself; and what has no memory left had better end than wait.
_JAVA = "-XX:-DontCompileHugeMethods -XX:+ExitOnOutOfMemoryError"
_TOKENS = re.compile(r"""'[^']*'|"[^"]*"|[^\W\d]\w*""")
_DEFAULTS = {
    "spark.app.name": "segmenter",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.maxResultSize": "0",  # one row per customer may be more than Spark's 1g
}
_HERE = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}


class Cluster:
    """An open connection: frames come and go."""

    def __init__(self, session: "SparkSession") -> None:
        self.session = session

    def fetch(self, frame: "DataFrame | nw.LazyFrame[Any]") -> pl.DataFrame:
        """Compute a frame and bring its rows here."""
        return pl.concat(self.fetch_parts(frame), rechunk=False)

    def fetch_parts(self, frame: "DataFrame | nw.LazyFrame[Any]") -> Iterator[pl.DataFrame]:
        """Compute a frame and bring its rows here, at least one part of them; what was taken is let go of."""
        native: Any = nw.to_native(frame, pass_through=True)
        table = native.toArrow()
        batches = table.to_batches()[::-1] or [table]
        del table
        while batches:
            yield pl.DataFrame(batches.pop())

    def repartition(self, rows: nw.LazyFrame[Any], count: int, *by: str) -> nw.LazyFrame[Any]:
        """Put rows into partitions so small that a worker has memory for any, and this process's Java for those that come in."""
        lazy: nw.LazyFrame[Any] = nw.from_native(rows.to_native().repartition(count // _PART + 1, *by))
        return lazy

    def sort_partitions(self, rows: nw.LazyFrame[Any], column: str) -> nw.LazyFrame[Any]:
        """Sort the rows of each partition while they are narrow; Spark would do it for its sums when they are wide."""
        lazy: nw.LazyFrame[Any] = nw.from_native(rows.to_native().sortWithinPartitions(column))
        return lazy

    def upload(self, frame: pl.DataFrame) -> "nw.LazyFrame[Any]":
        """Bring a frame there."""
        lazy: nw.LazyFrame[Any] = nw.from_native(self.session.createDataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest())))
        return lazy

    def broadcast(self, frame: pl.DataFrame) -> "nw.LazyFrame[Any]":
        """Bring a frame there whole to each worker: what is joined with it need not be moved."""
        from pyspark.sql.functions import broadcast

        lazy: nw.LazyFrame[Any] = nw.from_native(broadcast(self.upload(frame).to_native()))
        return lazy


def quoted(column: str) -> str:
    """Write a column's name in SQL."""
    return '"' + column.replace('"', '""') + '"'


def spark_sql(expression: str) -> str:
    """Write an expression of the config as Spark wants it: names in other letters than English ones quoted, a backslash doubled."""

    def write(token: re.Match[str]) -> str:
        return token[0] if token[0].isascii() or token[0][0] in "'\"" else quoted(token[0])

    return _TOKENS.sub(write, expression).replace("\\", "\\\\")


@contextlib.contextmanager
def open_cluster(settings: SparkEngine) -> Iterator[Cluster]:
    """Connect to a cluster; what goes wrong there is an InputError, what is missing here a ConfigError."""
    with warnings.catch_warnings():
        # What PySpark says of pandas concerns nobody here: no pandas frame is made.
        warnings.simplefilter("ignore")
        try:
            from py4j.protocol import Py4JError
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise ConfigError(Message("sources.no_pyspark", 'engine=spark: needs PySpark; pip install "segmenter[spark]"')) from error
        with contextlib.ExitStack() as stack:
            active = SparkSession.getActiveSession()  # a notebook's
            if active is not None:
                own: tuple[SparkSession, Callable[[], str]] = _with_sql(active.newSession()), str
            else:
                own = stack.enter_context(_own_session(settings))
            session, last_words = own
            try:
                yield Cluster(session)
            except (PySparkException, Py4JError, ConnectionError, EOFError) as error:
                # While Java is there: the message is asked of it.
                raise InputError(failure(error, last_words, local=settings.master.startswith("local"))) from error


@contextlib.contextmanager
def _own_session(settings: SparkEngine) -> "Iterator[tuple[SparkSession, Callable[[], str]]]":
    from py4j.protocol import Py4JError, Py4JNetworkError
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    own = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in settings.conf.items()}
    home = _HERE if settings.master.startswith("local") else {}
    conf: dict[str, str] = {**_DEFAULTS, **home, **own, **_SQL, "spark.master": settings.master}
    if home and (free := available()) is not None:
        conf.setdefault("spark.driver.memory", f"{min(max(free * 2 // 5, _LEAST), _MOST) >> 20}m")  # it does the workers' work too
    for key in ("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"):
        conf[key] = f"{_JAVA} {conf.get(key, '')}".strip()
    with driver(conf) as last_words:
        try:
            session = SparkSession.builder.config(map=dict(conf)).getOrCreate()
        except Py4JError as error:
            _forget(SparkContext)
            why = last_words() if isinstance(error, Py4JNetworkError) else reason(error)
            why = Message("sources.spark_no_master", "no master answers there") if "stopped SparkContext" in why else why
            raise ConfigError(Message("sources.spark_master", _NO_START, master=settings.master, why=why)) from error
        try:
            if not home:
                _wait_for_workers(session, settings.master)
            yield session, last_words
        finally:
            with contextlib.suppress(Py4JError, OSError):  # its Java is dead
                session.stop()
            _forget(SparkContext)


def _wait_for_workers(session: "SparkSession", master: str) -> None:
    """See that somebody will compute: Spark itself would wait without end, and in silence."""
    context, until = session.sparkContext, time.monotonic() + _SECONDS
    if context.getConf().get("spark.dynamicAllocation.enabled", "false") == "true":
        return
    while not context._jsc.sc().isStopped() and len(context._jsc.sc().statusTracker().getExecutorInfos()) < 2:  # the first is the driver
        if time.monotonic() > until:
            memory = context.getConf().get("spark.executor.memory", "1g")
            sentence = (
                "engine.master: {master} gave no worker within {seconds} s: none has {memory} and a core free; wait until some do, or ask "
                "for less with engine.conf.spark.executor.memory=512m"
            )
            raise ConfigError(Message("sources.spark_no_worker", sentence, master=master, seconds=_SECONDS, memory=memory))
        time.sleep(0.1)


def _forget(context: Any) -> None:
    # PySpark keeps the connection for the life of the process; this Java ends before.
    if context._gateway is not None:
        with contextlib.suppress(Exception):  # its Java is dead
            context._gateway.shutdown()
    context._gateway = context._jvm = None


def _with_sql(session: "SparkSession") -> "SparkSession":
    for key, value in _SQL.items():
        session.conf.set(key, value)
    return session
