"""What is in a workbook, looked at before it is read: its reader makes room for all cells up to the last one, and does not bear damage."""

import json
import lzma
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.raw import one_line

_STEP = 1 << 20
_MAX_BYTES = 1 << 31  # of an archive, unpacked
_MAX_CELLS = 20_000_000  # that room is made for, where most of them are empty
_ROWS, _COLUMNS = 1_048_576, 16_384  # of any sheet
_MEMORY = 1 << 32  # bytes that a reader may take to look at a workbook
_SECONDS = 600
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, lzma.LZMAError, ElementTree.ParseError),
    *(EOFError, LookupError, ValueError, ArithmeticError, RuntimeError),
)

_ROW = re.compile(rb"<(?:\w+:)?row\b")
_CELL = re.compile(rb"""\br\s*=\s*["']([A-Z]*)(\d+)""")
_FILLED = re.compile(rb"<(?:\w+:)?c\b([^>]*[^>/])>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?(?:v|is)[\s>]", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is)[\s>]")
_ERROR = re.compile(rb"""<(?:\w+:)?c\s[^>]*\bt=["']e["']""")
_UNCOMPUTED = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
# In a process of its own: on some of what is damaged, or far away from all else, the reader ends its process.
_LOOK = f"""
import json, logging, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY}, {_MEMORY}))
except (ImportError, OSError, ValueError):
    pass
import fastexcel
logging.disable()
sheets, book = [], fastexcel.read_excel(sys.argv[1])
for name in book.sheet_names:
    try:
        sheet = book.load_sheet(name, header_row=None, n_rows=1, dtypes="string")
        sheets.append([name, sheet.visible == "visible", sheet.total_height])
    except fastexcel.FastExcelError:
        sheets.append([name, True, 0])
print(json.dumps(sheets))
"""


@dataclass
class Sheet:
    """One sheet of a workbook, and what is known of it; 0 where that cannot be told."""

    name: str  # as its tab shows it
    visible: bool
    rows: int = 0  # with something in them
    uncomputed: int = 0  # cells with a formula that has no value
    errors: int = 0  # cells that show an error such as #N/A
    part: str = ""  # of the archive; with how far its cells reach, empty ones included
    cells: int = 0
    last_row: int = 0
    last_column: int = 0
    pivot: bool = False  # it holds a pivot table


def sheets_of(path: Path, name: str) -> list[Sheet]:
    """List the sheets of a workbook that can be read, in the order of their tabs; of .xlsx without charts."""
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
                if size > _MAX_BYTES:
                    sentence = "{name}: should unpack to at most 2 GB (got {size:,.1f} GB); export it as CSV or Parquet"
                    raise InputError(Message("files.workbook_too_large", sentence, name=name, size=size / 2**30))
                if "xl/workbook.xml" in archive.namelist():
                    return _scan(archive)
        except _DAMAGED as error:
            sentence = "{name}: is a damaged workbook ({why}); open it in Excel and save it again, or copy it again"
            raise InputError(Message("files.damaged_workbook", sentence, name=name, why=one_line(error))) from error
    command = [sys.executable, "-c", _LOOK, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(_not_opened(name, "it takes too long")) from error
    try:
        return [Sheet(*sheet) for sheet in json.loads(done.stdout)]
    except ValueError as error:
        why = one_line(done.stderr.strip().rpartition("\n")[2].partition("Context")[0])
        raise InputError(_not_opened(name, why or "it needs too much memory")) from error


def _not_opened(name: str, why: str) -> Message:
    sentence = (
        "{name}: cannot be opened as a workbook ({why}); open it in Excel, delete rows and columns far from the table, and save it as .xlsx"
    )
    return Message("files.workbook_not_opened", sentence, name=name, why=why)


def _scan(archive: zipfile.ZipFile) -> list[Sheet]:
    """Look through all parts of an .xlsx: whether they are whole, and what stands in the sheets."""
    parts = {}
    for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels")):
        target = relation.get("Target", "")
        if relation.get("Type", "").endswith("/worksheet"):
            parts[relation.get("Id")] = target[1:] if target.startswith("/") else f"xl/{target}"
    sheets: dict[str, Sheet] = {}
    for tag in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        part = next((parts.get(value) for key, value in tag.items() if key.endswith("}id")), None)
        if tag.tag.endswith("}sheet") and part is not None:
            sheets[part] = Sheet(tag.get("name", ""), tag.get("state", "visible") == "visible", part=part)
    for entry in archive.infolist():
        if entry.filename in sheets:
            sheet = sheets[entry.filename]
            with archive.open(entry) as file:
                _count(file, sheet)
        elif entry.filename.endswith((".xml", ".rels")):
            owner = sheets.get(entry.filename.replace("/_rels/", "/").removesuffix(".rels"))
            with archive.open(entry) as file:
                while piece := file.read(_STEP):
                    if owner is not None and b"/pivotTable" in piece:
                        owner.pivot = True
    return list(sheets.values())


def _count(file: IO[bytes], sheet: Sheet) -> None:
    """Count what stands in a sheet, by its XML as text: a parser would take longer than the reading."""
    for rows in _rows(file):
        cells = _CELL.findall(rows)
        sheet.cells += len(cells)
        sheet.last_row = max(sheet.last_row, max((int(row) for _, row in cells), default=0))
        sheet.last_column = max(sheet.last_column, max((_number(letters) for letters in {letters for letters, _ in cells}), default=0))
        sheet.rows += sum(_VALUE.search(row) is not None for row in _ROW.split(rows)[1:])
        sheet.errors += len(_ERROR.findall(rows))
        if b"f" in rows:
            sheet.uncomputed += sum(b'"str"' not in cell for cell in _UNCOMPUTED.findall(rows))


def _rows(file: IO[bytes]) -> Iterator[bytes]:
    """Give pieces of whole rows."""
    rest = b""
    while piece := file.read(_STEP):
        starts = [start.start() for start in _ROW.finditer(piece)]
        if starts or len(rest) > 16 * _STEP:
            cut = starts[-1] if starts else len(piece)
            yield rest + piece[:cut]
            rest = piece[cut:]
        else:
            rest += piece
    yield rest


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters[:4]:
        number = number * 26 + letter - 64
    return number


def _too_wide(cells: int, last_row: int, last_column: int) -> bool:
    return last_row * last_column > max(_MAX_CELLS, 4 * cells) or last_row > _ROWS or last_column > _COLUMNS


def check_extent(path: Path, name: str, sheet: Sheet) -> None:
    """Refuse a sheet of which a cell with something in it stands too far away: there is no room for all cells up to that one."""
    if not _too_wide(sheet.cells, sheet.last_row, sheet.last_column):
        return
    cells = last_row = last_column = 0
    widest = b""
    with zipfile.ZipFile(path) as archive, archive.open(sheet.part) as file:
        for row in chain.from_iterable(map(_ROW.split, _rows(file))):
            for filled in _FILLED.finditer(row):
                cells += 1
                if place := _CELL.search(filled[1]) or _CELL.search(row):
                    last_row = max(last_row, int(place[2]))
                    if (column := _number(place[1])) > last_column:
                        last_column, widest = column, place[1] + place[2]
    if _too_wide(cells, last_row, last_column):
        sentence = (
            '{name}: its sheet "{sheet}" should hold one table (got {cells:,} cells with something in them, one of them far away in '
            "{widest}, the last in row {row:,}); delete the columns and rows beyond the table, and save it again"
        )
        facts = {"name": name, "sheet": sheet.name, "cells": cells, "widest": widest.decode(), "row": last_row}
        raise InputError(Message("files.far_cell", sentence, **facts))
