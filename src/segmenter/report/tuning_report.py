"""What tuning came to: the weights, what they held, whether to use them, and how."""

from collections.abc import Sequence

from segmenter.evaluation.tune import PRESENT, TUNED, Tuning
from segmenter.report.labels import Labels
from segmenter.report.language import Lang, say, told
from segmenter.report.sections import Advice, Code, Report, Section, Steps, Table, columns, lead, marked, note, row, text
from segmenter.report.shell_commands import next_command
from segmenter.settings import TuneJob

CONF = "conf"  # in the results folder: `segmenter launch --config-dir FOLDER/conf scoring=tuned`
_NAMES = {TUNED: ("tuned", "调优后"), PRESENT: ("present weights", "现用权重")}


def tuning_report(found: Tuning, settings: TuneJob, typed: Sequence[str] = ()) -> Report:
    """Say what tuning found, in the launch's language. `typed` is what the user gave the job."""
    labels = Labels(settings.lang, settings.launch.currency)
    say = labels.say
    conf, dropped = f"{settings.out.as_posix()}/{CONF}", dict.fromkeys(("tune.", "backtest.", "rankings.", "scoring.", "out"))
    if any(word.startswith("--config-dir") for word in typed):  # there can be but one
        command = next_command("launch", typed, {**dropped, "scoring": "tuned", "hydra.searchpath": [conf]})
    else:
        command = next_command("launch", [f"--config-dir={conf}", *typed], {**dropped, "scoring": "tuned"})
    use = text(say("To launch with the tuned weights: ", "用调优后的权重启动： "), Code(command))
    weights, shares = _weights(found, settings.launch.name, labels), _shares(found, labels)
    limits = note(
        say(
            "What was learned from earlier dates is judged by later ones, which it did not see: only they show whether it helped.",
            "权重只用较早的日期学习，再用较晚的、未参与学习的日期检验：是否有用，以后者为准。",
        )
    )
    opened = marked(say("Open: `{out}/tune.html`", "打开： `{out}/tune.html`"), out=str(settings.out))
    return Report(
        kind=say("tuning", "权重调优"),
        eyebrow=say("Tuning: weights that find the right customers", "权重调优：更能找对客户的权重"),
        name=settings.launch.name,
        topic=settings.launch.topic or "",
        footer=labels.footer(settings.launch.timezone),
        advice=Advice(lead(tuning_advice(found, settings.lang)), "good" if found.helped else "attention"),
        caution=say("Before you believe it", "解读前请注意"),
        warnings=tuple(told(warning, labels.lang) for warning in found.warnings),
        sections=(
            Section(say("Did it help?", "是否有用"), (limits, shares)),
            Section(say("Weights", "权重"), (weights,)),
            Section(say("What to do next", "下一步"), (Steps((use,)),)),
            Section(brief=(weights, shares, text(tuning_advice(found, settings.lang)), use, opened)),
        ),
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


def tuning_advice(found: Tuning, lang: Lang) -> str:
    """Say whether to use the tuned weights, by the dates that were held back."""
    shares: dict[str, float | None] = dict(found.shares.select("ranking", "held_back").rows())
    current, dates, days = found.current, len(found.held_back), found.horizon_days
    kept = say(lang, "the present weights", "现用权重") if current == PRESENT else current
    tuned, present = shares[TUNED], shares[current]
    if tuned is None or present is None:
        en = f"Keep {kept}: whether tuning helps cannot be said, as the eligible customers spent nothing after the dates held back."
        return say(lang, en, f"请保留{kept}：在留作检验的日期之后，符合条件的客户均无消费，无法判断调优是否有用。")
    on = "On the date held back" if dates == 1 else f"On the {dates} dates held back"
    if found.scoring == found.present and current == PRESENT:
        en = (
            f"Keep the present weights: no trial held more at the dates learned from. {on}, the 10 % whom they "
            f"put first spent {present:.1%} of everything in the {days} days after"
        )
        zh = (
            f"请保留现用权重：在学习所用的日期上，没有任何一次尝试更好。在留作检验的 {dates} 个日期，其排在最前的 10% 客户"
            f"在之后 {days} 天内贡献了 {present:.1%} 的消费"
        )
        return say(lang, en, zh) + _better(shares, PRESENT, lang)
    difference, low, high = found.differences.filter(against=current).select("difference", "low", "high").row(0)
    if found.helped:
        verdict = say(lang, "Use the tuned weights", "建议采用调优后的权重")
    elif difference > 0:
        en = f"Keep {kept}, or try the tuned weights: it is not clear that they are better"
        verdict = say(lang, en, f"可保留{kept}，也可试用调优后的权重：是否更好尚不明确")
    else:
        verdict = say(lang, f"Keep {kept}: tuning did not help", f"请保留{kept}：调优没有帮助")
    en = (
        f"{verdict}. {on}, the 10 % whom the tuned weights put first spent {tuned:.1%} of everything in the "
        f"{days} days after, those of {kept} {present:.1%}"
    )
    zh = (
        f"{verdict}。在留作检验的 {dates} 个日期，调优后的权重排在最前的 10% 客户在之后 {days} 天内贡献了 {tuned:.1%} 的消费，"
        f"{kept}为 {present:.1%}"
    )
    return say(lang, en, zh) + _difference(difference, low, high, lang) + _better(shares, TUNED if found.helped else current, lang)


def _difference(difference: float, low: float | None, high: float | None, lang: Lang) -> str:
    """Give the difference in points of the share."""
    points = _points(difference)
    if low is None or high is None:
        return say(lang, f" ({points} points, on too few customers to be sure)", f"（相差 {points} 个百分点，涉及客户太少，无法确定）")
    en = f" ({points} points, between {_points(low)} and {_points(high)})"
    return say(lang, en, f"（相差 {points} 个百分点，区间 {_points(low)} 至 {_points(high)}）")


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _better(shares: dict[str, float | None], advised: str, lang: Lang) -> str:
    """Name a ranking that held more than the one advised, should there be one."""
    known = {name: share for name, share in shares.items() if share is not None}
    best = max(known, key=lambda name: known[name])
    if best == TUNED or known[best] <= known[advised]:
        return say(lang, ".", "。")
    en = f"; {best} held more there, {known[best]:.1%}: compare them with `segmenter backtest`."
    return say(lang, en, f"；{best} 在这些日期更高，为 {known[best]:.1%}，可用 segmenter backtest 进一步比较。")
