"""Rows as a shop has them: what every source gives, and the frames of one table put together."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from segmenter import tables
from segmenter.contacts import shown_columns
from segmenter.errors import InputError
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.fields import as_text

_ZERO_WIDTH = "\ufeff\u200b"


@dataclass(frozen=True)
class Fingerprint:
    """What was read, so that it can be seen later whether it has changed."""

    name: str  # the file, relative to the folder that the config names; or the query
    size: int  # bytes of the file; or rows of the query
    sha256: str  # of the file's bytes; or of the query's rows, whatever their order
    read_as: str  # how it was understood, such as `CSV, gb18030, separator ","`


@dataclass(frozen=True)
class Raw:
    """The rows of one table as the shop has them."""

    # The source's own columns, then `FILE` (Categorical; null where the table is no file) and `ROW` (Int64, as `tables.REJECTS` counts it).
    frame: pl.DataFrame
    fingerprints: tuple[Fingerprint, ...]  # one for each file, or one for the query
    rejects: pl.DataFrame = field(default_factory=tables.REJECTS.to_frame)  # lines that cannot be split into fields
    findings: tuple[Finding, ...] = ()  # of the source, such as sheets that were not read


def column_names(header: Sequence[str | None]) -> list[str]:
    """Make the names of a header unique, without spaces around and byte order marks.

    A name that stands there more than once gets a number in all of its places, so that no mapping takes one of them by chance.

    >>> column_names(["price ", "note", None, "note"])
    ['price', 'note_1', 'column_3', 'note_2']
    """
    plain = [(cell or "").strip().strip(_ZERO_WIDTH).strip() for cell in header]
    given = Counter([*plain, FILE, ROW])
    taken, seen = set(given), Counter[str]()
    names: list[str] = []
    for position, name in enumerate(plain, start=1):
        if name and given[name] == 1:
            names.append(name)
            continue
        seen[name] += 1
        start, number = (name, seen[name]) if name else ("column", position)
        while f"{start}_{number}" in taken:
            number += 1
        taken.add(f"{start}_{number}")
        names.append(f"{start}_{number}")
    return names


def label(frame: pl.DataFrame, header: Sequence[str | None], file: str | None, rows: pl.Series | int = 1) -> pl.DataFrame:
    """Name the columns, and number the rows as in the source, from the first on or one by one.

    Blank rows go, and columns that have neither name nor values.
    """
    names = column_names(header)
    nulls = [series.null_count() for series in frame]
    frame.columns = names
    nameless = {name for name, cell, null in zip(names, header, nulls, strict=True) if null == frame.height and not (cell or "").strip()}
    frame = frame.with_columns(known_types(frame.schema))
    own = [name for name in names if name not in nameless]
    numbers = pl.int_range(pl.len(), dtype=pl.Int64) + rows if isinstance(rows, int) else pl.lit(rows)
    labelled = frame.select(*own, pl.lit(file, dtype=pl.String).cast(pl.Categorical).alias(FILE), numbers.cast(pl.Int64).alias(ROW))
    if all(null for name, null in zip(names, nulls, strict=True) if name not in nameless):
        labelled = labelled.filter(~pl.all_horizontal(pl.col(own).is_null())) if own else labelled.clear()
    return labelled


def known_types(schema: pl.Schema) -> list[pl.Expr]:
    """Bring extension types, such as Arrow's JSON, into the types in which they are stored, and dictionaries and nothing into text."""
    stored = [pl.col(name).ext.storage() for name, dtype in schema.items() if dtype.is_extension()]
    texts = (pl.Categorical, pl.Enum, pl.Null)
    return stored + [pl.col(name).cast(pl.String) for name, dtype in schema.items() if dtype in texts]


def one_line(said: BaseException | str) -> str:
    """Give what another library said, or the system of an OSError, as one line of at most 300 characters."""
    text = " ".join(str(getattr(said, "strerror", None) or said).split()).partition(" values: [")[0]  # behind which Polars shows some
    return text if len(text) <= 300 else text[:299] + "…"


def sha256(path: Path) -> str:
    """Give a file's SHA-256, for its fingerprint."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def together(frames: Sequence[tuple[str, pl.DataFrame]], decimal: Callable[[str], str]) -> pl.DataFrame:
    """Put named frames with the same columns, in any order, together; a column whose types differ becomes text, with its decimal mark."""
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
                frame.select(
                    as_text(column, schema[column], decimal(column)) if dtype == pl.String else pl.col(column).cast(dtype)
                    for column, dtype in dtypes.items()
                )
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
