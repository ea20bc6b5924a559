import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.scoring.money_curve import PastLaunch, money_curve


def money(launches, expected):
    return expected * np.exp(np.interp(np.log(expected), *money_curve(launches)))


def launch(factor, *, buyers=1.0, customers=20_000, seed=1):
    """Customers who spend, in the mean, `factor` of what is expected of them; so many of them buy at all."""
    rng = np.random.default_rng(seed)
    expected = np.sort(rng.lognormal(0, 1, customers))
    expected /= expected.mean()
    spend = expected * factor(expected) / buyers * (rng.random(customers) < buyers)
    return PastLaunch(expected, np.rint(1000 * spend).astype(np.int64), 1000.0)


def test_the_best_are_expected_to_spend_what_their_like_spent():
    found = launch(lambda expected: expected**-0.5, buyers=0.5)
    corrected = money([found], found.expected)
    top = slice(-2_000, None)
    came = found.spend / found.spend.mean()
    assert found.expected[top].mean() > 1.5 * came[top].mean()
    assert corrected[top].mean() == pytest.approx(came[top].mean(), rel=0.15)
    assert corrected.mean() == pytest.approx(1, rel=0.05)


def test_few_buyers_change_little():
    many, few = launch(lambda expected: expected**-0.5, buyers=0.5), launch(lambda expected: expected**-0.5, buyers=0.001)
    change = [np.abs(np.log(money([found], found.expected) / found.expected)).max() for found in (many, few)]
    assert change[1] < change[0] / 2


def test_without_launches_nothing_changes():
    assert money([], np.array([0.1, 1.0, 10.0])).tolist() == pytest.approx([0.1, 1.0, 10.0])


@given(
    st.lists(
        st.lists(st.tuples(st.floats(1e-6, 1e6), st.integers(-(10**6), 10**9)), min_size=1, max_size=40).filter(
            lambda rows: sum(spend for _, spend in rows) > 0
        ),
        max_size=3,
    )
)
def test_nobody_overtakes_and_all_stays_above_nothing(shops):
    launches = [PastLaunch(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), 1.0) for rows in shops]
    values = np.geomspace(1e-7, 1e7, 200)
    corrected = money(launches, values)
    assert np.isfinite(corrected).all()
    assert (corrected > 0).all()
    assert (np.diff(corrected) > 0).all()
