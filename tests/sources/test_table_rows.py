"""What of a file is no row of its table, and that it is said."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from shop_files import problems, raw, rejects, saved, values, workbook

from segmenter.findings import messages_of

HEAD = ["customer_id", "time", "amount", "city"]
ROWS: list[list[object]] = [
    ["C1", dt.datetime(2026, 3, 1, 10, 20), 128.5, "绵阳"],
    ["C2", dt.datetime(2026, 3, 2), 99, "成都"],
    ["C3", dt.datetime(2026, 3, 3), 10, None],
]
Rows = list[list[object]]


def as_csv(folder: Path, rows: Rows) -> Path:
    return saved(folder, "t.csv", "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows))


def as_padded_text(folder: Path, rows: Rows) -> Path:
    padded = [[*row, *[None] * (4 - len(row))] for row in rows]
    return saved(
        folder, "t.txt", "\r\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in padded).encode("gb18030")
    )


def as_workbook(folder: Path, rows: Rows) -> Path:
    return workbook(folder / "t.xlsx", rows)


WAYS = [as_csv, as_padded_text, as_workbook]
Write = Callable[[Path, Rows], Path]


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize(
    ("above", "below"),
    [
        ([], []),
        ([["某某旗舰店订单"]], [["合计", None, 237.5]]),
        ([["Orders"], ["exported at", dt.date(2026, 3, 31)], []], [["Total", None, 237.5], [], ["Note: provisional figures"]]),
        ([["店铺：", "某某"], []], [[None, None, 237.5], ["共 3 条"]]),
        ([[], []], [["制表人：李四"], ["导出时间：2026-03-31 10:00:00"]]),
    ],
)
def test_titles_totals_and_notes_are_left_out_of_any_file(tmp_path: Path, write: Write, above: Rows, below: Rows) -> None:
    path = write(tmp_path, [*above, HEAD, *ROWS, *below])
    found = raw(path)
    assert found.frame["customer_id"].to_list() == ["C1", "C2", "C3"]
    assert found.frame["__row"].to_list() == [len(above) + row for row in (2, 3, 4)]
    assert found.frame["amount"].cast(float).sum() == 237.5
    assert rejects(path) == []
    told = "\n".join(messages_of(found.findings, "note"))
    assert ("is its header" in told) == any(map(bool, above))
    assert ("left out as totals: 1" in told) == any(237.5 in row for row in below)
    assert messages_of(found.findings, "warning") == ()


@pytest.mark.parametrize("write", WAYS)
def test_another_table_above_is_a_warning(tmp_path: Path, write: Write) -> None:
    found = raw(write(tmp_path, [["region", "orders", "sum"], ["x", 3, 237.5], [], HEAD, *ROWS]))
    assert found.frame.height == 3
    assert "row 4 is its header; 2 above it" in messages_of(found.findings, "warning")[0]


@pytest.mark.parametrize("write", WAYS)
def test_exports_pasted_below_each_other_are_one_table(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path, [["二月"], HEAD, *ROWS, ["合计", None, 237.5], ["三月"], HEAD, ROWS[0], ["合计", None, 128.5]])
    found = raw(path)
    assert found.frame["customer_id"].to_list() == ["C1", "C2", "C3", "C1"]
    assert "repeat what stands above the table: 2 (row 7, 8)" in "\n".join(messages_of(found.findings, "note"))


def test_types_of_a_sheet_do_not_depend_on_its_total(tmp_path: Path) -> None:
    rows: Rows = [["customer_id", "time", "amount"], [1, dt.date(2026, 3, 1), 5], [2, dt.date(2026, 3, 2), 7], ["合计", "2 人", 12]]
    assert values(raw(workbook(tmp_path / "a.xlsx", rows)).frame) == [(1, dt.date(2026, 3, 1), 5), (2, dt.date(2026, 3, 2), 7)]


@pytest.mark.parametrize("write", WAYS)
def test_a_total_that_is_none_is_a_warning(tmp_path: Path, write: Write) -> None:
    (warning,) = messages_of(raw(write(tmp_path, [HEAD, *ROWS, ["合计", None, 300]])).findings, "warning")
    assert "not the sums of the rows: look whether some are missing" in warning
    unsure = raw(write(tmp_path, [HEAD, *ROWS, ["Total", dt.datetime(2026, 3, 4), 300, "x"]]))
    assert unsure.frame.height == 4
    assert "leave them out by data.orders.where" in messages_of(unsure.findings, "warning")[0]


def test_merged_cells_above_a_header_are_its_groups(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    rows: Rows = [["Orders of March"], ["Buyer", None, "Order"], ["customer_id", "city", "time", "amount", "city"]]
    for row in [*rows, ["C1", "x", dt.date(2026, 3, 1), 5, "z"], ["C2", "y", dt.date(2026, 3, 2), 6, "z"]]:
        sheet.append(row)
    for cells in ("A1:E1", "A2:B2", "C2:E2"):
        sheet.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")
    found = raw(tmp_path / "a.xlsx")
    assert found.frame.columns[:5] == ["customer_id", "Buyer city", "time", "amount", "Order city"]
    assert found.frame["__row"].to_list() == [4, 5]
    assert "rows 2 and 3 are its header" in messages_of(found.findings, "note")[1]


@pytest.mark.parametrize("write", WAYS)
def test_another_header_stops(tmp_path: Path, write: Write) -> None:
    other: Rows = [["time", "customer_id", "amount", "city"], [dt.datetime(2026, 3, 4), "C9", 5, "x"]]
    assert "row 5 seems to be another header" in problems(write(tmp_path, [HEAD, *ROWS, *other]))
    below: Rows = [[], ["region", "orders", "sum"], ["x", 3, 237.5]]
    assert "row 6 seems to be another header" in problems(write(tmp_path, [HEAD, *ROWS, *below]))


def test_tables_beside_each_other_stop(tmp_path: Path) -> None:
    def beside(names: list[object], *others: list[object]) -> Path:
        more = [names, *others, *[[None] * len(names)] * (3 - len(others))]
        return workbook(tmp_path / "a.xlsx", [[*row, None, *side] for row, side in zip([HEAD, *ROWS], more, strict=True)])

    assert "two beside each other, from A and from F on" in problems(beside(["region", "agent"], ["x", "Ann"]))
    assert "two beside each other" in problems(beside(HEAD[:3], ["C7", 1, 2], ["C8", 1, 2], ["C9", 1, 2]))
    assert raw(beside(["note", "channel"], ["x", "web"], ["y", None], ["z", "web"])).frame.height == 3
    assert raw(beside(["note"], ["the first"])).frame.height == 3
    assert "two beside each other" in problems(
        as_csv(tmp_path, [[*HEAD, None, "region", "agent"], [*ROWS[0], None, "x", "Ann"], *ROWS[1:]])
    )
