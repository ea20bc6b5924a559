"""How time and memory grow with the shop, customers with orders. The summary fits both."""

import pytest

from benchmarks.shop import AS_OF, shop

WAYS = {"history": ("ours:whole",), "launch": ("ours:launch", AS_OF, "tracking=none", "scoring=weighted")}


def pytest_generate_tests(metafunc):
    metafunc.parametrize("millions", [float(size) for size in metafunc.config.getoption("growth").split(",")])


@pytest.mark.parametrize("way", WAYS)
def test_growth(benchmark, measured, way, millions):
    benchmark.group = f"growth: {way}"
    work, *rest = WAYS[way]
    size = round(millions * 1e6)
    measured(f"{millions:g} million orders", work, shop(size), *rest, size=size)
