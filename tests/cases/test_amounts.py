"""Amounts in any locale, and rejects that matter: the cases of reports, and others of their kinds."""

import gzip
import json
import os
import sqlite3
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from jobs import exit_code, settings_of

from segmenter.loader import read_tables
from segmenter.money import to_units

pytestmark = pytest.mark.slow


@pytest.fixture
def cases_dir() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "cases"
    if not folder.is_dir():
        assert os.environ.get("CI") != "true", f"no folder {folder}"
        pytest.skip(f"no folder {folder}")
    return folder


@pytest.fixture
def launch(tmp_path, monkeypatch):
    """Plan a launch in an empty folder: its exit code, what each customer spent, and its manifest."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, data="files"):
        quiet = [f"out={tmp_path / 'results'}", f"ledger.url=sqlite:///{tmp_path / 'ledger.db'}", "tracking=none", "overwrite=true"]
        code = exit_code("launch", f"data={data}", "launch.as_of=2026-07-01", "plan.holdout=0", *quiet, *arguments)
        if code:
            return code, {}, {}
        customers = pl.read_parquet(tmp_path / "results/customers.parquet")
        return (
            code,
            dict(customers.select("customer_id", pl.col("spend").cast(pl.String)).iter_rows()),
            json.loads((tmp_path / "results/manifest.json").read_text(encoding="utf-8")),
        )

    return run


def found(manifest):
    return {check["found"] for check in manifest["checks"]}


def spend_of(*arguments):
    """Read the orders only: what each customer spent."""
    settings = settings_of("launch", "launch.as_of=2026-07-01", *arguments)
    read = read_tables(settings.data, settings.launch, seed=1).tables.orders.single()
    spend = read.group_by("customer_id").agg(pl.col("amount").sum().alias("spend"))
    return dict(to_units(spend, ["spend"], settings.launch.currency).select("customer_id", pl.col("spend").cast(pl.String)).iter_rows())


def orders(path, amounts, header="customer_id;time;amount"):
    lines = [header, *(f"K{at};2026-06-{at % 28 + 1:02d};{amount}" for at, amount in enumerate(amounts))]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"data.orders.path={path}"


def test_euro_thousands(launch, cases_dir):
    columns = [
        f"data.orders.columns.{field}={name}" for field, name in {"customer_id": "Kunde", "time": "Datum", "amount": "Betrag"}.items()
    ]
    _, spend, manifest = launch(f"data.orders.path={cases_dir}/euro_thousands/orders.csv", "launch.currency=EUR", *columns)
    assert spend == {"K1": "2230.00", "K2": "2400.00", "K3": "75.00", "K4": "120.00"}
    assert "amounts.decimal" in found(manifest)


def test_dinar_decimals(launch, cases_dir):
    _, spend, _ = launch(f"data.orders.path={cases_dir}/dinar_decimals/orders.csv", "launch.currency=TND")
    assert spend == {"K1": "46.490", "K2": "12.750", "K3": "101.000"}


def test_large_orders_rejected(launch, cases_dir, capsys):
    path = f"data.orders.path={cases_dir}/large_orders_rejected/orders.csv"
    _, spend, _ = launch(path, "launch.currency=EUR")
    assert (spend["K7"], spend["K9"]) == ("9011.40", "12367.00")
    # With the other mark named, they are rejects that hold most of the money.
    assert launch(path, "launch.currency=EUR", "data.decimal=.")[0] == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "times as large as the others" in said
    assert "8.950,40" in said
    assert 'data.decimal="," or auto may read them' in said


def test_dropped_repeats_stop_the_job(launch, cases_dir):
    _, _, manifest = launch(f"data.orders.path={cases_dir}/dropped_repeats_stop_the_job", "data.orders.repeats=drop")
    counts = manifest["inputs"]["orders"]
    assert {name: counts[name] for name in ("rows", "dropped", "rejected", "kept")} == {"rows": 25, "dropped": 5, "rejected": 0, "kept": 20}
    assert (manifest["counts"]["rejected"], "amounts.dropped" in found(manifest)) == (0, True)


@pytest.mark.parametrize(
    ("currency", "amounts", "spend"),
    [
        ("EUR", ["1.250,40 €", "2.400 €", "75 €"], ["1250.40", "2400.00", "75.00"]),
        ("EUR", ["1 250,40", "2\u202f400", "−75"], ["1250.40", "2400.00", "-75.00"]),
        ("CHF", ["1'234.50", "1’000", "CHF 75.-"], ["1234.50", "1000.00", "75.00"]),
        ("KWD", ["12.750", "0.990", "101.000"], ["12.750", "0.990", "101.000"]),
        ("JPY", ["￥1,250", "１２，０００", "980円"], ["1250", "12000", "980"]),
        ("INR", ["₹1,23,456.00", "₹45,500", "Rs. 980"], ["123456.00", "45500.00", "980.00"]),
        ("SAR", ["١٬٢٣٤٫٥٠", "١٢٣", "٥"], ["1234.50", "123.00", "5.00"]),
        ("CNY", ["1.2万", "500.00-", "（75）"], ["12000.00", "-500.00", "-75.00"]),
        ("BRL", ["R$ 1.250,00", "R$ 45.500", "R$ 5"], ["1250.00", "45500.00", "5.00"]),
    ],
)
def test_amounts_in_other_locales_and_files(tmp_path, monkeypatch, currency, amounts, spend):
    monkeypatch.chdir(tmp_path)
    wanted = {f"K{at}": amount for at, amount in enumerate(spend)}
    source, quiet = orders("orders.csv", amounts), [f"launch.currency={currency}"]
    assert spend_of("data=files", source, *quiet) == wanted
    Path("orders.csv.gz").write_bytes(gzip.compress(Path("orders.csv").read_bytes()))
    assert spend_of("data=files", "data.orders.path=orders.csv.gz", *quiet) == wanted
    frame = pl.read_csv("orders.csv", separator=";", infer_schema=False)
    frame.write_parquet("orders.parquet")
    assert spend_of("data=files", "data.orders.path=orders.parquet", *quiet) == wanted
    with xlsxwriter.Workbook("orders.xlsx") as book:
        frame.write_excel(book)
    assert spend_of("data=files", "data.orders.path=orders.xlsx", *quiet) == wanted
    with sqlite3.connect("shop.db") as shop:
        shop.execute("CREATE TABLE orders (customer_id, time, amount)")
        shop.executemany("INSERT INTO orders VALUES (?, ?, ?)", frame.rows())
    shop.close()
    assert spend_of("data=database", "data.url=sqlite:///shop.db", "data.orders.query=SELECT * FROM orders", *quiet) == wanted


def test_what_can_be_read_in_two_ways_stops_and_shows_both(launch, capsys):
    source = orders("orders.csv", ["1.250", "2.400", "12.000"])
    assert launch(source, "launch.currency=EUR")[0] == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "15.65 EUR" in said
    assert "15,650.00 EUR" in said
    assert launch(source, "launch.currency=EUR", "data.decimal=','")[1] == {"K0": "1250.00", "K1": "2400.00", "K2": "12000.00"}
    assert launch(source, "launch.currency=EUR", "data.decimal=.")[1] == {"K0": "1.25", "K1": "2.40", "K2": "12.00"}


def test_numbers_that_become_text_beside_others_keep_their_decimals(launch):
    Path("shop").mkdir()
    pl.DataFrame({"customer_id": ["A"], "time": ["2026-06-01"], "amount": [12.125]}).write_parquet("shop/a.parquet")
    pl.DataFrame({"customer_id": ["B", "C"], "time": "2026-06-01", "amount": ["1.250,40", "1.250"]}).write_parquet("shop/b.parquet")
    assert launch("data.orders.path=shop", "launch.currency=EUR")[1] == {"A": "12.12", "B": "1250.40", "C": "1250.00"}


def test_columns_of_an_expression_are_read_each_in_its_way(launch):
    lines = ["customer_id;time;qty;price", "A;2026-06-01;1.000;12,50", "B;2026-06-01;2;1.250,00"]
    Path("orders.csv").write_text("\n".join(lines), encoding="utf-8")
    _, spend, manifest = launch("data.orders.path=orders.csv", "launch.currency=EUR", "data.orders.columns.amount='qty * price'")
    assert spend == {"A": "12500.00", "B": "2500.00"}
    assert [check["column"] for check in manifest["checks"] if check["found"] == "amounts.decimal"] == ["qty", "price"]


def test_what_comes_later_decides_nothing(launch):
    path = Path("orders.csv")
    orders(path, ["1.250", "980"])
    before = launch(f"data.orders.path={path}", "launch.currency=EUR")[1]
    path.write_text(path.read_text() + "K0;2026-07-01;12.50\nK1;2026-08-01;x\n", encoding="utf-8")
    assert launch(f"data.orders.path={path}", "launch.currency=EUR")[1] == before == {"K0": "1250.00", "K1": "980.00"}


def test_rejected_refunds_are_told_with_or_without_a_terminal(launch, capsys):
    source = orders("orders.csv", ["20"] * 100 + ["minus 5", "minus 7"])
    _, _, manifest = launch(source)
    (check,) = [check for check in manifest["checks"] if check["found"] == "amounts.rejects"]
    assert (check["level"], check["rejected"], check["count"]) == ("warning", 2, 102)
    assert any("minus 5" in warning for warning in manifest["warnings"])
    assert "minus 5" in " ".join(capsys.readouterr().err.split())
    assert "minus 5" in Path("results/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("large", ["50000 or so", "??50000", "USD 50000"])
def test_a_few_rows_with_much_of_the_money_stop(launch, large, capsys):
    assert launch(orders("orders.csv", ["20"] * 100 + [large]), "launch.currency=EUR")[0] == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "50,000.00 EUR as far as it can be read, 96.2% of the money" in said
    assert said.index("Mend") < said.index("max_reject_share")
