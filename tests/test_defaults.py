from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest

import segmenter
from segmenter.errors import ConfigError
from segmenter.settings import AutoSettings


def test_a_group_s_name_takes_its_file_with_what_that_builds_on():
    scoring = segmenter.launch_settings({"scoring": "auto", "scoring.trials": 2}).scoring
    assert isinstance(scoring, AutoSettings)
    assert (scoring.trials, scoring.cuts) == (2, 6)  # its own, and one of _learning.yaml
    with pytest.raises(ConfigError, match=r"^scoring: should be one of .*; nearest: auto"):
        segmenter.launch_settings({"scoring": "autto"})


def test_the_defaults_of_every_call_are_the_files():
    assert segmenter.launch_settings({"rules.region.include": ("四川",)}).rules.region.include == ("四川",)
    assert segmenter.launch_settings({}).rules.region.include == ()
    assert segmenter.review_settings({}).review.answers == ()
    backtest = segmenter.backtest_settings({})
    assert set(backtest.rankings) == {"spend", "decayed", "recency", "rfm", "weighted", "clv", "learned", "auto"}


def test_a_program_s_dates_and_numbers_are_the_config_s():
    given = {
        "launch.as_of": date(2026, 7, 1),
        "plan.size": np.int64(5),
        "rules.spend.min": Decimal("9.5"),
        "data.customers.contact": np.array(["tel"]),
    }
    settings = segmenter.launch_settings(given)
    assert settings == segmenter.launch_settings(
        {"launch.as_of": "2026-07-01", "plan.size": 5, "rules.spend.min": 9.5, "data.customers.contact": ["tel"]}
    )


@pytest.mark.parametrize("value", [object(), {1, 2}, [object()], b"x", datetime.now, 1j])
def test_what_no_config_holds_is_said(value):
    with pytest.raises(ConfigError, match=r"^plan\.size: should be a number"):
        segmenter.launch_settings({"plan.size": value})
