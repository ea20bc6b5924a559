import polars as pl
from four_customers import scored

import segmenter
from segmenter.scoring import fit_scorer, with_reasons


def test_the_components_that_made_most_of_the_score_are_named_in_their_own_order():
    scorer, done = scored(max_reasons=7)
    assert with_reasons(done, done, scorer)["reasons"].to_list() == [
        ["recency"],  # the last of the eligible in all else
        ["spend", "frequency", "engagement", "advocacy", "growth"],
        ["spend", "frequency", "recency", "advocacy"],
        ["engagement"],
    ]
    scorer, done = scored(max_reasons=2)
    parts = {name: done[f"component_{name}"][1] * share for name, share in scorer.shares.items()}
    named = with_reasons(done, done, scorer)["reasons"][1].to_list()
    assert set(named) == set(sorted(parts, key=lambda name: -parts[name])[:2])


def test_nobody_chosen_has_no_reasons():
    scorer, done = scored()
    assert with_reasons(done.head(0), done, scorer)["reasons"].to_list() == []


def test_a_share_of_the_eligible_is_given_for_the_top_only():
    many = pl.DataFrame(
        {
            "customer_id": [f"{i:03}" for i in range(100)],
            "spend_window": [i * 100 for i in range(100)],
            "decayed_spend": 0,
            "orders": 1,
            "days_since_order": 9,
            "spend_90d": 0,
            "spend_90d_before": 0,
            "referrals": 0,
            "verdict": "eligible",
        }
    )
    scorer = fit_scorer(many, segmenter.launch_settings({}).scoring)
    found = with_reasons(scorer.score(many), many, scorer)
    assert [found["spend_top"][row] for row in (99, 81, 80, 79)] == [1, 19, 20, None]
    assert found["orders_top"].null_count() == 100
