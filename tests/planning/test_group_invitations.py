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
    few, many = count_invitations(mean, evidence, capacity=capacity, **asked)
    a, b = mean * evidence, (1 - mean) * evidence
    assert few >= 1
    # One fewer does not fill it, one more overfills it.
    assert few == most or betabinom.sf(enough - 1, few, a, b) >= confidence - 1e-7
    assert betabinom.sf(enough - 1, few - 1, a, b) <= confidence + 1e-7
    assert betabinom.sf(capacity, many, a, b) <= risk + 1e-7
    assert many == most or betabinom.sf(capacity, many + 1, a, b) >= risk - 1e-7
    assert count_invitations(mean, evidence, capacity=capacity + 1, **asked | {"most": most + 1000})[1] >= many
    likely = count_invitations(min(mean * 1.05, 0.95), evidence, capacity=capacity, **asked)
    assert (likely[0] <= few, likely[1] <= many) == (True, True)
    assert count_invitations(mean, evidence, capacity=capacity, **asked | {"most": 5}) == (min(few, 5), min(many, 5))
