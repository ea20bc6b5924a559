from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import segmenter
from segmenter.errors import InputError
from segmenter.settings.sources import OrdersColumns
from segmenter.sources.mapping import canonical_tables
from segmenter.tables import CUSTOMERS, EVENTS, ORDERS, REACH, REJECTS


def read(orders=None, *, customers=None, events=None, referrals=None, unreadable=None, **overrides):
    keys = {name.replace("__", "."): value for name, value in overrides.items()}
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "data.max_reject_share": 1.0, **keys})
    frames = {"orders": orders, "customers": customers, "events": events, "referrals": referrals}
    raw = {name: pl.DataFrame(columns) for name, columns in frames.items() if columns is not None}
    return canonical_tables(raw, settings.data, settings.launch, unreadable=unreadable or {})


def lines(table, count):
    """So many lines that could not be told apart into fields."""
    rows = [(table, "f.csv", row, None, f"{row},a,b,13800000000", "has 4 fields, the header 3") for row in range(1, count + 1)]
    return pl.DataFrame(rows, schema=REJECTS, orient="row")


NO_COLUMNS = dict.fromkeys(OrdersColumns.model_fields)


def test_a_chinese_erp_export_as_text():
    tables = read(
        {
            "客户编号": ["K001", " K002 ", "", "K001", "K003", "K004", "K005", "K006"],
            "下单时间": [
                "2026/6/1 9:05",
                "2026年6月2日",
                "2026-06-03",
                "2026-02-29",
                "20260604",
                "2026-06-05T09:00:00+08:00",
                "31.6.2026",
                "2026-07-01 00:00:00",
            ],
            "金额": ["￥1,234.50", "88", "1", "2", "(30.00)", "1e2", "5", "abc"],
            "省": ["四川省", None, "", "x", "x", "x", "x", "x"],
        },
        data__orders__columns={
            **NO_COLUMNS,
            "customer_id": "客户编号",
            "time": "下单时间",
            "amount": "金额",
            "province": "省",
        },
    )
    assert tables.orders.single().schema == ORDERS
    assert tables.orders.single().select("customer_id", "time", "amount", "refund", "is_order", "province").rows() == [
        ("K001", datetime(2026, 6, 1, 9, 5), 123450, 0, True, "四川省"),
        ("K002", datetime(2026, 6, 2), 8800, 0, True, None),
        ("K003", datetime(2026, 6, 4), -3000, 3000, False, "x"),
        ("K004", datetime(2026, 6, 5, 9), 10000, 0, True, "x"),
    ]
    hint = " (data.orders.time_format names a format)"
    assert tables.rejects.sort("row").rows() == [
        ("orders", None, 3, "客户编号", "", "is empty"),
        ("orders", None, 4, "下单时间", "2026-02-29", f"is no date or time{hint}"),
        ("orders", None, 7, "下单时间", "31.6.2026", f"is no date or time{hint}"),
    ]  # the bad amount of the last row stands at the as-of date: nothing depends on it
    assert tables.reads["orders"] == {"rows": 8, "filtered": 0, "later": 1, "rejected": 3, "kept": 4}


def test_expressions_over_text_columns_find_their_types():
    tables = read(
        {
            "InvoiceNo": ["1", "1", "C2", "3"],
            "Qty": ["2", "1", "-1", "x"],
            "Price": ["1.5", "2", "1.5", "1"],
            "t": "2026-06-01",
            "id": ["a", "a", "a", "b"],
        },
        data__orders__grain="line",
        data__orders__where="InvoiceNo NOT LIKE '9%'",
        data__orders__refund="InvoiceNo LIKE 'C%'",
        data__orders__columns={
            **NO_COLUMNS,
            "customer_id": "id",
            "order_id": "InvoiceNo",
            "time": "t",
            "amount": "Qty * Price",
        },
    )
    rows = tables.orders.single().sort("order_id").select("order_id", "amount", "refund", "is_order").rows()
    assert rows == [("1", 500, 0, True), ("C2", -150, 150, False)]
    assert tables.rejects.select("column", "value").rows() == [("Qty, Price", "x | 1")]


def test_refunds_as_status_give_the_money_back_and_are_no_orders():
    orders = {"customer_id": ["a", "a", "a"], "time": "2026-06-01", "amount": [100.0, 40.0, -10.0], "status": ["ok", "refunded", "ok"]}
    tables = read(orders, data__orders__refund="status = 'refunded'")
    assert tables.orders.single().select("amount", "refund", "is_order").rows() == [
        (10000, 0, True),
        (0, 4000, False),
        (-1000, 1000, False),
    ]


