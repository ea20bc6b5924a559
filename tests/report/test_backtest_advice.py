from itertools import permutations

import polars as pl
import pytest

from segmenter.report.backtest_advice import advise


def told(shares, current, low=None, high=None, lang="en"):
    """What is said where rankings hold these shares, and every difference lies between `low` and `high`."""
    intervals = pl.DataFrame({"ranking": list(shares), "share": list(shares.values())}, schema_overrides={"share": pl.Float64})
    rows = [
        (one, other, (shares[one] or 0) - (shares[other] or 0), low, high, low is not None and low > 0)
        for one, other in permutations(shares, 2)
    ]
    names = ["ranking", "against", "difference", "low", "high", "clearly_better"]
    differences = pl.DataFrame(
        rows, dict.fromkeys(names[:2], pl.String) | dict.fromkeys(names[2:5], pl.Float64) | {names[5]: pl.Boolean}, orient="row"
    )
    results = pl.DataFrame({"cut": None, "ranking": list(shares), "lift_10": [4.0] * len(shares)}, schema_overrides={"cut": pl.Date})
    return advise(results, intervals, differences, current, horizon_days=30, lang=lang)


HELD = "the 10% of customers whom it puts first spent 50.0% of everything in the 30 days after, 4.0 times what chance would give"


@pytest.mark.parametrize(
    ("shares", "current", "low", "high", "expected"),
    [
        ({"spend": 0.5, "recency": 0.2}, "recency", 0.1, 0.4,
         ("spend", f"Use spend instead of recency: {HELD}; recency held 30.0 points less (between 10.0 and 40.0): a clear difference.")),
        ({"recency": 0.2, "spend": 0.5}, "recency", -0.1, 0.4,
         ("spend", f"spend did best: {HELD}; recency held 30.0 points less (between -10.0 and 40.0): no clear difference, so that recency, which the launch uses, may stay.")),
        ({"spend": 0.5, "recency": 0.2}, "recency", None, None,
         ("spend", f"spend did best: {HELD}; recency held 30.0 points less, on too few customers to be sure, so that recency, which the launch uses, may stay.")),
        ({"spend": 0.5, "recency": 0.2}, "spend", 0.1, 0.4,
         ("spend", f"Stay with spend: {HELD}; recency held 30.0 points less (between 10.0 and 40.0): a clear difference.")),
        ({"spend": 0.5, "recency": 0.5}, "recency", 0.0, 0.0,
         ("spend", f"spend did best: {HELD}; recency held 0.0 points less (between 0.0 and 0.0): no clear difference, so that recency, which the launch uses, may stay.")),
        ({"spend": 0.5}, "spend", None, None, ("spend", f"Stay with spend: {HELD}.")),
        ({"spend": 0.5, "recency": 0.2}, "clv", 0.1, 0.4, ("spend", f"Use spend: {HELD}; clv, which the launch uses, could not be computed.")),
        ({"spend": None, "recency": None}, "recency", None, None,
         ("recency", "No ranking can be recommended: the eligible customers spent nothing after any of the dates.")),
    ],
)  # fmt: skip
def test_one_sentence(shares, current, low, high, expected):
    assert told(shares, current, low, high) == expected
    ranking, sentence = told(shares, current, low, high, lang="zh")
    assert ranking == expected[0]
    assert sentence.endswith("。")
    assert "customers" not in sentence
