"""What a launch came to, for a marketing lead to read, print and pass on; customer ids are for the terminal only."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import polars as pl

from segmenter.findings import Finding
from segmenter.money import to_units
from segmenter.report import launch_choice, launch_makeup, launch_origin
from segmenter.report.event_calendar import calendar
from segmenter.report.finding_words import finding_sections
from segmenter.report.key_user_report import key_users
from segmenter.report.labels import Labels, ratio
from segmenter.report.language import told, translate
from segmenter.report.launch_verdict import grounds, outlook, verdict, who_when
from segmenter.report.ranking_words import ranking_sentence
from segmenter.report.role_report import roles
from segmenter.report.sections import Fact, Report, Section, Steps, Table, columns, marked, row, text
from segmenter.report.segment_moves import continuation
from segmenter.report.shell_commands import commit_command, next_command, review_command
from segmenter.report.topic_report import topics
from segmenter.report.uplift_report import uplift
from segmenter.rules import ELIGIBLE
from segmenter.settings import CoreSettings, LaunchJob
from segmenter.settings.role_points import ROLE

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan
    from segmenter.sources.inputs import Inputs

_TOP = 8
_ELIGIBLE = rf"^(spend|score|invited|held_out|left_out|wave|region|province|segment|topic|referrals|role|{ROLE}.*|events_.*|component_.*)$"


def launch_report(
    plan: "LaunchPlan",
    settings: CoreSettings,
    rejects: pl.DataFrame,
    findings: Sequence[Finding] = (),
    typed: Sequence[str] = (),
    place: Path | None = None,
    read: "Inputs | None" = None,
    since: Sequence[Section] = (),
) -> Report:
    """Say what was decided, in the launch's language; of the rejects only counts are shown.

    `typed` is what the user gave the job, for the commands that come next, and `place` where the launch's results belong. Of what
    was `read` the page shows the last days of the orders and the sources; `since` says what changed since the last launch.
    """
    launch, labels = settings.launch, Labels(settings.lang, settings.launch.currency)
    # Of millions of customers a copy of all columns would be as large as all else.
    eligible = plan.customers.lazy().filter(verdict=ELIGIBLE).select(_ELIGIBLE).collect()
    say, days = labels.say, timedelta(days=launch.valid_days)
    counted = say("(that day itself not counted)", "（不含当日）")
    anew = say("— then run the launch anew: customers move on", "，过期请重新生成，客户情况会变化")
    return Report(
        kind=say("launch report", "社群邀请报告"),
        eyebrow=say("Launch report", "社群邀请报告"),
        name=launch.name,
        topic=launch.topic or "",
        dates=(
            Fact(say("As of", "数据截至"), labels.day(plan.valid_until - days), counted),
            Fact(say("Lists good until", "名单有效期至"), labels.day(plan.valid_until), anew),
        ),
        advice=verdict(plan, eligible, settings, labels),
        tiles=_tiles(plan, eligible, launch.horizon_days, labels),
        obstacles=tuple(told(obstacle, labels.lang) for obstacle in plan.obstacles),
        mend=say("This plan falls short: settle this first", "方案不足，请先处理"),
        caution=say("Before you go on", "使用前请注意"),
        warnings=tuple(told(warning, labels.lang) for warning in plan.warnings),
        sections=(
            *outlook(plan, settings, labels),
            *who_when(plan, settings, labels),
            *calendar(plan, labels),
            *launch_makeup.agents(plan.calls, labels),
            _next_steps(plan, settings, typed, place, labels),
            grounds(plan, settings, labels),
            launch_choice.funnel(plan, settings, labels),
            *launch_choice.what_if(plan.what_if, labels),
            *launch_choice.scores(plan, eligible, labels),
            *uplift(plan.ranking, labels),
            *key_users(plan, launch.horizon_days, labels),
            *launch_makeup.segments(plan, eligible, launch.horizon_days, labels),
            *continuation(plan.segmentation.kept, labels),
            *topics(plan, eligible, labels),
            *launch_makeup.personas(plan, settings, labels),
            *roles(plan, eligible, settings, labels),
            *launch_makeup.parts(plan, eligible, settings, labels),
            *launch_choice.left_out(eligible, labels),
            *launch_makeup.groups(plan.groups, settings.plan.group_capacity, labels),
            *since,
            launch_origin.quality(plan, rejects, findings, read, labels),
            *finding_sections(findings, labels),
            launch_origin.origin(settings, read, labels),
            _summary(plan, settings, typed, labels),
        ),
        footer=labels.footer(launch.timezone),
    )


def _tiles(plan: "LaunchPlan", eligible: pl.DataFrame, horizon_days: int, labels: Labels) -> tuple[Fact, ...]:
    counts, listed, number, share, say = plan.counts, plan.invite_list, labels.number, labels.share, labels.say
    spend, of_spend = int(listed["spend"].sum()), int(eligible["spend"].sum())
    per_group = ratio(counts["invited"], counts["groups"])
    tiles = [
        Fact(say("Customers", "客户总数"), number(counts["customers"]), say("all that the data know", "数据中的全部客户")),
        Fact(
            say("Eligible", "符合条件"),
            number(counts["eligible"]),
            say("{} of the customers", "占客户总数 {}").format(share(ratio(counts["eligible"], counts["customers"]))),
        ),
        Fact(
            say("Invited", "邀请人数"),
            number(counts["invited"]),
            say("{} of the eligible", "占符合条件客户 {}").format(share(ratio(counts["invited"], counts["eligible"]))),
        ),
        Fact(say("Key users", "核心用户"), number(counts["key_users"]), say("invited first", "最先邀请")),
        Fact(say("Control group", "留出组"), number(counts["held_out"]), say("at random, not to be called", "随机抽取，请勿联系")),
        Fact(
            say("Groups", "社群数"),
            number(counts["groups"]),
            say("{} invitations each on average", "平均每群邀请 {} 人").format(number(per_group and round(per_group))),
        ),
    ]
    if plan.forecast is not None:
        fewest, _, most = plan.forecast.joins
        joins = say("{} to {}", "{}–{}").format(number(fewest), number(most))
        tiles[-1] = Fact(say("Joins expected", "预计入群"), joins, say("in 8 of 10 cases", "把握为八成"))
    elif "expected_spend" in plan.customers.columns:
        expected = int(plan.customers.filter("invited")["expected_spend"].sum())
        name = say("Expected in {} days", "未来 {} 天预期消费").format(horizon_days)
        tiles[-1] = Fact(name, labels.money(expected), say("from the list, whatever the launch brings", "名单客户，未计入活动带来的增量"))
    of_list = say("{} of the eligible's {}", "{}，符合条件客户共 {}").format(labels.money(spend), labels.money(of_spend))
    return (*tiles, Fact(say("Spend on the list", "名单消费额占比"), share(ratio(spend, of_spend)), of_list))


def _next_steps(plan: "LaunchPlan", settings: CoreSettings, typed: Sequence[str], place: Path | None, labels: Labels) -> Section:
    say, commands = labels.say, {"until": labels.day(plan.valid_until)}
    regional = say("the workbook of their region", "对应地区的名单表格")
    commands["whose"] = say("their own workbook", "各自的名单表格") if settings.plan.agents else regional
    steps = [
        say(
            "Read the warnings above, if there are any, and look through a few rows of `invite_list.csv`.",
            "先看上方的注意事项（如有），再抽查几行 `invite_list.csv`。",
        ),
        say(
            "Give each agent {whose} from `call_sheets/`. Names and contacts are in these workbooks and nowhere else: treat them so.",
            "把{whose}发给客服，位置：`call_sheets/`。姓名和联系方式只在这些表格中，请妥善保管。",
        ),
        say(
            "Invite the key users first. When they have joined and the group is alive, invite the others, from the top rank down.",
            "先邀请核心用户；等他们入群、群内活跃起来后，再按排名从高到低邀请其他客户。",
        ),
        say(
            "Let the agents note each answer in the drop-down of their sheet: it shows afterwards what the launch brought.",
            "请客服在表格的下拉框中记录每位客户的答复，便于之后评估效果。",
        ),
    ]
    if not isinstance(settings, LaunchJob):
        del steps[3], steps[:2]  # a program's launch has no files
    if plan.counts["held_out"]:
        alone = say(
            "Leave the control group alone: they are on no list, and a call to them would spoil what the launch is measured by.",
            "请勿联系留出组客户：他们不在任何名单中，联系他们会使效果无法衡量。",
        )
        steps.append(alone)
    stop = (
        "Stop calling from these lists after **{until}** and run the launch anew",
        "此日期之后请勿再使用本名单：**{until}**，需要时请重新生成",
    )
    if not isinstance(settings, LaunchJob):
        steps.append(f"{say(*stop)}{say('.', '。')}")
    else:
        day = {"launch.as_of": str(plan.valid_until + timedelta(days=1))}
        commands["launch"] = next_command("launch", typed, day if typed else {"launch.name": settings.launch.name, **day})
        steps.append(f"{say(*stop)}{say(': ', '：')}`{{launch}}`")
        if review := review_command(settings, typed, place or settings.out):
            commands["review"] = review
            back = (
                "When the sheets come back and the orders are in, see what the launch brought: ",
                "外呼表收回、订单入库后，评估活动效果：",
            )
            steps.append(f"{say(*back)}`{{review}}`")
    if is_draft(settings):
        draft = say(
            "This is a draft: nothing is recorded, and nobody is kept out of other launches by it. Make it the launch: `{commit}`",
            "这是草稿：未登记任何邀请，也不影响其他活动。确定后正式生效：`{commit}`",
        )
        commands["commit"] = commit_command(settings, typed)
        steps.insert(1, draft)
    return Section(say("What to do next", "下一步"), (Steps(tuple(marked(step, **commands) for step in steps)),))


def _summary(plan: "LaunchPlan", settings: CoreSettings, typed: Sequence[str], labels: Labels) -> Section:
    """Say in the terminal who is first on the list, what the launch came to, and what to open."""
    say, lang, counts = labels.say, labels.lang, plan.counts
    eligible, invited, key_users, groups = (f"{counts[name]:,}" for name in ("eligible", "invited", "key_users", "groups"))
    s = "" if counts["groups"] == 1 else "s"
    en = f"{invited} invited of {eligible} eligible, {key_users} key users, {groups} group{s}; good until {plan.valid_until}"
    zh = f"符合条件 {eligible} 人，邀请 {invited} 人，其中核心用户 {key_users} 人，共 {groups} 个群；名单有效期至 {plan.valid_until}"
    said = [say(en, zh)]
    if held := counts["held_out"]:
        en = f"{held:,} in the control group, whom nobody should call: what they spend shows what would have come anyway"
        said.append(say(en, f"留出组 {held:,} 人，请勿联系：他们的消费说明不邀请时本来会有的销售"))
    if plan.segments.height > 1:
        listed = dict(plan.invite_list.group_by("segment").len().rows())
        sizes = plan.segments.select("segment", "name", "size").rows()
        parts = [f"{name} {listed.get(segment, 0):,}/{size:,}" for segment, name, size in sizes]
        said.append(say("invited of each segment: ", "各客群邀请人数：") + say(", ", "、").join(parts))
    said += [ranking_sentence(plan.ranking, lang), *(translate(sentence, lang) for sentence in plan.notes)]
    files = []
    if isinstance(settings, LaunchJob):
        named = [say("Open first: `{out}/report.html`", "先打开： `{out}/report.html`")]
        if is_draft(settings):
            named.append(say("A draft so far; to make it the launch: `{commit}`", "目前是草稿；正式生效： `{commit}`"))
        named += [say("Hand out: `{out}/call_sheets/`", "分发： `{out}/call_sheets/`")]
        if rejected := counts["rejected"]:
            unknown = say("input rows could not be understood:", "行数据无法识别：")
            named.insert(0, f"{rejected:,} {unknown} `{{out}}/rejects.parquet`")
        files = [marked(sentence, out=str(settings.out), commit=commit_command(settings, typed)) for sentence in named]
    return Section(brief=(top_of_list(plan, settings, labels), *map(text, said), *files))


def is_draft(settings: CoreSettings) -> TypeGuard[LaunchJob]:
    """Tell whether there is something to commit."""
    return isinstance(settings, LaunchJob) and settings.ledger.use and not settings.launch.commit


def top_of_list(plan: "LaunchPlan", settings: CoreSettings, labels: Labels) -> Table:
    """Show who is first on the list: for its owner's eyes only."""
    say, shown = labels.say, to_units(plan.invite_list.head(_TOP), ["spend"], settings.launch.currency)
    headings = (("rank", "名次"), ("customer", "客户"), ("score", "评分"), ("region", "地区"), ("spend", "消费额"), ("reason", "理由"))
    rows = tuple(
        row(str(rank), customer, f"{score:.1f}", region or "", f"{spend:,}", reason)
        for rank, customer, score, region, spend, reason in shown.select("rank", "customer_id", "score", "region", "spend", "reason").rows()
    )
    title = say(f"top {len(rows)} of the list", "名单前列")
    return Table(columns(*(say(*heading) for heading in headings), left=(1, 3, 5)), rows, title=title)
