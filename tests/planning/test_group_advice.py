from datetime import date

import polars as pl

import segmenter
from segmenter.messages import Obstacle
from segmenter.planning.group_advice import describe_filling
from segmenter.planning.join_chances import learn_join_chances

CHANCES = learn_join_chances(None, as_of=date(2026, 7, 1), chance=0.3, evidence=20)


def described(*rows, **plan):
    groups = pl.DataFrame(rows, schema=["group", "size", "expected_joins", "filled"], orient="row")
    settings = segmenter.launch_settings({f"plan.{name}": value for name, value in plan.items()})
    return describe_filling(groups, CHANCES, settings.plan)


def test_groups_that_fill_are_only_told_what_that_means():
    [note], warnings = described(("a-1", 666, 199.8, 0.94), ("b-1", 600, 180.0, 0.896))
    assert (note.facts["members"], note.facts["capacity"], warnings) == (100, 200, ())
    assert describe_filling(pl.DataFrame(schema={"group": pl.String}), CHANCES, segmenter.launch_settings({}).plan) == ((), ())


def test_groups_that_do_not_fill_are_an_obstacle_with_ways_out():
    _, [short] = described(("a-1", 300, 90.0, 0.4), ("a-2", 300, 90.0, 0.4), ("b-1", 666, 199.8, 0.94), size=1266)
    assert isinstance(short, Obstacle)
    ways = {way.code: way.facts for way in short.facts["ways"]}
    assert ways["planning.fill_by_more"]["more"] == 2 * 276
    assert ways["planning.fill_by_fewer"] == {"fewer": 1, "groups": 2}
    assert 80 <= ways["planning.fill_by_capacity"]["capacity"] < 200
    _, [all_there] = described(("a-1", 300, 90.0, 0.4), size="all")
    assert [way.code for way in all_there.facts["ways"]] == ["planning.fill_by_rules", "planning.fill_by_capacity"]
    assert described(("a-1", 300, 90.0, 0.4), fill_confidence=None)[1] == ()


def test_more_members_than_places_are_told():
    _, [full] = described(("a-1", 1100, 330.0, 0.99))
    assert (full.code, full.facts["over"]) == ("planning.overfull", 130)
