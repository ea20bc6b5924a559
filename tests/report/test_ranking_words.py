from dataclasses import replace
from datetime import date
from typing import get_args

import polars as pl
import pytest

from segmenter.report.ranking_words import choice_sentence, ranking_meaning, ranking_name, ranking_sentence
from segmenter.scoring.ranking import RankingReport
from segmenter.settings import AnyScoring

KINDS = [kind for side in get_args(get_args(AnyScoring)[0]) for kind in get_args(side.model_fields["kind"].annotation)]
PLAIN = [kind for kind in KINDS if kind not in ("learned", "auto", "lookalike")]  # whose sentences need no further facts
LEARNED = RankingReport(kind="learned", horizon_days=30, learned_cuts=(date(2026, 6, 1), date(2026, 5, 17)), learned_rows=12_345)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_ranking_has_its_words(lang):
    sentences = [ranking_sentence(RankingReport(kind=kind, horizon_days=30), lang) for kind in PLAIN]
    assert len(set(sentences)) == len(sentences)
    assert all(ranking_meaning(kind, lang) for kind in KINDS)
    assert (ranking_name("decayed", lang), ranking_meaning("mine", lang)) == ("decayed", "")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_models_rest_on_is_said(lang):
    learned = ranking_sentence(LEARNED, lang)
    assert all(fact in learned for fact in ("12,345", "2026-06-01", "30", "2"))
    means = {"decayed": 0.3, "spend": 0.251, "learned": 0.4}
    chosen = replace(
        LEARNED, kind="auto", choice="learned", trial_cuts=3, trials=pl.DataFrame(list(means.items()), ["choice", "share"], orient="row")
    )
    sentence = ranking_sentence(chosen, lang)
    assert sentence == choice_sentence("learned", means, 3, lang) + (" " if lang == "en" else "") + learned
    assert all(fact in sentence for fact in ("40.0%", "decayed 30.0%", "spend 25.1%"))
    assert "%" not in choice_sentence("decayed", {}, 0, lang)
