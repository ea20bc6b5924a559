"""Small charts as SVG for the report: text stays text, and the bytes depend on the figures alone.

Nothing is laid out by the width of a text, so the fonts of the machine do not matter: no axes with measured labels and no legends.
They are plain Vega-Lite: to build four specifications with Altair took longer than to draw them. All of a page are drawn at once.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol
from xml.etree import ElementTree

from segmenter.words import visible

FONTS = '-apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", Arial, sans-serif'
# Blue and orange stay apart for every kind of colour vision; the grey is lighter than both.
STRONG, SOFT, ACCENT, INK, MUTED, LINE = "#1f5f8b", "#c9d8e3", "#d9822b", "#1d2a35", "#5b6b78", "#e6ebef"
FAINT = "#7b8b97"  # for what lines are compared with
WIDTH = 460
_LABELS = 160  # px for the names on the left
_FIGURES = 104  # px for the figures on the right
_ROW = 27  # px
_FIGURE = {"type": "text", "color": MUTED, "fontSize": 11}
_SMALL = _FIGURE | {"baseline": "top"}

_NAMED = 118  # px for the names of lines on the right
_APART = 15  # px between two of them

Spec = dict[str, Any]  # a piece of Vega-Lite
Marks = Sequence[tuple[float, str]]  # where an axis is marked, and with what


class Chart(Protocol):
    """What can be drawn."""

    @property
    def title(self) -> str:
        """Say what it shows, for screen readers."""

    def spec(self) -> Spec:
        """Describe it to Vega-Lite."""


@dataclass(frozen=True)
class Line:
    """One line of a chart; its name stands at its end."""

    name: str
    points: Sequence[tuple[float, float | None]]  # from left to right; a gap where a height is None
    color: str
    dashed: bool = False
    dots: bool = False  # each point is marked
    band: Sequence[tuple[float, float, float]] = ()  # across, low and high: drawn lightly behind


@dataclass(frozen=True)
class Bars:
    """One bar a row, its name on the left and its figure on the right."""

    title: str  # what the chart shows, for screen readers
    rows: Sequence[tuple[str, float, str]]  # name, value ≥ 0 and the value as text, from top to bottom; at least one
    over: Sequence[float] | None = None  # what each bar was before: the rest is drawn lightly behind it

    def spec(self) -> Spec:
        """Describe the chart."""
        behind = self.over or [value for _, value, _ in self.rows]
        most = max([*behind, *(value for _, value, _ in self.rows)]) or 1
        data = [
            {"row": index, "label": _short(label), "value": max(value, 0), "behind": max(back, value, 0), "figure": figure}
            for index, ((label, value, figure), back) in enumerate(zip(self.rows, behind, strict=True))
        ]
        y = {"field": "row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0.32, "paddingOuter": 0.16}}
        scale = {"domain": [0, most], "range": [_LABELS, WIDTH - _FIGURES], "nice": False}
        light = _layer({"type": "bar", "color": SOFT}, y=y, x=_number("behind", scale), x2={"value": _LABELS})
        bar = _layer({"type": "bar", "color": STRONG}, y=y, x=_number("value", scale), x2={"value": _LABELS})
        figures = _layer({"type": "text", "align": "left", "dx": 7, "color": INK}, y=y, x=_number("behind", scale), text=_text("figure"))
        return _sheet([*([light] if self.over else []), bar, figures, _names(y)], data, len(self.rows) * _ROW)


@dataclass(frozen=True)
class Pairs:
    """Two dots a row and the way between them: everyone (grey) against the list (orange)."""

    title: str
    rows: Sequence[tuple[str, float, float]]  # name, value of everyone, value of the list, both 0..1; at least one
    unit: str = "%"  # stands behind the hundredths on the scale

    def spec(self) -> Spec:
        """Describe the chart."""
        data = [
            {"row": index, "label": _short(label), "everyone": everyone, "listed": listed}
            for index, (label, everyone, listed) in enumerate(self.rows)
        ]
        height = len(self.rows) * _ROW
        most = next(end for end in (0.2, 0.4, 0.6, 0.8, 1.0) if end == 1.0 or end >= max(max(row[1:]) for row in self.rows))
        scale = {"domain": [0, most], "range": [_LABELS, WIDTH - 26], "nice": False}
        marks = [{"x": most * part / 4, "text": f"{most * part * 25:.0f}{self.unit}"} for part in range(5)]
        x, y = _number("x", scale), {"field": "row", "type": "ordinal", "axis": None, "scale": {"range": [0, height]}}
        grid = _layer({"type": "rule", "color": LINE}, marks, x=x, y={"value": 0}, y2={"value": height})
        numbers = _layer(_SMALL, marks, x=x, y={"value": height + 5}, text=_text("text"))
        way = _layer({"type": "rule", "color": SOFT, "strokeWidth": 3}, y=y, x=_number("everyone", scale), x2={"field": "listed"})
        everyone = _layer({"type": "circle", "color": MUTED, "size": 70, "opacity": 1}, y=y, x=_number("everyone", scale))
        listed = _layer({"type": "circle", "color": ACCENT, "size": 110, "opacity": 1}, y=y, x=_number("listed", scale))
        return _sheet([grid, numbers, way, everyone, listed, _names(y)], data, height + 22)


@dataclass(frozen=True)
class Histogram:
    """Counts over equal steps from 0: all of them lightly, the part on the list strongly; `cut` marks where the list ends."""

    title: str
    counts: Sequence[tuple[int, int]]  # for each step: all, and those on the list
    step: float
    axis: str
    cut: tuple[float, str] | None = None

    def spec(self) -> Spec:
        """Describe the chart."""
        height, left, right, top = 190, 44, WIDTH - 10, 16
        end = self.step * len(self.counts)
        most = max([everyone for everyone, _ in self.counts]) or 1
        data = [
            {"from": index * self.step, "to": (index + 1) * self.step, "everyone": everyone, "listed": listed}
            for index, (everyone, listed) in enumerate(self.counts)
        ]
        x_scale = {"domain": [0, end], "range": [left, right], "nice": False}
        y_scale = {"domain": [0, most], "range": [height, top], "nice": False}
        marks = [{"x": end * part / 5, "text": f"{end * part / 5:g}"} for part in range(6)]
        levels = [{"y": level, "text": f"{level:,}"} for level in sorted({most // 2, most})]
        x, y = _number("x", x_scale), _number("y", y_scale)
        bar: Spec = {"type": "bar", "stroke": "white", "strokeWidth": 1}
        span: Spec = {"x": _number("from", x_scale), "x2": {"field": "to"}, "y2": {"value": height}}
        layers = [
            _layer({"type": "rule", "color": LINE}, levels, y=y, x={"value": left}, x2={"value": right}),
            _layer(_FIGURE | {"align": "right"}, levels, y=y, x={"value": left - 6}, text=_text("text")),
            _layer(bar | {"color": SOFT}, **span, y=_number("everyone", y_scale)),
            _layer(bar | {"color": STRONG}, **span, y=_number("listed", y_scale)),
            _layer(_SMALL, marks, x=x, y={"value": height + 5}, text=_text("text")),
            _layer(_SMALL, [{"text": self.axis}], x={"value": (left + right) / 2}, y={"value": height + 21}, text=_text("text")),
        ]
        if self.cut is not None:
            at, name = self.cut
            cut, dashed = [{"x": at, "text": name}], {"type": "rule", "color": ACCENT, "strokeWidth": 1.5, "strokeDash": [4, 3]}
            side = {"align": "right", "dx": -5} if at > end / 2 else {"align": "left", "dx": 5}
            layers.append(_layer(dashed, cut, x=x, y={"value": 0}, y2={"value": height}))
            layers.append(_layer(_SMALL | side | {"color": INK}, cut, x=x, y={"value": 0}, text=_text("text")))
        return _sheet(layers, data, height + 38)


@dataclass(frozen=True)
class Lines:
    """Lines, each with its name where it ends; one without any height is left out."""

    title: str
    drawn: Sequence[Line]  # the last ones lie on top
    across: Marks  # of the lower axis, from the lowest to the highest, at least two: the chart reaches from the first to the last
    up: Marks  # the same of the left axis
    axis: str = ""

    def spec(self) -> Spec:
        """Describe the chart."""
        height, left, right = 250, 44, WIDTH - _NAMED
        (first, *_, last), (low, *_, high) = ([mark for mark, _ in marks] for marks in (self.across, self.up))
        x = _number("x", {"domain": [first, last], "range": [left, right], "nice": False, "zero": False})
        y = _number("y", {"domain": [low, high], "range": [height, 0], "nice": False, "zero": False})
        columns = [{"x": mark, "text": text} for mark, text in self.across]
        rows = [{"y": mark, "text": text} for mark, text in self.up]
        layers = [
            _layer({"type": "rule", "color": LINE}, rows, y=y, x={"value": left}, x2={"value": right}),
            _layer({"type": "rule", "color": LINE}, columns, x=x, y={"value": 0}, y2={"value": height}),
            _layer(_FIGURE | {"align": "right"}, rows, y=y, x={"value": left - 6}, text=_text("text")),
            _layer(_SMALL, columns, x=x, y={"value": height + 8}, text=_text("text")),
            _layer(_SMALL, [{"text": self.axis}], x={"value": (left + right) / 2}, y={"value": height + 24}, text=_text("text")),
        ]
        ends: list[tuple[float, float, Line]] = []
        for line in self.drawn:
            if line.band:
                spans = [{"x": across, "y": min(most, high), "least": max(least, low)} for across, least, most in line.band]
                layers.append(_layer({"type": "area", "color": line.color, "opacity": 0.14}, spans, x=x, y=y, y2={"field": "least"}))
        for line in self.drawn:
            points = [None if level is None else {"x": across, "y": min(max(level, low), high)} for across, level in line.points]
            runs = [[point for point in run if point] for known, run in groupby(points, bool) if known]
            mark = {"type": "line", "color": line.color} | (
                {"strokeWidth": 1.5, "strokeDash": [4, 3]} if line.dashed else {"strokeWidth": 2.5}
            )
            layers += [_layer(mark, run, x=x, y=y) for run in runs]
            if line.dots:
                dots = [point for run in runs for point in run]
                layers.append(_layer({"type": "circle", "color": line.color, "size": 36, "opacity": 1}, dots, x=x, y=y))
            if runs and line.name:
                end = runs[-1][-1]
                x_end = left + (end["x"] - first) / (last - first) * (right - left)
                ends.append((height * (high - end["y"]) / (high - low), x_end, line))
        ends.sort(key=lambda end: end[0])
        for (level, x_end, line), at in zip(ends, _apart([level for level, _, _ in ends], height), strict=True):
            to_name: dict[str, Spec] = {"x": {"value": x_end}, "y": {"value": level}, "x2": {"value": right + 11}, "y2": {"value": at}}
            layers.append(_layer({"type": "rule", "color": line.color, "strokeWidth": 0.8, "opacity": 0.7}, [{}], **to_name))
            name = {"type": "text", "align": "left", "fontSize": 12, "color": line.color}
            layers.append(_layer(name, [{"text": _short(line.name, 17)}], x={"value": right + 14}, y={"value": at}, text=_text("text")))
        return _sheet(layers, [], height + (41 if self.axis else 25))


def _apart(levels: list[float], height: float) -> list[float]:
    """Move rising levels as far apart as text needs, within the height."""
    placed: list[float] = []
    for level in levels:
        placed.append(max(level, placed[-1] + _APART if placed else 0))
    limit = height
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - _APART
    return placed


def _number(field: str, scale: Spec) -> Spec:
    return {"field": field, "type": "quantitative", "axis": None, "scale": scale}


def _text(field: str) -> Spec:
    return {"field": field, "type": "nominal"}


def _layer(mark: Spec, values: list[Spec] | None = None, **encoding: Spec) -> Spec:
    """Put marks on the chart's own data, or on other values."""
    return {"mark": mark, "encoding": encoding} | ({} if values is None else {"data": {"values": values}})


