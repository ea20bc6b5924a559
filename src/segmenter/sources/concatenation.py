"""The frames of one table put together."""

from collections.abc import Sequence

import polars as pl
from polars.exceptions import PolarsError

from segmenter.contacts import shown_columns
from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.cell_text import as_text
from segmenter.sources.raw import one_line


def together(frames: Sequence[tuple[str, pl.DataFrame]], decimal: str) -> pl.DataFrame:
    """Put named frames with the same columns, in any order, together; a column whose types differ becomes text.

    `decimal` is the mark of numbers that become text. Each problem begins with the frame's name.

    >>> together([("a", pl.DataFrame({"id": ["7"]})), ("b", pl.DataFrame({"id": [8]}))], ".")["id"].to_list()
    ['7', '8']
    """
    first_name, first = frames[0]
    if problems := [problem for name, frame in frames[1:] if (problem := _difference(first_name, first, name, frame)) is not None]:
        raise InputError(*problems)
    dtypes = {}
    schemas = [dict(frame.schema) for _, frame in frames]
    nulls = [frame.null_count().row(0, named=True) for _, frame in frames]
    for column, dtype in schemas[0].items():
        used = {schema[column] for schema, empty, (_, frame) in zip(schemas, nulls, frames, strict=True) if empty[column] < frame.height}
        dtypes[column] = _common(sorted(used, key=str), dtype)
    if len(frames) == 1 and dtypes == schemas[0]:
        return first
    try:
        return pl.concat(
            [
                frame.select(_as(column, schema[column], dtype, decimal) for column, dtype in dtypes.items())
                for schema, (_, frame) in zip(schemas, frames, strict=True)
            ]
        )
    except PolarsError as error:
        sentence = "{name} and {more} more: should have columns of the same types ({why})"
        raise InputError(Message("files.other_types", sentence, name=first_name, more=len(frames) - 1, why=one_line(error))) from error


def _difference(first_name: str, first: pl.DataFrame, name: str, frame: pl.DataFrame) -> Message | None:
    here, there = shown_columns(first.columns), shown_columns(frame.columns)
    lacks = tuple(here[column] for column in first.columns if column not in frame.columns)
    extra = tuple(there[column] for column in frame.columns if column not in first.columns)
    start = "{name}: should have the columns of {first} (got a file that "
    if lacks and extra:
        return Message(
            "files.other_columns", start + "lacks {lacks} and also has {extra})", name=name, first=first_name, lacks=lacks, extra=extra
        )
    if lacks:
        return Message("files.lacks_columns", start + "lacks {lacks})", name=name, first=first_name, lacks=lacks)
    return Message("files.more_columns", start + "also has {extra})", name=name, first=first_name, extra=extra) if extra else None


def _common(dtypes: list[pl.DataType], otherwise: pl.DataType) -> pl.DataType:
    """Choose the type that holds all; an all-null column has no say."""
    if len(dtypes) <= 1:
        dtype = dtypes[0] if dtypes else otherwise
        return pl.String() if dtype == pl.Null else dtype
    if all(dtype.is_signed_integer() and dtype != pl.Int128 for dtype in dtypes):
        return pl.Int64()
    if all(dtype.is_float() or (dtype.is_signed_integer() and dtype != pl.Int128) for dtype in dtypes):
        return pl.Float64()
    if all(isinstance(dtype, pl.Decimal) for dtype in dtypes):
        return pl.Decimal(38, max(dtype.scale for dtype in dtypes if isinstance(dtype, pl.Decimal)))
    if all(dtype == pl.Date or (isinstance(dtype, pl.Datetime) and dtype.time_zone is None) for dtype in dtypes):
        return pl.Datetime("us")
    return pl.String()


def _as(column: str, dtype: pl.DataType, wanted: pl.DataType, decimal: str) -> pl.Expr:
    if dtype == wanted or wanted != pl.String:
        return pl.col(column).cast(wanted)
    return as_text(column, dtype, decimal)
