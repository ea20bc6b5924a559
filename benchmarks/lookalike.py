"""Do look-alikes find the like of 300 seeds, and how quickly? `python -m benchmarks.lookalike --customers=1000000`

Seeds are drawn from a class; all others, the rest of the class among them, are ranked. Compared are the same learning from all labels, each
customer ranked by what was learned from others, and the five nearest neighbours: the mean distance to the five nearest seeds.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl
from sklearn import datasets
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.preprocessing import StandardScaler

import segmenter
from segmenter.demo.shop import expected_spend, simulate
from segmenter.hashing import uniform
from segmenter.scoring.lookalike import LookalikeRanking, fit
from segmenter.scoring.seed_columns import number

SETTINGS = segmenter.launch_settings({"scoring": "lookalike", "scoring.seeds": "seeds.csv"})
OTHERS = ("customer_id", "label", "lookalike", "verdict")


def classes() -> Iterator[tuple[str, pl.DataFrame, int]]:
    """Give sets of customers with ``label``, and how many of the class are seeds."""
    cancer, malignant = datasets.load_breast_cancer(return_X_y=True)
    yield "breast_cancer, malignant", table(cancer, malignant == 0), 150  # 212 there are
    digits, digit = datasets.load_digits(return_X_y=True)
    yield "digits, even", table(digits, digit % 2 == 0), 300
    made, rare = datasets.make_classification(20_000, 32, n_informative=6, n_redundant=4, weights=[0.95], flip_y=0.02, random_state=1)
    yield "make_classification", table(made, rare == 1), 300
    hastie, _ = datasets.make_hastie_10_2(12_000, random_state=1)
    yield "make_hastie_10_2, squares > 16", table(hastie, (hastie**2).sum(axis=1) > 16), 300
    yield from shop_classes()


def table(columns: np.ndarray, label: np.ndarray) -> pl.DataFrame:
    """Name the columns, and number the rows."""
    measures = {f"measure_{number:02}": column for number, column in enumerate(columns.T)}
    return pl.DataFrame({"customer_id": [f"C{number:07}" for number in range(len(columns))], "label": label, **measures})


def shop_classes() -> Iterator[tuple[str, pl.DataFrame, int]]:
    """Give the demo shop's customers, with what only its simulator knows as the class."""
    as_of = date(2026, 7, 1)
    shop = simulate(20_000, 730, as_of, 20260101)
    settings = segmenter.launch_settings({"launch.as_of": str(as_of)})
    tables = segmenter.canonical_tables(shop.tables(), settings.data, settings.launch)
    frame = segmenter.measure(tables, as_of=as_of, half_life_days=90).join(shop.truth, on="customer_id", maintain_order="left")
    frame = frame.join(expected_spend(shop.truth, 30), on="customer_id", maintain_order="left")
    own = [name for name in frame.columns if name not in (*shop.truth.columns[1:], "expected_spend")]
    for what in ("expected_spend", "influence"):
        label = (pl.col(what).rank() > 0.95 * pl.len()) & pl.col("alive")
        yield f"demo shop, most {what.replace('_', ' ')}", frame.select(*own, label=label), 300


def with_seeds(frame: pl.DataFrame, seeds: int) -> pl.DataFrame:
    """Mark so many of the class as seeds."""
    order = uniform(frame["customer_id"], 1, "benchmark").rank("ordinal")
    chosen = (pl.when("label").then(pl.lit(order)).rank() <= seeds).fill_null(value=False)
    return frame.with_columns(
        lookalike=pl.when(chosen).then(pl.lit("seed")), verdict=pl.when(chosen).then(pl.lit("seed")).otherwise(pl.lit("eligible"))
    )


def lift(values: np.ndarray, label: np.ndarray) -> float:
    """Give how many times as many of the class are in the first tenth as chance has there."""
    top = np.argsort(-values, kind="stable")[: max(round(len(values) / 10), 1)]
    return float(label[top].mean() / label.mean())


def learn(frame: pl.DataFrame) -> LookalikeRanking:
    """Learn from the seeds marked."""
    return fit(frame.drop("label", strict=False), SETTINGS.scoring, None, horizon_days=30, seed=1)


