"""How a launch stands on a day, for whoever leads: no customer is on it."""

from datetime import timedelta

import polars as pl

from segmenter.evaluation.day_progress import DayProgress
from segmenter.launch_record import LaunchRecord
from segmenter.planning.day_calls import KINDS, OUT, DayCalls
from segmenter.report.day_words import KIND_WORDS, OUT_WORDS
from segmenter.report.labels import Labels
from segmenter.report.language import told
from segmenter.report.sections import Advice, Fact, Grid, Report, Section, Steps, Table, Text, columns, marked, note, row, text
from segmenter.settings import TodayJob

_SHOWN = 8


def day_report(calls: DayCalls, stood: DayProgress, launch: LaunchRecord, settings: TodayJob) -> Report:
    """Say whom a day is for, how the launch stands, and what to see to, in the launch's language."""
    labels = Labels(settings.lang, launch.currency)
    say, people, left = labels.say, calls.people, int(calls.loads["left"].sum())
    count = calls.calls.height
    first = say("{} calls today", "今天 {} 通外呼").format(labels.number(count))
    rest = say("; {} more have no room and stay for the next day of calls.", "；另有 {} 通今天排不下，顺延到下一个外呼日。")
    steps = _steps(calls, stood, labels)
    counted = [labels.number(int(stood.groups[name].sum())) for name in ("joined", "invited", "open")]
    so_far = text(
        say("So far {} of {} invited have joined, {} are still open.", "目前 {1} 位受邀客户中已有 {0} 位入群，{2} 位未定。").format(
            *counted
        )
    )
    tables = (_loads(calls, labels), *([_kinds(calls, labels)] if count or left else []))
    progress = tuple(_progress(people, labels))
    return Report(
        kind=say("the day", "今日外呼"),
        eyebrow=say("Today: whom to call, and how the launch stands", "今日：联系谁，活动进展如何"),
        name=launch.name,
        topic=settings.launch.topic or "",
        dates=(
            Fact(say("Day", "日期"), labels.day(calls.day)),
            Fact(say("Next day of calls", "下一个外呼日"), labels.day(calls.next_day)),
            Fact(say("Ends before", "截止（不含当日）"), labels.day(launch.ends_on)),
        ),
        advice=Advice(
            (text(first + (rest.format(labels.number(left)) if left else say(".", "。"))), *progress, so_far),
            "attention" if left else "good",
        ),
        tiles=_tiles(stood, launch, labels),
        caution=say("Before you start", "开始前请注意"),
        warnings=tuple(told(warning, settings.lang) for warning in calls.warnings),
        sections=(
            Section(say("Calls", "外呼"), (Grid(tuple((table,) for table in tables)),), tables),
            *((Section(say("To see to", "需要处理"), (Steps(steps),), steps),) if steps else ()),
            Section(say("Groups", "社群"), (note(_expected(stood, labels)), _groups(stood, labels, settings)), whole=False),
            *_closed(people, labels),
            Section(brief=(marked(say("Open: `{out}/today.html`", "打开： `{out}/today.html`"), out=str(settings.out)),)),
        ),
        footer=labels.footer(settings.launch.timezone),
    )


def _tiles(stood: DayProgress, launch: LaunchRecord, labels: Labels) -> tuple[Fact, ...]:
    say, groups, sales = labels.say, stood.groups, stood.sales
    total = {name: int(groups[name].sum()) for name in ("invited", "due", "called", "reached", "agreed", "joined", "open")}
    target = launch.target
    of_target = None if not target or sales is None else sales.sales / target
    counts = (
        ("called", say("Called", "已联系"), say("{} due by now", "应联系 {} 位").format(labels.number(total["due"]))),
        ("reached", say("Reached", "已接通"), say("of {} invited", "共邀请 {} 位").format(labels.number(total["invited"]))),
        ("agreed", say("Agreed", "答应未入群"), say("not in the group yet", "尚未进群")),
        ("joined", say("Joined", "已入群"), say("{} still open", "还有 {} 位未定").format(labels.number(total["open"]))),
    )
    return (
        *(Fact(head, labels.number(total[name]), small) for name, head, small in counts),
        Fact(
            say("Their sales", "加入者消费额"),
            labels.money(None if sales is None or sales.state == "unknown" or total["joined"] < 5 else sales.sales),
            say("no target", "未设目标")
            if target is None
            else say("of {}", "目标 {}").format(labels.money(target))
            if total["joined"] < 5
            else say("{} of {}", "目标 {1} 的 {0}").format(labels.share(of_target), labels.money(target)),
        ),
    )


def _progress(people: pl.DataFrame, labels: Labels) -> list[Text]:
    counts = {kind: people.filter(state="called", kind=kind).height for kind in ("overdue", "call_back")}
    en, zh = "{} of them are overdue, {} asked to be called back: these come first.", "其中逾期 {} 通、约定回访 {} 通，请优先。"
    return [text(labels.say(en, zh).format(*map(labels.number, counts.values())))] if any(counts.values()) else []


