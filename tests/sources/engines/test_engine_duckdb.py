"""DuckDB reads and adds up what this process does."""

import sys
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

from segmenter.errors import ConfigError, InputError
from segmenter.history.summary import Terms
from segmenter.settings import DuckdbEngine, LocalEngine
from segmenter.sources.engines.duckdb import summarize_files, summarize_frame
from segmenter.tables import ORDERS

ENGINE = DuckdbEngine(kind="duckdb", memory="1GB", spill=None)


def scanned(shop, engine=ENGINE):
    return summarize_files(shop.places, shop.names, shop.settings.data, shop.settings.launch, shop.ids, shop.terms, engine)


def test_online_retail(online_retail):
    found = scanned(online_retail)
    assert found.reads["rejected"] > 100_000
    online_retail.check(found)


@pytest.mark.parametrize("grain", ["order", "line"])
@pytest.mark.parametrize("repeats", ["keep", "drop"])
@pytest.mark.parametrize("customers", [None, ["张三", "李四", "孙七", "周八", "赵六"]])
@pytest.mark.parametrize("where", [None, "状态 <> '作废'", "状态 IS NULL OR 状态 <> '作废'"])
def test_a_messy_shop(messy, grain, repeats, customers, where):
    shop = messy(customers, **{"data.orders.grain": grain, "data.orders.repeats": repeats, "data.orders.where": where})
    shop.check(scanned(shop))


def made(shop_of, tmp_path, frame, customers=None, **overrides):
    path = tmp_path / "orders.parquet"
    frame.write_parquet(path)
    return shop_of([path], customers, **{"launch.as_of": "2026-07-01", **overrides})


HALF = [0.125, 2.675, 1.005, -0.015, 12.345, 1e9 + 0.005, 8_589_934_592.215]


@pytest.mark.parametrize(
    "columns",
    [
        {"customer_id": pl.Series([7, -8, 9, 7, 7, 7, 7], dtype=pl.Int32)},
        {"customer_id": [7.0, 8.5, float("nan"), -0.0, 2.0**60, None, 1e-9]},
        {"customer_id": pl.Series(["7", None, "9", "7", "7", "7", "7"]).cast(pl.Decimal(20, 0))},
        {"customer_id": pl.Series(["a", " b\u3000", "N/A", "\\N", "a", "\x1f", "ａ"], dtype=pl.Categorical)},
        {"amount": pl.Series([1, 2, None, -4, 10**12, 10**15, 7], dtype=pl.Int64)},
        {"amount": pl.Series(HALF, dtype=pl.Float32)},
        {"amount": pl.Series(["0.125", "2.675", None, "-0.015", "90071992547409.93", "99999999999999.995", "1"]).cast(pl.Decimal(30, 3))},
        {"time": pl.Series([None, 1, 10**9, 1_782_000_000, 1_900_000_000, 7_289_654_399, 7_289_654_400], dtype=pl.Int64)},
        {"time": pl.Series([None, 999, 10**18 + 1, -1, 1_782_000_000 * 10**9, 5, 6]).cast(pl.Datetime("ns"))},
        {"time": pl.Series([None, 999, 10**12 + 1, -1, 1_782_000_000 * 10**3, 5, 10**15]).cast(pl.Datetime("ms", "UTC"))},
        {"time": pl.Series([None, 1, 18_000, -1, 20_635, 20_634, 90_000]).cast(pl.Date)},
        {"province": pl.Series([1.0, 2.5, None, float("nan"), 1.0, 1.0, 1.0])},
        {"province": pl.Series([None] * 7, dtype=pl.Null), "city": pl.Series(range(7))},
    ],
    ids=str,
)
def test_every_type_is_read_as_here(shop_of, tmp_path, columns):
    plain = {"customer_id": list("abcabca"), "time": [datetime(2026, 6, day) for day in range(1, 8)], "amount": HALF}
    frame = pl.DataFrame(plain | columns)
    shop = made(shop_of, tmp_path, frame, **{"data.orders.time_format": "epoch_s", "launch.timezone": "America/St_Johns"})
    shop.check(scanned(shop))


