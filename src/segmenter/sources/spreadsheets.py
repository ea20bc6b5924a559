"""Excel workbooks and their like."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from segmenter.checks.header_rows import Header, Row, find_header, no_header
from segmenter.errors import InputError, nearest
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.sources.expressions import ROW, columns_of
from segmenter.sources.file_format import FileFormat
from segmenter.sources.layouts import layout_key
from segmenter.sources.raw import column_names, label, one_line
from segmenter.sources.table_rows import check_one_table, header_findings, other_rows_of
from segmenter.sources.workbooks import Sheet, check_extent, sheets_of
from segmenter.vocabulary import vocabulary

_MAX_BLANK = 100  # rows above a header, where it is looked for first
# Sheets whose rows are none of the others', by their names: refunds, copies, summaries.
_OTHERS = re.compile(
    "|".join(rf"(?<![a-z]){word}(?:s|ed|e?d)?(?![a-z])" if word.isascii() else word for word in vocabulary("sheets")["not_read"])
)
_ALIKE = 0.6  # of the columns of two sheets are in both
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class Book:
    """What was read of a workbook."""

    frames: list[tuple[str, pl.DataFrame]]  # of the sheets that were read: where it stands, and its rows as in `Raw`
    read_as: str
    sheets: tuple[Sheet, ...]  # those that were read, and then the others
    findings: tuple[Finding, ...] = ()


def read_sheets(path: Path, name: str, sheets: Sequence[Sheet]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Read further sheets of a workbook as they stand there, each with where it stands; those with nothing to read are passed over."""
    import fastexcel

    book = fastexcel.read_excel(path) if sheets else None
    for sheet in sheets:
        place = f"{name} [{sheet.name}]"
        try:
            yield place, _read_table(path, book, name, place, sheet, FileFormat(sheet=sheet.name, skip_rows=0, as_is=True))[0]
        except InputError:  # an empty sheet, or a chart
            continue


def read_book(path: Path, name: str, written: FileFormat) -> Book:
    """Read the sheet that is named, or else the first that is visible and has the columns that are looked for, and all like it.

    A column of mixed types is text, as a person sees it; a cell that shows an error is null; blank rows above the header are skipped too.
    """
    import fastexcel

    # It warns of every empty column.
    logging.getLogger("fastexcel").setLevel(logging.ERROR)
    try:
        sheets = sheets_of(path, name)
        book = fastexcel.read_excel(path)
    except (InputError, fastexcel.FastExcelError) as error:
        if _ENCRYPTED in path.read_bytes():
            sentence = "{name}: is protected by a password; save it without one"
            raise InputError(Message("files.protected", sentence, name=name)) from error
        if isinstance(error, InputError):
            raise
        sentence = "{name}: cannot be opened as a workbook ({why}); open it in Excel and save it again"
        raise InputError(Message("files.no_workbook", sentence, name=name, why=_own(error))) from error
    read = _choose(path, book, name, sheets, written)
    places = [name, *(f"{name} [{sheet.name}]" for sheet in read[1:])]
    tables = [_read_table(path, book, name, place, sheet, written) for place, sheet in zip(places, read, strict=True)]
    frames = [(place, frame) for place, (frame, _) in zip(places, tables, strict=True)]
    if problems := _repeated_sheets(name, read, [frame for _, frame in frames]):
        raise InputError(*problems)
    others = [sheet for sheet in sheets if not any(sheet is one for one in read)]
    findings = [finding for _, found in tables for finding in found]
    if not written.as_is:
        findings += [Finding("warning", note) for sheet in read for note in notes_of_cells(name, sheet)]
        findings += _findings_of_sheets(name, read, others, written) if written.sheet is None else []
    read_as = f'sheet "{read[0].name}"' if len(read) == 1 else "sheets " + ", ".join(f'"{sheet.name}"' for sheet in read)
    return Book(frames, read_as, (*read, *others), tuple(findings))


