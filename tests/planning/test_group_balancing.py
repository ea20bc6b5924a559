import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmenter.planning.constraints import Quota, layer_bounds
from segmenter.planning.group_balancing import balance_counts, balance_values

LAYERS = ["expert", "newcomer", "regular"]


@given(
    st.lists(st.integers(0, 40), min_size=3, max_size=3).filter(any),
    st.integers(1, 6),
    st.tuples(st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.5, 1.0])),
)
def test_groups_hold_everybody_and_their_quotas_and_are_of_like_size(customers, groups, shares):
    people = np.array(customers)
    sizes = np.diff(np.arange(groups + 1) * people.sum() // groups)
    quotas = (Quota("expert", *shares),)
    counts = balance_counts(people, sizes, quotas, LAYERS)
    if counts is None:
        # As shares of whole customers differ by group, only what is far from the shares surely fits no groups.
        low, high = layer_bounds(quotas, LAYERS, sizes)
        assert not (low[:, 0].sum() <= people[0] <= high[:, 0].sum()) or len(set(sizes.tolist())) > 1
        return
    low, high = layer_bounds(quotas, LAYERS, counts.sum(axis=1))
    assert ((low <= counts) & (counts <= high)).all()
    assert counts.sum(axis=0).tolist() == customers
    assert np.ptp(counts.sum(axis=1)) <= 1
    assert np.ptp(counts, axis=0).max() <= 1 + (np.ptp(sizes) > 0) * people.max()


@given(st.lists(st.lists(st.integers(0, 1000), min_size=4, max_size=4), min_size=1, max_size=3))
def test_groups_are_equally_strong(values):
    worth = [np.array(sorted(layer, reverse=True)) for layer in values]
    counts = np.full((2, len(worth)), 2)
    groups = balance_values(counts, worth)
    for layer, group in enumerate(groups):
        assert np.bincount(group, minlength=2).tolist() == counts[:, layer].tolist()
    strength = sum(np.bincount(group, weights=layer, minlength=2) for group, layer in zip(groups, worth, strict=True))
    assert np.ptp(strength) <= max(layer[0] for layer in worth)
