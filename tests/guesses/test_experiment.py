"""What `init` alone makes of ten exports and three real files equals a query over the raw file; it asks where it cannot tell."""

import sqlite3
from datetime import datetime, timedelta

import duckdb
import polars as pl
import pytest
from jobs import settings_of
from made_exports import EXPORTS

import segmenter
from segmenter.errors import InputError
from segmenter.evaluation.as_of import launch_snapshot
from segmenter.guesses.experiment import Experiment, guess_experiment, name_of
from segmenter.guesses.order_states import meaning
from segmenter.guesses.source_tables import find_sources
from segmenter.loader import read_tables
from segmenter.overrides import quoted
from segmenter.trial import try_experiment

pytestmark = pytest.mark.slow

CHINESE = ("taobao", "jd", "youzan")
ONLINE_RETAIL = """
    SELECT CustomerID::VARCHAR AS customer_id, sum(Quantity * UnitPrice) AS spend,
        count(DISTINCT InvoiceNo) FILTER (InvoiceNo NOT LIKE 'C%') AS orders, max(InvoiceDate::DATE) FILTER (InvoiceNo NOT LIKE 'C%') AS last
    FROM (SELECT DISTINCT * FROM '{folder}/online_retail.parquet' WHERE CustomerID IS NOT NULL) GROUP BY ALL
"""
TAOBAO = """
    SELECT buyer_hash AS customer_id, coalesce(sum(amount) FILTER (NOT back), 0) AS spend, count(*) FILTER (NOT back) AS orders,
        max(paid_at::DATE) FILTER (NOT back) AS last
    FROM (SELECT DISTINCT *, order_status LIKE '%退款成功%' AS back FROM '{folder}/taobao_orders.parquet') GROUP BY ALL
"""
CDNOW = """
    SELECT customer_id, sum(amount) AS spend, count(*) AS orders, max(date) AS last FROM '{folder}/cdnow_master.parquet' GROUP BY ALL
"""


def quiet(stage: str, done: int = 0, total: int = 0) -> None:
    """No progress."""


def guessed(*paths, **answers) -> Experiment:
    return guess_experiment(
        find_sources([str(path) for path in paths]), "mine", {key.replace("__", "."): said for key, said in answers.items()}
    )


def values(experiment: Experiment) -> dict[str, object]:
    return {guess.key: guess.value for guess in experiment.guesses}


def totals(experiment: Experiment) -> pl.DataFrame:
    """Give what a launch on a guessed experiment counts for each customer."""
    assert not experiment.open_questions, experiment.open_questions
    dated, _, _ = try_experiment(experiment, seed=1, progress=quiet)
    as_of = values(dated)["launch.as_of"]
    launch = dated.launch(as_of)
    tables = read_tables(dated.data(), launch, seed=1).tables
    settings = segmenter.launch_settings(
        {"launch.as_of": str(as_of), "launch.currency": launch.currency, "launch.timezone": launch.timezone}
    )
    last = pl.lit(as_of) - pl.duration(days=pl.col("days_since_order"))
    customers = launch_snapshot(tables, settings).customers
    return customers.select("customer_id", spend=pl.col("spend") / 100, orders="orders", last=last.cast(pl.Date))


def compare(got: pl.DataFrame, expected: pl.DataFrame, within: float = 0.0051) -> None:
    mine, raw = (frame.filter(pl.col("orders") > 0).sort("customer_id") for frame in (got, expected))
    assert mine["customer_id"].to_list() == raw["customer_id"].to_list()
    assert mine["orders"].to_list() == raw["orders"].to_list()
    assert mine["last"].to_list() == raw["last"].to_list()
    assert (mine["spend"] - raw["spend"].cast(pl.Float64)).abs().max() < within


@pytest.mark.parametrize("system", EXPORTS)
def test_init_alone_gives_the_customers_of_a_query_over_the_raw_file(system, tmp_path):
    path = EXPORTS[system].make(tmp_path)
    compare(totals(guessed(path)), duckdb.sql(EXPORTS[system].sql(path)).pl())


