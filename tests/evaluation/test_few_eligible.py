"""What empties the list is named, and what is meant to leave few is not."""

import polars as pl
import pytest

import segmenter
from segmenter.evaluation.few_eligible import say_emptied


def funnel(rule, only, left):
    return pl.DataFrame({"rule": ["staff", rule], "removed_only": [1, only], "left": [left + only, left]})


@pytest.mark.parametrize(
    ("rule", "only", "left", "size", "said"),
    [
        ("recency", 900, 100, 500, True),
        ("recency", 900, 300, 500, False),  # most of those asked for
        ("recency", 50, 100, 500, False),  # the shop has no more
        ("region_include", 900, 100, 500, True),
        ("recency", 990, 10, "all", True),
        ("recency", 900, 100, "all", False),
        ("region_include", 990, 10, "all", False),
        ("gold", 990, 10, "all", False),
    ],
)
def test_the_rule_that_empties_the_list_is_named(rule, only, left, size, said):
    gold = [{"name": "gold", "keep": "orders > 5"}]
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "plan.size": size, "rules.custom": gold})
    assert [each.facts["rule"] for each in say_emptied(funnel(rule, only, left), settings)] == [rule] * said
    assert say_emptied(funnel(rule, only, left).clear(), settings) == []
