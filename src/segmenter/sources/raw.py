"""Rows as a shop has them: what every source gives, and how the frames of one table are put together."""

import errno
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from segmenter import tables
from segmenter.contacts import shown_columns
from segmenter.errors import InputError, nearest
from segmenter.sources.expressions import FILE, ROW

_ZERO_WIDTH = "\ufeff\u200b"
_FAR = 200_000  # years that Polars can write in any time zone


@dataclass(frozen=True)
class Fingerprint:
    """What was read, so that it can be told later whether it has changed.

    Parameters
    ----------
    name : str
        The file, relative to the folder that the config names; or the query.
    size : int
        Bytes of the file; or rows of the query.
    sha256 : str
        Of the file's bytes; or of the query's rows, whatever their order.
    read_as : str
        How it was understood, such as ``CSV, gb18030, separator ","``.
    """

    name: str
    size: int
    sha256: str
    read_as: str


@dataclass(frozen=True)
class Raw:
    """The rows of one table as the shop has them.

    Parameters
    ----------
    frame : DataFrame
        The source's own columns, then ``__file`` (Categorical; null where the table is no file) and ``__row``
        (Int64; the row as `tables.REJECTS` tells it).
    fingerprints : tuple of Fingerprint
        One for each file, or one for the query.
    rejects : DataFrame
        Lines that cannot be told apart into fields, as `tables.REJECTS`; they are no rows of `frame`.
    notes : tuple of str
        What a person should know of the source, such as sheets that were not read.
    """

    frame: pl.DataFrame
    fingerprints: tuple[Fingerprint, ...]
    rejects: pl.DataFrame = field(default_factory=tables.REJECTS.to_frame)
    notes: tuple[str, ...] = ()


def column_names(header: Sequence[str | None]) -> list[str]:
    """Make the names of a header unique.

    A name that stands there more than once gets a number in all of its places, so that no mapping takes one of them
    by chance.

    Parameters
    ----------
    header : sequence of str or None
        The cells of the header.

    Returns
    -------
    list of str
        Without spaces around and byte order marks; ``column_3`` where the third cell is empty.

    Examples
    --------
    >>> column_names(["金额 ", "备注", None, "备注"])
    ['金额', '备注_1', 'column_3', '备注_2']
    """
    plain = [(cell or "").strip().strip(_ZERO_WIDTH).strip() for cell in header]
    given = Counter([*plain, FILE, ROW])
    taken, seen = set(given), Counter[str]()
    names: list[str] = []
    for place, name in enumerate(plain, start=1):
        if name and given[name] == 1:
            names.append(name)
            continue
        seen[name] += 1
        start, number = (name, seen[name]) if name else ("column", place)
        while f"{start}_{number}" in taken:
            number += 1
        taken.add(f"{start}_{number}")
        names.append(f"{start}_{number}")
    return names


