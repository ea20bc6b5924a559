"""What a person sees in a terminal while a job runs, and when it is done."""

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from threading import Lock
from typing import TextIO

import rich.table
from rich import progress as bars
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text as Plain

from segmenter.report.language import say, translate
from segmenter.report.sections import Code, Report, Table
from segmenter.run_log import stages, warn
from segmenter.words import Lang, Progress, visible

_STAGES = {
    **{
        "demo shop": "生成演示店铺",
        "orders": "读取订单",
        "customers": "读取客户",
        "events": "读取互动",
        "referrals": "读取推荐",
        "applicants": "读取报名",
        "visits": "读取访问",
        "ties": "读取人脉",
    },
    **{
        "columns": "整理字段",
        "history": "计算指标",
        "rules": "筛选",
        "scoring": "评分",
        "segments": "分群",
        "planning": "编组",
        "simulating": "模拟",
    },
    **{"trials": "尝试参数", "writing": "写出结果", "tracking": "记录到 MLflow"},
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_STYLES = {"now": "bold", "sum": "bold", "end": "dim", "": ""}


class Terminal(Console):
    """Where all words to a person go: text is text, whatever stands in it."""

    def __init__(self, *, stderr: bool = False, file: TextIO | None = None) -> None:
        super().__init__(stderr=stderr, file=file, markup=False, emoji=False, force_jupyter=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render, with nothing in it that steers a terminal but what Rich itself puts there."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def show(report: Report, out: Path, lang: Lang, *, damaged: Iterable[str] = ()) -> None:
    """Show what is brief in a report; where standard output is no terminal, only where the results are.

    `damaged` is what was found damaged on the way while the results are right: no part of the report.
    """
    show_warnings(report.obstacles, (*report.warnings, *damaged), lang)
    if Terminal().is_terminal:
        show_brief(report)
    else:
        print(visible(str(out)))


def show_warnings(obstacles: Iterable[str], warnings: Iterable[str], lang: Lang) -> None:
    """Show what keeps a plan from being carried out, and what else a person should know."""
    obstacles, warnings, errors = tuple(obstacles), tuple(warnings), Terminal(stderr=True)
    for kind, messages in (("obstacle", obstacles), ("warning", warnings)):
        for message in messages:
            warn(kind, message)
    said = [(say(lang, "falls short", "方案不足"), "bold red", text) for text in obstacles]
    said += [(say(lang, "warning", "注意"), "bold yellow", text) for text in warnings]
    for kind, style, warning in said:
        errors.print(kind, style=style, end=": ")
        errors.print(translate(warning, lang), highlight=False, soft_wrap=True)


def brief_text(report: Report) -> str:
    """Give what is brief in a report as text."""
    written = StringIO()
    show_brief(report, Terminal(file=written))
    return written.getvalue()


def show_brief(report: Report, console: Terminal | None = None) -> None:
    """Show what is brief in a report."""
    console = console or Terminal()
    for section in report.sections:
        for block in section.brief:
            if isinstance(block, Table):
                console.print(_table(block))
            else:
                console.print(str(block), highlight=False, soft_wrap=any(isinstance(part, Code) for part in block.parts))


def _table(table: Table) -> rich.table.Table:
    shown = rich.table.Table(title=Plain(table.title) if table.title else None, title_justify="left")
    for at, column in enumerate(table.columns):
        dated = any(_DATE.fullmatch(row.cells[at].text) for row in table.rows)
        # Folded, as an ellipsis would cost text where a blank does not fit behind wide characters.
        shown.add_column(Plain(column.heading), justify=column.align, min_width=10 if dated else None, overflow="fold")
    for row in table.rows:
        shown.add_row(*(Plain(cell.text) for cell in row.cells), style=_STYLES[row.role])
    return shown


def show_run(run: str | None) -> None:
    """Show where MLflow has the run; nothing where standard output is no terminal."""
    console = Terminal()
    if run is not None and console.is_terminal:
        console.print("MLflow:", run, soft_wrap=True)


@contextmanager
def progress(lang: Lang) -> Iterator[Progress]:
    """Show the stages of a job as they run, and how fast rows are read; nothing where standard error is no terminal."""
    console = Terminal(stderr=True)
    if not console.is_terminal:
        with stages() as turn:
            yield lambda stage, done=0, total=0: turn(stage)
        return
    with stages() as turn, bars.Progress(bars.SpinnerColumn(), _StageColumn(lang), console=console, transient=True) as shown:
        at, one_at_a_time = say(lang, "starting", "启动"), Lock()
        task = shown.add_task(at, total=None)

        def update(stage: str, done: int = 0, total: int = 0) -> None:
            nonlocal at, task
            turn(stage)
            with one_at_a_time:  # stages come from several threads
                if stage != at:  # the clock of the rows starts anew
                    shown.remove_task(task)
                    at, task = stage, shown.add_task(say(lang, stage, _STAGES.get(stage, stage)), total=None)
                if total:
                    shown.update(task, completed=done, total=total)

        yield update


class _StageColumn(bars.ProgressColumn):
    """The stage, and its rows."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        super().__init__()

    def render(self, task: bars.Task) -> Plain:
        return Plain(task.description + _rows(int(task.completed), int(task.total or 0), task.speed, self.lang))


def _rows(done: int, total: int, speed: float | None, lang: Lang) -> str:
    """Say how many rows were read, how fast, and how long the rest will take."""
    if not total:
        return ""
    said = [say(lang, f": {done:,} of {total:,} rows", f"：{done:,} / {total:,} 行")]
    if speed and speed >= 1:
        size, en = next((size, name) for size, name in ((1e6, " M"), (1e3, " k"), (1, "")) if speed >= size)
        zh = f"每秒 {speed / 1e4:,.0f} 万行" if speed >= 1e5 else f"每秒 {speed:,.0f} 行"
        said.append(say(lang, f"{speed / size:.{1 if size > 1 else 0}f}{en} rows/s", zh))
        if seconds := math.ceil((total - done) / speed):
            minutes = math.ceil(seconds / 60)
            en = f"{seconds} s left" if seconds < 100 else f"{minutes} min left"
            said.append(say(lang, en, f"约剩 {seconds} 秒" if seconds < 100 else f"约剩 {minutes} 分钟"))
    return say(lang, ", ", "，").join(said)
