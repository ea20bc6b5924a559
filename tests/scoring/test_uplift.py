"""The ranking by uplift: it finds whom an invitation moves, and gives the same for the same customers."""

import numpy as np
import polars as pl
import pytest

from segmenter.scoring.uplift import learn_uplift

FEATURES = ["spend_window", "orders", "days_since_order"]


def experiment(effect, customers=4_000, seed=1, held_out=0.3):
    """Customers who spend by their past, and `effect` times it more where they are invited; `effect` sees their rank in past spend."""
    chance = np.random.default_rng(seed)
    past = np.exp(chance.normal(8, 1, customers))
    rank = past.argsort().argsort() / customers
    invited = chance.random(customers) >= held_out
    gain = effect(rank) * past.mean()
    spend = chance.poisson((0.3 * past + gain * invited) / 1_000) * 1_000
    columns = {
        "spend_window": past.astype(int),
        "orders": (past / 1_000).astype(int) + 1,
        "days_since_order": chance.integers(1, 90, customers),
    }
    names = pl.Series([f"C{number:05}" for number in range(customers)])
    return pl.DataFrame({"launch": "spring", "customer_id": names, "invited": invited, "spend": spend, **columns, "gain": gain})


def test_where_the_effect_falls_with_spend_it_brings_more_than_spend_would():
    frame = experiment(lambda rank: 0.6 * (1 - rank))
    ranking, tried = learn_uplift(frame, FEATURES, seed=1)
    new = experiment(lambda rank: 0.6 * (1 - rank), seed=2)
    best = new["gain"].to_numpy()[np.argsort(-ranking.values(new))[:800]].mean()
    assert best > 1.5 * new["gain"].mean() > 3 * new.sort("spend_window").tail(800)["gain"].mean()
    # What it expects is about what comes, and on customers it had not learned from it is no other.
    assert ranking.values(new).mean() == pytest.approx(new["gain"].mean(), rel=0.25)
    assert np.corrcoef(tried["score"], tried["gain"])[0, 1] > 0.7
    assert tried["expected"].sum() == pytest.approx(tried["spend"].sum(), rel=0.05)


@pytest.mark.slow
def test_the_order_of_rows_and_threads_changes_no_bit_and_equal_customers_are_equal():
    frame = experiment(lambda rank: 0.3 * rank, customers=1_500)
    first, tried = learn_uplift(frame, FEATURES, seed=1)
    second, again = learn_uplift(frame.sample(fraction=1, shuffle=True, seed=5), FEATURES, seed=1)
    assert tried.equals(again)
    values = first.values(frame)
    assert np.array_equal(values, second.values(frame))
    assert np.array_equal(values[:37], first.values(frame[:37]))
    assert first.values(frame[:0]).shape == (0,)


def test_a_customer_of_two_launches_is_not_judged_by_what_was_learned_from_the_other():
    frame = experiment(lambda rank: 0 * rank, customers=800)
    both = pl.concat([frame, frame.with_columns(launch=pl.lit("summer"))])
    _, tried = learn_uplift(both, FEATURES, seed=1)
    scores = tried.pivot("launch", index="customer_id", values="score")
    assert scores["spring"].equals(scores["summer"])
