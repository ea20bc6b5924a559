import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.regions import find_members, with_regions
from segmenter.settings import RegionRule


def rule(**changes):
    return RegionRule(**({"include": (), "exclude": (), "allow_missing": False, "unknown": "remove", "aliases": {}} | changes))


def named(names, *places, **changes):
    """In, out, or undecided, for each customer; and the messages."""
    frame = pl.DataFrame(places, schema=dict.fromkeys(("province", "city", "district"), pl.String), orient="row")
    found = find_members(with_regions(frame, rule(**changes)), names, rule(**changes), "k")
    told = ["?" if undecided else "in" if inside else "out" for inside, undecided in zip(found.inside, found.undecided, strict=True)]
    return told, [*found.missing, *found.ambiguous]


FUCHENG = [
    ("四川省绵阳市涪城区", None, None),
    (None, "涪城区", None),
    (None, "綿陽市", None),
    (None, "Mianyang", None),
    ("SC", "绵阳", None),
    ("Sichuan Province", "Mianyang City", None),
    ("四川", None, "涪城区"),
    ("川", "Mian Yang", None),
]


@pytest.mark.parametrize("name", ["绵阳", "绵阳市", "四川/绵阳", "Mianyang", "綿陽", "四川省绵阳市"])
def test_a_city_by_any_name_has_who_is_in_it_by_any_spelling_column_and_level(name):
    assert named([name], *FUCHENG)[0] == ["in"] * len(FUCHENG)


@pytest.mark.parametrize("name", ["四川", "Sichuan", "SC", "中国"])
def test_a_province_has_its_cities_without_a_province_too(name):
    assert named([name], (None, "绵阳", None), (None, "成都", None), ("France", None, None), *FUCHENG)[0] == [
        "in",
        "in",
        "out",
        *["in"] * len(FUCHENG),
    ]


def test_who_may_be_there_is_neither_in_nor_out():
    places = [
        ("四川", None, None),
        (None, None, None),
        ("四川", "成都", None),
        ("北京", None, None),
        ("四川", "绵羊", None),
        ("xyz", None, None),
    ]
    assert named(["绵阳"], ("四川", "绵阳", None), *places)[0] == ["in", "?", "?", "out", "out", "?", "?"]
    assert named(["涪城区"], ("四川", "绵阳", None), ("四川", "绵阳", "游仙区"), (None, "涪城区", None))[0] == ["?", "out", "in"]
    assert named(["北京"], ("北京", None, None), (None, "朝阳区", None), (None, "鼓楼区", None))[0] == ["in", "?", "out"]
    assert named(["绵阳"], ("四川", "绵阳", None), ("北京", "绵阳", None))[0] == ["in", "?"]


def test_a_name_of_several_places_takes_all_and_is_told():
    told, (message,) = named(["通州"], ("北京", "通州区", None), ("江苏", "南通", "通州区"), ("北京", "朝阳区", None))
    assert told == ["in", "in", "out"]
    assert message.code == "places.ambiguous"
    assert "北京/通州区" in message
    assert "江苏/南通/通州区" in message
    assert named(["吉林"], ("吉林", "长春", None), ("吉林", "吉林", None)) == (["in", "in"], [])
    assert named(["吉林市"], ("吉林", "长春", None), ("吉林", "吉林", None), (None, "吉林", None)) == (["out", "in", "?"], [])
    assert named(["海南"], ("海南", None, None), ("青海", "海南州", None)) == (["in", "out"], [])


def test_other_countries_by_any_name():
    places = [("EIRE", None, None), ("Ireland", "Cork", None), ("United Kingdom", None, None), ("GB", None, None), (None, None, None)]
    assert named(["Irland"], *places)[0] == ["in", "in", "out", "out", "?"]
    assert named(["UK"], *places)[0] == ["out", "out", "in", "in", "?"]


def test_regions_that_no_table_knows_are_compared_as_they_are_written():
    places = [("West Zone", "A", None), ("west  zone", "B", None), ("East Zone", "A", None), (None, "A", None), ("West Zone", None, None)]
    assert named(["WEST ZONE"], *places)[0] == ["in", "in", "out", "?", "in"]
    assert named(["West Zone/A"], *places)[0] == ["in", "out", "out", "?", "?"]
    assert named(["a"], *places)[0] == ["in", "out", "in", "in", "?"]
    assert named(["Germany/Berlin"], ("Germany", "Berlin", None), ("Deutschland", "berlin", None), ("Germany", "Bonn", None))[0] == [
        "in",
        "in",
        "out",
    ]
    assert named(["West"], ("蓉", None, None), ("蓉", "B", None), aliases={"蓉": "West"})[0] == ["in", "in"]


def test_a_name_that_nobody_has_is_said_with_the_nearest():
    told, (first, second) = named(["Germny", "France", "Mars"], ("Germany", None, None), ("France", None, None))
    assert told == ["out", "in"]
    assert first == 'k: no customer is in "Germny"; nearest: Germany'
    assert second.startswith('k: no customer is in "Mars"')
    assert named(["云南"], ("四川", None, None))[1][0].startswith('k: no customer is in "云南"')


spelling = st.sampled_from(["四川省", "四川", "SC", "Sichuan", "川", "Sichuan Sheng", None, "中国"])
town = st.sampled_from(
    ["绵阳市", "绵阳", "綿陽市", "Mianyang", "涪城区", "四川省绵阳市涪城区", "绵阳高新区", "江油", "安县", "绵阳市/游仙区", "四川绵阳"]
)
part = st.sampled_from(["涪城区", "涪城", "Youxian District", "三台县", "市辖区", None, "三台縣"])


@given(st.lists(st.tuples(spelling, town, part).flatmap(st.permutations), min_size=1, max_size=12))
def test_nobody_of_a_named_city_is_ever_outside_whatever_the_spelling_and_the_order(places):
    assert "out" not in named(["绵阳"], ("四川", "绵阳", None), *(tuple(place) for place in places))[0]
