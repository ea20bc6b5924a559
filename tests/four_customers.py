"""Four customers, one of them no more than staff, and their score."""

from datetime import datetime

import polars as pl

import segmenter
from segmenter.scoring import fit_scorer


def frame(**columns):
    basis = {
        "customer_id": ["a", "b", "c", "d"],
        "spend_window": [100_00, 5_000_00, 900_00, 0],
        "decayed_spend": [90_00, 80_00, 100_00, 0],
        "orders": [1, 12, 2, 0],
    }
    basis |= {
        "last_order_at": [datetime(2026, 6, 30), datetime(2026, 6, 1), datetime(2026, 6, 29), None],
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
