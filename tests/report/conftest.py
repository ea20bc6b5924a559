"""A launch with regions whose names mean harm, for the report and the call sheets; a backtest; and a review."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from jobs import settings_of

import segmenter
from segmenter.demo.shop import simulate
from segmenter.evaluation.auto import CHOICES
from segmenter.evaluation.backtest import Backtest
from segmenter.evaluation.chance import draw_chance, outcome_of
from segmenter.evaluation.comparison import assign_buckets, compare_rankings, sum_by_bucket
from segmenter.evaluation.gains import measure_gains, top_count
from segmenter.evaluation.replay import measure_calibration
from segmenter.evaluation.review import Review, review
from segmenter.launch_record import LaunchRecord
from segmenter.ledger.frames import ANSWER_ROW
from segmenter.settings import BacktestJob, CoreSettings, ReviewJob
from segmenter.sources.inputs import Inputs
from segmenter.tables import EVENTS, INVITED, ORDERS

HOSTILE = {
    "广东省": "<script>alert(1)</script>",
    "山东省": "=cmd|' /C calc'!A0",
    "河南省": "../../etc",
    "江苏省": "ACME",
    "浙江省": "acme.",
}


@dataclass(frozen=True)
class Launch:
    settings: CoreSettings
    plan: segmenter.LaunchPlan
    tables: segmenter.Tables


@cache
def _shop() -> dict[str, pl.DataFrame]:
    shop = simulate(customers=1_500, days=400, as_of=date(2026, 7, 1), seed=3)
    number = pl.col("customer_id").str.slice(1).cast(pl.Int64)
    customers = shop.customers.with_columns(
        pl.col("province").replace(HOSTILE), pl.when(number % 50 > 0).then("name").otherwise(pl.lit("=1+1")).alias("name")
    )
    customers = customers.with_columns(pl.when(number % 20 > 0).then(column).alias(column) for column in ("province", "city"))
    wrong = shop.orders.head(3).with_columns(pl.lit("12 bananas").alias("amount"))
    orders = pl.concat([shop.orders.with_columns(pl.col("amount").cast(pl.String)), wrong])
    return {"orders": orders, "customers": customers, "events": shop.events, "referrals": shop.referrals}


@pytest.fixture(scope="session")
def launch() -> Callable[..., Launch]:
    made: dict[str, Launch] = {}

    def make(**overrides: Any) -> Launch:
        asked = repr(sorted(({"lang": "en"} | overrides).items()))  # lists and mappings among them
        if asked not in made:
            made[asked] = planned(overrides)
        return made[asked]

    def planned(overrides: dict[str, Any]) -> Launch:
        settings = segmenter.launch_settings(
            {
                "launch.as_of": "2026-07-01",
                "scoring": "weighted",  # in half the time of the default
                "launch.name": "summer & tea",
                "launch.topic": "tea <first> & news",
                "rules.spend.min": 500,
                "plan.size": 400,
                "plan.group_capacity": 40,
                **{"plan.key_users": 5, "plan.smallest": 1, "plan.fill": 0.025, "plan.fill_confidence": 0.05},
                "segments.k": 3,
                "segments.bootstraps": 2,
                "data.customers.contact": ("phone", "wechat"),
                "data.customers.attributes": ("type",),
            }
            | {name.replace("__", "."): value for name, value in overrides.items()}
        )
        tables = segmenter.canonical_tables(_shop(), settings.data, settings.launch)
        return Launch(settings, segmenter.in_words(segmenter.plan_launch(tables, settings), settings), tables)

    return make


@dataclass(frozen=True)
class Replayed:
    """A backtest that might have been, its config, and what it read."""

    found: Backtest
    settings: BacktestJob
    read: Inputs


CUTS = tuple(date(2011, month, 1) for month in range(5, 12))
# How much chance each ranking has in it.
NOISE = {"weighted": 0.75, "spend": 0.62, "decayed": 0.5, "recency": 2.2, "rfm": 1.1, "clv": 0.6, "learned": 0.58, "auto": 0.52}


@cache
def _found() -> Backtest:
    """Replay seven launches of a shop made up here."""
    chance = np.random.default_rng(11)
    ids, worth = pl.Series([f"C{number}" for number in range(4_000)]), chance.gamma(0.7, 9_000.0, 4_000)
    bucket, rows, curves, bins, held, outcomes = assign_buckets(ids, 7), [], [], [], [], []
    for place, cut in enumerate(CUTS):
        customers = 2_500 + 250 * place
        bought = chance.random(customers) < np.minimum(0.12 + worth[:customers] / 40_000, 0.9)
        spend = np.where(bought, worth[:customers] * chance.gamma(1.6, 0.7, customers), 0).round().astype(np.int64)
        scores = {name: np.log(worth[:customers]) + noise * chance.normal(size=customers) for name, noise in NOISE.items()}
        orders = {name: np.argsort(-score, kind="stable") for name, score in scores.items()}
        counts = {"dates": 1, "customers": customers + 400, "eligible": customers, "later_spend": int(spend.sum())}
        counts |= {"later_buyers": int(bought.sum()), "previous_spend": None if place == 0 else int(spend.sum() * 0.9)}
        for name, each in measure_gains(orders, spend, bought, 500).items():
            claim = dict.fromkeys(("expected_spend", "calibration", "expected_spend_10", "later_spend_10", "calibration_10"))
            if name in ("clv", "learned"):
                expected = np.exp(scores[name]) * (0.55 if name == "clv" else 0.4)
                frame, ratio = measure_calibration(expected, spend)
                bins.append(frame.with_columns(ranking=pl.lit(name)))
                first = orders[name][: top_count(customers, 10)]
                promised, came = int(expected[first].sum()), int(spend[first].sum())
                claim = {"expected_spend": round(float(expected.sum())), "calibration": ratio, "expected_spend_10": promised}
                claim |= {"later_spend_10": came, "calibration_10": promised / came}
            rows.append({"cut": cut, "ranking": name, **counts, **each.figures, **claim})
            curves.append(each.curve.with_columns(ranking=pl.lit(name)))
        here = bucket[:customers]
        tops = [order[: top_count(customers, 10)] for order in orders.values()]
        held.append(np.stack([sum_by_bucket(here[top], spend[top]) for top in tops]))
        outcomes.append(outcome_of(ids.head(customers), spend, bought, 7))
    total = np.stack([outcome.spend for outcome in outcomes])
    intervals, differences = compare_rankings(list(NOISE), np.stack(held), total, 7, draws=200)
    amounts = ("later_spend", "previous_spend", "expected_spend", "expected_spend_10", "later_spend_10")
    whole_numbers = pl.col("customers", "eligible", "later_buyers", *amounts)
    results = pl.DataFrame(rows, infer_schema_length=None)
    means = (
        results.group_by("ranking", maintain_order=True)
        .agg(pl.exclude("cut").mean())
        .with_columns(whole_numbers.round().cast(pl.Int64), dates=pl.lit(len(CUTS), pl.Int64))
    )
    means = means.select(pl.lit(None, pl.Date).alias("cut"), *results.columns[1:])
    return Backtest(
        results=pl.concat([results, means]),
        intervals=intervals.with_columns(beats_chance=True),
        differences=differences,
        chance=draw_chance(outcomes, [10], 7, draws=200),
        curves=pl.concat(curves).group_by("ranking", "customers", maintain_order=True).agg(pl.col("spend", "buyers").mean()),
        calibration=pl.concat(bins).group_by("ranking", "bin", maintain_order=True).agg(pl.all().sum()),
        choices=pl.DataFrame(
            {"cut": CUTS, "choice": ["decayed"] * 7, "trials": [0, *[3] * 6]}
            | {name: [None, *[0.3 + 0.01 * number] * 6] for number, name in enumerate(CHOICES)}
        ),
        cuts=CUTS,
        compared=CUTS,
        horizon_days=30,
        current="weighted",
        recommended="decayed",
        warnings=("only <few> customers bought later at 2011-05-01",),
    )


@pytest.fixture(scope="session")
def backtest() -> Callable[..., Replayed]:
    def make(*overrides: str, **changes: Any) -> Replayed:
        settings = settings_of("backtest", "launch.as_of=2011-12-10", "launch.name=tea", "plan.size=500", *overrides)
        return Replayed(replace(_found(), **changes), settings, read)

    mapped = segmenter.launch_settings({"launch.as_of": "2011-12-10"})
    orders = pl.DataFrame({"customer_id": ["C1", "C2"], "time": ["2011-06-30", "2011-07-01"], "amount": [12.5, 7.5]})
    read = Inputs(segmenter.canonical_tables({"orders": orders}, mapped.data, mapped.launch), {})
    return make


@dataclass(frozen=True)
class Reviewed:
    """What a launch brought, the config of its review, and what was read."""

    found: Review
    settings: ReviewJob
    read: Inputs


@cache
def _people() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make a launch of 1,200 customers up, and what they then ordered."""
    chance, launched = np.random.default_rng(4), date(2026, 7, 1)
    rows, orders = [], []
    for place in range(1_200):
        held, draw = place % 5 == 0, chance.random()
        wave = None if held else 1 + place % 3
        row = {"launch": "tea", "community": "vip", "as_of": launched, "ends_on": date(2026, 7, 31), "customer_id": f"K{place:04}"}
        row |= {"in_plan": True, "status": "held_out" if held else "planned", "planned_at": date(2026, 7, 1 + 7 * ((wave or 1) - 1))}
        row |= {"wave": wave, "group": f"g{place % 30}", "agent": None if held else ("王芳", "<b>Li</b>")[place % 2], "score": 50.0}
        row |= {"stratum": f"s{place % 4}", "region": ("四川", "云南", None)[place % 3], "segment": ("big & old", "new")[place % 2]}
        if not held and draw < 0.9:
            row["answer"] = "joined" if draw < 0.4 else "not_reached" if draw < 0.6 else "refused" if draw < 0.85 else "refused_for_good"
            row |= {"answered_on": date(2026, 7, 20), "source": "s.csv"}
            row["reason"] = None if draw < 0.7 else "too far" if draw < 0.89 else f"call me at 1380000{place}"
        rows.append(row)
        for day in np.flatnonzero(chance.random(60) < 0.04):
            amount = int(chance.gamma(2, 5_000)) + 4_000 * (not held and day >= 30)
            order = {"customer_id": row["customer_id"], "time": datetime(2026, 6, 1, 12) + timedelta(days=int(day)), "is_order": True}
            orders.append(order | {"amount": amount})
    return pl.DataFrame(rows, INVITED), pl.DataFrame(orders, ORDERS)


