"""Orders on a Spark cluster: typed rows are read and aggregated there, fallback rows here.

A row is typed where every cell surely comes to the same as in `sources.order_rows`. The others come here as they stand, are read by
`order_rows`, and those that are good go back to be aggregated with the typed ones. So the rejects, the counts and the sums are those of
a reading in this process. The config's own SQL and times are computed by Spark's SQL, all else by Narwhals.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from segmenter import tables
from segmenter.checks.order_customers import check_customers
from segmenter.engines.number_scan import grain_there
from segmenter.engines.order_cells import FALLBACK, LOCAL_LINES, cells_of, typed_rows, value
from segmenter.engines.spark_session import Cluster, quoted
from segmenter.errors import InputError
from segmenter.measures.definition import LINES, ROWS, each_order, finish, order_values, rows_of, summarize, weights_table, whole_orders
from segmenter.measures.sampling import Sampling, is_sampled
from segmenter.measures.shop_orders import AggregatedOrders, Sample
from segmenter.messages import Message
from segmenter.settings import FilesSettings, LaunchSettings, MappingSettings
from segmenter.sources.expressions import FILE, ROW, columns_of
from segmenter.sources.order_rows import OrdersReading, order_rows, turnover
from segmenter.sources.raw import Fingerprint
from segmenter.sources.row_mapping import map_rows, nothing_wanted
from segmenter.sources.rows import Rows
from segmenter.tables import DAY, EPOCH, NO_PROFILE, ORDERS, TIME, Summary, Terms

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MAX_FALLBACK = 20_000_000
_SAMPLE = 1_000


@dataclass(frozen=True)
class Source:
    """The rows of files on a cluster: their own columns, `FILE` and `ROW` (from 1)."""

    rows: "DataFrame"
    file_name: Callable[[str], str]  # says how the file is called that stands in `FILE`
    dtypes: Mapping[str, pl.DataType]  # the columns' types as Polars reads them; empty where that is not known

    def empty(self, cluster: Cluster) -> pl.DataFrame:
        """Give no rows of it, with the types that they have when they are read here."""
        schema = cluster.fetch(self.rows.limit(0)).schema
        return pl.Schema({column: self.dtypes.get(column, dtype) for column, dtype in schema.items()}).to_frame()

    def fetch(self, cluster: Cluster, rows: nw.LazyFrame[Any], empty: pl.DataFrame) -> pl.DataFrame:
        """Bring rows here with the types and the names of files that they have when they are read here."""
        raw = cluster.fetch(rows)
        names = {file: self.file_name(file) for file in raw[FILE].unique().to_list()}
        return raw.with_columns(
            *(pl.col(column).cast(empty.schema[column]) for column in columns_of(empty)),
            pl.col(FILE).replace_strict(names, return_dtype=pl.String),
            pl.col(ROW).cast(pl.Int64),
        )


def scan(
    cluster: Cluster,
    source: Source,
    settings: FilesSettings,
    launch: LaunchSettings,
    ids: pl.Series | None,
    terms: Terms,
    fingerprints: tuple[Fingerprint, ...],
    sampling: Sampling | None = None,
) -> OrdersReading:
    """Read and aggregate the rows of a source; those of others than the customers `ids` are rejected."""
    empty, limit = source.empty(cluster), terms.today * DAY
    rows = typed_rows(cluster, source.rows, cells_of(empty, settings, launch), columns_of(empty), settings, launch, ids)
    typed = ~nw.col(FALLBACK)
    seen = {name: nw.when(typed).then(column).alias(name) for name, column in LOCAL_LINES.items() if name in ("time_us", "paid", "back")}
    days = cluster.fetch(_days(rows.select(**seen)))
    day, number = pl.col("day"), pl.col("rows")
    found = days.select(number.sum(), fallback=number.filter(day.is_null()).sum(), later=number.filter(day >= terms.today).sum())
    count, fallback, later = found.row(0)
    own = [*columns_of(empty), FILE, ROW]
    raw = empty
    if fallback:
        _check_fallback(fallback)
        raw = source.fetch(cluster, cluster.repartition(rows.filter(FALLBACK).select(own), fallback), empty)
        # Rows in which nothing stands are no rows.
        raw = raw.filter(~pl.all_horizontal(pl.col(columns_of(raw)).is_null())).sort(FILE, ROW)
    wanted = count - (fallback - raw.height)
    total = wanted if settings.orders.where is None else _count(cluster, source.rows, columns_of(empty))
    _check_wanted(total, wanted, settings)
    _check_sample(cluster, source, rows.filter(typed), empty, settings, launch)
    reads = {"rows": total, "filtered": total - wanted, "later": later, "rejected": 0, "kept": count - fallback - later}
    good, rejects = LINES.to_frame(), tables.REJECTED.to_frame()
    if not raw.is_empty():
        read, good = _read(raw, settings, launch, ids)
        rejects = read.rejects()
        for fate in ("later", "rejected", "kept"):
            reads[fate] += read.reads[fate]
        if "dropped" in read.reads:
            reads["dropped"] = read.reads["dropped"]
    lines = rows.filter(typed).select(**LOCAL_LINES)
    if not good.is_empty():
        lines = nw.concat([lines, cluster.upload(good)])
        days = pl.concat([days, nw.to_native(_days(nw.from_native(good.lazy()))).collect()])
    lines = lines.filter(nw.col("time_us") < limit)
    grain, near, findings = grain_there(cluster, lines, settings.orders.grain)
    partitioned = cluster.repartition(lines, reads["kept"], "customer_id")
    ends = days.select(first=day.min(), last=day.max()).row(0)
    span = [None if end is None else EPOCH + timedelta(days=end) for end in ends]
    summary = Summary(aggregate_rows(cluster, _orders_of(partitioned, grain, near), terms), terms, *span)
    profile = replace(NO_PROFILE, by_day=_by_day(days.filter(day < terms.today)))
    findings = (*findings, *check_customers(summary.frame["orders"], summary.frame["spend"], launch.currency))
    return OrdersReading(
        AggregatedOrders(summary, None if sampling is None else _sample_orders(cluster, partitioned, grain, near, summary, sampling)),
        reads,
        rejects,
        fingerprints=fingerprints,
        profile=profile,
        findings=findings,
        turnover=turnover(summary),
    )


def _days(lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Count lines by their day, which is null where they have no time, and what they come to."""
    days = lines.select(day=(nw.col("time_us") // DAY).cast(nw.Int64), amount=order_values()["amount"])
    return days.group_by("day").agg(nw.len().cast(nw.Int64).alias("rows"), nw.col("amount").sum().cast(nw.Int64))


def _by_day(days: pl.DataFrame) -> pl.DataFrame:
    dated = days.group_by(pl.col("day").cast(pl.Int32).cast(pl.Date)).sum()
    return dated.select(NO_PROFILE.by_day.columns).sort("day")


def aggregate_rows(cluster: Cluster, orders: nw.LazyFrame[Any], terms: Terms) -> pl.DataFrame:
    """Aggregate orders on a cluster, partitioned by customer: `definition.ROWS` there, `SUMMARY` here."""
    parts = cluster.fetch_parts(summarize(cluster.sort_partitions(orders, "customer_id"), cluster.broadcast(weights_table(terms)), terms))
    return pl.concat([finish(part, terms) for part in parts]).sort("customer_id")


def _orders_of(lines: nw.LazyFrame[Any], grain: str, near: int) -> nw.LazyFrame[Any]:
    return whole_orders(lines, near) if grain == "line" else each_order(lines)


def _sample_orders(cluster: Cluster, lines: nw.LazyFrame[Any], grain: str, near: int, summary: Summary, sampling: Sampling) -> Sample:
    """Bring the single orders of some customers here: who they are is drawn here, of all, and every worker gets their ids."""
    halvings, ids = sampling.halvings(summary), summary.frame["customer_id"]
    if halvings:
        drawn = ids.filter(is_sampled(ids, halvings, sampling.seed))
        lines = lines.join(cluster.broadcast(drawn.to_frame()), on="customer_id", how="semi")
    rows = cluster.fetch(_orders_of(lines, grain, near).select(ROWS.names()))
    # Which number an order had is of no use to who learns from it.
    orders = rows.with_columns(pl.col("time_us").cast(TIME).alias("time"), pl.lit(None).alias("order_id"))
    return Sample(orders.select(pl.col(name).cast(dtype) for name, dtype in ORDERS.items()), halvings)


def _count(cluster: Cluster, rows: "DataFrame", columns: list[str]) -> int:
    """Count the rows of a source but those in which nothing stands."""
    return int(cluster.fetch(rows.where(" OR ".join(f"{quoted(column)} IS NOT NULL" for column in columns)).selectExpr("count(*)")).item())


def _read(raw: pl.DataFrame, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None) -> tuple[Rows, pl.DataFrame]:
    rows = map_rows("orders", raw, settings, launch)
    return rows, rows_of(order_rows(rows, settings, launch, ids)).select(LINES.names())


def _check_fallback(count: int) -> None:
    if count > _MAX_FALLBACK:
        sentence = (
            "data.orders: {count:,} rows cannot be read by engine=spark as they stand, see data/ in conf; "
            "read fewer (data.orders.where), mend the files, or engine=local"
        )
        raise InputError(Message("sources.spark_many_fallbacks", sentence, count=count))


def _check_wanted(total: int, wanted: int, settings: MappingSettings) -> None:
    if not total:
        raise InputError(Message("sources.only_header", "data.orders.path: should have rows (got only a header)"))
    if not wanted:
        raise InputError(nothing_wanted("orders", settings.orders.where, total))


def _check_sample(
    cluster: Cluster, source: Source, typed: nw.LazyFrame[Any], empty: pl.DataFrame, settings: MappingSettings, launch: LaunchSettings
) -> None:
    """Read some typed rows here too: SQL of the mapping may mean something else there."""
    names = [name for name in LINES if name != "order_id" or settings.orders.grain != "order"]
    sample = source.fetch(cluster, typed.head(_SAMPLE), empty)
    if sample.is_empty():
        return
    there = sample.select(pl.col(value(name)).cast(LINES[name]).alias(name) for name in names)
    raw = sample.select(*columns_of(empty), FILE, ROW)
    rows, here = _read(raw, settings, launch, None)
    if here.height != there.height:
        sentence = (
            "data.orders: engine=spark reads rows otherwise than engine=local: {rejected:,} of {rows:,} are rejected by it; "
            "write the mapping so that both read the same, or engine=local"
        )
        raise InputError(Message("sources.spark_rejects", sentence, rejected=rows.source.height - here.height, rows=there.height))
    for name in names:
        if (different := here[name].ne_missing(there[name]).arg_true()).len():
            at = different[0]
            sentence = (
                "data.orders: engine=spark reads rows otherwise than engine=local (got {field} {there} instead of {here} in row {row} of "
                "{file}); write the mapping so that both read the same, or engine=local"
            )
            got, wanted = repr(there[name][at]), repr(here[name][at])
            row, file = raw[ROW][at], raw[FILE][at]
            raise InputError(Message("sources.spark_differs", sentence, field=name, there=got, here=wanted, row=row, file=file))
