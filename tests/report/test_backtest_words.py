from dataclasses import replace
from itertools import permutations

import numpy as np
import polars as pl
import pytest

from segmenter.evaluation.chance import Chance
from segmenter.report.backtest_words import advice, chosen, verdict

ENDS = {"low": 0.8, "high": 1.2}


@pytest.fixture
def found(backtest):
    def make(shares, current, low=None, high=None):
        """A backtest whose rankings hold these shares, every difference lying between `low` and `high`."""
        ends = {name: [None if share is None or low is None else share * part for share in shares.values()] for name, part in ENDS.items()}
        kinds = dict.fromkeys(("share", *ENDS), pl.Float64)
        intervals = pl.DataFrame({"ranking": list(shares), "share": list(shares.values()), **ends}, schema_overrides=kinds)
        intervals = intervals.with_columns(dates=7, beats_chance=True)
        rows = [
            (one, other, (shares[one] or 0) - (shares[other] or 0), low, high, low is not None and low > 0, 7)
            for one, other in permutations(shares, 2)
        ]
        names = ["ranking", "against", "difference", "low", "high", "clearly_better", "dates"]
        schema = dict.fromkeys(names[:2], pl.String) | dict.fromkeys(names[2:5], pl.Float64) | {names[5]: pl.Boolean, names[6]: pl.Int64}
        results = pl.DataFrame({"cut": None, "ranking": list(shares), "lift_10": [4.0] * len(shares)}, schema_overrides={"cut": pl.Date})
        known = [name for name, share in shares.items() if share is not None]
        clear = low is not None and low > 0
        recommended = max(known, key=lambda name: shares[name]) if known and (clear or current not in known) else current
        differences = pl.DataFrame(rows, schema, orient="row")
        return backtest(intervals=intervals, differences=differences, results=results, current=current, recommended=recommended).found

    return make


HELD = "the 10% of customers whom it puts first spent 50.0% of everything in the 30 days after, 4.0 times what chance would give"
LESS = HELD.replace("50.0", "20.0")


@pytest.mark.parametrize(
    ("shares", "current", "low", "high", "expected"),
    [
        ({"spend": 0.5, "recency": 0.2}, "recency", 0.1, 0.4,
         f"Use spend instead of recency: {HELD}; recency held 30.0 points less (between 10.0 and 40.0): a clear difference."),
        ({"recency": 0.2, "spend": 0.5}, "recency", -0.4, 0.1,
         f"Stay with recency: {LESS}; spend held 30.0 points more (between -10.0 and 40.0): no clear difference."),
        ({"spend": 0.5, "recency": 0.2}, "recency", None, None,
         f"Stay with recency: {LESS}; spend held 30.0 points more, on too few customers to be sure."),
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


def test_where_nothing_beats_chance_nothing_is_praised(found):
    made = found({"spend": 0.13, "recency": 0.1}, "recency", -0.01, 0.05)
    none = replace(made, intervals=made.intervals.with_columns(beats_chance=False), chance=Chance(0.1, 0.031, 0.19, 12, np.zeros(0)))
    said = advice(none, "en")
    assert said.startswith("It cannot be told which ranking is best: 12 customers bought")
    assert "3.1% to 19.0%" in said
    assert "recency may stay" in said
    assert "spend did" not in said
    assert "无法判断" in advice(none, "zh")
    assert (chosen(made, "en"), chosen(none, "en")) == ("recommended", "in use now")
    lost = replace(none, current="clv", recommended="spend")
    assert advice(lost, "en").endswith("clv, which the launch uses, could not be computed; spend will do in its place.")
    assert chosen(lost, "en") == "for now"
    # Of two that are not clearly apart the launch's own stays, even where only the other one beats chance; and that is said.
    half = replace(made, intervals=made.intervals.with_columns(beats_chance=pl.col("ranking") == "spend"))
    assert advice(half, "en").endswith("Whether recency is better than chance cannot be told.")
    few = replace(made, chance=replace(none.chance, buyers=41))
    assert advice(few, "en").endswith("This rests on only 41 customers who bought later.")


def test_a_comparison_on_fewer_dates_says_so(found):
    made = found({"spend": 0.5, "recency": 0.2}, "recency", 0.1, 0.4)
    fewer = replace(made, differences=made.differences.with_columns(dates=4))
    assert "on the 4 dates that both have" in advice(fewer, "en")
    assert "on 4 dates" in verdict(fewer, "recency", "en")[1]


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
    made = replace(made, recommended="spend")
    assert verdict(made, "recency", "en") == expected
    assert verdict(made, "spend", "en") == verdict(made, "unknown", "en") == ("", "")
