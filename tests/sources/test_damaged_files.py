"""Files as people bring them: damaged, far too large, of the wrong kind, or no files at all."""

import gzip
import io
import os
import resource
import signal
import socket
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from segmenter.errors import InputError
from segmenter.settings import DatabaseSettings, FilesSettings
from segmenter.sources.answers import read_answers
from segmenter.sources.database import read_query
from segmenter.sources.files import parquet_files, read_files
from segmenter.sources.raw import Raw

ROWS = [["customer_id", "amount"], *([f"c{number}", number] for number in range(20))]
SETTINGS: dict[str, Any] = {"encoding": "auto", "separator": "auto", "sheet": None, "skip_rows": 0, "decimal": "."}


def read(path: Path | str, **changes: object) -> Raw:
    return read_files("orders", str(path), FilesSettings.model_construct(**(SETTINGS | changes)))


def refused(path: Path | str, **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        read(path, **changes)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError("it waits")  # no OSError, which is told as a message

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def parquet(**options: Any) -> bytes:
    frame = pl.DataFrame(
        {"id": [f"c{row % 40}" for row in range(300)], "amount": [row * 1.5 for row in range(300)], "n": [None, 1, 2] * 100}
    )
    sink = io.BytesIO()
    pq.write_table(frame.to_arrow(), sink, **options)
    return sink.getvalue()


CHECKED = parquet(row_group_size=150, write_page_checksum=True)
SPOILT = (
    st.tuples(st.integers(0, len(CHECKED) - 1)).map(lambda cut: CHECKED[: cut[0]])
    | st.lists(st.tuples(st.integers(0, len(CHECKED) - 1), st.integers(0, 255)), min_size=1, max_size=4).map(
        lambda flips: bytes(dict(flips).get(at, byte) for at, byte in enumerate(CHECKED))
    )
    | st.integers(4, len(CHECKED) - 60).map(lambda at: CHECKED[:at] + bytes(50) + CHECKED[at + 50 :])
)


@hypothesis_settings(max_examples=60)
@given(SPOILT)
def test_damaged_parquet_is_refused_or_gives_all_rows(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.parquet")
        path.write_bytes(content)
        try:
            height = read(path).frame.height
        except InputError:
            return
        assert height == 300


def number(value: int) -> bytes:
    """Write a whole number as Thrift's compact protocol does."""
    value, written = 2 * value, b""
    while value > 127:
        value, written = value >> 7, written + bytes([value & 127 | 128])
    return b"\x16" + written + bytes([value])


@pytest.mark.parametrize("rows", [299, 1 << 40, 1 << 62])
def test_parquet_that_claims_other_numbers_of_rows_is_refused(tmp_path: Path, rows: int) -> None:
    whole = parquet()
    size = int.from_bytes(whole[-8:-4], "little")
    body, footer = whole[: -8 - size], whole[-8 - size : -8]
    at = footer.rindex(number(300))  # of its only row group
    footer = footer[:at] + number(rows) + footer[at + 3 :]
    path = tmp_path / "a.parquet"
    path.write_bytes(body + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    assert "a.parquet: is no whole Parquet file" in refused(path)


def test_a_page_that_is_not_what_its_checksum_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    whole = parquet(compression="none", use_dictionary=False, write_page_checksum=True)
    at = whole.index(b"c17")
    path.write_bytes(whole[:at] + b"c71" + whole[at + 3 :])
    assert "a.parquet: is no whole Parquet file" in refused(path)


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
    message = refused(book(tmp_path / "a.xlsx", put(place)))
    assert '"orders"' in message
    assert place in message


def test_cells_beyond_the_last_of_any_sheet_are_refused(tmp_path: Path) -> None:
    path = changed(book(tmp_path / "a.xlsx"), lambda name, part: part.replace(b'r="A21"', b'r="ZZZZZZZ21"'))
    assert "ZZZZZZZ21" in refused(path)


def test_far_away_cells_that_are_empty_or_on_other_sheets_do_no_harm(tmp_path: Path) -> None:
    assert read(book(tmp_path / "a.xlsx", bold("XFD1048576"))).frame.height == 20
    assert read(book(tmp_path / "b.xlsx", put("A90000"))).frame["__row"][-1] == 90_000
    assert read(book(tmp_path / "c.xlsx", lambda made, _: put("XFD1048576")(made, made.create_sheet("notes")))).frame.height == 20
    claims = changed(book(tmp_path / "d.xlsx"), lambda name, part: part.replace(b'ref="A1:B21"', b'ref="A1:XFD1048576"'))
    assert read(claims).frame.height == 20


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
    assert "a.ods: cannot be opened as a workbook" in refused(path)


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
    assert "a.xlsx: " in refused(changed(book(tmp_path / "a.xlsx"), change))


def test_a_workbook_that_is_not_what_its_checksums_say_or_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    content = bytearray(path.read_bytes())
    at = content.rindex(entry.CRC.to_bytes(4, "little"))
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert "a.xlsx: is a damaged workbook" in refused(path)
    sizes = book(tmp_path / "b.xlsx").read_bytes()
    at = sizes.rindex(entry.file_size.to_bytes(4, "little"))
    (tmp_path / "b.xlsx").write_bytes(sizes[:at] + (4_000_000_000).to_bytes(4, "little") + sizes[at + 4 :])
    assert "b.xlsx: should unpack to at most 2 GB" in refused(tmp_path / "b.xlsx")


def test_a_workbook_of_a_later_zip_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 80  # the version that it takes to unpack the first part
    path.write_bytes(content)
    assert "a.xlsx: should be a workbook" in refused(path)


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
    found = read(path)
    assert (found.fingerprints[0].read_as, found.frame.height) == ('sheet "orders"', 20)
    (note,) = found.notes
    assert [name in note for name in ('"hidden" (2', '"lists" (2', '"returns" (1', "cover", "chart")] == [True, True, True, False, False]
    assert read(path, sheet="hidden").notes == ()
    alone = changed(book(tmp_path / "b.xlsx"), lambda name, part: part.replace(b'state="visible"', b'state="hidden"'))
    assert "is hidden" in read(alone).notes[0]


def uncomputed(made: Any, sheet: Any) -> None:
    sheet["B3"], sheet["B4"], sheet["C4"], sheet["B5"] = "=A1", "=SUM(B5:B9)", "=C4", "#N/A"


def test_cells_that_only_look_filled_are_told(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", uncomputed)
    assert ["3 cells with a formula" in read(path).notes[0], "1 cells that show an error" in read(path).notes[1]] == [True, True]
    shown = changed(
        path, lambda name, part: part.replace(b"<f>A1</f><v />", b"<f>A1</f><v>7</v>").replace(b"<f>A1</f><v></v>", b"<f>A1</f><v>7</v>")
    )
    assert "2 cells with a formula" in read(shown).notes[0]


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


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xlsx"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "nothing"])
@pytest.mark.parametrize("way", ["file", "folder", "glob"])
def test_what_is_no_file_is_refused_and_never_waited_for(
    tmp_path: Path, name: str, kind: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("b.csv").write_text("customer_id,amount\na,1\n")
    match kind:
        case "pipe":
            os.mkfifo(name)
        case "socket":
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(name)
        case "device":
            Path(name).symlink_to("/dev/zero")
        case "nothing":
            Path(name).symlink_to("gone")
    path = {"file": name, "folder": ".", "glob": "*.*"}[way]
    assert parquet_files(path) is None
    assert name in refused(path)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "a\0b.csv", "x" * 5_000, "~no such user/a.csv", "loop.csv"])
def test_a_path_that_leads_to_no_file_is_refused(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop.csv").symlink_to("loop.csv")
    monkeypatch.setattr("segmenter.sources.files.near_files", lambda path: "")
    assert refused(path).startswith("data.orders.path: ")


def test_few_file_handles_are_enough_for_a_folder(tmp_path: Path) -> None:
    for part in range(60):
        (tmp_path / f"{part:03}.csv").write_text(f"customer_id,amount\nc{part},{part}\n")
    read(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(name) for name in os.listdir("/proc/self/fd")) + 12, hard))
    try:
        assert read(tmp_path).frame.height == 60
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_name_that_is_not_utf8_is_said(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/\xb6\xa9.csv")).write_text("customer_id,amount\na,1\n")
    assert "not UTF-8" in refused(tmp_path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segmenter.sources import files

    path = tmp_path / "a.csv"
    path.write_text("customer_id,amount\na,1\n")
    hashed = files.sha256

    def growing(place: Path) -> str:
        with place.open("a") as file:
            file.write("b,2\n")
        return hashed(place)

    monkeypatch.setattr(files, "sha256", growing)
    assert "a.csv: has changed while it was read" in refused(path)


HEAD = "customer_id,amount\n"


@pytest.mark.parametrize(
    ("content", "rows", "bad"),
    [
        (HEAD + "a,1\rb,2\nc,3\r\nd,4\n", [2, 3, 4, 5], []),
        ("customer_id\ra\rb\nc\r\nd\n", [2, 3, 4, 5], []),
        ("customer_id\r\na\rb\nc\r\n", [2, 3, 4], []),
        ("customer_id\ra\rb\nc\n", [2, 3, 4], []),
        ((HEAD + "a,1\nb,2\n").replace("\n", "\r\r\n"), [3, 5], []),
        ("\n\n" + HEAD + '\n"a\r\n\nx",1\nb,2\n', [5, 8], []),
        ('"customer\nid",amount\na,1\n"b\nc",2\n\nd,3,4,5\ne,6\n', [3, 4, 8], [7]),
        (HEAD + "x" * (1 << 21) + ",1\na,2\n", [2, 3], []),
        (HEAD + '"' + "x" * (1 << 21) + '",1\na,2\n', [2, 3], []),
        (HEAD + 'a,1\n"b,2\nc,3\n', [2, 4], [3]),
        (HEAD + "a\0,1\n" * 2, [2, 3], []),
        (",".join(f"{place:0100}" for place in range(3_000)) + "\n" + "1," * 2_999 + "1\n", [2], []),
        (",".join(["same"] * 3_000) + "\n" + "1," * 2_999 + "1\n", [2], []),
        (HEAD + "a\x0bb,1\nc\u2028d,2\ne\x85f,3\n", [2, 3, 4], []),
    ],
    ids=range(14),
)
@pytest.mark.parametrize("zipped", [False, True])
def test_each_record_is_a_row_or_a_reject_on_its_line(tmp_path: Path, content: str, rows: list[int], bad: list[int], zipped: bool) -> None:
    path = tmp_path / ("a.csv.gz" if zipped else "a.csv")
    path.write_bytes(gzip.compress(content.encode(), 1) if zipped else content.encode())
    found = read(path, encoding="utf-8")
    assert (found.frame["__row"].to_list(), found.rejects["row"].to_list()) == (rows, bad)


@pytest.mark.parametrize(("text", "encoding"), [("+2AA-", "utf-7"), (r"\ud800", "unicode_escape"), ("é", "utf-16"), ("a", "undefined")])
def test_what_no_encoding_can_hold_names_its_line(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"customer_id\n{text}\n", encoding="utf-8")
    assert "a.csv: line 1 is not" in refused(path, encoding=encoding)


def test_gzip_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmenter.sources.encodings._MOST_BYTES", 1 << 21)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"customer_id\n" + b"a\n" * (1 << 21), 1))
    assert "should unpack to at most" in refused(path)


@pytest.mark.parametrize("query", ["VACUUM INTO 'copy.db'", "ATTACH 'copy.db' AS c", "DELETE FROM o RETURNING *", "PRAGMA user_version=7"])
def test_no_query_writes_in_or_beside_the_database(tmp_path: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("shop.db") as shop:
        shop.execute("CREATE TABLE o AS SELECT 1 AS a")
    shop.close()
    before = Path("shop.db").read_bytes()
    settings = DatabaseSettings.model_construct(url="sqlite:///shop.db", decimal=".")
    with pytest.raises(InputError):
        read_query("orders", query, settings)
    assert (Path("shop.db").read_bytes(), os.listdir()) == (before, ["shop.db"])
    Path("folder.db").mkdir()
    with pytest.raises(InputError, match="got a folder"):
        read_query("orders", "SELECT 1", DatabaseSettings.model_construct(url="sqlite:///folder.db", decimal="."))
