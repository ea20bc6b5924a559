"""Workbooks as people bring them: damaged, far too large, or with more than one table."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from shop_files import problems, raw

from segmenter.sources.answers import read_answers

ROWS = [["customer_id", "amount"], *([f"c{number}", number] for number in range(20))]


def number(value: int) -> bytes:
    """Write a whole number as Thrift's compact protocol does."""
    value, written = 2 * value, b""
    while value > 127:
        value, written = value >> 7, written + bytes([value & 127 | 128])
    return b"\x16" + written + bytes([value])


def book(path: Path, change: Callable[[Any, Any], object] = lambda book, sheet: None) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "orders"
    for row in ROWS:
        sheet.append(row)
    change(made, sheet)
    made.save(path)
    return path


def changed(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            if (new := change(name, content)) is not None:
                archive.writestr(name, new)
    return path


def put(place: str) -> Callable[[Any, Any], object]:
    return lambda book, sheet: sheet.__setitem__(place, "stray")


def bold(place: str) -> Callable[[Any, Any], object]:
    return lambda book, sheet: setattr(sheet[place], "font", openpyxl.styles.Font(bold=True))


@pytest.mark.parametrize("place", ["XFD1048576", "XFD30000", "ZZ1048576"])
def test_a_stray_cell_far_away_is_named_with_its_sheet(tmp_path: Path, place: str) -> None:
    message = problems(book(tmp_path / "a.xlsx", put(place)))
    assert '"orders"' in message
    assert place in message


def test_cells_beyond_the_last_of_any_sheet_are_refused(tmp_path: Path) -> None:
    path = changed(book(tmp_path / "a.xlsx"), lambda name, part: part.replace(b'r="A21"', b'r="ZZZZZZZ21"'))
    assert "ZZZZZZZ21" in problems(path)


def test_far_away_cells_that_are_empty_or_on_other_sheets_do_no_harm(tmp_path: Path) -> None:
    assert raw(book(tmp_path / "a.xlsx", bold("XFD1048576"))).frame.height == 20
    assert raw(book(tmp_path / "b.xlsx", put("A90000"))).frame["__row"][-1] == 90_000
    assert raw(book(tmp_path / "c.xlsx", lambda made, _: put("XFD1048576")(made, made.create_sheet("notes")))).frame.height == 20
    claims = changed(book(tmp_path / "d.xlsx"), lambda name, part: part.replace(b'ref="A1:B21"', b'ref="A1:XFD1048576"'))
    assert raw(claims).frame.height == 20


def opendocument(cells: str) -> bytes:
    spaces = "".join(f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    body = f'<office:body><office:spreadsheet><table:table table:name="S">{cells}</table:table></office:spreadsheet></office:body>'
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>')
        archive.writestr("content.xml", f"<office:document-content{spaces}>{body}</office:document-content>")
    return sink.getvalue()


def test_a_sheet_of_another_kind_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="string" table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell>'
    path = tmp_path / "a.ods"
    path.write_bytes(opendocument(f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'))
    assert "a.ods: cannot be opened as a workbook" in problems(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda name, part: None if name.endswith("sheet1.xml") else part,
        lambda name, part: None if name.endswith("workbook.xml.rels") else part,
        lambda name, part: part[: len(part) // 2] if name.endswith("sheet1.xml") else part,
        lambda name, part: b"<" if name == "xl/workbook.xml" else part,
    ],
)
def test_a_workbook_that_lacks_a_part_is_refused(tmp_path: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    assert "a.xlsx: " in problems(changed(book(tmp_path / "a.xlsx"), change))


def test_a_workbook_that_is_not_what_its_checksums_say_or_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    content = bytearray(path.read_bytes())
    at = content.rindex(entry.CRC.to_bytes(4, "little"))
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert "a.xlsx: is a damaged workbook" in problems(path)
    sizes = book(tmp_path / "b.xlsx").read_bytes()
    at = sizes.rindex(entry.file_size.to_bytes(4, "little"))
    (tmp_path / "b.xlsx").write_bytes(sizes[:at] + (4_000_000_000).to_bytes(4, "little") + sizes[at + 4 :])
    assert "b.xlsx: should unpack to at most 2 GB" in problems(tmp_path / "b.xlsx")


def test_a_workbook_of_a_later_zip_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 80  # the version that it takes to unpack the first part
    path.write_bytes(content)
    assert "a.xlsx: should be a workbook" in problems(path)


def several(made: Any, sheet: Any) -> None:
    for place, (name, state) in enumerate([("hidden", "hidden"), ("cover", "visible"), ("lists", "veryHidden")]):
        made.create_sheet(name, place).sheet_state = state
        if name != "cover":
            made[name].append(["secret"])
            made[name].append([1])
    made.create_sheet("returns").append(["customer_id"])
    made.create_chartsheet("chart")
    made.active = 3


def test_the_first_visible_sheet_with_rows_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", several)
    found = raw(path)
    assert (found.fingerprints[0].read_as, found.frame.height) == ('sheet "orders"', 20)
    (note,) = (finding.message for finding in found.findings)
    assert [name in note for name in ('"hidden" (2', '"lists" (2', '"returns" (1', "cover", "chart")] == [True, True, True, False, False]
    assert raw(path, sheet="hidden").findings == ()
    alone = changed(book(tmp_path / "b.xlsx"), lambda name, part: part.replace(b'state="visible"', b'state="hidden"'))
    assert "is hidden" in raw(alone).findings[0].message


def uncomputed(made: Any, sheet: Any) -> None:
    sheet["B3"], sheet["B4"], sheet["C4"], sheet["B5"] = "=A1", "=SUM(B5:B9)", "=C4", "#N/A"


def test_cells_that_only_look_filled_are_told(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", uncomputed)
    assert ["3 cells with a formula" in raw(path).findings[0].message, "1 cells that show an error" in raw(path).findings[1].message] == [
        True,
        True,
    ]
    shown = changed(
        path, lambda name, part: part.replace(b"<f>A1</f><v />", b"<f>A1</f><v>7</v>").replace(b"<f>A1</f><v></v>", b"<f>A1</f><v>7</v>")
    )
    assert "2 cells with a formula" in raw(shown).findings[0].message


def test_answer_sheets_are_read_and_told_alike(tmp_path: Path) -> None:
    from datetime import date

    def sheets(made: Any, sheet: Any) -> None:
        several(made, sheet)
        sheet["B1"], sheet["B2"], sheet["B3"] = "answer", "joined", "=A1"
        made["returns"]["B1"], made["returns"]["A2"], made["returns"]["B2"] = "answer", "c9", "refused"

    book(tmp_path / "a.xlsx", sheets)
    found = read_answers([str(tmp_path)], before=date(2026, 7, 31), timezone="UTC")
    assert found.answers.select("customer_id", "source", "row").rows() == [("c0", "a.xlsx", 2), ("c9", "a.xlsx [returns]", 2)]
    assert "1 cells with a formula" in found.warnings[0]