def test_lines_of_an_order_add_up_whatever_is_refunded_or_discounted():
    orders = {
        "customer_id": "a",
        "order_id": ["1", "1", "1", "2", "3"],
        "time": ["2026-06-02 10:00", "2026-06-02 10:01", "2026-06-02 10:00", "2026-06-03", "2026-06-04"],
        "amount": [100, -20, 30, -50, 70],
        "state": ["ok", "ok", "back", "ok", "back"],
    }
    tables = read(orders, data__orders__grain="line", data__orders__refund="state = 'back'")
    rows = tables.orders.single().sort("order_id").select("order_id", "time", "amount", "refund", "is_order").rows()
    assert rows == [
        ("1", datetime(2026, 6, 2, 10), 8000, 3000, True),  # a discount is no refund
        ("2", datetime(2026, 6, 3), -5000, 5000, False),
        ("3", datetime(2026, 6, 4), 0, 7000, False),
    ]


def test_what_was_spent_by_category_adds_up_to_the_orders_where_their_lines_differ():
    orders = {
        "customer_id": "a",
        "order_id": ["1", "1", "1", "1", "2", "2"],
        "time": ["2026-06-02", "2026-06-02", "2026-06-02", "2026-06-05", "2026-06-03", "2026-06-03"],
        "amount": [100, 90, -20, -100, 70, -5],
        "category": [" 茶", "丝", None, "茶", "丝", "N/A"],
        "state": ["ok", "ok", "ok", "back", "back", "back"],
    }
    for grain in ("line", "order"):
        tables = read(orders, data__orders__grain=grain, data__orders__refund="state = 'back'")
        spending = tables.spending
        assert spending.select("amount", "category").rows() == [
            (10000, "茶"), (9000, "丝"), (-2000, None), (-10000, "茶"), (0, "丝"), (-500, None)]  # fmt: skip
        assert spending["amount"].sum() == tables.orders.single()["amount"].sum()
    assert read(orders, data__orders__columns__category="state").spending["category"].unique().sort().to_list() == ["back", "ok"]
    del orders["category"]
    assert read(orders).spending is None
    assert read(orders | {"category": [["茶"]] * 6}).spending is None


def test_currency_repeats_and_unknown_customers_are_rejects():
    orders = {
        "customer_id": ["a", "a", "a", "z"],
        "time": "2026-06-01",
        "amount": [1, 1, 2, 3],
        "currency": ["CNY", "CNY", "usd", "人民币"],
    }
    tables = read(orders, customers={"customer_id": ["a"]}, data__orders__repeats="drop")
    assert tables.orders.single().height == 1
    assert tables.rejects.select("row", "column", "reason").sort("row").rows() == [
        (3, "currency", "is not the launch's currency, CNY"),
        (4, "customer_id", "is no customer of the customers table"),
    ]
    assert tables.reads["orders"] == {"rows": 4, "filtered": 0, "dropped": 1, "later": 0, "rejected": 2, "kept": 1}


def test_flags_that_cannot_be_read_are_taken_as_set_and_the_customer_is_kept():
    customers = {
        "customer_id": ["a", "b", "c", "c", None],
        "staff": ["是", "否", None, "1", "0"],
        "do_not_contact": ["maybe", "0", "", "no", "0"],
        "joined": ["2026-01-01", "2018-02-29", None, None, None],
    }
    tables = read(customers=customers)
    assert tables.customers.schema == CUSTOMERS
    rows = tables.customers.sort("customer_id").select("customer_id", "staff", "do_not_contact").rows()
    assert rows == [("a", True, True), ("b", False, False), ("c", True, False)]
    assert sorted(tables.rejects.select("row", "column").rows(), key=str) == [
        (1, "do_not_contact"),
        (2, "joined"),
        (4, "customer_id"),
        (5, "customer_id"),
    ]
    assert tables.reads["customers"] == {"rows": 5, "filtered": 0, "later": 0, "rejected": 2, "kept": 3, "noted": 2}


