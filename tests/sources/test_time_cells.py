"""Cells that say when, taken apart: a column read in parts means the same as in one."""

from datetime import date, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from segmenter.sources import fields
from segmenter.sources.time_cells import add_evidence, evidence_of, split

FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%d/%m/%Y %H:%M", "%m/%d/%y", "%d %b %Y %I:%M %p", "%Y%m%d", "%Y-%m-%dT%H:%M:%S%z", "noise", "")


@given(
    st.lists(st.tuples(st.datetimes(datetime(1970, 1, 2), datetime(2030, 1, 1)), st.sampled_from(FORMS)), max_size=12), st.integers(0, 12)
)
def test_neither_parts_nor_order_change_what_is_found(rows, at):
    cells = pl.Series("c", [moment.strftime(form) for moment, form in rows], dtype=pl.String)
    whole = add_evidence([evidence_of(split(cells))])
    parts = add_evidence(evidence_of(split(part)) for part in (cells[at:].reverse(), cells[:at]))
    for frame in (whole, parts):
        assert frame["count"].sum() <= len(cells)
    keys = ["text", "zone", "clock"]
    # Whether a cell is written as most files are depends on the first one of a part, and changes nothing.
    same = [
        frame.group_by(keys).agg(pl.col("count").sum(), pl.col("example").min()).sort(keys, nulls_last=True) for frame in (whole, parts)
    ]
    assert same[0]["count"].sum() == same[1]["count"].sum()
    found, _, _ = fields.times(cells, "auto", "Asia/Shanghai", date(2030, 1, 2), "key")
    again, _, _ = fields.times(cells.reverse(), "auto", "Asia/Shanghai", date(2030, 1, 2), "key")
    assert_frame_equal(found.to_frame("t"), again.reverse().to_frame("t"))


def test_the_usual_and_all_others_come_to_the_same():
    usual = pl.Series(["2026-06-03 10:30:00", "2026-06-04"])
    assert split(usual).usual.null_count() == 1
    assert fields.time(usual, "auto", "UTC").to_list() == [datetime(2026, 6, 3, 10, 30), datetime(2026, 6, 4)]
    assert fields.time(usual.reverse(), "auto", "UTC").to_list() == [datetime(2026, 6, 4), datetime(2026, 6, 3, 10, 30)]
