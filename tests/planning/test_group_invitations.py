from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from segmenter.planning.group_invitations import count_invitations


@settings(max_examples=40)
@given(st.floats(0.05, 0.9), st.floats(2, 2000), st.integers(1, 200), st.floats(0.1, 1), st.floats(0.05, 0.99), st.floats(0.01, 0.5))
def test_invitations_fill_a_group_and_do_not_overfill_it(mean, evidence, capacity, fill, confidence, risk):
    asked = {"fill": fill, "confidence": confidence, "risk": risk}
    found = count_invitations(mean, evidence, capacity, **asked)
    n, enough = found.invitations, ceil(round(fill * capacity, 9))
    a, b = mean * evidence, (1 - mean) * evidence
    assert found.filled == pytest.approx(betabinom.sf(enough - 1, n, a, b), abs=1e-7)
    assert found.overflow == pytest.approx(betabinom.sf(capacity, n, a, b), abs=1e-7)
    assert n >= 1
    assert found.overflow <= risk + 1e-7
    # One fewer does not fill it; where it is not filled, one more overfills it.
    if found.filled >= confidence:
        assert betabinom.sf(enough - 1, n - 1, a, b) <= confidence + 1e-7
    elif n < 1000 * capacity:
        assert betabinom.sf(capacity, n + 1, a, b) >= risk - 1e-7
    assert count_invitations(mean, evidence, capacity + 1, **asked).invitations >= n
    assert count_invitations(min(mean * 1.05, 0.95), evidence, capacity, **asked).invitations <= n
    assert count_invitations(mean, evidence, capacity, **(asked | {"risk": min(2 * risk, 0.9)})).invitations >= n
    assert count_invitations(mean, evidence, capacity, **(asked | {"confidence": confidence / 2})).invitations <= n
    assert count_invitations(mean, evidence, capacity, **asked, most=5).invitations == min(n, 5)
    assert count_invitations(mean, evidence, capacity, fill=fill, confidence=None, risk=risk).invitations == capacity
