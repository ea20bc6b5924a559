"""What the groups' platform asks of a team, and what of a plan it does not allow."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

import segmenter
from segmenter.errors import ConfigError
from segmenter.planning.platform import platform_notes

CONF = Path(__file__).parents[2] / "conf" / "platform"


def notes(joins, days, starters=(), **overrides):
    settings = segmenter.launch_settings({key.replace("__", "."): value for key, value in overrides.items()})
    groups = pl.DataFrame(
        {"group": [f"g{at}" for at in range(len(joins))], "expected_joins": joins},
        schema_overrides={"group": pl.String, "expected_joins": pl.Float64},
    )
    calls = pl.DataFrame({"day": [date(2026, 7, 1) + timedelta(days=day) for day in days]}, schema={"day": pl.Date})
    standing = pl.DataFrame({"group": [f"g{at}" for at in starters]}, schema={"group": pl.String})
    return platform_notes(groups, calls, standing, settings)


def test_who_comes_after_the_code_is_pulled_in_by_hand():
    by_hand, code = notes([160.0, 90.0, 250.5], [0, 1, 1], platform="wechat")
    assert by_hand.code == "planning.by_hand"
    assert {name: by_hand.facts[name] for name in ("scan", "next", "by_hand")} == {"scan": 100, "next": 101, "by_hand": 160}
    assert by_hand.facts["accounts"].facts == {"a_day": 20, "accounts": 4, "days": 2}
    assert code.code == "planning.code_enough"
    assert notes([160.0], [0], platform="wechat", plan__group_capacity=100)[0].code == "planning.code_enough"
    assert notes([90.0], [0], platform="wechat")[0].code == "planning.none_by_hand"


def test_starters_are_members_too():
    by_hand, _ = notes([98.0, 98.0, 250.0], [0], starters=[0, 0, 0, 1], platform="wechat", plan__group_capacity=195)
    assert by_hand.facts["by_hand"] == 1 + 0 + 95
    assert notes([90.0], [0], starters=[0] * 5, platform="wechat", plan__group_capacity=96)[0].code == "planning.none_by_hand"


def test_a_code_is_renewed_before_it_ends_as_long_as_there_are_calls():
    _, code = notes([10.0], [0, 15], platform="wechat")
    assert code.facts["dates"] == (date(2026, 7, 8), date(2026, 7, 15))
    _, many = notes([10.0], [0, 100], platform="wechat")
    assert (len(many.facts["dates"]), str(many.facts["more"])) == (8, " and so on")


@pytest.mark.parametrize("platform", ["none", "facebook", "qq"])
def test_a_platform_without_limits_asks_nothing(platform):
    assert notes([160.0], [0, 30], platform=platform) == ()


def test_without_groups_or_calls_there_is_nothing_to_say():
    assert notes([], [], platform="wechat") == ()


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_platform_takes_the_default_plan_or_says_why_not(path):
    limits = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert segmenter.launch_settings({"platform": path.stem}).platform.model_dump() == limits
    if limits["group_size"] is None:
        with pytest.raises(ConfigError, match=r"plan\.group_capacity: should be a number, as the platform has no limit"):
            segmenter.launch_settings({"platform": path.stem, "plan.group_capacity": None})
    else:
        taken = segmenter.launch_settings({"platform": path.stem, "plan.group_capacity": None})
        assert taken.plan.group_capacity == limits["group_size"]


def test_what_a_platform_does_not_allow_is_said_at_once_with_both_keys():
    with pytest.raises(ConfigError) as error:
        segmenter.launch_settings({"platform.group_size": 20})
    (problem,) = error.value.problems
    for part in ("plan.group_capacity: should be ≤ 20", "plan.key_users: should be ≤ 20", "platform.group_size; got 200", "WeChat"):
        assert part in problem
    with pytest.raises(ConfigError, match=r"platform: should be one of .*nearest: facebook"):
        segmenter.launch_settings({"platform": "facebok"})
