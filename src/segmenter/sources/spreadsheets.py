"""Excel workbooks and their like."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from segmenter.errors import InputError, nearest
from segmenter.sources.raw import label, one_line
from segmenter.sources.workbooks import Sheet, check_extent, sheets_of

_MOST_BLANK = 100  # rows above a header, where it is looked for first
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_sheet(path: Path, name: str, sheet: str | None, skip_rows: int) -> tuple[pl.DataFrame, str, list[Sheet]]:
    """Read one sheet of a workbook.

    Parameters
    ----------
    path : Path
        .xlsx, .xlsm, .xlsb, .xls or .ods.
    name : str
        What to call it in messages and in ``__file``.
    sheet : str or None
        The sheet's name; None for the first that is visible and has rows.
    skip_rows : int
        Rows above the header, ≥ 0, counted from the first of the sheet. Blank ones below them are skipped too.

    Returns
    -------
    DataFrame
        Types as found, ``__file``, and in ``__row`` the row as the sheet numbers it. A column of mixed types is text, as a person
        sees it; a cell that shows an error, such as ``#N/A``, is null.
    str
        How it was understood.
    list of Sheet
        The one that was read, and then the others.

    Raises
    ------
    InputError
        The workbook is damaged, protected, or has no such sheet or header.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "orders.xlsx"
    >>> _ = pl.DataFrame({"amount": [12345.0, 8.0]}).write_excel(path, worksheet="订单")
    >>> read_sheet(path, "orders.xlsx", None, 0)[0]["amount"].to_list()
    [12345, 8]
    """
    import fastexcel

    # It warns of every empty column.
    logging.getLogger("fastexcel").setLevel(logging.ERROR)
    try:
        sheets = sheets_of(path, name)
        book = fastexcel.read_excel(path)
    except (InputError, fastexcel.FastExcelError) as error:
        if _ENCRYPTED in path.read_bytes():
            raise InputError(f"{name}: is protected by a password; save it without one") from error
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name}: cannot be opened as a workbook ({_message(error)}); open it in Excel and save it again") from error
    names = [each.name for each in sheets]
    if sheet is not None and sheet not in names:
        raise InputError(f'data.sheet: is no sheet of {name} (got "{sheet}"){nearest(sheet, names)}')
    found = _first(sheets, name) if sheet is None else sheets[names.index(sheet)]
    check_extent(path, name, found)
    chosen = found.name
    skipped = f"; data.skip_rows leaves out {skip_rows} rows" if skip_rows else ""
    try:
        # Where rows to skip are named, even none, it begins at the sheet's first row and not at the first that is not blank.
        for most in (_MOST_BLANK, None):
            top = book.load_sheet(chosen, header_row=None, skip_rows=skip_rows, n_rows=most, dtypes="string").to_polars()
            rows = [row for row in enumerate(top.rows(), start=skip_rows) if any(row[1])]
            if rows or top.height < _MOST_BLANK:
                break
        if not rows:
            raise InputError(
                f'{name}: should have a header and rows in sheet "{chosen}" (got an empty sheet); data.sheet names another{skipped}'
            )
        place, header = rows[0]
        try:
            frame = _read(path, chosen, {"header_row": place})
        except fastexcel.UnsupportedColumnTypeCombinationError:
            frame = _read(path, chosen, {"header_row": place, "dtypes": "string"})
    except fastexcel.FastExcelError as error:
        raise InputError(f'{name}: its sheet "{chosen}" cannot be read ({_message(error)}){skipped}') from error
    others = [each for each in sheets if each is not found]
    return label(frame, header, name, place + 2), f'sheet "{chosen}"', [found, *others]


def _first(sheets: Sequence[Sheet], name: str) -> Sheet:
    """Choose the first sheet that is visible and has rows; else the first that has any of the two."""
    if not sheets:
        raise InputError(f"{name}: should have a sheet with a header and rows (got none)")
    return max(sheets, key=lambda each: (each.visible and each.rows > 0, each.rows > 0, each.visible))


def notes_of_cells(name: str, sheet: Sheet) -> list[str]:
    """Say which cells of a sheet that was read count as empty, and do not look so.

    Parameters
    ----------
    name : str
        Of the file.
    sheet : Sheet
        As `read_sheet` gives it.

    Returns
    -------
    list of str
        One line each.
    """
    counts = ((sheet.uncomputed, "with a formula and no value"), (sheet.errors, "that show an error such as #N/A"))
    way_out = "which count as empty; open it in Excel, mend them and save it again"
    return [f'{name}: in its sheet "{sheet.name}" are {count:,} cells {what}, {way_out}' for count, what in counts if count]


def notes_of_others(name: str, sheets: Sequence[Sheet]) -> list[str]:
    """Say which sheets with rows were not read, and that the one that was read is hidden.

    Parameters
    ----------
    name : str
        Of the file.
    sheets : sequence of Sheet
        As `read_sheet` gives them.

    Returns
    -------
    list of str
        One line each.
    """
    read, *others = sheets
    left = [f'"{each.name}" ({each.rows:,} rows{"" if each.visible else ", hidden"})' for each in others if each.rows]
    notes = [f'{name}: of its sheets "{read.name}" is read, and not {", ".join(left)}; data.sheet names another'] if left else []
    return notes if read.visible else [*notes, f'{name}: its sheet "{read.name}" is hidden, and read as no other has rows']


def _message(error: Exception) -> str:
    # What follows names paths.
    return one_line(ValueError(str(error).partition("\nContext:")[0]))


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
