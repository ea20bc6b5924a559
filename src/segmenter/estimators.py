"""What is used of scikit-learn in every launch, without all else that this loads."""

from segmenter.spared_imports import spared

with spared(
    later=("scipy.stats", "scipy.interpolate"), absent=("pandas",), bare=("sklearn.cluster", "sklearn.metrics", "sklearn.metrics.cluster")
):
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
