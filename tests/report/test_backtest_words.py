from dataclasses import replace
from itertools import permutations

import polars as pl
import pytest

from segmenter.report.backtest_words import advice, verdict

ENDS = {"low": 0.8, "high": 1.2}


@pytest.fixture
def found(backtest):
    def make(shares, current, low=None, high=None):
        """A backtest whose rankings hold these shares, every difference lying between `low` and `high`."""
        ends = {name: [None if share is None or low is None else share * part for share in shares.values()] for name, part in ENDS.items()}
        kinds = dict.fromkeys(("share", *ENDS), pl.Float64)
        intervals = pl.DataFrame({"ranking": list(shares), "share": list(shares.values()), **ends}, schema_overrides=kinds)
        rows = [
            (one, other, (shares[one] or 0) - (shares[other] or 0), low, high, low is not None and low > 0)
            for one, other in permutations(shares, 2)
        ]
        names = ["ranking", "against", "difference", "low", "high", "clearly_better"]
        schema = dict.fromkeys(names[:2], pl.String) | dict.fromkeys(names[2:5], pl.Float64) | {names[5]: pl.Boolean}
        results = pl.DataFrame({"cut": None, "ranking": list(shares), "lift_10": [4.0] * len(shares)}, schema_overrides={"cut": pl.Date})
        known = [name for name, share in shares.items() if share is not None]
        recommended = max(known, key=lambda name: shares[name]) if known else current
        differences = pl.DataFrame(rows, schema, orient="row")
        return backtest(intervals=intervals, differences=differences, results=results, current=current, recommended=recommended).found

    return make


HELD = "the 10% of customers whom it puts first spent 50.0% of everything in the 30 days after, 4.0 times what chance would give"


@pytest.mark.parametrize(
    ("shares", "current", "low", "high", "expected"),
    [
        ({"spend": 0.5, "recency": 0.2}, "recency", 0.1, 0.4,
         f"Use spend instead of recency: {HELD}; recency held 30.0 points less (between 10.0 and 40.0): a clear difference."),
        ({"recency": 0.2, "spend": 0.5}, "recency", -0.1, 0.4,
         f"spend did best: {HELD}; recency held 30.0 points less (between -10.0 and 40.0): no clear difference, so that recency, which the launch uses, may stay."),
        ({"spend": 0.5, "recency": 0.2}, "recency", None, None,
         f"spend did best: {HELD}; recency held 30.0 points less, on too few customers to be sure, so that recency, which the launch uses, may stay."),
        ({"spend": 0.5, "recency": 0.2}, "spend", 0.1, 0.4,
         f"Stay with spend: {HELD}; recency held 30.0 points less (between 10.0 and 40.0): a clear difference."),
        ({"spend": 0.5}, "spend", None, None, f"Stay with spend: {HELD}."),
        ({"spend": 0.5, "recency": 0.2}, "clv", 0.1, 0.4, f"Use spend: {HELD}; clv, which the launch uses, could not be computed."),
        ({"spend": None, "recency": None}, "recency", None, None,
         "No ranking can be recommended: the eligible customers spent nothing after any of the dates."),
    ],
)  # fmt: skip
def test_the_advice_says_which_to_use_and_how_sure_it_is(found, shares, current, low, high, expected):
    made = found(shares, current, low, high)
    assert advice(made, "en") == expected
    assert "customers" not in advice(made, "zh")


def test_where_even_the_best_may_be_chance_the_advice_says_so(found):
    made = found({"spend": 0.13, "recency": 0.1}, "spend", 0.01, 0.05)
    unsure = replace(made, results=made.results.with_columns(lift_10=pl.lit(1.2)))
    assert advice(unsure, "en").endswith(
        "Chance alone would give 10.8%, which lies within its 95% interval of 10.4% to 15.6%: no ranking is surely better than chance."
    )
    assert "没有排序方式明确优于随机" in advice(unsure, "zh")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.4, ("clearly worse", "−30.0 points (+10.0 to +40.0)")),
        (-0.1, 0.4, ("no clear difference", "−30.0 points (−10.0 to +40.0)")),
        (0.0, 0.0, ("the same", "")),
        (None, None, ("too little to tell", "−30.0 points")),
    ],
)
def test_a_ranking_is_compared_with_the_recommended_one(found, low, high, expected):
    made = found({"spend": 0.5, "recency": 0.2}, "recency", low, high)
    if expected[0] == "clearly worse":  # as only one side of a pair can be better
        worse = (pl.col("ranking") == "spend") & pl.col("clearly_better")
        made.differences.replace_column(5, made.differences.select(clearly_better=worse).to_series())
    assert verdict(made, "recency", "en") == expected
    assert verdict(made, "spend", "en") == verdict(made, "unknown", "en") == ("", "")
