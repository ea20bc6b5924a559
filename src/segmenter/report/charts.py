"""Small charts as SVG for the report: text stays text, and the bytes depend on the figures alone.

Nothing is laid out by the width of a text, so the fonts of the machine do not matter. They are written as they are: Vega-Lite, which
drew them before, took a second to start, half of what a small launch takes.
"""

import html
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

FONTS = '-apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", Arial, sans-serif'
# Blue and orange stay apart for every kind of colour vision; the grey is lighter than both.
STRONG, SOFT, ACCENT, INK, MUTED, LINE = "#1f5f8b", "#c9d8e3", "#d9822b", "#1d2a35", "#5b6b78", "#e6ebef"
FAINT = "#7b8b97"  # for what lines are compared with
WIDTH = 460
_LABELS = 160  # px for the names on the left
_FIGURES = 104  # px for the figures on the right
_ROW = 27  # px
_SMALL = 11  # px, of figures on axes

_NAMED = 118  # px for the names of lines on the right
_APART = 15  # px between two of them

Marks = Sequence[tuple[float, str]]  # where an axis is marked, and with what


class Chart(Protocol):
    """What draws itself."""

    def svg(self) -> str:
        """Draw the chart."""


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

    def svg(self) -> str:
        """Draw the chart."""
        behind = [max(pair) for pair in zip(self.over or [0] * len(self.rows), (value for _, value, _ in self.rows), strict=True)]
        scale = (WIDTH - _LABELS - _FIGURES) / (max(behind) or 1)
        drawn = []
        for at, ((name, value, figure), back) in enumerate(zip(self.rows, behind, strict=True)):
            top, end = at * _ROW + 4, _LABELS + back * scale
            light = rect(_LABELS, top, end, top + 19, SOFT) if self.over else ""
            drawn += [light, rect(_LABELS, top, _LABELS + max(value, 0) * scale, top + 19, STRONG)]
            drawn += [row_name(at, name), text(end + 7, at * _ROW + 18, figure)]
        return drawing(self.title, drawn, len(self.rows) * _ROW)


@dataclass(frozen=True)
class Pairs:
    """Two dots a row and the way between them: everyone (grey) against the list (orange)."""

    title: str
    rows: Sequence[tuple[str, float, float]]  # name, value of everyone, value of the list, both 0..1; at least one
    unit: str = "%"  # stands behind the hundredths on the scale

    def svg(self) -> str:
        """Draw the chart."""
        height = len(self.rows) * _ROW
        most = next(end for end in (0.2, 0.4, 0.6, 0.8, 1.0) if end == 1.0 or end >= max(max(row[1:]) for row in self.rows))
        scale = (WIDTH - 26 - _LABELS) / most
        drawn = []
        for part in range(5):
            x = _LABELS + most * part / 4 * scale
            drawn += [rule(x, 0, x, height), text(x, height + 16, f"{most * part * 25:.0f}{self.unit}", "middle", MUTED, _SMALL)]
        for at, (name, *values) in enumerate(self.rows):
            y, (everyone, listed) = (at + 0.5) * _ROW, (_LABELS + value * scale for value in values)
            drawn += [rule(everyone, y, listed, y, SOFT, 3), dot(everyone, y, 4.7, MUTED), dot(listed, y, 5.9, ACCENT), row_name(at, name)]
        return drawing(self.title, drawn, height + 22)


