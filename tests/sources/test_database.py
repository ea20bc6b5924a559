import datetime as dt
import os
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy
from shop_files import data_of

from segmenter.errors import ConfigError, InputError, SegmenterError
from segmenter.settings import DatabaseSettings, parse
from segmenter.sources.database import read_query
from segmenter.sources.raw import Raw

TABLE = "segmenter_test_orders"


def read(url: str, query: str, **changes: object) -> Raw:
    chosen = {"url": url, "orders.query": query, **changes}
    return read_query("orders", query, parse(DatabaseSettings, data_of(chosen, "database")))


def problem(url: str, query: str, kind: type[SegmenterError] = InputError) -> str:
    with pytest.raises(kind) as caught:
        read(url, query)
    (line,) = caught.value.problems
    assert "\n" not in line
    return line


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "商店 #1.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (customer_id, time TEXT, amount REAL, note, mixed)")
        rows = [
            (number, f"2026-03-{number:02d} 10:00:00", number + 0.5, None if number < 20 else "晚到", number) for number in range(1, 31)
        ]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", rows)
        database.execute("UPDATE orders SET mixed = 'x' WHERE customer_id = 30")
        database.execute("UPDATE orders SET mixed = 2.5 WHERE customer_id = 29")
    database.close()
    return path


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[str]:
    engine = sqlalchemy.create_engine(sqlalchemy.make_url(postgres_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    raw = {"no_parameters": True}
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")
        connection.exec_driver_sql(
            f"""CREATE TABLE {TABLE} (id bigserial, customer uuid, amount numeric(12, 2), rate numeric, placed timestamptz, local timestamp,
            day date, paid boolean, info jsonb, tags text[], province text, late text, nothing text)"""
        )
        connection.exec_driver_sql(
            f"""INSERT INTO {TABLE} SELECT g, ('00000000-0000-0000-0000-' || lpad(g::text, 12, '0'))::uuid, g * 1.25, 1 / g::numeric,
            '2026-03-28 12:00+08'::timestamptz + g * interval '1 hour', '2026-03-01'::timestamp, '2026-03-01', g % 2 = 0,
            '{{"城市": "成都"}}', ARRAY['a', 'b'], '四川', CASE WHEN g > 900 THEN 'x' END, NULL FROM generate_series(1, 1000) g""",
            execution_options=raw,
        )
    yield postgres_url
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP TABLE {TABLE}")
    engine.dispose()


def test_sqlite_rows_come_typed_and_mixed_columns_as_text(shop: Path) -> None:
    raw = read(f"sqlite:///{shop}", "SELECT * FROM orders ORDER BY customer_id")
    assert raw.frame.columns == ["customer_id", "time", "amount", "note", "mixed", "__file", "__row"]
    assert raw.frame.row(0) == (1, "2026-03-01 10:00:00", 1.5, None, "1", None, 1)
    assert raw.frame.row(29) == (30, "2026-03-30 10:00:00", 30.5, "晚到", "x", None, 30)
    assert (
        read(f"sqlite:///{shop}", "SELECT mixed FROM orders WHERE customer_id = 29 OR customer_id = 30", decimal=",").frame["mixed"][0]
        == "2,5"
    )
    assert raw.fingerprints[0].size == 30


def test_the_fingerprint_knows_the_rows_but_not_their_order(shop: Path) -> None:
    url = f"sqlite:///{shop}"
    up, down, fewer = (
        read(url, f"SELECT * FROM orders {rest}").fingerprints[0].sha256 for rest in ("ORDER BY 1", "ORDER BY 1 DESC", "LIMIT 29")
    )
    assert up == down
    assert len({up, fewer, read(url, "SELECT customer_id, time, amount AS paid, note, mixed FROM orders").fingerprints[0].sha256}) == 3


def test_sqlite_paths_may_be_relative_or_of_home(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    monkeypatch.setenv("HOME", str(shop.parent))
    shop.rename("shop.db")
    for url in ("sqlite:///shop.db", "sqlite:///~/shop.db", f"sqlite:///{shop.parent}/shop.db"):
        assert read(url, "SELECT 1 AS one").frame["one"].to_list() == [1]


def test_sqlite_is_never_written(shop: Path, tmp_path: Path) -> None:
    before = shop.read_bytes()
    assert "attempt to write a readonly database" in problem(f"sqlite:///{shop}", "DELETE FROM orders")
    assert shop.read_bytes() == before
    message = problem(f"sqlite:///{tmp_path}/nix.db", "SELECT 1")
    assert message.startswith(f"data.url: is not there (got {tmp_path}/nix.db); there are: ")
    assert not (tmp_path / "nix.db").exists()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM order_items", "data.orders.query: no such table: order_items (sqlite:///"),
        ("SELEC 1", 'data.orders.query: near "SELEC": syntax error'),
        ("SELECT * FROM orders WHERE amount > 100", "data.orders.query: should give rows (got none)"),
        ("SELECT 1; SELECT 2", "data.orders.query: You can only execute one statement at a time"),
    ],
)
def test_what_sqlite_refuses_is_said(shop: Path, query: str, message: str) -> None:
    assert message in problem(f"sqlite:///{shop}", query)


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_text("customer_id,amount\n" * 100)
    assert "file is not a database" in problem(f"sqlite:///{path}", "SELECT * FROM orders")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("shop.db", "data.url: should be a database's URL, such as sqlite:///shop.db"),
        ("postgresql://shop:se:cret@host:port/db", "data.url: should be a database's URL"),
        ("mysql://shop:secret@host/db", 'data.url: should be sqlite:///shop.db or postgresql://user@host/shop (got a URL of "mysql")'),
        ("sqlite://", "data.url: should name a database file"),
    ],
)
def test_what_is_no_url_of_ours_is_said_without_its_password(url: str, message: str) -> None:
    line = problem(url, "SELECT 1", ConfigError)
    assert message in line
    assert "cret" not in line


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert 'pip install "segmenter[postgres]"' in problem("postgresql://shop@127.0.0.1/shop", "SELECT 1", ConfigError)


