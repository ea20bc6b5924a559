import sys
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from jobs import settings_of

import segmenter
from segmenter.demo.shop import simulate
from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.tune import Tuning, tune
from segmenter.settings import TuneCore, Weights, parse

FIRST, AS_OF = date(2025, 1, 1), date(2026, 1, 1)


def settings(*overrides):
    few = ("tune.trials=25", "tune.half_lives=[30,90]", "backtest.max_cuts=7")
    return settings_of("tune", f"launch.as_of={AS_OF}", "scoring=weighted", *few, *overrides)


def tables_of(rows, job):
    orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    mapped = segmenter.launch_settings({"launch.as_of": str(job.launch.as_of)})
    return segmenter.canonical_tables({"orders": orders}, mapped.data, mapped.launch)


def in_spells(seed):
    """Customers who order every few days until they are gone for long; what an order comes to tells nothing."""
    chance, rows = np.random.default_rng(seed), []
    for number in range(300):
        day = float(chance.integers(60))
        while day < 365:
            for _ in range(chance.integers(2, 12)):
                day += chance.exponential(5)
                amount = float(np.round(20 * np.exp(2 * chance.normal()), 2))
                if day < 365:
                    rows.append((f"C{number:04}", datetime.combine(FIRST, datetime.min.time()) + timedelta(days=int(day)), amount))
            day += chance.uniform(60, 200)
    return rows


def at_random(seed):
    """Customers of whom nothing can be known."""
    chance = np.random.default_rng(seed)
    who, when, amounts = chance.integers(500, size=6_000), chance.integers(365, size=6_000), chance.gamma(0.5, 100, 6_000).round(2)
    start = datetime.combine(FIRST, datetime.min.time())
    return [(f"C{n:04}", start + timedelta(days=int(day)), float(amount) + 1) for n, day, amount in zip(who, when, amounts, strict=True)]


@pytest.fixture(scope="module")
def spells() -> Tuning:
    job = settings()
    return tune(tables_of(in_spells(1), job), job)


def share_of(found, ranking, column):
    return found.shares.filter(ranking=ranking)[column].item()


def test_where_only_recency_tells_it_is_found_and_helps_later_too(spells):
    weights = spells.scoring.weights.model_dump()
    assert max(weights, key=weights.get) == "recency"
    assert weights["engagement"] == weights["advocacy"] == 0  # the shop has no events
    assert abs(sum(weights.values()) - 100) < 0.4
    assert spells.helped
    assert share_of(spells, "tuned", "held_back") > share_of(spells, "present", "held_back")
    assert max(spells.learned_from) + timedelta(days=30) <= min(spells.held_back)


def test_a_trial_is_what_a_replay_gives_to_the_last_bit(spells):
    trials = spells.trials
    assert trials["trial"].to_list() == list(range(25))
    assert share_of(spells, "present", "learned_from") == trials["share"][0]
    assert share_of(spells, "tuned", "learned_from") == trials["share"].max()
    alone = trials.filter(decayed_spend=100.0, half_life_days=90.0)["share"].to_list()
    assert alone == [share_of(spells, "decayed", "learned_from")]
    assert trials.filter(spend=100.0)["share"].to_list() == [share_of(spells, "spend", "learned_from")]


@pytest.mark.slow
def test_roles_weigh_in_a_trial_as_in_a_replay():
    job = settings("+scoring.role_weights.support=30", "tune.trials=4")
    tables = tables_of(in_spells(1), job)
    chance, when = np.random.default_rng(3), datetime.combine(FIRST, datetime.min.time())
    answers = {"customer_id": [f"C{n:04}" for n in chance.integers(300, size=900)], "kind": "answer"}
    events = pl.DataFrame({**answers, "time": [when + timedelta(days=int(day)) for day in chance.integers(365, size=900)]})
    found = tune(replace(tables, events=events.cast(tables.events.schema)), job)
    assert share_of(found, "present", "learned_from") == found.trials["share"][0]
    assert share_of(found, "tuned", "learned_from") == found.trials["share"].max()
    assert list(found.scoring.role_weights) == ["support"]