def _choose(path: Path, book: Any, name: str, sheets: Sequence[Sheet], written: FileFormat) -> list[Sheet]:
    """Choose the sheet that is named; or the first that is visible and has the columns looked for, and those with the same header."""
    if written.sheet is not None:
        if (named := next((sheet for sheet in sheets if sheet.name == written.sheet), None)) is None:
            near = nearest(written.sheet, [sheet.name for sheet in sheets])
            sentence = '{key}: is no sheet of {name} (got "{sheet}"){near}'
            key = written.set_by("sheet")
            raise InputError(Message("files.no_sheet", sentence, key=key, name=name, sheet=written.sheet, near=near))
        return [named]
    if not sheets:
        raise InputError(Message("files.no_sheets", "{name}: should have a sheet with a header and rows (got none)", name=name))
    first = max(sheets, key=lambda sheet: (sheet.visible and sheet.rows > 0, not sheet.pivot, sheet.rows > 0, sheet.visible))
    several = [sheet for sheet in sheets if sheet.visible and sheet.rows > 1 and not sheet.pivot]
    if written.as_is or len(several) < 2:
        return [first]
    names = {sheet.name: _columns(path, book, name, sheet, written) for sheet in several}
    fitting = [sheet for sheet in several if written.fits(names[sheet.name])]
    main = min(fitting, key=lambda sheet: _OTHERS.search(sheet.name.lower()) is not None, default=first)
    if main.name not in names:
        return [main]
    return [
        sheet
        for sheet in sorted(several, key=lambda sheet: sheet is not main)
        if sheet is main or (not _OTHERS.search(sheet.name.lower()) and _alike(names[main.name], names[sheet.name], written))
    ]


def _alike(main: Sequence[str], other: Sequence[str], written: FileFormat) -> bool:
    """Tell whether two sheets have the same header, or nearly and both all columns that are looked for."""
    own = {layout_key(column): column for column in main}
    keys = [layout_key(column) for column in other]
    shared = len(own.keys() & set(keys))
    nearly = shared >= _ALIKE * len(own.keys() | set(keys)) and written.fits([own.get(key, key) for key in keys])
    return own.keys() == set(keys) or nearly


def _columns(path: Path, book: Any, name: str, sheet: Sheet, written: FileFormat) -> list[str]:
    import fastexcel

    try:
        check_extent(path, name, sheet)
        rows, header, _ = _header(book, name, sheet.name, written)
    except (InputError, fastexcel.FastExcelError):
        return []  # it is told among those that are not read
    used = [place for place in range(len(header.names)) if any(place < len(row) and row[place] for row in rows)]
    columns = column_names(header.names)
    return [columns[place] for place in used]


def _repeated_sheets(name: str, sheets: Sequence[Sheet], frames: Sequence[pl.DataFrame]) -> list[str]:
    """Find sheets of which most rows stand in another as well: these would count twice."""
    problems: list[str] = []
    kept: list[tuple[Sheet, pl.Series]] = []
    if len(sheets) < 2:
        return problems
    keyed = [(sheet, _by_key(frame)) for sheet, frame in zip(sheets, frames, strict=True)]
    common = sorted(set.intersection(*(set(frame.columns) for _, frame in keyed)))
    for sheet, frame in keyed:
        rows = frame.select(common).cast(pl.String, strict=False).hash_rows().unique()
        for other, others in kept:
            shared = int(rows.is_in(others.implode()).sum())
            least = min(len(rows), len(others))
            if shared and 2 * shared >= least and (shared > 1 or least == 1):
                sentence = (
                    '{name}: of the rows of its sheet "{sheet}", {shared:,} stand in sheet "{other}" as well, and would count twice; '
                    "take one of them away, or name the one to read"
                )
                facts = {"name": name, "sheet": sheet.name, "shared": shared, "other": other.name}
                problems.append(Message("sheets.copy", sentence, **facts))
        kept.append((sheet, rows))
    return problems


def _by_key(frame: pl.DataFrame) -> pl.DataFrame:
    """Call columns by their keys; of two with the same, the last is kept."""
    names = {layout_key(name): name for name in columns_of(frame)}
    return frame.select(pl.col(name).alias(key) for key, name in names.items())


def _read_table(path: Path, book: Any, name: str, place: str, sheet: Sheet, written: FileFormat) -> tuple[pl.DataFrame, list[Finding]]:
    """Read one sheet, without what is no row of its table."""
    import fastexcel

    check_extent(path, name, sheet)
    try:
        rows, header, above = _header(book, name, sheet.name, written)
        position = above + header.last
        frame = _read(path, sheet.name, position, headed=written.header)
        labelled = label(frame, header.names, place, position + 2)
        others, findings = other_rows_of(labelled, rows, header, place, written)
        if others and labelled.filter(pl.col(ROW) >= others[0]).height == len(others):
            # Below the table, where their text made columns of numbers text.
            frame = _read(path, sheet.name, position, others[0] - position - 2, headed=written.header)
            labelled = label(frame, header.names, place, position + 2)
        elif others:
            labelled = labelled.filter(~pl.col(ROW).is_in(others))
    except fastexcel.FastExcelError as error:
        sentence = '{name}: its sheet "{sheet}" cannot be read ({why}){skipped}'
        facts = {"name": name, "sheet": sheet.name, "why": _own(error), "skipped": _skipped(written)}
        raise InputError(Message("files.bad_sheet", sentence, **facts)) from error
    if not written.as_is:
        check_one_table(f"{name} [{sheet.name}]", header.names, frame)
    return labelled, [*header_findings(place, rows, header, range(above + 1, above + 1 + len(rows)), written), *findings]