def test_contacts_go_apart_from_the_customers():
    customers = {"customer_id": [7.0, 8.0], "name": ["康民大药房", "x"], "手机": [13800000000, None], "level": [1, 2]}
    tables = read(customers=customers, data__customers__contact=["手机"], data__customers__attributes=["level"])
    assert tables.customers.columns == [*CUSTOMERS.names(), "level"]
    assert tables.reach.columns == ["customer_id", *REACH.names()]
    assert tables.reach["has_mobile"].to_list() == [True, False]
    assert tables.contacts.rows() == [("7", "康民大药房", "13800000000"), ("8", "x", None)]


def test_an_order_export_can_be_read_as_the_customers_too():
    export = {"customer_id": ["a", "a", "b", "b"], "time": "2026-06-01", "amount": [1, 2, 3, 4], "phone": ["1", "1", "2", "3"]}
    tables = read(export, customers=export, data__customers__contact=["phone"])
    assert tables.contacts.sort("customer_id").rows() == [("a", "1"), ("b", "2")]
    assert tables.rejects.select("row", "reason").rows() == [
        (4, "stands in the table more than once, with other values (one row was kept)")
    ]
    assert tables.orders.single().height == 4


def test_events_of_visitors_are_left_aside_but_of_unknown_customers_rejected():
    orders, events = (
        {"customer_id": ["a"], "time": "2026-06-01", "amount": [1]},
        {"customer_id": ["a", "v"], "kind": "visit", "time": "2026-06-02"},
    )
    tables = read(orders, events=events)
    assert tables.events.schema == EVENTS
    assert tables.events["customer_id"].to_list() == ["a"]
    assert tables.rejects.is_empty()
    assert read(orders, events=events, customers={"customer_id": ["a"]}).rejects["value"].to_list() == ["v"]


def test_all_missing_columns_are_said_at_once_with_the_nearest():
    with pytest.raises(InputError) as error:
        read(
            {"customer": ["a"], "time": ["2026-06-01"], "amout": [1]},
            customers={"id": ["a"]},
            data__orders__refund="stat = 'x'",
            data__customers__contact=["phone"],
        )
    assert error.value.problems == (
        'data.orders.columns.customer_id: is needed: the source has no column "customer_id"; nearest: customer',
        'data.orders.columns.amount: is needed: the source has no column "amount"; nearest: amout',
        'data.orders.refund: there is no column "stat"; there are: amout, customer, time',
        'data.customers.columns.customer_id: is needed: the source has no column "customer_id"; there are: id',
        'data.customers.contact: there is no column "phone"; there are: id',
    )


def test_too_many_rejects_stop_the_job_and_show_them():
    orders = {"customer_id": ["a", None, "b", "c"], "time": "2026-06-01", "amount": ["1", "2", "x", "y"]}
    with pytest.raises(InputError) as error:
        read(orders, data__max_reject_share=0.5)
    assert error.value.problems == (
        "orders: 75.0% of 4 rows were rejected, with 2.00 CNY as far as it can be read, 66.7% of the money. Mend the rows or the mapping "
        "(data.max_reject_share allows 50% of the rows and of the money):",
        '  2 × amount is no amount, or beyond 10,000,000,000, such as "x", "y"',
        "  1 × customer_id is empty (data.orders.where leaves out what is not wanted)",
    )
    with pytest.raises(InputError, match="all of 1 rows were rejected"):
        read({"customer_id": ["a"], "time": ["never"], "amount": [1]})


def test_lines_that_cannot_be_read_count_as_rejected_rows_and_keep_contacts_to_themselves():
    orders = {"customer_id": ["a"] * 3, "time": "2026-06-01", "amount": [1, 2, 3]}
    customers = {"customer_id": ["a"], "phone": ["13800000001"]}
    unreadable = {"orders": lines("orders", 2), "customers": lines("customers", 1)}
    tables = read(orders, customers=customers, unreadable=unreadable, data__customers__contact=["phone"])
    assert tables.reads["orders"] == {"rows": 5, "filtered": 0, "later": 0, "rejected": 2, "kept": 3}
    assert tables.reads["customers"] == {"rows": 2, "filtered": 0, "later": 0, "rejected": 1, "kept": 1}
    assert tables.rejects.sort("table", "row").select("table", "row", "value").rows() == [
        ("customers", 1, None),
        ("orders", 1, None),
        ("orders", 2, None),
    ]
    with pytest.raises(InputError) as error:
        read(orders, unreadable={"orders": lines("orders", 12)}, data__max_reject_share=0.79)
    assert error.value.problems == (
        "orders: 80.0% of 15 rows were rejected. Mend the rows or the mapping "
        "(data.max_reject_share allows 79% of the rows and of the money):",
        "  12 × row has 4 fields, the header 3, such as row 1 of f.csv",
    )


