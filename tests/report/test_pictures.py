from datetime import date
from xml.etree import ElementTree

import pytest

from segmenter.report.pictures import CHINA, Calendar, ChinaMap, Deviations, Ranges

DAY = date(2026, 7, 2)
WEEKDAYS, MONTHS = list("MTWTFSS"), [f"m{month}" for month in range(1, 13)]
DRAWN = [
    Ranges("t", [("<wave> & more", 1.0, 2.0, 3.0, "1 to 3"), ("none", 0.0, 0.0, 0.0, "0")], (4.0, "target")),
    Ranges("t", [("none", 0.0, 0.0, 0.0, "0")]),
    Calendar("t", {DAY: 1_200}, {date(2026, 7, 9): "event"}, frozenset({date(2026, 7, 9)}), WEEKDAYS, MONTHS),
    ChinaMap("t", {"四川": (5, 9, "9/12"), "广东": (0, 0, "0/3")}),
    ChinaMap("t", {}),
    Deviations("t", [("spend", 1e9, "¥1"), ("orders", 0.0, "0"), ("growth", None, "–"), ("a <b>", 0.5, "x")]),
]


@pytest.mark.parametrize("picture", DRAWN, ids=lambda picture: type(picture).__name__)
def test_a_picture_is_well_formed_within_its_sheet_and_says_what_it_shows(picture):
    root = ElementTree.fromstring(picture.svg())
    assert (root.attrib["role"], root.attrib["aria-label"]) == ("img", "t")
    wide, high = (float(size) for size in root.attrib["viewBox"].split()[2:])
    for bar in root.iter("rect"):
        x, y, width, height = (float(bar.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + width <= wide + 0.5
        assert y + height <= high


def test_the_map_has_each_of_the_34_divisions_on_a_tile_of_its_own():
    from importlib.resources import files

    codes = [
        line.split(",")[1]
        for line in files("segmenter.regions").joinpath("divisions.csv").read_text("utf-8").splitlines()
        if line[2] == ","
    ]
    assert len(CHINA) == len(set(CHINA.values())) == len(codes) == 34
    assert all(any(name.startswith(short) for name in codes) for short in CHINA)


def test_the_calendar_has_whole_weeks_and_frames_events():
    svg = DRAWN[2].svg()
    assert svg.count('fill="none"') == 1
    assert "1,200" in svg
    assert "m6 29" in svg
    years = Calendar("t", {DAY: 1, date(2028, 1, 1): 1}, {}, frozenset(), WEEKDAYS, MONTHS).svg()
    assert len(years) < 40_000
