"""Totals, notes and headers between and below the rows of a table."""

import polars as pl
import pytest

from segmenter.checks.inner_headers import other_headers
from segmenter.checks.table_ends import other_rows

NAMES = ["id", "day", "amount", "city"]
Cells = list[str | None]
ROWS: list[Cells] = [
    ["a", "2026-01-01", "1.5", "x"],
    ["b", "2026-01-02", "2.5", "y"],
    ["c", "2026-01-03", "3", None],
    ["d", "2026-01-04", "3", None],
]


def table(rows: list[Cells], names: list[str] = NAMES) -> pl.DataFrame:
    """Number the rows from 2 on; one that is empty is blank."""
    kept = [(*row, *[None] * (len(names) - len(row)), number) for number, row in enumerate(rows, start=2) if row]
    return pl.DataFrame(kept, schema={**dict.fromkeys(names, pl.String), "__row": pl.Int64}, orient="row")


def found(rows: list[Cells], names: list[str] = NAMES) -> list[tuple[int, str, bool | None]]:
    return [(other.row, other.kind, other.proof) for other in other_rows(table(rows, names), [names], "__row")]


@pytest.mark.parametrize(
    ("rows", "others"),
    [
        ([["合计", None, "10"]], [(6, "total", True)]),
        ([["Total:", None, "10.00"]], [(6, "total", True)]),
        ([["Gesamt", None, "10,00 €"]], [(6, "total", True)]),
        ([["总计：10"]], [(6, "total", True)]),
        ([["TOTAL", None, "11"]], [(6, "total", False)]),
        ([["合计", "4"]], [(6, "total", True)]),  # how many
        ([["小计"], ["合计", None, "10"]], [(6, "total", None), (7, "total", True)]),
        ([[None, None, "10"]], [(6, "total", True)]),  # only its sum says so
        ([[None, None, "11"]], []),  # which is for the rejects
        ([["Total", "2026-01-05", "10", "z"]], [(6, "total", True)]),
        ([["Total", "2026-01-05", "11", "z"]], [(6, "unsure", False)]),
        (
            [["合计", None, "10"], ["导出时间：2026-03-31 10:00"], ["制表人：", "李四"]],
            [(6, "total", True), (7, "note", None), (8, "note", None)],
        ),
        ([["制单：张三", None, "审核：李四"], ["Made by: Ann", None, None, "Checked by: Bob"]], [(6, "note", None), (7, "note", None)]),
        ([["合计", "4 人", None, None]], [(6, "total", None)]),
        ([["合计", "Ann"]], [(6, "unsure", None)]),
        ([["wx:ann"]], []),
        ([["共 4 条记录"]], [(6, "note", None)]),
        ([["4 rows"]], [(6, "note", None)]),
        ([[], ["These are provisional figures"], ["see the handbook"]], [(7, "note", None), (8, "note", None)]),
        ([["e e"]], []),  # no blank row above: it may be an id
        ([[], ["e"]], []),
        ([["e", "2026-01-05", "5"]], []),
        ([["Totally", "2026-01-05", "5", "z"]], []),
    ],
)
def test_what_stands_below_a_table_is_none_of_its_rows(rows: list[Cells], others: list[tuple[int, str, bool | None]]) -> None:
    assert found([*ROWS, *rows]) == others


def test_totals_of_parts_stand_between_the_rows() -> None:
    parts: list[Cells] = [*ROWS, ["小计", None, "10"], *ROWS[:2], ["小计", None, "4"], ["总计", None, "14"]]
    assert found(parts) == [(6, "total", True), (9, "total", True), (10, "total", True)]


def test_subtotals_are_called_after_their_group() -> None:
    grouped: list[Cells] = [
        ROWS[0],
        ["a 汇总", None, "1.5"],
        *ROWS[1:3],
        ["b Total", None, "5.5"],
        ["Grand Total", None, "7"],
        ["平均", None, "2.3"],
    ]
    assert found(grouped) == [(3, "total", True), (6, "total", True), (7, "total", True), (8, "note", None)]
    assert found([*ROWS, ["Lotte Total", None, "9"], *ROWS]) == []  # a customer with a cell left empty, for the rejects


def test_a_total_may_stand_first_or_have_a_number_of_its_own() -> None:
    assert found([["合计", None, "10"], *ROWS]) == [(2, "total", True)]
    numbered: list[Cells] = [[str(at), "2026-01-01", "2", "x"] for at in range(1, 5)]
    assert found([*numbered, ["5", "合计", "8"]], ["no", "id", "amount", "city"]) == [(6, "total", True)]
    assert found([*numbered, ["5", "合计", "9"]], ["no", "id", "amount", "city"]) == []


def test_exports_pasted_below_each_other_repeat_header_title_and_total() -> None:
    pasted: list[Cells] = [*ROWS, ["合计", None, "10"], [], ["三月"], [*NAMES], *ROWS[:1], ["合计", None, "1.5"]]
    assert [row for row, _, _ in found(pasted)] == [6, 8, 9, 11]
    assert other_headers(table(pasted), [NAMES], "__row") == []


def test_titles_of_pages_are_no_rows() -> None:
    pages: list[Cells] = [*ROWS[:2], ["本页合计", None, "4"], ["Sales", "page 2"], [*NAMES], *ROWS[2:], ["本页合计", None, "6"]]
    others = other_rows(table(pages), [["Sales", "page 1", None, None], NAMES], "__row")
    assert [(other.row, other.kind) for other in others] == [(4, "total"), (5, "repeated"), (6, "repeated"), (9, "total")]


@pytest.mark.parametrize(
    "rows",
    [
        [["day", "id", "amount", "city"], ["2026-01-05", "e", "5", "x"]],
        [[], ["region", "orders", "sum"], ["x", "3", "7"]],
        [["合计", None, "10"], [], ["region", "orders", "sum"], ["x", "3", "7"]],
    ],
)
def test_a_header_of_other_columns_is_seen(rows: list[Cells]) -> None:
    frame = table([*ROWS, *rows])
    (at,) = other_headers(frame, [NAMES], "__row")
    assert frame.filter(pl.col("__row") == at)["amount"].to_list() in (["amount"], ["sum"])


def test_rows_of_all_kinds_are_no_headers_and_no_totals() -> None:
    rows: list[Cells] = [
        ["city", "2026-01-01", "5", "id"],
        [],
        ["e", None, "n/a", "x"],
        ["f", "2026-01-05", "5", "total"],
        [None, "2026-01-05", "5", "合计"],
    ]
    assert other_headers(table([*ROWS, *rows, *ROWS]), [NAMES], "__row") == []
    assert found([*ROWS, *rows, *ROWS]) == []


def test_few_columns_need_more_than_a_word() -> None:
    customers: list[Cells] = [["c1", "Ann"], ["c2", None], ["c3", "Sum"], ["c4", "Total"], ["c5", None]]
    assert found(customers, ["customer_id", "name"]) == []
    assert found([["a", "1"], ["b", "2"], ["total", "3"]], ["id", "amount"]) == [(4, "total", True)]