def _loads(calls: DayCalls, labels: Labels) -> Table:
    say = labels.say
    heads = (say("agent", "客服"), say("calls today", "今日外呼"), say("room", "名额"), say("left over", "排不下"))
    later = (say("next day", "下一日"), say("room then", "下一日名额"))
    rows = [
        row(agent if agent is not None else say("nobody yet", "待分配"), *(labels.number(value) for value in values))
        for agent, *values in calls.loads.rows()
    ]
    under = (say("The next day of calls: what is left over, and what is due by then.", "下一日：排不下的，加上届时到期的。"),)
    return Table(columns(*heads, *later), tuple(rows), title=say("By agent", "按客服"), under=under)


def _kinds(calls: DayCalls, labels: Labels) -> Table:
    say, people = labels.say, calls.people
    rows = []
    for kind in KINDS:
        today = people.filter(state="called", kind=kind).height
        left = people.filter(state="later", kind=kind, why="room").height
        if today or left:
            rows.append(row(say(*KIND_WORDS[kind]), labels.number(today), labels.number(left)))
    heads = (say("kind of call", "外呼类型"), say("today", "今日"), say("left over", "排不下"))
    return Table(columns(*heads), tuple(rows), title=say("By kind, in the order of calls", "按类型（外呼顺序）"))


def _steps(calls: DayCalls, stood: DayProgress, labels: Labels) -> tuple[Text, ...]:
    """Say which codes to make anew, which groups to pull people in by hand, and which to merge."""
    say, groups, steps = labels.say, stood.groups, []
    for on, en, zh in (
        (calls.day, "Make the codes of these groups anew today: {names}", "今天需更换入群码的社群：{names}"),
        (calls.day + timedelta(days=1), "Their codes end tomorrow: {names}", "明天需更换入群码的社群：{names}"),
    ):
        if names := groups.filter(code_on=on)["group"].to_list():
            steps.append(marked(say(en, zh), names=_name(names, labels)))
    if names := groups.filter("by_hand", pl.col("open") > 0)["group"].to_list():
        steps.append(
            marked(
                say("Pull people in by hand, the code takes no more: {names}", "入群码已达扫码上限，请手动拉人：{names}"),
                names=_name(names, labels),
            )
        )
    for group, into, expected in (
        groups.filter(pl.col("merge_into").is_not_null()).select("group", "merge_into", "expected").head(_SHOWN).rows()
    ):
        en = "**{group}** will not fill (about {expected} members): it could go into **{into}**"
        zh = "**{group}** 预计约 {expected} 人，难以成群：可并入 **{into}**"
        steps.append(marked(say(en, zh), group=group, into=into, expected=labels.number(round(expected))))
    if alone := groups.filter(
        ~pl.col("fills"), pl.col("merge_into").is_null(), ~pl.col("group").is_in(groups["merge_into"].drop_nulls().implode())
    )["group"].to_list():
        en, zh = "Will not fill, and no group has room for them: {names}", "难以满员，且没有合适的社群可并入：{names}"
        steps.append(marked(say(en, zh), names=_name(alone, labels)))
    return tuple(steps)


def _name(groups: list[str], labels: Labels) -> str:
    return labels.say(", ", "、").join([*map(str, groups[:_SHOWN]), *(["…"] if len(groups) > _SHOWN else [])])


def _expected(stood: DayProgress, labels: Labels) -> str:
    en = "Expected: who has joined, and {} of those who are still open, as it went so far."
    return labels.say(en, "预计：已入群者，加上未定者的 {}（按目前进展）。").format(labels.share(stood.chance))


def _groups(stood: DayProgress, labels: Labels, settings: TodayJob) -> Table:
    say, capacity = labels.say, settings.plan.group_capacity
    names = ("due", "called", "reached", "agreed", "joined", "open")
    heads = (
        say("due", "应联系"),
        say("called", "已联系"),
        say("reached", "接通"),
        say("agreed", "答应"),
        say("joined", "入群"),
        say("open", "未定"),
    )
    rows = [
        row(
            str(group["group"]),
            *(labels.number(group[name]) for name in names),
            labels.number(round(group["expected"])),
            labels.number(capacity),
            "–" if group["code_on"] is None else str(group["code_on"])[5:],
        )
        for group in stood.groups.to_dicts()
    ]
    last = (say("expected", "预计"), say("places", "名额"), say("new code on", "换码日"))
    return Table(columns(say("group", "社群"), *heads, *last), tuple(rows), look="dense")


def _closed(people: pl.DataFrame, labels: Labels) -> tuple[Section, ...]:
    counts = people.filter(state="out")["why"].value_counts()
    known = dict(counts.rows())
    rows = [row(labels.say(*OUT_WORDS[why]), labels.number(known[why])) for why in OUT if why in known]
    if not rows:
        return ()
    table = Table(columns(labels.say("why", "原因"), labels.say("customers", "客户数")), tuple(rows), look="tight")
    return (Section(labels.say("Not called any more", "不再联系"), (table,)),)