def test_postgres_rows_come_typed(postgres: str) -> None:
    raw = read(postgres, f"SELECT * FROM {TABLE} ORDER BY id")
    schema = raw.frame.schema
    assert isinstance(schema["amount"], pl.Decimal)
    assert (schema["amount"].scale, schema["placed"], schema["local"]) == (2, pl.Datetime("us", "UTC"), pl.Datetime("us"))
    assert (schema["id"], schema["day"], schema["paid"], schema["late"]) == (pl.Int64, pl.Date, pl.Boolean, pl.String)
    first = raw.frame.drop("rate").row(0, named=True)
    assert first == {
        "id": 1,
        "customer": str(uuid.UUID(int=1)),
        "amount": Decimal("1.25"),
        "placed": dt.datetime(2026, 3, 28, 5, tzinfo=dt.UTC),
        "local": dt.datetime(2026, 3, 1),
        "day": dt.date(2026, 3, 1),
        "paid": False,
        "info": '{"城市": "成都"}',
        "tags": '["a", "b"]',
        "province": "四川",
        "late": None,
        "nothing": None,
        "__file": None,
        "__row": 1,
    }
    assert raw.frame["late"].null_count() == 900
    # 1/3 has more digits than 1/2: the scale is the largest found.
    assert raw.frame["rate"].to_list()[1:3] == [Decimal("0.5"), Decimal("0.33333333333333333333")]


def test_times_are_in_utc_wherever_the_server_is(postgres: str) -> None:
    # A zone whose clocks change among these rows.
    query = f"SELECT id, placed FROM {TABLE} ORDER BY id"
    berlin = read(f"{postgres}?options=-c%20timezone%3DEurope/Berlin", query)
    shanghai = read(f"{postgres}?options=-c%20timezone%3DAsia/Shanghai", query)
    assert berlin.frame.equals(shanghai.frame)
    assert berlin.fingerprints == shanghai.fingerprints
    assert berlin.frame["placed"].diff().drop_nulls().unique().to_list() == [dt.timedelta(hours=1)]


