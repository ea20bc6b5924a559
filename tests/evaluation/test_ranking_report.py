from datetime import date

import polars as pl
import pytest

import segmenter
from segmenter.evaluation.auto import CHOICES, rank
from segmenter.evaluation.ranking_report import tell
from segmenter.measures.past import past_of
from segmenter.measures.timeline import with_purchases

UNTIL = date(2026, 7, 1)


@pytest.fixture(scope="module")
def past(small_shop):
    return past_of(small_shop, UNTIL, 90, None)


@pytest.fixture(scope="module")
def frame(past):
    return with_purchases(past.measures(UNTIL), past.timeline, UNTIL).with_columns(verdict=pl.lit("eligible"))


def told(frame, kind, past, lang, **overrides):
    settings = segmenter.launch_settings({"scoring": kind, **overrides}).scoring
    options = {"horizon_days": 30, "seed": 1, "lang": lang}
    return tell(rank(frame, settings, past, **options), settings, past, **options)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", ["weighted", "spend", "decayed", "recency", "rfm"])
def test_rules_need_no_evidence(frame, kind, lang):
    found = told(frame, kind, None, lang)
    assert (found.kind, found.measures.height, found.trials.height, found.model, found.warnings) == (kind, 0, 0, {}, ())
    assert found.sentence.startswith("Customers are ranked by " if lang == "en" else "客户按")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_models_rest_on(frame, past, lang):
    clv = told(frame, "clv", past, lang)
    assert clv.model["customers"] == frame["repeats"].count()
    assert "30" in clv.sentence
    small = {"scoring.trees": 20}
    learned = told(frame, "learned", past, lang, **small)
    assert learned.measures["importance"].sum() == pytest.approx(1)
    assert ("6 past dates, the latest 2026-06-01" if lang == "en" else "6 个日期（最近为 2026-06-01）") in learned.sentence
    auto = told(frame, "auto", past, lang, **small, **{"scoring.trials": 1})
    assert auto.trials["choice"].to_list() == list(CHOICES)
    assert auto.trials["share"].is_between(0, 1).all()
    early = past.before(past.timeline.span[0])
    fallen_back = told(frame, "auto", early, lang, **small)
    assert (fallen_back.kind, fallen_back.trials.height, fallen_back.measures.height, len(fallen_back.warnings)) == ("auto", 0, 0, 1)
    assert fallen_back.sentence.startswith("decayed was chosen" if lang == "en" else "选用 decayed")
