"""What a committed launch's results still say: the days of its live events, and who calls."""

import json
from datetime import date
from pathlib import Path

import polars as pl

import segmenter
from segmenter.ledger import LaunchRecord, Ledger, open_ledger, record_plan, record_with_results
from segmenter.ledger.committed_results import find_agents, find_live_days
from segmenter.report.publication import publish

DAY = date(2026, 7, 1)
LAUNCH = LaunchRecord("spring", "tea", DAY, 30, None, "CNY")
PLAN = pl.DataFrame({"customer_id": ["a"], "status": "planned", "wave": 1, "group": "g", "agent": None, "score": 1.0, "stratum": "s"})


def committed(folder: Path, said: dict) -> Ledger:
    ledger, out = open_ledger(None, folder / "spring"), folder / "spring"
    with record_with_results(ledger, LAUNCH, PLAN, out, publish(out, lambda: None)) as staged:
        (staged / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    return ledger


def settings(**overrides):
    return segmenter.review_settings({"review.as_of": "2026-08-01", **overrides})


def test_they_are_those_of_the_results_that_were_committed(tmp_path):
    ledger = committed(tmp_path, {"live_events": ["2026-07-09", "2026-07-16"]})
    assert find_live_days(ledger, LAUNCH, settings()) == (date(2026, 7, 9), date(2026, 7, 16))
    asked = settings(**{"launch.as_of": "2026-07-01", "launch.live_events": ["2026-07-20"]})
    assert find_live_days(ledger, LAUNCH, asked) == (date(2026, 7, 20),)
    (tmp_path / "spring" / "manifest.json").write_text("{}", encoding="utf-8")  # other results
    assert find_live_days(ledger, LAUNCH, settings()) == ()


def test_there_are_none_where_nothing_says_so(tmp_path):
    assert find_live_days(committed(tmp_path, {}), LAUNCH, settings()) == ()
    ledger = open_ledger(None, tmp_path / "other")
    record_plan(ledger, LAUNCH, PLAN)
    assert find_live_days(ledger, LAUNCH, settings()) == ()


def test_agents_are_those_of_the_config_or_else_of_the_results(tmp_path):
    team = [{"name": "Li", "calls_per_day": 20, "days_off": ["2026-07-09"]}]
    ledger = committed(tmp_path, {"config": {"plan": {"agents": team}}})
    (found,) = find_agents(ledger, LAUNCH, settings())
    assert (found.name, found.calls_per_day, found.days_off) == ("Li", 20, ("2026-07-09",))
    (typed,) = find_agents(ledger, LAUNCH, settings(**{"plan.agents": [{"name": "Wu", "calls_per_day": 5}]}))
    assert typed.name == "Wu"
    (tmp_path / "spring" / "manifest.json").write_text("{}", encoding="utf-8")  # other results
    assert find_agents(ledger, LAUNCH, settings()) == ()
