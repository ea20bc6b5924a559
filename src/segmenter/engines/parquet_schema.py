"""Parquet files before an engine reads them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter.errors import InputError
from segmenter.sources.concatenation import together
from segmenter.sources.raw import one_line


def parquet_columns(places: Sequence[Path], names: Sequence[str], engine: str) -> Mapping[str, pl.DataType]:
    """Say which columns files have, and see that they have the same.

    Parameters
    ----------
    places, names : sequence of Path and of str
        The files, and what they are called in messages.
    engine : str
        Its name.

    Returns
    -------
    mapping of str to DataType
        As Polars reads them.

    Raises
    ------
    InputError
        A file is no Parquet file, or has other columns or types than the first.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.parquet"
    >>> pl.DataFrame({"amount": [1.5]}).write_parquet(path)
    >>> parquet_columns([path], ["a.parquet"], "spark")
    {'amount': Float64}
    """
    problems = []
    schemas: list[tuple[str, Mapping[str, pl.DataType]]] = []
    for place, name in zip(places, names, strict=True):
        try:
            schemas.append((name, dict(pl.read_parquet_schema(place))))
        except (PolarsError, PanicException, OSError) as error:
            problems.append(f"{name}: is no whole Parquet file ({one_line(error)}); engine={engine} reads Parquet only")
    if problems:
        raise InputError(*(f"data.orders.path: {problem}" for problem in problems))
    try:
        together([(name, pl.Schema(schema).to_frame()) for name, schema in schemas], ".")
    except InputError as error:
        raise InputError(*(f"data.orders.path: {problem}" for problem in error.problems)) from error
    first_name, first = schemas[0]
    for name, schema in schemas[1:]:
        if other := [f"{column} is {dtype}, not {first[column]}" for column, dtype in schema.items() if dtype != first[column]]:
            rule = f"should have the types of {first_name} for engine={engine} (got a file whose {', '.join(other)})"
            problems.append(f"data.orders.path: {name}: {rule}; write the files alike, or engine=local")
    if problems:
        raise InputError(*problems)
    return first
