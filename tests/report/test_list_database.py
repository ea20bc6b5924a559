"""The list in a database: with the results or not at all, and only the launch's own rows."""

from contextlib import nullcontext
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from segmenter.errors import ConfigError, InputError
from segmenter.ledger import open_ledger
from segmenter.report.list_database import ListTable, with_list

ROWS = pl.DataFrame({"customer_id": ["a", "b"], "rank": [1, 2], "call_on": date(2026, 7, 1), "group": "四川-1", "score": 50.5, "other": 1})


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/crm.db"
        return
    with request.getfixturevalue("schema_of")() as found:
        yield found


def put(url: str, rows: pl.DataFrame, launch: str = "spring", table: str = "invites") -> None:
    with with_list(nullcontext(Path()), ListTable(url, table, launch), rows, None):
        pass


def read(url: str) -> list[tuple]:
    import sqlalchemy

    made = sqlalchemy.make_url(url)
    made = made.set(drivername="postgresql+psycopg") if "postgres" in made.drivername else made
    engine = sqlalchemy.create_engine(made, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        found = connection.exec_driver_sql('SELECT launch, customer_id, rank, "group" FROM invites ORDER BY launch, rank').fetchall()
    engine.dispose()
    return [tuple(row) for row in found]


def test_rows_of_a_launch_are_replaced_and_no_others(url):
    put(url, ROWS)
    put(url, ROWS.head(1), "summer")
    put(url, ROWS.tail(1))
    assert read(url) == [("spring", "b", 2, "四川-1"), ("summer", "a", 1, "四川-1")]
    put(url, ROWS.clear())
    assert read(url) == [("summer", "a", 1, "四川-1")]


def test_where_results_fail_the_table_is_as_it_was(url):
    put(url, ROWS)
    with pytest.raises(OSError, match="disk"), with_list(nullcontext(Path()), ListTable(url, "invites", "spring"), ROWS.clear(), None):
        raise OSError("disk")
    assert len(read(url)) == 2


def test_what_the_database_does_not_take_is_said_and_leaves_no_results(tmp_path):
    url = f"sqlite:///{tmp_path}/crm.db"
    import sqlite3

    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute("CREATE TABLE invites (launch TEXT)")
    connection.close()
    with pytest.raises(InputError, match="customer_id"):
        put(url, ROWS)
    with pytest.raises(InputError, match="nowhere"):
        put("sqlite:////nowhere/crm.db", ROWS)
    for wrong in ("mysql://me:pw@host/shop", "no url at all", "sqlite://"):
        with pytest.raises(ConfigError) as raised:
            put(wrong, ROWS)
        assert "pw" not in str(raised.value)
    ledger = open_ledger(None, tmp_path / "results")
    place = ListTable(f"sqlite:///{tmp_path}/ledger.db", "invites", "spring")
    with pytest.raises(ConfigError, match="ledger"), with_list(nullcontext(Path()), place, ROWS, ledger):
        pass
