"""A shop's tables in files: CSV, Parquet and Excel, one or many."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from segmenter import tables
from segmenter.errors import InputError
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import FilesSettings
from segmenter.sources.encodings import chunks
from segmenter.sources.expressions import columns_of
from segmenter.sources.file_format import FileFormat, format_of
from segmenter.sources.file_kinds import ANY, ENDINGS, PARQUET, TEXT, kind_by_content, kind_by_name, way_out
from segmenter.sources.layouts import common_columns
from segmenter.sources.parquet_files import read_parquet
from segmenter.sources.paths import describe, find_files, unread_files
from segmenter.sources.raw import Fingerprint, Raw, one_line, sha256, together
from segmenter.sources.spreadsheets import read_book
from segmenter.sources.text_files import check_text_settings, read_text
from segmenter.sources.text_lines import BadLine
from segmenter.sources.workbooks import Sheet


@dataclass(frozen=True)
class DataFile:
    """One file of a table."""

    name: str  # relative to what the path named
    path: Path
    frames: list[tuple[str, pl.DataFrame]]  # as in `Raw`; of a workbook those of the sheets that are read, with where they stand
    fingerprint: Fingerprint
    unreadable: tuple[BadLine, ...] = ()  # lines of CSV that cannot be split into fields
    sheets: tuple[Sheet, ...] = ()  # of a workbook: those that were read, and then the others
    findings: tuple[Finding, ...] = ()

    @property
    def frame(self) -> pl.DataFrame:
        """Its rows; of a workbook those of the first sheet that is read."""
        return self.frames[0][1]

    @property
    def height(self) -> int:
        """All its rows."""
        return sum(frame.height for _, frame in self.frames)


def read_files(table: str, path: str, settings: FilesSettings) -> Raw:
    """Read a table from one file, a folder or a glob, files in order of their names; an InputError has all problems of all files."""
    written = format_of(settings, table)
    check_text_settings(written)
    key = f"data.{table}.path"
    try:
        files, failures = read_separately(path, written)
    except InputError as error:
        raise InputError(*_keyed(key, error.messages)) from error
    files, findings = _tables_among(files, written)
    problems = [problem for _, problem in failures]
    problems += copies([file.fingerprint for file in files if file.height])
    if not problems and not any(file.height for file in files):
        problems += [_without_rows(file, written) for file in files]
    whole = None
    try:
        if files:
            frames, other_layouts, told = common_columns([frame for file in files for frame in file.frames], written)
            problems, findings = problems + other_layouts, findings + told
            whole = None if other_layouts else together(frames, written.decimal)
    except InputError as error:
        problems += error.messages
    if problems or whole is None:
        raise InputError(*_keyed(key, problems))
    lines = [(table, file.name, row, None, line, str(reason)) for file in files for row, line, reason in file.unreadable]
    rejects = pl.DataFrame(lines, schema=tables.REJECTS, orient="row")
    findings = [*(finding for file in files for finding in file.findings), *findings, *unread_files(path)]
    return Raw(whole, tuple(file.fingerprint for file in files), rejects, tuple(at_key(key, findings)))


def at_key(key: str, findings: Sequence[Finding]) -> list[Finding]:
    """Put the config key of a table's files before what was found in them."""
    return [Finding(found.level, Message("files.at", "{key}: {problem}", key=key, problem=found.message)) for found in findings]


def _keyed(key: str, messages: Sequence[str]) -> list[str]:
    """Put the config key before messages without one."""
    own = tuple(f"{prefix}.sheet: " for prefix in ("data", key.removesuffix(".path")))
    return [text if text.startswith(own) else Message("files.at", "{key}: {problem}", key=key, problem=text) for text in messages]


def _tables_among(files: Sequence[DataFile], written: FileFormat) -> tuple[list[DataFile], list[Finding]]:
    """Leave out texts that are no tables, such as a readme, where others are."""
    if not any(written.fits(columns_of(frame)) for file in files for _, frame in file.frames):
        return list(files), []
    texts = [file for file in files if not file.sheets and len(columns_of(file.frame)) == 1 and not written.fits(columns_of(file.frame))]
    if not texts:
        return list(files), []
    names = tuple(file.name for file in texts[:10])
    message = Message("sheets.texts", "not read are {names}, which hold text and no table", names=names)
    return [file for file in files if file not in texts], [Finding("warning", message)]


def _without_rows(file: DataFile, written: FileFormat) -> Message:
    if not file.unreadable:
        return Message("files.no_rows", "{name}: should have rows (got only a header)", name=file.name)
    sentence = (
        "{name}: should have rows that can be read (got {count:,} that cannot: row {row:,} {reason}); "
        "{key} leaves out rows above the header"
    )
    row, _, reason = file.unreadable[0]
    facts = {"name": file.name, "count": len(file.unreadable), "row": row, "reason": reason, "key": written.key("skip_rows")}
    return Message("files.no_readable_rows", sentence, **facts)


def read_separately(path: str, written: FileFormat, *, deep: bool = False) -> tuple[list[DataFile], list[tuple[str, str]]]:
    """Read the files that a path means by themselves, in order of their names; and name those that cannot be read, with the reason."""
    try:
        matches = find_files(path, deep=deep)
    except OSError as error:
        sentence = 'cannot be looked up ({why}) (got "{path}")'
        raise InputError(Message("files.not_looked_up", sentence, why=error.strerror, path=path)) from error
    files: list[DataFile] = []
    failures: list[tuple[str, str]] = []
    for file, name in matches:
        try:
            files.append(_read(file, name, written))
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


def _read(path: Path, name: str, written: FileFormat) -> DataFile:
    """Read a file that nobody writes meanwhile."""
    before = path.stat()
    file = _read_by_kind(path, name, written)
    fingerprint, after = replace(file.fingerprint, size=before.st_size, sha256=sha256(path)), path.stat()
    if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
        raise InputError(Message("files.changed", "{name}: has changed while it was read; wait until it is written", name=name))
    return replace(file, fingerprint=fingerprint)


def _read_by_kind(path: Path, name: str, written: FileFormat) -> DataFile:
    """Read a file, without its fingerprint's size and sum."""
    _check_file(path, name)
    try:
        start = next(chunks(path), b"")
        kind = kind_by_content(path, start, written.encoding)
        expected = kind_by_name(name) or (kind if kind in ENDINGS.values() else ANY)
        if kind != expected:
            sentence = "{name}: should be {expected} (got {kind}); {way_out}"
            raise InputError(Message("files.other_kind", sentence, name=name, expected=expected, kind=kind, way_out=way_out(kind)))
        if not start.strip():
            raise InputError(Message("files.blank", "{name}: is empty (blank only); export it again", name=name))
        if kind == TEXT:
            frame, read_as, bad, findings = read_text(path, name, written)
            return DataFile(name, path, [(name, frame)], Fingerprint(name, 0, "", read_as), tuple(bad), (), tuple(findings))
        if kind == PARQUET:
            frame, read_as = read_parquet(path, name)
            return DataFile(name, path, [(name, frame)], Fingerprint(name, 0, "", read_as))
        book = read_book(path, name, written)
        return DataFile(name, path, book.frames, Fingerprint(name, 0, "", book.read_as), (), book.sheets, book.findings)
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
