"""Nobody of an excluded place is invited, whatever column, spelling and order their place is written in: the issue's own examples by the plan."""

from itertools import permutations, product

import polars as pl
import pytest

import segmenter

pytestmark = pytest.mark.slow

INSIDE = [
    *permutations(("四川省", "绵阳市", "涪城区")),
    *permutations(("Sichuan Province", "Mianyang", None)),
    *permutations(("四川省绵阳市涪城区", None, None)),
    *permutations(("SC", "綿陽市", None)),
    *product(("四川", "川", "Sichuan Sheng", None), ("绵阳", "Mian Yang", "涪城区", "绵阳高新区", "绵阳市/江油市"), (None, "市辖区")),
]
ELSEWHERE = [
    ("四川", "成都", None),
    (None, "宜宾", None),
    (None, "武侯区", None),
    ("四川", "涪陵", None),
    ("四川", None, None),
    (None, None, None),
]
OUTSIDE = [("北京", "朝阳区", None), (None, "Guangzhou", None), ("France", "Paris", None)]


@pytest.fixture(scope="module")
def tables():
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    places = [*INSIDE, *ELSEWHERE, *OUTSIDE]
    levels = pl.DataFrame(places, schema=dict.fromkeys(("province", "city", "district"), pl.String), orient="row")
    orders = levels.with_columns(
        customer_id=pl.Series([f"c{number:03}" for number in range(len(places))]), time=pl.lit("2026-06-01"), amount=100
    )
    return segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)


def invited(tables, **region):
    rules = {f"rules.region.{name}": value for name, value in region.items()}
    settings = segmenter.launch_settings(
        {"launch.as_of": "2026-07-01", "scoring": "weighted", "plan.size": "all", "plan.holdout": 0, **rules}
    )
    plan = segmenter.plan_launch(tables, settings)
    return {int(customer[1:]) for customer in plan.invite_list["customer_id"]}, plan


@pytest.mark.parametrize("name", ["绵阳", "四川省绵阳市", "Mianyang"])
def test_an_excluded_city(tables, name):
    them, plan = invited(tables, exclude=[name])
    first = len(INSIDE)
    assert them == {first, first + 1, first + 2, *range(first + len(ELSEWHERE), first + len(ELSEWHERE) + len(OUTSIDE))}
    assert dict(plan.funnel.select("rule", "removed").rows())["region_unknown"] == 3
    assert any("1 without a region, 1 without a city, 1 with a place that" in each for each in plan.warnings)


def test_an_included_province_has_its_cities_without_a_province(tables):
    them, _ = invited(tables, include=["四川"])
    first = len(INSIDE)
    assert set(range(first)) <= them
    assert {first, first + 1, first + 2, first + 4} <= them
    assert not them & set(range(first + len(ELSEWHERE) - 1, first + len(ELSEWHERE) + len(OUTSIDE)))


def test_an_excluded_district(tables):
    them, _ = invited(tables, exclude=["涪城区"])
    inside = {number for number, place in enumerate(INSIDE) if any("涪城" in (level or "") for level in place)}
    assert not them & inside
    assert not them & {number for number, place in enumerate(INSIDE) if not any("江油" in (level or "") for level in place)}