@pytest.mark.slow
def test_customers_of_whom_nothing_can_be_known_cannot_be_tuned_for():
    job = settings("tune.trials=25", "seed=1")
    found = tune(tables_of(at_random(1), job), job)
    assert share_of(found, "tuned", "learned_from") >= share_of(found, "present", "learned_from")
    assert not found.helped


@pytest.mark.slow
def test_where_the_present_weights_are_best_they_stay(spells):
    best = {f"scoring.weights.{name}": weight for name, weight in spells.scoring.weights.model_dump().items()}
    overrides = [f"{key}={value}" for key, value in best.items()]
    job = settings(*overrides, f"scoring.half_life_days={spells.scoring.half_life_days}", "tune.trials=3")
    found = tune(tables_of(in_spells(1), job), job)
    assert found.scoring == found.present == job.scoring
    assert not found.helped


@pytest.mark.slow
def test_the_order_of_rows_changes_nothing_and_neither_does_what_came_later(spells):
    job, rows = settings(), in_spells(1)
    chance = np.random.default_rng(5)
    shuffled = tune(tables_of([rows[place] for place in chance.permutation(len(rows))], job), job)
    assert shuffled.scoring == spells.scoring
    for name in ("trials", "shares", "differences"):
        assert getattr(shuffled, name).equals(getattr(spells, name)), name
    border = datetime.combine(spells.held_back[0], datetime.min.time())
    invented = [
        (who, day, amount) if day < border else (f"C{chance.integers(300):04}", day, 1 + 900 * chance.random()) for who, day, amount in rows
    ]
    other = tune(tables_of(invented, job), job)
    assert other.scoring == spells.scoring
    assert other.trials.equals(spells.trials)
    assert not other.shares.equals(spells.shares)


@pytest.mark.slow
def test_the_launch_of_the_shop_may_rank_otherwise():
    job = settings("scoring=recency", "backtest.rankings=[spend]", "tune.trials=20")
    shop = simulate(customers=1_000, days=400, as_of=AS_OF, seed=3)
    mapped = segmenter.launch_settings({"launch.as_of": str(AS_OF)})
    frames = {"orders": shop.orders, "customers": shop.customers, "events": shop.events, "referrals": shop.referrals}
    found = tune(segmenter.canonical_tables(frames, mapped.data, mapped.launch), job)
    assert found.current == "recency"
    assert found.shares["ranking"].to_list() == ["tuned", "present", "spend", "recency"]
    assert found.differences["against"].to_list() == ["present", "spend", "recency"]
    assert found.helped
    assert found.scoring.engagement == job.scoring.engagement


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    job = settings()
    with pytest.raises(ConfigError, match=r'tune: needs Optuna; pip install "segmenter\[tune\]"'):
        tune(tables_of(in_spells(1)[:50], job), job)


def test_what_cannot_be_tuned_says_why():
    job = settings("tune.trials=2")
    few = job.model_copy(update={"backtest": job.backtest.model_copy(update={"cuts": (date(2025, 9, 1), date(2025, 9, 20))})})
    with pytest.raises(
        ConfigError, match=r"tune: needs a date to learn from whose horizon of 30 days is over .*got 2025-09-01, 2025-09-20"
    ):
        tune(tables_of(at_random(1), few), few)
    poor = job.model_copy(update={"rules": job.rules.model_copy(update={"orders": job.rules.orders.model_copy(update={"min": 10_000})})})
    with pytest.raises(InputError, match=r"tune: at none of the dates to learn from .* was somebody eligible"):
        tune(tables_of(at_random(1), poor), poor)
    taken = job.model_dump(mode="json", include=set(TuneCore.model_fields))
    taken["rankings"]["tuned"] = taken["rankings"]["spend"]
    with pytest.raises(ConfigError, match="rankings: should not be called tuned"):
        parse(TuneCore, taken)


@pytest.mark.slow
def test_weights_that_tell_nothing_are_only_a_start():
    """The present score rests on events alone, and the shop has none."""
    job = settings("tune.trials=12")
    events = dict.fromkeys(Weights.model_fields, 0.0) | {"engagement": 1.0}
    job = job.model_copy(update={"scoring": job.scoring.model_copy(update={"weights": Weights(**events)})})
    found = tune(tables_of(in_spells(2), job), job)
    assert found.trials["share"][0] < found.trials["share"].max()
    assert found.scoring.weights.engagement == 0
