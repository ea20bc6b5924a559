from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from segmenter.planning.group_invitations import count_invitations


@settings(max_examples=40)
@given(st.floats(0.05, 0.9), st.floats(2, 2000), st.integers(1, 200), st.floats(0.1, 1), st.floats(0.05, 0.99), st.floats(0.01, 0.5))
def test_invitations_fill_a_group_and_do_not_overfill_it(mean, evidence, capacity, fill, confidence, risk):
    enough, most = ceil(fill * capacity), 1000 * capacity
    asked = {"enough": enough, "confidence": confidence, "risk": risk, "most": most}
    n = count_invitations(mean, evidence, capacity=capacity, **asked)
    a, b = mean * evidence, (1 - mean) * evidence
    assert n >= 1
    assert betabinom.sf(capacity, n, a, b) <= risk + 1e-7
    # One fewer does not fill it; where it is not filled, one more overfills it.
    if betabinom.sf(enough - 1, n, a, b) >= confidence - 1e-7:
        assert betabinom.sf(enough - 1, n - 1, a, b) <= confidence + 1e-7
    elif n < most:
        assert betabinom.sf(capacity, n + 1, a, b) >= risk - 1e-7
    assert count_invitations(mean, evidence, capacity=capacity + 1, **asked | {"most": most + 1000}) >= n
    assert count_invitations(min(mean * 1.05, 0.95), evidence, capacity=capacity, **asked) <= n
    assert count_invitations(mean, evidence, capacity=capacity, **asked | {"risk": min(2 * risk, 0.9)}) >= n
    assert count_invitations(mean, evidence, capacity=capacity, **asked | {"confidence": confidence / 2}) <= n
    assert count_invitations(mean, evidence, capacity=capacity, **asked | {"most": 5}) == min(n, 5)
