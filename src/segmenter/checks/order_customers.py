"""Whether the customers of the orders are people: somebody came twice, and hardly anybody gave back more than was bought."""

from collections.abc import Callable, Sequence

import polars as pl

from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.money import amount

_MIN_ORDERS = 30
_RARE = 1_000  # customers, of whom not one came twice


def check_customers(
    orders: pl.Series, net: pl.Series, currency: str, people: Callable[[], Sequence[tuple[str, int]]] = lambda: ()
) -> tuple[Finding, ...]:
    """Look at the number of orders and the net spend of every customer; for `people` see `one_order_each`."""
    return (*one_order_each(orders.filter(orders > 0), people), *negative_spend(net, currency))


def one_order_each(orders: pl.Series, people: Callable[[], Sequence[tuple[str, int]]]) -> tuple[Finding, ...]:
    """Warn where nobody came twice: then customer ids may be an order's.

    `orders` are those of each customer who has any; `people` gives columns that seem to name persons, and how many values
    each has.
    """
    customers = orders.len()
    if customers < _MIN_ORDERS or int((orders > 1).sum()) * _RARE >= customers:
        return ()
    fewer = sorted(((count, column) for column, count in people() if 1 < count < int(orders.sum())), key=lambda item: item[0])
    if fewer:
        sentence = (
            "data.orders.columns.customer_id: no customer has ordered twice ({customers:,} customers, {orders:,} orders): does it name "
            'people, or orders? "{column}" has {values:,} different values and may be the person (data.orders.columns.customer_id={column})'
        )
        facts = {"customers": customers, "orders": int(orders.sum()), "column": fewer[0][1], "values": fewer[0][0]}
        return (Finding("warning", Message("order_rows.nobody_twice_but", sentence, **facts)),)
    sentence = (
        "data.orders.columns.customer_id: no customer has ordered twice ({customers:,} customers, {orders:,} orders): does it name "
        "people, or orders? Map a column that stays with a person"
    )
    return (Finding("warning", Message("order_rows.nobody_twice", sentence, customers=customers, orders=int(orders.sum()))),)


def negative_spend(net: pl.Series, currency: str) -> tuple[Finding, ...]:
    """Count the customers who gave back more than they bought, by the net spend of each."""
    below = net.filter(net < 0)
    if below.is_empty():
        return ()
    sentence = "{count:,} customers gave back more than they bought, {money} in all: their purchases may be older than the export"
    return (Finding("note", Message("order_rows.negative", sentence, count=below.len(), money=amount(-int(below.sum()), currency))),)
