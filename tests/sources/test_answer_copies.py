"""Copies of files that were changed afterwards."""

from datetime import date

import polars as pl
import pytest

from segmenter.sources.answer_copies import original, without_older


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("王芳/名单 (2).xlsx", "王芳/名单.xlsx"),
        ("名单（3）.xls", "名单.xls"),
        ("名单 - 副本.csv", "名单.csv"),
        ("名单 - 副本 (2).csv", "名单.csv"),
        ("calls - Copy.xlsx, Sheet2", "calls.xlsx, Sheet2"),
        ("Copy of calls.xlsx", "calls.xlsx"),
        ("副本名单.xlsx", "名单.xlsx"),
        ("calls 2026-07-03.xlsx", "calls 2026-07-03.xlsx"),
        ("photocopy.csv", "photocopy.csv"),
        ("group(2026).xlsx", "group(2026).xlsx"),
    ],
)
def test_a_copy_has_the_name_of_its_original(name: str, of: str) -> None:
    assert pl.select(original(pl.lit(name))).item() == of


def answers(*rows: tuple[str, str, str, int]) -> pl.DataFrame:
    days = [(source, who, said, date(2026, 7, day)) for source, who, said, day in rows]
    return pl.DataFrame(days, schema=["source", "customer_id", "answer", "answered_on"], orient="row")


ROWS = [("a.csv", "1", "joined", 3), ("a.csv", "2", "refused", 3), ("a (2).csv", "1", "refused", 3), ("a (2).csv", "3", "joined", 4)]


@pytest.mark.parametrize("order", [1, -1])
def test_of_the_same_day_the_copy_with_the_later_answers_counts_whatever_was_read_first(order: int) -> None:
    left, outdone = without_older(answers(*ROWS[::order], ("b.csv", "1", "joined", 3)))
    assert sorted(left.select("customer_id", "answer", "source").rows()) == [
        ("1", "joined", "b.csv"),
        ("1", "refused", "a (2).csv"),
        ("2", "refused", "a.csv"),
        ("3", "joined", "a (2).csv"),
    ]
    assert outdone == ["a.csv"]


def test_without_copies_nothing_is_left_out() -> None:
    rows = answers(*ROWS[:2])
    assert without_older(rows)[0].equals(rows)
