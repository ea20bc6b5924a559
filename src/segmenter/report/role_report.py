"""Who does what for the community, as a section of a launch's report."""

from typing import TYPE_CHECKING

import polars as pl

from segmenter.report.labels import Labels
from segmenter.report.sections import Cell, Section, Table, columns, row
from segmenter.roles import HOLDS, REFERRAL, counted_kinds
from segmenter.scoring.components import event_count
from segmenter.settings import CoreSettings
from segmenter.settings.role_points import MEMBER, ROLE

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

# What the usual kinds of events are called, before a number.
_KINDS = {
    "answer": ("answers", "答疑"),
    "solution": ("solutions", "解决问题"),
    "idea": ("ideas", "建议"),
    "feedback": ("feedback", "反馈"),
    "test": ("tests", "试用"),
    REFERRAL: ("friends brought", "带来好友"),
    "share": ("shares", "分享"),
    "post": ("posts", "发文"),
    "review": ("reviews", "评价"),
    "photo": ("photos", "晒图"),
    "campaign": ("campaigns", "参加活动"),
    "meetup": ("meetups", "参加聚会"),
    "speak": ("messages", "发言"),
}


def roles(plan: "LaunchPlan", eligible: pl.DataFrame, settings: CoreSettings, labels: Labels) -> list[Section]:
    """Count who holds each role and what they did, and say where they are enough for a community of their own; not where nobody did."""
    say, number, launch = labels.say, labels.number, settings.launch
    if not any((eligible[f"{ROLE}{name}"] > 0).any() for name in settings.roles):
        return []
    counts = {kind: count for kind in counted_kinds(settings) if (count := event_count(eligible, kind)) is not None}
    joins = plan.invite_list["join_chance"].mean()
    chance = joins if isinstance(joins, float) else settings.plan.join_chance
    rows = []
    for name, worth in settings.roles.items():
        holds = pl.col(f"{ROLE}{name}") >= HOLDS
        holders = eligible.filter(holds)
        done = {kind.lower(): holders.select(counts[kind.lower()].sum()).item() for kind in worth if kind.lower() in counts}
        points = {kind.lower(): each * done.get(kind.lower(), 0) for kind, each in worth.items()}
        most = [kind for kind in sorted(points, key=lambda kind: -points[kind])[:2] if points[kind]]
        did = say(", ", "、").join(f"{say(*_KINDS.get(kind, (kind, kind)))} {number(done[kind])}" for kind in most)
        joining = round(holders.height * chance)
        few = say("no: about {} would join", "不够：预计约 {} 人入群").format(number(joining))
        enough = say("yes", "够") if joining >= settings.plan.smallest else few
        rows.append(row(Cell(labels.role(name), small=did), number(holders.height), number(holders["invited"].sum()), enough))
    none = eligible.filter(pl.col("role").is_null())
    rows.append(row(labels.role(MEMBER), number(none.height), number(none["invited"].sum()), "", role="sum"))
    own = say("Enough for a group of their own", "是否够单独建群")
    headings = (say("Role", "角色"), say("Eligible", "符合条件"), say("Invited", "邀请"), own)
    under = [
        say(
            "Who holds a role has {} points for it or more, each event's halved every {} days, and is among the {} with most; "
            "some hold several.",
            "某角色的积分达到 {} 分（每次互动的分值每 {} 天减半），且排在前 {}，即具备该角色；一人可具备多个。",
        ).format(f"{launch.role_points:g}", f"{settings.scoring.half_life_days:g}", labels.share(launch.role_share)),
        say(
            "Members that a group needs: {} (plan.smallest). A community of one role and nobody else: launch.role=NAME.",
            "一个群至少需要 {} 人（plan.smallest）。只邀请某一角色的客户：launch.role=NAME。",
        ).format(number(settings.plan.smallest)),
    ]
    idle = sorted(kind for kind in counted_kinds(settings) if kind not in counts or not eligible.select(counts[kind].sum()).item())
    if idle:
        under.append(say("Nobody eligible did any of these: {}.", "符合条件的客户都没有以下互动：{}。").format(say(", ", "、").join(idle)))
    table = Table(columns(*headings, left=(0, 3)), tuple(rows), under=tuple(under))
    return [Section(say("Roles: who does what for the others", "角色：谁为社群做什么"), (table,))]
