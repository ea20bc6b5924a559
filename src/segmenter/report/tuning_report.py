"""What tuning came to: the weights, what they held, whether to use them, and how."""

import shlex

from segmenter.evaluation.tune import PRESENT, TUNED, Tuning
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.sections import Code, Report, Section, Table, columns, row, text
from segmenter.report.tuning_words import tuning_advice
from segmenter.settings import TuneJob

CONF = "conf"  # in the results folder: `segmenter launch --config-dir FOLDER/conf scoring=tuned`
_NAMES = {TUNED: ("tuned", "调优后"), PRESENT: ("present weights", "现用权重")}


def tuning_report(found: Tuning, settings: TuneJob) -> Report:
    """Say what tuning found, in the launch's language; only a terminal shows it."""
    labels = Labels(settings.lang, settings.launch.currency)
    say = labels.say
    advice = text(tuning_advice(found, settings.lang))
    command = f"segmenter launch --config-dir {shlex.quote(f'{settings.out}/{CONF}')} scoring=tuned"
    use = text(say("To launch with the tuned weights: ", "用调优后的权重启动： "), Code(command))
    return Report(
        kind=say("tuning", "权重调优"),
        eyebrow=say("Tuning: weights that find the right customers", "权重调优：更能找对客户的权重"),
        name=settings.launch.name,
        footer=labels.footer(settings.launch.timezone),
        warnings=tuple(translate(warning, labels.lang) for warning in found.warnings),
        sections=(Section(brief=(_weights(found, settings.launch.name, labels), _shares(found, labels), advice, use)),),
    )


def _weights(found: Tuning, launch: str, labels: Labels) -> Table:
    say, before, after = labels.say, found.present, found.scoring
    weights = after.weights.model_dump()
    rows = (
        row(say("half-life, days", "半衰期（天）"), f"{before.half_life_days:g}", f"{after.half_life_days:g}"),
        *(row(labels.component(name), f"{weight:g}", f"{weights[name]:g}") for name, weight in before.weights.model_dump().items()),
    )
    headings = columns(say("component", "评分项"), *(say(*_NAMES[name]) for name in (PRESENT, TUNED)))
    return Table(headings, rows, title=f"{launch} · {say('weights', '权重')}")


def _shares(found: Tuning, labels: Labels) -> Table:
    say, learned, back = labels.say, len(found.learned_from), len(found.held_back)
    headings = (
        *(say("ranking", "排序方式"), say(f"{learned} dates learned from", f"学习所用的 {learned} 个日期")),
        *(say(f"{back} dates held back", f"留作检验的 {back} 个日期"), say("between", "区间")),
    )
    rows = tuple(
        row(
            say(*_NAMES[name]) if name in _NAMES else name,
            labels.share(before),
            labels.share(after),
            "" if low is None else f"{labels.share(low)}–{labels.share(high)}",
            role="now" if name == TUNED else "",
        )
        for name, before, after, low, high in found.shares.rows()
    )
    days = found.horizon_days
    title = say(f"share of the spend in the {days} days after, top 10%", f"前 10% 客户占之后 {days} 天消费的比例")
    return Table(columns(*headings), rows, title=title)
