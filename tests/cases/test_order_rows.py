"""What a row of the orders is: the cases as people met them, and other exports of the same kinds."""

import json
import os
from pathlib import Path

import polars as pl
import pytest
from jobs import run_here

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[3] / "shared" / "cases"
QUIET = ["launch.as_of=2026-07-01", "plan.size=all", "plan.holdout=0", "tracking=none", "data=files"]
# The columns of an export, so that the job finds them.
TAOBAO = {"customer_id": "买家昵称", "order_id": "订单编号", "time": "付款时间", "amount": "实付金额"}
ODOO = {"customer_id": "Customer", "order_id": '"Order Reference"', "time": '"Order Date"', "amount": "Subtotal"}


def case(name):
    if not (folder := CASES / name).exists():
        assert os.environ.get("CI") != "true", "the cases are needed here"
        pytest.skip("the cases are not at hand")
    return folder


def columns_of(mapping):
    return [f"data.orders.columns.{field}='{column}'" for field, column in mapping.items()]


@pytest.fixture
def launch(tmp_path):
    """Launch on a file, a folder or a text; give spend, orders and last day of each customer, the warnings and the codes of what was found."""

    def run(orders, *overrides, code=0, name="orders.csv"):
        if isinstance(orders, str):
            (tmp_path / name).write_text(orders, encoding="utf-8")
            orders = tmp_path / name
        out = tmp_path / "out"
        done = run_here("launch", f"data.orders.path={orders}", f"out={out}", *QUIET, *overrides, cwd=tmp_path, code=code)
        if code:
            return done.stderr
        customers = pl.read_parquet(out / "customers.parquet").sort("customer_id")
        found = {
            who: (float(spend), orders_, str(last.date()) if last else None)
            for who, spend, orders_, last in customers.select("customer_id", "spend", "orders", "last_order_at").iter_rows()
        }
        checks = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["checks"]
        return found, {f"{check['level']} {check['found'].removeprefix('order_rows.')}" for check in checks}

    return run


# An order counted more than once: its total on each line.


def test_an_order_total_on_each_line_counts_once(launch):
    found, said = launch(case("order_total_on_each_line") / "orders.csv", "data.orders.columns.amount=order_total")
    assert found == {"K1": (300, 1, "2026-06-03"), "K2": (400, 1, "2026-06-04"), "K3": (250, 1, "2026-06-05")}
    assert "note once" in said


TOTALS = """Kunde;Bestellnummer;Bestelldatum;Gesamtbetrag;Artikel
A;B-1;2026-06-01;99.90;Tee
A;B-1;2026-06-01;99.90;Kaffee
B;B-2;2026-06-02;50.10;Tee
B;B-2;2026-06-02;50.10;Kakao
B;B-2;2026-06-02;50.10;Kaffee
B;B-3;2026-06-09;12.00;Tee
"""
GERMAN = columns_of({"customer_id": "Kunde", "order_id": "Bestellnummer", "time": "Bestelldatum", "amount": "Gesamtbetrag"})


def test_totals_of_a_german_shop_count_once_and_each_is_added_where_that_is_asked_for(launch):
    found, _ = launch(TOTALS, *GERMAN)
    assert found == {"A": (99.9, 1, "2026-06-01"), "B": (62.1, 2, "2026-06-09")}
    found, said = launch(TOTALS, *GERMAN, "data.orders.grain=line")
    assert found["A"] == (199.8, 1, "2026-06-01")
    assert "warning once_meant" in said
    found, said = launch(TOTALS, *GERMAN, "data.orders.grain=order")
    assert found["A"] == (199.8, 2, "2026-06-01")
    assert "warning row_for_order" in said


def test_totals_that_the_lines_prices_add_up_to_count_once(launch):
    rows = "customer_id,order_id,time,amount,price,qty\n"
    rows += "a,1,2026-06-01,70,10,3\na,1,2026-06-01,70,20,2\nb,2,2026-06-02,15,5,1\nb,2,2026-06-02,15,10,1\nc,3,2026-06-03,8,8,1\n"
    found, said = launch(rows)
    assert found == {"a": (70, 1, "2026-06-01"), "b": (15, 1, "2026-06-02"), "c": (8, 1, "2026-06-03")}
    assert "note once" in said


