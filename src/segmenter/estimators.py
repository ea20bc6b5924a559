"""What is used of scikit-learn in every launch, without what takes three times as long to load as that."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
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
    """Import parts of scikit-learn without what these do not use: whoever does use it, after or within, loads it then.

    That is SciPy's statistics and pandas, which a few functions need, and all that packages gather beside the parts that are named.
    """
    made: dict[str, ModuleType | None] = {}
    for name, make in _STAND_INS.items():
        if name not in sys.modules:
            made[name] = sys.modules[name] = make(name)  # type: ignore[assignment]  # None is: not installed
    try:
        yield
    finally:
        for name, stand_in in made.items():
            if sys.modules.get(name, stand_in) is stand_in:
                sys.modules.pop(name, None)


def _bare(name: str) -> ModuleType:
    """Give a package without running it, from which its parts can be imported."""
    spec = find_spec(name)
    assert spec is not None
    return module_from_spec(spec)


_STAND_INS: dict[str, Callable[[str], ModuleType | None]] = {
    _STATISTICS: _Statistics,
    "pandas": lambda name: None,
    **dict.fromkeys(("sklearn.cluster", "sklearn.metrics", "sklearn.metrics.cluster"), _bare),
}

with spared():
    from sklearn import config_context
    from sklearn.base import BaseEstimator, ClusterMixin, OneToOneFeatureMixin, TransformerMixin, clone
    from sklearn.cluster._kmeans import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics.cluster._supervised import adjusted_rand_score
    from sklearn.metrics.cluster._unsupervised import silhouette_score
    from sklearn.metrics.pairwise import pairwise_distances
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
