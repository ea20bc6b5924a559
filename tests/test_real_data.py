"""The whole job on real shops, against queries over the raw files that share nothing with it."""

import json
from datetime import date

import duckdb
import polars as pl
import pytest
from jobs import exit_code

ONLINE_RETAIL = """
    WITH lines AS (SELECT DISTINCT * FROM '{folder}/online_retail.parquet' WHERE CustomerID IS NOT NULL AND InvoiceDate < DATE '2011-12-10'),
    customers AS (
        SELECT CustomerID::VARCHAR AS customer_id,
            sum(Quantity * UnitPrice) AS spend,
            count(DISTINCT InvoiceNo) FILTER (InvoiceNo NOT LIKE 'C%') AS orders,
            DATE '2011-12-10' - max(InvoiceDate) FILTER (InvoiceNo NOT LIKE 'C%')::DATE AS days_since_order,
            arg_max(Country, (InvoiceDate, InvoiceNo)) FILTER (InvoiceNo NOT LIKE 'C%') AS country
        FROM lines GROUP BY ALL
    )
    SELECT customer_id, spend, orders, days_since_order FROM customers
    WHERE spend >= 1000 AND days_since_order <= 60 AND country <> 'United Kingdom' ORDER BY customer_id
"""
TAOBAO = """
    WITH orders AS (SELECT DISTINCT *, order_status LIKE '%退款成功%' AS refunded FROM '{folder}/taobao_orders.parquet'),
    customers AS (
        SELECT buyer_hash AS customer_id,
            sum(amount) FILTER (NOT refunded) AS spend,
            count(*) FILTER (NOT refunded) AS orders,
            DATE '2019-07-01' - max(paid_at) FILTER (NOT refunded)::DATE AS days_since_order,
            coalesce(sum(amount) FILTER (refunded), 0) AS refunds,
            coalesce(arg_max(province, (paid_at, province)) FILTER (NOT refunded), arg_max(province, (paid_at, province))) AS province
        FROM orders GROUP BY ALL
    )
    SELECT customer_id, spend, orders, days_since_order, refunds FROM customers
    WHERE spend >= 100 AND days_since_order <= 90 AND province NOT IN ('四川省', '重庆市', '重庆', '四川') ORDER BY customer_id
"""


@pytest.fixture
def launch(data_dir, tmp_path):
    return lambda *arguments: _launch(data_dir, tmp_path / "results", *arguments)


def _launch(folder, out, *arguments):
    quiet = [f"out={out}", "plan.size=all", "plan.holdout=0", "tracking=none"]
    assert exit_code("launch", f"data.dir={folder}", *quiet, *arguments) == 0
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))


def check_counts(out, manifest):
    customers, funnel, rejects = (
        pl.read_parquet(out / "customers.parquet"),
        pl.read_csv(out / "funnel.csv"),
        pl.read_parquet(out / "rejects.parquet"),
    )
    invites = pl.read_csv(out / "invite_list.csv", schema_overrides={"customer_id": pl.String})
    counts, orders = manifest["counts"], manifest["inputs"]["orders"]
    assert counts["customers"] == customers.height == funnel["before"][0]
    assert funnel["before"][1:].to_list() == funnel["left"][:-1].to_list()
    assert (funnel["before"] - funnel["removed"] == funnel["left"]).all()
    verdicts = dict(customers["verdict"].value_counts().rows())
    assert {rule: verdicts.get(rule, 0) for rule in funnel["rule"]} == dict(funnel.select("rule", "removed").rows())
    assert counts["eligible"] == verdicts["eligible"] == funnel["left"][-1] == counts["invited"] == invites.height
    assert (
        customers["invited"].sum()
        == invites.height
        == pl.read_csv(out / "groups.csv")["size"].sum()
        == pl.read_csv(out / "segments.csv")["size"].sum()
    )
    assert orders["rows"] == sum(orders.get(fate, 0) for fate in ("filtered", "dropped", "later", "rejected", "kept"))
    assert counts["rejected"] == rejects.height == orders["rejected"] == sum(item["rows"] for item in manifest["rejects"])
    return invites, rejects


