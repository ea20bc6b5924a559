"""The orders by their status: what became of them, and what they are taken for."""

import narwhals as nw
import polars as pl

from segmenter.checks.column_words import named
from segmenter.checks.order_status import MAX_STATUSES, is_status
from segmenter.measures.definition import order_values
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.expressions import columns_of
from segmenter.sources.row_mapping import map_rows
from segmenter.sources.rows import Rows
from segmenter.tables import NO_PROFILE

STATUS = "status"


def status_column(rows: Rows) -> str | None:
    """Name the column that says what became of an order: the mapped one, or one that is called so and holds such words."""
    if STATUS in rows.fields:
        return rows.columns[STATUS][0]
    for name in named(columns_of(rows.source), STATUS):
        if rows.source.schema[name] == pl.String:
            values = fields.text(rows.source[name]).filter(rows.counted).drop_nulls().unique()
            if values.len() <= MAX_STATUSES and is_status(values):
                return name
    return None


def statuses(rows: Rows, column: str) -> pl.Series:
    """Give the status of each row as it stands."""
    found = rows.fields[STATUS] if STATUS in rows.fields else rows.source[column]
    return (found if found.dtype == pl.String else fields.text(found)).alias(STATUS)


def by_status(rows: Rows, kept: pl.DataFrame, column: str, settings: MappingSettings, launch: LaunchSettings) -> pl.DataFrame:
    """Sum up rows before the as-of date by status, as `OrdersProfile.by_status`; `kept` has ``status``."""
    values = nw.from_native(kept.select("paid", "back", STATUS)).with_columns(**order_values()).to_native()
    taken = values.select(STATUS, "amount", pl.when("is_order").then(pl.lit("order")).otherwise(pl.lit("refund")).alias("taken_for"))
    if rows.left_out is not None and not rows.left_out.is_empty():
        taken = pl.concat([taken, _left_out(rows, rows.left_out, column, settings, launch)])
    written = taken.group_by(STATUS, "taken_for").agg(pl.len().cast(pl.Int64).alias("rows"), pl.col("amount").sum())
    totals = written.with_columns(fields.text(written[STATUS])).group_by(STATUS, "taken_for").agg(pl.col("rows", "amount").sum())
    return totals.sort("amount", STATUS, "taken_for", descending=[True, False, False]).select(NO_PROFILE.by_status.columns)


def _left_out(kept: Rows, frame: pl.DataFrame, column: str, settings: MappingSettings, launch: LaunchSettings) -> pl.DataFrame:
    orders = settings.orders.model_copy(update={"where": None, "refund": None, "fill_down": ()})
    formats = {kept.columns["amount"][0]: kept.amount_format} if kept.fields["amount"].dtype == pl.String else {}
    rows = map_rows("orders", frame, settings.model_copy(update={"orders": orders}), launch, formats=formats, written=kept.written)
    amount = fields.amount(rows.fields["amount"], launch.currency, rows.amount_format).fill_null(0)
    found = pl.DataFrame({STATUS: statuses(rows, column), "amount": amount})
    return found.filter(rows.counted).with_columns(taken_for=pl.lit("left_out"))
