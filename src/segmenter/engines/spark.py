"""Orders read and aggregated by a Spark cluster."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import polars as pl

from segmenter.engines.order_scan import Source, aggregate_rows, scan
from segmenter.engines.parquet_schema import parquet_columns
from segmenter.engines.spark_session import Cluster, open_cluster, quoted
from segmenter.measures.definition import rows_of
from segmenter.measures.sampling import Sampling
from segmenter.settings import FilesSettings, LaunchSettings, SparkEngine
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.order_rows import OrdersReading
from segmenter.sources.raw import Fingerprint, column_names
from segmenter.tables import Summary, Terms

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class SparkFiles:
    """Parquet files for a cluster: of this machine, lying in the same place on all workers; or URIs of files, folders or globs."""

    paths: Sequence[Path | str]
    names: Sequence[str]  # what they are called in rejects; empty for URIs, whose files are called by what follows the folder
    settings: FilesSettings
    launch: LaunchSettings
    engine: SparkEngine
    fingerprints: tuple[Fingerprint, ...] = ()


def aggregate_files(files: SparkFiles, terms: Terms, ids: pl.Series | None, sampling: Sampling | None = None) -> OrdersReading:
    """Read the orders' files and aggregate them: the same as of a reading in this process.

    Rows of others than the customers `ids` are rejected, and single orders kept of as many customers as `sampling` says; an InputError
    says where the files would not surely be read as here.
    """
    local = [Path(path) for path in files.paths if not is_uri(path)]
    dtypes = parquet_columns(local, files.names) if len(local) == len(files.paths) else {}
    called = {str(path.resolve()): name for path, name in zip(local, files.names, strict=True)} if dtypes else {}
    roots = [_root(str(path)) for path in files.paths]
    with open_cluster(files.engine) as cluster:
        rows = _rows(cluster, [_address(path) for path in local] if dtypes else [str(path) for path in files.paths], dtypes)
        known = dict(zip(column_names(list(dtypes)), dtypes.values(), strict=True))
        source = Source(rows, lambda file: called[_path(file)] if called else _after(roots, file), known)
        return scan(cluster, source, files.settings, files.launch, ids, terms, files.fingerprints, sampling)


def aggregate_frame(orders: pl.DataFrame, terms: Terms, engine: SparkEngine) -> Summary:
    """Aggregate canonical orders, which pass through this process's memory, on a cluster."""
    days = orders.select(first=pl.col("time").min().dt.date(), last=pl.col("time").max().dt.date()).row(0)
    with open_cluster(engine) as cluster:
        rows = cluster.repartition(cluster.upload(rows_of(orders).drop("order_id")), orders.height, "customer_id")
        return Summary(aggregate_rows(cluster, rows, terms), terms, *days)


def is_uri(path: Path | str) -> bool:
    """Tell addresses such as ``s3a://shop/orders``, which Spark alone can look up, from files of this machine.

    Examples
    --------
    >>> is_uri("hdfs://host/orders/*.parquet"), is_uri("C:/orders"), is_uri("data/orders.parquet")
    (True, False, False)
    """
    return isinstance(path, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path) is not None


def _rows(cluster: Cluster, paths: Sequence[str], dtypes: Mapping[str, pl.DataType]) -> "DataFrame":
    """Name the columns of files as this process does, and say where each row stands."""
    frame = cluster.session.read.parquet(*paths)
    found = dict(frame.dtypes)
    columns = []
    for column, name in zip(frame.columns, column_names(frame.columns), strict=True):
        dtype, cell = dtypes.get(column), quoted(column)
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is None and found[column] == "timestamp":
            cell = f"CAST({cell} AS TIMESTAMP_NTZ)"  # an old kind of timestamp, which says nothing of zones
        columns.append(f"{cell} AS {quoted(name)}")
    return frame.selectExpr(*columns, f"_metadata.file_path AS {FILE}", f"_metadata.row_index + 1 AS {ROW}")


def _address(path: Path) -> str:
    """Write a file's path for Spark, to which no character of it is a wildcard."""
    return "file:" + re.sub(r"([*?\[\]{}\\])", r"\\\1", path.resolve().as_posix())


def _path(file: str) -> str:
    return unquote(urlsplit(file).path)


def _root(path: str) -> str:
    """Give the folder of a URI above its first wildcard."""
    fixed = re.split(r"[*?\[{]", _path(path), maxsplit=1)
    return fixed[0].rsplit("/", 1)[0] + "/" if len(fixed) > 1 or fixed[0].endswith((".parquet", ".pq")) else fixed[0].rstrip("/") + "/"


def _after(roots: Sequence[str], file: str) -> str:
    path = _path(file)
    return next((path.removeprefix(root) for root in roots if path.startswith(root)), path)
