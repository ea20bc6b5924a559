"""Parquet files, read whole and checked against what they say of themselves."""

import io
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import DuplicateError, PanicException, PolarsError

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.file_kinds import PARQUET, kind_by_name
from segmenter.sources.paths import find_files
from segmenter.sources.raw import Fingerprint, label, one_line, sha256

if TYPE_CHECKING:
    from pyarrow.parquet import ColumnChunkMetaData


def parquet_files(path: str) -> list[tuple[Path, str]] | None:
    """List the files that a path means, with their names, where all of them are Parquet; None where there are none, or others."""
    try:
        files = find_files(path)
        kinds = {kind_by_name(name) if _starts_as_parquet(file) else None for file, name in files}
    except (InputError, OSError):
        return None  # reading them says why
    return files if kinds == {PARQUET} else None


def fingerprints(files: Sequence[tuple[Path, str]]) -> tuple[Fingerprint, ...]:
    """Fingerprint files as `parquet_files` gives them."""
    return tuple(Fingerprint(name, file.stat().st_size, sha256(file), "Parquet") for file, name in files)


def _starts_as_parquet(path: Path) -> bool:
    if not path.is_file():
        return False  # opening a pipe would wait for somebody to write
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def read_parquet(path: Path, name: str) -> tuple[pl.DataFrame, str]:
    """Read a file that is whole; and say how it was understood."""
    from pyarrow import ArrowException

    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
        _check(path, frame)
    except DuplicateError as error:
        sentence = "{name}: should have a name of its own for each column ({why}); export it again"
        raise InputError(Message("files.parquet_names", sentence, name=name, why=one_line(error))) from error
    except (PolarsError, PanicException, ArrowException, MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's trouble, not the file's
        raise InputError(_unknown_type(path, name) or _not_whole(name, error)) from error
    return label(frame, frame.columns, name), "Parquet"


def _not_whole(name: str, error: BaseException) -> Message:
    sentence = "{name}: is no whole Parquet file ({why}); copy or export it again"
    return Message("files.parquet_not_whole", sentence, name=name, why=one_line(error))


def _check(path: Path, frame: pl.DataFrame) -> None:
    """Compare what was read with what the footer says and, where the writer left them, with the checksums of the pages."""
    from pyarrow import ArrowException, ArrowNotImplementedError
    from pyarrow.parquet import ParquetFile

    with suppress(ArrowNotImplementedError), ParquetFile(path, page_checksum_verification=True) as file:  # Polars knows more types
        footer = file.metadata
        groups = [footer.row_group(at) for at in range(footer.num_row_groups)]
        if not frame.height == footer.num_rows == sum(group.num_rows for group in groups):
            raise ArrowException(f"its parts have other numbers of rows than the {footer.num_rows:,} of the whole")
        if frame.height and frame.width and _has_checksums(path, groups[0].column(0)):
            for _ in file.iter_batches():
                pass


def _has_checksums(path: Path, chunk: "ColumnChunkMetaData") -> bool:
    """Look whether a page's header has the field for a checksum: the fourth, behind three integers of Thrift's compact form."""
    with path.open("rb") as file:
        file.seek(chunk.data_page_offset)
        start = file.read(32)
    return re.match(rb"(\x15[\x80-\xff]*[\0-\x7f]){4}", start) is not None


def _unknown_type(path: Path, name: str) -> Message | None:
    """Name a column whose type Polars does not have: for it, the whole file cannot be read."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        columns = parquet.read_schema(path)
    except (pa.ArrowException, OSError, UnicodeError):
        return None  # damaged
    for column in columns:
        alone = io.BytesIO()
        parquet.write_table(pa.table([pa.nulls(1, column.type)], schema=pa.schema([column.with_nullable(True)])), alone)
        try:
            pl.read_parquet(alone.getvalue())
        except (PolarsError, PanicException):
            sentence = '{name}: has a column "{column}" of type {dtype}, which cannot be read; export it as text, or leave it out'
            return Message("files.parquet_type", sentence, name=name, column=column.name, dtype=str(column.type))
    return None
