"""Rows written all at once are those that XlsxWriter writes cell by cell."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
from fastexcel import read_excel
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from segmenter.report.call_sheet_cells import formats, new_workbook, write_cell
from segmenter.report.labels import Labels
from segmenter.report.sheet_rows import Rows, write_rows

STYLES = ("text", "number", "date", "date")
HOSTILE = [
    "=1+1",
    "a & b < c",
    " blank ",
    "two\nlines",
    "a\r\nb",
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
        st.integers(-(10**12), 10**12).map(lambda cents: cents / 100) | st.none(),
        st.dates(date(1950, 1, 1), date(2100, 1, 1)) | st.none(),
        st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)) | st.none(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=10, deadline=None)
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


def test_text_that_looks_like_markup_or_a_code_stays_text(tmp_path: Path) -> None:
    with new_workbook(tmp_path / "book.xlsx", {}) as book:
        looks, sheet = formats(book, Labels("en", "CNY")), book.add_worksheet("calls")
        write_cell(sheet, 0, 0, "head", looks["head", False, False])
        write_cell(sheet, 1, 0, None, looks["text", False, False])
    texts = ["<r>a</r>", "_x0041_", "</t>", "\\1$1${1}"]
    write_rows(tmp_path / "book.xlsx", {1: Rows(2, pl.DataFrame({"kind": 0, "height": 15.0, "a": texts}))})
    assert read_excel(tmp_path / "book.xlsx").load_sheet(0).to_polars()["head"].to_list() == texts


def _cells(path: Path) -> list[tuple[object, ...]]:
    sheet = load_workbook(path)["calls"]
    assert sheet.dimensions == f"A1:D{sheet.max_row}"
    return [
        (cell.coordinate, cell.value or None, cell.number_format, cell.fill.fgColor.rgb, cell.protection.locked)
        for row in sheet.iter_rows()
        for cell in row
    ]
