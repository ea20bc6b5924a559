from datetime import date
from importlib.resources import files

from segmenter.report.page import render_page
from segmenter.report.pictures import CHINA, calendar, china
from segmenter.report.sections import Report, Section, Squares

DAY, EVENT = date(2026, 7, 2), date(2026, 7, 9)
MONTHS = [f"m{month}" for month in range(1, 13)]


def test_the_map_has_each_of_the_34_divisions_on_a_square_of_its_own() -> None:
    codes = [
        line.split(",")[1]
        for line in files("segmenter.regions").joinpath("divisions.csv").read_text("utf-8").splitlines()
        if line[2] == ","
    ]
    assert len(CHINA) == len(set(CHINA.values())) == len(codes) == 34
    assert all(any(name.startswith(short) for name in codes) for short in CHINA)
    drawn = {square.name: square for square in china({"四川": (5, "9/12"), "广东": (0, "0/3")})}
    assert drawn.keys() == CHINA.keys()
    assert [(drawn[name].share, drawn[name].figure, drawn[name].pale) for name in ("四川", "广东", "北京")] == [
        (1.0, "5", False),
        (0.0, "0", False),
        (0.0, "", True),
    ]
    assert all(square.pale for square in china({}))


def test_the_calendar_has_whole_weeks_and_frames_events() -> None:
    days = calendar({DAY: 1_200}, {EVENT: "event"}, frozenset({EVENT}), MONTHS)
    assert [day.at for day in days] == [(at % 7, at // 7) for at in range(14)]
    assert days[0].name == "m6 29"
    assert [day.figure for day in days if day.share] == ["1,200"]
    assert [(day.name, day.small) for day in days if day.framed] == [("9", "event")]
    assert len(calendar({DAY: 1, date(2028, 1, 1): 1}, {}, frozenset(), MONTHS)) == 70


def test_squares_are_a_list_to_who_does_not_see_them() -> None:
    days = calendar({DAY: 1_200}, {EVENT: "<event>"}, frozenset({EVENT}), MONTHS)
    page = render_page(Report("", "", "", "", sections=(Section("", (Squares("Calls", days, tuple("MTWTFSS")),)),)), "en")
    assert page.count("<li") == 7 + len(days)
    assert 'grid-area:2/1;--share:0.00">m6 29</li>' in page
    assert 'grid-area:2/4;--share:0.60">2 <b>1,200</b></li>' in page
    assert "9 &lt;event&gt;</li>" in page