@pytest.mark.parametrize(
    ("file", "query", "within"),
    [("online_retail", ONLINE_RETAIL, 0.02), ("taobao_orders", TAOBAO, 0.021), ("cdnow_master", CDNOW, 0.0051)],
)
def test_init_alone_gives_the_customers_of_a_query_over_real_files(file, query, within, data_dir):
    compare(totals(guessed(data_dir / f"{file}.parquet")), duckdb.sql(query.format(folder=data_dir)).pl(), within)


def test_online_retail_is_lines_with_cancellations_in_britain(data_dir):
    experiment = guessed(data_dir / "online_retail.parquet")
    found = values(experiment)
    assert found["data.orders.columns.amount"] == "Quantity * UnitPrice"
    assert found["data.orders.grain"] != "order"
    assert found["data.orders.refund"] == "InvoiceNo LIKE 'C%'"
    assert found["data.orders.columns.province"] == "Country"
    assert (found["launch.currency"], found["launch.timezone"]) == ("GBP", "Europe/London")


def test_what_nothing_says_is_asked_with_a_default(data_dir):
    experiment = guessed(data_dir / "cdnow_master.parquet")
    assert [question.key for question in experiment.questions] == ["currency", "timezone"]
    assert not experiment.open_questions
    answers = {"currency": "USD", "timezone": "America/New_York"}
    assert not guessed(data_dir / "cdnow_master.parquet", **answers).questions


def table(path, header: str, *rows: str, encoding: str = "utf-8"):
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def days(count: int):
    return [datetime(2026, 1, 5, 10) + timedelta(hours=30 * number) for number in range(count)]


def test_customers_are_joined_by_the_column_that_holds_the_same_ids(tmp_path):
    rows = [f"{at},1380000{at % 20:04d},{time:%Y-%m-%d %H:%M:%S},{at + 0.5}" for at, time in enumerate(days(60))]
    orders = table(tmp_path / "o.csv", "order_no,phone,created,total", *rows)
    people = [f"m{at},1380000{at:04d},n{at},四川,{'AB'[at % 2]}" for at in range(25)]
    found = values(guessed(orders, table(tmp_path / "c.csv", "member,phone,name,province,level", *people)))
    assert found["data.orders.columns.customer_id"] == found["data.customers.columns.customer_id"] == "phone"
    assert found["data.customers.columns.name"] == "name"
    assert found["data.customers.attributes"] == ["level"]


def test_ids_that_differ_only_in_how_they_were_typed_are_one_customers(tmp_path):
    rows = [
        f"{at},{['Ann.Li@example.com', 'ann.li@example.com', 'bo@example.com'][at % 3]},{time:%Y-%m-%d %H:%M:%S},{at}.5"
        for at, time in enumerate(days(60))
    ]
    experiment = guessed(table(tmp_path / "o.csv", "order_no,email,created,total", *rows))
    assert values(experiment)["data.ids"] == "mended"
    assert sorted(totals(experiment)["orders"]) == [20, 40]


@pytest.mark.parametrize(("steady", "expected"), [(True, ["手机"]), (False, None)])
def test_contacts_are_taken_from_the_orders_where_each_customer_has_one(steady, expected, tmp_path):
    rows = [
        f"D{at},H{at % 20},{time:%Y-%m-%d %H:%M:%S},{at}.5,1380000{at % 20 if steady else at:04d},{'已取消' if at % 20 == 3 else '已完成'}"
        for at, time in enumerate(days(80))
    ]
    experiment = guessed(table(tmp_path / "o.csv", "订单编号,会员编号,下单时间,实付金额,手机,订单状态", *rows))
    assert values(experiment).get("data.customers.contact") == expected
    assert totals(experiment)["orders"].sum() == 76


