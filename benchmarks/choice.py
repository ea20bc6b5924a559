"""How well does `auto` choose, over many shops? `python -m benchmarks.choice --data=../shared/data [SHOP ...]`

At each date every ranking is fitted on what was known, and the share of the eligible's later spend in its top 10 % is looked up, in parts
of what the best single ranking of hindsight holds on average. How much caution `auto` needs is then chosen on all shops but one, and
judged on that one. What each shop came to is kept in `--keep`, so that a change to the choice takes seconds.
"""

import argparse
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import polars as pl
from hydra import compose, initialize_config_dir

import segmenter
from segmenter.demo.shop import simulate
from segmenter.errors import InputError
from segmenter.evaluation import auto
from segmenter.evaluation.as_of import past_snapshot
from segmenter.evaluation.gains import top_count
from segmenter.home import HOME
from segmenter.loader import read_tables
from segmenter.measures.past import past_of
from segmenter.measures.shop_orders import SingleOrders
from segmenter.scoring.ranking import fit_ranking
from segmenter.settings import LaunchJob, parse
from segmenter.tables import Tables

AS_OF, CAUTIONS = date(2026, 7, 1), (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
FIXED = ("spend", "decayed", "recency", "rfm", "weighted", "learned")
Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Look:
    """What one date came to: the share that each ranking and each choice held, and the trial that it makes for later dates."""

    cut: date
    shares: dict[str, float]
    trial: auto.Trial


def look(tables: Tables, as_of: date, horizon: int, dates: int = 16) -> Iterator[Look]:
    """Rank at past dates, half a horizon apart, where something can be learned."""
    overrides = {"launch.as_of": str(as_of), "launch.horizon_days": horizon}
    scorings = {name: segmenter.launch_settings({**overrides, "scoring": name}).scoring for name in (*FIXED, "auto")}
    settings = segmenter.launch_settings({**overrides, "scoring": "auto"})
    past = past_of(tables, as_of, settings.scoring.half_life_days, None, horizon, max_customers=16_000)
    for cut in past.cuts(horizon, max(horizon // 2, 7), dates):
        snapshot = past_snapshot(past, settings, cut, purchases=False)
        trial = auto._try_launch(past, cut, scorings["auto"], horizon, 0)
        if trial is None or not snapshot.eligible.any():
            continue
        fitted = {name: fit_ranking(snapshot.customers, scorings[name], snapshot.past, horizon_days=horizon, seed=0) for name in FIXED}
        people = snapshot.customers.filter(snapshot.eligible)
        spend = past.later(people["customer_id"], cut, horizon)["spend"].to_numpy()
        if spend.sum() <= 0:
            continue
        every = {**auto._SIMPLE, **fitted}
        values = {name: ranking.values(people) for name, ranking in every.items()}
        values |= {
            name: sum(auto._share_below(every[part].values(people), np.sort(every[part].values(snapshot.customers))) for part in parts)
            for name, parts in auto.CHOICES.items()
            if len(parts) > 1
        }
        first = {name: np.argsort(-value, kind="stable")[: top_count(len(spend), 10)] for name, value in values.items()}
        yield Look(cut, {name: float(spend[order].sum() / spend.sum()) for name, order in first.items()}, trial)


def judge(looks: list[Look], horizon: int, caution: float) -> tuple[float, dict[str, float]]:
    """Give what `auto` holds on average with so much caution, and each of `FIXED`, in parts of the best of these."""
    chosen = []
    for seen in looks:
        over = {other.cut: other.trial for other in looks if other.cut <= seen.cut - timedelta(days=horizon)}
        for step in (horizon, max(horizon // 2, 7)):  # as `auto` chooses its dates
            asked = [seen.cut - timedelta(days=horizon + step * number) for number in range(3)]
            trials = [over[cut] for cut in asked if cut in over]
            if len(trials) == len(asked):
                break
        few = sum(len(trial.outcome.buyers) for trial in trials) < auto._FEW
        chosen.append(seen.shares[auto.usual(horizon) if few else auto.choose(trials, horizon, caution)])
    means = {name: float(np.mean([seen.shares[name] for seen in looks])) for name in (*FIXED, *auto.CHOICES)}
    best = max(means[name] for name in FIXED)
    return float(np.mean(chosen)) / best, {name: mean / best for name, mean in means.items()}


def main(folder: Path, keep: Path, names: list[str]) -> None:
    """Print the table."""
    kept: dict[str, tuple[int, list[Look]]] = {}
    for name, (make, as_of, horizon) in shops(folder).items():
        if names and name not in names:
            continue
        path = keep / f"{name}.pickle"
        if not path.exists():
            try:
                looks = list(look(make(), as_of, horizon))
            except InputError as error:
                print(name, error)
                continue
            keep.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pickle.dumps(looks))
        if found := pickle.loads(path.read_bytes()):
            kept[name] = horizon, found
    judged = {name: [judge(looks, horizon, caution) for caution in CAUTIONS] for name, (horizon, looks) in kept.items()}
    logs = {name: np.log([share for share, _ in cautions]) for name, cautions in judged.items()}
    print("| shop, horizon | dates | auto | usual blend |", " | ".join(FIXED), "| left out: caution, auto |")
    print("|" + "---|" * (5 + len(FIXED)))
    left_out = []
    for name, (horizon, looks) in kept.items():
        others = [logs[other] for other in logs if other != name]
        best = int(np.mean(others, axis=0).argmax()) if others else CAUTIONS.index(auto._CAUTION)
        share, means = judged[name][CAUTIONS.index(auto._CAUTION)]
        left_out.append(logs[name][best])
        figures = [share, means[auto.usual(horizon)], *(means[fixed] for fixed in FIXED)]
        print(
            f"| {name} | {len(looks)} |",
            " | ".join(f"{figure:.3f}" for figure in figures),
            f"| {CAUTIONS[best]:g}, {np.exp(logs[name][best]):.3f} |",
        )
    mean = np.exp(np.mean(list(logs.values()), axis=0))
    print("by caution:", ", ".join(f"{caution:g} {share:.4f}" for caution, share in zip(CAUTIONS, mean, strict=True)))
    print(f"on the shop left out: {np.exp(np.mean(left_out)):.4f}; means:")
    for fixed in (*FIXED, *auto.CHOICES):
        print(fixed, f"{np.mean([judged[name][0][1][fixed] for name in kept]):.4f}")


def shops(folder: Path) -> dict[str, tuple[Callable[[], Tables], date, int]]:
    """List shops: real ones, parts of them, the demo's and others that are made up, with the end of their history and a horizon."""
    cdnow = ("data=files", "data.orders.path=${data.dir}/cdnow_master.parquet", "data.orders.columns.time=date", "launch.currency=USD")
    real = {
        "online_retail": (lambda: _read(folder, "2011-12-10", "data=online_retail"), date(2011, 12, 10), (30, 60, 90)),
        "cdnow": (lambda: _read(folder, "1998-07-01", *cdnow), date(1998, 7, 1), (30, 90)),
        "taobao": (lambda: _read(folder, "2019-07-01", "data=taobao"), date(2019, 7, 1), (30, 60)),
    }
    retail, end, _ = real["online_retail"]
    uk = pl.col("province") == "United Kingdom"
    parts: dict[str, tuple[Callable[[], Tables], date, tuple[int, ...]]] = {
        "retail_uk": (lambda: _part(retail(), uk), end, (30,)),
        "retail_abroad": (lambda: _part(retail(), ~uk), end, (30, 60)),
        "retail_big": (
            lambda: _part(retail(), pl.col("amount").sum().over("customer_id").rank("dense", descending=True) <= 800),
            end,
            (30, 90),
        ),
        "retail_200": (lambda: _part(retail(), pl.col("customer_id").hash(1) % 22 == 0), end, (30,)),
        "cdnow_1000": (lambda: _part(real["cdnow"][0](), pl.col("customer_id").hash(1) % 24 == 0), date(1998, 7, 1), (60,)),
    }
    made = {
        **{f"demo_{seed}": (lambda seed=seed: simulate(4_000, 730, AS_OF, seed).tables(), (30,)) for seed in range(1, 6)},
        "demo_200": (lambda: simulate(200, 730, AS_OF, 4).tables(), (30,)),
        **{"donors": (_donors, (90, 365)), "tickets": (_tickets, (30, 60)), "subscriptions": (_subscriptions, (30,))},
        **{"seasonal": (_seasonal, (30, 60)), "campaigns": (_campaigns, (30, 60)), "grocery": (_grocery, (30, 60))},
        **{"wholesale_200": (_wholesale, (30, 90)), "no_repeats": (_no_repeats, (30,))},
    }
    every = {**real, **parts, **{name: (lambda make=make: _canonical(make()), AS_OF, horizons) for name, (make, horizons) in made.items()}}
    return {f"{name}, {horizon}": (make, as_of, horizon) for name, (make, as_of, horizons) in every.items() for horizon in horizons}


def _read(folder: Path, as_of: str, *options: str) -> Tables:
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        overrides = [f"launch.as_of={as_of}", f"data.dir={folder.resolve()}", "scoring=learned", "scoring.rows=1000000", *options]
        settings = parse(LaunchJob, compose("launch", overrides=overrides))
    return read_tables(settings.data, settings.launch, seed=settings.seed).tables


def _canonical(frames: Frames) -> Tables:
    settings = segmenter.launch_settings({"launch.as_of": str(AS_OF)})
    return segmenter.canonical_tables(frames, settings.data, settings.launch)


def _part(tables: Tables, of: pl.Expr) -> Tables:
    return replace(tables, orders=SingleOrders(tables.orders.single().filter(of)))


def _orders(who: np.ndarray, day: np.ndarray, amount: np.ndarray, days: int) -> Frames:
    kept = (day >= 0) & (day < days)
    start = np.datetime64(datetime(AS_OF.year, AS_OF.month, AS_OF.day) - timedelta(days=days), "s")
    time = pl.Series((start + (day[kept] * 86_400).astype(np.int64)).astype("M8[us]")).dt.strftime("%Y-%m-%d %H:%M:%S")
    ids = "C" + pl.Series(who[kept]).cast(pl.String).str.zfill(5)
    return {"orders": pl.DataFrame({"customer_id": ids, "time": time, "amount": np.round(np.maximum(amount[kept], 0.01), 2)})}


def _lives(rng: np.random.Generator, count: int, days: int, old: float, mean: float) -> tuple[np.ndarray, np.ndarray]:
    first = np.where(rng.random(count) < old, 0, rng.random(count) * days)
    return first, np.minimum(first + rng.exponential(mean, count), days)


def _buy(rng: np.random.Generator, rate: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    who = np.repeat(np.arange(len(rate)), rng.poisson(rate * (last - first)))
    return who, first[who] + (last - first)[who] * rng.random(len(who))


def _donors() -> Frames:
    """Give once a year, many of them in December, for some years."""
    rng, count = np.random.default_rng(1), 1_500
    joined, stays = np.where(rng.random(count) < 0.4, 0, rng.integers(0, 6, count)), rng.geometric(0.15, count)
    day = np.where(rng.random(count) < 0.55, rng.normal(160, 20, count), rng.random(count) * 365) % 365
    usual = 60 * rng.lognormal(0, 1, count) * np.where(rng.random(count) < 0.01, 30, 1)
    gives = [np.flatnonzero((joined <= year) & (year < joined + stays) & (rng.random(count) < 0.77)) for year in range(6)]
    who, years = np.concatenate(gives), np.repeat(np.arange(6), [len(some) for some in gives])
    return _orders(who, years * 365 + day[who] + rng.normal(0, 15, len(who)), usual[who] * rng.lognormal(0, 0.3, len(who)), 6 * 365)


def _tickets() -> Frames:
    """Come now and then; one who buys for a company comes every four weeks and spends more than a hundred others."""
    rng, count, days = np.random.default_rng(1), 3_000, 730
    who, day = _buy(rng, rng.gamma(0.6, 0.0067, count), *_lives(rng, count, days, 0.5, 700))
    often = np.arange(10, days, 28)
    amount = np.concatenate(
        [rng.choice([18, 25, 40, 75], len(who)) * rng.integers(1, 5, len(who)), 9_000 * rng.lognormal(0, 0.8, len(often))]
    )
    return _orders(np.concatenate([who, np.zeros(len(often), int)]), np.concatenate([day, often + 0.5]), amount, days)


def _subscriptions() -> Frames:
    """Pay one of three prices each month until they leave."""
    rng, count = np.random.default_rng(1), 2_000
    months = np.minimum(rng.geometric(0.04, count), 25)
    first, price = rng.random(count) * np.where(rng.random(count) < 0.3, 30, 730), rng.choice([9.9, 19.9, 49.9], count, p=[0.5, 0.35, 0.15])
    who = np.repeat(np.arange(count), months)
    number = np.concatenate([np.arange(each) for each in months])
    return _orders(who, first[who] + 30 * number + rng.random(len(who)), price[who], 730)


def _seasonal() -> Frames:
    """Buy in spring or in autumn."""
    rng, count, days = np.random.default_rng(1), 2_000, 3 * 365
    who, day = _buy(rng, rng.gamma(0.8, 0.0625, count), *_lives(rng, count, days, 0.5, 900))
    peak = np.where(rng.random(count) < 0.6, 0.25, 0.85)
    kept = rng.random(len(who)) < np.exp(3 * (np.cos(2 * np.pi * (day / 365 - peak[who])) - 1))
    usual = 80 * rng.lognormal(0, 0.8, count)
    return _orders(who[kept], day[kept], usual[who[kept]] * rng.lognormal(0, 0.5, int(kept.sum())), days)


def _campaigns() -> Frames:
    """Buy on campaign days only, some at most of them."""
    rng, count, days = np.random.default_rng(1), 3_000, 730
    first, last = _lives(rng, count, days, 0.4, 600)
    ready, usual = rng.beta(0.6, 3, count), 150 * rng.lognormal(0, 0.9, count)
    came = [(np.flatnonzero((first <= day) & (day < last) & (rng.random(count) < ready)), day) for day in range(20, days, 45)]
    who, day = np.concatenate([some for some, _ in came]), np.concatenate([np.full(len(some), day) for some, day in came])
    return _orders(who, day + 3 * rng.random(len(who)), usual[who] * rng.lognormal(0, 0.4, len(who)), days)


def _grocery() -> Frames:
    """Come every week or two, and leave within a year."""
    rng, count, days = np.random.default_rng(1), 800, 400
    who, day = _buy(rng, rng.gamma(1.2, 0.1, count), *_lives(rng, count, days, 0.6, 300))
    return _orders(who, day, (35 * rng.lognormal(0, 0.6, count))[who] * rng.lognormal(0, 0.6, len(who)), days)


def _wholesale() -> Frames:
    """Order at regular gaps of their own."""
    rng, count, days = np.random.default_rng(1), 200, 730
    first, last = _lives(rng, count, days, 0.7, 900)
    steps = rng.gamma(4, 0.25, (count, 400)) * rng.lognormal(3, 0.7, count)[:, None]
    times = first[:, None] + np.cumsum(steps, axis=1)
    who, number = np.nonzero(times < last[:, None])
    return _orders(who, times[who, number], (900 * rng.lognormal(0, 1.2, count))[who] * rng.lognormal(0, 0.5, len(who)), days)


def _no_repeats() -> Frames:
    """Order once; who orders again is anybody."""
    rng, count, days = np.random.default_rng(1), 5_000, 365
    who = np.concatenate([np.arange(count), rng.choice(count, count // 20)])
    return _orders(who, rng.random(len(who)) * days, 200 * rng.lognormal(0, 0.6, len(who)), days)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the real data")
    parser.add_argument("--keep", type=Path, default=Path(gettempdir()) / "segmenter-choice", help="where each shop's figures are kept")
    parser.add_argument("shops", nargs="*", help="such as 'cdnow, 90'; all without")
    asked = parser.parse_args()
    main(asked.data, asked.keep, asked.shops)
