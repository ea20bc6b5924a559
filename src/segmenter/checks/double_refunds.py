"""Refunds that are told twice: by the status of the order, and by a row of their own."""

import polars as pl

from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.money import amount


def double_refunds(rows: pl.DataFrame, currency: str) -> tuple[pl.Series, tuple[Finding, ...]]:
    """Give ``at`` of the rows that give back what an order's status gives back already, and say so.

    `rows` has ``customer_id``, ``order_id`` (or null), ``paid``, ``back``, ``at``. It is certain where the rows of one order come to
    what its status gives back; where only customer and amount are the same it is a warning, and nothing is changed.
    """
    marked = rows.filter(pl.col("back") & (pl.col("paid") > 0))
    given = rows.filter(pl.col("paid") < 0)
    none = pl.Series("at", [], dtype=rows.schema["at"])
    if not marked.height or not given.height:
        return none, ()
    key = ["customer_id", "order_id"]
    whole = marked.filter(pl.col("order_id").is_not_null()).group_by(key).agg(pl.col("paid").sum().alias("whole"))
    credit = given.filter(pl.col("order_id").is_not_null()).group_by(key).agg(pl.col("paid").sum().alias("credit"))
    orders = whole.join(credit, on=key).with_columns(sure=pl.col("whole") + pl.col("credit") == 0)
    sure = given.join(orders.filter("sure"), on=key, how="semi")
    found: list[Finding] = []
    if sure.height:
        sentence = (
            "data.orders.refund: {orders:,} refunds are told twice, by the order's status and by a row of the same order and amount; they "
            "count once ({money} instead of twice that)"
        )
        money = amount(-int(sure["paid"].sum()), currency)
        found.append(Finding("note", Message("order_rows.refund_once", sentence, orders=orders.filter("sure").height, money=money)))
    odd = orders.filter(~pl.col("sure"))
    pairs = _pairs(marked.join(orders, on=key, how="anti"), given.join(orders, on=key, how="anti"))
    count = odd.height + int(pairs["pairs"].sum())
    if count:
        over = -int(odd["credit"].sum()) + int((pairs["pairs"] * pairs["amount"]).sum())
        sentence = (
            "data.orders.refund: {count:,} refunds seem to be told twice, by an order's status and by a row with a negative amount of the "
            "same customer; both are deducted ({money} too much, if so): data.orders.where leaves out one of the two, or without "
            "data.orders.refund the status counts no more"
        )
        found.append(Finding("warning", Message("order_rows.refund_twice", sentence, count=count, money=amount(over, currency))))
    return sure["at"], tuple(found)


def _pairs(marked: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Count refunds of one customer and amount that are told both ways."""
    key = ["customer_id", "amount"]
    ours = marked.with_columns(amount=pl.col("paid")).group_by(key).agg(pl.len().cast(pl.Int64).alias("marked"))
    theirs = given.with_columns(amount=-pl.col("paid")).group_by(key).agg(pl.len().cast(pl.Int64).alias("given"))
    return ours.join(theirs, on=key).select("amount", pairs=pl.min_horizontal("marked", "given"))
