"""A shop's tables in files: CSV, Parquet and Excel, one or many."""

import glob
import gzip
import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import DuplicateError, PanicException, PolarsError

from segmenter import tables
from segmenter.errors import InputError
from segmenter.settings import FilesSettings
from segmenter.sources.encodings import chunks, is_gzip
from segmenter.sources.raw import Fingerprint, Raw, label, near_files, one_line, together
from segmenter.sources.spreadsheets import notes_of_cells, notes_of_others, read_sheet
from segmenter.sources.text_files import check_text_settings, read_text
from segmenter.sources.text_lines import BadLine
from segmenter.sources.workbooks import Sheet

if TYPE_CHECKING:
    from pyarrow.parquet import ColumnChunkMetaData

_KINDS = {
    **dict.fromkeys((".csv", ".txt", ".tsv"), "text"),
    **dict.fromkeys((".parquet", ".pq"), "Parquet"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "a workbook"),
}
_BINARY = "binary, or UTF-16 without a byte order mark"
_WAYS_OUT = {
    "text": "give it the ending .csv",
    "Parquet": "give it the ending .parquet",
    "a workbook": "give it the ending .xlsx",
    "a web page": "open it in Excel and save it as .xlsx, or export it as CSV",
    "an XML file": "open it in Excel and save it as .xlsx, or export it as CSV",
    "a ZIP archive": "unpack it",
    "gzip": "give it the ending .csv.gz, or unpack it",
    _BINARY: "if it is text, name its encoding in data.encoding, such as utf-16-le",
    "an SQLite database": "read it with data=database",
}
_MAGIC = (
    (b"PAR1", "Parquet"),
    (b"PARE", "an encrypted Parquet file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook"),  # .xls, or a protected .xlsx
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
)


@dataclass(frozen=True)
class FileRead:
    """One file of a table.

    Parameters
    ----------
    name : str
        Relative to what the path named.
    frame : DataFrame
        As in `Raw`.
    fingerprint : Fingerprint
        What it was.
    path : Path
        Where it is.
    unreadable : tuple of BadLine
        Lines of CSV that cannot be told apart into fields.
    sheets : tuple of Sheet
        Of a workbook: the one that was read, and then the others.
    """

    name: str
    frame: pl.DataFrame
    fingerprint: Fingerprint
    path: Path
    unreadable: tuple[BadLine, ...] = ()
    sheets: tuple[Sheet, ...] = ()


def read_files(table: str, path: str, settings: FilesSettings) -> Raw:
    r"""Read a table from one file, a folder or a glob.

    Parameters
    ----------
    table : str
        ``orders``, ``customers``, ``events`` or ``referrals``: names the config key in messages.
    path : str
        A file; a folder, of which the data files are read, but not its subfolders; or a glob.
    settings : FilesSettings
        The encoding, separator, sheet, rows above the header and decimal mark.

    Returns
    -------
    Raw
        All rows, files in order of their names. CSV cells are text; Parquet and Excel keep their types; where types
        differ between files, text. Lines of CSV that cannot be told apart into fields are its rejects.

    Raises
    ------
    InputError
        With all problems of all files. One is that there is no row that can be read.
    ConfigError
        The encoding or the separator can not be.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "orders.csv"
    >>> _ = path.write_text("customer_id,amount\na,12.50\n")
    >>> settings = FilesSettings.model_construct(encoding="auto", separator="auto", sheet=None, skip_rows=0, decimal=".")
    >>> read_files("orders", str(path), settings).frame.rows()
    [('a', '12.50', 'orders.csv', 2)]
    """
    check_text_settings(settings.encoding, settings.separator)
    key = f"data.{table}.path"
    try:
        read, failed = read_each(path, settings)
    except InputError as error:
        raise InputError(*(f"{key}: {problem}" for problem in error.problems)) from error
    problems = [problem for _, problem in failed]
    problems += copies([each.fingerprint for each in read if each.frame.height])
    if not problems and not any(each.frame.height for each in read):
        problems += [f"{each.name}: should have rows{_instead(each.unreadable)}" for each in read]
    whole = None
    try:
        if read:
            whole = together([(each.name, each.frame) for each in read], settings.decimal)
    except InputError as error:
        problems += error.problems
    if problems or whole is None:
        raise InputError(*(problem if problem.startswith("data.sheet: ") else f"{key}: {problem}" for problem in problems))
    lines = [(table, each.name, row, None, line, reason) for each in read for row, line, reason in each.unreadable]
    rejects = pl.DataFrame(lines, schema=tables.REJECTS, orient="row")
    notes = [note for each in read for sheet in each.sheets[:1] for note in notes_of_cells(each.name, sheet)]
    if settings.sheet is None:
        notes += [note for each in read if each.sheets for note in notes_of_others(each.name, each.sheets)]
    return Raw(whole, tuple(each.fingerprint for each in read), rejects, tuple(f"{key}: {note}" for note in notes))


