"""The tables that a shop's files or database hold, read as a launch would read them; files and sheets with the same columns are one."""

import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from segmenter.defaults import source_settings
from segmenter.errors import InputError
from segmenter.guesses.column_values import ColumnValues, values_of
from segmenter.messages import Message
from segmenter.settings import DatabaseSettings, FilesSettings
from segmenter.sources.database import read_query, table_names
from segmenter.sources.expressions import columns_of
from segmenter.sources.file_kinds import WORKBOOK, kind_by_name
from segmenter.sources.files import copies, read_files
from segmenter.sources.paths import find_files
from segmenter.sources.raw import Fingerprint, label, together
from segmenter.sources.workbooks import sheets_of

_MOST = 2_000_000  # rows of a Parquet file or a query that are looked at
_ONE_ROOM = "://"


@dataclass(frozen=True)
class SourceTable:
    """One table of a shop."""

    name: str  # the file, with its sheet; or the table of the database
    settings: tuple[tuple[str, object], ...]  # what says where it is, such as ``path``, relative to the table's own keys
    frame: pl.DataFrame  # the shop's columns, `FILE` and `ROW`
    shared: tuple[tuple[str, object], ...] = ()  # the same of all of ``data``, such as ``url``

    @property
    def columns(self) -> list[str]:
        """The shop's own columns."""
        return columns_of(self.frame)

    @cached_property
    def values(self) -> dict[str, ColumnValues]:
        """What stands in them."""
        return values_of(self.frame)


@dataclass
class _Group:
    """Files or sheets with the same columns."""

    files: list[tuple[str, str, str | None]] = field(default_factory=list)  # the path that named it, its own, its sheet
    frames: list[tuple[str, pl.DataFrame]] = field(default_factory=list)
    prints: list[Fingerprint] = field(default_factory=list)


@dataclass(frozen=True)
class Sources:
    """All that was found."""

    tables: tuple[SourceTable, ...]
    unread: tuple[Message, ...] = ()  # files that hold no table, with the reason


def find_sources(paths: Sequence[str]) -> Sources:
    """Read what paths name: files, folders, globs, or the URL of one database."""
    urls = [path for path in paths if _ONE_ROOM in path]
    if urls and len(paths) > 1:
        sentence = "paths: should be files, or the URL of one database (got {count} paths, {urls} of them URLs)"
        raise InputError(Message("init.mixed_paths", sentence, count=len(paths), urls=len(urls)))
    return Sources(tuple(_in_database(urls[0]))) if urls else _in_files(paths)


def _in_database(url: str) -> list[SourceTable]:
    tables = []
    for name in table_names(url):
        query = 'SELECT * FROM "{}"'.format(name.replace('"', '""'))
        settings = source_settings("database", {"url": url, "orders.query": query})
        assert isinstance(settings, DatabaseSettings)
        try:
            frame = read_query("orders", f"{query} LIMIT {_MOST}", settings).frame
        except InputError:
            continue  # a table without rows
        tables.append(SourceTable(name, (("query", query),), frame, (("url", url),)))
    return tables


def _in_files(paths: Sequence[str]) -> Sources:
    groups: dict[tuple[str, ...], _Group] = {}
    unread: list[Message] = []
    problems: list[str] = []
    for path in paths:
        try:
            found = find_files(path)
        except InputError as error:
            problems += [Message("init.path", "paths: {problem}", problem=problem) for problem in error.messages]
            continue
        several = len(found) > 1
        for file, name in found:
            if kind_by_name(name) is None and several:
                unread.append(Message("init.no_table", "{name}: is no CSV, Parquet or Excel file, and is not read", name=name))
                continue
            try:
                for sheet, frame, prints in _read(file, name):
                    group = groups.setdefault(tuple(sorted(columns_of(frame))), _Group())
                    group.files.append((path, str(file), sheet))
                    group.frames.append((name, frame))
                    group.prints += prints
            except InputError as error:
                said = [_without_key(problem) for problem in error.messages]
                if not several:
                    problems += [Message("init.path", "paths: {problem}", problem=problem) for problem in said]
                unread += [Message("init.unread", "{problem}; it is not read", problem=problem) for problem in said]
    problems += [problem for group in groups.values() for problem in copies(group.prints)]
    if problems:
        raise InputError(*problems)
    return Sources(tuple(_table(group) for group in groups.values()), tuple(unread))