def test_ids_in_an_expression_stay_text():
    orders = {
        "uid": ["2206512345678901234", "2206512345678901235", None, "00123"],
        "alt": ["1", "2", "123", "4"],
        "time": "2026-06-01",
        "amount": ["1"] * 4,
    }
    tables = read(orders, data__orders__columns={**NO_COLUMNS, "customer_id": "COALESCE(uid, alt)"})
    assert tables.orders.single()["customer_id"].to_list() == ["2206512345678901234", "2206512345678901235", "123", "00123"]


def test_a_condition_loses_no_row_because_a_cell_is_no_number():
    orders = {"customer_id": ["a", "b", "c"], "time": "2026-06-01", "amount": ["5", "-", "x"], "code": ["7", "7", "C7"]}
    assert read(orders, data__orders__where="code IS NOT NULL").reads["orders"]["filtered"] == 0
    tables = read(orders, data__orders__where="amount > 4")
    assert tables.reads["orders"] == {"rows": 3, "filtered": 0, "later": 0, "rejected": 2, "kept": 1}


def test_amounts_in_an_expression_may_be_written_as_people_do():
    orders = {"customer_id": ["a", "b"], "time": "2026-06-01", "q": ["2", "1.000"], "p": ["1,50", "€ 3"]}
    columns = {**NO_COLUMNS, "amount": "q * p"}
    tables = read(orders, data__decimal=",", launch__currency="EUR", data__orders__columns=columns)
    assert tables.orders.single()["amount"].to_list() == [300, 300_000]


def test_money_of_another_currency_is_no_amount_and_a_sign_of_two_is_the_launch_s():
    orders = {"customer_id": "a", "time": "2026-06-01", "amount": ["$12", "€5", "¥7", "7元"], "currency": ["¥", "¥", "￥", None]}
    assert read(orders).orders.single()["amount"].to_list() == [700, 700]
    yen = read(orders, launch__currency="JPY")
    assert yen.orders.single()["amount"].to_list() == [7]


def test_words_for_nothing_are_nothing():
    orders = {"customer_id": ["NULL", "#N/A", "a"], "time": "2026-06-01", "amount": 1, "province": ["四川", "四川", "-"]}
    customers = {"customer_id": ["a", "nan"], "do_not_contact": ["NULL", "0"]}
    tables = read(orders, customers=customers)
    assert tables.orders.single().select("customer_id", "province").rows() == [("a", None)]
    assert tables.customers.select("customer_id", "do_not_contact").rows() == [("a", False)]
    assert set(tables.rejects["reason"]) == {"is empty"}


def test_lines_after_the_as_of_date_leave_the_order_before_it_as_it_was():
    lines = {"customer_id": "a", "order_id": ["1", "1", "1"], "time": ["2026-06-29", "2026-06-30", "2026-07-02"], "amount": [10, 5, -90]}
    tables = read(lines, data__orders__grain="line")
    before = tables.orders.single().filter(pl.col("time") < datetime(2026, 7, 1)).sort("time")
    assert before.select("amount", "refund", "is_order").rows() == [(1000, 0, True), (500, 0, False)]


def test_customers_who_joined_later_change_nothing():
    early = {"customer_id": ["a", "b"], "joined": ["2026-01-01", None], "city": ["成都", None], "blocked": ["no", "no"]}
    later = {"customer_id": ["a", "c", "c"], "joined": ["2026-07-05"] * 3, "city": ["上海", None, None], "blocked": ["yes", "maybe", "no"]}
    both = {name: later[name] + early[name] for name in early}
    alone, mixed = read(customers=early), read(customers=both)
    assert mixed.rejects.is_empty()
    assert mixed.customers.filter(pl.col("customer_id") != "c").sort("customer_id").equals(alone.customers.sort("customer_id"))
    assert mixed.reads["customers"]["kept"] == alone.reads["customers"]["kept"]


def test_what_a_cell_is_called_does_not_depend_on_other_cells():
    orders = {"customer_id": [12345.0, 1.5], "time": ["2026-06-01", "2026-07-02"], "amount": 1}
    assert read(orders).orders.single()["customer_id"].to_list() == ["12345", "1.5"]


