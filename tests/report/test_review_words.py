"""Target progress and lift, in a sentence."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from made_up_launches import story

from segmenter.evaluation.launch_sales import State, TargetProgress
from segmenter.evaluation.lift import estimate_lift
from segmenter.report.review_words import say_lift, say_progress

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("state", "days", "words"),
    [
        ("met", 30, "spent 900 in the 30 days, 100 more than the target of 800; it was reached on 2026-07-09"),
        ("missed", 30, "100 short of the target of 800 (112 % of it)"),
        ("reached", 10, "after 10 of 30 days those who joined have spent 900, 100 more"),
        (
            "on_course",
            10,
            "On course: after 10 of 30 days those who joined have spent 900, where a straight line to the target of 800 asks",
        ),
        ("behind", 10, "Behind: after 10 of 30 days those who joined have spent 900"),
        ("no_target", 10, "have spent 900 in 10 of 30 days. The launch had no target."),
        ("no_target", 30, "have spent 900 in the 30 days. The launch had no target."),
        ("unknown", 10, "nobody counts as joined, and nothing can be said about the target."),
    ],
)
def test_progress_in_a_sentence(reviewed: Make, state: State, days: int, words: str) -> None:
    progress = TargetProgress(state, 900_00, 800_00, 300_00, 100_00, 2_700_00, reviewed().found.launch.as_of.replace(day=9))
    found = replace(reviewed().found, progress=progress, days=days)
    assert words in say_progress(found, "en")
    figures = [set(re.findall(r"\d[\d,]*\d", say_progress(found, lang).replace("-", " "))) for lang in ("en", "zh")]
    assert figures[0] == figures[1]


def test_what_few_customers_spent_is_not_said(reviewed: Make) -> None:
    found = reviewed().found
    few = replace(found, counts={**found.counts, "joined": 4})
    assert not re.search(r"\d\d", say_progress(few, "en") + say_progress(few, "zh"))


@pytest.mark.parametrize(
    ("gain", "cluster", "words"),
    [
        (5_000, False, "The invitation brought 25,000, between "),
        (5_000, False, "; 8 in 10 of the sales would have come anyway. It is the direct effect"),
        (10**7, False, "; hardly any of the sales would have come anyway."),
        (-5_000, False, "The invitation cost sales: 25,000, between "),
        (500, False, "No effect could be shown: it lies between -"),
        (5_000, True, "It is the total effect on a region"),
    ],
)
def test_lift_in_a_sentence(gain: int, cluster: bool, words: str) -> None:
    lift = estimate_lift(story(gain, cluster=cluster))
    assert words in say_lift(lift, "CNY", "en")
    figures = [set(re.findall(r"\d[\d,]{2,}\d", say_lift(lift, "CNY", lang))) for lang in ("en", "zh")]
    assert figures[0] == figures[1]
