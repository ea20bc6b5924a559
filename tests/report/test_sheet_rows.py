"""Rows written all at once are those that XlsxWriter writes cell by cell."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from segmenter.report.call_sheet_cells import formats, new_workbook, write_cell
from segmenter.report.labels import Labels
from segmenter.report.sheet_rows import Rows, write_rows

STYLES = ("text", "number", "date", "date")
HOSTILE = [
    "=1+1",
    "<r>a</r>",
    "a & b < c",
    " blank ",
    "two\nlines",
    "a\r\nb",
    "_x0041_",
    "\x1b[31m",
    "\u202eleft",
    "👩‍🌾",
    "",
    "x" * 40_000,
    "👩" * 20_000,
]
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(blacklist_categories=["Cs"]), max_size=20) | st.none()
ROWS = st.lists(
    st.tuples(
        st.booleans(),
        TEXTS,
        st.floats(-1e12, 1e12) | st.integers(-9, 9) | st.none(),
        st.dates(date(1950, 1, 1), date(2100, 1, 1)) | st.none(),
        st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)) | st.none(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_rows_are_as_cell_by_cell(tmp_path_factory, rows: list) -> None:  # type: ignore[no-untyped-def, type-arg]
    folder = tmp_path_factory.mktemp("books")
    kinds = list(dict.fromkeys(row[0] for row in rows))
    for name, written in (("one", rows), ("all", [(kind, *[None] * 4) for kind in kinds])):
        with new_workbook(folder / f"{name}.xlsx", {}) as book:
            looks, sheet = formats(book, Labels("en", "CNY")), book.add_worksheet("calls")
            write_cell(sheet, 0, 0, "head", looks["head", False, False])
            for at, (kind, *cells) in enumerate(written, start=1):
                for place, (style, cell) in enumerate(zip(STYLES, cells, strict=True)):
                    write_cell(sheet, at, place, cell, looks[style, kind, False])
    schema = {"kind": pl.Int64, "height": pl.Float64, "a": pl.String, "b": pl.Float64, "c": pl.Date, "d": pl.Datetime}
    cells = pl.DataFrame([(kinds.index(kind), 15.0, *rest) for kind, *rest in rows], schema=schema, orient="row")
    write_rows(folder / "all.xlsx", {1: Rows(2, cells)})
    assert _cells(folder / "all.xlsx") == _cells(folder / "one.xlsx")


def _cells(path: Path) -> list[tuple[object, ...]]:
    sheet = load_workbook(path)["calls"]
    assert sheet.dimensions == f"A1:D{sheet.max_row}"
    return [
        (cell.coordinate, cell.value or None, cell.number_format, cell.fill.fgColor.rgb, cell.protection.locked)
        for row in sheet.iter_rows()
        for cell in row
    ]
