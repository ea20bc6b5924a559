import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmenter.evaluation.comparison import BUCKETS, assign_buckets, compare_rankings, draw_shares, sum_by_bucket


def sums(bucket, spends, masks):
    """Sums held and in all, for each cut's spend and each cut's rankings."""
    held = np.array([[sum_by_bucket(bucket[mask], spend[mask]) for mask in at] for spend, at in zip(spends, masks, strict=True)])
    return held, np.array([sum_by_bucket(bucket, spend) for spend in spends])


def shop(chance, customers=3000):
    """Three cuts of a shop whose customers stay what they are, and who of them has either of two marks."""
    first, second = chance.random((2, customers)) < 0.1
    size = chance.gamma(2, 0.5, customers)  # mean 1: who spends much at one cut does at the next
    means = 1000 * size * (1 + 2 * first + second)
    return first, second, [chance.poisson(means * chance.exponential(1, customers)) for _ in range(3)]


@pytest.mark.slow
def test_an_interval_covers_the_true_difference_in_about_95_of_100_shops():
    truth = (0.1 * (3 + 0.1) - 0.1 * (2 + 0.2)) / 1.3
    covered, clear = 0, 0
    for repetition in range(60):
        chance = np.random.default_rng(repetition)
        first, second, spends = shop(chance)
        held, total = sums(np.arange(3000), spends, [[first, second]] * 3)
        _, differences = compare_rankings(["first", "second"], held, total, repetition, draws=300)
        _, _, difference, low, high, better, _ = differences.row(0)
        assert low <= difference <= high
        covered += low <= truth <= high
        clear += better
    assert 51 <= covered <= 60
    assert clear >= 45


@pytest.mark.slow
def test_of_two_equals_neither_is_clearly_better_more_than_seldom():
    clear = 0
    for repetition in range(60):
        chance = np.random.default_rng(repetition)
        _, _, spends = shop(chance)
        mine, yours = chance.random((2, 3000)) < 0.1
        held, total = sums(np.arange(3000), spends, [[mine, yours]] * 3)
        clear += compare_rankings(["a", "b"], held, total, 7, draws=300)[1]["clearly_better"].sum()
    assert clear <= 9


@pytest.mark.slow
def test_of_many_equals_the_luckiest_is_not_clearly_better_than_the_one_in_use():
    clear = 0
    for repetition in range(60):
        chance = np.random.default_rng(repetition)
        _, _, spends = shop(chance)
        marks = list(chance.random((9, 3000)) < 0.1)
        held, total = sums(np.arange(3000), spends, [marks] * 3)
        found = compare_rankings([f"{number}" for number in range(9)], held, total, 7, draws=300)[1]
        clear += found.filter(against="0")["clearly_better"].any()
    assert clear <= 5  # 1.5 are expected; each by itself, nine


def test_the_interval_is_the_same_from_either_side():
    first, second, spends = shop(np.random.default_rng(4))
    third = first ^ (np.arange(3000) % 20 == 0)
    held, total = sums(np.arange(3000), spends, [[first, second, third]] * 3)
    pairs = compare_rankings(list("abc"), held, total, 7)[1]
    for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
        _, _, value, low, high, _, _ = pairs.filter(ranking=one, against=other).row(0)
        assert pairs.filter(ranking=other, against=one).row(0)[2:5] == (-value, -high, -low)


def test_the_same_ranking_under_two_names_differs_by_exactly_0_and_more_cuts_of_the_same_say_no_more():
    first, second, spends = shop(np.random.default_rng(1))
    bucket = assign_buckets(pl.Series([f"C{each}" for each in range(3000)]), 7)
    held, total = sums(bucket, spends[:1], [[first, first, second]])
    intervals, differences = compare_rankings(list("abc"), held, total, 7)
    assert differences.filter(ranking="a", against="b").row(0)[2:] == (0, 0, 0, False, 1)
    # The customers of four equal cuts are the same customers: no more evidence than one cut.
    four = compare_rankings(list("abc"), np.repeat(held, 4, axis=0), np.repeat(total, 4, axis=0), 7)
    assert four[0].drop("dates").equals(intervals.drop("dates"))
    assert four[1].drop("dates").equals(differences.drop("dates"))
    for name, share, low, high, _ in intervals.rows():
        mask = second if name == "c" else first
        assert share == spends[0][mask].sum() / spends[0].sum()
        assert low < share < high


