"""A report as one HTML page that loads nothing."""

from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.sections import Block, Column, Report
from segmenter.report.shell_commands import override
from segmenter.words import Lang, visible

if TYPE_CHECKING:
    from jinja2 import Environment


def render_page(report: Report, lang: Lang) -> str:
    """Give the page; the same for the same report."""
    return _environment().get_template("page.html.j2").render(report=report, lang=_html_lang(lang), fonts=charts.FONTS)


def page(template: str, labels: Labels, **told: object) -> str:
    """Fill a template that extends ``page.html.j2``."""
    filled = _environment().get_template(template)
    return filled.render(t=labels.say, labels=labels, lang=_html_lang(labels.lang), fonts=charts.FONTS, **told)


def _html_lang(lang: Lang) -> str:
    return "zh-CN" if lang == "zh" else "en"


def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    loader = FunctionLoader(lambda name: files("segmenter.report").joinpath(name).read_text(encoding="utf-8"))
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, finalize=_shown
    )
    environment.globals |= {"override": override, "shape_of": _shape, "runs": _runs}
    return environment


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
