"""Small charts as SVG for the report: text stays text, and the bytes depend on the figures alone.

Nothing is laid out by the width of a text, so the fonts of the machine do not matter: no axes with measured labels and no legends.
"""

import html
import re
import unicodedata
from typing import Any

FONTS = '-apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", Arial, sans-serif'
# Blue and orange stay apart for every kind of colour vision; the grey is lighter than both.
STRONG, SOFT, ACCENT, INK, MUTED = "#1f5f8b", "#c9d8e3", "#d9822b", "#1d2a35", "#5b6b78"
WIDTH = 460
_LABELS = 160  # px for the names on the left
_FIGURES = 76  # px for the figures on the right
_ROW = 27  # px


def bars(title: str, rows: list[tuple[str, float, str]], over: list[float] | None = None, color: str = STRONG) -> str:
    """Draw one bar a row, its name on the left and its figure on the right.

    Parameters
    ----------
    title : str
        What the chart shows, for screen readers.
    rows : list of (str, float, str)
        Name, value ≥ 0 and the value as text, from top to bottom; at least one.
    over : list of float or None
        What each bar was before: the rest, drawn lightly behind it.
    color : str
        Of the bars.

    Returns
    -------
    str
        An ``<svg>`` element.

    Examples
    --------
    >>> bars("Orders", [("四川", 3, "3"), ("<b>", 1, "1")]).count("<text")
    4
    """
    import altair as alt

    behind = over or [value for _, value, _ in rows]
    most = max([*behind, *(value for _, value, _ in rows)]) or 1
    data = [
        {"row": index, "label": _short(label), "value": max(value, 0), "behind": max(back, value, 0), "figure": figure}
        for index, ((label, value, figure), back) in enumerate(zip(rows, behind, strict=True))
    ]
    y = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.32, paddingOuter=0.16))
    scale = alt.Scale(domain=[0, most], range=[_LABELS, WIDTH - _FIGURES], nice=False)
    base = alt.Chart(alt.InlineData(values=data)).encode(y=y)
    light = base.mark_bar(color=SOFT).encode(x=alt.X("behind:Q", axis=None, scale=scale), x2=alt.value(_LABELS))
    bar = base.mark_bar(color=color).encode(x=alt.X("value:Q", axis=None, scale=scale), x2=alt.value(_LABELS))
    figures = base.mark_text(align="left", dx=7, color=INK).encode(x=alt.X("behind:Q", axis=None, scale=scale), text="figure:N")
    return _svg(title, [*([light] if over else []), bar, figures, _names(base)], len(rows) * _ROW)


def pairs(title: str, rows: list[tuple[str, float, float]], unit: str = "%") -> str:
    """Draw two dots a row and the way between them: everyone (grey) against the list (orange).

    Parameters
    ----------
    title : str
        As for `bars`.
    rows : list of (str, float, float)
        Name, value of everyone, value of the list, both 0..1, from top to bottom; at least one.
    unit : str
        Stands behind the hundredths on the scale.

    Returns
    -------
    str
        An ``<svg>`` element.

    Examples
    --------
    >>> "30%" in pairs("Share", [("big", 0.1, 0.55)])
    True
    """
    import altair as alt

    data = [
        {"row": index, "label": _short(label), "everyone": everyone, "listed": listed}
        for index, (label, everyone, listed) in enumerate(rows)
    ]
    height = len(rows) * _ROW
    most = next(end for end in (0.2, 0.4, 0.6, 0.8, 1.0) if end == 1.0 or end >= max(max(row[1:]) for row in rows))
    scale = alt.Scale(domain=[0, most], range=[_LABELS, WIDTH - 26], nice=False)
    marks = [{"x": most * part / 4, "text": f"{most * part * 25:.0f}{unit}"} for part in range(5)]
    ticks = alt.Chart(alt.InlineData(values=marks)).encode(x=alt.X("x:Q", axis=None, scale=scale))
    grid = ticks.mark_rule(color="#e6ebef").encode(y=alt.value(0), y2=alt.value(height))
    numbers = ticks.mark_text(color=MUTED, fontSize=11, baseline="top").encode(y=alt.value(height + 5), text="text:N")
    base = alt.Chart(alt.InlineData(values=data)).encode(y=alt.Y("row:O", axis=None))
    way = base.mark_rule(color=SOFT, strokeWidth=3).encode(x=alt.X("everyone:Q", axis=None, scale=scale), x2="listed:Q")
    everyone = base.mark_circle(color=MUTED, size=70, opacity=1).encode(x=alt.X("everyone:Q", axis=None, scale=scale))
    listed = base.mark_circle(color=ACCENT, size=110, opacity=1).encode(x=alt.X("listed:Q", axis=None, scale=scale))
    return _svg(title, [grid, numbers, way, everyone, listed, _names(base)], height, below=22)


