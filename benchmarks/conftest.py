import numpy as np
import polars as pl
import pytest


def pytest_addoption(parser):
    parser.addoption("--customers", type=int, default=20_000, help="customers of the generated shop; orders are ten times as many")


@pytest.fixture(scope="session")
def orders(pytestconfig):
    """Raw orders with heavy-tailed customers: text ids, amounts as floats, times within two years, a province each."""
    customers = pytestconfig.getoption("customers")
    random = np.random.default_rng(7)
    rows = 10 * customers
    who = np.minimum((random.pareto(1.2, rows) * customers / 20).astype(np.int64), customers - 1)
    seconds = random.integers(0, 730 * 86_400, rows)
    return pl.DataFrame(
        {
            "customer_id": pl.Series(who).cast(pl.String).str.zfill(9).str.replace("^", "C"),
            "order_id": pl.Series(range(rows)).cast(pl.String),
            "time": np.datetime64("2024-07-01", "us") + seconds.astype("timedelta64[s]"),
            "amount": random.lognormal(4, 1, rows).round(2),
            "province": random.choice(["四川省", "广东省", "云南", "Sichuan"], rows),
        }
    )


@pytest.fixture(scope="session")
def settings():
    import segmenter

    return segmenter.launch_settings({"launch.as_of": "2026-07-01", "rules.spend.min": 100})


@pytest.fixture(scope="session")
def tables(orders, settings):
    import segmenter

    return segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