def read_each(path: str, settings: FilesSettings) -> tuple[list[FileRead], list[tuple[str, str]]]:
    r"""Read the files that a path means, each by itself.

    Parameters
    ----------
    path : str
        As `read_files` takes it.
    settings : FilesSettings
        How they are read.

    Returns
    -------
    list of FileRead
        Those that can be read, in order of their names.
    list of tuple of str
        The others: the name, and what is wrong.

    Raises
    ------
    InputError
        The path means no file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "orders.csv"
    >>> _ = path.write_text("customer_id,amount\na,12.50\n")
    >>> settings = FilesSettings.model_construct(encoding="auto", separator="auto", sheet=None, skip_rows=0, decimal=".")
    >>> [each.frame.height for each in read_each(str(path), settings)[0]]
    [1]
    """
    try:
        found = _find(path)
    except OSError as error:
        raise InputError(f'cannot be looked up ({error.strerror}) (got "{path}")') from error
    read: list[FileRead] = []
    failed: list[tuple[str, str]] = []
    for place, name in found:
        try:
            before = place.stat()
            frame, read_as, unreadable, sheets = _read(place, name, settings)
            fingerprint, after = Fingerprint(name, before.st_size, sha256(place), read_as), place.stat()
            if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
                raise InputError(f"{name}: has changed while it was read; wait until it is written")
            read.append(FileRead(name, frame, fingerprint, place, tuple(unreadable), tuple(sheets)))
        except InputError as error:
            failed += [(name, problem) for problem in error.problems]
        except OSError as error:
            failed.append((name, f"{name}: cannot be read ({error.strerror or one_line(error)})"))
    return read, failed


def parquet_files(path: str) -> list[tuple[Path, str]] | None:
    r"""List the files that a path means where all of them are Parquet.

    Parameters
    ----------
    path : str
        As `read_files` takes it.

    Returns
    -------
    list of tuple of Path and str, or None
        Each with its name; None where there are none, or others.

    Examples
    --------
    >>> parquet_files("no such folder/orders.parquet") is None
    True
    """
    try:
        found = _find(path)
        kinds = {_kind_by_name(name) if _starts(place, b"PAR1") else None for place, name in found}
    except (InputError, OSError):
        return None  # reading them says why
    return found if kinds == {"Parquet"} else None


def fingerprints(files: Sequence[tuple[Path, str]]) -> tuple[Fingerprint, ...]:
    """Fingerprint Parquet files.

    Parameters
    ----------
    files : sequence of tuple of Path and str
        As `parquet_files` gives them.

    Returns
    -------
    tuple of Fingerprint
        One for each.

    Examples
    --------
    >>> fingerprints([])
    ()
    """
    return tuple(Fingerprint(name, place.stat().st_size, sha256(place), "Parquet") for place, name in files)


def copies(prints: Sequence[Fingerprint]) -> list[str]:
    """Find copies among files: their rows would count twice.

    Parameters
    ----------
    prints : sequence of Fingerprint
        Of files with rows.

    Returns
    -------
    list of str
        What is wrong.

    Examples
    --------
    >>> copies([Fingerprint("a.csv", 1, "2f", "CSV"), Fingerprint("b.csv", 1, "2f", "CSV")])
    ['b.csv: is a copy of a.csv; take one of them away']
    """
    first: dict[str, str] = {}
    problems = []
    for each in prints:
        if first.setdefault(each.sha256, each.name) != each.name:
            problems.append(f"{each.name}: is a copy of {first[each.sha256]}; take one of them away")
    return problems


def _starts(path: Path, magic: bytes) -> bool:
    if not path.is_file():
        return False  # opening a pipe would wait for somebody to write
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _instead(bad: Sequence[BadLine]) -> str:
    if not bad:
        return " (got only a header)"
    row, _, reason = bad[0]
    return f" that can be read (got {len(bad):,} that cannot: row {row:,} {reason}); data.skip_rows leaves out rows above the header"


