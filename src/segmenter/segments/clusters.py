"""The clusters as a scikit-learn estimator. Imports scikit-learn, so it is imported where it is used."""

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from segmenter.estimators import BaseEstimator, ClusterMixin, KMeans, check_is_fitted, validate_data

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
STARTS = 5  # k-means++ starts, of which the best is taken
CLIP = 3.0  # standard deviations
BLOCK = 8_192  # rows at a time, which stay in the processor's cache


def nearest(points: Floats, centers: Floats) -> Numbers:
    """Give the index of the nearest of the centers, (k, d), to each point, (n, d): the lowest on a tie.

    Each row is computed by itself, without BLAS, so that a row's answer does not depend on the rows around it.
    """
    return _by_blocks(lambda rows: _nearest(points[rows].T, centers), len(points))


def _nearest(points: Floats, centers: Floats) -> Numbers:
    """As `nearest`, for points of shape (d, n): many rows of a measure at a time, which suits the processor."""
    labels = np.zeros(points.shape[1], dtype=np.int64)
    least = np.full(points.shape[1], np.inf)
    apart = np.empty(points.shape[1])
    for label, center in enumerate(centers):
        away = np.zeros(points.shape[1])
        for values, middle in zip(points, center, strict=True):
            np.subtract(values, middle, out=apart)
            np.multiply(apart, apart, out=apart)
            away += apart
        np.copyto(labels, label, where=away < least)
        np.minimum(least, away, out=least)
    return labels


def _by_blocks(label: Callable[[slice], Numbers], n: int) -> Numbers:
    """Label rows block by block, on all cores. The blocks are the same however many cores there are."""
    labels = np.empty(n, dtype=np.int64)

    def fill(start: int) -> None:
        rows = slice(start, min(start + BLOCK, n))
        labels[rows] = label(rows)

    if n <= 8 * BLOCK:
        for start in range(0, n, BLOCK):
            fill(start)
    else:
        with ThreadPoolExecutor(os.cpu_count()) as cores:
            deque(cores.map(fill, range(0, n, BLOCK)), maxlen=0)
    return labels


class Segmenter(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # untyped bases
    """Clusters of customers by their measures: signed logarithm, scale, k-means.

    Each measure x becomes sign(x) · log(1 + |x| / u), u being the lower decile of its nonzero absolute values: the result is
    the same in cents and in yuan, in days and in weeks. It is then put on mean 0 and standard deviation 1 and cut at ±3,
    so that a measure which few customers have does not outweigh the others. A measure that is constant in `fit` counts nothing.

    Parameters
    ----------
    n_clusters : int
        How many, ≥ 1.
    first_label : int
        The label of the first cluster; the others follow.
    random_state : int, RandomState or None
        Seed of the starts.
    weights : sequence of float, optional
        What the square of a difference in each measure counts, > 0; 1 each without.

    Attributes
    ----------
    unit_, mean_, scale_ : ndarray of shape (n_features,)
        u, the mean of the logarithms, and their standard deviation over the root of the weight; scale 0 marks a constant measure.
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        In the scaled space.
    labels_ : ndarray of shape (n_samples,)
        Of the rows given to `fit`.

    Examples
    --------
    >>> Segmenter(2, random_state=0).fit_predict([[1.0, 3], [2, 3], [900, 3], [800, 3]]).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    True
    """

    def __init__(
        self, n_clusters: int = 4, *, first_label: int = 0, random_state: Any = None, weights: Sequence[float] | None = None
    ) -> None:
        self.n_clusters = n_clusters
        self.first_label = first_label
        self.random_state = random_state
        self.weights = weights

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Learn scale and clusters, on one thread.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Measures as they are, n_samples ≥ n_clusters.
        y : Any
            Passed over.

        Returns
        -------
        Segmenter
            Itself.
        """
        measures: Floats = validate_data(self, X, dtype=np.float64)
        with threadpool_limits(1):
            self.unit_ = np.array([_unit(column) for column in measures.T])
            logs = self._logs(measures)
            self.mean_ = logs.mean(axis=0)
            self.scale_ = np.where(np.ptp(logs, axis=0) > 0, logs.std(axis=0), 0.0)
            if self.weights is not None:
                self.scale_ /= np.sqrt(self.weights)
            points = self.scaled(measures)
            self.cluster_centers_ = KMeans(self.n_clusters, n_init=STARTS, random_state=self.random_state).fit(points).cluster_centers_
        self.labels_ = nearest(points, self.cluster_centers_) + self.first_label
        return self

    def predict(self, X: Any) -> Numbers:  # noqa: N803
        """Give each row the label of the nearest cluster.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Measures as they are.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            From `first_label` on.
        """
        check_is_fitted(self)
        measures: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        return _by_blocks(lambda rows: _nearest(self.scaled(measures[rows]).T, self.cluster_centers_), len(measures)) + self.first_label

    def scaled(self, measures: Floats) -> Floats:
        """Put measures, (n, n_features), into the space in which they are clustered, within ±3."""
        weights = np.divide(1.0, self.scale_, out=np.zeros_like(self.scale_), where=self.scale_ > 0)
        points: Floats = self._logs(measures)
        points -= self.mean_
        points *= weights
        return np.clip(points, -CLIP, CLIP, out=points)

    def renumber(self, labels: Sequence[int]) -> Self:
        """Put the clusters in another order: their labels as wanted.

        A label that no row of `fit` has may be missing: its cluster is given up.
        """
        self.cluster_centers_ = self.cluster_centers_[np.array(labels) - self.first_label]
        number = {label: self.first_label + index for index, label in enumerate(labels)}
        self.labels_ = np.array([number[label] for label in self.labels_.tolist()])
        return self

    def to_dict(self) -> dict[str, Any]:
        """Give what it learned as plain values, all but the labels of the customers."""
        learned = {name: value for name, value in vars(self).items() if name.endswith("_") and name != "labels_"}
        return {"params": self.get_params(), "learned": {name: np.asarray(value).tolist() for name, value in learned.items()}}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """Make it of what `to_dict` gives."""
        model = cls(**facts["params"])
        for name, value in facts["learned"].items():
            setattr(model, name, np.array(value) if isinstance(value, list) else value)
        return model

    def _logs(self, measures: Floats) -> Floats:
        logs: Floats = np.copysign(np.log1p(np.abs(measures) / self.unit_), measures)
        return logs


def _unit(column: Floats) -> float:
    sizes = np.abs(column[column != 0])
    return float(np.quantile(sizes, 0.1, method="lower")) if len(sizes) else 1.0
