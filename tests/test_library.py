import html
import re
import warnings
from datetime import date, datetime
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import yaml
from jobs import run_here
from pages import Page, check_alone
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.home import HOME

QUICK = {"scoring": "weighted", "segments__k": 2, "segments__bootstraps": 2}
OF_DEMO = {
    **QUICK,
    "launch__name": "demo",
    "data__customers__contact": ["phone", "wechat"],
    "data__customers__attributes": ("type", "account", "CASE WHEN name LIKE '%卫生室' THEN 'village' ELSE 'town' END AS site"),
}
ORDERS = pl.DataFrame(
    {
        "customer_id": [1, 2, 2, 3, 4],
        "time": [datetime(2026, 6, day, 10) for day in (1, 2, 28, 30, 3)],
        "amount": [80.0, 1200.5, 300.0, 9.99, 20.0],
    }
)


def framed(cell):
    """What a notebook shows in a frame."""
    (page,) = re.findall(r'srcdoc="([^"]*)"', cell)
    return html.unescape(page)


def small(orders=ORDERS, customers=None, **settings):
    return segmenter.launch(orders, customers, **{"as_of": "2026-07-01", **QUICK, **settings})


@pytest.fixture(scope="module")
def demo():
    personas = yaml.safe_load((HOME / "conf" / "personas" / "demo.yaml").read_text(encoding="utf-8"))
    personas = personas["personas"] if isinstance(personas, dict) else personas
    tables = segmenter.demo_tables(600, 730)
    return tables, segmenter.launch(**tables, as_of=date(2026, 7, 1), personas=personas, **OF_DEMO)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the command makes of the same."""
    folder = tmp_path_factory.mktemp("same")
    quick = [f"{key.replace('__', '.')}={value}" for key, value in QUICK.items()]
    run_here("launch", "out=spring", "tracking=none", "ledger.use=false", "data.shop.customers=600", *quick, cwd=folder)
    return folder / "spring"


def test_gives_what_the_command_gives(demo, results):
    made = demo[1]
    assert_frame_equal(made.invite_list, pl.read_parquet(results / "invite_list.parquet"), categorical_as_str=True)
    assert_frame_equal(made.customers, pl.read_parquet(results / "customers.parquet"), categorical_as_str=True)
    assert_frame_equal(made.rejects, pl.read_parquet(results / "rejects.parquet"), categorical_as_str=True)
    for name in ("funnel", "segments", "groups"):
        table, written = getattr(made, name), pl.read_csv(results / f"{name}.csv")
        assert table.columns == written.columns
        assert_frame_equal(table.cast(pl.String).fill_null(""), pl.read_csv(results / f"{name}.csv", infer_schema=False).fill_null(""))


@pytest.mark.slow
def test_its_page_is_the_command_s_but_for_the_commands_that_come_next(demo, results, tmp_path):
    made, page = demo[1], tmp_path / "page.html"
    assert made.report() == made.report(page) == page.read_bytes().decode()
    own, theirs = (re.split(r"(?=<section)", text) for text in (made.report(), (results / "report.html").read_bytes().decode()))
    assert len(own) == len(theirs)
    different = [re.findall("<h2[^>]*>(.*?)</h2>", mine) for mine, other in zip(own, theirs, strict=True) if mine != other]
    assert different == [["What to do next"], ["How this was made"]]
    assert not re.search(r"call_sheets|invite_list|manifest|segmenter launch", made.report())


def test_explains_as_the_command_does(demo, results):
    made = demo[1]
    for name in (made.invite_list["customer_id"][0], made.customers.filter(pl.col("verdict") != "eligible")["customer_id"][0]):
        told = made.explain(name)
        said = run_here("explain", f"results={results.name}", f"customer={name}", cwd=results.parent).stdout
        assert repr(told).split() == said.split()
        assert told.facts == segmenter.explain(results, name)
        assert name in Page(framed(told._repr_html_())).text
    with pytest.raises(InputError, match="C000001"):
        made.explain("c1")


def test_a_notebook_shows_whom_to_invite_and_nobody_s_phone(demo):
    tables, made = demo
    assert repr(made).startswith("Launch(name='demo', as_of=2026-07-01, customers=600,")
    cell = made._repr_html_()
    assert cell.startswith("<iframe")
    assert "allow-scripts" not in cell
    text = Page(framed(cell)).text
    check_alone(framed(cell))
    assert made.invite_list["customer_id"][0] in text
    assert f"{made.plan.counts['eligible']:,}" in text
    contacts = [value for name in ("phone", "wechat", "name") for value in tables["customers"][name].drop_nulls() if len(value) > 5]
    assert not [value for value in contacts if value in cell]


def test_writes_nothing_and_leaves_the_tables_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    orders = ORDERS.to_pandas().rename(columns={"amount": " amount "})
    before = orders.copy(deep=True)
    made = small(orders, ORDERS.select("customer_id", name=pl.lit("x")).unique())
    made.report(), repr(made), made._repr_html_()
    pd.testing.assert_frame_equal(orders, before)
    assert not list(tmp_path.iterdir())


def kinds(table):
    pandas = table.to_pandas()
    yield "polars", table, pl.DataFrame
    yield "lazy", table.lazy(), pl.DataFrame
    yield "pandas", pandas, pd.DataFrame
    yield "objects", pandas.astype(object), pd.DataFrame
    yield "index", pandas.set_index("customer_id"), pd.DataFrame
    yield "arrow", table.to_arrow(), pa.Table
    yield "duckdb", duckdb.from_arrow(table.to_arrow()), pl.DataFrame


@pytest.mark.slow
def test_its_tables_are_of_the_orders_kind_and_the_same_whatever_that_is():
    wanted = small(customers=ORDERS.select("customer_id").unique(maintain_order=True))
    for name, orders, kind in kinds(ORDERS):
        made = small(orders, ORDERS.to_pandas()[["customer_id"]].drop_duplicates())
        for table in ("invite_list", "customers", "funnel", "segments", "groups", "what_if", "rejects"):
            assert type(getattr(made, table)) is kind, name
        assert_frame_equal(made.plan.customers, wanted.plan.customers)
        assert name != "index" or made.report() == wanted.report()


def test_amounts_are_in_units_of_the_currency():
    assert small().invite_list["spend"].to_list()[0] == Decimal("1500.50")
    assert small(ORDERS.to_pandas()).invite_list["spend"].dtype == np.float64


@pytest.mark.parametrize("value", [500, 500.0, np.int64(500), np.float32(500), Decimal(500)])
def test_settings_are_those_of_the_command_as_a_program_has_them(value):
    made = small(rules__spend__min=value, lang="zh", as_of=pd.Timestamp("2026-07-01"))
    assert made.invite_list["customer_id"].to_list() == ["2"]
    assert made.invite_list["reason"].str.contains("最近下单").all()
    assert made.settings.rules.spend.min == 500
    assert made.settings.lang == "zh"


def test_without_a_date_it_is_today(monkeypatch):
    monkeypatch.setattr("segmenter.library.today_of", lambda settings: date(2026, 7, 2))
    assert small(as_of=None).settings.launch.as_of == date(2026, 7, 2)


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ({"rules__spend__mim": 5, "plan__size": 0, "lang": "de"}, ["rules.spend.mim", "plan.size", "lang"]),
        ({"custmers": ORDERS}, ["custmers: should be"]),
        ({"columns": {"orders": {"amuont": "amount"}, "goods": {"a": "b"}}}, ["nearest: amount", "data.goods"]),
        ({"ledger__use": True}, ["ledger: is no key"]),
        ({"scoring": "wieghted"}, ["nearest: weighted"]),
        ({"as_of": "2026-13-01"}, ["launch.as_of"]),
    ],
)
def test_wrong_settings_are_said_all_at_once(settings, problems):
    with pytest.raises(ConfigError) as said:
        small(**settings)
    for problem in problems:
        assert problem in str(said.value)


def test_what_is_no_table_and_what_has_no_rows_is_said():
    with pytest.raises(InputError) as said:
        small("orders.csv", [1, 2])
    assert len(said.value.problems) == 2
    with pytest.raises(InputError, match="orders"):
        small(None)
    with pytest.raises(InputError):
        small(ORDERS.clear())
    with pytest.raises(InputError, match=r"data\.events\.columns\.kind"):
        small(events=pl.DataFrame({"customer_id": [], "when": []}))
    with pytest.raises(InputError, match="amount_1"):
        small(ORDERS.to_pandas()[["customer_id", "time", "amount", "amount"]], columns={"orders": {"amount": "amount"}})


def test_empty_tables_beside_the_orders_are_none_at_all():
    empty = {"events": {"customer_id": [], "kind": [], "time": []}, "referrals": {"customer_id": [], "friend_id": []}}
    made = small(**{name: pd.DataFrame(table) for name, table in empty.items()})
    assert made.invite_list.height == small().invite_list.height


@pytest.mark.slow
def test_columns_are_mapped_or_guessed_and_guesses_are_said():
    shop = ORDERS.rename({"customer_id": "客户编号", "time": "下单时间", "amount": "实付金额"})
    columns = {"orders": {"customer_id": "客户编号", "time": "下单时间", "amount": "实付金额"}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mapped = small(shop, columns=columns)
    with pytest.warns(UserWarning, match=r"data\.orders\.columns\.amount=实付金额") as caught:
        guessed = small(shop)
    assert caught[0].filename == __file__
    assert_frame_equal(mapped.plan.customers, guessed.plan.customers)
    assert any("实付金额" in warning for warning in guessed.warnings)
    assert guessed.warnings[0] in Page(guessed.report()).text
    with pytest.warns(UserWarning, match="下单时间"):
        doubled = small(shop, columns={"orders": {"amount": "实付金额 * 2"}})
    assert doubled.customers["spend"].sum() == 2 * mapped.customers["spend"].sum()


def test_what_cannot_be_guessed_is_asked():
    shop = ORDERS.rename({"customer_id": "buyer id", "time": "order date", "amount": "x"}).with_columns(
        y=pl.col("x") / 3, z=pl.col("x") / 7
    )
    with pytest.raises(InputError, match=r'columns=\{"orders": \{"amount"'):
        small(shop)
    with pytest.warns(UserWarning, match="buyer id"):
        assert small(shop, columns={"orders": {"amount": "x"}}).plan.counts["customers"] == 4
    states = shop.rename({"x": "amount", "buyer id": "customer"}).with_columns(status=pl.Series(["paid", "odd", "odd", "odd", "paid"]))
    with pytest.raises(InputError, match=r"data\.orders\.where"):
        small(states)


def test_tables_of_own_names_are_not_guessed_beside_one_that_is():
    events = pl.DataFrame({"customer_id": [1, 2], "type": ["visit", "share"], "time": ["2026-06-01", "2026-06-02"]})
    with pytest.warns(UserWarning, match=r"data\.events\.columns\.kind=type") as caught:
        made = small(events=events)
    assert "data.orders" not in str(caught[0].message)
    assert made.customers["events"].sum() == 2
    assert made.settings.launch.currency == "CNY"


def test_the_demo_shop_is_the_command_s(demo, tmp_path):
    run_here("demo", "out=shop", "customers=600", cwd=tmp_path)
    written = pl.read_csv(tmp_path / "shop" / "orders.csv", infer_schema=False)
    assert written["order_id"].to_list() == demo[0]["orders"]["order_id"].to_list()
    with pytest.raises(ConfigError, match="customers: should be"):
        segmenter.demo_tables(5)
    assert not segmenter.demo_tables(100, 120, seed=1)["orders"].equals(segmenter.demo_tables(100, 120)["orders"])
