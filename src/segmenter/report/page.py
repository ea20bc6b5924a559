"""A report as one HTML page that loads nothing."""

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from itertools import groupby

from segmenter.report import charts
from segmenter.report.language import say
from segmenter.report.sections import Block, Column, Report
from segmenter.words import Lang, visible


def render_page(report: Report, lang: Lang) -> str:
    """Give the page; the same for the same report. Its charts are drawn at once, in the end."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, finalize=_shown
    )
    wanted: list[charts.Chart] = []

    def place(chart: charts.Chart) -> Markup:
        wanted.append(chart)
        return Markup(f"<!--chart {len(wanted) - 1}-->")

    environment.globals |= {"shape_of": _shape, "runs": _runs, "place": place}
    environment.tests["date"] = re.compile(r"\d{4}-\d\d-\d\d\*?").fullmatch
    template, script = environment.get_template("page.html.j2"), _read("page.js")
    allowed = b64encode(sha256(script.encode()).digest()).decode()  # no other script runs, whatever a shop's tables hold
    code = "zh-CN" if lang == "zh" else "en"
    page = template.render(report=report, lang=code, fonts=charts.FONTS, script=script, allowed=allowed, **_words(lang))
    drawn = charts.draw(wanted)
    return re.sub(r"<!--chart (\d+)-->", lambda at: drawn[int(at[1])], page)


def _words(lang: Lang) -> dict[str, str]:
    """Give what the script says; it fills in how many rows are left, of how many."""
    return {"search": say(lang, "Search", "搜索"), "found": say(lang, "{left} of {all} rows", "{left} / {all} 行")}


def _read(name: str) -> str:
    return files("segmenter.report").joinpath(name).read_text(encoding="utf-8")


def _shape(block: Block) -> str:
    return type(block).__name__.lower()


def _runs(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """Give each shared heading with the number of columns below it."""
    return [(over, len(list(shared))) for over, shared in groupby(columns, lambda column: column.over)]


def _shown(value: object) -> object:
    """Let no text of a shop turn the direction of writing."""
    from markupsafe import Markup

    if isinstance(value, Markup):
        return Markup(visible(value))
    return visible(value) if isinstance(value, str) else value
