from xml.etree import ElementTree

import pytest

from segmenter.report import charts

MARKS = [(0, "0%"), (0.5, "50%"), (1, "100%")]
ROWS = [("四川 and more", 3.0, "3"), ("<b>\x1b\uffff\u202e", 1.0, "1,000")]
DRAWN = [
    charts.Bars("t", ROWS, over=[4, 2]),
    charts.Pairs("t", [("big", 0.1, 0.55), ("small", 0.0, 0.0)]),
    charts.Histogram("t", [(9, 2), (4, 4)], 50, "score", (60, "from 60")),
    charts.Lines("t", [charts.Line("by chance", [(0, 0), (0.5, None), (1, 1)], charts.FAINT, dashed=True)], MARKS, MARKS, "share"),
]


def test_charts_are_well_formed_text_without_ids_and_the_same_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = charts.draw(DRAWN)
    for svg in drawn:
        root = ElementTree.fromstring(svg)
        assert (root.attrib["role"], root.attrib["aria-label"]) == ("img", "t")
        assert [node.text for node in root.iter("text") if node.text]
        assert not [node for node in root.iter() if "id" in node.attrib]  # ids of several charts would meet on one page
    stack = charts.FONTS
    monkeypatch.setattr(charts, "FONTS", "monospace")
    assert charts.draw(DRAWN) == [svg.replace(stack.replace('"', "&quot;"), "monospace") for svg in drawn]


def test_a_chart_is_the_same_beside_any_others() -> None:
    assert charts.draw(DRAWN[::-1])[::-1] == charts.draw(DRAWN)
    assert [charts.draw([chart])[0] for chart in DRAWN] == charts.draw(DRAWN)
    assert charts.draw([]) == []


def test_each_chart_shows_what_it_is_given() -> None:
    bars, pairs, histogram, lines = ([node.text for node in ElementTree.fromstring(svg).iter("text")] for svg in charts.draw(DRAWN))
    assert {"四川 and more", "1,000", "3"} <= {*bars}
    assert {"big", "small", "0%", "60%"} <= {*pairs}
    assert {"from 60", "score", "9", "4", "100"} <= {*histogram}
    assert lines.count("by chance") == 1


def test_names_are_cut_to_their_room() -> None:
    whole, cut = charts.draw([charts.Bars("t", [("药" * count, 1, "1")]) for count in (11, 12)])
    assert "药" * 11 in whole
    assert "药" * 10 + "…" in cut
