"""Measures put on 0..1 by the share of learned values below them."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from segmenter.estimators import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    assert_all_finite,
    check_is_fitted,
    validate_data,
)


class QuantileMap(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Map each feature to 0..1, piecewise linear between quantile knots.

    A value is mapped to the share of the learned values below it, scaled so that the smallest is 0 and the largest 1:
    many equal values (zero events) share one image, and no value is given more than its share.
    A feature in which all learned values are equal maps to 0.

    Parameters
    ----------
    knots : int
        At most so many knots per feature; ≥ 2.

    Attributes
    ----------
    knots_ : list of ndarray of shape (n_knots,)
        The knots of each feature, increasing.
    levels_ : list of ndarray of shape (n_knots,)
        Their images, from 0 to 1.

    Examples
    --------
    >>> QuantileMap(knots=8).fit_transform([[0.0], [0.0], [5.0], [9.0]]).ravel().tolist()
    [0.0, 0.0, 0.6666666666666666, 1.0]
    """

    def __init__(self, knots: int = 256) -> None:
        self.knots = knots

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn the knots.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : None
            Ignored.

        Returns
        -------
        QuantileMap
            Itself.
        """
        return self.fit_columns(validate_data(self, X, dtype=np.float64).T)

    def fit_columns(self, columns: Iterable[NDArray[np.float64]]) -> Self:
        """Learn the knots feature by feature, (n_samples,) each: the same as `fit`, without all of them in memory at once."""
        learned = [_learned(column, self.knots) for column in columns]
        self.knots_ = [knots for knots, _ in learned]
        self.levels_ = [levels for _, levels in learned]
        self.n_features_in_ = len(learned)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Map values; those beyond the learned ones map to 0 and 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Between 0 and 1.
        """
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        return np.stack([image(*feature) for feature in zip(values.T, self.knots_, self.levels_, strict=True)], axis=1)


def _learned(values: NDArray[np.float64], max_knots: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    assert_all_finite(values)
    ordered = np.sort(values)
    new = np.append(True, ordered[1:] != ordered[:-1])
    few = np.count_nonzero(new) <= max_knots
    picked = ordered[new] if few else ordered[np.linspace(0, len(ordered) - 1, max_knots).round().astype(np.int64)]
    knots = np.unique(picked)
    below = np.searchsorted(ordered, knots, side="left").astype(np.float64)
    return knots, below / max(below[-1], 1.0)


def image(values: NDArray[np.float64], knots: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map the finite values of one feature to between its first level and its last."""
    inside = np.clip(values, knots[0], knots[-1])
    left = np.searchsorted(knots, inside, side="right") - 1
    return levels[left] + slopes(knots, levels)[left] * (inside - knots[left])


def slopes(knots: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute how steep the map is to the right of each knot; 0 at the last.

    Rounded down, so that no value passes the next level, not by a last bit.
    """
    widths, rises = np.diff(knots), np.diff(levels)
    with np.errstate(over="ignore"):  # knots that are nearly equal
        steep = np.minimum(rises / widths, np.finfo(np.float64).max)
    while (beyond := levels[:-1] + steep * widths > levels[1:]).any():
        steep[beyond] = np.nextafter(steep[beyond], 0)
    return np.append(steep, 0.0)
