"""Who is a customer, from the command to the list: the cases as they were reported, and others of their kinds."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from jobs import run_here

from segmenter.measures import shop_orders

pytestmark = pytest.mark.slow

QUIET = ["launch.as_of=2026-07-01", "tracking=none", "out=out", "plan.holdout=0"]


@pytest.fixture
def case(data_dir, tmp_path, monkeypatch):
    """Give the files of a case, by its name, in a folder of their own."""

    def copy(name: str) -> Path:
        for file in (data_dir.parent / "cases" / name).glob("*.csv"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
        return tmp_path

    return copy


def launch(folder: Path, *more: str, code: int = 0, job: str = "launch") -> str:
    done = run_here(job, "data=files", "data.orders.path=orders.csv", *QUIET, *more, cwd=folder, code=code)
    return " ".join((done.stdout + done.stderr).split())


def verdicts(folder: Path) -> dict[str, str]:
    return dict(pl.read_parquet(folder / "out" / "customers.parquet").select("customer_id", "verdict").rows())


def spend(folder: Path) -> dict[str, tuple[float, int]]:
    customers = pl.read_parquet(folder / "out" / "customers.parquet")
    return {name: (float(money), orders) for name, money, orders in customers.select("customer_id", "spend", "orders").rows()}


def found(folder: Path) -> list[tuple[str, str]]:
    manifest = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    return [(finding["level"], finding["found"]) for finding in manifest["checks"] if finding["found"].startswith("ids.")]


def write(folder: Path, rows: list[tuple[object, ...]], head: str = "customer_id,time,amount") -> None:
    (folder / "orders.csv").write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]), encoding="utf-8")


def shop(count: int = 60, people: int = 25, name: str = "C{:03}") -> list[tuple[object, ...]]:
    return [(name.format(at % people + 1), date(2026, 6, 30) - timedelta(days=at), 100 + at) for at in range(count)]


def test_guests_are_no_customers(case):
    folder = case("guest_customer")
    said = launch(folder)
    assert {name for name, verdict in verdicts(folder).items() if verdict == "not_customer"} == {"0", "散客"}
    assert '"0" (12 of 32 orders' in said
    assert '"散客" (12 of 32 orders' in said
    assert "data.orders.not_customers" in said
    assert pl.read_csv(folder / "out" / "funnel.csv").row(0)[:3] == ("not_customer", 10, 2)
    assert launch(folder, "data.orders.not_customers=[0,散客]").count("散客") == 0
    assert verdicts(folder)["0"] == "not_customer"
    launch(folder, "data.orders.not_customers=[]")
    assert verdicts(folder)["0"] == "eligible"


@pytest.mark.parametrize("name", ["Laufkunde", "guest@shop.example", "K0815"])
def test_nobody_by_word_or_by_the_people_behind(tmp_path, name):
    chance = random.Random(1)
    crowd = [(name, date(2026, 6, 1), chance.randrange(10, 90), f"Person {number}") for number in range(40)]
    write(tmp_path, [*((*row, f"Buyer {row[0]}") for row in shop()), *crowd], "customer_id,time,amount,recipient")
    said = launch(tmp_path)
    assert verdicts(tmp_path)[name] == "not_customer"
    assert "Person" not in said
    assert found(tmp_path) == [("warning", "ids.nobody")]


def test_ids_in_scientific_notation_stop(case):
    folder = case("ids_scientific")
    columns = ["data.orders.columns.customer_id=手机号", "data.orders.columns.time=付款时间", "data.orders.columns.amount=金额"]
    said = launch(folder, *columns, code=2)
    assert all(part in said for part in ("手机号", "1.38E+10", "row 2 of orders.csv", "export the table again"))
    launch(folder, *columns, code=2, job="check")
    assert "1.38E+10" in (folder / "out" / "check.html").read_text(encoding="utf-8")


def test_damage_in_a_workbook_and_in_customers(tmp_path):
    book = openpyxl.Workbook()
    for row in [["customer_id", "time", "amount"], *[[str(row[0]), row[1], row[2]] for row in shop(9)], ["#####", date(2026, 6, 1), 5]]:
        book.active.append(row)
    book.save(tmp_path / "orders.xlsx")
    assert "row 11" in launch(tmp_path, "data.orders.path=orders.xlsx", code=2)
    write(tmp_path, shop())
    (tmp_path / "people.csv").write_text("customer_id,name\n" + "".join(f"C{at:03},N\n" for at in range(1, 26)) + "2-Jan,N\n")
    assert "data.customers.columns.customer_id" in launch(tmp_path, "data.customers.path=people.csv", code=2)


def test_damage_after_the_as_of_date_changes_nothing(tmp_path):
    write(tmp_path, [*shop(), ("1.38E+10", "2026-07-02", 5)])
    launch(tmp_path)
    assert found(tmp_path) == []


EMAIL = ["data.orders.columns.customer_id=Email", "data.orders.columns.time=Date", "data.orders.columns.amount=Total"]


def test_one_person_under_several_ids(case):
    folder = case("ids_in_several_forms")
    said = launch(folder, *EMAIL)
    assert "3 customer ids with 3 orders may belong to 1 customers" in said
    assert "data.ids=mended" in said
    assert "ann.li" not in said
    launch(folder, *EMAIL, "data.ids=mended")
    assert spend(folder)["ann.li@example.com"] == (900.0, 3)
    assert pl.read_csv(folder / "out" / "invite_list.csv")["customer_id"][0] == "ann.li@example.com"
    assert found(folder) == [("note", "ids.joined")]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("spellings", "shown"),
    [
        (["13800138000", "+8613800138000", "138-0013-8000"], "13800138000"),
        (["ab1", "ＡＢ1", "a\u200bb1"], "ab1"),
        (["007", "7"], "007"),
        (['="0815"', "'0815", "0815"], "0815"),
        (["17.0", "17"], "17"),
    ],
)
def test_spellings_are_joined_in_all_tables_however_they_are_read(tmp_path, monkeypatch, streamed, spellings, shown):
    others = [f"{number:03}" for number in range(100, 120)] if shown == "007" else [f"x{number}" for number in range(20)]
    rows = [(name, date(2026, 6, 1 + at % 28), 10.0 + at) for at, name in enumerate([*others, *spellings, spellings[0]])]
    frame = pl.DataFrame(rows, schema={"customer_id": pl.String, "time": pl.Date, "amount": pl.Float64}, orient="row")
    frame.write_parquet(tmp_path / "orders.parquet")
    (tmp_path / "people.csv").write_text("customer_id,name\n" + "".join(f"{name},N\n" for name in [*others, shown]), encoding="utf-8")
    if streamed:
        monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    launch(tmp_path, "data.orders.path=orders.parquet", "data.customers.path=people.csv", "data.ids=mended")
    total = sum(row[2] for row in rows if row[0] in spellings)
    assert spend(tmp_path)[shown] == (total, len(spellings) + 1)
    assert len(spend(tmp_path)) == 21


def test_what_is_mended_for_certain_needs_no_key(tmp_path):
    write(tmp_path, [*shop(), ('"=""0815"""', "2026-06-01", 5), ("'0815", "2026-06-02", 6), ("0815", "2026-06-03", 7)])
    launch(tmp_path)
    assert spend(tmp_path)["0815"] == (18.0, 3)
    assert found(tmp_path) == [("note", "ids.mended")]


