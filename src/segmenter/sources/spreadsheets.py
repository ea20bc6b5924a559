"""Excel workbooks and their like."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from segmenter.errors import InputError, nearest
from segmenter.messages import Message
from segmenter.sources.raw import label, one_line
from segmenter.sources.workbooks import Sheet, check_extent, sheets_of

_MAX_BLANK = 100  # rows above a header, where it is looked for first
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_sheet(path: Path, name: str, sheet: str | None, skip_rows: int) -> tuple[pl.DataFrame, str, list[Sheet]]:
    """Read one sheet of a workbook, None for the first that is visible and has rows; say how it was understood, and list it and the others.

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
    chosen = _choose(sheets, name, sheet)
    check_extent(path, name, chosen)
    try:
        position, header = _header(book, name, chosen.name, skip_rows)
        try:
            frame = _read(path, chosen.name, {"header_row": position})
        except fastexcel.UnsupportedColumnTypeCombinationError:
            frame = _read(path, chosen.name, {"header_row": position, "dtypes": "string"})
    except fastexcel.FastExcelError as error:
        sentence = '{name}: its sheet "{sheet}" cannot be read ({why}){skipped}'
        facts = {"name": name, "sheet": chosen.name, "why": _own(error), "skipped": _skipped(skip_rows)}
        raise InputError(Message("files.bad_sheet", sentence, **facts)) from error
    return label(frame, header, name, position + 2), f'sheet "{chosen.name}"', [chosen, *(other for other in sheets if other is not chosen)]


def _choose(sheets: Sequence[Sheet], name: str, wanted: str | None) -> Sheet:
    """Choose the sheet that is named; or the first that is visible and has rows, else the first that has any of the two."""
    if wanted is not None:
        if (named := next((sheet for sheet in sheets if sheet.name == wanted), None)) is None:
            near = nearest(wanted, [sheet.name for sheet in sheets])
            sentence = 'data.sheet: is no sheet of {name} (got "{sheet}"){near}'
            raise InputError(Message("files.no_sheet", sentence, name=name, sheet=wanted, near=near))
        return named
    if not sheets:
        raise InputError(Message("files.no_sheets", "{name}: should have a sheet with a header and rows (got none)", name=name))
    return max(sheets, key=lambda sheet: (sheet.visible and sheet.rows > 0, sheet.rows > 0, sheet.visible))


def _header(book: Any, name: str, sheet: str, skip_rows: int) -> tuple[int, tuple[str | None, ...]]:
    """Find the first row that is not blank, and its number from 0."""
    # Where rows to skip are named, even none, it begins at the sheet's first row and not at the first that is not blank.
    for most in (_MAX_BLANK, None):
        top = book.load_sheet(sheet, header_row=None, skip_rows=skip_rows, n_rows=most, dtypes="string").to_polars()
        for position, row in enumerate(top.rows(), start=skip_rows):
            if any(row):
                return position, row
        if top.height < _MAX_BLANK:
            break
    sentence = '{name}: should have a header and rows in sheet "{sheet}" (got an empty sheet); data.sheet names another{skipped}'
    raise InputError(Message("files.empty_sheet", sentence, name=name, sheet=sheet, skipped=_skipped(skip_rows)))


def _skipped(rows: int) -> str:
    return Message("files.rows_skipped", "; data.skip_rows leaves out {rows} rows", rows=rows) if rows else ""


def notes_of_cells(name: str, sheet: Sheet) -> list[str]:
    """Say which cells of a sheet that was read count as empty, and do not look so."""
    sentence = (
        '{name}: in its sheet "{sheet}" are {count:,} cells {kind}, which count as empty; open it in Excel, mend them and save it again'
    )
    kinds = (
        (sheet.uncomputed, Message("files.uncomputed", "with a formula and no value")),
        (sheet.errors, Message("files.error_cells", "that show an error such as #N/A")),
    )
    return [Message("files.empty_cells", sentence, name=name, sheet=sheet.name, count=count, kind=kind) for count, kind in kinds if count]


def notes_of_others(name: str, sheets: Sequence[Sheet]) -> list[str]:
    """Say which sheets with rows were not read, and that the one that was read is hidden; of sheets as `read_sheet` gives them."""
    read, *others = sheets
    notes: list[str] = []
    if left := tuple(_describe(other) for other in others if other.rows):
        sentence = '{name}: of its sheets "{sheet}" is read, and not {others}; data.sheet names another'
        notes.append(Message("files.other_sheets", sentence, name=name, sheet=read.name, others=left))
    if not read.visible:
        sentence = '{name}: its sheet "{sheet}" is hidden, and read as no other has rows'
        notes.append(Message("files.hidden_read", sentence, name=name, sheet=read.name))
    return notes


def _describe(sheet: Sheet) -> Message:
    if sheet.visible:
        return Message("files.sheet", '"{sheet}" ({rows:,} rows)', sheet=sheet.name, rows=sheet.rows)
    return Message("files.hidden_sheet", '"{sheet}" ({rows:,} rows, hidden)', sheet=sheet.name, rows=sheet.rows)


def _own(error: Exception) -> str:
    # What follows names paths.
    return one_line(str(error).partition("\nContext:")[0])


def _read(path: Path, sheet: str, options: dict[str, Any]) -> pl.DataFrame:
    # Types are inferred from all rows: text far down in a column of numbers would otherwise become null.
    frame = pl.read_excel(
        path,
        sheet_name=sheet,
        infer_schema_length=None,
        drop_empty_rows=False,
        drop_empty_cols=False,
        raise_if_empty=False,
        read_options=options,
    )
    return frame.with_columns(pl.col(pl.String).replace("", None))
