"""Sheets of workbooks."""

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
from hypothesis import strategies as st
from shop_files import configured, problems, raw, read, values, workbook

from segmenter.sources.files import read_files

cells = st.text(st.one_of(st.characters(codec="gb18030", exclude_characters="\0"), st.sampled_from("\",;|\t\n\r '四川省")), max_size=8)


def test_rows_above_the_header_of_a_sheet_are_left_out(tmp_path: Path) -> None:
    rows: list[list[object]] = [["订单导出报表"], ["导出时间：", dt.date(2026, 3, 3)], [], ["id", "金额"], ["a", 1], [], ["b", 2.5]]
    for first_row in (1, 3):
        path = workbook(tmp_path / f"{first_row}.xlsx", rows, first_row=first_row)
        for skip_rows in (first_row + 1, first_row + 2):
            frame = read(path, skip_rows=skip_rows)
            assert frame.columns[:2] == ["id", "金额"]
            assert frame.drop("__file").rows() == [("a", 1.0, first_row + 4), ("b", 2.5, first_row + 6)]
    assert "1.xlsx" in problems(tmp_path / "1.xlsx", skip_rows=20)
    assert "data.skip_rows leaves out 20 rows" in problems(tmp_path / "1.xlsx", skip_rows=20)


def test_a_workbook_keeps_types_and_loses_no_cell(tmp_path: Path) -> None:
    day, moment = dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 1, 10, 20)
    rows: list[list[object]] = [["客户编号", "金额", "日期", "时间", "混合", "省份", None, "备注", "备注"]]
    rows += [[13800000000 + row, 12345.0, day, moment, 12345.0, "四川", None, 1.25, 2] for row in range(1_500)]
    rows += [
        ["VIP-1", "abc", day, moment, moment, "", None, None, None],
        [None] * 9,
        [7, 12.5, day, moment, "n/a", "#N/A", "extra", None, None],
    ]
    frame = read(workbook(tmp_path / "订单 (1).xlsx", rows, first_row=3), sheet="订单")
    assert frame.columns == ["客户编号", "金额", "日期", "时间", "混合", "省份", "column_7", "备注_1", "备注_2", "__file", "__row"]
    assert frame.schema["日期"] == pl.Date
    assert frame.schema["时间"] == pl.Datetime("ms")
    assert frame.schema["备注_2"] == pl.Int64
    assert frame.row(0)[:6] == ("13800000000", "12345", day.date(), moment, "12345", "四川")
    assert values(frame)[1500:] == [
        ("VIP-1", "abc", day.date(), moment, "2026-03-01 10:20:00", None, None, None, None),
        ("7", "12.5", day.date(), moment, "n/a", None, "extra", None, None),
    ]
    assert frame["__row"].to_list()[-2:] == [1504, 1506]


def test_sheets_are_named_and_the_first_is_the_default(tmp_path: Path) -> None:
    path = workbook(tmp_path / "shop.xlsx", [["id"], [1], [2]])
    assert values(read(path)) == [(1,), (2,)]
    assert 'data.sheet: is no sheet of shop.xlsx (got "订单明细"); nearest: 订单' in problems(path, sheet="订单明细")
    assert "got an empty sheet" in problems(path, sheet="退款")


