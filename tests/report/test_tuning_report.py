from types import SimpleNamespace

import polars as pl
import pytest

from segmenter.report.tuning_report import tuning_advice


def advice(tuned, present, low=None, high=None, *, unchanged=False, dates=3, current="present", others=(), lang="en"):
    shares = pl.DataFrame([("tuned", tuned), ("present", present), *others], {"ranking": pl.String, "held_back": pl.Float64}, orient="row")
    row = {"against": current, "difference": (tuned or 0) - (present or 0), "low": low, "high": high}
    found = SimpleNamespace(
        shares=shares, current=current, held_back=range(dates), horizon_days=30, helped=low is not None and low > 0,
        scoring="same" if unchanged else "other", present="same", differences=pl.DataFrame([row]),
    )  # fmt: skip
    return tuning_advice(found, lang)


@pytest.mark.parametrize(
    ("case", "start", "end"),
    [
        ({"tuned": 0.55, "present": 0.5, "low": 0.01, "high": 0.09}, "Use the tuned weights. On the 3 dates held back,", "(+5.0 points, between +1.0 and +9.0)."),
        ({"tuned": 0.55, "present": 0.5, "low": -0.01, "high": 0.09}, "Keep the present weights, or try the tuned weights:", "between −1.0 and +9.0)."),
        ({"tuned": 0.5, "present": 0.52, "low": -0.03, "high": 0.01}, "Keep the present weights: tuning did not help.", "(−2.0 points, between −3.0 and +1.0)."),
        ({"tuned": 0.5, "present": 0.5, "dates": 1, "unchanged": True}, "Keep the present weights: no trial held more at the dates learned from. On the date held back,", "in the 30 days after."),
        ({"tuned": 0.5, "present": 0.52}, "Keep the present weights: tuning did not help.", "(−2.0 points, on too few customers to be sure)."),
        ({"tuned": None, "present": None}, "Keep the present weights: whether tuning helps cannot be said", "after the dates held back."),
        ({"tuned": 0.5, "present": 0.4, "low": 0.1, "high": 0.2, "others": [("clv", 0.6)]}, "Use the tuned weights.", "; clv held more there, 60.0%: compare them with `segmenter backtest`."),
    ],
)  # fmt: skip
def test_whether_to_use_the_tuned_weights(case, start, end):
    sentence = advice(**case)
    assert sentence.startswith(start)
    assert sentence.endswith(end)
    assert "weights" not in advice(**case, lang="zh")
