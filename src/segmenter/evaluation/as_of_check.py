"""Whether a shop's orders fit an as-of date."""

from datetime import date

import polars as pl

from segmenter.errors import InputError
from segmenter.measures.shop_orders import SingleOrders
from segmenter.messages import Message
from segmenter.tables import Tables

_MAX_DAYS = 366  # since the last order


def check_as_of(tables: Tables, as_of: date) -> None:
    """Refuse a date that the orders do not fit, by an InputError; where customers are known without orders, their events will do."""
    (first, last), before = tables.orders.days, tables.orders.last_order(as_of)
    if first is None:
        return
    if tables.customers is not None:
        active = tables.events.select(pl.col("time").dt.date().filter(pl.col("time") < as_of).max()).item()
        before = max((day for day in (before, active) if day is not None), default=None)
    if before is None and first < as_of:
        raise InputError(_no_order(tables, as_of))
    if before is None:
        sentence = "launch.as_of: should be after some orders (got {as_of}; the orders run from {first} to {last})"
        raise InputError(Message("launch.before_orders", sentence, as_of=as_of, first=first, last=last))
    if (as_of - before).days > _MAX_DAYS:
        what = Message("launch.order", "order")
        if tables.customers is not None:
            what = Message("launch.order_or_event", "order or event")
        sentence = (
            "launch.as_of: should be within a year of the last {what} (got {as_of}; the last is of {last}); "
            "take a newer export, or an earlier date"
        )
        raise InputError(Message("launch.old_orders", sentence, what=what, as_of=as_of, last=before))


def _no_order(tables: Tables, as_of: date) -> Message:
    """Say that all orders are refunds or cancellations."""
    match tables.orders:
        case SingleOrders(orders):
            rows = orders.filter(pl.col("time") < as_of)
            count, negative = rows.height, rows.filter(pl.col("amount") < 0).height
            sentence = "amount is negative in {negative:,}, and data.orders.refund holds of {flagged:,}"
            why = Message("launch.counted_refunds", sentence, negative=negative, flagged=count - negative)
        case _:
            count = tables.reads["orders"]["kept"]
            why = Message("launch.refunds", "amount is negative, or data.orders.refund holds of them")
    sentence = (
        "data.orders: should have orders (got {count:,} before {as_of}, all of them refunds or cancellations: {why}); "
        "where payments stand as negative amounts, map data.orders.columns.amount to minus the column, such as -amount"
    )
    return Message("launch.no_order", sentence, count=count, as_of=as_of, why=why)
