"""Measures to six components and the score, for ten customers to each of ``--customers``.

Ours, compiled, against the same formula as others write it, and against what is least: a copy of six columns. All are learned
beforehand, on the same customers; scikit-learn's quantiles give ties in the middle instead of below, so its scores differ.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer

from segmenter.scoring import component_kernel, fit_scorer
from segmenter.scoring.components import halved
from segmenter.scoring.quantiles import image, slopes

ROUNDS = {"rounds": 5, "warmup_rounds": 1}
POINTS = 5  # for a friend brought
MOST = {"orders": 5_000, "days_since_order": 730, "referrals": 50}
COUNTED = {"frequency": "orders", "recency": "days_since_order", "advocacy": "referrals"}
LEARNED = 500_000  # customers


@pytest.fixture(scope="module")
def customers(pytestconfig):
    """Measures as shops have them: heavy tails, one in twenty without orders, one in five brought friends; no other events."""
    rows = 10 * pytestconfig.getoption("customers")
    random = np.random.default_rng(3)
    orders = np.minimum(1 + random.pareto(1.2, rows) * 3, MOST["orders"]).astype(np.int32)
    days = random.integers(1, MOST["days_since_order"], rows, dtype=np.int32, endpoint=True)
    spend = (orders * random.lognormal(8.5, 1, rows)).astype(np.int64)
    return pl.DataFrame(
        {
            "spend_window": spend,
            "decayed_spend": (spend * 2.0 ** (-days / 90)).astype(np.int64),
            "orders": orders,
            "days_since_order": days,
            "spend_90d": np.where(days <= 90, spend * random.random(rows), 0).astype(np.int64),
            "spend_90d_before": np.where(random.random(rows) < 0.4, spend * random.random(rows), 0).astype(np.int64),
            "referrals": random.poisson(0.2, rows).astype(np.int32),
            "ordered": random.random(rows) < 0.95,
        }
    ).select(pl.exclude("days_since_order", "ordered"), pl.when("ordered").then("days_since_order").alias("days_since_order"))


@pytest.fixture(scope="module")
def scorer(customers):
    import segmenter

    settings = segmenter.launch_settings({}).scoring
    return fit_scorer(customers.head(LEARNED).with_columns(verdict=pl.lit("eligible")), settings)


@pytest.fixture(scope="module")
def maps(scorer):
    """Knots and levels of the six."""
    every = zip(scorer.shares, scorer.quantiles.knots_, scorer.quantiles.levels_, strict=True)
    return {name: (knots, levels) for name, knots, levels in every if len(knots) > 1}


@pytest.fixture(scope="module")
def expected(customers, scorer):
    series = component_kernel.score(customers, scorer.settings, scorer.quantiles, scorer.shares)
    return series[-1].to_numpy()


def close(scores, expected):
    # An exponential or a sum in another order may turn the last decimal.
    return np.abs(np.asarray(scores) - expected).max() < 1.5e-4


@pytest.mark.benchmark(group="scoring")
def test_kernel(benchmark, customers, scorer):
    done = benchmark.pedantic(
        lambda: pl.DataFrame(component_kernel.score(customers, scorer.settings, scorer.quantiles, scorer.shares)), **ROUNDS
    )
    assert done["score"].is_between(0, 100).all()


@pytest.mark.benchmark(group="scoring")
def test_polars(benchmark, customers, scorer, maps, expected):
    """Tables for what is counted, bins for the rest: the fastest of several ways that were tried."""
    raw = {"spend": pl.col("spend_window").cast(pl.Float64), "decayed_spend": pl.col("decayed_spend").cast(pl.Float64), "growth": growth()}
    tables = {name: pl.Series(image(worth(name), *maps[name])) for name in COUNTED}

    def bent(name):
        knots, levels = maps[name]
        left = pl.col(f"bin_{name}")
        rise = pl.lit(pl.Series(slopes(knots, levels))).gather(left)
        return pl.lit(pl.Series(levels)).gather(left) + rise * (pl.col(name) - pl.lit(pl.Series(knots)).gather(left))

    def score():
        return (
            customers.lazy()
            .select(
                *(raw[name].clip(maps[name][0][0], maps[name][0][-1]).alias(name) for name in raw),
                *(
                    pl.lit(table).gather(pl.col(COUNTED[name]).fill_null(0).clip(0, len(table) - 1)).alias(name)
                    for name, table in tables.items()
                ),
            )
            .with_columns(pl.col(name).bin_intervals(maps[name][0][1:-1].tolist(), labels=False).alias(f"bin_{name}") for name in raw)
            .select(*(bent(name).alias(name) for name in raw), *tables)
            .with_columns(pl.sum_horizontal(pl.col(name) * (100 * scorer.shares[name]) for name in maps).round(4).alias("score"))
            .collect()
        )

    assert close(benchmark.pedantic(score, **ROUNDS)["score"], expected)


@pytest.mark.benchmark(group="scoring")
def test_numpy(benchmark, customers, scorer, maps, expected):
    def score():
        raw = numbers(customers)
        images = {name: np.interp(raw[name], *maps[name]) for name in maps}
        return images, sum(images[name] * (100 * scorer.shares[name]) for name in maps).round(4)

    assert close(benchmark.pedantic(score, **ROUNDS)[1], expected)


@pytest.mark.benchmark(group="scoring")
def test_scikit_learn(benchmark, customers, scorer, maps):
    names = list(maps)
    frame = pl.DataFrame(numbers(customers))
    shares = np.array([100 * scorer.shares[name] for name in names])
    columns = [(name, QuantileTransformer(n_quantiles=256, subsample=None), [name]) for name in names]
    model = make_pipeline(
        ColumnTransformer(columns), FunctionTransformer(lambda images: np.column_stack([images, (images @ shares).round(4)]))
    )
    model.fit(frame.head(LEARNED))
    done = benchmark.pedantic(model.transform, (frame,), rounds=1)
    assert done.shape == (customers.height, len(names) + 1)
    assert done.max() <= 100


@pytest.mark.benchmark(group="scoring")
def test_copy_of_the_columns(benchmark, customers, maps):
    columns = list(numbers(customers).values())

    def copy():
        with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
            return list(pool.map(np.copy, columns))

    assert len(benchmark.pedantic(copy, **ROUNDS)) == len(maps)


def growth():
    recent, before = pl.max_horizontal("spend_90d", 0), pl.max_horizontal("spend_90d_before", 0)
    return pl.when(recent + before > 0).then((recent - before) / (recent + before)).otherwise(0.0)


def worth(name):
    """Give the raw numbers of 0, 1, 2, ... ; in recency 0 stands for no orders."""
    most = MOST[COUNTED[name]]
    match name:
        case "recency":
            return np.array([0.0, *halved(range(1, most + 1), 90)])
        case "advocacy":
            return POINTS * np.arange(most + 1.0)
        case _:
            return np.arange(most + 1.0)


def numbers(customers):
    """Give the six raw numbers as NumPy would compute them."""
    column = {name: customers[name].to_numpy() for name in customers.columns}
    recent, before = np.maximum(column["spend_90d"], 0), np.maximum(column["spend_90d_before"], 0)
    both = recent + before
    return {
        "spend": column["spend_window"].astype(np.float64),
        "decayed_spend": column["decayed_spend"].astype(np.float64),
        "frequency": column["orders"].astype(np.float64),
        "recency": np.nan_to_num(np.exp2(-column["days_since_order"] / 90)),
        "advocacy": column["referrals"] * float(POINTS),
        "growth": np.divide(recent - before, both, out=np.zeros(len(both)), where=both > 0),
    }
