"""The lift in a sentence."""

import re

import pytest
from made_up_launches import story

from segmenter.evaluation.lift import estimate_lift
from segmenter.report.lift_words import say_lift


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
def test_the_sentence(gain, cluster, words):
    lift = estimate_lift(story(gain, cluster=cluster))
    assert words in say_lift(lift, "CNY", "en")
    figures = [set(re.findall(r"\d[\d,]{2,}\d", say_lift(lift, "CNY", lang))) for lang in ("en", "zh")]
    assert figures[0] == figures[1]