def _find(path: str) -> list[tuple[Path, str]]:
    """List the files that a path means, each with its name relative to what the path names."""
    if not path.strip():
        raise InputError('should name a file, a folder or a glob (got "")')
    try:
        given = Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"should be a path (got {path}, of a home that is not known)") from error
    if given.is_dir():
        inside = [file for file in given.iterdir() if not file.is_dir() and not _is_hidden(file)]
        data = [file for file in inside if _kind_by_name(file.name) is not None]
        if not data:
            seen = f"; it has: {', '.join(sorted(file.name for file in inside)[:5])}" if inside else ""
            raise InputError(f"should hold files that end in {', '.join(_KINDS)} or .gz (got folder {path}){seen}")
        return [(file, file.name) for file in sorted(data, key=lambda file: file.name)]
    # Before globs: a browser calls a second download "orders[1].csv".
    if given.exists():
        return [(given, given.name)]
    if glob.has_magic(path):
        fixed = len(given.parts) - next(place for place, part in enumerate(given.parts) if glob.has_magic(part))
        root = Path(*given.parts[:-fixed])
        matches = [Path(match) for match in glob.glob(str(given), recursive=True)]
        files = {file.relative_to(root).as_posix(): file for file in matches if not file.is_dir() and not _is_hidden(file)}
        if not files:
            raise InputError(f"matches no file (got {path})")
        return [(files[name], name) for name in sorted(files)]
    raise InputError(f"is not there (got {path}){near_files(given)}")


def _what(path: Path) -> str:
    """Name what is there instead of a file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to what is not there"
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    return kinds.get(stat.S_IFMT(mode), "a folder")


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "~$"))


def _kind_by_name(name: str) -> str | None:
    kind = _KINDS.get(PurePath(name.lower().removesuffix(".gz")).suffix)
    return kind if kind == "text" or not name.lower().endswith(".gz") else None


def _kind_by_content(path: Path, start: bytes, encoding: str) -> str:
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_archive(path)
    opening = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:100].lower()
    if opening.startswith((b"<!doctype", b"<html", b"<table", b"<head", b"<meta", b"<style")):
        return "a web page"
    if opening.startswith(b"<?xml"):
        return "an XML file"
    marked = start.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))
    if b"\0" in start and not marked and encoding == "auto":
        return _BINARY
    return "text"


def _kind_of_archive(path: Path) -> str:
    if is_gzip(path):
        return "a ZIP archive"
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.namelist()
    except (zipfile.BadZipFile, RuntimeError, ValueError, LookupError):
        return "a damaged workbook or ZIP archive"
    return "a workbook" if any(name.startswith("xl/") or name == "content.xml" for name in inside) else "a ZIP archive"


def _read(path: Path, name: str, settings: FilesSettings) -> tuple[pl.DataFrame, str, list[BadLine], list[Sheet]]:
    if not path.is_file():
        raise InputError(f"{name}: should be a file (got {_what(path)}); write what comes out of it to a file first")
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{str(path).encode(errors='replace').decode()}: has a name that is not UTF-8; rename it") from error
    if path.stat().st_size == 0:
        raise InputError(f"{name}: is empty (0 bytes); export it again")
    try:
        start = next(chunks(path), b"")
        kind = _kind_by_content(path, start, settings.encoding)
        expected = _kind_by_name(name) or (kind if kind in _KINDS.values() else "text, Parquet or a workbook")
        if kind != expected:
            way_out = _WAYS_OUT.get(kind, "export it again as CSV or .xlsx")
            raise InputError(f"{name}: should be {expected} (got {kind}); {way_out}")
        if not start.strip():
            raise InputError(f"{name}: is empty (blank only); export it again")
        match kind:
            case "text":
                return *read_text(path, name, settings.encoding, settings.separator, settings.skip_rows), []
            case "Parquet":
                return *_read_parquet(path, name), [], []
            case _:
                frame, read_as, sheets = read_sheet(path, name, settings.sheet, settings.skip_rows)
                return frame, read_as, [], sheets
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{name}: is no whole gzip file ({one_line(error)}); copy or export it again") from error


def _read_parquet(path: Path, name: str) -> tuple[pl.DataFrame, str]:
    from pyarrow import ArrowException

    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
        _check_parquet(path, frame)
    except DuplicateError as error:
        raise InputError(f"{name}: should have a name of its own for each column ({one_line(error)}); export it again") from error
    except (PolarsError, PanicException, ArrowException, MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's trouble, not the file's
        wrong = _unknown_type(path) or f"is no whole Parquet file ({one_line(error)}); copy or export it again"
        raise InputError(f"{name}: {wrong}") from error
    return label(frame, frame.columns, name), "Parquet"


def _check_parquet(path: Path, frame: pl.DataFrame) -> None:
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


def sha256(path: Path) -> str:
    """Give a file's SHA-256.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> import os
    >>> sha256(Path(os.devnull))[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unknown_type(path: Path) -> str | None:
    """Name a column whose type Polars does not have: for it, the whole file cannot be read."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        columns = parquet.read_schema(path)
    except (pa.ArrowException, OSError):
        return None  # damaged
    for each in columns:
        parquet.write_table(pa.table([pa.nulls(1, each.type)], schema=pa.schema([each.with_nullable(True)])), alone := io.BytesIO())
        try:
            pl.read_parquet(alone.getvalue())
        except (PolarsError, PanicException):
            return f'has a column "{each.name}" of type {each.type}, which cannot be read; export it as text, or leave it out'
    return None
