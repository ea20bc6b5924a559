"""Older ledgers are brought up to date and lose nothing; newer ones are refused."""

import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy
from plans import DAY, launch, planned, run_at_once, said

from segmenter.ledger import (
    Ledger,
    LedgerError,
    list_answers,
    list_invitations,
    list_launches,
    open_ledger,
    record_answers,
    record_plan,
)
from segmenter.ledger import connection as opening
from segmenter.ledger.review_answers import find_launch
from segmenter.ledger.schema import VERSION, tables, upgrade, version_of
from segmenter.tables import INVITED


def filled_version_1(url: str | None, out: Path) -> Ledger:
    ledger = opening._locate(url, out)  # not opened: that would make the newest
    with ledger.engine.begin() as connection:
        upgrade(connection, to=1)
        connection.exec_driver_sql(
            """INSERT INTO segmenter_plans VALUES (3, 'spring', 'tea', '2026-07-01', 30, '2026-07-31', NULL, 'CNY', 'f', 'planned', NULL, NULL)"""
        )
        for number in range(200):
            row = f"'C{number:03d}', 'planned', '2026-07-01', 2, '四川-1', 'Li', {number}.5, 's'"
            connection.exec_driver_sql(f"INSERT INTO segmenter_invitations VALUES (3, {row})")
            answer = f"'spring', {number + 1}, 'C{number:03d}', 'joined', '2026-07-02', 'a.csv', 'planned', '2026-07-01', 2, '四川-1', 'Li', {number}.5, 's'"
            connection.exec_driver_sql(f"INSERT INTO segmenter_answers VALUES ({answer})")
    return ledger


OPENS = """
import sys
from pathlib import Path
from segmenter.ledger import open_ledger, list_invitations
import segmenter.report.publication
print("ready", flush=True)
sys.stdin.readline()
print(list_invitations(open_ledger(sys.argv[1] or None, Path(sys.argv[2]))).height)
"""


@pytest.mark.slow
def test_an_older_ledger_is_brought_up_to_date_once_by_two_at_a_time_and_loses_nothing(url, tmp_path):
    ledger = filled_version_1(url, tmp_path / "results")
    command = [sys.executable, "-c", OPENS, url or "", str(tmp_path / "results")]
    assert run_at_once(command, command) == ["200\n", "200\n"]
    with ledger.engine.connect() as connection:
        assert version_of(connection) == VERSION
        found = sqlalchemy.inspect(connection)
        columns = {name: [column["name"] for column in found.get_columns(name)] for name in found.get_table_names()}
    assert columns == {name: table.columns.keys() for name, table in tables().tables.items()}
    rows = list_invitations(ledger)
    assert rows["score"].to_list() == [number + 0.5 for number in range(200)]
    assert rows.drop("customer_id", "score").unique().rows() == [
        *[
            (
                "spring",
                "tea",
                DAY,
                date(2026, 7, 31),
                True,
                "planned",
                DAY,
                2,
                "四川-1",
                "Li",
                "s",
                None,
                None,
                None,
                None,
                "joined",
                date(2026, 7, 2),
                None,
                "a.csv",
                *(None, None, 1, 0, None),
            )
        ]
    ]
    assert record_answers(ledger, "spring", said("refused", "a", reason="太远")) == 1
    assert list_answers(ledger)["reason"].drop_nulls().to_list() == ["distance"]


def test_a_ledger_of_the_second_version_keeps_its_reasons_and_takes_regions(url, tmp_path):
    ledger = opening._locate(url, tmp_path / "results")
    with ledger.engine.begin() as connection:
        upgrade(connection, to=2)
        row = "'a', 'planned', '2026-07-01', 2, 'g', 'Li', 1.5, 's'"
        connection.exec_driver_sql(
            """INSERT INTO segmenter_plans VALUES (1, 'spring', 'tea', '2026-07-01', 30, '2026-07-31', NULL, 'CNY', 'f', 'planned', NULL, NULL)"""
        )
        connection.exec_driver_sql(f"INSERT INTO segmenter_invitations VALUES (1, {row})")
        answer = "'a', 'refused', '2026-07-02', 'a.csv', 'planned', '2026-07-01', 2, 'g', 'Li', 1.5, 's', '太远'"
        connection.exec_driver_sql(f"INSERT INTO segmenter_answers VALUES ('spring', 1, {answer})")
    before = list_invitations(open_ledger(url, tmp_path / "results"))
    assert before.select("wave", "stratum", "region", "segment", "answer", "reason").rows() == [(2, "s", None, None, "refused", "distance")]
    assert before.schema == INVITED
    record_plan(ledger, launch(), planned("ab").with_columns(region=pl.lit("四川"), segment=pl.lit("0")))
    record_answers(ledger, "spring", said("joined", "b"))
    assert list_invitations(ledger).select("region", "segment", "answer").rows() == [(None, None, "refused"), ("四川", "0", "joined")]


