"""What a person sees while a launch runs, and when it is done."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from segmenter.launch_plan import LaunchPlan
from segmenter.money import to_units
from segmenter.report.labels import Labels
from segmenter.report.ranking_words import ranking_sentence
from segmenter.settings import LaunchJob
from segmenter.words import Lang, Progress, say, visible

_TOP = 8


class Terminal(Console):
    """Where all words to a person go: text is text, whatever stands in it."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render, with nothing in it that steers a terminal but what Rich itself puts there."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


@contextmanager
def progress(lang: Lang) -> Iterator[Progress]:
    """Show the stages of a job as they run, and how fast rows are read; nothing where standard error is no terminal.

    Parameters
    ----------
    lang : {"en", "zh"}
        The language.

    Yields
    ------
    Progress
        To be called with each stage's name, and a few times a second with the rows done and their number, where those are known.

    Examples
    --------
    >>> with progress("en") as stage:
    ...     stage("orders", 100, 400)
    """
    console = Terminal(stderr=True)
    if not console.is_terminal:
        yield lambda stage, done=0, total=0: None
        return
    with bars.Progress(bars.SpinnerColumn(), _Told(lang), console=console, transient=True) as shown:
        at = say(lang, "starting", "启动")
        task = shown.add_task(at, total=None)

        def tell(stage: str, done: int = 0, total: int = 0) -> None:
            nonlocal at, task
            if stage != at:  # the clock of the rows starts anew
                shown.remove_task(task)
                at, task = stage, shown.add_task(_stage(stage, lang), total=None)
            if total:
                shown.update(task, completed=done, total=total)

        yield tell


