"""What a person sees when a backtest is done."""

from collections.abc import Sequence

import polars as pl
from rich.table import Table
from rich.text import Text

from segmenter.evaluation.backtest import Backtest
from segmenter.report.backtest_words import ranking, verdict
from segmenter.report.labels import Labels
from segmenter.report.launch_terminal import Terminal, show_warnings
from segmenter.settings import BacktestJob
from segmenter.words import say, visible


def show_backtest(found: Backtest, settings: BacktestJob, *, damaged: Sequence[str] = ()) -> None:
    """Show the rankings side by side, which one to use, and what to open.

    Parameters
    ----------
    found : Backtest
        What the backtest came to.
    settings : BacktestJob
        The config.
    damaged : sequence of str, optional
        What was found damaged on the way; the results are right all the same.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> show_backtest(SimpleNamespace(warnings=()), SimpleNamespace(lang="en", out="outputs/demo_backtest"))
    outputs/demo_backtest
    """
    lang, out = settings.lang, settings.out
    show_warnings((*found.warnings, *damaged), lang)
    console = Terminal()
    if not console.is_terminal:
        print(visible(str(out)))
        return
    console.print(_rankings(found, settings))
    console.print(found.advice, highlight=False)
    console.print(say(lang, "Open:", "打开："), f"{out}/backtest.html", soft_wrap=True)


def _rankings(found: Backtest, settings: BacktestJob) -> Table:
    lang, labels = settings.lang, Labels(settings.lang, settings.launch.currency)
    days, dates = found.horizon_days, len(found.compared)
    said = say(lang, f"{dates} past dates, {days} days after each", f"{dates} 个历史日期，各看之后 {days} 天")
    table = Table(title=Text(f"{settings.launch.name} · {said}"), title_justify="left")
    table.add_column(say(lang, "ranking", "排序方式"))
    size = settings.plan.size
    among = say(lang, f"buyers, top {size}", f"前 {size} 购买率") if isinstance(size, int) else say(lang, "buyers, all", "全部购买率")
    for heading in (say(lang, "spend, top 10%", "前 10% 消费占比"), say(lang, "between", "区间"), say(lang, "lift", "提升"), among):
        table.add_column(heading, justify="right")
    table.add_column(say(lang, "against the recommended", "与推荐方式相比"))
    intervals = {name: (low, high) for name, low, high in found.intervals.select("ranking", "low", "high").rows()}
    means = found.results.filter(pl.col("cut").is_null()).select("ranking", "spend_share_10", "lift_10", "precision_size")
    for name, share, lift, precision in means.rows():
        low, high = intervals.get(name, (None, None))
        between = "" if low is None or high is None else f"{labels.share(low)}–{labels.share(high)}"
        times = "–" if lift is None else f"{lift:.1f}"
        compared = say(lang, "recommended", "推荐") if name == found.recommended else verdict(found, name, labels)[0]
        style = "bold" if name == found.recommended else ""
        table.add_row(Text(ranking(name, lang)), labels.share(share), between, times, labels.share(precision), Text(compared), style=style)
    return table
