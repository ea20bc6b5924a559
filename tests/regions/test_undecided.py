import polars as pl
import pytest

import segmenter
from segmenter.errors import InputError
from segmenter.regions import say_unrecognised
from segmenter.rules import apply_rules

PLACES = [
    ("四川", "绵阳"),
    ("四川", None),
    ("四川", None),
    (None, None),
    ("四川", "绵羊"),
    (None, "Suzhou"),
    ("北京", "北京"),
    ("四川", "成都"),
]


def ruled(**overrides):
    settings = segmenter.launch_settings(
        {"rules.recency.max_days": None, "launch.currency": "CNY", **{f"rules.region.{name}": value for name, value in overrides.items()}}
    )
    frame = pl.DataFrame(PLACES, schema={"province": pl.String, "city": pl.String}, orient="row").with_columns(
        customer_id=pl.Series([f"c{number}" for number in range(len(PLACES))]),
        spend=pl.lit(100_00),
        orders=1,
        staff=False,
        blocked=False,
        do_not_contact=False,
    )
    return apply_rules(segmenter.with_regions(frame, settings.rules.region), settings.rules, settings.launch)


def test_who_may_be_in_an_excluded_place_is_left_out_counted_apart_and_told():
    done = ruled(exclude=["绵阳"])
    assert done.customers["verdict"].to_list() == ["region_exclude", *["region_unknown"] * 4, "eligible", "eligible", "eligible"]
    assert done.funnel.filter(pl.col("rule").str.starts_with("region")).select("rule", "removed").rows() == [
        ("region_exclude", 1),
        ("region_unknown", 4),
    ]
    (warning,) = done.warnings
    assert warning == (
        "rules.region.exclude: 绵阳 cannot be decided for 4 customers, who spent 400 CNY: 1 without a region, 2 without a city, 1 with a place"
        ' that is not recognised: "四川/绵羊" (1); they are left out (rules.region.unknown=keep takes them; rules.region.aliases says what a name'
        " means)"
    )


def test_who_cannot_be_shown_to_be_in_an_included_place_is_left_out_too():
    done = ruled(include=["绵阳", "江苏"], allow_missing=True)
    assert done.customers["verdict"].to_list() == ["eligible", *["region_unknown"] * 5, "region_include", "region_include"]
    assert '1 with a place that may be several: "Suzhou" (1)' in done.warnings[-1]


def test_they_may_be_kept_and_are_told_all_the_same():
    done = ruled(exclude=["绵阳"], unknown="keep")
    assert done.customers["verdict"].to_list() == ["region_exclude", *["eligible"] * 7]
    assert "region_unknown" not in done.funnel["rule"]
    assert "they are kept" in done.warnings[0]


def test_or_they_stop():
    with pytest.raises(InputError, match="4 customers"):
        ruled(exclude=["绵阳"], unknown="stop")


def test_without_a_rule_nothing_is_unknown():
    done = ruled()
    assert done.warnings == ()
    assert set(done.customers["verdict"]) == {"eligible"}


def test_places_that_no_table_knows_are_listed_cities_of_other_countries_are_not():
    rule = segmenter.launch_settings({}).rules.region
    places = [("四川", "绵羊"), ("四川", "绵阳"), ("West", None), ("West", None), ("Germany", "Bonn"), (None, None)]
    frame = pl.DataFrame(places, schema={"province": pl.String, "city": pl.String}, orient="row")
    said = say_unrecognised(frame, rule, lambda some: f"{some.height} CNY")
    assert said is not None
    assert 'have 3 customers, who spent 3 CNY: "West" (2), "四川/绵羊" (1)' in said
    assert say_unrecognised(frame[1:2], rule, str) is None
