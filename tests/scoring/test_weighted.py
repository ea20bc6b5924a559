import polars as pl
import pytest

import segmenter
from segmenter.scoring import fit_scorer, with_reasons


def frame(**columns):
    basis = {
        "customer_id": ["a", "b", "c", "d"],
        "spend_window": [100_00, 5_000_00, 900_00, 0],
        "decayed_spend": [90_00, 80_00, 100_00, 0],
        "orders": [1, 12, 2, 0],
    }
    basis |= {
        "days_since_order": [1, 30, 2, None],
        "spend_90d": [100_00, 1_500_00, 0, 0],
        "spend_90d_before": [0, 1_000_00, 900_00, 0],
        "referrals": [0, 1, 3, 0],
    }
    basis |= {
        "days_known": [5, 700, 200, 9],
        "events_visit": [0, 2, 0, 1],
        "events_feedback": [1, 0, 2, 0],
        "events_浏览": [0, 0, 4, 0],
        "verdict": ["eligible", "eligible", "eligible", "staff"],
    }
    return pl.DataFrame(basis | columns)


def scored(**overrides):
    settings = segmenter.launch_settings({f"scoring.{name.replace('__', '.')}": value for name, value in overrides.items()})
    scorer = fit_scorer(frame(), settings.scoring)
    return scorer, scorer.score(frame())


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


def reasons(lang, window_days=None, **overrides):
    scorer, done = scored(max_reasons=7, **overrides)
    return with_reasons(done, done, scorer, window_days=window_days, currency="CNY", lang=lang)["reason"].to_list()


def test_reasons_in_english_name_what_made_the_score():
    assert reasons("en") == [
        "last order yesterday",  # the least of the eligible in all else
        "spent 5,000 in all, 12 orders, visited twice, brought a friend, spending up 50 % on the 90 days before",
        "spent 900 in all, 2 orders, last order 2 days ago, gave feedback twice, brought 3 friends",
        "visited once",
    ]


def test_reasons_in_chinese_with_a_window_and_kinds_of_the_shop_s_own():
    told = reasons("zh", window_days=365, engagement={"浏览": 1})
    assert told[2].startswith("近 365 天消费 900 元")
    assert "浏览 4 次" in told[2]
    assert "反馈 2 次、带来 3 位好友" in told[2]


def test_a_standing_is_told_for_the_top_only():
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
            "days_known": 9,
            "verdict": "eligible",
        }
    )
    scorer = fit_scorer(many, segmenter.launch_settings({}).scoring)
    done = scorer.score(many)
    told = with_reasons(done, done, scorer, window_days=None, currency="JPY", lang="en")["reason"]
    assert told[99] == "spent 9,900 in all (top 1 %)"
    assert told[81] == "spent 8,100 in all (top 19 %)"
    assert told[79] == "spent 7,900 in all"
