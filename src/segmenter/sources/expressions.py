"""A column mapping is a column's name or an SQL expression over the source's columns."""

import functools
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter import sql
from segmenter.contacts import shown_columns, shown_sql
from segmenter.errors import ConfigError, nearest
from segmenter.messages import Message

FILE, ROW = "__file", "__row"  # where a row stands in its source
ReadNumbers = Callable[[pl.Series, Sequence[pl.Series]], pl.Series]  # of text, one of several columns; null where it is no number
_MAX_TRIED = 10  # text columns in one expression: every choice among them is tried


def columns_of(frame: pl.DataFrame) -> list[str]:
    """List the source's own columns: all but `FILE` and `ROW`."""
    return [name for name in frame.columns if name not in (FILE, ROW)]


@dataclass(frozen=True)
class FieldValues:
    """What a mapping comes to."""

    values: pl.Series  # one for each row
    columns: list[str]  # of the source, that they come from
    unread: pl.Series  # Boolean: rows in which a cell should have been a number for the expression, and was none
    numbers: Sequence[str] = ()  # the columns of text among them that were read as numbers


def evaluate(frame: pl.DataFrame, mapping: str, key: str, number: ReadNumbers, counted: pl.Series | None = None) -> FieldValues | Message:
    """Evaluate a mapping on raw rows; or say what is wrong with it, naming its config key.

    Text stays text wherever the expression allows it, and is read as numbers where it does not: ``InvoiceNo LIKE 'C%'`` and
    ``Quantity > 0`` both work on a CSV, whose cells are all text. An amount is the other way round: text columns that mostly hold
    numbers, by the rows of `counted`, are numbers wherever the expression allows it.
    """
    known = columns_of(frame)
    nothing = pl.repeat(False, frame.height, eager=True)
    if mapping in known:
        return FieldValues(frame[mapping], [mapping], nothing)
    try:
        expression = sql.expression(mapping)
    except (ConfigError, PolarsError) as error:
        return _unreadable(mapping, key, known, error)
    near, shown = shown_columns(known).values(), shown_sql(mapping)
    names = list(dict.fromkeys(expression.meta.root_names()))
    if missing := [name for name in names if name not in known]:
        columns = tuple(Message("files.near_column", '"{name}"{near}', name=name, near=nearest(name, near)) for name in missing)
        return Message("files.no_columns", "{key}: there is no column {columns}", key=key, columns=columns)
    if not names and counted is not None and (value := pl.select(expression).to_series()).dtype.is_numeric():
        return FieldValues(value.new_from_index(0, frame.height), [], nothing)  # the same amount in each row, as of a log of visits
    if not names:
        return Message("files.names_no_column", '{key}: "{sql}" names no column{near}', key=key, sql=shown, near=nearest(mapping, near))
    source = frame.select(names)
    texts = [name for name in names if source[name].dtype == pl.String]
    read = functools.cache(lambda name: number(source[name], [source[other] for other in texts]))
    candidates = texts if counted is None else [name for name in texts if _mostly(read(name), source[name], counted)]
    chosen = _as_numbers(source.clear(), expression, candidates, numbers_first=counted is not None)
    try:
        values = source.with_columns(read(name).alias(name) for name in chosen).select(expression.alias("value"))["value"]
    except (PolarsError, PanicException) as error:
        why = str(error).splitlines()[0].partition(": [")[0]  # Polars ends with the values
        types = tuple(
            Message("files.column_type", '"{name}" is of type {dtype}', name=name, dtype=str(dtype))
            for name, dtype in source.schema.items()
            if dtype != pl.String
        )
        if not types:
            return Message("files.not_computed", '{key}: "{sql}" cannot be computed: {why}', key=key, sql=shown, why=why)
        sentence = '{key}: "{sql}" cannot be computed: {why} ({types})'
        return Message("files.not_computed_of_types", sentence, key=key, sql=shown, why=why, types=types)
    if len(values) != len(source):
        return Message("files.not_each_row", '{key}: "{sql}" should give one value for each row', key=key, sql=shown)
    unread = [read(name).is_null() & source[name].is_not_null() for name in chosen]
    return FieldValues(values, names, functools.reduce(operator.or_, unread, nothing), chosen)


def _unreadable(mapping: str, key: str, known: list[str], error: Exception) -> Message:
    near = nearest(mapping, shown_columns(known).values())
    if re.fullmatch(r"[\w ]+", mapping):
        return Message("files.no_column", '{key}: there is no column "{name}"{near}', key=key, name=shown_sql(mapping), near=near)
    if isinstance(error, ConfigError):
        problem = error.messages[0]
        if isinstance(near, Message) and near.code == "errors.nearest":  # the name of a column was meant
            names = near.facts["names"]
            return Message("files.sql_near_column", "{key}: {problem}; columns nearest: {names}", key=key, problem=problem, names=names)
        return Message("files.at", "{key}: {problem}", key=key, problem=problem)
    sentence = (
        "{key}: is neither a column nor SQL that can be read: {sql} "
        "(text in SQL stands in single quotes, a column's name with spaces in double ones){near}"
    )
    return Message("files.no_sql", sentence, key=key, sql=shown_sql(mapping), near=near)


def read_as_numbers(frame: pl.DataFrame, mapping: str, *, amount: bool) -> list[str]:
    """List the text columns that `evaluate` reads as numbers by the types of a frame; of an amount, those that it may."""
    if mapping in columns_of(frame):
        return [mapping] if amount and frame[mapping].dtype == pl.String else []
    expression = sql.expression(mapping)
    source = frame.select(list(dict.fromkeys(expression.meta.root_names()))).clear()
    texts = [name for name in source.columns if source[name].dtype == pl.String]
    return _as_numbers(source, expression, texts, numbers_first=amount)


def _as_numbers(source: pl.DataFrame, expression: pl.Expr, texts: list[str], *, numbers_first: bool) -> list[str]:
    """Choose which text columns are numbers, on no rows: the types alone decide whether an expression can be computed."""
    if len(texts) <= _MAX_TRIED:
        choices = sorted(product((False, True), repeat=len(texts)), key=sum, reverse=numbers_first)
    else:
        choices = sorted([(False,) * len(texts), (True,) * len(texts)], key=sum, reverse=numbers_first)
    for casts in choices:
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
