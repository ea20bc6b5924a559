"""How segments of an earlier launch fit the shop now, as the report says it."""

from datetime import date

import polars as pl
import pytest

from segmenter.messages import Message
from segmenter.report.labels import Labels
from segmenter.report.sections import Table
from segmenter.report.segment_moves import continuation, moves_csv
from segmenter.segments.drift import DRIFT, MOVES, Continuation

MOVED = pl.DataFrame([(0, 1, 3), (1, 1, 80), (1, 2, 20), (2, None, 5), (None, 0, 7)], MOVES, orient="row")
DRIFTED = pl.DataFrame(
    [("spend", 0.02, 0.01), ("segment", 0.01, 0.3), ("orders", 0.12, 0.2), ("events", 0.2, 0.01), ("days_known", 0.9, 0.01)],
    DRIFT,
    orient="row",
)
NAMES = {1: Message("segments.name", "{words}", words=("big",)), 2: Message("segments.name", "{words}", words=("small",))}


def found(moves: pl.DataFrame | None = MOVED) -> Continuation:
    return Continuation(NAMES, ("may", date(2026, 5, 1)), ("june", date(2026, 6, 1)), DRIFTED, 0.04, moves)


def tables(kept: Continuation, lang: str = "en") -> list[Table]:
    (section,) = continuation(kept, Labels(lang, "CNY"))
    return [block for block in section.blocks if isinstance(block, Table)]


def test_everybody_is_in_the_table_of_moves() -> None:
    moves, _ = tables(found())
    assert [column.heading for column in moves.columns[2:]] == ["big", "small", "not eligible", "no customer any more"]
    rows = {line.cells[0].text: [cell.text for cell in line.cells[1:]] for line in moves.rows}
    assert rows == {
        "big": ["100", "80", "20", "–", "–"],
        "small": ["5", "–", "–", "–", "5"],
        "not eligible": ["3", "3", "–", "–", "–"],
        "not a customer yet": ["7", "–", "–", "7", "–"],
    }
    named = moves_csv(found(), MOVED, Labels("en", "CNY"))
    assert named.rows()[0] == ("not eligible", "big", 3)
    assert named["customers"].sum() == MOVED["customers"].sum()


def test_drift_has_its_words_the_largest_first() -> None:
    drift = tables(found())[-1]
    assert [(line.cells[1].text, line.cells[2].text) for line in drift.rows] == [
        ("0.01", "the same"),  # the segments themselves
        ("0.90", "moved away"),
        ("0.20", "somewhat shifted"),
        ("0.12", "the same"),  # no more than chance would give
        ("0.02", "the same"),
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_the_customers_of_then_there_is_no_table_of_moves(lang: str) -> None:
    assert len(tables(found(None), lang)) == 1
    assert continuation(None, Labels(lang, "CNY")) == []
    (section,) = continuation(found(), Labels(lang, "CNY"))
    assert "june" in section.heading
    assert len(section.brief) == 1
