import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marks import slow_but

from segmenter.evaluation.chance import draw_chance, outcome_of
from segmenter.evaluation.gains import top_count


def shop(chance, customers, cuts=3, buyers=0.3):
    """What came after some cuts: customers who spend much after one do so after the next."""
    ids, size = pl.Series([f"C{number}" for number in range(customers)]), chance.gamma(0.3, 10_000, customers)
    return ids, [(size * chance.exponential(1, customers) * (chance.random(customers) < buyers)).astype(np.int64) for _ in range(cuts)]


def outcomes(ids, spends, seed=7):
    return [outcome_of(ids, spend, spend > 0, seed) for spend in spends]


@pytest.mark.parametrize("customers", slow_but([1, 2, 30, 3000, 20_000], 1, 30))
def test_it_is_what_drawing_customers_again_and_again_gives(customers):
    chance = np.random.default_rng(customers)
    ids, spends = shop(chance, customers, buyers=1)
    found = draw_chance(outcomes(ids, spends), [5, 10, 20], 7)
    shares = []
    for _ in range(1500):
        order = chance.permutation(customers)
        held = [spend[order[: top_count(customers, top)]].sum() / spend.sum() for spend in spends for top in (5, 10, 20)]
        shares.append(np.mean(held))
    assert found.share == pytest.approx(np.mean([top_count(customers, top) / customers for top in (5, 10, 20)]))
    assert found.buyers == (np.sum(spends, axis=0) > 0).sum()
    low, high = np.quantile(shares, (0.025, 0.975))
    spread = max(high - low, 1e-12)
    assert (abs(found.low - low), abs(found.high - high)) < (0.12 * spread, 0.12 * spread)
    assert found.drawn.mean() == pytest.approx(found.share, abs=0.02 + 0.5 / customers)


@pytest.mark.slow
def test_customers_ranked_at_random_seldom_beat_it_and_the_best_of_many_as_seldom():
    alone, best = 0, 0
    for repetition in range(200):
        chance = np.random.default_rng(repetition)
        ids, spends = shop(chance, 200, buyers=0.05)
        found = draw_chance(outcomes(ids, spends), [10], repetition, draws=400)
        shares = [
            np.mean([spend[order].sum() / spend.sum() for spend in spends]) for order in (chance.permutation(200)[:20] for _ in range(6))
        ]
        alone += found.beaten_by(shares[0])
        best += found.beaten_by(max(shares), 6)
    assert alone <= 11  # of 5 expected
    assert best <= 11


def test_what_one_customer_spent_proves_nothing_and_what_many_spent_does():
    ids = pl.Series([f"C{number}" for number in range(100)])
    whale = np.zeros(100, np.int64)
    whale[3] = 10**9
    found = draw_chance(outcomes(ids, [whale, whale]), [10], 7)
    assert (found.low, found.high, found.buyers) == (0, 1, 1)
    assert not found.beaten_by(1)
    few = draw_chance(outcomes(ids, [np.where(np.arange(100) < 8, 100, 0)]), [10], 7)
    assert (few.beaten_by(0.75), few.beaten_by(0.25), few.buyers) == (True, False, 8)


def test_nothing_spent_or_returned_and_nobody_there():
    ids, none = pl.Series(["a", "b"]), np.zeros(2, np.int64)
    for nothing in ([], outcomes(ids, [none]), outcomes(ids, [none - 5]), outcomes(pl.Series([], dtype=pl.String), [none[:0]])):
        found = draw_chance(nothing, [10], 7)
        assert (found.share, found.low, found.high, found.buyers) == (None, None, None, 0)
        assert not found.beaten_by(0.9)
    spent = np.array([100, 0])
    assert draw_chance(outcomes(ids, [spent]), [10], 7).share == draw_chance(outcomes(ids, [none, spent]), [10], 7).share == 0.5
    assert not draw_chance(outcomes(ids, [spent]), [10], -3).beaten_by(None)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=9), min_size=1, max_size=40, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(names, chance):
    ids, spend = pl.Series(names), np.array([chance.randrange(-100, 2**52) for _ in names])
    shuffled = [*range(len(names))]
    chance.shuffle(shuffled)
    one, other = (draw_chance(outcomes(ids[order], [spend[order]]), [10], 3, draws=50) for order in ([*range(len(names))], shuffled))
    assert (one.drawn == other.drawn).all()
    assert (one.share, one.low, one.high, one.buyers) == (other.share, other.low, other.high, other.buyers)
