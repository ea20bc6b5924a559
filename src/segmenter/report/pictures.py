"""The pictures of a launch's page that are made of squares: a calendar, and a map of China."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from segmenter.report.sections import Square

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


def calendar(calls: Mapping[date, int], words: Mapping[date, str], events: frozenset[date], months: Sequence[str]) -> tuple[Square, ...]:
    """Draw weeks from Monday to Sunday: the darker a day, the more calls; a live event has a frame, a reminder its word."""
    days = sorted({*calls, *words})
    first = days[0] - timedelta(days=days[0].weekday())
    weeks, most = min((days[-1] - first).days // 7 + 1, _WEEKS), max(calls.values(), default=0) or 1
    squares = []
    for at in range(7 * weeks):
        day = first + timedelta(days=at)
        name = f"{months[day.month - 1]} {day.day}" if at == 0 or day.day == 1 else str(day.day)
        count = calls.get(day, 0)
        shown = f"{count:,}" if count else ""
        squares.append(Square((at % 7, at // 7), name, shown, words.get(day, ""), count / most, framed=day in events))
    return tuple(squares)


def china(tiles: Mapping[str, tuple[int, str]]) -> tuple[Square, ...]:
    """Draw a square for each of China's 34 divisions: the darker, the more are invited; pale where nobody is known.

    The tiles have, by short name, how many are invited, and what stands below this number.
    """
    most = max([invited for invited, _ in tiles.values()], default=0) or 1
    squares = []
    for name, at in CHINA.items():
        invited, below = tiles.get(name, (0, ""))
        squares.append(Square(at, name, f"{invited:,}" if below else "", below, invited / most, pale=not below))
    return tuple(squares)
