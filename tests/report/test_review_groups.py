"""What a review shows of live events, second calls and groups."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from pages import text_of

from segmenter.report.labels import Labels
from segmenter.report.page import render_page
from segmenter.report.review_groups import group_sections, name_some, say_life, say_second_calls
from segmenter.report.review_report import review_report

Make = Callable[..., Any]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_live_events_second_calls_silent_groups_and_whom_to_see_to_are_on_the_page(reviewed: Make, lang: str) -> None:
    made = reviewed(f"lang={lang}")
    found, labels = made.found, Labels(lang, "CNY")
    page = render_page(review_report(found, made.settings), lang)
    said = text_of(page)
    assert len(group_sections(found, made.settings, labels)) == 4
    assert found.life.silent == ["g3", "g4"]
    for sentence in (say_second_calls(found, labels), say_life(found, labels)):
        assert sentence in said
    assert name_some(["g3", "g4"], labels) in say_life(found, labels)
    invited = found.live_events.filter(cohort="invited").row(0, named=True)
    assert f"¥{round(invited['high'] / 100):,}" in said
    assert str(found.second_calls["again"][0]) in say_second_calls(found, labels)
    assert not re.search(r"K\d{4}|\bNone\b|\bnan\b", page)
    for file in ("complaints.csv", "breaches.csv"):
        assert file in said


@pytest.mark.slow
def test_what_is_not_known_is_left_out_and_no_effect_is_said_so(reviewed: Make) -> None:
    made = reviewed()
    labels = Labels("en", "CNY")
    none = replace(
        made.found,
        life=None,
        **{name: getattr(made.found, name).clear() for name in ("live_events", "second_calls", "complaints", "breaches")},
    )
    assert group_sections(none, made.settings, labels) == ()
    assert say_second_calls(none, labels) == say_life(none, labels) == ""
    vain = made.found.second_calls.with_columns(joined=pl.lit(0), low=pl.lit(0.0), high=pl.lit(0.03))
    assert "brought nobody" in say_second_calls(replace(made.found, second_calls=vain), labels)


def test_many_groups_are_counted() -> None:
    assert name_some(["a", "b", "c", "d", "e"], Labels("en", "CNY")) == "a, b, c and 2 more"
