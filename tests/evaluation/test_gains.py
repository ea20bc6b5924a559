from itertools import permutations

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from segmenter.evaluation.gains import TOPS, measure_gains, top_count


@st.composite
def outcomes(draw, least=0, most=1):
    """What customers spend after a cut and whether they bought, with an order of them by chance."""
    amounts = draw(st.lists(st.one_of(st.just(0), st.integers(least, 10**12)), min_size=most, max_size=60))
    bought = [amount != 0 or draw(st.booleans()) for amount in amounts]
    order = draw(st.permutations(range(len(amounts))))
    return np.array(order, np.int64), np.array(amounts, np.int64), np.array(bought, bool)


@pytest.mark.parametrize(
    ("customers", "counts"), [(0, [0] * 4), (1, [1] * 4), (10, [1, 1, 1, 2]), (50, [1, 3, 5, 10]), (150, [2, 8, 15, 30])]
)
def test_a_top_is_rounded_halves_up_and_never_empty(customers, counts):
    assert [top_count(customers, top) for top in TOPS] == counts
    assert top_count(10**17 + 1, 100) == 10**17 + 1


@given(outcomes(), st.one_of(st.none(), st.integers(1, 80)))
def test_every_ranking_lies_between_the_worst_and_the_best(outcome, size):
    order, spend, bought = outcome
    assume(spend.sum() > 0)
    measured = measure_gains({"some": order, "worst": np.lexsort((~bought, -spend))[::-1]}, spend, bought, size)
    some, worst, best, chance = (measured[name].figures for name in ("some", "worst", "best", "random"))
    names = [name for name in some if name.startswith(("spend", "lift"))]
    assert all(worst[name] <= some[name] <= best[name] for name in names)
    assert all(worst[name] <= chance[name] <= best[name] for name in names)
    assert all(0 <= some[name] <= 1 for name in some if "share" in name or "precision" in name)
    if best["gini"] is None:
        assert len(set(spend.tolist())) == 1
    else:
        assert best["gini"] == 1
        assert -1 <= worst["gini"] <= some["gini"] <= 1
        assert worst["gini"] == -1
    for each in measured.values():
        assert each.curve.height == 101
        for column in each.curve.select("customers", "spend", "buyers"):
            assert (column[0], column[-1]) == (0, 1)
            assert column.is_sorted()
    assert measured["random"].curve["spend"].to_list() == measured["random"].curve["customers"].to_list()


@given(outcomes(least=-(10**12)), st.integers(1, 60), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing_even_with_refunds(outcome, size, chance):
    order, spend, bought = outcome
    shuffled = list(range(len(spend)))
    chance.shuffle(shuffled)
    new_place = np.argsort(shuffled)
    one = measure_gains({"some": order}, spend, bought, size)
    other = measure_gains({"some": new_place[order]}, spend[shuffled], bought[shuffled], size)
    for name in ("some", "best", "random"):
        assert one[name].figures == other[name].figures
        assert one[name].curve.equals(other[name].curve)


def test_random_is_the_mean_over_all_orders():
    spend, bought = np.array([700, -100, 0, 250, 3]), np.array([True, True, False, True, True])
    orders = {str(order): np.array(order) for order in permutations(range(5))}
    measured = measure_gains(orders, spend, bought, 3)
    for name, expected in measured["random"].figures.items():
        assert np.mean([measured[order].figures[name] for order in orders]) == pytest.approx(expected, abs=1e-12)


def test_figures_by_hand():
    spend, bought = np.array([500, 0, 300, -50, 0, 250, 0, 0, 0, 0]), np.array([1, 0, 1, 0, 1, 1, 0, 0, 0, 0], bool)
    some = measure_gains({"some": np.array([5, 3, 0, 1, 2, 4, 6, 7, 8, 9])}, spend, bought, 3)["some"]
    assert some.figures == {
        **{f"spend_share_{top}": share for top, share in zip([1, 5, 10, 20, "size"], [0.25, 0.25, 0.25, 0.2, 0.7], strict=True)},
        **{f"buyer_share_{top}": share for top, share in zip([1, 5, 10, 20, "size"], [0.25, 0.25, 0.25, 0.25, 0.5], strict=True)},
        **{f"lift_{top}": lift for top, lift in zip([1, 5, 10, 20, "size"], [2.5, 2.5, 2.5, 1, 7 / 3], strict=True)},
        **{f"precision_{top}": precision for top, precision in zip([1, 5, 10, 20, "size"], [1, 1, 1, 0.5, 2 / 3], strict=True)},
        # Twice the running sums over all customers, less eleven times the total, of this order and of the best.
        "gini": (2 * (250 + 200 + 700 + 700 + 6 * 1000) - 11 * 1000) / (2 * (500 + 800 + 6 * 1050 + 1050 + 1000) - 11 * 1000),
    }
    # Between two customers the curve is straight: 15 % of ten are one and a half.
    assert some.curve.row(15) == (0.15, 0.225, 0.25)


@pytest.mark.parametrize("spend", [[], [0, 0], [100, -100], [-5, 0]])
def test_without_later_spend_there_is_no_share_of_it(spend):
    later = np.array(spend, np.int64)
    for each in measure_gains({"some": np.arange(len(later))}, later, later > 10**6, None).values():
        assert {name for name, value in each.figures.items() if value is not None} == (
            {f"precision_{top}" for top in (*TOPS, "size")} if spend else set()
        )
        assert each.curve.null_count().row(0) == (0, 101, 101)
        assert each.curve.dtypes == [pl.Float64] * 3


def test_money_beyond_the_floats_is_exact_and_lengths_are_checked():
    spend = np.array([2**53, 1, 2**53 + 3], np.int64)
    measured = measure_gains({"some": np.array([1, 0, 2])}, spend, spend > 0, 2)
    assert measured["some"].figures["spend_share_size"] == (2**53 + 1) / (2**54 + 4)
    numerators = [2 * (a + b) - 2 * (2**54 + 4) for a, b in [(1, 2**53 + 1), (2**53 + 3, 2**54 + 3)]]
    assert measured["some"].figures["gini"] == numerators[0] / numerators[1]
