"""Files as people have them, from the command to the spend of each customer."""

import datetime as dt
import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from jobs import run_here

pytestmark = pytest.mark.slow

HEAD = ["客户编号", "下单时间", "实付金额", "省份"]
PEOPLE = ["四川", "广东", "浙江"]
COLUMNS = "{customer_id: 客户编号, time: 下单时间, amount: 实付金额, province: 省份}"


def rows(month: int, count: int = 40) -> list[list[object]]:
    """Orders of a month: of C0 to C9, a whole amount each."""
    return [[f"C{at % 10}", dt.datetime(2026, month, 1 + at % 28, 9), 100 + month + at, PEOPLE[at % 3]] for at in range(count)]


def total(table: list[list[object]]) -> list[object]:
    return ["合计", None, sum(int(str(row[2])) for row in table), None]


def as_text(table: list[list[object]], separator: str = ",") -> str:
    return "".join(separator.join("" if cell is None else str(cell) for cell in row) + "\r\n" for row in table)


def book(path: Path, sheets: dict[str, list[list[object]]]) -> None:
    made = openpyxl.Workbook()
    del made["Sheet"]
    for name, table in sheets.items():
        sheet = made.create_sheet(name)
        for row in table:
            sheet.append(row)
    made.save(path)


def launch(folder: Path, *more: str, code: int = 0, **paths: str) -> str:
    """Launch on the files of a folder; give what the command said of it."""
    found = [f"data.{table}.path={path}" for table, path in paths.items()]
    settled = ["launch.as_of=2026-07-01", "tracking=none", "out=out", "ledger.url=sqlite:///ledger.db"]
    return run_here("launch", "data=files", *found, f"data.orders.columns={COLUMNS}", *settled, *more, cwd=folder, code=code).stderr


def spend(folder: Path) -> dict[str, float]:
    customers = pl.read_parquet(folder / "out" / "customers.parquet")
    return dict(customers.select("customer_id", pl.col("spend").cast(pl.Float64)).rows())


def codes(folder: Path) -> list[str]:
    return [finding["found"] for finding in json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["checks"]]


def expected(*tables: list[list[object]]) -> dict[str, float]:
    frame = pl.DataFrame([(row[0], float(str(row[2]))) for table in tables for row in table], schema=["id", "amount"], orient="row")
    return dict(frame.group_by("id").agg(pl.col("amount").sum()).rows())


def of_money(found: dict[str, float], right: dict[str, float]) -> None:
    """Compare spend, which is in currency units or in cents."""
    scale = sum(found.values()) / sum(right.values())
    assert scale in (1, 100)
    assert {name: value / scale for name, value in found.items()} == right


def test_a_title_and_a_total_in_one_file_cost_the_other_nothing(tmp_path: Path) -> None:
    orders = rows(5)
    (tmp_path / "orders.csv").write_bytes(
        as_text([["某某店订单"], ["导出时间：2026-06-30"], [], HEAD, *orders, total(orders)]).encode("gb18030")
    )
    (tmp_path / "customers.csv").write_text(
        as_text([["客户编号", "姓名"], *([f"C{at}", f"客户{at}"] for at in range(10))], ";"), encoding="utf-8"
    )
    launch(tmp_path, "data.customers.columns.customer_id=客户编号", orders="orders.csv", customers="customers.csv")
    of_money(spend(tmp_path), expected(orders))
    assert {"sheets.titles", "sheets.totals"} <= set(codes(tmp_path))


def test_settings_belong_to_one_table(tmp_path: Path) -> None:
    orders = rows(5)
    (tmp_path / "orders.csv").write_bytes(as_text([HEAD, *orders]).encode("utf-8"))
    text = as_text([["a^b^c"], ["客户编号", "姓名"], *([f"C{at}", f"客户{at}"] for at in range(10))], "^")
    (tmp_path / "customers.csv").write_bytes(text.encode("gb18030"))
    own = ["encoding=gb18030", "separator=^", "skip_rows=1", "columns.customer_id=客户编号"]
    launch(tmp_path, *(f"data.customers.{key}" for key in own), "data.skip_rows=0", orders="orders.csv", customers="customers.csv")
    of_money(spend(tmp_path), expected(orders))


@pytest.mark.parametrize("kind", ["sheets", "files", "pasted"])
def test_every_month_counts_once_wherever_it_stands(tmp_path: Path, kind: str) -> None:
    april, may, june = rows(4), rows(5), rows(6, 25)
    match kind:
        case "sheets":
            notes: list[list[object]] = [["请勿修改"], ["系统导出"]]
            months = {"4月": [["四月"], HEAD, *april, total(april)], "5月": [HEAD, *may], "6月": [HEAD, *june, [], ["共 25 条"]]}
            book(tmp_path / "orders.xlsx", {"说明": notes, **months, "退款": [HEAD, *april[:3]]})
            path = "orders.xlsx"
        case "files":
            path = "exports"
            (tmp_path / path).mkdir()
            (tmp_path / path / "4月.csv").write_bytes(as_text([HEAD, *april]).encode("gb18030"))
            (tmp_path / path / "5月.txt").write_text(as_text([["五月"], HEAD, *may, total(may)], "\t"), encoding="utf-16")
            turned = [[name, *rest, key] for key, *rest, name in [HEAD, *june]]
            book(tmp_path / path / "6月.xlsx", {"Sheet1": turned})
            for name in ("readme.txt", "~$6月.xlsx", "scan.pdf"):
                (tmp_path / path / name).write_text("see the shop's manual\n", encoding="utf-8")
        case _:
            path = "orders.csv"
            parts = [[["某某店"], HEAD, *month, total(month), []] for month in (april, may, june)]
            (tmp_path / path).write_text(as_text([row for part in parts for row in part]), encoding="utf-8")
    launch(tmp_path, orders=path)
    of_money(spend(tmp_path), expected(april, may, june))


def test_a_file_of_another_layout_stops_with_its_name_and_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "orders_5.csv").write_text(as_text([HEAD, *rows(5)]), encoding="utf-8")
    (tmp_path / "exports" / "客户.csv").write_text("客户编号,姓名\r\nC1,张三\r\n", encoding="utf-8")
    said = launch(tmp_path, orders="exports", code=2)
    assert "客户.csv" in said
    assert "glob" in said
    launch(tmp_path, orders="exports/orders*")
    of_money(spend(tmp_path), expected(rows(5)))


def test_two_header_rows_are_one_header(tmp_path: Path) -> None:
    orders = rows(5)
    book(tmp_path / "orders.xlsx", {"订单": [["五月订单"], ["客户", "订单", None, "收货"], HEAD, *orders, total(orders)]})
    launch(tmp_path, orders="orders.xlsx")
    of_money(spend(tmp_path), expected(orders))
