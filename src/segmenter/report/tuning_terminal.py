"""What a person sees when tuning is done."""

import shlex
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from segmenter.evaluation.tune import PRESENT, TUNED, Tuned
from segmenter.report.labels import Labels
from segmenter.report.launch_terminal import Terminal, show_warnings
from segmenter.report.tuning_files import CONF
from segmenter.settings import TuneJob
from segmenter.words import say, visible

_NAMES = {TUNED: ("tuned", "调优后"), PRESENT: ("present weights", "现用权重")}


def show_tuning(found: Tuned, settings: TuneJob, *, damaged: Sequence[str] = ()) -> None:
    """Show the weights, what they held, whether to use them, and how.

    Parameters
    ----------
    found : Tuned
        What tuning came to.
    settings : TuneJob
        The config.
    damaged : sequence of str, optional
        What was found damaged on the way; the results are right all the same.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> show_tuning(SimpleNamespace(warnings=()), SimpleNamespace(lang="en", out="outputs/demo_tune"))
    outputs/demo_tune
    """
    lang, out = settings.lang, settings.out
    show_warnings((*found.warnings, *damaged), lang)
    console = Terminal()
    if not console.is_terminal:
        print(visible(str(out)))
        return
    console.print(_weights(found, settings))
    console.print(_shares(found, settings))
    console.print(found.advice, highlight=False)
    command = f"segmenter launch --config-dir {shlex.quote(f'{out}/{CONF}')} scoring=tuned"
    console.print(say(lang, "To launch with the tuned weights:", "用调优后的权重启动："), command, highlight=False, soft_wrap=True)


def _weights(found: Tuned, settings: TuneJob) -> Table:
    lang, labels = settings.lang, Labels(settings.lang, settings.launch.currency)
    table = Table(title=Text(f"{settings.launch.name} · {say(lang, 'weights', '权重')}"), title_justify="left")
    table.add_column(say(lang, "component", "评分项"))
    for name in (PRESENT, TUNED):
        table.add_column(say(lang, *_NAMES[name]), justify="right")
    present, tuned = found.present, found.scoring
    table.add_row(
        say(lang, "half-life, days", "半衰期（天）"), f"{present.half_life_days:g}", f"{tuned.half_life_days:g}", end_section=True
    )
    after = tuned.weights.model_dump()
    for name, weight in present.weights.model_dump().items():
        table.add_row(Text(labels.component(name)), f"{weight:g}", f"{after[name]:g}")
    return table


def _shares(found: Tuned, settings: TuneJob) -> Table:
    lang, labels = settings.lang, Labels(settings.lang, settings.launch.currency)
    title = say(
        lang,
        f"share of the spend in the {found.horizon_days} days after, top 10%",
        f"前 10% 客户占之后 {found.horizon_days} 天消费的比例",
    )
    table = Table(title=Text(title), title_justify="left")
    table.add_column(say(lang, "ranking", "排序方式"))
    learned, back = len(found.learned_from), len(found.held_back)
    for heading in (
        say(lang, f"{learned} dates learned from", f"学习所用的 {learned} 个日期"),
        say(lang, f"{back} dates held back", f"留作检验的 {back} 个日期"),
        say(lang, "between", "区间"),
    ):
        table.add_column(heading, justify="right")
    for name, before, after, low, high in found.shares.rows():
        between = "" if low is None else f"{labels.share(low)}–{labels.share(high)}"
        shown = say(lang, *_NAMES[name]) if name in _NAMES else name
        table.add_row(Text(shown), labels.share(before), labels.share(after), between, style="bold" if name == TUNED else "")
    return table
