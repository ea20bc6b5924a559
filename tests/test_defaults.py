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
