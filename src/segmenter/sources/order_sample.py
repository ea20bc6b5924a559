"""The order numbers of Parquet files that are aggregated as they are read: of many rows, those of one number in 64."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from segmenter.checks.column_words import named
from segmenter.contacts import Contacts
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import FilesSettings, LaunchSettings
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.order_rows import map_orders
from segmenter.sources.raw import known_types
from segmenter.sources.row_mapping import map_rows

FEW = 2_000_000  # rows, of which all numbers are looked at
SHARE = 64
_WHOLE = frozenset({"order_rows.row_for_order", "order_rows.refund_once", "order_rows.refund_twice"})  # what all rows have to be seen for
_OF_NUMBERS = frozenset(
    {"order_rows.line_for_order", "order_rows.unmapped_number", "order_rows.used_again", "order_rows.unique", "order_rows.apart"}
)


def number_findings(
    paths: Sequence[Path],
    names: Sequence[str],
    heights: Sequence[int],
    number: pl.Expr,
    where: pl.Expr | None,
    settings: FilesSettings,
    launch: LaunchSettings,
) -> tuple[Finding, ...] | None:
    """Say that each row is an order, by the order numbers; None where all rows have to be seen together to tell."""
    share = 1 if sum(heights) < FEW else SHARE
    scan = pl.scan_parquet(list(paths), glob=False, hive_partitioning=False, row_index_name=ROW)
    scan = scan.with_columns(known_types(scan.collect_schema()))
    drawn = number.cast(pl.String, strict=False)
    wanted = drawn.is_not_null() if share == 1 else drawn.hash() % share == 0
    said = Message(
        "order_rows.sampled", "data.orders.grain: of so many rows the order numbers of one in {share} were looked at", share=share
    )
    sampled = () if share == 1 else (Finding("note", said),)
    if where is not None:
        wanted &= where.fill_null(value=False)
    numbers = scan.select(drawn.alias("number").filter(wanted)).collect(engine="streaming")["number"]
    if numbers.n_unique() == numbers.len():
        unique = Message("order_rows.unique", "data.orders.grain: a row is an order: no order number stands on two rows")
        return (*sampled, Finding("note", unique))
    if settings.orders.grain == "auto" and (settings.orders.columns.order_id is not None or "order_id" in scan.collect_schema()):
        return None
    frame = scan.filter(wanted).collect(engine="streaming")
    files = pl.DataFrame({FILE: names, "start": pl.Series(heights).cum_sum().shift(1, fill_value=0)}).set_sorted("start")
    raw = frame.with_columns(pl.col(ROW).cast(pl.Int64)).sort(ROW).join_asof(files, left_on=ROW, right_on="start", strategy="backward")
    raw = raw.with_columns(pl.col(ROW) - pl.col("start") + 1).drop("start")
    found = map_orders(map_rows("orders", raw, settings, launch), settings, launch, None, Contacts(), categories=False).findings
    if any(finding.level == "stop" or finding.message.code in _WHOLE for finding in found):
        return None
    return (*sampled, *(finding for finding in found if finding.message.code in _OF_NUMBERS))


def number_column(schema: pl.Schema, settings: FilesSettings) -> str | None:
    """Name the column of the order numbers: the mapped one, or one that is called so."""
    mapping = settings.orders.columns.order_id
    if mapping is not None:
        return mapping
    known = ["order_id", *named(schema, "order_id")]
    return next((name for name in known if name in schema and not schema[name].is_nested()), None)


def as_orders(settings: FilesSettings) -> FilesSettings:
    """Give settings in which it is decided that a row is an order."""
    return settings.model_copy(update={"orders": settings.orders.model_copy(update={"grain": "order"})})
