"""How the files of each table are written."""

import datetime as dt
from pathlib import Path

import pytest
from shop_files import configured, read, saved, values, workbook

from segmenter.errors import ConfigError, InputError
from segmenter.sources.file_format import format_of
from segmenter.sources.files import read_files

BODY: list[list[object]] = [["customer_id", "time", "amount"], ["a", dt.date(2026, 3, 1), 12.5], ["b", dt.date(2026, 3, 2), 7]]


def test_a_table_has_what_the_others_have_or_its_own() -> None:
    own = {"encoding": "gb18030", "separator": ";", "sheet": "x", "skip_rows": 3, "header": False}
    settings = configured(encoding="utf-8", skip_rows=1, customers={"path": "-", **own})
    orders, customers = format_of(settings, "orders"), format_of(settings, "customers")
    assert (orders.encoding, orders.separator, orders.sheet, orders.skip_rows) == ("utf-8", "auto", None, 1)
    assert {name: getattr(customers, name) for name in own} == own
    assert [orders.set_by("encoding"), customers.set_by("encoding")] == ["data.encoding", "data.customers.encoding"]


def test_the_columns_and_the_sql_of_a_mapping_are_what_is_looked_for() -> None:
    columns = {"customer_id": "客户 编号", "time": "day", "amount": "Quantity * UnitPrice"}
    written = format_of(configured(orders={"path": "-", "columns": columns, "where": "Quantity > 0"}), "orders")
    assert written.fits(["客户 编号", "day", "Quantity", "UnitPrice", "more"])
    assert written.lacking(["day", "Quantity"]) == ["客户 编号", "Quantity * UnitPrice"]
    assert format_of(configured(customers={"path": "-"}), "customers").wanted == ("customer_id",)


@pytest.mark.parametrize(
    ("key", "value", "said"), [("encoding", "gb18003", "encoding: is no text encoding"), ("separator", "::", "separator: should be")]
)
def test_a_wrong_setting_is_named_where_it_stands(key: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"data\.orders\.{said}"):
        read("nowhere.csv", orders={"path": "-", key: value})


def test_each_table_is_read_by_its_own(tmp_path: Path) -> None:
    orders = saved(tmp_path, "orders.csv", "customer_id,time,amount\na,2026-03-01,12.5\n")
    customers = saved(tmp_path, "customers.csv", "a|b\nnot read\ncustomer_id^name\na^张三\n".encode("gb18030"))
    events = workbook(tmp_path / "events.xlsx", [["customer_id", "kind", "time"], ["a", "visit", dt.date(2026, 3, 1)]], sheet="三月")
    settings = configured(
        encoding="utf-8",
        skip_rows=0,
        orders={"path": str(orders)},
        customers={"path": str(customers), "encoding": "gb18030", "separator": "^", "skip_rows": 2},
        events={"path": str(events), "sheet": "三月"},
    )
    assert values(read_files("orders", str(orders), settings).frame) == [("a", "2026-03-01", "12.5")]
    assert values(read_files("customers", str(customers), settings).frame) == [("a", "张三")]
    assert values(read_files("events", str(events), settings).frame) == [("a", "visit", dt.date(2026, 3, 1))]
    with pytest.raises(InputError, match=r'data\.events\.sheet: is no sheet of events\.xlsx \(got "四月"\)'):
        read_files("events", str(events), configured(events={"path": str(events), "sheet": "四月"}))


def test_a_number_of_rows_is_taken_literally(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["Orders"], *BODY])
    assert read(path).columns[:3] == BODY[0]
    assert read(path, skip_rows=0).columns[0] == "Orders"
    assert read(path, orders={"path": str(path), "skip_rows": 1}, skip_rows=0).columns[:3] == BODY[0]
