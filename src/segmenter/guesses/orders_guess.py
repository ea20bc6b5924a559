"""How a table of orders is to be read: its columns, what an order comes to, what a row is, and which rows count."""

import polars as pl

from segmenter.guesses.column_guess import Values, choose, evidence, guess_places, named, people
from segmenter.guesses.column_names import is_exact, name_rank
from segmenter.guesses.column_values import ColumnValues
from segmenter.guesses.guess import Draft, OrderColumns, answered, quoted
from segmenter.guesses.known_sources import columns_in, recognise, take_source
from segmenter.guesses.order_rows_guess import guess_rows
from segmenter.guesses.order_states import guess_statuses, known_statuses
from segmenter.guesses.source_tables import SourceTable
from segmenter.messages import Message


def guess_orders(table: SourceTable, found: Draft, ids: list[str] | None = None) -> OrderColumns | None:
    """Find how the orders are to be read; None where something is asked that all else depends on.

    `ids` are the columns that may say whose an order is, where another table has said it.
    """
    values, frame = table.values, table.frame
    source = recognise(table.columns)
    known = {} if source is None else take_source(source, table.columns, found)

    def pick(field: str, candidates: list[str]) -> str | None:
        return known[field] if field in known else choose("orders", field, values, candidates, found)

    order_id = pick("order_id", order_ids(values))
    taken = {order_id} if order_id else set()
    time = pick("time", times(values, taken))
    if time is None:
        found.ask("orders.time", Message("init.ask_time", "which column of {file} says when an order was placed?", file=table.name))
    taken |= {time} if time else set()
    if "amount" in known:
        amount: str | None = known["amount"]
        parts = tuple(columns_in(known["amount"], table.columns))
    else:
        amount, parts = _amount(table, values, taken, found)
    taken |= set(parts)
    orders = frame[order_id].n_unique() if order_id in table.columns else frame.height
    whose = [name for name in ids if name not in taken] if ids else people(values, orders, taken, 0.5 if order_id is None else 0.2)
    customer = pick("customer_id", whose)
    if customer is None:
        sentence = "which column of {file} says whose an order is?"
        found.ask("orders.customer_id", Message("init.ask_customer", sentence, file=table.name), tuple(table.columns))
    taken |= {customer} if customer else set()
    if customer is None or time is None or amount is None:
        return None
    currency = named(values, "currency", lambda column: column.distinct <= 20 and not column.is_number and column.filled > 0, taken)
    taken |= {name for name in [pick("currency", currency)] if name}
    by_source = None if source is None or "where" not in source.orders else known_statuses(frame, source.orders, known.get("status"), found)
    statuses = by_source or guess_statuses(frame, values, taken, found)
    taken |= {statuses.column} if statuses.column else set()
    guess_places("orders", values, taken, found, known)
    category = [name for name in named(values, "category", _is_category, taken) if is_exact(name_rank(name, "category") or 0)]
    pick("category", category)
    columns = OrderColumns(customer, time, amount, parts, order_id)
    guess_rows(table, values, columns, statuses, found)
    return columns


def order_ids(values: Values) -> list[str]:
    """List the columns that may number the orders: names of them with different codes; an ``id`` or ``name`` only last."""
    return named(
        values, "order_id", lambda column: column.is_code and column.distinct > 1 and not column.has_decimals and not column.is_time
    )


def times(values: Values, taken: set[str]) -> list[str]:
    """List the columns that may say when; where none is called so, the only one with times."""
    by_name = named(values, "time", lambda column: column.is_time and column.filled > 0.2, taken)
    if by_name:
        return by_name
    numbered = named(values, "time", lambda column: column.is_number and column.filled > 0.2, taken)  # days of a spreadsheet, seconds
    only = [name for name, column in values.items() if column.is_time and not column.is_number and name not in taken]
    return numbered or (only if len(only) == 1 else [])


def _amount(table: SourceTable, values: Values, taken: set[str], found: Draft) -> tuple[str | None, tuple[str, ...]]:
    """Find what was paid: a column, less what was given back; or quantity times unit price."""
    if (said := found.answer("orders.amount")) is not None:
        found.take("data.orders.columns.amount", said, answered("orders.amount"))
        return str(said), tuple(name for name in values if name in str(said))
    candidates = amounts(values, taken)
    quantity = named(values, "quantity", lambda column: column.is_number and not column.has_decimals, taken)
    price = named(values, "unit_price", lambda column: column.is_money, taken)
    if quantity and price and (not candidates or name_rank(candidates[0], "unit_price") is not None):
        sql = f"{quoted(quantity[0])} * {quoted(price[0])}"
        sentence = 'no column has a total: "{quantity}" times "{price}"'
        found.take("data.orders.columns.amount", sql, Message("init.times", sentence, quantity=quantity[0], price=price[0]))
        return sql, (quantity[0], price[0])
    if not candidates:
        candidates = price[:1]
    if not candidates:
        numbers = [name for name, column in values.items() if column.is_money and column.has_decimals and name not in taken]
        if len(numbers) != 1:
            choices = tuple(name for name, column in values.items() if column.is_money and name not in taken)
            sentence = "which column of {file} says what was paid? A column or SQL over columns"
            found.ask("orders.amount", Message("init.ask_amount", sentence, file=table.name), choices)
            return None, ()
        candidates = numbers
    best = candidates[0]
    unsure = [name for name in candidates if not is_exact(name_rank(name, "amount") or 0)]
    if best in unsure and len(unsure) > 1:
        sentence = "which column of {file} says what was paid? A column or SQL over columns"
        found.ask("orders.amount", Message("init.ask_amount", sentence, file=table.name), tuple(candidates))
        return None, ()
    back = [
        name
        for name in named(values, "refunded", lambda column: column.is_money and bool((column.numbers != 0).any()), {*taken, best})
        if is_exact(name_rank(name, "refunded") or 0)
    ]
    if back:
        sign = "+" if (values[back[0]].numbers < 0).any() else "-"
        sql = f"{quoted(best)} {sign} COALESCE({quoted(back[0])}, 0)"
        sentence = '"{column}" by its name, less what was given back by "{refunded}"; other columns that may be meant: {also}'
        also = tuple(candidates[1:4]) or (Message("init.none", "none"),)
        found.take("data.orders.columns.amount", sql, Message("init.less_refunds", sentence, column=best, refunded=back[0], also=also))
        return sql, (best, back[0])
    found.take("data.orders.columns.amount", best, evidence(best, values, candidates))
    return best, (best,)


def amounts(values: Values, taken: set[str] | None = None) -> list[str]:
    """List the columns that may say what was paid, the best first."""
    return named(values, "amount", lambda column: column.is_money and column.filled > 0, taken or set())


def _is_category(column: ColumnValues) -> bool:
    return column.cells.dtype == pl.String and 1 < column.distinct <= 200 and column.filled > 0.5