class _Told(bars.ProgressColumn):
    """The stage, and its rows."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        super().__init__()

    def render(self, task: bars.Task) -> Text:
        return Text(task.description + _rows(int(task.completed), int(task.total or 0), task.speed, self.lang))


def _rows(done: int, total: int, speed: float | None, lang: Lang) -> str:
    """Say how many rows were read, how fast, and how long the rest will take."""
    if not total:
        return ""
    told = [say(lang, f": {done:,} of {total:,} rows", f"：{done:,} / {total:,} 行")]
    if speed and speed >= 1:
        size, en = next((size, name) for size, name in ((1e6, " M"), (1e3, " k"), (1, "")) if speed >= size)
        zh = f"每秒 {speed / 1e4:,.0f} 万行" if speed >= 1e5 else f"每秒 {speed:,.0f} 行"
        told.append(say(lang, f"{speed / size:.{1 if size > 1 else 0}f}{en} rows/s", zh))
        if seconds := math.ceil((total - done) / speed):
            minutes = math.ceil(seconds / 60)
            en = f"{seconds} s left" if seconds < 100 else f"{minutes} min left"
            told.append(say(lang, en, f"约剩 {seconds} 秒" if seconds < 100 else f"约剩 {minutes} 分钟"))
    return say(lang, ", ", "，").join(told)


def _stage(stage: str, lang: Lang) -> str:
    zh = {
        **{"demo shop": "生成演示店铺", "orders": "读取订单", "customers": "读取客户", "events": "读取互动", "referrals": "读取推荐"},
        **{"columns": "整理字段", "history": "计算指标", "rules": "筛选", "scoring": "评分", "segments": "分群", "planning": "编组"},
        **{"trials": "尝试参数", "writing": "写出结果", "tracking": "记录到 MLflow"},
    }
    return say(lang, stage, zh.get(stage, stage))


def show(plan: LaunchPlan, settings: LaunchJob, *, damaged: Sequence[str] = ()) -> None:
    """Show the funnel, the top of the list, and what to open first.

    Parameters
    ----------
    plan : LaunchPlan
        What was decided.
    settings : LaunchJob
        The config.
    damaged : sequence of str, optional
        What was found damaged on the way; the results are right all the same.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> show(SimpleNamespace(warnings=()), SimpleNamespace(lang="en", out="outputs/demo"))
    outputs/demo
    """
    lang, out = settings.lang, settings.out
    show_warnings((*plan.warnings, *damaged), lang)
    console = Terminal()
    if not console.is_terminal:
        print(visible(str(out)))
        return
    console.print(_funnel(plan, settings))
    console.print(_top(plan, settings))
    counts = plan.counts
    eligible, invited, key_users, groups = (f"{counts[name]:,}" for name in ("eligible", "invited", "key_users", "groups"))
    en = f"{invited} invited of {eligible} eligible, {key_users} key users, {groups} groups; good until {plan.valid_until}"
    zh = f"符合条件 {eligible} 人，邀请 {invited} 人，其中核心用户 {key_users} 人，共 {groups} 个群；名单有效期至 {plan.valid_until}"
    console.print(say(lang, en, zh))
    if held := counts["held_out"]:
        en = f"{held:,} held out, whom nobody should call: what they spend tells what would have come anyway"
        zh = f"留出组 {held:,} 人，请勿联系：他们的消费说明不邀请时本来会有的销售"
        console.print(say(lang, en, zh))
    for sentence in (ranking_sentence(plan.ranking, settings.lang), *plan.notes):
        console.print(sentence)
    if rejected := plan.counts["rejected"]:
        unknown = say(lang, "input rows could not be understood:", "行数据无法识别：")
        console.print(f"{rejected:,}", unknown, f"{out}/rejects.parquet")
    console.print(say(lang, "Open first:", "先打开："), f"{out}/report.html", soft_wrap=True)
    console.print(say(lang, "Hand out:", "分发："), f"{out}/call_sheets/", soft_wrap=True)


def show_warnings(warnings: Iterable[str], lang: Lang) -> None:
    """Show what a person should know, on standard error.

    Parameters
    ----------
    warnings : iterable of str
        One line each.
    lang : {"en", "zh"}
        The language.

    Examples
    --------
    >>> show_warnings([], "en")
    """
    errors = Terminal(stderr=True)
    for warning in warnings:
        errors.print(say(lang, "warning", "注意"), style="bold yellow", end=": ")
        errors.print(warning, highlight=False, soft_wrap=True)


def show_run(run: str | None) -> None:
    """Show where MLflow has the run; nothing where standard output is no terminal.

    Parameters
    ----------
    run : str or None
        As `tracking.track` gives it.

    Examples
    --------
    >>> show_run(None)
    """
    console = Terminal()
    if run is not None and console.is_terminal:
        console.print("MLflow:", run, soft_wrap=True)


def _funnel(plan: LaunchPlan, settings: LaunchJob) -> Table:
    lang, labels = settings.lang, Labels(settings.lang, settings.launch.currency)
    table = Table(title=Text(f"{settings.launch.name} · {settings.launch.as_of}"), title_justify="left")
    table.add_column(say(lang, "rule", "规则"))
    for heading in (say(lang, "removed", "移除"), say(lang, "only by it", "仅因此项"), say(lang, "left", "剩余")):
        table.add_column(heading, justify="right")
    table.add_row(say(lang, "all customers", "全部客户"), "", "", f"{plan.counts['customers']:,}")
    for rule, _, removed, only, left in plan.funnel.rows():
        table.add_row(Text(labels.rule(rule)), f"{removed:,}", f"{only:,}", f"{left:,}")
    return table


def _top(plan: LaunchPlan, settings: LaunchJob) -> Table:
    lang = settings.lang
    table = Table(title=say(lang, f"top {min(_TOP, plan.invite_list.height)} of the list", "名单前列"), title_justify="left")
    headings = {
        "rank": ("rank", "名次"),
        "customer_id": ("customer", "客户"),
        "score": ("score", "评分"),
        "region": ("region", "地区"),
        "spend": ("spend", "消费额"),
        "reason": ("reason", "理由"),
    }
    for name, (en, zh) in headings.items():
        table.add_column(say(lang, en, zh), justify="right" if name in ("rank", "score", "spend") else "left")
    for rank, customer, score, region, spend, reason in (
        to_units(plan.invite_list.head(_TOP), ["spend"], settings.launch.currency).select(list(headings)).rows()
    ):
        table.add_row(str(rank), Text(customer), f"{score:.1f}", Text(region or ""), f"{spend:,}", Text(reason))
    return table
