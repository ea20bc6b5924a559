"""Exports in which only the first line of an order names it: the lines below are empty there."""

import polars as pl

from segmenter.checks.column_words import named
from segmenter.contacts import shown_columns
from segmenter.errors import nearest
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import OrdersSettings
from segmenter.sources import fields
from segmenter.sources.expressions import FILE, columns_of
from segmenter.sources.rows import Rows

_OF_ORDERS = ("customer_id", "order_id", "time", "province", "city", "currency", "status")
_FEW, _RARE = 2, 0.01  # rows, or a share of them, that may be empty by mistake


def fill_down(frame: pl.DataFrame, read: OrdersSettings, problems: list[str]) -> pl.DataFrame:
    """Let empty cells of some columns take the value above in the same file; which columns there are not is added to `problems`."""
    known = columns_of(frame)
    near = shown_columns(known).values()
    sentence = 'data.orders.fill_down: there is no column "{column}"{near}'
    missing = [name for name in read.fill_down if name not in known]
    problems += [Message("order_rows.no_fill_column", sentence, column=name, near=nearest(name, near)) for name in missing]
    names = [name for name in read.fill_down if name in known]
    filled = [frame[name].zip_with(fields.text(frame[name]).is_not_null(), pl.Series([None], dtype=frame.schema[name])) for name in names]
    return frame.with_columns(filled).with_columns(pl.col(names).forward_fill().over(FILE))


def first_lines(rows: Rows) -> list[Finding]:
    """Say where a needed field is empty on just the lines below the first of each order, which would be lost."""
    number = _number(rows)
    for name in ("customer_id", "time", "order_id", "amount"):
        if name not in rows.fields:
            continue
        empty = rows.empty(name)
        if not empty.any() or (name == "amount" and number is None) or not _below_first(rows, empty, number):
            continue
        count = int(empty.sum())
        if name == "amount":
            column = rows.columns["amount"][0]
            sentence = (
                'data.orders.columns.amount: "{column}" is empty on the {count:,} lines below the first of each order, so it is the whole '
                "order's; data.orders.where='\"{column}\" IS NOT NULL' reads one row of each"
            )
            return [Finding("stop", Message("order_rows.first_amount", sentence, column=column, count=count))]
        also = [field for field in _OF_ORDERS if field in rows.fields and (rows.empty(field) | ~empty).all()]
        columns = tuple(dict.fromkeys(column for field in also for column in rows.columns[field]))
        sentence = (
            "data.orders.fill_down: {columns}: are empty on the {count:,} lines below the first of each order, which would be lost; "
            "data.orders.fill_down={setting} takes the value above"
        )
        setting = f"[{','.join(columns)}]"
        return [Finding("stop", Message("order_rows.first_lines", sentence, columns=columns, count=count, setting=setting))]
    return []


def _number(rows: Rows) -> pl.Series | None:
    if "order_id" in rows.fields:
        return fields.text(rows.fields["order_id"])
    names = [name for name in named(columns_of(rows.source), "order_id") if not rows.source.schema[name].is_nested()]
    return fields.text(rows.source[names[0]]) if names else None


def _below_first(rows: Rows, empty: pl.Series, number: pl.Series | None) -> bool:
    """Tell whether just the rows below the first of each order are empty: their number is the same as above, or empty, too."""
    if number is None:  # then all that names an order has to be empty together
        if not (rows.empty("customer_id") == rows.empty("time")).all():
            return False
        number = pl.select(pl.int_range(len(empty)).cast(pl.String)).to_series().zip_with(~empty, pl.Series([None], dtype=pl.String))
    frame = pl.DataFrame({"empty": empty, "number": number, "file": rows.source[FILE], "counted": rows.counted})
    head = pl.when(~pl.col("empty"))
    frame = frame.with_columns(
        above=pl.col("number").forward_fill().shift(1).over("file"),
        first=head.then(pl.int_range(pl.len())).forward_fill().over("file"),
        before=head.then("counted").forward_fill().over("file"),
    ).filter(pl.col("before").fill_null(value=True))
    below = pl.col("first").is_not_null() & (pl.col("number").is_null() | (pl.col("number") == pl.col("above")).fill_null(value=False))
    begins = pl.col("number").is_not_null() & (pl.col("number") != pl.col("above")).fill_null(value=True)
    rows_below, wrong = frame.select(pl.col("empty").sum(), (pl.when("empty").then(~below).otherwise(~begins)).sum().alias("wrong")).row(0)
    return bool(rows_below >= max(_FEW, _RARE * frame.height) and wrong <= _RARE * rows_below)
