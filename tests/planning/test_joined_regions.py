"""Regions joined until they fill a group: nobody is lost, nobody alone, and nobody across areas unless that is said."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmenter
from segmenter.planning.join_chances import learn_join_chances
from segmenter.planning.joined_regions import join_by_topic, join_regions
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


NEAR = {"tea": ("silk", "jade"), "silk": ("tea", "jade"), "jade": ("silk", "tea")}


def with_topics(*rows):
    """Customers by province, topic (None: not known) and their number."""
    frame = pl.DataFrame(
        [(province, topic) for province, topic, many in rows for _ in range(many)],
        schema={"province": pl.String, "topic": pl.String},
        orient="row",
    )
    return frame.with_columns(pl.lit(None, dtype=pl.String).alias("city"), unit="province", score=50.0, drawn=False)


def by_topic(frame, smallest=20):
    plan = segmenter.launch_settings({"plan.group_capacity": 40, "plan.smallest": smallest, "plan.fill_confidence": None}).plan
    chances = learn_join_chances(None, as_of=date(2026, 7, 1), chance=0.5, evidence=1e4)
    return join_by_topic(frame, plan, chances, "en", NEAR)


def test_a_topic_takes_its_own_from_the_neighbours_before_it_is_joined_with_the_nearest_there():
    frame = with_topics(
        ("四川", "tea", 30),
        ("四川", "silk", 12),
        ("云南", "silk", 12),
        ("云南", "jade", 5),
        ("云南", None, 3),
        ("广东", "tea", 25),
        ("广东", "jade", 25),
    )
    placed, notes = by_topic(frame)
    assert sorted(placed.group_by("province", "topic", "unit").len().rows()) == [
        ("云南", "silk", "Southwest China", 17),
        ("云南", "tea", "Southwest China", 3),  # whose topic is not known: with the largest there
        ("四川", "silk", "Southwest China", 12),
        ("四川", "tea", "Southwest China", 30),
        ("广东", "jade", "广东", 25),
        ("广东", "tea", "广东", 25),
    ]
    assert [note.code for note in notes] == ["planning.regions_by_topic", "planning.topics_joined"]
    assert "Southwest China: jade with silk" in notes[1]


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["四川", "云南", "广东", "Atlantis"]), st.sampled_from([None, *NEAR]), st.integers(1, 40)),
        min_size=1,
        max_size=9,
    ),
    st.integers(1, 30),
)
def test_no_topic_of_a_unit_is_too_small_where_all_together_are_not(rows, smallest):
    frame = with_topics(*rows)
    placed, _ = by_topic(frame, smallest)
    assert placed.height == frame.height
    assert placed["unit"].null_count() == 0
    sizes = placed.group_by("unit", "topic").len()["len"]
    assert frame.height < smallest or (sizes >= smallest).all()
    backwards, _ = by_topic(frame[::-1], smallest)
    assert sorted(backwards.select("province", "topic", "unit").rows(), key=str) == sorted(
        placed.select("province", "topic", "unit").rows(), key=str
    )