def test_an_opendocument_sheet_is_read(tmp_path: Path) -> None:
    spaces = "".join(f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    rows = [["id", "金额"], ["a", "1"]]
    cells = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row)
        + "</table:table-row>"
        for row in rows
    )
    body = f'<office:body><office:spreadsheet><table:table table:name="S">{cells}</table:table></office:spreadsheet></office:body>'
    with zipfile.ZipFile(tmp_path / "shop.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml", '<?xml version="1.0"?><m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        )
        archive.writestr("content.xml", f'<?xml version="1.0"?><office:document-content{spaces}>{body}</office:document-content>')
    assert values(read(tmp_path / "shop.ods")) == [("a", "1")]


def sheets(path: Path, named: dict[str, list[list[object]]], hidden: str = "") -> Path:
    book = openpyxl.Workbook()
    del book["Sheet"]
    for name, rows in named.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name == hidden else "visible"
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


HEAD: list[object] = ["customer_id", "time", "amount"]
MONTHS: dict[str, list[list[object]]] = {
    "一月": [["某某店"], HEAD, ["a", "2026-01-01", 1], ["合计", None, 1]],
    "二月": [HEAD, ["b", "2026-02-01", 2], ["a", "2026-02-02", 3]],
    "三月": [["amount", "Time", "Customer ID"], [4, "2026-03-01", "c"]],
}


def test_all_sheets_with_the_same_header_are_read_in_their_order(tmp_path: Path) -> None:
    others: dict[str, list[list[object]]] = {
        "说明": [["本表由系统导出"], ["请勿修改"]],
        "客户": [["customer_id", "name"], ["a", "张三"]],
        "退款": [HEAD, ["a", "2026-02-02", 3]],
        "备份": [HEAD, ["z", "2026-02-02", 9]],
        "hidden": [HEAD, ["z", "2026-02-02", 9]],
    }
    found = raw(sheets(tmp_path / "a.xlsx", {"说明": others["说明"], **MONTHS, **others}, hidden="hidden"))
    assert found.frame.select("customer_id", "amount", "__file", "__row").rows() == [
        ("a", 1, "a.xlsx", 3),
        ("b", 2, "a.xlsx [二月]", 2),
        ("a", 3, "a.xlsx [二月]", 3),
        ("c", 4, "a.xlsx [三月]", 2),
    ]
    assert found.fingerprints[0].read_as == 'sheets "一月", "二月", "三月"'
    (warning,) = (str(finding.message) for finding in found.findings if finding.level == "warning")
    assert all(f'"{name}" (' in warning for name in others)
    assert values(read(tmp_path / "a.xlsx", orders={"path": "-", "sheet": "退款"})) == [("a", "2026-02-02", 3)]


def test_a_sheet_with_one_column_more_is_read_with_the_others(tmp_path: Path) -> None:
    wider: list[list[object]] = [[*HEAD, "备注"], ["c", "2026-03-01", 4, "急"]]
    found = raw(sheets(tmp_path / "a.xlsx", {"2025": MONTHS["二月"], "2026": wider}))
    assert found.frame.select("customer_id", "备注").rows() == [("b", None), ("a", None), ("c", "急")]
    copied: list[list[object]] = [[*HEAD, "备注"], ["b", "2026-02-01", 2, "急"]]
    assert 'of the rows of its sheet "2026", 1 stand in sheet "2025"' in problems(
        sheets(tmp_path / "b.xlsx", {"2025": MONTHS["二月"], "2026": copied})
    )


def test_one_workbook_may_hold_all_tables(tmp_path: Path) -> None:
    path = sheets(
        tmp_path / "a.xlsx", {"orders": [["id", "day", "sum"], ["a", "2026-01-01", 1]], "people": [["person", "town"], ["a", "Kent"]]}
    )
    settings = configured(
        orders={"path": str(path), "columns": {"customer_id": "id", "time": "day", "amount": "sum"}},
        customers={"path": str(path), "columns": {"customer_id": "person"}},
    )
    assert values(read_files("orders", str(path), settings).frame) == [("a", "2026-01-01", 1)]
    assert values(read_files("customers", str(path), settings).frame) == [("a", "Kent")]


def test_a_sheet_whose_rows_stand_in_another_is_a_copy(tmp_path: Path) -> None:
    copied = {"all": [*MONTHS["二月"], ["d", "2026-02-03", 5]], "best": MONTHS["二月"]}
    assert 'of the rows of its sheet "best", 2 stand in sheet "all" as well' in problems(sheets(tmp_path / "a.xlsx", copied))
    assert read(tmp_path / "a.xlsx", sheet="all").height == 3


def test_a_pivot_is_not_read(tmp_path: Path) -> None:
    path = sheets(tmp_path / "a.xlsx", {"pivoted": MONTHS["二月"], "data": [HEAD, ["x", "2026-02-01", 7]]})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/worksheets/_rels/sheet1.xml.rels", '<R><Relationship Type="http://x/relationships/pivotTable"/></R>')
    assert values(read(path)) == [("x", "2026-02-01", 7)]


def test_a_sheet_without_a_header_has_columns_by_number(tmp_path: Path) -> None:
    rows: list[list[object]] = [["a", dt.date(2026, 3, 3), 1], ["b", dt.date(2026, 3, 4), 2.5]]
    for first_row in (1, 3):
        frame = read(workbook(tmp_path / f"{first_row}.xlsx", rows, first_row=first_row), header=False)
        assert frame.columns[:3] == ["column_1", "column_2", "column_3"]
        assert frame.select("column_1", "column_3", "__row").rows() == [("a", 1.0, first_row), ("b", 2.5, first_row + 1)]