@pytest.mark.parametrize(
    ("frame", "overrides", "message"),
    [
        ({"amount": ["12.50"]}, {}, r"columns\.amount: amount: engine=duckdb reads no text as numbers; .* engine=local"),
        ({"time": ["2026-06-30"]}, {}, r"columns\.time: should be a date or timestamp for engine=duckdb \(got String\); .* engine=local"),
        ({"customer_id": [True]}, {}, r"columns\.customer_id: should be text or a whole number for engine=duckdb \(got Boolean\)"),
        ({"n": ["3"]}, {"data.orders.where": "n > 2"}, r"data\.orders\.where: n: engine=duckdb reads no text as numbers"),
        ({"d": [Decimal("1.25")]}, {"data.orders.columns.amount": "d * d"}, r"is computed from decimals"),
        ({}, {"data.orders.columns.amount": "amout"}, r'there is no column "amout"; nearest: amount'),
        ({}, {"data.orders.grain": "line"}, r"columns\.order_id: is needed"),
        ({}, {"data.orders.where": "amount < 0"}, r'where: leaves none of 1 rows \(got "amount < 0"\)'),
        ({"Amount": [1.0]}, {}, r"the case of columns' names says nothing"),
    ],
)
def test_what_cannot_be_read_alike_is_refused(shop_of, tmp_path, frame, overrides, message):
    plain = {"customer_id": ["a"], "time": [datetime(2026, 6, 30)], "amount": [12.5]}
    shop = made(shop_of, tmp_path, pl.DataFrame(plain | frame), **overrides)
    with pytest.raises(InputError, match=message):
        scanned(shop)


def test_sql_that_means_something_else_there_is_found(shop_of, tmp_path):
    # CAST cuts the rest off here, and rounds there.
    frame = pl.DataFrame({"customer_id": ["a"], "time": [datetime(2026, 6, 30)], "n": [2.75]})
    shop = made(shop_of, tmp_path, frame, **{"data.orders.columns.amount": "CAST(n AS INT)"})
    with pytest.raises(
        InputError, match=r"otherwise than engine=local \(got paid 300 instead of 200 in row 1 of orders.parquet\); .*engine=local"
    ):
        scanned(shop)


def test_files_of_other_types_are_refused(shop_of, tmp_path):
    for number, amount in enumerate((1, 1.5)):
        pl.DataFrame({"customer_id": ["a"], "time": [datetime(2026, 6, 30)], "amount": [amount]}).write_parquet(
            tmp_path / f"{number}.parquet"
        )
    shop = shop_of(sorted(tmp_path.iterdir()), **{"launch.as_of": "2026-07-01"})
    with pytest.raises(InputError, match=r"1\.parquet: should have the types of 0\.parquet .*amount is Float64, not Int64"):
        scanned(shop)


def test_more_than_memory_goes_to_disk_and_leaves_nothing_there(shop_of, tmp_path):
    days = pl.datetime_range(datetime(2020, 1, 1), datetime(2026, 6, 30), "5m", eager=True)
    frame = pl.DataFrame({"customer_id": [f"C{number * 7_919 % 500_009:09d}" for number in range(len(days))], "time": days, "amount": 1.5})
    shop = made(shop_of, tmp_path, frame)
    spill = tmp_path / "spill"
    shop.check(scanned(shop, DuckdbEngine(kind="duckdb", memory="100MB", spill=str(spill))))
    assert list(spill.iterdir()) == []


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ConfigError, match=r'pip install "segmenter\[duckdb\]"'):
        summarize_frame(ORDERS.to_frame(), Terms(date(2026, 7, 1), 30, None), ENGINE)


@pytest.mark.parametrize("name", ["demo", "online_retail"])
def test_whole_launches_are_the_same_byte_by_byte(name, launched, tmp_path):
    engine = DuckdbEngine(kind="duckdb", memory="1GB", spill=None)
    assert launched(name, engine, tmp_path / "duckdb") == launched(name, LocalEngine(kind="local"), tmp_path / "local")
