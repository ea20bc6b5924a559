"""Regions joined until they fill a group: nobody is lost, nobody alone, and nobody across areas unless that is said."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmenter
from segmenter.planning.join_chances import learn_join_chances
from segmenter.planning.joined_regions import join_regions
from segmenter.regions import areas_of

PLACES = [
    ("四川", "成都"),
    ("四川", "绵阳"),
    ("四川", None),
    ("云南", "昆明"),
    ("广东", "广州"),
    ("广东", "深圳"),
    ("北京", None),
    ("Atlantis", None),
]


def people(counts):
    rows = [(p, c) for (p, c), count in zip([*PLACES, (None, None)], counts, strict=True) for _ in range(count)]
    frame = pl.DataFrame(rows, schema={"province": pl.String, "city": pl.String}, orient="row")
    city = pl.concat_str("province", "city", separator="/", ignore_nulls=True).replace("", None)
    return frame.with_columns(pl.coalesce(city, pl.lit("no region")).alias("unit"), score=50.0, drawn=False)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 60), min_size=9, max_size=9), st.sampled_from([None, 0.9]), st.integers(1, 20), st.booleans())
def test_nobody_is_lost_or_alone_and_who_is_across_areas_is_told(counts, confidence, smallest, by_area):
    plan = segmenter.launch_settings(
        {"plan.by_region": "city", "plan.group_capacity": 20, "plan.smallest": smallest, "plan.fill_confidence": confidence}
    ).plan
    chances = learn_join_chances(None, as_of=date(2026, 7, 1), chance=0.5, evidence=1e4)
    frame = people(counts)
    joined = join_regions(frame, plan, chances, "en", by_area=by_area)
    units = joined.apply(frame)["unit"]
    assert units.null_count() == 0
    sizes = units.value_counts()["count"]
    expected = 1.0 if confidence is None else 0.5
    assert len(sizes) <= 1 or (sizes * expected >= smallest).all()
    told = [note.facts for note in joined.notes if note.code == "planning.regions_across"]
    known = pl.Series(areas_of(frame["province"], "en"), dtype=pl.String)
    areas = frame.select(unit=units, area=pl.coalesce(known, "province"))
    mixed = areas.group_by("unit").agg(pl.col("area").n_unique()).filter(pl.col("area") > 1)["unit"].to_list()
    assert mixed == [fact["group"] for fact in told]
    backwards = join_regions(frame[::-1], plan, chances, "en", by_area=by_area)
    assert backwards.units.sort("leaf").equals(joined.units.sort("leaf"))


def test_a_city_that_fills_a_group_keeps_to_itself_and_what_is_left_joins_the_smallest_neighbour():
    plan = segmenter.launch_settings(
        {"plan.by_region": "city", "plan.group_capacity": 20, "plan.smallest": 5, "plan.fill_confidence": 0.9}
    ).plan
    chances = learn_join_chances(None, as_of=date(2026, 7, 1), chance=0.5, evidence=1e4)

    def units(*counts):
        return dict(join_regions(people(counts), plan, chances, "en").units.rows())

    assert units(60, 60, 60, 0, 0, 0, 0, 0, 0) == {"四川/成都": "四川/成都", "四川/绵阳": "四川/绵阳", "四川": "四川"}
    assert units(60, 50, 1, 0, 0, 0, 0, 0, 0) == {"四川/成都": "四川/成都", "四川/绵阳": "四川", "四川": "四川"}
    assert units(10, 10, 10, 2, 0, 0, 0, 0, 0) == dict.fromkeys(["四川/成都", "四川/绵阳", "四川", "云南/昆明"], "Southwest China")
    # Too few to live: the smallest group takes them in.
    assert units(60, 0, 0, 0, 30, 31, 2, 0, 1) == {
        **{"四川/成都": "四川/成都", "广东/深圳": "广东/深圳"},
        **{"广东/广州": "all", "北京": "all", "no region": "all"},
    }
