import polars as pl
import pytest

from segmenter.regions import with_regions
from segmenter.settings import RegionRule


def rule(**changes):
    return RegionRule(**({"include": (), "exclude": (), "allow_missing": False, "unknown": "remove", "aliases": {}} | changes))


def shown(*places, **changes):
    frame = pl.DataFrame(places, schema=dict.fromkeys(("province", "city", "district"), pl.String), orient="row")
    return with_regions(frame, rule(**changes)).rows()


@pytest.mark.parametrize(
    ("province", "city", "region"),
    [
        ("四川省", "成都市", "四川/成都"),
        ("内蒙古自治区", "锡林郭勒盟", "内蒙古/锡林郭勒"),
        ("广西壮族自治区", None, "广西"),
        ("宁夏回族自治区", None, "宁夏"),
        ("新疆维吾尔自治区", "巴音郭楞蒙古自治州", "新疆/巴音郭楞"),
        ("西藏自治区", None, "西藏"),
        ("香港特别行政区", None, "香港"),
        (None, "凉山彝族自治州", "四川/凉山"),
        (None, "凉山州", "四川/凉山"),
        (None, "黔东南苗族侗族自治州", "贵州/黔东南"),
        ("海南省", None, "海南"),
        (None, "海南州", "青海/海南州"),
        (None, "大兴安岭地区", "黑龙江/大兴安岭"),
        ("　四川 省", None, "四川"),
        ("Ｓｉｃｈｕａｎ", None, "四川"),
        (" United  Kingdom ", None, "United Kingdom"),
        ("四川省/成都市", None, "四川/成都"),
        ("吉林/吉林", None, "吉林/吉林市"),
        ("吉林省", "吉林市", "吉林/吉林市"),
        ("青海", "河南蒙古族自治县", "青海/黄南"),
        ("四川", "不知何处", "四川/不知何处"),
    ],
)
def test_a_region_has_one_name(province, city, region):
    assert shown((province, city, None))[0][-1] == region


@pytest.mark.parametrize(
    "place",
    [
        ("四川省绵阳市涪城区", None, None),
        (None, "四川省绵阳市涪城区", None),
        ("四川", "涪城区", None),
        (None, "涪城区", None),
        (None, None, "涪城"),
        ("涪城区", "绵阳", "四川"),
        ("SC", "綿陽市", "Fucheng District"),
        ("Sichuan Province", "Mianyang", "涪城"),
        ("Sichuan Sheng", "Mianyang Shi", "Fucheng Qu"),
        (None, "Fucheng District, Mianyang, Sichuan", None),
        ("川", "绵阳", "涪城区"),
        ("中国", "绵阳市/涪城区", None),
        ("四川省", "绵阳市", "绵阳市涪城区"),
    ],
)
def test_whatever_the_column_the_spelling_and_the_order(place):
    assert shown(place) == [("四川", "绵阳", "涪城区", "四川/绵阳")]


def test_a_municipality_is_its_own_city():
    same = shown(("北京", None, None), ("北京市", "北京市", None), ("北京市", "市辖区", None), (None, "Beijing", None))
    assert set(same) == {("北京", "北京", None, "北京")}
    assert shown(("北京", "朝阳区", None)) == [("北京", "北京", "朝阳区", "北京")]


def test_places_of_the_past_are_where_they_are_today():
    assert shown(("湖北", "襄樊", None))[0] == ("湖北", "襄阳", None, "湖北/襄阳")
    assert shown(("四川", "成都", "双流县"))[0][2] == "双流区"
    assert shown((None, "崇文区", None))[0] == ("北京", "北京", "东城区", "北京")


def test_what_several_places_are_called_is_none_of_them_unless_another_level_says_which():
    assert shown((None, "鼓楼区", None)) == [(None, None, "鼓楼区", None)]
    assert shown(("福建", "鼓楼区", None)) == [("福建", "福州", "鼓楼区", "福建/福州")]
    assert shown(("江苏", "Suzhou", None), ("安徽", "Suzhou", None)) == [
        ("江苏", "苏州", None, "江苏/苏州"),
        ("安徽", "宿州", None, "安徽/宿州"),
    ]


def test_other_countries_are_one_name_each_the_most_frequent():
    names = [
        "EIRE",
        "Ireland",
        "EIRE",
        "United Kingdom",
        "GB",
        "UK",
        "United Kingdom",
        "RSA",
        "Deutschland",
        "德国",
        "Deutschland",
        "CA",
        "Kanada",
    ]
    assert [row[0] for row in shown(*((name, None, None) for name in names))] == [
        *["EIRE"] * 3,
        *["United Kingdom"] * 4,
        "RSA",
        *["Deutschland"] * 3,
        *["CA"] * 2,
    ]


def test_letters_mean_what_the_others_of_their_column_are():
    chinese = shown(("SC", None, None), ("四川", None, None), ("GD", None, None))
    assert [row[0] for row in chinese] == ["四川", "四川", "广东"]
    countries = shown(("SC", None, None), ("Seychelles", None, None), ("France", None, None), ("Seychelles", None, None))
    assert [row[0] for row in countries] == ["Seychelles", "Seychelles", "France", "Seychelles"]


def test_a_foreign_city_stays_as_it_is():
    assert shown(("Germany", "Dali", None), ("France", "Paris", None)) == [
        ("Germany", "Dali", None, "Germany/Dali"),
        ("France", "Paris", None, "France/Paris"),
    ]


def test_unknown_names_fall_together_by_case_and_blanks_and_the_shops_own_names_win():
    done = shown(
        ("West Zone", None, None), (" west  zone", None, None), ("West Zone", None, None), ("蓉城", None, None), aliases={"蓉城": "成都"}
    )
    assert [row[0] for row in done[:3]] == ["West Zone"] * 3
    assert done[3] == ("四川", "成都", None, "四川/成都")
    assert shown(("Sichuan", None, None), aliases={"sichuan": "West"}) == [("West", None, None, "West")]


def test_what_was_shown_once_stays_as_it_is():
    frame = pl.DataFrame(
        {
            "province": ["四川省", "SC", "Kanada", "北京", None, None, "x", "广东"],
            "city": ["绵阳", None, None, "绵阳", "朝阳区", "Suzhou", None, "y"],
            "district": [None, None, None, None, None, None, None, "z"],
        },
        schema_overrides=dict.fromkeys(("province", "city", "district"), pl.String),
    )
    once = with_regions(frame, rule())
    assert with_regions(once, rule()).equals(once)