@cache
def _lived() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make up what they did in their groups, of which two fall silent, and the calls before those that brought them in."""
    chance = np.random.default_rng(6)
    people, events, answers = _people()[0], [], []
    for number, row in enumerate(people.filter(answer="joined").to_dicts()):
        for day in np.flatnonzero(chance.random(11) < 0.5 * 2.0 ** (-np.arange(11) / 4)):
            kind = ("speak", "read", "visit")[number % 3]
            if row["group"] not in ("g3", "g4") or day < 1:
                events.append({"customer_id": row["customer_id"], "kind": kind, "time": datetime(2026, 7, 20 + int(day), 20)})
        kinds = ["complaint"] * (number % 40 == 0) + ["violation"] * 2 * (number % 60 == 0)
        events += [{"customer_id": row["customer_id"], "kind": kind, "time": datetime(2026, 7, 28, 9)} for kind in kinds]
        told = ["not_reached", "joined"] if number % 4 == 0 else ["joined"]
        for place, answer in enumerate(told):
            day = date(2026, 7, 20 - len(told) + 1 + place)
            given = {"launch": "tea", "number": len(answers), "customer_id": row["customer_id"], "status": row["status"], "source": "s"}
            answers.append(given | {"answer": answer, "answered_on": day, "current": answer == "joined"})
    return pl.DataFrame(events, EVENTS), pl.DataFrame(answers, {**ANSWER_ROW, "current": pl.Boolean})


@pytest.fixture(scope="session")
def reviewed() -> Callable[..., Reviewed]:
    def make(*overrides: str, target: int | None = 80_000_00, people: pl.DataFrame | None = None, **changes: Any) -> Reviewed:
        needed = ["launch.as_of=2026-07-01", "launch.name=tea", "data=files", "data.orders.path=x"]
        settings = settings_of("review", *needed, "review.as_of=2026-07-31", *overrides)
        known, orders = _people()
        launch = LaunchRecord("tea", "vip", date(2026, 7, 1), 30, target, "CNY", holdout=0.2)
        if people is not None:
            found = review(launch, people, orders, settings)
        elif (found := made.get(asked := repr((settings.review, settings.rules, settings.launch, target)))) is None:
            (events, answers), days = _lived(), [date(2026, 7, 16), date(2026, 7, 23)]
            found = made[asked] = review(launch, known, orders, settings, events=events, answers=answers, live_days=days)
        return Reviewed(replace(found, **changes), settings, read)

    made: dict[str, Review] = {}
    mapped = segmenter.launch_settings({"launch.as_of": "2026-07-31"})
    read = Inputs(segmenter.canonical_tables({"orders": _people()[1].head(2)}, mapped.data, mapped.launch), {})
    return make
