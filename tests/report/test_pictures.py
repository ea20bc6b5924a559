from datetime import date
from importlib.resources import files

from segmenter.report.pictures import CHINA, calendar, china

DAY, EVENT = date(2026, 7, 2), date(2026, 7, 9)
MONTHS = [f"m{month}" for month in range(1, 13)]


def test_the_map_has_each_of_the_34_divisions_on_a_square_of_its_own():
    rows = files("segmenter.regions").joinpath("divisions.csv").read_text("utf-8").splitlines()
    names = [row.split(",")[1] for row in rows if row[2] == ","]
    assert len(CHINA) == len(set(CHINA.values())) == len(names) == 34
    assert all(any(name.startswith(short) for name in names) for short in CHINA)


def test_the_map_is_the_darkest_where_most_are_invited_and_pale_where_nobody_is_known():
    squares = {square.name: square for square in china({"四川": (8, "9/12"), "广东": (2, "2/3"), "西藏": (0, "0/1")})}
    assert [squares[name].share for name in ("四川", "广东", "西藏", "台湾")] == [1, 0.25, 0, 0]
    assert [squares[name].pale for name in ("四川", "西藏", "台湾")] == [False, False, True]
    assert squares["西藏"].figure == "0"
    assert all(square.pale for square in china({}))


def test_the_calendar_has_whole_weeks_each_call_and_each_event():
    squares = calendar({DAY: 1_200, date(2026, 7, 3): 300}, {EVENT: "event"}, frozenset({EVENT}), MONTHS)
    assert len(squares) == 14
    assert squares[0].name == "m6 29"
    assert [(square.name, square.figure, square.share) for square in squares if square.figure] == [("2", "1,200", 1), ("3", "300", 0.25)]
    assert [(square.name, square.small) for square in squares if square.framed] == [("9", "event")]
    assert len(calendar({DAY: 1, date(2028, 1, 1): 1}, {}, frozenset(), MONTHS)) == 70
