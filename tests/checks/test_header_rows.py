"""Where the header of a sheet is."""

from collections.abc import Sequence

import pytest

from segmenter.checks.header_rows import find_header, is_value

NAMES = ["客户编号", "下单时间", "金额", "城市"]
ROWS = [["C001", "2026-03-01 10:20", "128.50", "绵阳"], ["C002", "2026-03-02", "99", "成都"], ["C003", "2026-03-03", "7", ""]]


def nothing(names: Sequence[str | None]) -> bool:
    return False


@pytest.mark.parametrize(
    "above",
    [
        [],
        [["某某店订单"]],
        [["Orders of March 2026"], ["exported at", "2026-03-31 10:00"]],
        [["某某店订单", "", "", ""], ["", "", "", ""]],
        [["店铺：", "某某", "操作员：", "张三"], []],
        [["", "", "订单明细", ""]],
        [[], [], ["a"], ["b"], ["c"], ["2026"], []],
    ],
)
@pytest.mark.parametrize("mapped", [True, False])
def test_a_header_is_found_below_titles_and_with_or_without_a_mapping(above: list[list[str]], mapped: bool) -> None:
    found = find_header([*above, NAMES, *ROWS], lambda names: mapped and {"客户编号", "金额"} <= set(names))
    assert (found.first, found.last, list(found.names)) == (len(above), len(above), NAMES)


@pytest.mark.parametrize(
    ("upper", "lower", "names"),
    [
        (["客户", "", "订单", "", ""], ["编号", "姓名", "时间", "金额", "城市"], ["编号", "姓名", "时间", "金额", "城市"]),
        (["customer", "time", "amount", "", "city"], ["", "", "due", "paid", ""], ["customer", "time", "due", "paid", "city"]),
        (
            ["Käufer", "", "Empfänger", "", "Betrag"],
            ["Nr", "Ort", "Nr", "Ort", ""],
            ["Käufer Nr", "Käufer Ort", "Empfänger Nr", "Empfänger Ort", "Betrag"],
        ),
        (["", "", "Online", "", "Store"], ["id", "day", "net", "gross", "net"], ["id", "day", "Online net", "gross", "Store net"]),
    ],
)
@pytest.mark.parametrize("titles", [[], [["Orders"], []]])
def test_a_header_of_two_rows_is_put_together(upper: list[str], lower: list[str], names: list[str], titles: list[list[str]]) -> None:
    rows = [["C1", "x", "2026-01-02", "5", "7"], ["C2", "y", "2026-01-03", "6", "8"]]
    found = find_header([*titles, upper, lower, *rows], nothing)
    assert (found.last, list(found.names)) == (len(titles) + 1, names)
    assert (found.first == found.last) == (names == lower)  # whatever is above is a title where the lower row says all


@pytest.mark.parametrize(
    "rows",
    [
        [["id", "amount"], ["a", "1"]],
        [["id"], ["a"], ["b"]],
        [["id", "amount", "", ""], ["a", "b", "c", "d"], ["e", "f", "g", "h"]],  # nothing says that the second row has names
        [["C001", "2026-03-01", "5"], ["C002", "2026-03-02", "6"]],  # no header at all
        [["id", "2026-01", "2026-02"], ["a", "1", "2"], ["b", "3", "4"]],
        [["name", "city"], ["Ann", "Kent"], ["Bob", "Essex"]],
        [["id", "name", "note", "amount", "day"], ["x", "", "", "", ""], ["a", "b", "", "1", "2026-01-01"]],
        [["", "", ""], ["", "", ""]],
    ],
)
def test_where_nothing_is_clear_the_first_row_is_the_header(rows: list[list[str]]) -> None:
    found = find_header(rows, nothing)
    assert (found.first, found.last) == (0, 0)


def test_a_row_with_all_mapped_columns_is_the_header_whatever_is_above() -> None:
    summary = [["shop", "month", "total"], ["north", "March", "many"], []]
    found = find_header([*summary, NAMES, *ROWS], lambda names: {"客户编号", "金额"} <= set(names))
    assert found.first == 3


def test_a_value_is_no_name() -> None:
    values = ["2026-01-01", "¥1,2.3", "1.2万", "1 Mar 2026", "10:20 AM", "USD 12", "2026-03-01T10:20:00Z", "-5", "2026年3月1日", "١٢٣"]
    assert [value for value in values if not is_value(value)] == []
    assert [name for name in ("C001", "Q1", "spend_90d", "备注2", "amount", "") if is_value(name)] == []