def test_strangers_who_are_written_otherwise_are_told(tmp_path):
    write(tmp_path, shop(name="{:d}"))
    (tmp_path / "people.csv").write_text("customer_id,name\n" + "".join(f"{at:05},N\n" for at in range(1, 26)))
    said = launch(tmp_path, "data.customers.path=people.csv", code=2)
    assert "data.ids=mended" in said
    launch(tmp_path, "data.customers.path=people.csv", "data.ids=mended")
    assert len(spend(tmp_path)) == 25
    assert sum(orders for _, orders in spend(tmp_path).values()) == 60


def test_the_ledgers_people_are_recognised(case):
    folder, ledger = case("review_ids_unknown"), "ledger.url=sqlite:///ledger.db"
    launch(folder, "data.orders.path=before.csv", "launch.name=july", "launch.commit=true", "plan.holdout=0.3", ledger)
    review = ["data.orders.path=after.csv", "launch.name=july", "review.as_of=2026-07-31", "review.answers=[answers.csv]", ledger]
    done = run_here("review", "data=files", *review, "tracking=none", "out=reviewed", cwd=folder)
    assert "40 of the 40 people" in " ".join(done.stderr.split())
    cohorts = pl.read_csv(folder / "reviewed" / "cohorts.csv").select("cohort", pl.col("sales").cast(pl.Float64))
    assert dict(cohorts.rows()) == {"joined": 1200.0, "invited": 3000.0, "held_out": 1200.0}
    august = [
        "data.orders.path=after.csv",
        "launch.as_of=2026-08-01",
        "launch.name=august",
        "rules.cooloff_days=null",
        "rules.refused_days=0",
        ledger,
    ]  # wave 2 was called 24 days ago
    launch(folder, *august, "out=august")
    assert dict(pl.read_parquet(folder / "august" / "customers.parquet")["verdict"].value_counts().rows()) == {"member": 10, "eligible": 30}


