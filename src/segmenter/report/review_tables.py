"""The tables of a review: who spent what, how the lift was estimated, and who answered what."""

from typing import Any

import polars as pl

from segmenter.evaluation.acceptance import OVER
from segmenter.evaluation.lift import Estimate, Lift
from segmenter.evaluation.review import Review
from segmenter.report.labels import Labels
from segmenter.report.review_words import COHORT_WORDS, METHOD_WORDS, OVER_WORDS, THEME_WORDS, hide_few, name_value
from segmenter.report.sections import Cell, Row, Table, columns, row

_ROWS = 12  # of each table of answers; acceptance.csv has them all
_SOME = 30  # asked: a larger share of fewer would make all other bars short


def say_money(minor: float, labels: Labels) -> str:
    """Write an amount that may be a loss."""
    return labels.money(minor).replace("-", "−")


def say_range(estimate: Estimate, labels: Labels) -> str:
    """Write the ends of an estimate's interval, over all customers invited."""
    return labels.say("{} to {}", "{} 至 {}").format(say_money(estimate.total_low, labels), say_money(estimate.total_high, labels))


def cohort_table(review: Review, labels: Labels) -> Table:
    """Show what those who joined, were invited and were held out spent since the launch."""
    day = labels.say(f"day {review.days} of {review.launch.horizon_days}", f"第 {review.days} / {review.launch.horizon_days} 天")
    rows = []
    for name, customers, buyers, _, sales in review.cohorts.rows():
        if name == "joined" and review.progress.state == "unknown":
            continue
        share, mean = (buyers / customers, sales / customers) if customers else (None, None)
        money = (labels.money(hide_few(customers, minor)) for minor in (sales, mean))
        rows.append(row(labels.say(*COHORT_WORDS[name]), f"{customers:,}", labels.share(share), *money))
    say = labels.say
    headings = columns("", say("customers", "客户数"), say("bought", "购买率"), say("sales", "消费额"), say("each", "人均"))
    return Table(headings, tuple(rows), title=f"{review.launch.name} · {review.launch.as_of} · {day}")


def sum_table(review: Review, labels: Labels) -> Table:
    """Show what invited and held out spent before the launch and since."""
    say = labels.say
    sums = review.uplift.group_by("invited").agg(
        pl.len().alias("customers"), (pl.col("orders") > 0).sum().alias("buyers"), pl.col("before", "spend").sum()
    )
    rows = []
    for arm in sums.sort("invited", descending=True).to_dicts():
        customers = arm["customers"]
        before, since, total = (hide_few(customers, minor) for minor in (arm["before"] / customers, arm["spend"] / customers, arm["spend"]))
        rows.append(
            row(
                say(*COHORT_WORDS["invited" if arm["invited"] else "held_out"]),
                labels.number(customers),
                labels.money(before),
                labels.share(arm["buyers"] / customers),
                Cell(labels.money(since), small=f"{say('in all', '共')} {labels.money(total)}"),
            )
        )
    headings = columns(
        "",
        say("Customers", "客户数"),
        say("Spent before, each", "此前人均消费"),
        say("Bought since", "活动后购买率"),
        say("Spent since, each", "活动后人均消费"),
    )
    return Table(headings, tuple(rows), look="tight")


def estimate_table(lift: Lift, labels: Labels) -> Table:
    """Show all estimates of a lift, the one that is used marked."""
    say = labels.say
    rows = tuple(
        row(
            say(*METHOD_WORDS[estimate.method]),
            say_money(estimate.total, labels),
            say_range(estimate, labels),
            f"{estimate.p:.3f}" if estimate.p >= 0.0005 else "< 0.001",
            role="now" if estimate is lift.best else "",
        )
        for estimate in lift.estimates
    )
    under = say("The marked one is used. Which one, was fixed beforehand.", "采用标出的一项；用哪一项是事先定好的。")
    if lift.measured == "total":
        en = f" Whole regions were held out: {lift.regions_held_out} of {lift.regions}."
        under += say(en, f" 整个地区留出：{lift.regions} 个地区中留出 {lift.regions_held_out} 个。")
    headings = columns(say("Estimate", "估计方法"), say("Brought", "带来"), say("95% interval", "95% 区间"), "p")
    return Table(headings, rows, look="tight", under=(under,))


def answer_tables(review: Review, labels: Labels) -> list[Table]:
    """Show who accepted, by wave, agent, ..., where there is more than one."""
    most = max(review.acceptance.filter(pl.col("asked") >= _SOME)["share"].drop_nulls(), default=0) or 1
    counts = {name: sorted(review.acceptance.filter(over=name).select("asked", "joined", "refused").rows()) for name in OVER}
    pairs = (
        ("Share", "加入率"),
        ("Asked", "已联系"),
        ("Reached", "已接通"),
        ("Joined", "加入"),
        ("Agreed", "答应"),
        ("Refused", "拒绝"),
        ("Open", "待记录"),
    )
    headings = columns("", *(labels.say(*pair) for pair in pairs))
    tables = []
    for name in OVER:
        part = review.acceptance.filter(over=name)
        if part.is_empty() or (name == "group" and counts["group"] == counts["region"]):  # regions of one group each
            continue
        shown = part.head(_ROWS) if name == "wave" else part.sort("asked", descending=True, maintain_order=True).head(_ROWS)
        rows = tuple(_answer_row(name, values, most, labels) for values in shown.to_dicts())
        more = part.height - len(rows)
        under = (labels.say(f"and {more} more in acceptance.csv", f"另有 {more} 行见 acceptance.csv"),) if more else ()
        tables.append(Table(headings, rows, title=labels.say(*OVER_WORDS[name]), look="tight", under=under))
    return tables


def _answer_row(name: str, values: dict[str, Any], most: float, labels: Labels) -> Row:
    share = values["share"]
    between = "" if share is None else f"{labels.share(values['low'])}–{labels.share(values['high'])}"
    return row(
        Cell(name_value(name, values["value"], labels), small=between),
        Cell(labels.share(share), part=(share or 0) / most),
        *(labels.number(values[key]) for key in ("asked", "reached", "joined", "agreed", "refused", "open")),
    )


def reason_table(review: Review, labels: Labels) -> list[Table]:
    """Count the themes of why customers refused; what agents wrote stays in their sheets."""
    most = max(review.reasons["customers"], default=1)
    rows = tuple(
        row(labels.say(*THEME_WORDS[reason]), Cell(labels.number(customers), part=customers / most), labels.number(for_good))
        for reason, customers, for_good in review.reasons.rows()
    )
    say = labels.say
    headings = columns(say("Reason", "原因"), say("Customers", "客户数"), say("For good", "不再联系"))
    return [Table(headings, rows, title=say("Why others refused", "拒绝的原因"), look="tight")] if rows else []