def _names(y: Spec) -> Spec:
    return _layer({"type": "text", "align": "right", "color": INK}, y=y, x={"value": _LABELS - 8}, text=_text("label"))


def _sheet(layers: list[Spec], values: list[Spec], height: int) -> Spec:
    resolve = {"scale": {"x": "independent", "y": "independent"}}
    return {"data": {"values": values}, "layer": layers, "width": WIDTH, "height": height, "resolve": resolve}


def draw(charts: Sequence[Chart]) -> list[str]:
    """Draw charts as SVG, all at once: Vega-Lite takes a second to start."""
    import vl_convert

    if not charts:
        return []
    specs = [_legible(chart.spec()) for chart in charts]
    config = {"font": FONTS, "aria": False, "view": {"stroke": None}, "text": {"fontSize": 12.5}}
    drawn = vl_convert.vegalite_to_svg({"vconcat": specs, "autosize": "none", "config": config}, allowed_base_urls=[])
    root = ElementTree.fromstring(drawn.replace(' xmlns="http://www.w3.org/2000/svg"', ""))
    groups = [group[0][1] for group in root.iter("g") if re.search(r"\bconcat_\d+_group$", group.get("class", ""))]
    return [_svg(chart.title, group, spec["height"] + 10) for chart, group, spec in zip(charts, groups, specs, strict=True)]


