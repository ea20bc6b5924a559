"""What a person reads of who came through whom: figures, plain words, and nobody's id on the page."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import slow_but

from segmenter.evaluation.launch_sales import FEW
from segmenter.planning import Estimate
from segmenter.report.generation_report import _too_few, came_through, generation_sections, say_through
from segmenter.report.labels import Labels
from segmenter.report.page import render_page
from segmenter.report.review_conclusion import conclude_review
from segmenter.report.review_outputs import review_outputs
from segmenter.report.review_report import review_report
from segmenter.tables import INVITED

Make = Callable[..., Any]


def members() -> pl.DataFrame:
    """Twenty key users, of whom each second brought two members, the second of these into another group; and a control group."""
    first = date(2026, 7, 1)
    row = {"launch": "tea", "community": "vip", "as_of": first, "ends_on": date(2026, 7, 31), "planned_at": first, "in_plan": True}
    joined = row | {"answer": "joined", "answered_on": date(2026, 7, 5)}
    rows = [joined | {"customer_id": f"K{at:04}", "status": "planned", "group": "g1", "brings": 1.0 + at / 100} for at in range(20)]
    rows += [
        joined | {"customer_id": f"K{100 + 2 * at + more:04}", "in_plan": False, "group": f"g{1 + more}", "brought_by": f"K{2 * at:04}"}
        for at in range(10)
        for more in (0, 1)
    ]
    rows += [row | {"customer_id": f"K{at:04}", "status": "held_out"} for at in range(200, 260)]
    return pl.DataFrame(rows, INVITED)


@pytest.mark.parametrize(
    ("lang", "words"),
    slow_but(
        [("en", ("Who came through whom", "as expected")), ("zh", ("谁带来了谁", "与预期相符"))], ("zh", ("谁带来了谁", "与预期相符"))
    ),
)
def test_the_page_says_it_without_ids_and_the_file_lists_them(reviewed: Make, lang: str, words: tuple[str, ...]) -> None:
    made = reviewed(f"lang={lang}", people=members())
    page = render_page(review_report(made.found, made.settings), lang)
    assert all(word in page for word in words)
    assert not re.search(r"K\d{4}", page)
    assert "came_through.csv" in {file.name for file in review_outputs(made.found, made.read, made.settings).files}
    listed = came_through(made.found.through)
    assert listed.height == 40
    first = listed.row(0, named=True)
    expected = {"member": "K0000", "group": "g1", "generation": 0, "brought_by": None, "joined_on": date(2026, 7, 5)}
    assert first == expected | {"brought": 2, "through": 2, "expected": 1.0, "links": "g1, g2"}


def test_where_of_nobody_it_is_known_one_line_says_how_to_tell_it_if_it_matters(reviewed: Make) -> None:
    silent = members().with_columns(brought_by=pl.lit(None, pl.String))
    made = reviewed(people=silent)
    assert generation_sections(made.found, Labels("en", "CNY")) == ()
    assert [warning.code for warning in made.found.warnings].count("review.no_bringers") == 1
    without = reviewed(people=silent.with_columns(brings=pl.lit(None, pl.Float64))).found
    assert "review.no_bringers" not in {warning.code for warning in without.warnings}


def test_growth_and_what_fell_short_stand_in_the_conclusion(reviewed: Make) -> None:
    made, labels = reviewed(people=members()), Labels("en", "CNY")
    through = made.found.through
    growing = replace(made.found, through=replace(through, reproduction=Estimate(1.5, 1.2, 1.8)))
    assert "make room" in conclude_review(growing, labels)[1]
    assert any("grows by itself" in sentence for sentence in say_through(growing, labels))
    short = replace(made.found, through=replace(through, expected=Estimate(90.0, 60.0, 120.0)))
    assert "they brought 20 where 90 were expected" in conclude_review(short, labels)[2]
    assert any("fewer than chance" in sentence for sentence in say_through(short, labels))
    early = replace(short, over=False)
    assert not any("fewer than chance" in sentence for sentence in say_through(early, labels))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_what_is_hidden_says_no_more_of_single_ones_when_it_is_taken_from_all(sizes: list[int]) -> None:
    most = _too_few(pl.DataFrame({"customers": sizes}))
    hidden = sum(size for size in sizes if size <= most)
    assert all(size > most for size in sizes if size >= FEW) or hidden >= FEW or hidden == sum(sizes)
    assert hidden == 0 or hidden >= FEW or hidden == sum(sizes)
    assert all(size <= most for size in sizes if 0 < size < FEW)
