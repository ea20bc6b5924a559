"""How a table of customers is to be read; or the customers in the orders, where these have contacts and no table of customers is there."""

import polars as pl

from segmenter.contacts import is_contact_name
from segmenter.guesses.column_guess import choose, contact_columns, guess_places, named
from segmenter.guesses.column_names import is_exact, name_rank
from segmenter.guesses.column_values import rows_where
from segmenter.guesses.guess import Draft, OrderColumns, answered
from segmenter.guesses.source_tables import SourceTable
from segmenter.messages import Message
from segmenter.sources import fields
from segmenter.sources.expressions import columns_of

_ATTRIBUTES = 5
_MOST = 3  # columns of contacts that are taken from the orders
_OTHER = 0.01  # share of the rows that may say something else of a customer than others
_OWN = ("name", "province", "city", "district", "address", "joined", "do_not_contact", "blocked", "staff")


def take_place(name: str, table: SourceTable, found: Draft) -> None:
    """Say where a table is."""
    rows = table.frame.height
    why = Message("init.table", "{file}: {rows:,} rows, {columns} columns", file=table.name, rows=rows, columns=len(table.columns))
    for key, value in table.settings:
        found.take(f"data.{name}.{key}", value, why)
    for key, value in table.shared:
        if not any(guess.key == f"data.{key}" for guess in found.guesses):
            found.take(f"data.{key}", value, why)


def guess_customers(table: SourceTable, customer: str, found: Draft) -> None:
    """Find how the customers are to be read; `customer` is the column that joins them to the orders."""
    values = table.values
    take_place("customers", table, found)
    sentence = "holds the same values as the orders' column; {distinct:,} different ones looked at"
    found.take("data.customers.columns.customer_id", customer, Message("init.joins", sentence, distinct=values[customer].distinct))
    taken = {customer}
    for field in ("name", "joined", "do_not_contact", "blocked", "staff"):
        fits = {
            "name": lambda column: column.cells.dtype == pl.String and not column.is_number and column.contacts < 0.5,
            "joined": lambda column: column.is_time,
        }.get(field, lambda column: fields.flag(column.text).null_count() == 0)
        if column := choose("customers", field, values, named(values, field, fits, taken), found):
            taken.add(column)
    guess_places("customers", values, taken, found)
    if (said := found.answer("customers.contact")) is not None:
        found.take("data.customers.contact", said, answered("customers.contact"))
    elif contacts := [name for name in contact_columns(values, taken) if not _is_address(name)]:
        why = Message("init.contacts", "by their names or by what stands in them; for the call sheets and nothing else")
        found.take("data.customers.contact", contacts, why)
        taken |= set(contacts)
    some = [
        name
        for name, column in values.items()
        if name not in taken
        and column.cells.dtype == pl.String
        and 1 < column.distinct <= 20
        and not column.is_time
        and not column.contacts
    ]
    attributes = [name for name in some if not is_contact_name(name)][:_ATTRIBUTES]
    if attributes:
        found.take("data.customers.attributes", attributes, Message("init.attributes", "a few different values each, for rules.custom"))


def _is_address(name: str) -> bool:
    rank = name_rank(name, "address")
    return rank is not None and is_exact(rank)


def customers_in_orders(table: SourceTable, columns: OrderColumns, found: Draft) -> None:
    """Take contacts from the orders, where each customer has the same on all of them: agents need them."""
    values = table.values
    mapped = {str(guess.value) for guess in found.guesses if ".columns." in guess.key}
    contacts = [name for name in contact_columns(values, mapped) if not _is_address(name) and values[name].filled > 0.5]
    if columns.customer_id not in table.columns or any(name in values for name in _OWN):
        return
    ids = fields.text(table.frame[columns.customer_id])
    reached = [
        name for name in contacts if values[name].contacts >= 0.5 and not ids.equals(fields.text(table.frame[name]), check_names=False)
    ][:_MOST]
    if not reached:
        return
    where = next((str(guess.value) for guess in found.guesses if guess.key == "data.orders.where"), None)
    frame = table.frame if where is None else table.frame.filter(rows_where(table.frame, where))
    own = frame.select(columns_of(frame)).select(pl.col(name).cast(pl.String, strict=False) for name in (columns.customer_id, *reached))
    people = own.unique()
    if people.height - people[columns.customer_id].n_unique() > _OTHER * frame.height:
        return
    take_place("customers", table, found)
    why = Message("init.in_orders", "of the orders' own columns, as there is no table of customers")
    if where is not None:
        found.take("data.customers.where", where, why)
    found.take("data.customers.columns.customer_id", columns.customer_id, why)
    found.take("data.customers.contact", reached, why)
