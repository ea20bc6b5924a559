"""Who knows whom: pairs once, weights from 0 up, people who are no customers kept and counted."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.errors import InputError
from segmenter.tables import TIES

ORDERS = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-01"] * 2, "amount": [5, 5]})
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.floats(0, 1e6)), min_size=1, max_size=12)


def read(ties, **overrides) -> segmenter.Tables:
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "data.max_reject_share": 0.5, **overrides})
    frame = ties if isinstance(ties, pl.DataFrame) else pl.DataFrame(ties)
    return segmenter.canonical_tables({"orders": ORDERS, "ties": frame}, settings.data, settings.launch)


def codes(tables):
    return {finding.message.code: finding.message.facts for finding in tables.findings}


def test_repeats_add_up_and_nobody_knows_themselves():
    tables = read({"from_id": ["b", "a", "b", "a"], "to_id": ["a", "b", "a", "a"], "weight": [2, 5, None, 1]})
    assert tables.ties.rows() == [("a", "b", 5.0), ("b", "a", 3.0)]
    assert tables.ties.schema == TIES
    assert codes(tables)["files.ties_alone"]["count"] == codes(tables)["files.ties_again"]["count"] == 1
    assert tables.reads["ties"] == {"rows": 4, "filtered": 0, "later": 0, "rejected": 0, "kept": 4}


@pytest.mark.slow
@given(ROWS, st.randoms())
def test_the_order_of_rows_changes_nothing(rows, random):
    one, other = (
        read(pl.DataFrame(some, schema=TIES, orient="row"), **{"data.max_reject_share": 1}).ties
        for some in (rows, random.sample(rows, len(rows)))
    )
    assert one.equals(other)
    assert one.height == len({(first, second) for first, second, _ in rows if first != second})


def test_a_weight_that_is_none_is_rejected_with_its_reason():
    ties = {"from_id": ["a"] * 6, "to_id": ["b"] * 6, "weight": ["-1", "much", "2", "", "1,200", "0"]}
    tables = read(ties)
    assert tables.ties["weight"].to_list() == [1203.0]
    assert tables.rejects.select("column", "value").rows() == [("weight", "-1"), ("weight", "much")]


def test_columns_are_named_and_never_guessed():
    ties = {"谁": ["a"], "认识": ["b"]}
    assert read(ties, **{"data.ties.columns.from_id": "谁", "data.ties.columns.to_id": "认识"}).ties.rows() == [("a", "b", 1.0)]
    with pytest.raises(InputError, match=r"data\.ties\.columns\.from_id: is needed") as caught:
        read(ties)
    assert len(caught.value.problems) == 2


def test_what_comes_later_is_not_there_and_rows_may_be_chosen():
    ties = {"from_id": ["a", "b", "a"], "to_id": ["b", "a", "c"], "time": ["2026-06-30 23:59", "2026-07-01", "2026-06-01"]}
    assert read(ties).ties.select("from_id", "to_id").rows() == [("a", "b"), ("a", "c")]
    assert read(ties, **{"data.ties.where": "to_id <> 'c'"}).ties.height == 1


def test_who_is_no_customer_is_counted_and_ids_of_one_person_are_one():
    found = codes(read({"from_id": ["a", "13800138000"], "to_id": ["x", "a"]}))["files.ties_unknown"]
    assert (found["count"], found["people"]) == (2, 3)
    assert not any("13800138000" in shown for shown in found["ids"])
    assert "files.ties_unknown" not in codes(read({"from_id": ["a"], "to_id": ["b"]}))
    mended = read({"from_id": ["A"], "to_id": ["b"]}, **{"data.ids": "mended"}).ties
    assert set(mended.row(0)[:2]) <= {"a", "A", "b"}
    assert "files.ties_unknown" not in codes(read({"from_id": ["A"], "to_id": ["b"]}, **{"data.ids": "mended"}))


def test_without_the_table_there_are_none():
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    assert segmenter.canonical_tables({"orders": ORDERS}, settings.data, settings.launch).ties is None
