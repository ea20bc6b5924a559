"""Twelve launches replayed with all rankings, against launches."""

import pytest

from benchmarks.shop import AS_OF

WAYS = {
    "segmenter launch": ("ours:launch", "tracking=none"),
    "segmenter launch scoring=weighted": ("ours:launch", "tracking=none", "scoring=weighted"),
    "segmenter backtest, 12 cuts, 8 rankings": ("ours:backtest",),
}


@pytest.mark.benchmark(group="backtest")
@pytest.mark.parametrize("way", WAYS)
def test_backtest(measured, folder, way):
    work, *overrides = WAYS[way]
    found = measured(way, work, folder, AS_OF, *overrides)
    if work == "ours:backtest":
        assert found.answer["rows"] == 12