def test_an_attribute_may_be_sql_that_makes_a_few_kinds_of_names():
    names = [f"{town}{kind}" for town in ("Ulm", "Bonn", "Kiel") for kind in (" clinic", " shop")]
    customers = {"customer_id": list("abcdef"), "name": names, "size": ["1", "2", "3", "4", "5", None]}
    kind = "CASE WHEN name LIKE '% clinic' THEN 'clinic' ELSE 'shop' END AS kind"
    tables = read(customers=customers, data__customers__attributes=["size", kind, "size > 3 as large"])
    assert tables.customers["kind"].to_list() == ["clinic", "shop"] * 3
    assert tables.customers["large"].to_list() == ["false"] * 3 + ["true"] * 2 + [None]
    assert "name" not in tables.customers.columns


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        (["left(name, 3) AS begins"], "begins is made of contacts and has 6 values"),
        (["name AS who"], "who is made of contacts"),
        (["upper(nmae) AS who"], 'there is no column "nmae"; nearest: name'),
        (["upper(name AS who"], "data.customers.attributes: is neither a column nor SQL that can be read"),
        (["upper(name) AS phone"], '"phone" is a contact'),
        (["size", "name LIKE 'U%' AS size"], r"names should be given once \(got size"),
    ],
)
def test_sql_that_tells_who_somebody_is_or_cannot_be_read_is_no_attribute(attributes, said):
    customers = {"customer_id": list("abcdef"), "name": [f"{letter}ndrew" for letter in "ABCDEF"], "size": ["1"] * 6}
    with pytest.raises(InputError, match=said):
        read(customers=customers, data__customers__attributes=attributes)


def test_contacts_cannot_be_attributes():
    with pytest.raises(InputError, match=r'data.customers.attributes: "phone" is a contact'):
        read(customers={"customer_id": ["a"], "phone": ["1"]}, data__customers__contact=["phone"], data__customers__attributes=["phone"])


cells = st.sampled_from(["a", "b", "", None, " c "])
times = st.sampled_from(["2026-06-01", "2026-06-01 12:00:00", "2026-13-01", "", None, "2026-07-02"])
amounts = st.sampled_from(["1", "-2.50", "1,000", "1,00", "", None, "nan", "inf", "1e30"])


@hypothesis_settings(deadline=None)
@given(
    st.lists(st.tuples(cells, times, amounts, st.sampled_from(["ok", "no", None])), min_size=1, max_size=30),
    st.sampled_from(["keep", "drop"]),
    st.integers(0, 3),
)
def test_every_row_is_kept_or_filtered_or_later_or_rejected(rows, repeats, unreadable):
    columns = dict(zip(("customer_id", "time", "amount", "state"), map(list, zip(*rows, strict=True)), strict=True))
    try:
        tables = read(
            pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).to_dict(as_series=False),
            data__orders__where="state = 'ok'",
            unreadable={"orders": lines("orders", unreadable)},
            data__orders__repeats=repeats,
        )
    except InputError:
        return
    reads = tables.reads["orders"]
    assert reads["rows"] == len(rows) + unreadable == sum(count for fate, count in reads.items() if fate != "rows")
    assert "dropped" not in reads or repeats == "drop"
    assert tables.rejects.height == reads["rejected"]
    assert tables.rejects.schema == REJECTS
    assert tables.orders.single().filter(pl.col("time") < datetime(2026, 7, 1)).height == reads["kept"]


@pytest.mark.parametrize("typed", [False, True])
def test_an_amount_may_be_the_same_in_each_row(typed):
    days = pl.Series(["2026-06-01", "2026-06-01", "2026-06-03"])
    log = {"customer_id": ["a", "a", "b"], "time": days.str.to_date() if typed else days}
    orders = read(log, data__orders__columns__amount=1).orders.single()
    assert orders.select("customer_id", "amount", "is_order").rows() == [("a", 100, True), ("a", 100, True), ("b", 100, True)]
    assert read(log, data__orders__columns__amount="2.5").orders.single()["amount"].to_list() == [250] * 3
    for column, constant in (("amount", "'x'"), ("customer_id", "1"), ("time", "1")):
        with pytest.raises(InputError, match="names no column"):
            read(log, **{"data__orders__columns__amount": "1", f"data__orders__columns__{column}": constant})
