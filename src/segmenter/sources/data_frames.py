"""Rows of a program's own data frames: those of Polars, pandas and PyArrow, relations of DuckDB, and what else Narwhals knows."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import narwhals as nw
import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.database import column_of
from segmenter.sources.raw import Raw, label, one_line

# What Arrow and Polars raise where a column's values are not of one type.
_MIXED = (TypeError, ValueError, ArithmeticError, NotImplementedError, PolarsError)


def read_frames(given: Mapping[str, object]) -> dict[str, Raw]:
    """Take over a program's tables, which stay as they are; an InputError says all that cannot be read."""
    tables: dict[str, Raw] = {}
    problems: list[str] = []
    for name, data in given.items():
        try:
            found = list(_columns(name, data))
        except InputError as error:
            problems += error.messages
            continue
        frame = pl.DataFrame([column.alias(str(at)) for at, (_, column) in enumerate(found)])
        tables[name] = Raw(label(frame, [header for header, _ in found], None), ())
    if problems:
        raise InputError(*problems)
    return tables


def _columns(name: str, data: Any) -> Iterator[tuple[str, pl.Series]]:
    """Give names and values, column by column: names may stand there twice, and a column of several types becomes text."""
    data = nw.to_native(data, pass_through=True)
    if nw.dependencies.is_pandas_like_dataframe(data):
        data = data.reset_index([level for level in data.index.names if level is not None and level not in data.columns])
        for at, header in enumerate(data.columns):
            column = nw.from_native(data.iloc[:, at], series_only=True)
            name = " ".join(map(str, header)) if isinstance(header, tuple) else str(header)
            yield name, _one_type(column.to_polars, partial(_values, column))
        return
    if not nw.dependencies.is_pyarrow_table(data):
        data = _collect(name, data)
    if isinstance(data, pl.DataFrame):
        for column in data:
            yield column.name, _one_type(column.clone, column.to_list)
        return
    for header, column in zip(data.column_names, data.columns, strict=True):
        yield header, _one_type(partial(pl.Series, column), column.to_pylist)


def _one_type(read: Callable[[], pl.Series], values: Callable[[], list[Any]]) -> pl.Series:
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of what PyArrow asks of pandas
            series = read()
        if series.dtype != pl.Object and not (isinstance(series.dtype, pl.BaseExtension) and series.dtype.ext_name().startswith("pandas")):
            return series
    except _MIXED:
        pass
    return column_of("", tuple(values()), ".")


def _values(column: "nw.Series[Any]") -> list[Any]:
    """List what is in a column of pandas, whose objects may be missing in several ways."""
    return [None if missing else value for value, missing in zip(column.to_list(), column.is_null().to_list(), strict=True)]


def _collect(name: str, data: Any) -> Any:
    """Give a frame of Polars, or an Arrow table of what is in another engine."""
    try:
        frame = None if nw.dependencies.is_duckdb_relation(data) else nw.from_native(data)
    except TypeError as error:
        sentence = (
            "{name}: should be a table of Polars, pandas or PyArrow, or a relation of DuckDB (got {type}); "
            "polars.DataFrame makes one of lists, polars.read_csv of a file"
        )
        raise InputError(Message("frames.no_frame", sentence, name=name, type=type(data).__name__)) from error
    if isinstance(frame, nw.DataFrame):
        return frame.to_polars() if frame.implementation.is_polars() else frame.to_arrow()
    try:
        if frame is None:
            return data.to_arrow_table()  # in which a name may stand twice
        return frame.collect("polars" if frame.implementation.is_polars() else "pyarrow").to_native()
    except Exception as error:  # whatever the engine that computes it has
        sentence = "{name}: cannot be computed ({why})"
        raise InputError(Message("frames.not_computed", sentence, name=name, why=one_line(error))) from error
