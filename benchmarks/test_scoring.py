"""Raw components to 0..1: our map against scikit-learn's, which gives ties in the middle instead of below."""

import numpy as np
import pytest
from sklearn.preprocessing import QuantileTransformer

from segmenter.scoring.quantiles import QuantileMap


@pytest.fixture(scope="module")
def values(pytestconfig):
    return np.random.default_rng(3).lognormal(size=(10 * pytestconfig.getoption("customers"), 7))


@pytest.mark.benchmark(group="scoring")
def test_quantile_map(benchmark, values):
    assert benchmark(lambda: QuantileMap(knots=256).fit_transform(values)).max() == 1


@pytest.mark.benchmark(group="scoring")
def test_scikit_learn(benchmark, values):
    transformer = QuantileTransformer(n_quantiles=256, subsample=None)
    assert benchmark(transformer.fit_transform, values).max() == 1