def test_a_ledger_of_the_third_version_keeps_its_plans_and_takes_the_share_held_out(url, tmp_path):
    ledger = opening._locate(url, tmp_path / "results")
    with ledger.engine.begin() as connection:
        upgrade(connection, to=3)
        connection.exec_driver_sql(
            """INSERT INTO segmenter_plans VALUES (1, 'old', 'tea', '2026-07-01', 30, '2026-07-31', 5, 'CNY', 'f', 'planned', NULL, NULL)"""
        )
        connection.exec_driver_sql(
            "INSERT INTO segmenter_invitations VALUES (1, 'a', 'planned', '2026-07-01', 2, 'g', 'Li', 1.5, 's', 'r', '0')"
        )
    record_plan(open_ledger(url, tmp_path / "results"), launch(), planned("ab"))
    assert list_launches(ledger).select("launch", "target", "holdout", "invited").rows() == [
        ("old", 5, None, 1),
        ("spring", 30_000_000, 0.1, 2),
    ]
    assert find_launch(ledger, "old").holdout is None
    assert find_launch(ledger, "spring").holdout == 0.1


def test_a_ledger_newer_than_the_program_is_refused(url, tmp_path):
    record_plan(open_ledger(url, tmp_path / "results"), launch(), planned("a"))
    ledger = open_ledger(url, tmp_path / "results")
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE segmenter_schema SET version = 99")
    for use in (
        lambda: open_ledger(url, tmp_path / "results"),
        lambda: list_invitations(ledger),
        lambda: record_plan(ledger, launch(), planned("b")),
    ):
        with pytest.raises(LedgerError, match=rf"ledger: should be of version {VERSION} or older \(got 99\); use the newer segmenter"):
            use()


def test_a_ledger_of_the_fourth_version_keeps_its_answers_and_takes_channels(url, tmp_path):
    ledger = opening._locate(url, tmp_path / "results")
    with ledger.engine.begin() as connection:
        upgrade(connection, to=4)
        connection.exec_driver_sql(
            """INSERT INTO segmenter_plans VALUES
            (1, 'spring', 'tea', '2026-07-01', 30, '2026-07-31', NULL, 'CNY', 'f', 'planned', NULL, NULL, 0.1)"""
        )
        row = "'planned', '2026-07-01', 2, 'g', 'Li', 1.5, 's'"
        connection.exec_driver_sql(f"INSERT INTO segmenter_invitations VALUES (1, 'a', {row}, 'r', '0')")
        connection.exec_driver_sql(
            f"INSERT INTO segmenter_answers VALUES ('spring', 1, 'a', 'no_answer', '2026-07-02', 'a.csv', {row}, NULL, 'r', '0')"
        )
    ledger = open_ledger(url, tmp_path / "results")
    assert list_invitations(ledger).select("answer", "channel").rows() == [("not_reached", None)]
    record_answers(ledger, "spring", said("joined", "a").with_columns(channel=pl.lit("shop")))
    assert list_invitations(ledger).select("answer", "channel").rows() == [("joined", "shop")]


def test_a_ledger_of_the_sixth_version_keeps_its_answers_and_takes_who_brought_whom(url, tmp_path):
    ledger = opening._locate(url, tmp_path / "results")
    with ledger.engine.begin() as connection:
        upgrade(connection, to=6)
        connection.exec_driver_sql(
            """INSERT INTO segmenter_plans VALUES
            (1, 'spring', 'tea', '2026-07-01', 30, '2026-07-31', NULL, 'CNY', 'f', 'planned', NULL, NULL, 0.1)"""
        )
        row = "'planned', '2026-07-01', 2, 'g', 'Li', 1.5, 's'"
        connection.exec_driver_sql(f"INSERT INTO segmenter_invitations VALUES (1, 'a', {row}, 'r', '0', 'phone')")
        connection.exec_driver_sql(
            f"INSERT INTO segmenter_answers VALUES ('spring', 1, 'a', 'joined', '2026-07-02', '表.xlsx', {row}, NULL, 'r', '0', 'phone', NULL, NULL, NULL)"
        )
    ledger = open_ledger(url, tmp_path / "results")
    assert list_invitations(ledger).select("answer", "brings", "brought_by").rows() == [("joined", None, None)]
    record_plan(ledger, launch(), planned("ab").with_columns(brings=pl.Series([31.5, None])))
    brought = pl.concat([said("joined", "a"), said("joined", "b")]).with_columns(brought_by=pl.Series([None, "a"]))
    assert record_answers(ledger, "spring", brought) == 1  # what was known before is not taken twice
    assert list_invitations(ledger).select("brings", "brought_by").rows() == [(None, None), (None, "a")]
    record_answers(ledger, "spring", said("joined", "b", DAY + timedelta(days=5)))  # a list that does not say it takes nothing back
    assert list_invitations(ledger).select("answered_on", "brought_by").row(1) == (DAY + timedelta(days=5), "a")
    record_answers(ledger, "spring", said("joined", "b").with_columns(brought_by=pl.lit("c")))  # the sheet was corrected
    assert list_invitations(ledger)["brought_by"].to_list() == [None, "c"]
