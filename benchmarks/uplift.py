"""Does uplift find whom an invitation moves, and do its intervals hold the truth? `python -m benchmarks.uplift --experiments=300`

Experiments of a simulated shop whose effects are known: the first part repeats them, the second compares learners, and with
`--hillstrom=FILE` the third tries Hillstrom's experiment, the women's mail against none.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor

from segmenter.evaluation.qini import measure_qini, measure_uplift
from segmenter.hashing import uniform
from segmenter.scoring.uplift import learn_uplift

FEATURES = ["spend_window", "decayed_spend", "orders", "days_since_order", "average_order", "orders_90d", "days_known"]
KINDS = ("falls", "rises", "lapsing", "none")  # how the effect goes with past spend; or whom it moves


def experiment(kind: str, customers: int, held_out: float, seed: int) -> pl.DataFrame:
    """Simulate a launch: gamma-Poisson orders of log-normal amounts, a quarter of the customers lost; ``gain`` is the true mean effect."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    rate, amount = rng.gamma(0.7, 1 / 0.7 / 45, customers), np.exp(rng.normal(9, 0.7, customers))
    known, lost = rng.integers(30, 730, customers), rng.random(customers) < 0.25
    since = np.where(lost, (known * rng.random(customers)).astype(int), 0)
    orders = rng.poisson(rate * (known - since)) + 1
    days = np.clip(since + rng.exponential(1 / np.maximum(rate, 1e-4)), 1, known).astype(int)
    spend = (orders * amount * np.exp(rng.normal(0, 0.3, customers))).astype(int)
    decayed = (spend * 0.5 ** (days / 90) / np.maximum(known / 180, 1)).astype(int)
    recent = rng.poisson(rate * np.clip(90 - since, 0, 90))
    usual = 30 * rate * amount * np.where(lost, 0.05, 1)
    gain = (
        usual.mean()
        * {
            "falls": 1 - decayed.argsort().argsort() / customers,
            "rises": 0.25 * usual / usual.mean(),
            "lapsing": 1.5 * ((days > 30) & (days < 120)),
            "none": np.zeros(customers),
        }[kind]
    )
    invited = np.ones(customers, bool)
    invited[rng.permutation(customers)[: round(held_out * customers)]] = False
    often = rng.poisson((usual + gain * invited) / amount)
    spent = (often * amount * np.exp(rng.normal(-0.125, 0.5, customers))).astype(int)
    columns = dict(zip(FEATURES, (spend, decayed, orders, days, spend // orders, recent, known), strict=True))
    ids = pl.Series(np.arange(customers)).cast(pl.String)
    return pl.DataFrame({"launch": "a", "customer_id": ids, "invited": invited, "spend": spent, "gain": gain, **columns})


def true_qini(score: np.ndarray, gain: np.ndarray) -> float:
    """Give the Qini that a ranking has in truth."""
    return float(((score.argsort().argsort() + 0.5) / len(score) - 0.5) @ gain / len(score))


def cover(repetitions: int, customers: int = 4_000, held_out: float = 0.25) -> pl.DataFrame:
    """Say how often intervals hold the truth, and how often the ranking is said to beat spend."""
    rows = []
    for repetition in range(repetitions):
        kind = KINDS[repetition % len(KINDS)]
        _, tried = learn_uplift(experiment(kind, customers, held_out, repetition), FEATURES, seed=repetition)
        score, spend, gain = (tried[name].to_numpy() for name in ("score", "spend_window", "gain"))
        qini, better, every = measure_qini(tried, score), measure_qini(tried, score, spend), measure_uplift(tried, score)
        truths = true_qini(score, gain), true_qini(score, gain) - true_qini(spend, gain), gain.mean()
        held = [found.low <= truth <= found.high for found, truth in zip((qini, better, every), truths, strict=True)]
        rows.append((kind, *held, better.low > 0))
    found = pl.DataFrame(rows, ["kind", "qini", "better", "all", "beats_spend"], orient="row")
    return pl.concat(
        [
            found.group_by("kind").agg(pl.exclude("kind").mean()).sort("kind"),
            found.select(pl.lit("together").alias("kind"), pl.exclude("kind").mean()),
        ]
    )


def compare(shops: int, customers: int = 10_000, held_out: float = 0.1) -> pl.DataFrame:
    """Compare learners by their true Qini on other customers, as a share of the best possible."""
    rows = []
    for kind in KINDS[:-1]:
        for seed in range(shops):
            frame, other = (experiment(kind, customers, held_out, number) for number in (seed, 1_000 + seed))
            gain = other["gain"].to_numpy()
            best = true_qini(gain, gain)
            ours, _ = learn_uplift(frame, FEATURES, seed=seed)
            two, robust = two_models(frame)
            values = {
                "ours": ours.values(other),
                "two models": two(other),
                "doubly robust": robust(other),
                "spend": other["spend_window"].to_numpy(),
            }
            rows += [(kind, name, true_qini(value, gain) / best) for name, value in values.items()]
    found = pl.DataFrame(rows, ["kind", "learner", "share"], orient="row")
    return found.pivot("kind", index="learner", values="share", aggregate_function="mean")


def two_models(frame):
    """Learn one model for those invited and one for those held out; and their doubly robust version."""
    rows, invited, spend = frame.select(FEATURES).to_numpy(), frame["invited"].to_numpy(), frame["spend"].to_numpy().astype(float)
    spend = np.minimum(spend, np.quantile(spend[spend > 0], 0.99))
    share, part = invited.mean(), (5 * uniform(frame["customer_id"], 1, "part").to_numpy()).astype(int)

    def learn(of, loss="poisson", target=spend, **sizes):
        sizes = {"max_iter": 60, "learning_rate": 0.06, "max_leaf_nodes": 6, "min_samples_leaf": 40, "l2_regularization": 10.0} | sizes
        return HistGradientBoostingRegressor(loss=loss, early_stopping=False, random_state=0, **sizes).fit(rows[of], target[of])

    expected = np.zeros((2, len(rows)))
    for number in range(5):
        for arm in (0, 1):
            expected[arm][part == number] = learn((part != number) & (invited == arm)).predict(rows[part == number])
    rest = spend - np.where(invited, expected[1], expected[0])
    effect = expected[1] - expected[0] + np.where(invited, 1 / share, -1 / (1 - share)) * rest
    small = {"max_iter": 30, "max_leaf_nodes": 4, "min_samples_leaf": len(rows) // 50, "l2_regularization": 200.0}
    robust, both = learn(spend >= 0, "squared_error", effect, **small), (learn(~invited), learn(invited))
    return (
        lambda new: both[1].predict(new.select(FEATURES).to_numpy()) - both[0].predict(new.select(FEATURES).to_numpy()),
        lambda new: robust.predict(new.select(FEATURES).to_numpy()),
    )


def hillstrom(path: Path) -> pl.DataFrame:
    """Rank who gets the women's mail, for spend and for visits; in cents, and in visits of ten thousand."""
    arms = pl.read_parquet(path).with_row_index("customer_id").filter(pl.col("segment") != "Mens E-Mail")
    words = arms.select("zip_code", "channel").to_dummies()
    numbers = arms.select("recency", "history", "mens", "womens", "newbie")
    rows = []
    for target in ("spend", "visit"):
        unit = 100 if target == "spend" else 10_000
        spent = (arms[target].cast(pl.Float64) * unit).round().cast(pl.Int64)
        about = {"launch": pl.lit("mail"), "customer_id": arms["customer_id"].cast(pl.String), "spend": spent}
        frame = pl.DataFrame(numbers).hstack(words).with_columns(invited=arms["segment"] == "Womens E-Mail", **about)
        _, tried = learn_uplift(frame, [*numbers.columns, *words.columns], seed=1)
        score, history = tried["score"].to_numpy(), tried["history"].to_numpy()
        for name, gain in {
            "all": measure_uplift(tried, score),
            "top 20 %": measure_uplift(tried, score, 20),
            "top 20 % by past spend": measure_uplift(tried, history, 20),
            "Qini": measure_qini(tried, score),
            "Qini by past spend": measure_qini(tried, history),
            "Qini, difference": measure_qini(tried, score, history),
        }.items():
            rows.append((target, name, *gain))
    return pl.DataFrame(rows, ["of", "what", "value", "low", "high"], orient="row")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=300)
    parser.add_argument("--shops", type=int, default=4)
    parser.add_argument("--hillstrom", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    pl.Config.set_tbl_rows(50)
    begun = time.monotonic()
    if arguments.hillstrom:
        print(hillstrom(arguments.hillstrom), flush=True)
    if arguments.shops:
        print(compare(arguments.shops), flush=True)
    if arguments.experiments:
        print(cover(arguments.experiments), round(time.monotonic() - begun))