UNCLEAR = """customer_id,order_id,time,amount,sku
a,1,2026-06-01,70,x
a,1,2026-06-01,70,y
b,2,2026-06-02,15,x
b,2,2026-06-02,15,y
b,2,2026-06-02,15,z
"""


def test_amounts_that_may_be_totals_or_lines_stop_with_both_totals(launch):
    said = launch(UNCLEAR, code=2)
    for part in ("data.orders.grain=line", "185", "data.orders.repeats=latest", "85", "order 1 "):
        assert part in said
    assert launch(UNCLEAR, "data.orders.grain=line")[0] == {"a": (140, 1, "2026-06-01"), "b": (45, 1, "2026-06-02")}
    latest = ["data.orders.grain=order", "data.orders.repeats=latest"]
    assert launch(UNCLEAR, *latest)[0] == {"a": (70, 1, "2026-06-01"), "b": (15, 1, "2026-06-02")}


def test_totals_whose_order_number_is_not_mapped_stop(launch):
    said = launch(UNCLEAR.replace("order_id", "Order Number"), code=2)
    assert 'data.orders.columns.order_id="Order Number"' in said


def test_lines_of_other_amounts_are_orders_of_several_lines(launch):
    found, said = launch(UNCLEAR.replace("70,y", "30,y").replace("15,z", "1,z"))
    assert found == {"a": (100, 1, "2026-06-01"), "b": (31, 1, "2026-06-02")}
    assert "note lines" in said


# Order numbers that are used again.


def test_order_numbers_used_again_are_other_orders(launch):
    orders = case("order_numbers_used_again") / "orders.csv"
    for grain in ("line", "auto"):
        found, said = launch(orders, f"data.orders.grain={grain}", "rules.recency.max_days=60")
        assert found == {"K1": (450, 3, "2026-06-20"), "K2": (80, 1, "2026-06-21"), "K3": (90, 1, "2026-06-22")}
        assert "note used_again" in said


