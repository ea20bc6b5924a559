"""What is spared of scikit-learn's imports is there when it is used."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import segmenter.estimators
assert "scipy.stats" not in sys.modules
from sklearn.metrics._ranking import rankdata
assert rankdata([3, 1, 2]).tolist() == [3, 1, 2] and "scipy.stats" in sys.modules
import scipy.stats
with segmenter.estimators.spared():
    from scipy.stats import chi2
assert chi2 is scipy.stats.chi2
"""
WITHIN = """
import sys
import segmenter.estimators
with segmenter.estimators.spared():
    from scipy.stats import chi2, rankdata
    assert "scipy.stats.distributions" not in sys.modules
    assert round(float(chi2.ppf(0.99, 1)), 4) == 6.6349
    import scipy.stats
assert scipy.stats.chi2.ppf(0.99, 1) == chi2.ppf(0.99, 1) and rankdata([2, 1]).tolist() == [2, 1]
"""


@pytest.mark.slow
def test_statistics_are_loaded_by_who_needs_them() -> None:
    for program in (PROGRAM, WITHIN):
        subprocess.run([sys.executable, "-c", program], check=True)
