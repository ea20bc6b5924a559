import polars as pl
import pytest
from babel import Locale

from segmenter.regions.areas import areas_of
from segmenter.regions.divisions import COUNTRY, PROVINCE, parts_of_the_world, places


def test_every_province_and_every_country_but_one_is_of_an_area():
    provinces = [place.short for place in places() if place.level == PROVINCE and place.code.isdigit()]
    found = areas_of(pl.Series(provinces), "zh")
    assert set(found) == {"华东", "华南", "华中", "华北", "西南", "西北", "东北", "港澳台"}
    assert dict(zip(provinces, found, strict=True)) | {"四川": "西南", "湖北": "华中", "广东": "华南", "内蒙古": "华北"} == dict(
        zip(provinces, found, strict=True)
    )
    countries = {place.code for place in places() if place.level == COUNTRY and place.code}
    assert {code for code in countries if not parts_of_the_world()[code]} == {"AQ"}
    assert set(parts_of_the_world().values()) - {""} <= set(Locale("en").territories)


@pytest.mark.parametrize(
    ("name", "area"), [("EIRE", "Northern Europe"), ("Deutschland", "Western Europe"), ("成都", "Southwest China"), ("", None)]
)
def test_names_are_known_however_they_are_written(name, area):
    assert areas_of(pl.Series([name, None]), "en") == [area, None]
