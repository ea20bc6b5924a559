"""`python -m benchmarks.choice` at its smallest."""

from benchmarks.choice import AS_OF, CAUTIONS, FIXED, _canonical, _wholesale, judge, look


def test_choice():
    looks = list(look(_canonical(_wholesale()), AS_OF, 90, dates=4))
    assert len(looks) == 4
    for caution in CAUTIONS:
        share, means = judge(looks, 90, caution)
        assert 0 < share < 2
        assert max(means[name] for name in FIXED) == 1
