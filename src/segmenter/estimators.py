"""What is used of scikit-learn in every launch, without SciPy's statistics, which take as long to load as all the rest."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_STATISTICS = "scipy.stats"


class _Later:
    """A function of SciPy's statistics, which are loaded when it is used."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function()(*args, **kwargs)

    def _function(self) -> Any:
        if isinstance(sys.modules.get(_STATISTICS), _Statistics):
            del sys.modules[_STATISTICS]
        return getattr(import_module(_STATISTICS), self.name)


class _Statistics(ModuleType):
    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(name)


@contextmanager
def spared() -> Iterator[None]:
    """Import parts of scikit-learn without SciPy's statistics, which they need for a few functions only: whoever calls these loads them."""
    stand_in = _Statistics(_STATISTICS)
    if sys.modules.setdefault(_STATISTICS, stand_in) is not stand_in:
        yield
        return
    try:
        yield
    finally:
        if sys.modules.get(_STATISTICS) is stand_in:
            del sys.modules[_STATISTICS]


with spared():
    from sklearn import config_context
    from sklearn.base import BaseEstimator, ClusterMixin, OneToOneFeatureMixin, TransformerMixin, clone
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import adjusted_rand_score, pairwise_distances, silhouette_score
    from sklearn.utils.validation import assert_all_finite, check_is_fitted, validate_data

__all__ = [
    "BaseEstimator",
    "ClusterMixin",
    "ConvergenceWarning",
    "KMeans",
    "OneToOneFeatureMixin",
    "TransformerMixin",
    "adjusted_rand_score",
    "assert_all_finite",
    "check_is_fitted",
    "clone",
    "config_context",
    "pairwise_distances",
    "silhouette_score",
    "validate_data",
]