def label(frame: pl.DataFrame, header: Sequence[str | None], file: str | None, rows: pl.Series | int = 1) -> pl.DataFrame:
    """Name the columns, and say of every row where it stands.

    Parameters
    ----------
    frame : DataFrame
        The rows, blank ones included.
    header : sequence of str or None
        The cells of the header, one for each column.
    file : str or None
        The file's name.
    rows : Series or int
        The number of each row in its source; or of the first, where one follows the other.

    Returns
    -------
    DataFrame
        With ``__file`` and ``__row``; without the blank rows, and without columns that have neither name nor values.

    Examples
    --------
    >>> label(pl.DataFrame({"x": ["1", None, "3"]}), [" id "], "a.csv").rows()
    [('1', 'a.csv', 1), ('3', 'a.csv', 3)]
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
    """Bring extension types, such as Arrow's JSON, into the types in which they are stored, and dictionaries and nothing into text.

    Parameters
    ----------
    schema : Schema
        All columns.

    Returns
    -------
    list of Expr
        One for each such column.

    Examples
    --------
    >>> known_types(pl.Schema({"id": pl.String()}))
    []
    """
    stored = [pl.col(name).ext.storage() for name, dtype in schema.items() if dtype.is_extension()]
    texts = (pl.Categorical, pl.Enum, pl.Null)
    return stored + [pl.col(name).cast(pl.String) for name, dtype in schema.items() if dtype in texts]


def together(frames: Sequence[tuple[str, pl.DataFrame]], decimal: str) -> pl.DataFrame:
    """Put the frames of one table together.

    Parameters
    ----------
    frames : sequence of (str, DataFrame)
        At least one. They have the same columns, in any order; a column whose types differ becomes text.
    decimal : {".", ","}
        The decimal mark of numbers that become text.

    Returns
    -------
    DataFrame
        All rows, in order, with the first frame's order of columns.

    Raises
    ------
    InputError
        Columns differ. Its lines begin with the frame's name.

    Examples
    --------
    >>> together([("a", pl.DataFrame({"id": ["7"]})), ("b", pl.DataFrame({"id": [8]}))], ".")["id"].to_list()
    ['7', '8']
    """
    first_name, first = frames[0]
    problems = []
    for name, frame in frames[1:]:
        here, there = shown_columns(first.columns), shown_columns(frame.columns)
        missing = [here[column] for column in first.columns if column not in frame.columns]
        extra = [there[column] for column in frame.columns if column not in first.columns]
        differences = [f"{what} {', '.join(columns)}" for what, columns in (("lacks", missing), ("also has", extra)) if columns]
        if differences:
            problems.append(f"{name}: should have the columns of {first_name} (got a file that {' and '.join(differences)})")
    if problems:
        raise InputError(*problems)
    whole = {}
    schemas = [dict(frame.schema) for _, frame in frames]
    nulls = [frame.null_count().row(0, named=True) for _, frame in frames]
    for column, dtype in schemas[0].items():
        found = {types[column] for types, empty, (_, frame) in zip(schemas, nulls, frames, strict=True) if empty[column] < frame.height}
        whole[column] = _common(sorted(found, key=str), dtype)
    if len(frames) == 1 and whole == schemas[0]:
        return first
    try:
        return pl.concat(
            [
                frame.select(_as(column, types[column], dtype, decimal) for column, dtype in whole.items())
                for types, (_, frame) in zip(schemas, frames, strict=True)
            ]
        )
    except PolarsError as error:
        raise InputError(f"{first_name} and {len(frames) - 1} more: should have columns of the same types ({one_line(error)})") from error


def _common(found: list[pl.DataType], otherwise: pl.DataType) -> pl.DataType:
    """Choose the type that holds all; an all-null column has no say."""
    if len(found) <= 1:
        dtype = found[0] if found else otherwise
        return pl.String() if dtype == pl.Null else dtype
    if all(dtype.is_signed_integer() and dtype != pl.Int128 for dtype in found):
        return pl.Int64()
    if all(dtype.is_float() or (dtype.is_signed_integer() and dtype != pl.Int128) for dtype in found):
        return pl.Float64()
    if all(isinstance(dtype, pl.Decimal) for dtype in found):
        return pl.Decimal(38, max(dtype.scale for dtype in found if isinstance(dtype, pl.Decimal)))
    if all(dtype == pl.Date or (isinstance(dtype, pl.Datetime) and dtype.time_zone is None) for dtype in found):
        return pl.Datetime("us")
    return pl.String()


def _as(column: str, dtype: pl.DataType, wanted: pl.DataType, decimal: str) -> pl.Expr:
    if dtype == wanted or wanted != pl.String:
        return pl.col(column).cast(wanted)
    return as_text(column, dtype, decimal)


def as_text(column: str, dtype: pl.DataType, decimal: str) -> pl.Expr:
    """Write a column as a person would see it: ``12345`` rather than ``12345.0``, dates in ISO 8601.

    Parameters
    ----------
    column : str
        Its name.
    dtype : DataType
        Its type.
    decimal : {".", ","}
        The decimal mark to write.

    Returns
    -------
    Expr
        Text; null stays null.

    Examples
    --------
    >>> pl.DataFrame({"x": [12345.0, 0.5]}).select(as_text("x", pl.Float64(), ",")).to_series().to_list()
    ['12345', '0,5']
    """
    values = pl.col(column)
    if isinstance(dtype, pl.Date | pl.Datetime):
        # Of what no calendar has, the number: Polars ends the process' thread rather than write it.
        dated = pl.when(values.dt.year().is_between(-_FAR, _FAR)).then(values)
        plain = isinstance(dtype, pl.Datetime) and dtype.time_zone is None
        text = dated.dt.to_string("%Y-%m-%d %H:%M:%S%.f") if plain else dated.cast(pl.String)
        return text.fill_null(values.to_physical().cast(pl.String))
    if dtype == pl.Duration:
        return values.dt.to_string("iso")
    if dtype == pl.Binary:
        return values.map_batches(words, return_dtype=pl.String).fill_null(values.bin.encode("hex"))
    if not (dtype.is_float() or dtype.is_decimal()):
        return values.cast(pl.String)
    text = values.cast(pl.String)
    if dtype.is_float():
        # Beyond 2^53 not every whole number is a float.
        text = (
            pl.when(values.abs() < 2**53, values == values.round())
            .then(values.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(text)
        )
    else:
        text = text.str.replace(r"\.0+$|(\.\d*?)0+$", "$1")
    return text.str.replace(".", decimal, literal=True)


def words(values: pl.Series) -> pl.Series:
    """Bring text in another guise, a dictionary's or bytes in UTF-8, into text; columns of other types stay as they are.

    Parameters
    ----------
    values : Series
        Of any type.

    Returns
    -------
    Series
        Null for bytes that are no text.

    Examples
    --------
    >>> words(pl.Series([b"a", bytes([255])])).to_list()
    ['a', None]
    """
    if values.dtype != pl.Binary:
        return values.cast(pl.String) if values.dtype in (pl.Categorical, pl.Enum) else values
    try:
        return values.cast(pl.String)
    except PolarsError:  # a cell that is no text fails all
        return pl.Series(values.name, [_decoded(cell) for cell in values], dtype=pl.String)


def _decoded(cell: bytes | None) -> str | None:
    try:
        return None if cell is None else cell.decode()
    except UnicodeDecodeError:
        return None


def near_files(path: Path) -> str:
    """Say which files are there instead of a missing one, as the end of a message.

    Parameters
    ----------
    path : Path
        The missing file.

    Returns
    -------
    str
        The nearest names in its folder, or which folder is missing.

    Examples
    --------
    >>> near_files(Path("no such folder/orders.csv"))
    '; there is no folder no such folder'
    """
    # Not to be resolved: a link may lead in a circle.
    if link := next((place for place in (path, *path.parents) if place.is_symlink() and _gone(place)), None):
        return f"; {link} is a link to {os.readlink(link)}, which {_gone(link)}; mend or remove the link"
    folder = path.parent
    if not folder.is_dir():
        return f"; there is no folder {folder}"
    known = nearest(path.name, [found.name for found in folder.iterdir() if not found.name.startswith((".", "~$")) and not _gone(found)])
    return f"{known or '; its folder is empty'}"


def _gone(path: Path) -> str | None:
    """Say why nothing can be found at a path; None where something is there."""
    try:
        os.stat(path)
    except OSError as error:
        return "leads in a circle" if error.errno == errno.ELOOP else "is not there"
    return None


def one_line(error: BaseException) -> str:
    r"""Give an error's message as one short line.

    Parameters
    ----------
    error : BaseException
        Of another library.

    Returns
    -------
    str
        At most 300 characters.

    Examples
    --------
    >>> one_line(ValueError("two\n  lines"))
    'two lines'
    """
    text = " ".join(str(error).split()).partition(" values: [")[0]  # behind which Polars shows some
    return text if len(text) <= 300 else text[:299] + "…"