@dataclass(frozen=True)
class Histogram:
    """Counts over equal steps from 0: all of them lightly, the part on the list strongly; `cut` marks where the list ends."""

    title: str
    counts: Sequence[tuple[int, int]]  # for each step: all, and those on the list
    step: float
    axis: str
    cut: tuple[float, str] | None = None

    def svg(self) -> str:
        """Draw the chart."""
        height, left, right, top = 190, 44, WIDTH - 10, 16
        end = self.step * len(self.counts)
        most, wide = max(everyone for everyone, _ in self.counts) or 1, (right - left) / len(self.counts)
        scale = (height - top) / most
        drawn = []
        for level in sorted({most // 2, most}):
            y = height - level * scale
            drawn += [rule(left, y, right, y), text(left - 6, y + 4, f"{level:,}", "end", MUTED, _SMALL)]
        for at, counted in enumerate(self.counts):
            for count, color in zip(counted, (SOFT, STRONG), strict=True):
                drawn.append(rect(left + at * wide, height - count * scale, left + (at + 1) * wide - 1, height, color))
        for part in range(6):
            x = left + (right - left) * part / 5
            drawn.append(text(x, height + 16, f"{end * part / 5:g}", "middle", MUTED, _SMALL))
        if self.cut is not None:
            at_cut, name = self.cut
            x = left + (right - left) * at_cut / end
            side, apart = ("end", -5) if at_cut > end / 2 else ("start", 5)
            drawn += [rule(x, 0, x, height, ACCENT, 1.5, "4 3"), text(x + apart, 9, name, side, INK, _SMALL)]
        drawn.append(text((left + right) / 2, height + 32, self.axis, "middle", MUTED, _SMALL))
        return drawing(self.title, drawn, height + 38)


@dataclass(frozen=True)
class Lines:
    """Lines, each with its name where it ends; one without any height is left out."""

    title: str
    drawn: Sequence[Line]  # the last ones lie on top
    across: Marks  # of the lower axis, from the lowest to the highest, at least two: the chart reaches from the first to the last
    up: Marks  # the same of the left axis
    axis: str = ""

    def svg(self) -> str:
        """Draw the chart."""
        height, left, right = 250, 44, WIDTH - _NAMED
        (first, *_, last), (low, *_, high) = ([mark for mark, _ in marks] for marks in (self.across, self.up))

        def at(across: float, level: float) -> tuple[float, float]:
            level = min(max(level, low), high)
            return left + (across - first) / (last - first) * (right - left), height * (high - level) / (high - low)

        layers = [
            *_grid([(at(first, mark)[1], name) for mark, name in self.up], left, right),
            *(rule(at(mark, low)[0], 0, at(mark, low)[0], height) for mark, _ in self.across),
            *(text(at(mark, low)[0], height + 19, name, "middle", MUTED, _SMALL) for mark, name in self.across),
            text((left + right) / 2, height + 35, self.axis, "middle", MUTED, _SMALL),
        ]
        for line in self.drawn:
            around = [at(x, lower) for x, lower, _ in line.band] + [at(x, upper) for x, _, upper in reversed(line.band)]
            layers.append(element("polygon", points=_points(around), fill=line.color, opacity=0.14) if around else "")
        ends: list[tuple[float, float, Line]] = []
        for line in self.drawn:
            points = [None if level is None else at(across, level) for across, level in line.points]
            runs = [[point for point in run if point] for known, run in groupby(points, bool) if known]
            dashes = {"stroke_dasharray": "4 3"} if line.dashed else {}
            stroke: dict[str, float | str] = {"fill": "none", "stroke": line.color, "stroke_width": 1.5 if line.dashed else 2.5, **dashes}
            layers += [element("polyline", points=_points(run), **stroke) for run in runs]
            layers += [dot(x, y, 3.4, line.color) for run in runs for x, y in run if line.dots]
            ends += [(runs[-1][-1][1], runs[-1][-1][0], line)] if runs and line.name else []
        ends.sort(key=lambda end: end[0])
        for (level, x, line), placed in zip(ends, _apart([level for level, _, _ in ends], height), strict=True):
            layers += [
                rule(x, level, right + 11, placed, line.color, 0.8),
                text(right + 14, placed + 4, short(line.name, 17), color=line.color),
            ]
        return drawing(self.title, layers, height + (41 if self.axis else 25))


def _grid(levels: Sequence[tuple[float, str]], left: float, right: float) -> Iterator[str]:
    """Draw lines across, each with its figure on the left."""
    for y, name in levels:
        yield rule(left, y, right, y) + text(left - 6, y + 4, name, "end", MUTED, _SMALL)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_plain(x)},{_plain(y)}" for x, y in points)


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


def drawing(title: str, parts: Sequence[str], height: float, width: float = WIDTH) -> str:
    """Put parts together on a sheet of a width and height, with what a screen reader says of it."""
    within = f'<g transform="translate(0,8)">{"".join(parts)}</g>'
    view = f"0 0 {_plain(width)} {_plain(height + 10)}"
    return element("svg", within, role="img", aria_label=title, viewBox=view, font_family=FONTS)


def element(name: str, content: str = "", /, **attributes: float | str) -> str:
    """Write an element; figures have one decimal at most, and an underscore stands for a hyphen."""
    written = (f' {key.replace("_", "-")}="{html.escape(_plain(value))}"' for key, value in attributes.items())
    return f"<{name}{''.join(written)}>{content}</{name}>"


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{round(value, 2 if abs(value) < 1 else 1) + 0:g}"


def rect(x: float, y: float, right: float, below: float, color: str, radius: float = 0, /) -> str:
    """Fill a rectangle."""
    rounded = {"rx": radius} if radius else {}
    return element("rect", x=x, y=y, width=max(right - x, 0), height=max(below - y, 0), fill=color, **rounded)


def rule(x: float, y: float, right: float, below: float, color: str = LINE, width: float = 1, dashes: str = "") -> str:
    """Draw a straight line."""
    dashed = {"stroke_dasharray": dashes} if dashes else {}
    return element("line", x1=x, y1=y, x2=right, y2=below, stroke=color, stroke_width=width, **dashed)


def dot(x: float, y: float, radius: float, color: str) -> str:
    """Fill a circle."""
    return element("circle", cx=x, cy=y, r=radius, fill=color)


def text(x: float, y: float, words: str, anchor: str = "start", color: str = INK, size: float = 12.5, **more: str) -> str:
    """Write words on a line."""
    return element("text", html.escape(words), x=x, y=y, text_anchor=anchor, fill=color, font_size=size, **more) if words else ""


def row_name(at: int, name: str) -> str:
    """Write the name of a row, so many rows from the top."""
    return text(_LABELS - 8, at * _ROW + 18, short(name), "end")


def short(label: str, most: int = 22) -> str:
    """Cut a name to the room it has, where Chinese characters take twice as much."""
    room = most
    for index, character in enumerate(label):
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return f"{label[: max(index - 1, 0)]}…"
    return label
