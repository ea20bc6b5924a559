"""Ids as they come back."""

import polars as pl

from segmenter.checks.id_forms import recognize_ids
from segmenter.words import visible


def test_an_id_as_a_sheet_shows_it_is_recognised():
    ids = pl.Series(["a\u200f1", "b\x1b2", "c3"])
    assert recognize_ids(pl.Series([visible(text) for text in ids]), ids).to_list() == ids.to_list()
