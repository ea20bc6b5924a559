"""Colleagues and house accounts stand in the groups first: they take places, and count in nothing else."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError
from segmenter.planning import plan

PEOPLE = pl.DataFrame(
    {
        "customer_id": [f"c{n:03}" for n in range(150)],
        "verdict": ["staff" if n % 15 == 0 else "eligible" for n in range(150)],
        "staff": [n % 15 == 0 for n in range(150)],
        "blocked": [n == 30 for n in range(150)],
        "score": [float(n * 37 % 101) for n in range(150)],
        "spend": 100,
        "province": [("四川", "广东", "西藏")[n % 2 + (n > 140)] for n in range(150)],
        "city": None,
        "component_advocacy": 0.0,
        "component_engagement": 0.0,
    },
    schema_overrides={"city": pl.String},
)
HOUSE = {"name": "小助手", "house": True}


def planned(frame=PEOPLE, starters="staff", **overrides):
    keys = {
        "size": "all",
        "group_capacity": 20,
        "fill_confidence": None,
        "key_users": 2,
        "smallest": 1,
        "holdout": 0,
        "starters": starters,
        **overrides,
    }
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", **{f"plan.{key}": value for key, value in keys.items()}})
    return plan(frame, settings)


def codes(messages):
    return {message.code for message in messages}


def test_the_staff_of_a_region_stand_in_its_groups_and_take_places():
    done = planned(starters_per_group=2)
    region = dict(PEOPLE.select("customer_id", "province").rows())
    staff = set(PEOPLE.filter("staff", ~pl.col("blocked"))["customer_id"])
    for group, starter, kind in done.starters.rows():
        assert kind == "staff"
        assert starter in staff
        assert group.startswith(region[starter])
    assert done.starters.group_by("group").len()["len"].max() == 2
    assert done.groups["size"].max() <= 18
    assert done.groups["size"].sum() == PEOPLE.filter(verdict="eligible").height
    assert not set(done.customers.filter(pl.col("invited") | pl.col("held_out"))["customer_id"]) & staff
    assert "planning.starters" in codes(done.notes)
    assert "planning.starters_none" in codes(done.warnings)  # nobody of the staff is of Tibet


def test_who_is_named_stands_where_they_are_of_and_a_house_account_is_named_so():
    done = planned(starters=[{"name": "Wang", "regions": ["Sichuan"]}, HOUSE, {"name": "Li", "regions": ["Atlantis"]}])
    kinds = dict(done.starters.select("starter", "kind").unique().rows())
    assert kinds == {"Wang": "colleague", "小助手": "house"}
    assert {group.split("-")[0] for group in done.starters.filter(starter="Wang")["group"]} == {"四川"}
    assert set(done.starters.filter(starter="小助手")["group"]) == set(done.groups["group"])
    assert "planning.starters_unknown" in codes(done.warnings)


def test_more_than_may_stand_in_a_group_is_told_and_the_first_named_stay():
    done = planned(starters=[HOUSE, {"name": "Li"}, {"name": "Wu"}], starters_per_group=1)
    assert set(done.starters["starter"]) == {"小助手"}
    assert "planning.starters_over" in codes(done.warnings)


def test_nobody_stands_there_unless_asked():
    assert planned(starters=None).starters.is_empty()
    assert planned(starters=[]).starters.is_empty()


def test_starters_change_nothing_but_the_places():
    with_some, without = planned(starters=[HOUSE]), planned(starters=None, group_capacity=19)
    assert with_some.customers.equals(without.customers)
    assert with_some.groups.equals(without.groups)


@pytest.mark.parametrize(
    ("overrides", "match"),
    [
        ({"starters": [{"name": str(n)} for n in range(25)], "starters_per_group": 25}, "plan.group_capacity=20"),
        ({"starters": "managers"}, "plan.starters: should be"),
        ({"starters": [HOUSE, HOUSE]}, "given once"),
        ({"starters": [{"nome": "x"}]}, r"plan\.starters\[0\]\.nome: is no key; nearest: name"),
    ],
)
def test_what_cannot_be(overrides, match):
    with pytest.raises(ConfigError, match=match):
        planned(**overrides)


def test_staff_who_may_be_invited_are_no_starters():
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "plan.starters": "staff", "rules.staff": False})
    with pytest.raises(ConfigError, match=r"rules\.staff"):
        plan(PEOPLE, settings)


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(random):
    rows = list(range(PEOPLE.height))
    random.shuffle(rows)
    assert planned(PEOPLE[rows]).starters.equals(planned().starters)


def test_a_launch_hands_them_on_and_its_sheets_say_so(tmp_path):
    import openpyxl

    from segmenter.report.call_sheet_book import BookMaker
    from segmenter.report.call_sheets import call_sheets

    orders = pl.DataFrame({"customer_id": ["a", "b"], "time": "2026-06-30", "amount": 5.0})
    customers = pl.DataFrame({"customer_id": [*"abs"], "name": ["Ann", "Bob", "Sue"], "staff": [False, False, True], "province": "四川"})
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "plan.starters": "staff", "plan.holdout": 0})
    tables = segmenter.canonical_tables({"orders": orders, "customers": customers}, settings.data, settings.launch)
    made = segmenter.plan_launch(tables, settings)
    assert made.starters.rows() == [("四川-1", "s", "staff")]
    assert set(made.invitations["customer_id"]) == {"a", "b"}
    [path] = BookMaker(call_sheets(segmenter.in_words(made, settings), settings, tables.contacts)).write(tmp_path)
    info = {row[0]: row[1] for row in openpyxl.load_workbook(path)["info"].values}
    assert info["starters of 四川-1"] == "Sue s (colleague)"
    assert "house account" in info["starters"]