def test_types_that_show_only_in_a_later_batch_are_kept(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmenter.sources.database._BATCH", 100)
    query = """SELECT g AS id, CASE WHEN g > 150 THEN 'late' END AS note, CASE WHEN g > 150 THEN 0.125 ELSE 1.5 END AS amount,
               CASE WHEN g = 7 THEN 'NaN'::numeric ELSE 2.50 END AS odd FROM generate_series(1, 201) g"""
    raw = read(postgres, query)
    assert raw.frame["note"].value_counts(sort=True).rows() == [(None, 150), ("late", 51)]
    assert raw.frame["amount"].sum() == Decimal("1.5") * 150 + Decimal("0.125") * 51
    assert raw.frame["odd"].value_counts(sort=True).rows() == [("2.5", 200), ("NaN", 1)]
    again = read(postgres, f"{query} ORDER BY g DESC")
    assert again.fingerprints[0].sha256 == raw.fingerprints[0].sha256


def test_percent_colon_and_repeated_names_in_a_query_are_the_databases_own(postgres: str) -> None:
    raw = read(postgres, """SELECT '退款成功' LIKE '%退款%' AS a, '10:30:00'::time AS t, '{"a":1}' AS j, 1 AS n, 2 AS n; """)
    assert raw.frame.rows() == [(True, dt.time(10, 30), '{"a":1}', 1, 2, None, 1)]
    assert raw.frame.columns[3:5] == ["n_1", "n_2"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM nix", 'data.orders.query: relation "nix" does not exist (postgresql://'),
        (f"SELECT idd FROM {TABLE}", f'column "idd" does not exist; Perhaps you meant to reference the column "{TABLE}.id".'),
        (f"SELECT 1 / (id - 500) FROM {TABLE}", "division by zero"),
        (f"SELECT * FROM {TABLE} WHERE id < 0", "should give rows (got none)"),
        (f"DELETE FROM {TABLE} RETURNING id", 'syntax error at or near "DELETE"'),
        (f"SELECT nextval('{TABLE}_id_seq')", "cannot execute nextval() in a read-only transaction"),
        ("SELECT set_config('transaction_read_only', 'off', true)", "transaction read-write mode must be set before any query"),
    ],
)
def test_what_postgres_refuses_is_said(postgres: str, query: str, message: str) -> None:
    assert message in problem(postgres, query)
    assert read(postgres, f"SELECT count(*) AS rows FROM {TABLE}").frame["rows"].to_list() == [1000]


def test_a_server_that_cannot_be_reached_is_said_without_the_password(postgres_url: str) -> None:
    url = sqlalchemy.make_url(postgres_url)
    assert url.password is not None
    tries = {
        "Connection refused": url.set(port=1),
        "nohost.invalid": url.set(host="nohost.invalid"),
        'database "nix" does not exist': url.set(database="nix"),
        "password authentication failed": url.set(password=f"wrong {url.password}"),
    }
    for message, tried in tries.items():
        line = problem(tried.render_as_string(hide_password=False), "SELECT 1")
        assert line.startswith("data.url: cannot connect to postgresql://")
        assert message in line
        assert ":***@" in line
        assert url.password not in line
        assert str(tried.password).replace(" ", "%20") not in line


@pytest.mark.parametrize("query", ["VACUUM INTO 'copy.db'", "ATTACH 'copy.db' AS c", "DELETE FROM o RETURNING *", "PRAGMA user_version=7"])
def test_no_query_writes_in_or_beside_the_database(tmp_path: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("shop.db") as shop:
        shop.execute("CREATE TABLE o AS SELECT 1 AS a")
    shop.close()
    before = Path("shop.db").read_bytes()
    settings = DatabaseSettings.model_construct(url="sqlite:///shop.db", decimal=".")
    with pytest.raises(InputError):
        read_query("orders", query, settings)
    assert (Path("shop.db").read_bytes(), os.listdir()) == (before, ["shop.db"])
    Path("folder.db").mkdir()
    with pytest.raises(InputError, match="got a folder"):
        read_query("orders", "SELECT 1", DatabaseSettings.model_construct(url="sqlite:///folder.db", decimal="."))
