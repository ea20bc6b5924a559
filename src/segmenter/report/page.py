"""What the pages share: their look, and that they load nothing."""

from importlib.resources import files

from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.shell_commands import override
from segmenter.words import visible


def page(template: str, labels: Labels, **told: object) -> str:
    """Fill a template that extends ``page.html.j2``.

    Parameters
    ----------
    template : str
        Its file's name beside this module.
    labels : Labels
        The language and the currency.
    **told : object
        What the template says; text is escaped.

    Returns
    -------
    str
        One HTML page.

    Raises
    ------
    jinja2.UndefinedError
        The template names what is not `told`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> "<title>tea · </title>" in page("page.html.j2", Labels("en", "GBP"), launch=SimpleNamespace(name="tea"))
    True
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    loader = FunctionLoader(lambda name: files("segmenter.report").joinpath(name).read_text(encoding="utf-8"))
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, finalize=_shown
    )
    environment.globals["override"] = override
    lang = labels.say("en", "zh-CN")
    return environment.get_template(template).render(t=labels.say, labels=labels, lang=lang, fonts=charts.FONTS, **told)


def _shown(value: object) -> object:
    """Let no text of a shop turn the direction of writing."""
    from markupsafe import Markup

    if isinstance(value, Markup):
        return Markup(visible(value))
    return visible(value) if isinstance(value, str) else value