def test_a_ledger_of_strangers_stops_launch_check_and_review(tmp_path):
    write(tmp_path, shop())
    launch(tmp_path, "launch.name=spring", "launch.commit=true", "launch.as_of=2026-06-15")
    write(tmp_path, shop(name="K-{:d}-x"))
    for job in ("launch", "check"):
        said = launch(tmp_path, "launch.name=summer", f"out={job}", job=job, code=2)
        said = said if job == "launch" else (tmp_path / job / "check.html").read_text(encoding="utf-8").replace("&#39;", "'")
        assert "people of launch spring are in none of the shop's tables" in said
        assert "ledger.url=" in said
    review = ["launch.name=spring", "review.as_of=2026-07-01", "review.answers=[]", "out=reviewed", "tracking=none"]
    run_here("review", "data=files", "data.orders.path=orders.csv", *review, cwd=tmp_path, code=2)
    launch(tmp_path, "launch.name=summer", "ledger.use=false", "out=alone")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("column", "other", "own"), [("币种", "日元", "CNY"), ("Currency", "USD", "￥"), ("x", "EUR", "CNY")])
def test_another_currency_in_a_column_of_any_name(tmp_path, monkeypatch, streamed, column, other, own):
    if streamed:
        monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    frame = pl.DataFrame(shop(), schema=["customer_id", "time", "amount"], orient="row")
    frame.with_row_index("n").with_columns(pl.when(pl.col("n") < 2).then(pl.lit(other)).otherwise(pl.lit(own)).alias(column)).drop(
        "n"
    ).with_columns(pl.col("amount").cast(pl.Float64)).write_parquet(tmp_path / "orders.parquet")
    launch(tmp_path, "data.orders.path=orders.parquet")
    assert sum(money for money, _ in spend(tmp_path).values()) == sum(100 + at for at in range(2, 60))
    assert found(tmp_path) == [("warning", "ids.other_currencies")]
    frame.with_columns(pl.lit(other).alias(column), pl.col("amount").cast(pl.Float64)).write_parquet(tmp_path / "orders.parquet")
    assert "launch.currency" in launch(tmp_path, "data.orders.path=orders.parquet", code=2)
    frame.with_columns(pl.lit(own).alias(column), pl.col("amount").cast(pl.Float64)).write_parquet(tmp_path / "orders.parquet")
    launch(tmp_path, "data.orders.path=orders.parquet")
    assert found(tmp_path) == []


def test_amounts_with_another_currencys_sign_are_told(tmp_path):
    write(tmp_path, [*shop(), ("C001", "2026-06-01", "US$12.00"), ("C002", "2026-06-01", "12 EUR")])
    said = launch(tmp_path)
    assert "2 amounts with the sign of another currency than CNY" in said


def test_auto_says_where_nothing_beats_chance(case):
    folder = case("auto_below_chance")
    assert "cannot tell whether any ranking is better than chance" in launch(folder, "scoring=auto")
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "cannot tell whether any ranking is better than chance" in page
    assert "blend_60d" in page
