import polars as pl
import pytest

from segmenter.regions import matching, plain, with_regions
from segmenter.settings import RegionRule


def rule(**changes):
    return RegionRule(**({"include": (), "exclude": (), "allow_missing": False, "aliases": {"Sichuan": "四川", "渝": "重庆市"}} | changes))


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("四川省", "四川"),
        ("成都市", "成都"),
        ("内蒙古自治区", "内蒙古"),
        ("广西壮族自治区", "广西"),
        ("宁夏回族自治区", "宁夏"),
        ("新疆维吾尔自治区", "新疆"),
        ("西藏自治区", "西藏"),
        ("香港特别行政区", "香港"),
        ("凉山彝族自治州", "凉山"),
        ("西双版纳傣族自治州", "西双版纳"),
        ("黔东南苗族侗族自治州", "黔东南"),
        ("巴音郭楞蒙古自治州", "巴音郭楞"),
        ("克孜勒苏柯尔克孜自治州", "克孜勒苏"),
        ("伊犁哈萨克自治州", "伊犁"),
        ("凉山州", "凉山"),
        ("黔南州", "黔南"),
        ("海南州", "海南州"),
        ("海南省", "海南"),
        ("广州市", "广州"),
        ("广州", "广州"),
        ("河南蒙古族自治县", "河南蒙古族自治县"),
        ("海西蒙古族藏族自治州", "海西"),
        ("阿坝藏族羌族自治州", "阿坝"),
        ("大兴安岭地区", "大兴安岭"),
        ("锡林郭勒盟", "锡林郭勒"),
        ("海南藏族自治州", "海南州"),
        ("　四川 省", "四川"),
        ("Ｓｉｃｈｕａｎ", "Sichuan"),
        (" United  Kingdom ", "United Kingdom"),
        ("沙市", "沙市"),
    ],
)
def test_plain(name, short):
    assert plain(name) == short


def test_spellings_fall_together_and_the_most_frequent_is_shown():
    frame = pl.DataFrame(
        {
            "province": ["四川省", "sichuan", "渝", "重庆", "EIRE", "Eire", "eire", "Eire", None],
            "city": ["成都市", "成都", None, "重庆市", *[None] * 5],
        }
    )
    done = with_regions(frame, rule())
    assert done["region"].to_list() == ["四川/成都", "四川/成都", "重庆", "重庆/重庆", "Eire", "Eire", "Eire", "Eire", None]


def test_names_of_either_level_and_of_both():
    frame = with_regions(
        pl.DataFrame({"province": ["吉林省", "吉林省", "四川省", None], "city": ["吉林市", "长春市", "成都", "成都"]}), rule()
    )
    hits = {name: matching(frame, (name,), rule(), "k")[0].to_list() for name in ("吉林", "吉林/长春", "成都市", "四川/成都", "SICHUAN")}
    assert hits == {
        "吉林": [True, True, False, False],
        "吉林/长春": [False, True, False, False],
        "成都市": [False, False, True, True],
        "四川/成都": [False, False, True, False],
        "SICHUAN": [False, False, True, False],
    }


def test_both_levels_in_one_column_are_parted_and_deeper_names_match_nobody():
    frame = with_regions(
        pl.DataFrame({"province": ["四川省/成都市", "吉林/吉林"], "city": [None, None]}, schema_overrides={"city": pl.String}), rule()
    )
    assert frame["region"].to_list() == ["四川/成都", "吉林/吉林市"]
    assert matching(frame, ("四川/成都", "吉林/吉林"), rule(), "k")[0].to_list() == [True, True]
    (missing,) = matching(frame, ("四川/成都/武侯",), rule(), "k")[1]
    assert missing.facts["name"] == "四川/成都/武侯"


def test_a_name_that_matches_nobody_is_said_with_the_nearest():
    frame = with_regions(
        pl.DataFrame({"province": ["Germany", "France"], "city": [None, None]}, schema_overrides={"city": pl.String}), rule()
    )
    hit, (first, second) = matching(frame, ("Germny", "France", "Mars"), rule(), "rules.region.exclude")
    assert hit.to_list() == [False, True]
    assert first == 'rules.region.exclude: no customer is in "Germny"; nearest: Germany'
    assert second.startswith('rules.region.exclude: no customer is in "Mars"')


def test_a_region_where_only_one_level_is_known():
    frame = with_regions(pl.DataFrame({"province": ["四川省", None, "云南", "四川"], "city": ["成都", "成都市", None, "成都"]}), rule())
    assert frame["region"].to_list() == ["四川/成都", "成都", "云南", "四川/成都"]
    assert matching(frame, ("成都",), rule(), "k")[0].to_list() == [True, True, False, True]
