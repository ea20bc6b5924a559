from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from benchmarks.child import Child
from benchmarks.shop import customers_of, shop

ROUNDS = 3


def pytest_addoption(parser):
    parser.addoption(
        "--customers", type=int, default=20_000, help="of the scoring group, ten rows each; and of the shop, unless --orders is given"
    )
    parser.addoption("--orders", type=int, help="of the shop in the groups history and launch; without it ten times --customers")
    parser.addoption("--growth", default="0.02,0.1", help="sizes of the group growth in millions of orders, such as 1,3,10,30,100")


@dataclass(frozen=True)
class Figure:
    """What one way took: the median of its rounds, and the peak of its process after one run."""

    group: str
    name: str
    orders: int
    seconds: float
    peak_mb: float
    answer: dict[str, Any]


FIGURES = pytest.StashKey[list[Figure]]()


@pytest.fixture(scope="session")
def figures(pytestconfig) -> list[Figure]:
    """What has been measured so far."""
    return pytestconfig.stash.setdefault(FIGURES, [])


@pytest.fixture
def measured(benchmark, figures, orders) -> Callable[..., Figure]:
    """Measure one way in a process of its own."""

    def measured(name: str, work: str, *arguments: object, size: int = orders, save=None, setup=None) -> Figure:
        with Child(work, *arguments, save=save) as child:
            # The first run pays for imports, compiled code and the pages of the files. Its peak is that of one run.
            benchmark.pedantic(child, setup=setup, rounds=ROUNDS, warmup_rounds=1)
        first, *rounds = child.answers
        seconds = [answer["seconds"] for answer in rounds or [first]]
        figure = Figure(benchmark.group, name, size, median(seconds), first["peak_mb"], first)
        benchmark.extra_info.update(peak_mb=round(figure.peak_mb), orders=size)
        figures.append(figure)
        return figure

    return measured


@pytest.fixture(scope="session")
def orders(pytestconfig) -> int:
    return pytestconfig.getoption("orders") or 10 * pytestconfig.getoption("customers")


@pytest.fixture(scope="session")
def folder(orders) -> Path:
    """The shop's ten files."""
    return shop(orders)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter, config):
    """Print medians, ratios to the first of each group, and peaks of memory: pytest-benchmark's table has no memory."""
    figures = config.stash.get(FIGURES, [])
    for group in dict.fromkeys(figure.group for figure in figures):
        ways = [figure for figure in figures if figure.group == group]
        terminalreporter.section(group)
        for way in ways:
            per_order = 1e9 * way.seconds / way.orders
            ratio = way.seconds / ways[0].seconds
            terminalreporter.write_line(
                f"{way.name:<40}{way.seconds:9.2f} s{ratio:8.2f} ×{per_order:9,.0f} ns an order{way.peak_mb:9,.0f} MB"
            )
        if group.startswith("growth") and len(ways) > 1:
            terminalreporter.write_line(_growth(ways))


def _growth(ways: list[Figure]) -> str:
    """Fit seconds = a orders^b, and megabytes = c + d customers."""
    sizes, seconds = np.log([way.orders for way in ways]), np.log([way.seconds for way in ways])
    customers = [customers_of(way.orders) for way in ways]
    slope, fixed = np.polyfit(customers, [way.peak_mb for way in ways], 1)
    steps = np.diff(seconds) / np.diff(sizes)
    return (
        f"seconds grow with orders^{np.polyfit(sizes, seconds, 1)[0]:.2f}, at the steepest step ^{steps.max():.2f}; "
        f"memory is {fixed:,.0f} MB and {slope * 2**20:,.0f} bytes a customer"
    )