def histogram(title: str, counts: list[tuple[int, int]], step: float, axis: str) -> str:
    """Draw counts over equal steps from 0: all of them lightly, the part on the list strongly.

    Parameters
    ----------
    title : str
        As for `bars`.
    counts : list of (int, int)
        For each step: all, and of those on the list.
    step : float
        Width of a step in the unit of the axis.
    axis : str
        What the axis shows.

    Returns
    -------
    str
        An ``<svg>`` element.

    Examples
    --------
    >>> histogram("Scores", [(5, 0), (3, 2)], 50, "score").startswith("<svg")
    True
    """
    import altair as alt

    height, left, right = 190, 44, WIDTH - 10
    end = step * len(counts)
    most = max([everyone for everyone, _ in counts]) or 1
    data = [
        {"from": index * step, "to": (index + 1) * step, "everyone": everyone, "listed": listed}
        for index, (everyone, listed) in enumerate(counts)
    ]
    x_scale = alt.Scale(domain=[0, end], range=[left, right], nice=False)
    y_scale = alt.Scale(domain=[0, most], range=[height, 0], nice=False)
    base = alt.Chart(alt.InlineData(values=data)).encode(x=alt.X("from:Q", axis=None, scale=x_scale), x2="to:Q")
    marks = [{"x": end * part / 5, "text": f"{end * part / 5:g}"} for part in range(6)]
    levels = [{"y": level, "text": f"{level:,}"} for level in sorted({most // 2, most})]
    below = alt.Chart(alt.InlineData(values=marks)).encode(x=alt.X("x:Q", axis=None, scale=x_scale))
    beside = alt.Chart(alt.InlineData(values=levels)).encode(y=alt.Y("y:Q", axis=None, scale=y_scale))
    layers: list[Any] = [
        beside.mark_rule(color="#e6ebef").encode(x=alt.value(left), x2=alt.value(right)),
        beside.mark_text(color=MUTED, fontSize=11, align="right").encode(x=alt.value(left - 6), text="text:N"),
        *(
            base.mark_bar(color=color, stroke="white", strokeWidth=1).encode(
                y=alt.Y(f"{field}:Q", axis=None, scale=y_scale), y2=alt.value(height)
            )
            for field, color in (("everyone", SOFT), ("listed", STRONG))
        ),
        below.mark_text(color=MUTED, fontSize=11, baseline="top").encode(y=alt.value(height + 5), text="text:N"),
        alt.Chart(alt.InlineData(values=[{"text": axis}]))
        .mark_text(color=MUTED, fontSize=11, baseline="top")
        .encode(x=alt.value((left + right) / 2), y=alt.value(height + 21), text="text:N"),
    ]
    return _svg(title, layers, height, below=38)


def _names(base: Any) -> Any:
    import altair as alt

    return base.mark_text(align="right", color=INK).encode(x=alt.value(_LABELS - 8), text="label:N")


def _svg(title: str, layers: list[Any], height: int, below: int = 0) -> str:
    import altair as alt
    import vl_convert

    padding = {"left": 0, "right": 0, "top": 8, "bottom": below + 2}
    drawn = alt.layer(*layers).properties(width=WIDTH, height=height, padding=padding, autosize=alt.AutoSizeParams(type="none"))
    drawn = drawn.configure(font=FONTS, background="transparent", aria=False).configure_view(stroke=None).configure_text(fontSize=12.5)
    drawn = drawn.resolve_scale(x="independent", y="independent")
    svg = vl_convert.vegalite_to_svg(drawn.to_dict(), allowed_base_urls=[])
    head, rest = svg.split(">", 1)
    box = head.split('viewBox="')[1].split('"')[0]
    rest = re.sub(r'\b(?:d|transform|[xy]2?)="[^"]*"', _rounded, rest.replace(f' font-family="{html.escape(FONTS)}"', ""))
    return f'<svg role="img" aria-label="{html.escape(title)}" viewBox="{box}" font-family="{html.escape(FONTS)}">{rest}'


def _rounded(attribute: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda figure: f"{round(float(figure[0]), 1) + 0:g}", attribute[0])


def _short(label: str, most: int = 22) -> str:
    """Cut a name to the room it has, where Chinese characters take twice as much."""
    room = most
    for place, character in enumerate(label):
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return f"{label[: max(place - 1, 0)]}…"
    return label
