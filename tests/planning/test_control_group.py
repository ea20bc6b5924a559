from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.errors import ConfigError
from segmenter.planning.control_group import draw_customers, draw_regions, select_by_rank, stratify


@given(st.lists(st.sampled_from("xyz"), min_size=1, max_size=60), st.floats(0, 1), st.randoms(use_true_random=False))
def test_each_stratum_gives_its_share_whatever_the_order_of_the_rows(strata, share, random):
    frame = pl.DataFrame({"customer_id": [f"c{number}" for number in range(len(strata))], "stratum": strata})
    many = int(share * frame.height)
    drawn = frame.filter(draw_customers(frame, many, seed=1, launch="spring"))
    assert drawn.height == many
    for stratum, count in Counter(strata).items():
        assert abs(drawn.filter(stratum=stratum).height - many * count / frame.height) < 2
    mixed = list(range(frame.height))
    random.shuffle(mixed)
    again = frame[mixed].filter(draw_customers(frame[mixed], many, seed=1, launch="spring"))
    assert set(again["customer_id"]) == set(drawn["customer_id"])


@given(st.integers(4, 40), st.floats(0.01, 0.5))
def test_at_least_two_regions_are_on_either_side(count, share):
    regions = pl.Series([f"R{number}" for number in range(count)] * 2 + [None])
    drawn = draw_regions(regions, share, seed=1, launch="spring")
    assert 2 <= len(drawn) <= count - 2
    assert len(drawn) in (2, count - 2, round(share * count))
    assert set(drawn) < set(regions.drop_nulls())
    assert drawn == draw_regions(regions.reverse(), share, seed=1, launch="spring")


def test_of_three_regions_none_can_be_held_out():
    with pytest.raises(ConfigError, match="at least 4 regions"):
        draw_regions(pl.Series(["a", "b", "c", None]), 0.1, seed=1, launch="spring")


def test_strata_are_fifths_of_the_score_within_a_region():
    frame = pl.DataFrame({"customer_id": [f"{number:03}" for number in range(100)], "score": range(100), "region": ["r", None] * 50})
    strata = stratify(frame)
    assert Counter(name.split("|")[1] for name in strata) == dict.fromkeys("12345", 20)
    assert strata[-1] == "|5"


def test_an_attribute_may_be_called_as_a_column_of_the_draw():
    frame = pl.DataFrame({"row": [0, 1], "drawn": [True, False], "taken": [False, True], "score": [9, 8], "customer_id": ["a", "b"]})
    frame = frame.with_columns(cell=0, place=pl.lit("Chengdu"))
    assert select_by_rank(frame, ["score", "customer_id"], [["cell"]]).to_list() == [0]