@pytest.mark.parametrize("days", ["2026-06-{:02}", "2026-06-{:02}T09:30:00"])
def test_numbers_of_each_day(launch, days):
    """The first receipt of each day is 1: of these three customers each comes on days of their own, and on the day after."""
    rows = "customer_id,order_id,time,amount,sku\n"
    for day in range(1, 29):
        who = "abc"[day // 2 % 3]
        rows += "".join(f"{who},{number},{days.format(day)},{10 + line},s{line}\n" for number in (1, 2) for line in (0, 1))
    found, said = launch(rows)
    assert sum(orders for _, orders, _ in found.values()) == 28 * 2
    assert {"note lines", "note used_again"} <= said
    assert found["b"][2] == "2026-06-27"


def test_numbers_of_each_year_and_lines_that_follow_some_days_later(launch):
    rows = "customer_id,order_id,time,amount\na,1,2025-02-01,10\na,1,2025-02-01,11\nb,1,2026-02-01,20\nb,1,2026-02-01,5\na,2,2026-03-01,7\n"
    assert launch(rows)[0] == {"a": (28, 2, "2026-03-01"), "b": (25, 1, "2026-02-01")}
    late = "customer_id,order_id,time,amount\na,1,2026-05-30,10\na,1,2026-06-02,15\na,1,2026-06-20,-10\nb,2,2026-06-01,5\n"
    assert launch(late)[0] == {"a": (15, 1, "2026-05-30"), "b": (5, 1, "2026-06-01")}


# Exports that tell of an order again.


def test_an_order_in_two_exports_stops_or_its_last_state_counts(launch):
    folder = case("reexport_changed_status")
    said = launch(folder, *columns_of(TAOBAO), code=2)
    for part in ("T1", "4月.csv", "1,070", "770", "data.orders.repeats=latest"):
        assert part in said
    found, codes = launch(folder, *columns_of(TAOBAO), "data.orders.repeats=latest")
    assert found == {"丙": (350, 1, "2026-06-10"), "乙": (120, 1, "2026-04-02"), "甲": (300, 1, "2026-04-20")}
    assert "note latest" in codes


def test_the_newest_export_is_the_one_that_reaches_furthest(launch, tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    header = "customer_id,order_id,time,amount,status\n"
    (folder / "orders.csv").write_text(header + "a,1,2026-06-01,100,paid\nb,2,2026-06-02,50,paid\n")
    (folder / "an older name.csv").write_text(header + "a,1,2026-06-01,60,partially refunded\nc,3,2026-06-20,5,paid\n")
    said = launch(folder, code=2)
    assert "215" in said
    assert "115" in said
    assert launch(folder, "data.orders.repeats=latest")[0] == {
        "a": (60, 1, "2026-06-01"),
        "b": (50, 1, "2026-06-02"),
        "c": (5, 1, "2026-06-20"),
    }


def test_states_in_one_file_stop_or_the_one_changed_last_counts(launch):
    rows = "customer_id,order_id,time,amount,financial_status,updated_at\n"
    rows += "a,#1,2026-06-01 10:00,100,paid,2026-06-05 10:00\na,#1,2026-06-01 10:00,100,pending,2026-06-01 10:00\nb,#2,2026-06-02 10:00,7,paid,2026-06-02 10:00\n"
    assert "data.orders.repeats=latest" in launch(rows, code=2)
    found, said = launch(rows, "data.orders.repeats=latest")
    assert found == {"a": (100, 1, "2026-06-01"), "b": (7, 1, "2026-06-02")}
    assert not {"warning status_unsold"} & said


def test_rows_that_are_equal_in_every_column_stop_or_are_dropped(launch):
    rows = "customer_id,order_id,time,amount\n" + "".join(f"c{n % 2},{n},2026-06-0{n},{n}\n" for n in range(1, 7)) * 2
    said = launch(rows, code=2)
    for part in ("42", "21", "data.orders.repeats=drop"):
        assert part in said
    assert launch(rows, "data.orders.repeats=drop", "data.max_reject_share=0.6")[0]["c1"] == (9, 3, "2026-06-05")


def test_equal_lines_among_others_are_told_only(launch):
    rows = "customer_id,order_id,time,amount\na,1,2026-06-01,5\na,1,2026-06-01,5\na,1,2026-06-01,9\nb,2,2026-06-02,4\nb,2,2026-06-02,8\n"
    found, said = launch(rows)
    assert found == {"a": (19, 1, "2026-06-01"), "b": (12, 1, "2026-06-02")}
    assert "warning copied_lines" in said


# Refunds.


def test_refunds_told_by_status_and_row_count_once(launch):
    rows = "customer_id,order_id,time,amount,status\na,1,2026-06-01,100,已退款\na,1,2026-06-05,-100,退款单\na,2,2026-06-07,40,交易成功\n"
    rows += "b,3,2026-06-08,9,交易成功\n"
    found, said = launch(rows, "data.orders.refund='status = \\'已退款\\''")
    assert found == {"a": (40, 1, "2026-06-07"), "b": (9, 1, "2026-06-08")}
    assert "note refund_once" in said


def test_refunds_of_other_numbers_and_negative_customers_are_told(launch):
    rows = "customer_id,order_id,time,amount,state\na,1,2026-06-01,100,refunded\na,R1,2026-06-05,-100,done\na,2,2026-06-07,40,done\n"
    found, said = launch(rows, "data.orders.refund='state = \\'refunded\\''")
    assert found["a"][0] == -60
    assert {"warning refund_twice", "note negative"} <= said


# Order fields on the first line only.


def test_fields_on_the_first_line_only(launch):
    orders = case("order_fields_on_first_line") / "orders.csv"
    said = launch(orders, *columns_of(ODOO), "data.orders.grain=line", code=2)
    assert "data.orders.fill_down=[Customer,Order Reference,Order Date]" in said
    found, _ = launch(orders, *columns_of(ODOO), "data.orders.fill_down=[Customer,Order Reference,Order Date]")
    assert found == {"K1": (350, 1, "2026-06-01"), "K2": (100, 1, "2026-06-02"), "K3": (250, 1, "2026-06-03")}


@pytest.mark.parametrize("nothing", ["", " ", "NULL"])
def test_only_the_customer_on_the_first_line(launch, nothing):
    rows = (
        f"订单号\t客户\t日期\t金额\n1\t甲\t2026-06-01\t5\n1\t{nothing}\t2026-06-01\t6\n2\t乙\t2026-06-02\t7\n2\t{nothing}\t2026-06-02\t8\n"
    )
    mapping = columns_of({"customer_id": "客户", "order_id": "订单号", "time": "日期", "amount": "金额"})
    assert "data.orders.fill_down=[客户]" in launch(rows, *mapping, code=2)
    assert launch(rows, *mapping, "data.orders.fill_down=[客户]")[0] == {"乙": (15, 1, "2026-06-02"), "甲": (11, 1, "2026-06-01")}


def test_only_the_total_on_the_first_line(launch):
    rows = "Name,Email,Paid at,Total,Lineitem name\n#1,a,2026-06-01,30,x\n#1,a,2026-06-01,,y\n#2,b,2026-06-02,20,x\n#2,b,2026-06-02,,z\n"
    mapping = columns_of({"customer_id": "Email", "order_id": "Name", "time": '"Paid at"', "amount": "Total"})
    assert '"Total" IS NOT NULL' in launch(rows, *mapping, code=2)
    where = "data.orders.where='\"Total\" IS NOT NULL'"
    assert launch(rows, *mapping, where)[0] == {"a": (30, 1, "2026-06-01"), "b": (20, 1, "2026-06-02")}


def test_a_customer_missing_here_and_there_is_a_reject(launch):
    rows = "customer_id,order_id,time,amount\n" + "".join(f"{'' if n in (7, 40) else f'c{n % 9}'},{n},2026-06-01,5\n" for n in range(60))
    found, said = launch(rows)
    assert sum(spend for spend, _, _ in found.values()) == 58 * 5
    assert "note unique" in said


def test_a_column_to_fill_that_is_not_there(launch):
    assert 'data.orders.fill_down: there is no column "customer"' in launch(UNCLEAR, "data.orders.fill_down=[customer]", code=2)


# Customers that are orders.


def test_customers_of_one_order_each_are_told(launch):
    _, said = launch(case("customer_is_an_order") / "orders.csv")
    assert "warning nobody_twice" in said


@pytest.mark.parametrize("person", ["customer_unique_id", "手机号", "Buyer Email"])
def test_the_column_that_looks_like_the_person_is_named(launch, tmp_path, person):
    rows = f"customer_id,time,amount,{person}\n" + "".join(f"o{n},2026-05-{n % 28 + 1:02},{n + 5},p{n % 20}@x.cn\n" for n in range(60))
    _, said = launch(rows)
    assert "warning nobody_twice_but" in said
    checks = json.loads((tmp_path / "out/manifest.json").read_text(encoding="utf-8"))["checks"]
    assert [check["column"] for check in checks if check["found"] == "order_rows.nobody_twice_but"] == [person]


def test_customers_some_of_whom_come_back_are_not_told(launch):
    rows = "customer_id,time,amount\n" + "".join(f"o{n % 59},2026-05-{n % 28 + 1:02},{n + 5}\n" for n in range(60))
    assert not any("nobody" in code for code in launch(rows)[1])


# Orders that are none.


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("financial_status", "paid", ["pending", "voided", "refunded"]),
        ("订单状态", "交易成功", ["等待买家付款", "交易关闭", "退款成功"]),
        ("Bestellstatus", "abgeschlossen", ["unbezahlt", "storniert", "erstattet"]),
        ("État", "payée", ["en attente de paiement", "annulée", "remboursée"]),
    ],
)
def test_orders_that_are_unpaid_cancelled_or_refunded_are_told_with_what_leaves_them_out(launch, tmp_path, column, good, bad):
    rows = f"customer_id,time,amount,{column}\na,2026-06-01,100,{good}\nb,2026-06-02,20,{good}\n"
    rows += "".join(f"a,2026-06-03,{10 * n},{status}\n" for n, status in enumerate(bad, start=1))
    found, said = launch(rows)
    assert found["a"][0] == 160
    assert {"warning status_unsold", "warning status_refunded"} <= said
    checks = json.loads((tmp_path / "out/manifest.json").read_text(encoding="utf-8"))["checks"]
    where, refund = ({check["found"]: check.get("sql") for check in checks}[f"order_rows.status_{what}"] for what in ("unsold", "refunded"))
    quoted = [f"data.orders.where={where}", f"data.orders.refund={refund}"]
    found, said = launch(rows, *quoted)
    assert found["a"][:2] == (100, 1)
    assert not {code for code in said if code.startswith("warning status")}
