from datetime import date

import polars as pl
import pytest

import segmenter
from segmenter.evaluation.auto import CHOICES, rank
from segmenter.evaluation.ranking_report import report_ranking
from segmenter.measures.past import past_of
from segmenter.measures.timeline import with_purchases

UNTIL = date(2026, 7, 1)


@pytest.fixture(scope="module")
def past(small_shop):
    return past_of(small_shop, UNTIL, 90, None)


@pytest.fixture(scope="module")
def frame(past):
    return with_purchases(past.measures(UNTIL), past.timeline, UNTIL).with_columns(verdict=pl.lit("eligible"))


def report(frame, kind, past, **overrides):
    settings = segmenter.launch_settings({"scoring": kind, **overrides}).scoring
    return report_ranking(rank(frame, settings, past, horizon_days=30, seed=1), settings, past, horizon_days=30, seed=1)


@pytest.mark.parametrize("kind", ["weighted", "spend", "decayed", "recency", "rfm"])
def test_simple_rankings_need_no_evidence(frame, kind):
    found = report(frame, kind, None)
    assert (found.kind, found.measures.height, found.trials.height, found.model, found.warnings) == (kind, 0, 0, {}, ())
    assert (found.learned_cuts, found.choice) == ((), None)


def test_what_models_rest_on(frame, past):
    assert report(frame, "clv", past).model["customers"] == frame["repeats"].count()
    small = {"scoring.trees": 20}
    learned = report(frame, "learned", past, **small)
    assert learned.measures["importance"].sum() == pytest.approx(1)
    assert (len(learned.learned_cuts), learned.learned_cuts[0]) == (6, date(2026, 6, 1))
    auto = report(frame, "auto", past, **small, **{"scoring.trials": 1})
    assert (auto.trials["choice"].to_list(), auto.trial_cuts) == (list(CHOICES), 1)
    assert auto.trials["share"].is_between(0, 1).all()
    early = report(frame, "auto", past.before(past.timeline.span[0]), **small)
    assert (early.kind, early.choice, early.trials.height, early.measures.height, len(early.warnings)) == ("auto", "decayed", 0, 0, 1)