def _legible(piece: Any) -> Any:
    """Let no text have what no XML may have: where Vega measures it, the whole process would end."""
    match piece:
        case dict():
            return {key: _legible(value) for key, value in piece.items()}
        case list():
            return [_legible(value) for value in piece]
    return visible(piece) if isinstance(piece, str) else piece


def _svg(title: str, group: ElementTree.Element, height: int) -> str:
    """Make a drawing of its own of one of many; what Vega says of its parts to screen readers is said by the title."""
    group.set("transform", "translate(0,8)")
    for node in group.iter():
        for name in ("class", "role", "aria-roledescription", "aria-hidden", "font-family"):
            node.attrib.pop(name, None)
        for name in {"d", "transform", "x", "y", "x2", "y2"} & node.attrib.keys():
            node.set(name, re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda figure: f"{round(float(figure[0]), 1) + 0:g}", node.attrib[name]))
    shown = {"role": "img", "aria-label": visible(title), "viewBox": f"0 0 {WIDTH} {height}", "font-family": FONTS, "fill": "none"}
    svg = ElementTree.Element("svg", shown)
    svg.append(group)
    return ElementTree.tostring(svg, encoding="unicode")


def _short(label: str, most: int = 22) -> str:
    """Cut a name to the room it has, where Chinese characters take twice as much."""
    room = most
    for index, character in enumerate(label):
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return f"{label[: max(index - 1, 0)]}…"
    return label
