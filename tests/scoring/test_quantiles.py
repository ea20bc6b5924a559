import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from segmenter.scoring.quantiles import QuantileMap


@parametrize_with_checks([QuantileMap(knots=16)])
def test_keeps_scikit_learn_s_contract(estimator, check):
    check(estimator)


numbers = st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=60)


@given(numbers, numbers, st.integers(2, 20))
def test_monotone_between_0_and_1_and_learned_from_the_values_only(learned, others, knots):
    fitted = QuantileMap(knots=knots).fit(np.array(learned)[:, None])
    ordered = np.sort(np.array([*learned, *others]))
    mapped = fitted.transform(ordered[:, None]).ravel()
    assert ((mapped >= 0) & (mapped <= 1)).all()
    assert (np.diff(mapped) >= 0).all()
    assert fitted.transform([[min(learned)]]).item() == 0
    assert fitted.transform([[max(learned)]]).item() == (1 if max(learned) > min(learned) else 0)
    (places,), (levels,) = fitted.knots_, fitted.levels_
    assert len(places) <= knots
    assert (fitted.transform(places[:, None]).ravel() == levels).all()
    assert (
        levels == [sum(value < place for value in learned) / max(sum(value < places[-1] for value in learned), 1) for place in places]
    ).all()
    if len(set(learned)) <= knots:
        assert places.tolist() == sorted(set(learned))
    again = QuantileMap(knots=knots).fit(np.array(learned[::-1])[:, None])
    assert (again.transform(ordered[:, None]).ravel() == mapped).all()


def test_values_between_knots_are_within_a_knot_s_step_of_their_standing():
    values = np.random.default_rng(1).lognormal(size=20_000)
    mapped = QuantileMap(knots=256).fit_transform(values[:, None]).ravel()
    standing = values.argsort().argsort() / (len(values) - 1)
    assert np.abs(mapped - standing).max() < 1 / 255
