"""What a committed launch's results still say: the days of its live events, who calls, and what it fitted."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import segmenter
from segmenter.errors import ConfigError
from segmenter.ledger import LaunchRecord, Ledger, open_ledger, record_plan, record_with_results
from segmenter.ledger.committed_results import find_agents, find_fitted, find_live_days
from segmenter.report.publication import publish
from segmenter.segments.fitted import Fitted

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


def kept(folder: Path, name: str, as_of: date, community: str = "tea", facts: dict | None = None, days: int = 30) -> Ledger:
    """A committed launch with what it fitted."""
    ledger, out = open_ledger(None, folder / name), folder / name
    record = LaunchRecord(name, community, as_of, days, None, "CNY")
    with record_with_results(ledger, record, PLAN, out, publish(out, lambda: None)) as staged:
        fitted = Fitted({"of": name}, None, name, as_of).to_dict() if facts is None else facts
        (staged / "fitted.json").write_text(json.dumps(fitted), encoding="utf-8")
        pl.DataFrame({"customer_id": ["a"], "segment": [1], "spend": [2.0]}).write_parquet(staged / "customers.parquet")
        (staged / "manifest.json").write_text(json.dumps({"launch": name}), encoding="utf-8")
    return ledger


def looked_up(ledger: Ledger | None, as_of: date, **overrides):
    return find_fitted(ledger, segmenter.launch_settings({"launch.name": "now", "launch.community": "tea", **overrides}), as_of)


def test_last_is_the_last_launch_of_the_community_before_the_date(tmp_path):
    assert looked_up(None, DAY) == (None, [])
    for name, month, community in (("april", 4, "tea"), ("may", 5, "tea"), ("june", 6, "wine"), ("july", 7, "tea")):
        ledger = kept(tmp_path, name, date(2026, month, 1), community)
    found, said = looked_up(ledger, DAY)
    assert (found.launch, found.as_of, found.segments, said) == ("may", date(2026, 5, 1), {"of": "may"}, [])
    assert found.customers.columns == ["customer_id", "segment"]
    assert looked_up(ledger, date(2026, 7, 2))[0].launch == "july"
    assert looked_up(ledger, date(2026, 4, 1)) == (None, [])
    assert looked_up(ledger, DAY, **{"segments.from": "new"}) == (None, [])
    assert looked_up(ledger, DAY, **{"launch.community": "beer"}) == (None, [])
    (tmp_path / "may" / "customers.parquet").unlink()
    assert looked_up(ledger, DAY)[0].customers is None


def test_results_that_are_gone_or_damaged_are_said(tmp_path):
    ledger = kept(tmp_path, "may", date(2026, 5, 1))
    (tmp_path / "may").rename(tmp_path / "elsewhere")
    found, (said,) = looked_up(ledger, DAY)
    assert found is None
    assert "made new" in said
    assert "may" in said
    named, said = looked_up(ledger, DAY, **{"segments.from": str(tmp_path / "elsewhere")})
    assert (named.launch, said) == ("may", [])
    assert looked_up(None, DAY, **{"segments.from": str(tmp_path / "elsewhere" / "fitted.json")})[0] == named
    newer = Fitted(None, None).to_dict() | {"version": 2}
    found, (said,) = looked_up(kept(tmp_path, "june", date(2026, 6, 1), facts=newer), DAY)
    assert found is None
    assert "should be of version 1 (got 2)" in said


def test_a_running_launch_keeps_its_own(tmp_path):
    kept(tmp_path, "now", date(2026, 6, 20))
    ledger = kept(tmp_path, "other", date(2026, 6, 25))
    assert looked_up(ledger, DAY)[0].launch == "now"
    for wanted in ("new", str(tmp_path / "other")):
        found, (said,) = looked_up(ledger, DAY, **{"segments.from": wanted})
        assert found.launch == "now"
        assert "keeps its segments" in said
    assert looked_up(ledger, date(2026, 7, 20))[0].launch == "other"  # when it is over


def test_a_name_that_no_system_takes_is_no_results(tmp_path):
    with pytest.raises(ConfigError, match="should be new, last, or the results of a launch"):
        looked_up(None, DAY, **{"segments.from": "x" * 5_000})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (None, r"should be new, last, or the results of a launch, with fitted.json \(got .*nowhere"),
        ("{", "is no JSON"),
        ("[]", "is not as `segmenter launch` wrote it"),
        ('{"version": 3}', r"should be of version 1 \(got 3\)"),
    ],
)
def test_results_that_are_named_have_to_be_some(tmp_path, text, rule):
    place = tmp_path / "nowhere"
    if text is not None:
        place.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rule):
        looked_up(None, DAY, **{"segments.from": str(place)})
