"""How the last known levels of a place stand to each other; all ways of computing that are compared in the tests of each."""

from datetime import date, datetime

import polars as pl
import pytest

from segmenter.measures.aggregator import aggregate
from segmenter.measures.definition import summarize_frame
from segmenter.measures.timeline import timeline_of
from segmenter.tables import (
    APART,
    BEFORE_PROVINCE,
    DISTRICTS,
    LEVELS,
    NEWER,
    OLDER,
    ORDERS,
    TOGETHER,
    WITH_PROVINCE,
    Terms,
)


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([("p", "c", "d")], ("p", "c", "d", TOGETHER, TOGETHER)),
        ([("p", "c", "d"), (None, None, None)], ("p", "c", "d", TOGETHER, TOGETHER)),
        ([("p", "c", "d"), ("p", None, None)], ("p", "c", "d", TOGETHER, TOGETHER)),
        ([("p", "c", "d"), ("q", None, None)], ("q", "c", "d", OLDER, TOGETHER)),
        ([("p", None, "d"), ("q", None, None)], ("q", None, "d", TOGETHER, BEFORE_PROVINCE)),
        ([("q", None, None), (None, "c", "d")], ("q", "c", "d", NEWER, TOGETHER)),
        ([("p", "c", "d"), ("q", "c", None)], ("q", "c", "d", TOGETHER, OLDER)),
        ([("p", "c", None), (None, "e", None)], ("p", "e", None, NEWER, TOGETHER)),
        ([(None, "c", None), ("p", None, None)], ("p", "c", None, OLDER, TOGETHER)),
        ([("p", "c", "d"), ("p", "e", None)], ("p", "e", "d", TOGETHER, OLDER)),
        ([("p", "c", None), ("p", None, "d")], ("p", "c", "d", TOGETHER, WITH_PROVINCE)),
        ([("p", "c", None), (None, None, "d")], ("p", "c", "d", TOGETHER, NEWER)),
        ([("p", "c", None), (None, None, "d"), ("p", None, None)], ("p", "c", "d", TOGETHER, BEFORE_PROVINCE)),
        ([(None, "c", None), (None, None, "d")], (None, "c", "d", TOGETHER, WITH_PROVINCE)),
        ([(None, None, "d")], (None, None, "d", TOGETHER, TOGETHER)),
    ],
    ids=str,
)
def test_levels_told_at_different_times(orders, expected):
    rows = [("a", None, datetime(2026, 1, day), 5, 0, True, *places) for day, places in enumerate(orders, 1)]
    frame, terms = pl.DataFrame(rows, schema=ORDERS, orient="row"), Terms(date(2026, 7, 1), 90, None)
    for summary in (summarize_frame(frame, terms), timeline_of(frame).summary(terms), aggregate(frame, terms)):
        *places, apart = summary.frame.select(*LEVELS, APART).row(0)
        assert (*places, apart % DISTRICTS, apart // DISTRICTS) == expected
