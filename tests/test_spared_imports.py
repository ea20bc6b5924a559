"""What is spared of a library's imports is there when it is used."""

import subprocess
import sys

import pytest

PROGRAMS = {
    "after": """
import sys
from segmenter.estimators import KMeans, adjusted_rand_score, pairwise_distances, silhouette_score
assert not {"scipy.stats", "scipy.interpolate", "pandas", "sklearn.cluster", "sklearn.metrics", "sklearn.metrics.cluster"} & set(sys.modules)
from sklearn.metrics._ranking import rankdata
assert rankdata([3, 1, 2]).tolist() == [3, 1, 2] and "scipy.stats" in sys.modules
import pandas, scipy.interpolate, scipy.stats, sklearn.cluster, sklearn.metrics
from sklearn.preprocessing import SplineTransformer
assert SplineTransformer(2, degree=1).fit_transform([[0.0], [1.0]]).tolist() == [[1, 0], [0, 1]]
assert sklearn.cluster.KMeans is KMeans and sklearn.metrics.silhouette_score is silhouette_score
assert sklearn.metrics.adjusted_rand_score is adjusted_rand_score and sklearn.metrics.pairwise_distances is pairwise_distances
assert sklearn.cluster.DBSCAN(eps=1).fit([[0.0], [0.1], [9]]).labels_.tolist() == [-1, -1, -1]
assert KMeans(1, n_init=1).fit(pandas.DataFrame({"a": [1.0, 3.0]})).cluster_centers_.tolist() == [[2.0]]
from segmenter.spared_imports import spared
with spared(later=("scipy.stats",)):
    from scipy.stats import chi2
assert chi2 is scipy.stats.chi2
""",
    "within": """
import sys
import segmenter.estimators
from segmenter.spared_imports import spared
with spared(later=("scipy.stats",)):
    from scipy.stats import chi2, rankdata
    assert "scipy.stats.distributions" not in sys.modules
    assert round(float(chi2.ppf(0.99, 1)), 4) == 6.6349
    import scipy.stats
assert scipy.stats.chi2.ppf(0.99, 1) == chi2.ppf(0.99, 1) and rankdata([2, 1]).tolist() == [2, 1]
""",
    "holidays": """
import sys
from datetime import date
from segmenter.planning.calendar import _public_holidays
assert date(2026, 10, 1) in _public_holidays("CN") and date(2026, 7, 4) in _public_holidays("us")
assert not {"holidays.countries", "holidays.countries.france"} & set(sys.modules)
import holidays
ours = _public_holidays("CN")
assert holidays.China is not None and holidays.country_holidays("FR").get("2026-07-14")
from holidays.countries import CN, China
assert issubclass(CN, China) and isinstance(ours, China)
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_what_was_spared_is_loaded_by_who_needs_it(program: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