def test_a_database_is_read_by_its_tables(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, customer_id INTEGER, created_at TEXT, total REAL)")
        connection.execute("CREATE TABLE customers (id INTEGER, name TEXT, email TEXT)")
        lines = [(at, at % 20, f"{time:%Y-%m-%d %H:%M:%S}", at + 0.5) for at, time in enumerate(days(60))]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", lines)
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", [(at, f"n{at}", f"e{at}@example.com") for at in range(20)])
    connection.close()
    experiment = guessed(f"sqlite:///{path}")
    found = values(experiment)
    assert experiment.kind == "database"
    assert found["data.orders.query"] == 'SELECT * FROM "orders"'
    assert found["data.customers.contact"] == ["email"]
    assert totals(experiment)["orders"].sum() == 60


def test_files_of_one_table_are_named_by_a_pattern_and_others_by_what_they_are(tmp_path):
    for year in (2025, 2026):
        rows = [f"{year}{at},c{at % 9},{time.replace(year=year):%Y-%m-%d %H:%M:%S},{at + 1.25}" for at, time in enumerate(days(40))]
        table(tmp_path / f"orders_{year}.csv", "order_id,customer_id,time,amount", *rows)
    table(
        tmp_path / "events.csv",
        "customer_id,event,time",
        *[f"c{at % 9},{'click' if at % 2 else 'view'},2026-02-0{1 + at % 9}" for at in range(40)],
    )
    table(tmp_path / "invited.csv", "inviter_id,invitee_id,date", *[f"c{at},c{at + 1},2026-02-01" for at in range(8)])
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    found = values(guessed(tmp_path))
    assert found["data.orders.path"] == str(tmp_path / "orders_*.csv")
    assert found["data.events.columns.kind"] == "event"
    assert found["data.referrals.columns.friend_id"] == "invitee_id"


def test_states_that_are_not_known_are_asked_for(tmp_path):
    rows = [f"{at},c{at % 9},{time:%Y-%m-%d %H:%M:%S},{at + 1.25},{'ABC'[at % 3]}" for at, time in enumerate(days(60))]
    path = table(tmp_path / "o.csv", "order_id,customer_id,time,amount,order_status", *rows)
    assert [question.key for question in guessed(path).open_questions] == ["orders.left_out"]
    experiment = guessed(path, orders__left_out=["C"], orders__refunded=["B"])
    assert not experiment.open_questions
    assert totals(experiment)["orders"].sum() == 20


@pytest.mark.parametrize(
    ("state", "means"),
    [
        *[("paid", "order"), ("Unpaid", "left_out"), ("partially_refunded", "order"), ("Refunded", "refund"), ("wc-completed", "order")],
        *[("交易成功", "order"), ("等待买家付款", "left_out"), ("付款以后用户退款成功，交易自动关闭", "refund"), ("未申请退款", "order")],
        *[("Storniert", "left_out"), ("Remboursée", "refund"), ("Annulée", "left_out"), ("入金待ち", "left_out"), ("Zxy", None)],
    ],
)
def test_states_in_several_languages(state, means):
    assert meaning(state) == means


@pytest.mark.parametrize(
    ("header", "row", "key"),
    [
        ("customer_id,time,x,y", "c{n},{t},{n}.5,{n}.25", "orders.amount"),
        ("customer_id,amount,colour", "c{n},{n}.5,red", "orders.file"),
        ("alpha,time,amount", "c{n},{t},{n}.5", "orders.customer_id"),
    ],
)
def test_a_needed_column_that_cannot_be_told_is_asked_for(header, row, key, tmp_path):
    rows = [row.format(n=at % 9, t=f"{time:%Y-%m-%d}") for at, time in enumerate(days(40))]
    assert key in [question.key for question in guessed(table(tmp_path / "o.csv", header, *rows)).open_questions]


def test_two_tables_that_may_be_the_orders_are_asked_for(tmp_path):
    rows = [f"{at},c{at % 9},{time:%Y-%m-%d},{at}.5" for at, time in enumerate(days(40))]
    one = table(tmp_path / "orders_a.csv", "order_id,customer_id,time,amount", *rows)
    two = table(tmp_path / "orders_b.csv", "order_no,client_id,date,total", *rows)
    assert [question.key for question in guessed(one, two).open_questions] == ["orders.file"]
    assert values(guessed(one, two, orders__file="orders_b.csv"))["data.orders.path"] == str(two)


