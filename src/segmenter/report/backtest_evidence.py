"""What speaks for a backtest's rankings besides their tops: whether expected money came, and what `auto` chose."""

from datetime import date
from typing import Any

import polars as pl

from segmenter.evaluation.backtest import Backtest
from segmenter.evaluation.launch_sales import FEW
from segmenter.report.backtest_tables import Means
from segmenter.report.labels import Labels
from segmenter.report.ranking_words import RANDOM, choice_sentence
from segmenter.report.sections import Cell, Grid, Section, Table, columns, note, row


def claims(found: Backtest, means: Means, labels: Labels) -> list[Section]:
    """Say of each ranking that expects money whether it came; the recommended one first."""
    say = labels.say
    tables = []
    for name in sorted(means, key=lambda name: name != found.recommended):
        bins = found.calibration.filter(ranking=name).sort("bin")
        if bins.height:
            dates = found.results.drop_nulls(["cut", "expected_spend"]).filter(ranking=name).height
            few = "" if dates == len(found.cuts) else say(f" (at {dates} of {len(found.cuts)} dates)", f"（{dates} 个日期）")
            title = f"{name}{few}{say(': ', '：')}{_over_all(means[name], labels)}"
            tables.append((_claim_table(title, bins, max(dates, 1), labels),))
    if not tables:
        return []
    explanation = say(
        f"Some rankings say how much each customer will spend in the {found.horizon_days} days. Here customers are put together by that, "
        "from those of whom most is expected (1) down: what was expected of each on average, and what came.",
        f"有的排序方式会预测每位客户之后 {found.horizon_days} 天的消费额。这里按预期从高（第 1 组）到低分组，对比人均预期与人均实际消费。",
    )
    once = say("Customers are counted once at each date.", "同一客户在每个日期各计一次。") + _carried(found, labels)
    heading = say("Does the expected money come?", "预期的消费额会实现吗？")
    return [Section(heading, (note(explanation), Grid(tuple(tables)), note(once)), whole=False)]


def _claim_table(title: str, bins: pl.DataFrame, dates: int, labels: Labels) -> Table:
    say = labels.say
    enough = bins.filter(pl.col("customers") >= FEW * dates)  # a customer counts once at each date
    per_customer = {number: (expected / count, actual / count) for number, count, expected, actual in enough.drop("ranking").rows()}
    largest = max((max(pair) for pair in per_customer.values()), default=0)

    def bar(amount: float) -> Cell:
        return Cell(labels.money(amount), part=amount / largest if largest > 0 else 0)

    rows = []
    for number, customers in bins.select("bin", "customers").rows():
        if number in per_customer:
            expected, actual = per_customer[number]
            rows.append(row(str(number), labels.number(customers), bar(expected), bar(actual), _signed(expected - actual, labels)))
        else:
            rows.append(row(str(number), labels.number(customers), "–", "–", "–"))
    headings = (
        *(say("Group", "组"), say("Customers", "客户数")),
        *(say("Expected each", "人均预期"), say("Came", "人均实际"), say("Off by", "偏差")),
    )
    return Table(columns(*headings), tuple(rows), title=title, look="tight")


def _signed(difference: float, labels: Labels) -> str:
    amount = labels.money(abs(difference))
    return amount if amount == labels.money(0) else f"{'+' if difference > 0 else '−'}{amount}"


def _over_all(mean: dict[str, Any], labels: Labels) -> str:
    if mean["calibration"] is None:
        return labels.say("over all: cannot be said", "总体：无法判断")
    en, zh = _too_much(mean["calibration"])
    if mean["calibration_10"] is None:
        return labels.say(f"over all, it expects {en}", f"总体上，预期{zh}")
    top_en, top_zh = _too_much(mean["calibration_10"])
    return labels.say(f"over all, it expects {en}; of its top 10%, {top_en}", f"总体上，预期{zh}；其前 10% 客户的预期{top_zh}")


def _too_much(calibration: float) -> tuple[str, str]:
    off = round(100 * (calibration - 1))
    if off == 0:
        return "what came", "与实际一致"
    return f"{abs(off)}% too {'much' if off > 0 else 'little'}", f"比实际{'高' if off > 0 else '低'} {abs(off)}%"


def _carried(found: Backtest, labels: Labels) -> str:
    """Say how far off it would be to expect what was spent in the days before each date."""
    dates = found.results.drop_nulls(["cut", "previous_spend"]).filter(ranking=RANDOM).select("previous_spend", "later_spend").sum()
    before, came = dates.row(0)
    if not before or came is None or came <= 0:
        return ""
    (en, zh), days = _too_much(before / came), found.horizon_days
    en = f" For comparison, to expect what the customers had spent in the {days} days before would have been to expect {en}."
    return labels.say(en, f"作为对照：若直接沿用此前 {days} 天的消费额，预期会{zh}。")


def choices_in_words(found: Backtest, labels: Labels) -> pl.DataFrame:
    """Say what `auto` chose at each cut: ``cut``, ``choice``, ``why``."""
    rows: list[tuple[date, str, str]] = []
    for choice in found.choices.to_dicts():
        cut, name, trials = (choice.pop(key) for key in ("cut", "choice", "trials"))
        rows.append((cut, name, choice_sentence(name, choice, trials, labels.lang)))
    return pl.DataFrame(rows, {"cut": pl.Date, "choice": pl.String, "why": pl.String}, orient="row")


def choices(found: Backtest, labels: Labels) -> list[Section]:
    """Show what `auto` chose at each date, and why; nothing without it."""
    if found.choices.is_empty():
        return []
    say = labels.say
    rows = tuple(row(str(cut), choice, why) for cut, choice, why in choices_in_words(found, labels).rows())
    table = Table(columns(say("Date", "日期"), say("Choice", "选择"), say("Why", "依据"), left=(0, 1, 2)), rows)
    explanation = say("At each date it saw only what lay before it.", "每个日期只使用此前的数据。")
    return [Section(say("What auto chose", "auto 每次的选择"), (note(explanation), table))]
