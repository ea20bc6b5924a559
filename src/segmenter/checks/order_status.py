"""What became of orders by their status, and whether that is what they are taken for."""

from collections.abc import Iterable

import polars as pl

from segmenter.checks.column_words import holds, plain
from segmenter.contacts import hide
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.money import amount
from segmenter.vocabulary import vocabulary

MAX_STATUSES = 50  # different ones; what has more is no status
_SHOWN = 5
_LEFT_OUT = ("unpaid", "cancelled", "test", "draft")


def status_kind(status: str) -> str | None:
    """Say what a status means, as `statuses.yaml` calls it; None where nothing in it is known.

    >>> [status_kind(status) for status in ("Partially refunded", "Refunded", "voided", "PAID", "on_hold", "x")]
    ['order', 'refunded', 'cancelled', 'good', 'unpaid', None]
    """
    words = plain(status)
    return next((kind for kind, known in vocabulary("statuses").items() if any(holds(words, plain(word)) for word in known)), None)


def is_status(values: Iterable[str]) -> bool:
    """Tell whether most of some texts are statuses."""
    kinds = [status_kind(value) for value in values]
    return 0 < len(kinds) <= MAX_STATUSES and 2 * sum(kind is not None for kind in kinds) >= len(kinds)


def status_findings(by_status: pl.DataFrame, column: str, currency: str) -> tuple[Finding, ...]:
    """Warn where a status that is none of a paid order's is taken for an order; `by_status` is `OrdersProfile.by_status`."""
    kinds = by_status.with_columns(kind=pl.Series([status_kind(status or "") for status in by_status["status"]], dtype=pl.String))
    taken = kinds.filter(pl.col("taken_for") == "order").sort("status")
    found: list[Finding] = []
    unwanted = taken.filter(pl.col("kind").is_in(_LEFT_OUT))
    if unwanted.height:
        sentence = (
            'data.orders.where: "{column}" says of {rows:,} rows that nothing was sold ({statuses}), but they count as orders, {money} in '
            'all; data.orders.where="{sql}" leaves them out'
        )
        message = Message("order_rows.status_unsold", sentence, sql=_sql(column, unwanted, "NOT IN"), **_facts(column, unwanted, currency))
        found.append(Finding("warning", message))
    refunded = taken.filter(pl.col("kind") == "refunded")
    if refunded.height:
        sentence = (
            'data.orders.refund: "{column}" says of {rows:,} rows that they were given back ({statuses}), but they count as orders, '
            '{money} in all; data.orders.refund="{sql}" takes them for refunds'
        )
        message = Message("order_rows.status_refunded", sentence, sql=_sql(column, refunded, "IN"), **_facts(column, refunded, currency))
        found.append(Finding("warning", message))
    if by_status.height:
        sentence = 'data.orders.columns.status: "{column}": {orders} are orders; refunds: {refunds}; left out: {left_out}'
        taken_for = {
            name: _shown(by_status.filter(pl.col("taken_for") == what)["status"])
            for name, what in (("orders", "order"), ("refunds", "refund"), ("left_out", "left_out"))
        }
        found.append(Finding("note", Message("order_rows.statuses", sentence, column=column, **taken_for)))
    return tuple(found)


def _facts(column: str, statuses: pl.DataFrame, currency: str) -> dict[str, object]:
    money = amount(int(statuses["amount"].sum()), currency)
    return {"column": column, "rows": int(statuses["rows"].sum()), "statuses": _shown(statuses["status"]), "money": money}


def _shown(statuses: pl.Series) -> tuple[str, ...]:
    shown = [hide(status) for status in statuses.drop_nulls().unique().sort().to_list()]
    return tuple(shown if len(shown) <= _SHOWN else [*shown[:_SHOWN], "…"]) or ("–",)


def _sql(column: str, statuses: pl.DataFrame, operator: str) -> str:
    name = column if column.isidentifier() and column.isascii() else f'"{column}"'
    values = ", ".join("'{}'".format(hide(status).replace("'", "''")) for status in statuses["status"].drop_nulls().to_list())
    return f"{name} {operator} ({values})"
