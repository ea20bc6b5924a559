"""Which column of a table is a field: by its name first, then by what stands in it."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

import polars as pl

from segmenter.contacts import is_contact_name, may_be_shown, shown_columns
from segmenter.guesses.column_names import by_name, is_exact, name_rank
from segmenter.guesses.column_values import ColumnValues, share_of
from segmenter.guesses.guess import Draft, answered
from segmenter.messages import Message

Values = dict[str, ColumnValues]
_PLACES = ("province", "city", "district", "address")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_MIN_FILLED = 0.2
_PERSON = 30  # rows from which a column is looked at for people who come again


def named(values: Values, field: str, fits: Callable[[ColumnValues], bool], taken: Collection[str] = ()) -> list[str]:
    """List the columns whose names fit a field and whose values do, the best first."""
    return [name for name in by_name(values, field) if name not in taken and fits(values[name])]


def evidence(name: str, values: Values, others: Collection[str] = ()) -> Message:
    """Say by what a column was chosen: its name, how much is filled, how many different values, and what else might have been it."""
    column = values[name]
    facts = {"column": name, "filled": column.filled, "distinct": column.distinct}
    if also := tuple(shown_columns(values)[other] for other in others if other != name)[:3]:
        sentence = "by its name; {filled:.0%} filled, {distinct:,} different values looked at; other columns that may be meant: {also}"
        return Message("init.by_name_of_several", sentence, **facts, also=also)
    return Message("init.by_name", "by its name; {filled:.0%} filled, {distinct:,} different values looked at", **facts)


def choose(table: str, field: str, values: Values, candidates: list[str], found: Draft) -> str | None:
    """Take the column that a person named, or the best candidate; None where there is neither."""
    key = f"{table}.{field}"
    if (said := found.answer(key)) is not None:
        found.take(f"data.{table}.columns.{field}", said, answered(key))
        return str(said)
    if not candidates:
        return None
    found.take(f"data.{table}.columns.{field}", candidates[0], evidence(candidates[0], values, candidates))
    return candidates[0]


def people(values: Values, orders: int, taken: Collection[str], fill: float = 0.5) -> list[str]:
    """List the columns that may say whose an order is: those in which people come again before those in which nobody does."""
    some = named(values, "customer_id", lambda column: column.filled >= fill and not column.has_decimals and not _is_day(column), taken)
    again = [name for name in some if orders < _PERSON or values[name].distinct < 0.995 * min(orders, len(values[name].text))]
    # A number that hardly anybody but "0" has is not theirs.
    useful = [name for name in again if not _nobody(values[name])]
    return [*useful, *(name for name in again if name not in useful), *(name for name in some if name not in again)]


def _is_day(column: ColumnValues) -> bool:
    return column.cells.dtype in (pl.Date, pl.Datetime, pl.Boolean)


def _nobody(column: ColumnValues) -> bool:
    """Tell a column in which a fifth of the rows has the same number, such as 0 for guests."""
    counts = column.text.value_counts(sort=True)
    return counts.height > 10 and counts.row(0)[1] > 0.2 * len(column.text)


def guess_places(table: str, values: Values, taken: set[str], found: Draft, known: Mapping[str, str] = _NOTHING) -> None:
    """Find the columns of places that are not `known` already."""
    places = {field: column for field, column in known.items() if field in _PLACES}
    taken |= set(places.values())
    for field in _PLACES:
        if field in places:
            continue
        fits = _is_address if field == "address" else _is_place
        candidates = [name for name in named(values, field, fits, taken) if field == "address" or may_be_shown(name)]
        if field == "address" and {"province", "city"} <= places.keys():
            candidates = []
        if column := choose(table, field, values, candidates, found):
            places[field] = column
            taken.add(column)


def _is_place(column: ColumnValues) -> bool:
    rank = name_rank(column.name, "address")
    exact = rank is not None and is_exact(rank)
    return column.filled >= _MIN_FILLED and column.cells.dtype == pl.String and not column.is_number and not exact


def _is_address(column: ColumnValues) -> bool:
    long = column.cells.dtype == pl.String and share_of(column.text.str.len_chars() >= 6) >= 0.5
    return bool(column.filled >= _MIN_FILLED and long and not column.is_number)


def contact_columns(values: Values, taken: Collection[str]) -> list[str]:
    """List the columns of contacts that agents may need, by their names or by what stands in them."""
    return [
        name
        for name, column in values.items()
        if name not in taken and len(column.text) and (is_contact_name(name) or column.contacts >= 0.5)
    ]
