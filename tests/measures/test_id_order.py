"""Customers are ordered as Polars orders text, whatever their ids are like."""

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segmenter.measures.arrow_columns import views_of
from segmenter.measures.id_order import order_of

PIECES = st.sampled_from(["", "C", "000", "1", "2", "9", "\0", "\x7f", "é", "客户", "𠮷", "\U0010ffff", "Z"])


def ordered(ids):
    views = views_of(ids).views.reshape(-1, 2)
    return ids.gather(order_of(np.ascontiguousarray(views), ids)).to_list()


@pytest.mark.slow
@given(st.lists(st.lists(PIECES, max_size=6).map("".join), unique=True, max_size=30))
@example(["a", "a\0", "a\0\0", ""])
@example(["\0" * length for length in range(13)])  # only their lengths differ, and one is no longer inline
@example([chr(number) * 4 for number in range(1, 128)] + ["\x7f" * 12])
def test_ids_are_ordered_byte_by_byte(ids):
    assert ordered(pl.Series(ids, dtype=pl.String)) == sorted(ids, key=str.encode)


def test_many_ids_of_each_kind():
    random = np.random.default_rng(4)
    numbers = pl.Series(random.permutation(100_000))
    kinds = [
        pl.concat_str(pl.lit("C"), numbers.cast(pl.String).str.zfill(9)),  # few bits differ
        numbers.cast(pl.String),  # of different lengths
        (numbers * 93_441_371_009).cast(pl.String).str.zfill(12),  # more than 64 bits may differ
        pl.concat_str(pl.lit("customer "), numbers.cast(pl.String)),  # some are long
    ]
    for kind in kinds:
        ids = pl.select(kind).to_series()
        assert ordered(ids) == ids.sort().to_list()