def test_pairing_narrows_the_interval():
    first, _, spends = shop(np.random.default_rng(2))
    nearly = first.copy()
    nearly[np.flatnonzero(first)[:20]] = False
    held, total = sums(np.arange(3000), spends, [[first, nearly]] * 3)
    alone, differences = compare_rankings(["a", "b"], held, total, 7)
    low, high = differences.row(0)[3:5]
    assert high - low < 0.5 * (alone["high"] - alone["low"]).min()
    assert low > 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=60, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(names, chance):
    ids, spend = pl.Series("customer_id", names), np.array([chance.randrange(-(2**55), 2**57) for _ in names])
    mask = np.array([chance.random() < 0.4 for _ in names])
    shuffled = list(range(len(names)))
    chance.shuffle(shuffled)
    held, total = sums(assign_buckets(ids, 3), [spend], [[mask, ~mask]])
    again = sums(assign_buckets(ids[shuffled], 3), [spend[shuffled]], [[mask[shuffled], ~mask[shuffled]]])
    assert (held == again[0]).all()
    assert (total == again[1]).all()
    assert (held.sum(axis=1) == total).all()
    assert int(total.sum()) == sum(spend.tolist())


def test_sums_beyond_the_floats_are_weighed_exactly():
    total = np.zeros((1, BUCKETS), np.int64)
    total[0, :3] = [2**60 + 1, -(2**60), 2**58 + 1]
    held = total[:, None].copy()
    held[0, 0, :2] = 0  # all but what cancels: 2**58 + 1 of 2**58 + 2
    held[0, 0, 1] = 1
    assert compare_rankings(["a"], held, total, 7, draws=20)[0]["share"].item() == 1
    by_hand = np.random.Generator(np.random.PCG64(7))
    for drawn in draw_shares(held, total, 7, draws=20)[:, 0, 0]:
        counts = np.bincount(by_hand.integers(BUCKETS, size=BUCKETS), minlength=BUCKETS).tolist()
        whole, part = (sum(count * value for count, value in zip(counts, row.tolist(), strict=True)) for row in (total[0], held[0, 0]))
        assert drawn == pytest.approx(float(part) / float(whole), rel=1e-15) if whole > 0 else np.isnan(drawn)


def test_buckets_hold_like_numbers_of_customers():
    bucket = assign_buckets(pl.Series([f"{each}" for each in range(400_000)]), 7)
    counts = np.bincount(bucket, minlength=BUCKETS)
    assert len(counts) == BUCKETS
    assert 0.9 < counts.var() / counts.mean() < 1.1
    assert (assign_buckets(pl.Series(["0", "1", "2"]), 8) != bucket[:3]).all()


def test_too_few_customers_are_no_evidence_and_a_cut_without_spend_is_left_out():
    bucket = np.arange(40)
    spend = np.where(bucket < 5, 1000, 0)
    few, none, nobody = bucket < 10, bucket >= 10, np.zeros(40, int)
    held, total = sums(bucket, [spend, nobody], [[few, none]] * 2)
    assert compare_rankings(["few", "none"], held, total, 7)[1].row(0) == ("few", "none", 1, None, None, False, 2)
    held, total = sums(bucket, [np.where(bucket < 6, 1000, 0), nobody], [[few, none]] * 2)
    assert np.isnan(draw_shares(held, total, 7, draws=1000)).any()  # a draw without any of the six
    assert compare_rankings(["few", "none"], held, total, 7)[1].row(0) == ("few", "none", 1, 1, 1, True, 2)
    held, total = sums(bucket, [nobody], [[few, none]])
    intervals, differences = compare_rankings(["few", "none"], held, total, 7)
    assert intervals.row(0) == ("few", None, None, None, 1)
    assert differences.row(0) == ("few", "none", None, None, None, False, 1)


def test_a_ranking_that_fails_at_a_cut_is_compared_on_those_that_both_have():
    first, second, spends = shop(np.random.default_rng(3))
    spends[2] = spends[2] // 50  # what was spent there says nothing of how much the shares are
    held, total = sums(np.arange(3000), spends, [[first, second, first]] * 3)
    known = np.array([[True, True, False], [True, True, True], [True, True, True]])
    whole, pairs = compare_rankings(["first", "second"], held[:, :2], total, 7)
    intervals, differences = compare_rankings(["first", "second", "late"], held, total, 7, known=known)
    assert intervals.head(2).equals(whole)  # the others keep their cut
    theirs = differences.filter(pl.col("ranking") != "late", pl.col("against") != "late")
    assert theirs.drop("low", "high").equals(pairs.drop("low", "high"))
    assert (theirs["low"] <= pairs["low"]).all()  # which allow for the third
    assert intervals["dates"].to_list() == [3, 3, 2]
    assert differences.filter(ranking="late", against="first").row(0)[2:] == (0, 0, 0, False, 2)
    assert intervals["share"][2] != intervals["share"][0]
    apart = compare_rankings(["first", "late"], held[:, [0, 2]], total, 7, known=np.array([[True, False], [True, False], [False, True]]))[1]
    assert apart.row(0)[2:] == (None, None, None, False, 0)
