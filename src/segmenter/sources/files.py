"""A shop's tables in files: CSV, Parquet and Excel, one or many."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from segmenter import tables
from segmenter.errors import InputError
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import FilesSettings
from segmenter.sources.encodings import chunks
from segmenter.sources.file_kinds import ANY, ENDINGS, PARQUET, TEXT, kind_by_content, kind_by_name, way_out
from segmenter.sources.number_columns import mark_in_text
from segmenter.sources.parquet_files import read_parquet
from segmenter.sources.paths import describe, find_files
from segmenter.sources.raw import Fingerprint, Raw, one_line, sha256, together
from segmenter.sources.spreadsheets import notes_of_cells, notes_of_others, read_sheet
from segmenter.sources.text_files import check_text_settings, read_text
from segmenter.sources.text_lines import BadLine
from segmenter.sources.workbooks import Sheet


@dataclass(frozen=True)
class DataFile:
    """One file of a table."""

    name: str  # relative to what the path named
    path: Path
    frame: pl.DataFrame  # as in `Raw`
    fingerprint: Fingerprint
    unreadable: tuple[BadLine, ...] = ()  # lines of CSV that cannot be split into fields
    sheets: tuple[Sheet, ...] = ()  # of a workbook: the one that was read, and then the others


def read_files(table: str, path: str, settings: FilesSettings) -> Raw:
    """Read a table from one file, a folder or a glob, files in order of their names; an InputError has all problems of all files."""
    check_text_settings(settings.encoding, settings.separator)
    key = f"data.{table}.path"
    try:
        files, failures = read_separately(path, settings)
    except InputError as error:
        raise InputError(*_keyed(key, error.messages)) from error
    problems = [problem for _, problem in failures]
    problems += copies([file.fingerprint for file in files if file.frame.height])
    if not problems and not any(file.frame.height for file in files):
        problems += [_without_rows(file) for file in files]
    whole = None
    try:
        if files:
            whole = together([(file.name, file.frame) for file in files], mark_in_text(settings))
    except InputError as error:
        problems += error.messages
    if problems or whole is None:
        raise InputError(*_keyed(key, problems))
    lines = [(table, file.name, row, None, line, str(reason)) for file in files for row, line, reason in file.unreadable]
    rejects = pl.DataFrame(lines, schema=tables.REJECTS, orient="row")
    notes = [note for file in files for sheet in file.sheets[:1] for note in notes_of_cells(file.name, sheet)]
    if settings.sheet is None:
        notes += [note for file in files if file.sheets for note in notes_of_others(file.name, file.sheets)]
    findings = tuple(Finding("warning", Message("files.at", "{key}: {problem}", key=key, problem=note)) for note in notes)
    return Raw(whole, tuple(file.fingerprint for file in files), rejects, findings)


def _keyed(key: str, messages: Sequence[str]) -> list[str]:
    """Put the config key before messages without one."""
    own = "data.sheet: "
    return [text if text.startswith(own) else Message("files.at", "{key}: {problem}", key=key, problem=text) for text in messages]


def _without_rows(file: DataFile) -> Message:
    if not file.unreadable:
        return Message("files.no_rows", "{name}: should have rows (got only a header)", name=file.name)
    sentence = (
        "{name}: should have rows that can be read (got {count:,} that cannot: row {row:,} {reason}); "
        "data.skip_rows leaves out rows above the header"
    )
    row, _, reason = file.unreadable[0]
    return Message("files.no_readable_rows", sentence, name=file.name, count=len(file.unreadable), row=row, reason=reason)


def read_separately(path: str, settings: FilesSettings) -> tuple[list[DataFile], list[tuple[str, str]]]:
    """Read the files that a path means by themselves, in order of their names; and name those that cannot be read, with the reason."""
    try:
        matches = find_files(path)
    except OSError as error:
        sentence = 'cannot be looked up ({why}) (got "{path}")'
        raise InputError(Message("files.not_looked_up", sentence, why=error.strerror, path=path)) from error
    files: list[DataFile] = []
    failures: list[tuple[str, str]] = []
    for file, name in matches:
        try:
            files.append(_read(file, name, settings))
        except InputError as error:
            failures += [(name, problem) for problem in error.messages]
        except OSError as error:
            failures.append((name, Message("files.not_read", "{name}: cannot be read ({why})", name=name, why=one_line(error))))
    return files, failures


def copies(prints: Sequence[Fingerprint]) -> list[str]:
    """Find copies among files with rows: these would count twice."""
    first: dict[str, str] = {}
    problems: list[str] = []
    for file in prints:
        if (original := first.setdefault(file.sha256, file.name)) != file.name:
            sentence = "{name}: is a copy of {original}; take one of them away"
            problems.append(Message("files.copy", sentence, name=file.name, original=original))
    return problems


def _read(path: Path, name: str, settings: FilesSettings) -> DataFile:
    """Read a file that nobody writes meanwhile."""
    before = path.stat()
    frame, read_as, unreadable, sheets = _read_by_kind(path, name, settings)
    fingerprint, after = Fingerprint(name, before.st_size, sha256(path), read_as), path.stat()
    if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
        raise InputError(Message("files.changed", "{name}: has changed while it was read; wait until it is written", name=name))
    return DataFile(name, path, frame, fingerprint, tuple(unreadable), tuple(sheets))


def _read_by_kind(path: Path, name: str, settings: FilesSettings) -> tuple[pl.DataFrame, str, list[BadLine], list[Sheet]]:
    _check_file(path, name)
    try:
        start = next(chunks(path), b"")
        kind = kind_by_content(path, start, settings.encoding)
        expected = kind_by_name(name) or (kind if kind in ENDINGS.values() else ANY)
        if kind != expected:
            sentence = "{name}: should be {expected} (got {kind}); {way_out}"
            raise InputError(Message("files.other_kind", sentence, name=name, expected=expected, kind=kind, way_out=way_out(kind)))
        if not start.strip():
            raise InputError(Message("files.blank", "{name}: is empty (blank only); export it again", name=name))
        if kind == TEXT:
            return *read_text(path, name, settings.encoding, settings.separator, settings.skip_rows), []
        if kind == PARQUET:
            return *read_parquet(path, name), [], []
        frame, read_as, sheets = read_sheet(path, name, settings.sheet, settings.skip_rows)
        return frame, read_as, [], sheets
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        sentence = "{name}: is no whole gzip file ({why}); copy or export it again"
        raise InputError(Message("files.gzip_not_whole", sentence, name=name, why=one_line(error))) from error


def _check_file(path: Path, name: str) -> None:
    """Refuse what is no file, has a name that cannot be written down, or is empty."""
    if not path.is_file():
        sentence = "{name}: should be a file (got {kind}); write what comes out of it to a file first"
        raise InputError(Message("files.no_file", sentence, name=name, kind=describe(path)))
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode(errors="replace").decode()
        raise InputError(Message("files.name_no_utf8", "{path}: has a name that is not UTF-8; rename it", path=shown)) from error
    if path.stat().st_size == 0:
        raise InputError(Message("files.empty", "{name}: is empty (0 bytes); export it again", name=name))
