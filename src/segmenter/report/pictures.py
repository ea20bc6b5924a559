"""The pictures of a launch's page: ranges against a target, a calendar, a map of tiles, and how a segment differs from everyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log2

from segmenter.report.charts import ACCENT, FAINT, INK, LINE, MUTED, SOFT, STRONG, WIDTH, drawing, element, rect, rule, short, text

_NARROW = 364  # px: seven columns that can be read on a phone
_TILE, _DAY = 52, 40  # px of a tile, and the height of a day
_WEEKS = 10  # that are drawn
# China's 34 divisions, as `china_prov_grid2` of hafen/grid-designer (MIT) lays them out.
_CHINA = """
－ － － － － － 黑龙江
－ － － － － 内蒙古 吉林
－ － － － － 北京 辽宁
新疆 甘肃 － 山西 河北 天津 －
西藏 青海 宁夏 陕西 河南 山东 －
－ 四川 重庆 湖北 安徽 江苏 上海
－ 云南 贵州 湖南 江西 浙江 －
－ － － 广西 广东 福建 台湾
－ － － 海南 澳门 香港 －
"""
CHINA = {
    name: (across, down) for down, line in enumerate(_CHINA.split("\n")[1:-1]) for across, name in enumerate(line.split()) if name != "－"
}


@dataclass(frozen=True)
class Ranges:
    """From low to high a row, the middle marked, held against a line across all of them."""

    title: str
    rows: Sequence[tuple[str, float, float, float, str]]  # name, low, middle, high, and what it comes to in words; at least one
    mark: tuple[float, str] | None = None

    def svg(self) -> str:
        """Draw the chart."""
        top, row = 20 if self.mark else 0, 40
        scale = (WIDTH - 8) / (max([high for *_, high, _ in self.rows] + ([self.mark[0]] if self.mark else [])) * 1.02 or 1)
        drawn = []
        for at, (name, low, middle, high, figure) in enumerate(self.rows):
            y = top + at * row
            drawn.append(text(0, y + 13, f"{name}: {figure}"))
            drawn += [rect(0, y + 19, WIDTH - 8, y + 33, LINE), rect(max(low * scale, 0), y + 19, high * scale, y + 33, STRONG, 3)]
            drawn.append(rect(max(middle * scale - 1.5, 0), y + 19, middle * scale + 1.5, y + 33, "#fff"))
        if self.mark is not None:
            x, name = self.mark[0] * scale, self.mark[1]
            side = "end" if x > WIDTH / 2 else "start"
            drawn += [rule(x, top + at * row + 16, x, top + at * row + 36, ACCENT, 3) for at in range(len(self.rows))]
            drawn.append(text(x, 8, name, side, font_weight="600"))
        return drawing(self.title, drawn, top + len(self.rows) * row)


@dataclass(frozen=True)
class Calendar:
    """Weeks from Monday to Sunday: the darker a day, the more calls; a live event has a frame, a reminder its word."""

    title: str
    calls: Mapping[date, int]  # days with calls, reminders or live events; at least one
    words: Mapping[date, str]  # what else is on a day
    events: frozenset[date]
    weekdays: Sequence[str]  # from Monday
    months: Sequence[str]  # from January

    def svg(self) -> str:
        """Draw the chart."""
        days = sorted({*self.calls, *self.words})
        first = days[0] - timedelta(days=days[0].weekday())
        weeks = min((days[-1] - first).days // 7 + 1, _WEEKS)
        most = max(self.calls.values(), default=0) or 1
        drawn = [text((at + 0.5) * _TILE, 8, name, "middle", MUTED, 11) for at, name in enumerate(self.weekdays)]
        for at in range(7 * weeks):
            day = first + timedelta(days=at)
            x, y = at % 7 * _TILE, 14 + at // 7 * (_DAY + 2)
            calls = self.calls.get(day, 0)
            drawn.append(_square(x, y, _DAY, calls / most, framed=day in self.events))
            name = f"{self.months[day.month - 1]} {day.day}" if at == 0 or day.day == 1 else str(day.day)
            drawn.append(text(x + 4, y + 11, name, color=INK if calls else MUTED, size=9.5))
            drawn.append(text(x + 25, y + 25, f"{calls:,}" if calls else "", "middle", INK, 12.5, font_weight="600"))
            drawn.append(text(x + 25, y + 36, short(self.words.get(day, ""), 8), "middle", INK, 9.5))
        return drawing(self.title, drawn, 14 + weeks * (_DAY + 2), _NARROW)


@dataclass(frozen=True)
class ChinaMap:
    """A tile for each of China's 34 divisions: the darker, the more are invited; grey where nobody is eligible."""

    title: str
    tiles: Mapping[str, tuple[int, int, str]]  # by short name: invited, eligible, and what stands below the number of the invited

    def svg(self) -> str:
        """Draw the chart."""
        most = max([invited for invited, *_ in self.tiles.values()], default=0) or 1
        drawn = []
        for name, (across, down) in CHINA.items():
            x, y = across * _TILE, down * _TILE
            invited, eligible, below = self.tiles.get(name, (0, 0, ""))
            color = INK if eligible else MUTED
            drawn.append(_square(x, y, 50, invited / most, framed=False, empty=not eligible))
            drawn.append(text(x + 25, y + 15, name, "middle", color, 12))
            drawn.append(text(x + 25, y + 30, f"{invited:,}" if below else "", "middle", INK, 12.5, font_weight="600"))
            drawn.append(text(x + 25, y + 43, below, "middle", color, 9.5))
        return drawing(self.title, drawn, 9 * _TILE, _NARROW)


def _square(x: float, y: float, height: float, share: float, *, framed: bool, empty: bool = False) -> str:
    """Fill a field the darker, the larger its share of the most, and never so dark that ink could not be read on it."""
    ground = rect(x, y, x + 50, y + height, "#f7f9fa" if empty else LINE, 4)
    shade = element("rect", x=x, y=y, width=50, height=height, rx=4, fill=STRONG, opacity=0.08 + 0.52 * share) if share else ""
    frame: dict[str, float | str] = {
        "x": x + 1,
        "y": y + 1,
        "width": 48,
        "height": height - 2,
        "rx": 4,
        "fill": "none",
        "stroke": ACCENT,
        "stroke_width": 2.5,
    }
    return ground + shade + (element("rect", **frame) if framed else "")


@dataclass(frozen=True)
class Deviations:
    """How many times as much as everyone's each figure is: to the right of the middle more, to the left less."""

    title: str
    rows: Sequence[tuple[str, float | None, str]]  # name, ratio (None: not known), and the figure in words

    def svg(self) -> str:
        """Draw the chart."""
        middle, reach, row = 196, 42, 22
        height = len(self.rows) * row
        drawn = [rule(middle, 0, middle, height, FAINT)]
        for at, (name, ratio, figure) in enumerate(self.rows):
            y = at * row
            end = middle + (0 if ratio is None else max(-2.0, min(2.0, log2(ratio) if ratio > 0 else -2.0)) / 2 * reach)
            drawn += [text(middle - reach - 8, y + 15, short(name, 24), "end", size=11.5), text(300, y + 15, figure, "end", size=11.5)]
            drawn.append(rect(min(end, middle), y + 4, max(end, middle), y + 18, STRONG if end > middle else SOFT))
        return drawing(self.title, drawn, height, 304)