def test_online_retail_gives_exactly_the_customers_of_a_query(launch, data_dir, tmp_path):
    out = tmp_path / "results"
    rules = [
        "data=online_retail",
        "launch.as_of=2011-12-10",
        "scoring=weighted",
        "segments.k=3",
        "rules.spend.min=1000",
        "rules.recency.max_days=60",
        "rules.region.exclude=[United Kingdom]",
    ]
    invites, rejects = check_counts(out, launch(*rules))
    expected = duckdb.sql(ONLINE_RETAIL.format(folder=data_dir)).pl()
    got = invites.sort("customer_id").select(expected.columns)
    assert got["customer_id"].to_list() == expected["customer_id"].to_list()
    assert got.select("orders", "days_since_order").rows() == expected.select("orders", "days_since_order").rows()
    assert (got["spend"] - expected["spend"]).abs().max() <= 0.01  # a few unit prices have a third decimal
    assert dict(rejects["reason"].value_counts().rows()) == {"is empty": 135_080}
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["inputs"]["orders"]["dropped"] == 5_225


@pytest.mark.slow
def test_cancelled_orders_are_neither_spend_nor_orders(launch, data_dir, tmp_path):
    out = tmp_path / "results"
    launch("data=online_retail", "launch.as_of=2011-12-10")
    customers = pl.read_parquet(out / "customers.parquet").with_columns(pl.col("spend", "refunds").cast(pl.Float64))
    bought_80995_pieces = customers.filter(customer_id="16446").row(0, named=True)
    assert bought_80995_pieces["spend"] == pytest.approx(2.90)
    assert bought_80995_pieces["refunds"] == pytest.approx(168_469.60)
    assert bought_80995_pieces["orders"] == 2


@pytest.mark.slow
def test_taobao_gives_exactly_the_customers_of_a_query(launch, data_dir, tmp_path):
    out = tmp_path / "results"
    rules = [
        "data=taobao",
        "launch.as_of=2019-07-01",
        "rules.spend.min=100",
        "rules.recency.max_days=90",
        "rules.region.exclude=[四川省,重庆市]",
    ]
    invites, _ = check_counts(out, launch(*rules))
    expected = duckdb.sql(TAOBAO.format(folder=data_dir)).pl()
    refunds = pl.read_parquet(out / "customers.parquet", columns=["customer_id", "refunds"])
    got = invites.join(refunds, on="customer_id").sort("customer_id").select(expected.columns)
    assert got["customer_id"].to_list() == expected["customer_id"].to_list()
    assert got.select("orders", "days_since_order").rows() == expected.select("orders", "days_since_order").rows()
    for money in ("spend", "refunds"):
        assert (got[money].cast(pl.Float64) - expected[money]).abs().max() < 0.015  # some amounts have half a fen


@pytest.mark.slow
def test_cdnow_as_a_file_of_one_row_per_purchase(launch, data_dir):
    columns = ["data.orders.columns.time=date", "launch.as_of=1998-07-01", "launch.currency=USD", "launch.timezone=America/New_York"]
    manifest = launch("data=files", f"data.orders.path={data_dir}/cdnow_master.parquet", *columns)
    assert manifest["counts"]["customers"] == 23_570
    assert manifest["inputs"]["orders"]["kept"] == 69_659
    assert date.fromisoformat(manifest["valid_until"]) == date(1998, 7, 15)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shop", "how", "names"),
    [
        ("online_retail", "segments.k=5", ["loyal big buyers", "regulars", "occasional buyers", "new customers", "one-timers"]),
        ("taobao", "segments.k=3", ["repeat buyers", "new customers", "one-timers"]),  # nearly everybody ordered once
        ("online_retail", "segments=rfm", None),
    ],
)
def test_segments_are_called_what_a_person_would_call_them(launch, tmp_path, shop, how, names):
    launch(f"data={shop}", how, "scoring=weighted")
    segments = pl.read_csv(tmp_path / "results" / "segments.csv")
    assert names is None or segments["name"].to_list() == names
    assert names is not None or segments.height == 11
    assert segments.select("who", "advice").null_count().row(0) == (0, 0)
