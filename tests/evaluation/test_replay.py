import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmenter.evaluation.replay import measure_calibration

amounts = st.one_of(st.floats(0, 1e13), st.sampled_from([0.0, 1.5, 2.5e15]))


@given(st.lists(st.tuples(amounts, st.integers(-(10**12), 10**12)), max_size=80), st.integers(1, 12), st.randoms(use_true_random=False))
def test_equals_stay_together_and_nothing_is_lost(customers, bins, chance):
    expected, spend = np.array([each for each, _ in customers], float), np.array([each for _, each in customers], np.int64)
    frame, ratio = measure_calibration(expected, spend, bins)
    assert frame["customers"].sum() == len(customers)
    assert frame["actual"].sum() == spend.sum()
    assert frame["bin"].to_list() == list(range(1, frame.height + 1))
    assert frame.height <= min(bins, len(set(expected.tolist())))
    assert (ratio is None) == (spend.sum() <= 0)
    if len(set(expected.tolist())) == len(customers):
        assert frame["customers"].max() in {None, -(-len(customers) // bins)}
        assert frame.height == min(bins, len(customers))
    shuffled = list(range(len(customers)))
    chance.shuffle(shuffled)
    again, same = measure_calibration(expected[shuffled], spend[shuffled], bins)
    assert frame.equals(again)
    assert ratio == same


def test_the_best_are_in_the_first_bin_and_many_zeros_in_one():
    expected = np.array([0.0] * 70 + [float(each) for each in range(1, 31)])
    frame, ratio = measure_calibration(expected, np.array([1] * 70 + [10] * 30), bins=10)
    assert frame.rows() == [(1, 10, 255, 100), (2, 10, 155, 100), (3, 10, 55, 100), (4, 70, 0, 70)]
    assert ratio == 465 / 370