def test_amounts_in_another_file_than_the_customers_are_not_guessed(tmp_path):
    orders = table(
        tmp_path / "olist_orders_dataset.csv",
        "order_id,customer_id,order_status,order_purchase_timestamp",
        "a,b,delivered,2017-10-02 10:56:33",
    )
    items = table(tmp_path / "olist_order_items_dataset.csv", "order_id,order_item_id,product_id,price,freight_value", "a,1,p,58.90,13.29")
    (question,) = guessed(orders, items).open_questions
    assert question.key == "orders.file"
    assert "joined" in question.text


def test_paths_that_cannot_be_read_are_all_said(tmp_path):
    with pytest.raises(InputError, match=r"(?s)paths: .*gone\.csv.*paths: .*lost\.csv"):
        find_sources([str(tmp_path / "gone.csv"), str(tmp_path / "lost.csv")])


def test_an_experiment_is_named_after_the_first_path():
    assert name_of(("a/orders.csv", "b.csv")) == "orders"


@pytest.mark.parametrize("system", EXPORTS)
def test_a_known_system_is_read_by_hand_too(system, tmp_path):
    path = EXPORTS[system].make(tmp_path)
    currency = {"woocommerce": "GBP", "amazon": "GBP", "magento": "USD", "olist": "BRL"}.get(system, "CNY" if system in CHINESE else "EUR")
    where = [f"data.orders.path={path}", "launch.as_of=2027-01-01", f"launch.currency={currency}"]
    settings = settings_of("launch", "data=files", f"+source={system}", *map(quoted, where))
    by_day = read_tables(settings.data, settings.launch, seed=1).tables.profile.by_day
    spent = duckdb.sql(EXPORTS[system].sql(path)).pl()["spend"].cast(pl.Float64).sum()
    assert by_day["amount"].sum() == round(spent * 100)


def test_olist_in_a_database_is_joined_there(tmp_path):
    raw = pl.read_csv(EXPORTS["olist"].make(tmp_path), infer_schema=False)
    path = tmp_path / "olist.db"
    with sqlite3.connect(path) as connection:
        for name, columns in {
            "orders": ["order_id", "customer_id", "order_status", "order_purchase_timestamp"],
            "order_items": ["order_id", "order_item_id", "product_id", "price", "freight_value"],
            "customers": ["customer_id", "customer_unique_id", "customer_city", "customer_state"],
        }.items():
            rows = raw.select(columns).unique().rows()
            connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
    connection.close()
    settings = settings_of("launch", "data=database", "+source=olist_database", f"data.url=sqlite:///{path}", "launch.as_of=2027-01-01")
    orders = read_tables(settings.data, settings.launch, seed=1).tables.orders.single()
    expected = duckdb.sql(EXPORTS["olist"].sql(tmp_path / "olist_joined.csv")).pl()
    assert orders["amount"].sum() == round(float(expected["spend"].sum()) * 100)
    assert guessed(f"sqlite:///{path}").open_questions[0].key == "orders.file"


def test_a_known_system_in_another_language_is_read_by_the_words_of_its_states(tmp_path):
    path = EXPORTS["prestashop"].make(tmp_path)
    text = path.read_text(encoding="utf-8")
    for english, french in (
        ("Payment accepted", "Paiement accepté"),
        ("Canceled", "Annulée"),
        ("Refunded", "Remboursé"),
        ("Shipped", "Expédié"),
    ):
        text = text.replace(english, french)
    path.write_text(text.replace("Awaiting check payment", "En attente de paiement"), encoding="utf-8")
    query = EXPORTS["prestashop"].query.replace("'Payment accepted', 'Shipped', 'Refunded'", "'Paiement accepté', 'Expédié', 'Remboursé'")
    raw = f"read_csv('{path}', all_varchar=true, delim=';', header=true)"
    compare(totals(guessed(path)), duckdb.sql(query.replace("'Refunded'", "'Remboursé'").format(raw=raw)).pl())
