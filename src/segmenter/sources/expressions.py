"""A column mapping is a column's name or an SQL expression over the source's columns."""

import functools
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter import sql
from segmenter.contacts import shown_columns, shown_sql
from segmenter.errors import ConfigError, nearest

_MOST_TRIED = 10  # text columns in one expression: every choice among them is tried
FILE, ROW = "__file", "__row"  # where a row stands in its source


def columns_of(frame: pl.DataFrame) -> list[str]:
    """List the source's own columns.

    Parameters
    ----------
    frame : DataFrame
        Raw rows, with or without their file and row number.

    Returns
    -------
    list of str
        All but those two.

    Examples
    --------
    >>> columns_of(pl.DataFrame({"__row": [1], "amount": [2.0]}))
    ['amount']
    """
    return [name for name in frame.columns if name not in (FILE, ROW)]


@dataclass(frozen=True)
class Evaluated:
    """What a mapping comes to.

    Parameters
    ----------
    values : Series
        One value for each row.
    columns : list of str
        The source columns that they come from.
    unread : Series
        Boolean: rows in which a cell should have been a number for the expression, and was none.
    """

    values: pl.Series
    columns: list[str]
    unread: pl.Series


def evaluate(
    frame: pl.DataFrame, mapping: str, key: str, number: Callable[[pl.Series], pl.Series], counted: pl.Series | None = None
) -> Evaluated | str:
    """Evaluate a mapping on raw rows.

    Text stays text wherever the expression allows it, and is read as numbers where it does not: ``InvoiceNo LIKE 'C%'`` and
    ``Quantity > 0`` both work on a CSV, whose cells are all text. An amount (with `counted`) is the other way round: text
    columns that mostly hold numbers are numbers wherever the expression allows it.

    Parameters
    ----------
    frame : DataFrame
        Raw rows.
    mapping : str
        A column's name, or an SQL expression (Polars SQL).
    key : str
        The config key, to name it in a message.
    number : callable
        Reads text as numbers, null where it is none.
    counted : Series, optional
        Given for amounts: the rows that may decide which columns are numbers.

    Returns
    -------
    Evaluated or str
        The values; or what is wrong.

    Examples
    --------
    >>> frame = pl.DataFrame({"Quantity": ["2", "3"], "Price": ["1.5", "x"]})
    >>> found = evaluate(frame, "Quantity * Price", "amount", lambda cells: cells.cast(pl.Float64, strict=False))
    >>> found.values.to_list(), found.columns, found.unread.to_list()
    ([3.0, None], ['Quantity', 'Price'], [False, True])
    """
    known = columns_of(frame)
    nothing = pl.repeat(False, frame.height, eager=True)
    if mapping in known:
        return Evaluated(frame[mapping], [mapping], nothing)
    near, told = shown_columns(known).values(), shown_sql(mapping)
    try:
        expression = sql.expression(mapping)
    except (ConfigError, PolarsError) as error:
        if re.fullmatch(r"[\w ]+", mapping):
            return f'{key}: there is no column "{told}"{nearest(mapping, near)}'
        if isinstance(error, ConfigError):
            columns = nearest(mapping, near)  # a column, where the name of one was meant
            return f"{key}: {error}" + (f"; columns{columns[1:]}" if columns.startswith("; nearest") else "")
        hint = "text in SQL stands in single quotes, a column's name with spaces in double ones"
        return f"{key}: is neither a column nor SQL that can be read: {told} ({hint}){nearest(mapping, near)}"
    names = list(dict.fromkeys(expression.meta.root_names()))
    if missing := [name for name in names if name not in known]:
        return f"{key}: there is no column " + ", ".join(f'"{name}"{nearest(name, near)}' for name in missing)
    if not names:
        return f'{key}: "{told}" names no column{nearest(mapping, near)}'
    source = frame.select(names)
    texts = [name for name in names if source[name].dtype == pl.String]
    read = functools.cache(lambda name: number(source[name]))
    if counted is not None:
        texts = [name for name in texts if _mostly(read(name), source[name], counted)]
    chosen = _as_numbers(source.clear(), expression, texts, numbers_first=counted is not None)
    try:
        values = source.with_columns(read(name).alias(name) for name in chosen).select(expression.alias("value"))["value"]
    except (PolarsError, PanicException) as error:
        types = ", ".join(f'"{name}" is of type {dtype}' for name, dtype in source.schema.items() if dtype != pl.String)
        why = str(error).splitlines()[0].partition(": [")[0]  # Polars ends with the values
        return f'{key}: "{told}" cannot be computed: {why}{types and f" ({types})"}'
    if len(values) != len(source):
        return f'{key}: "{told}" should give one value for each row'
    unread = [read(name).is_null() & source[name].is_not_null() for name in chosen]
    return Evaluated(values, names, functools.reduce(operator.or_, unread, nothing))


def read_as_numbers(frame: pl.DataFrame, mapping: str, *, amount: bool) -> list[str]:
    """List the text columns that `evaluate` reads as numbers, whatever stands in them; of an amount, those that it may.

    Parameters
    ----------
    frame : DataFrame
        Raw rows, or none of them: the types are enough.
    mapping : str
        A column's name, or an SQL expression that can be computed.
    amount : bool
        Whether it is an amount.

    Returns
    -------
    list of str
        Their names.

    Examples
    --------
    >>> frame = pl.DataFrame({"kind": ["a"], "price": ["1"]})
    >>> read_as_numbers(frame, "CASE WHEN kind LIKE 'a%' THEN price * 2 END", amount=True)
    ['price']
    """
    if mapping in columns_of(frame):
        return [mapping] if amount and frame[mapping].dtype == pl.String else []
    expression = sql.expression(mapping)
    source = frame.select(list(dict.fromkeys(expression.meta.root_names()))).clear()
    texts = [name for name in source.columns if source[name].dtype == pl.String]
    return _as_numbers(source, expression, texts, numbers_first=amount)


def _as_numbers(source: pl.DataFrame, expression: pl.Expr, texts: list[str], *, numbers_first: bool) -> list[str]:
    """Choose which text columns are numbers, on no rows: the types alone decide whether an expression can be computed."""
    if len(texts) <= _MOST_TRIED:
        tried = sorted(product((False, True), repeat=len(texts)), key=sum, reverse=numbers_first)
    else:
        tried = sorted([(False,) * len(texts), (True,) * len(texts)], key=sum, reverse=numbers_first)
    for casts in tried:
        chosen = [name for name, cast in zip(texts, casts, strict=True) if cast]
        try:
            source.with_columns(pl.col(name).cast(pl.Float64) for name in chosen).select(expression.alias("value"))
        except (PolarsError, PanicException):
            continue
        return chosen
    return []


def _mostly(read: pl.Series, cells: pl.Series, counted: pl.Series) -> bool:
    present = cells.is_not_null() & counted
    return bool(present.any()) and (read.is_not_null() & present).sum() * 2 >= present.sum()
