"""Parquet files before an engine reads them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.raw import one_line, together


def parquet_columns(paths: Sequence[Path], names: Sequence[str]) -> Mapping[str, pl.DataType]:
    """Give the columns of files as Polars reads them, and see that they have the same.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.parquet"
    >>> pl.DataFrame({"amount": [1.5]}).write_parquet(path)
    >>> parquet_columns([path], ["a.parquet"])
    {'amount': Float64}
    """
    problems: list[str] = []
    schemas: list[tuple[str, Mapping[str, pl.DataType]]] = []
    for path, name in zip(paths, names, strict=True):
        try:
            schemas.append((name, dict(pl.read_parquet_schema(path))))
        except (PolarsError, PanicException, OSError) as error:
            sentence = "data.orders.path: {name}: is no whole Parquet file ({why}); engine=spark reads Parquet only"
            problems.append(Message("sources.spark_no_parquet", sentence, name=name, why=one_line(error)))
    if problems:
        raise InputError(*problems)
    try:
        together([(name, pl.Schema(schema).to_frame()) for name, schema in schemas], lambda _: ".")
    except InputError as error:
        raise InputError(
            *(Message("sources.files_differ", "data.orders.path: {problem}", problem=problem) for problem in error.messages)
        ) from error
    first_name, first = schemas[0]
    sentence = (
        "data.orders.path: {name}: should have the types of {first} for engine=spark (got a file whose {columns}); "
        "write the files alike, or engine=local"
    )
    for name, schema in schemas[1:]:
        if other := [
            Message("sources.other_type", "{column} is {dtype}, not {wanted}", column=column, dtype=str(dtype), wanted=str(first[column]))
            for column, dtype in schema.items()
            if dtype != first[column]
        ]:
            problems.append(Message("sources.spark_types", sentence, name=name, first=first_name, columns=tuple(other)))
    if problems:
        raise InputError(*problems)
    return first