def from_all(frame: pl.DataFrame) -> np.ndarray:
    """Rank each customer by what all labels of the other two thirds teach."""
    part = (3 * uniform(frame["customer_id"], 2, "benchmark")).cast(pl.Int64)
    known = frame.with_columns(
        lookalike=pl.when("label").then(pl.lit("seed")), verdict=pl.when("label").then(pl.lit("seed")).otherwise(pl.lit("eligible"))
    )
    values = np.zeros(frame.height)
    for own in range(3):
        values[(part == own).to_numpy()] = learn(known.filter(part != own)).values(frame.filter(part == own))
    return values


def distances(frame: pl.DataFrame, is_seed: np.ndarray) -> np.ndarray:
    """Give the mean distance to the five nearest seeds, over numbers on one scale."""
    names = [name for name, kind in frame.schema.items() if name not in OTHERS and (kind.is_numeric() or kind == pl.Boolean)]
    columns = np.nan_to_num(np.stack([number(frame, name) for name in names], axis=1))
    columns = StandardScaler().fit_transform(columns)
    return NearestNeighbors(n_neighbors=5).fit(columns[is_seed]).kneighbors(columns[~is_seed])[0].mean(axis=1)


def compare() -> pl.DataFrame:
    """Give the lift at 10 % of each way, and the first's in parts of the others'."""
    rows = []
    for name, whole, seeds in classes():
        frame = with_seeds(whole, seeds)
        is_seed = (frame["lookalike"] == "seed").fill_null(value=False).to_numpy()
        rest, label = frame.filter(pl.Series(~is_seed)), frame["label"].to_numpy()[~is_seed]
        ranking = learn(frame)
        ours, full, near = (
            lift(ranking.values(rest), label),
            lift(from_all(frame)[~is_seed], label),
            lift(-distances(frame, is_seed), label),
        )
        found = ranking.basis.model
        said = f"{found['model']}, held out {found['lift'][0]:.1f} ({found['lift'][1]:.1f} to {found['lift'][2]:.1f})"
        rows.append((name, float(label.mean()), min(1 / float(label.mean()), 10.0), ours, full, near, ours / full, ours / near, said))
        print(rows[-1], *ranking.basis.warnings, flush=True)
    names = ("class", "share", "most", "ours", "all_labels", "neighbours", "of_all_labels", "of_neighbours", "chosen")
    return pl.DataFrame(rows, names, orient="row")


def measure_times(customers: int) -> None:
    """Time the scoring of so many customers of 32 measures, beside neighbours by brute force: of all learned from, and of the seeds."""
    made, rare = datasets.make_classification(customers, 32, n_informative=6, n_redundant=4, weights=[0.95], random_state=1)
    frame = with_seeds(table(made, rare == 1), 300)
    for seeds in (199, 300):  # from fewer than 200 it is a line
        ranking = learn(frame.filter(pl.col("lookalike").is_null() | (pl.col("lookalike").is_not_null().cum_sum() <= seeds)))
        start = time.perf_counter()
        ranking.values(frame)
        print(f"{ranking.basis.model['model']}: {time.perf_counter() - start:.2f} s", flush=True)
    is_seed = (frame["lookalike"] == "seed").fill_null(value=False).to_numpy()
    learned = np.concatenate([np.flatnonzero(is_seed), np.flatnonzero(~is_seed)[:20_000]])
    some = made[:50_000]
    start = time.perf_counter()
    KNeighborsClassifier(5, algorithm="brute").fit(made[learned], is_seed[learned]).predict_proba(some)
    print(
        f"five nearest of all learned from: {(time.perf_counter() - start) * customers / len(some):.1f} s, by {len(some):,} customers",
        flush=True,
    )
    start = time.perf_counter()
    NearestNeighbors(n_neighbors=5, algorithm="brute").fit(made[is_seed]).kneighbors(made)
    print(f"five nearest of the seeds alone: {time.perf_counter() - start:.2f} s", flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=0)
    asked = parser.parse_args()
    with pl.Config(tbl_cols=-1, tbl_width_chars=200, fmt_str_lengths=80):
        print(compare())
    if asked.customers:
        measure_times(asked.customers)


if __name__ == "__main__":
    main()
