import pytest
from four_customers import frame, scored

import segmenter
from segmenter.scoring import fit_scorer


def test_scores_run_from_0_to_100_and_more_is_never_worse():
    scorer, done = scored()
    assert sum(scorer.shares.values()) == pytest.approx(1)
    assert done["score"].is_between(0, 100).all()
    best = scorer.score(
        frame(
            spend_window=[9_999_99_00] * 4,
            decayed_spend=[10**9] * 4,
            orders=[99] * 4,
            days_since_order=[1] * 4,
            spend_90d=[1] * 4,
            spend_90d_before=[0] * 4,
            referrals=[9] * 4,
            events_visit=[99] * 4,
            events_feedback=[9] * 4,
        )
    )
    assert best["score"].to_list() == [100.0] * 4


def test_a_component_in_which_all_are_equal_counts_for_nothing():
    settings = segmenter.launch_settings({})
    equal = frame(referrals=0, events_feedback=0, events_visit=0)
    assert {name: share for name, share in fit_scorer(equal, settings.scoring).shares.items() if share == 0} == {
        "engagement": 0,
        "advocacy": 0,
    }


def test_the_map_is_learned_on_the_eligible_only():
    settings = segmenter.launch_settings({})
    other = frame(spend_window=[100_00, 5_000_00, 900_00, 10**11])
    assert fit_scorer(other, settings.scoring).score(frame())["score"].equals(scored()[1]["score"])


def test_reach_is_a_component_where_it_is_given_and_weighs_what_is_said():
    settings = segmenter.launch_settings({})
    reaching = frame(reach=[0.0, 9.0, 0.0, 0.0])
    alone, none = (fit_scorer(reaching, settings.scoring, reach=weight) for weight in (1e9, 0.0))
    assert alone.score(reaching)["score"].to_list() == pytest.approx([0, 100, 0, 0], abs=1e-3)
    assert none.score(reaching)["score"].equals(scored()[1]["score"])
    assert "component_reach" in none.score(reaching).columns
    assert "reach" in none.measures(reaching)
