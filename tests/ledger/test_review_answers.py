"""What a review asks of the ledger: the launch, and the answers to it."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from jobs import settings_of

import segmenter
from segmenter.errors import InputError, LedgerError
from segmenter.ledger import LaunchRecord, list_invitations, open_ledger, record_plan
from segmenter.ledger.review_answers import find_launch, read_new_answers, take_answers
from segmenter.settings import ReviewJob
from segmenter.sources.inputs import Inputs

DAY = date(2026, 7, 1)


def job(*overrides: str) -> ReviewJob:
    return settings_of("review", *overrides, "data=files", "data.orders.path=orders.csv")


def planned(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ids, "status": "planned", "wave": 1, "group": "g", "agent": None, "score": 1.0, "stratum": "s"})


def test_a_launch_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    ledger = open_ledger(None, tmp_path / "results")
    with pytest.raises(LedgerError, match=r"should hold the launch that is reviewed \(got none in sqlite:///.*ledger.db\); plan one with"):
        find_launch(ledger, "spring")
    record_plan(ledger, LaunchRecord("spring", "vip", DAY, 30, None, "CNY", "f"), planned("a"))
    with pytest.raises(LedgerError, match=r'launch.name: should be a launch in sqlite:///.* \(got "sprint"\); nearest: spring'):
        find_launch(ledger, "sprint")


@pytest.mark.slow
def test_call_sheets_that_nobody_filled_in_do_not_keep_from_reviewing_the_sales(tmp_path: Path) -> None:
    ledger = open_ledger(None, tmp_path / "results")
    record_plan(ledger, LaunchRecord("spring", "vip", DAY, 30, None, "CNY", "f"), planned("a"))
    launched = find_launch(ledger, "spring")
    (tmp_path / "sheet.csv").write_text("customer_id,answer\na,\n", encoding="utf-8")
    told = read_new_answers(ledger, launched, job("review.as_of=2026-07-31", f"review.answers=[{tmp_path}/sheet.csv]"))
    assert told.answers.is_empty()
    assert told.warnings[0].startswith("review.answers: should hold answers (got none in 1 rows")
    with pytest.raises(InputError, match="none-such"):
        read_new_answers(ledger, launched, job("review.as_of=2026-07-31", f"review.answers=[{tmp_path}/none-such]"))


def test_ids_that_lost_their_zeros_are_recognised_but_not_against_the_shop_and_sheets_of_another_launch_are_told(tmp_path: Path) -> None:
    ledger = open_ledger(None, tmp_path / "results")
    record_plan(ledger, LaunchRecord("spring", "vip", DAY, 30, None, "CNY", "f"), planned("007", "008"))
    path = tmp_path / "sheet.csv"
    path.write_text("customer_id,answer\n7,joined\n8,refused\n11,joined\n12,joined\n13,no\n14,no\n", encoding="utf-8")
    settings = job("review.as_of=2026-07-31", "launch.as_of=2026-07-31", f"review.answers=[{path}]")
    told = read_new_answers(ledger, find_launch(ledger, "spring"), settings)
    assert told.answers["customer_id"].to_list() == ["007", "008", "11", "12", "13", "14"]
    orders = pl.DataFrame({"customer_id": ["008", "8", "11", "12", "13", "14"], "time": "2026-06-30", "amount": 1.0})  # 8 is not 008
    read = take_answers(ledger, "spring", told, Inputs(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), {}))
    assert list_invitations(ledger).drop_nulls("answer")["customer_id"].to_list() == ["007", "11", "12", "13", "14", "8"]
    assert read.warnings[-1] == "most of whom these files name were not invited: sheet.csv; are they of another launch?"


def test_the_shops_own_staff_in_a_list_of_members_do_not_count(tmp_path: Path) -> None:
    ledger = open_ledger(None, tmp_path / "results")
    record_plan(ledger, LaunchRecord("spring", "vip", DAY, 30, None, "CNY", "f"), planned("a"))
    path = tmp_path / "members.csv"
    path.write_text("customer_id,joined on,channel\na,2026-07-02,poster\ns,2026-07-01,\nb,2026-07-03,门店\n", encoding="utf-8")
    settings = job("review.as_of=2026-07-31", "launch.as_of=2026-07-31", f"review.answers=[{path}]")
    told = read_new_answers(ledger, find_launch(ledger, "spring"), settings)
    orders = pl.DataFrame({"customer_id": ["a"], "time": "2026-06-30", "amount": 1.0})
    customers = pl.DataFrame({"customer_id": ["a", "b", "s"], "staff": [False, False, True]})
    shop = segmenter.canonical_tables({"orders": orders, "customers": customers}, settings.data, settings.launch)
    read = take_answers(ledger, "spring", told, Inputs(shop, {}))
    assert list_invitations(ledger).select("customer_id", "answer", "channel").rows() == [
        ("a", "joined", "poster"),
        ("b", "joined", "shop"),
    ]
    assert [warning.code for warning in read.warnings] == ["answers.colleagues"]
    counts = read.tables.reads["answers"]
    assert (counts["rows"], counts["kept"], counts["dropped"]) == (3, 2, 1)
