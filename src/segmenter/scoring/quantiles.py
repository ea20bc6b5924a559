"""Measures put on 0..1 by where they stand among those the map was learned on."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class QuantileMap(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Map each feature to 0..1, piecewise linear between quantile knots.

    A value is mapped to the share of the learned values below it, scaled so that the smallest is 0 and the largest 1:
    many equal values (zero events) share one image, and no value is given more than its standing.
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
        values = validate_data(self, X, dtype=np.float64)
        self.knots_: list[NDArray[np.float64]] = []
        self.levels_: list[NDArray[np.float64]] = []
        for column in values.T:
            ordered = np.sort(column)
            knots = np.unique(ordered)
            if len(knots) > self.knots:
                knots = np.unique(ordered[np.linspace(0, len(ordered) - 1, self.knots).round().astype(np.int64)])
            below = np.searchsorted(ordered, knots, side="left").astype(np.float64)
            self.knots_.append(knots)
            self.levels_.append(below / max(below[-1], 1.0))
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
        return np.stack([_interpolated(*feature) for feature in zip(values.T, self.knots_, self.levels_, strict=True)], axis=1)


def _interpolated(values: NDArray[np.float64], knots: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    # np.interp may pass the next level by its last bit, and a better customer would stand a bit lower.
    above = np.minimum(np.searchsorted(knots, values, side="right"), len(knots) - 1)
    return np.minimum(np.interp(values, knots, levels), levels[above])
