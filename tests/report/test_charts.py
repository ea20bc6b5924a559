from xml.etree import ElementTree

import pytest

from segmenter.report import charts

MARKS = [(0, "0%"), (0.5, "50%"), (1, "100%")]
ROWS = [("四川 and more", 3.0, "3"), ("<b>", 1.0, "1,000")]
DRAWN = [
    charts.Bars("t", ROWS, over=[4, 2]),
    charts.Pairs("t", [("big", 0.1, 0.55), ("small", 0.0, 0.0)]),
    charts.Histogram("t", [(9, 2), (4, 4)], 50, "score", (30.0, "from 30")),
    charts.Lines("t", [charts.Line("by chance", [(0, 0), (0.5, None), (1, 1)], charts.FAINT, dashed=True)], MARKS, MARKS, "share"),
]


@pytest.mark.parametrize("chart", DRAWN, ids=lambda chart: type(chart).__name__)
def test_a_chart_is_well_formed_text_without_ids_and_the_same_on_any_machine(chart, monkeypatch):
    (svg,) = charts.draw([chart])
    root = ElementTree.fromstring(svg)
    assert root.attrib["aria-label"] == "t"
    assert "<text" in svg
    assert not [node for node in root.iter() if "id" in node.attrib]  # ids of several charts would meet on one page
    stack = charts.FONTS
    monkeypatch.setattr(charts, "FONTS", "monospace")
    assert charts.draw([chart]) == [svg.replace(stack.replace('"', "&quot;"), "monospace")]


def test_names_are_cut_to_their_room_and_lines_named_once():
    assert "药" * 11 in charts.draw([charts.Bars("t", [("药" * 11, 1, "1")])])[0]
    assert "药" * 10 + "…" in charts.draw([charts.Bars("t", [("药" * 12, 1, "1")])])[0]
    assert charts.draw(DRAWN)[3].count("by chance") == 1