def _header(book: Any, name: str, sheet: str, written: FileFormat) -> tuple[list[Row], Header, int]:
    """Give the first rows of a sheet, the header among them, and how many are above them all."""
    skip_rows = 0 if written.skip_rows == "auto" else written.skip_rows
    # Where rows to skip are named, even none, it begins at the sheet's first row and not at the first that is not blank.
    for most in (_MAX_BLANK, None):
        top = book.load_sheet(sheet, header_row=None, skip_rows=skip_rows, n_rows=most, dtypes="string").to_polars()
        rows = top.rows()
        if any(map(any, rows)):
            first = next(position for position, row in enumerate(rows) if any(row))
            if not written.header:
                return rows, no_header(rows, first), skip_rows
            if written.skip_rows == "auto":
                return rows, find_header(rows, lambda names: written.fits(column_names(names))), 0
            return rows, Header(first, first, rows[first]), skip_rows
        if top.height < _MAX_BLANK:
            break
    sentence = '{name}: should have a header and rows in sheet "{sheet}" (got an empty sheet); {key} names another{skipped}'
    key = written.key("sheet")
    raise InputError(Message("files.empty_sheet", sentence, name=name, sheet=sheet, key=key, skipped=_skipped(written)))


def _skipped(written: FileFormat) -> str:
    if written.skip_rows in ("auto", 0):
        return ""
    return Message("files.rows_skipped", "; {key} leaves out {rows} rows", key=written.set_by("skip_rows"), rows=written.skip_rows)


def notes_of_cells(name: str, sheet: Sheet) -> list[Message]:
    """Say which cells of a sheet that was read count as empty, and do not look so."""
    sentence = (
        '{name}: in its sheet "{sheet}" are {count:,} cells {kind}, which count as empty; open it in Excel, mend them and save it again'
    )
    kinds = (
        (sheet.uncomputed, Message("files.uncomputed", "with a formula and no value")),
        (sheet.errors, Message("files.error_cells", "that show an error such as #N/A")),
    )
    return [Message("files.empty_cells", sentence, name=name, sheet=sheet.name, count=count, kind=kind) for count, kind in kinds if count]


def _findings_of_sheets(name: str, read: Sequence[Sheet], others: Sequence[Sheet], written: FileFormat) -> list[Finding]:
    """Say which sheets were read together, which sheets with rows were not, and that the one that was is hidden."""
    findings: list[Finding] = []
    key, names = written.key("sheet"), tuple(f'"{sheet.name}"' for sheet in read)
    if len(read) > 1:
        sentence = "{name}: its sheets {sheets} have the same columns, or nearly, and are read as one table; {key} names one"
        findings.append(Finding("note", Message("sheets.together", sentence, name=name, sheets=names, key=key)))
    if left := tuple(_describe(other) for other in others if other.rows):
        sentence = "{name}: its sheets {others} are not read, only {sheets}; {key} names another"
        findings.append(Finding("warning", Message("files.other_sheets", sentence, name=name, sheets=names, others=left, key=key)))
    if not read[0].visible:
        sentence = '{name}: its sheet "{sheet}" is hidden, and read as no other has rows'
        findings.append(Finding("warning", Message("files.hidden_read", sentence, name=name, sheet=read[0].name)))
    return findings


def _describe(sheet: Sheet) -> Message:
    if sheet.visible:
        return Message("files.sheet", '"{sheet}" ({rows:,} rows)', sheet=sheet.name, rows=sheet.rows)
    return Message("files.hidden_sheet", '"{sheet}" ({rows:,} rows, hidden)', sheet=sheet.name, rows=sheet.rows)


def _own(error: Exception) -> str:
    # What follows names paths.
    return one_line(str(error).partition("\nContext:")[0])


def _read(path: Path, sheet: str, header_row: int, rows: int | None = None, *, headed: bool) -> pl.DataFrame:
    """Read what is below a header, or where it would be, or its first rows."""
    import fastexcel

    # Types are inferred from all rows: text far down in a column of numbers would otherwise become null.
    read = partial(
        pl.read_excel,
        path,
        sheet_name=sheet,
        infer_schema_length=None,
        drop_empty_rows=False,
        drop_empty_cols=False,
        raise_if_empty=False,
    )
    options: dict[str, Any] = {"header_row": header_row, "n_rows": rows}
    if not headed:
        options |= {"header_row": None, "skip_rows": header_row + 1}
    try:
        frame = read(read_options=options)
    except fastexcel.UnsupportedColumnTypeCombinationError:
        frame = read(read_options={**options, "dtypes": "string"})
    return frame.with_columns(pl.col(pl.String).replace("", None))