def _without_key(problem: str) -> str:
    """Leave out the key of the config, which nobody has given here."""
    return problem.facts["problem"] if isinstance(problem, Message) and problem.code == "files.at" else problem


def _read(file: Path, name: str) -> list[tuple[str | None, pl.DataFrame, tuple[Fingerprint, ...]]]:
    """Read one file: of a workbook each visible sheet with rows."""
    if file.suffix.lower() in (".parquet", ".pq") and pl.scan_parquet(file, glob=False).select(pl.len()).collect().item() > _MOST:
        frame = pl.scan_parquet(file, glob=False).head(_MOST).collect()
        return [(None, label(frame, frame.columns, name), ())]
    if kind_by_name(name) != WORKBOOK:
        raw = read_files("orders", str(file), _settings(str(file)))
        return [(None, raw.frame, raw.fingerprints)]
    sheets = [sheet.name for sheet in sheets_of(file, name) if sheet.visible and sheet.rows > 1]
    if len(sheets) < 2:
        raw = read_files("orders", str(file), _settings(str(file)))
        return [(None, raw.frame, ())]
    read: list[tuple[str | None, pl.DataFrame, tuple[Fingerprint, ...]]] = []
    for sheet in sheets:
        try:
            read.append((sheet, read_files("orders", str(file), _settings(str(file), sheet)).frame, ()))
        except InputError:
            continue  # a page of notes, or a chart
    return read


def _settings(path: str, sheet: str | None = None) -> FilesSettings:
    settings = source_settings("files", {"orders.path": path, **({} if sheet is None else {"orders.sheet": sheet})})
    assert isinstance(settings, FilesSettings)
    return settings


def _table(group: _Group) -> SourceTable:
    given, file, sheet = group.files[0]
    frame = group.frames[0][1] if len(group.frames) == 1 else together(group.frames, lambda _: ".")
    name = group.frames[0][0] if len(group.frames) == 1 else f"{group.frames[0][0]} … ({len(group.frames)})"
    own = {file for _, file, _ in group.files}
    path = (given if os.path.isfile(given) else file) if len(own) == 1 else _pattern(sorted(own), {given for given, _, _ in group.files})
    where: tuple[tuple[str, object], ...] = (("path", path),)
    sheet = sheet if len(group.files) == 1 else None
    return SourceTable(name if sheet is None else f"{name}: {sheet}", where if sheet is None else (*where, ("sheet", sheet)), frame)


def _pattern(files: list[str], given: set[str]) -> str:
    """Find one path that means several files and no others."""
    for path in given if len(given) == 1 else ():
        if {str(file) for file, _ in find_files(path)} == set(files):
            return path
    folders = {os.path.dirname(file) for file in files}
    if len(folders) == 1:
        (folder,) = folders
        names = [os.path.basename(file) for file in files]
        start = _shared(names).rstrip("0123456789")  # of a year, say: next year's file is to be read, too
        ending = _shared([name[::-1] for name in names])[::-1]
        there = [entry for entry in os.listdir(folder or ".") if not entry.startswith((".", "~$"))]
        for pattern in (f"{start}*{ending}", f"*{ending}"):
            if sorted(fnmatch.filter(there, pattern)) == sorted(names):
                return os.path.join(folder, pattern)
    sentence = "paths: {files} have the same columns, and no pattern names them and no other file; put them in a folder of their own"
    raise InputError(Message("init.no_pattern", sentence, files=tuple(os.path.basename(file) for file in files)))


def _shared(names: list[str]) -> str:
    """Give the beginning that names share."""
    first, last = min(names), max(names)
    return first[: next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))]
