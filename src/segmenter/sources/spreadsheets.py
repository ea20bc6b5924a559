"""Excel workbooks and their like."""

import logging
from pathlib import Path
from typing import Any

import polars as pl

from segmenter.errors import InputError, nearest
from segmenter.sources.raw import label, one_line

_MOST_BLANK = 100  # rows above a header
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_sheet(path: Path, name: str, sheet: str | None, skip_rows: int) -> tuple[pl.DataFrame, str]:
    """Read one sheet of a workbook.

    Parameters
    ----------
    path : Path
        .xlsx, .xlsm, .xlsb, .xls or .ods.
    name : str
        What to call it in messages and in ``__file``.
    sheet : str or None
        The sheet's name; None for the first.
    skip_rows : int
        Rows above the header, ≥ 0, counted from the first of the sheet. Blank ones below them are skipped too.

    Returns
    -------
    DataFrame
        Types as found, and ``__file`` and ``__row``. A column of mixed types is text, as a person sees it; a cell that
        shows an error, such as ``#N/A``, is null.
    str
        How it was understood.

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
        sheets = fastexcel.read_excel(path).sheet_names
    except fastexcel.FastExcelError as error:
        if _ENCRYPTED in path.read_bytes():
            raise InputError(f"{name}: is protected by a password; save it without one") from error
        raise InputError(f"{name}: cannot be opened as a workbook ({_message(error)}); open it in Excel and save it again") from error
    chosen = sheets[0] if sheet is None else sheet
    if chosen not in sheets:
        raise InputError(f'data.sheet: is no sheet of {name} (got "{chosen}"){nearest(chosen, sheets)}')
    skipped = f"; data.skip_rows leaves out {skip_rows} rows" if skip_rows else ""
    try:
        # With no rows to skip, it begins by itself at the first that is not blank.
        top = fastexcel.read_excel(path).load_sheet(
            chosen, header_row=None, skip_rows=skip_rows or None, n_rows=_MOST_BLANK if skip_rows else 1, dtypes="string"
        )
        rows = [row for row in enumerate(top.to_polars().rows(), start=skip_rows) if any(row[1]) or not skip_rows]
        if not rows:
            raise InputError(
                f'{name}: should have a header and rows in sheet "{chosen}" (got an empty sheet); data.sheet names another{skipped}'
            )
        place, header = rows[0]
        options = {"header_row": place} if skip_rows else {}
        try:
            frame = _read(path, chosen, options)
        except fastexcel.UnsupportedColumnTypeCombinationError:
            frame = _read(path, chosen, {**options, "dtypes": "string"})
    except fastexcel.FastExcelError as error:
        raise InputError(f'{name}: its sheet "{chosen}" cannot be read ({_message(error)}){skipped}') from error
    return label(frame, header, name), f'sheet "{chosen}"'


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
