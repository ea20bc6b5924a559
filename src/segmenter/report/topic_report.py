"""What customers buy and do, and how alike groups are in it, as a section of a launch's report."""

from typing import TYPE_CHECKING

import polars as pl

from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.sections import Cell, Section, Table, columns, note, row

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

_GROUPS = 40  # shown


def topics(plan: "LaunchPlan", eligible: pl.DataFrame, labels: Labels) -> list[Section]:
    """Show the topics, with what their customers buy most of, and the focus of the groups."""
    if plan.topics is None:
        return []
    say, number = labels.say, labels.number
    counted = eligible.group_by("topic").agg(pl.len(), pl.col("invited").sum())
    there = {topic: (many, invited) for topic, many, invited in counted.rows()}
    rows = []
    for topic, _, strength, *bought in plan.topics.profiles.rows():
        most = [f"{name} {labels.share(share)}" for name, share in zip(bought[::2], bought[1::2], strict=True) if name is not None]
        name = Cell(topic, small=say(", ", "、").join(most))
        rows.append(row(name, *map(number, there.get(topic, (0, 0))), labels.share(strength)))
    if None in there:
        rows.append(row(say("Nothing known", "尚无可知"), *map(number, there.get(None, (0, 0))), ""))
    headings = (
        *(say("Topic, and what is bought most", "主题及主要品类"), say("Eligible", "符合条件"), say("Invited", "邀请")),
        say("How strongly", "专注程度"),
    )
    about = say(
        " How strongly: the share of the topic's own categories in what a customer of it buys, in the middle of all.",
        "。专注程度：该主题客户的消费中，属于本主题品类的占比（中位数）。",
    )
    table = Table(columns(*headings), tuple(rows))
    why = note(translate(plan.topics.why, labels.lang) + say(".", "") + about)
    return [Section(say("Topics", "主题"), (why, table, *_focus(plan.groups, labels)))]


def _focus(groups: pl.DataFrame, labels: Labels) -> list[Table]:
    known = groups.filter(pl.col("focus").is_not_null())
    if known.is_empty():
        return []
    say = labels.say
    rows = []
    for group, size, focus, by_chance, above in (
        known.head(_GROUPS).select("group", "size", "focus", "focus_by_chance", "focus_above").rows()
    ):
        cell = Cell(f"{focus:.2f}", trend="up" if above == 1 else "down" if above == 0 else "")
        rows.append(row(group, labels.number(size), cell, f"{by_chance:.2f}"))
    headings = (say("Group", "社群"), say("Invitations", "邀请人数"), say("Focus", "集中度"), say("By chance", "随机"))
    under = say(
        "Focus: how alike two members are on average in what they buy; 0: in nothing, 1: in all. By chance: random groups of the same size "
        "and regions; ▲ more than all 20 of them, ▼ less.",
        "集中度：群内任意两位成员购买品类的平均相似度，0 为毫无共同，1 为完全相同。随机：同规模、同地区随机组成的群；"
        "▲ 高于全部 20 个随机群，▼ 低于全部。",
    )
    more = known.height - len(rows)
    further = (say("And {} more, in groups.csv.", "另有 {} 个社群，见 groups.csv。").format(labels.number(more)),) if more else ()
    title = say("How much the members of a group have in common", "群内成员的共同点")
    return [Table(columns(*headings), tuple(rows), title, under=(under, *further))]
