"""The pages of a call sheet beside the calls: the days, and what the workbook is."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from segmenter.planning import LiveEvent
from segmenter.report.call_sheet_cells import WIDE, formats, protect, write_cell
from segmenter.report.call_sheet_words import opening_line
from segmenter.report.event_calendar import events_text
from segmenter.report.labels import Labels
from segmenter.settings import LaunchSettings, PersonaSettings
from segmenter.words import visible

_HIGHEST = 400  # points: a row of a spreadsheet can have 409
_ORDER_OF_A_DAY = (
    "Your calls of this one day, from the top down: what is overdue and who asked to be called back; the calls of the plan; then second "
    "calls, of whom the column last call says what came before (not reached: try another hour; agreed and not in the group; silent "
    "there; no order yet on the day of an event). Send it back filled in: tomorrow's list is made of it, and has who was not called today.",
    "只含当天的外呼，请自上而下联系：先是逾期未打和约定回访，再是今日计划，最后是二次外呼（“上次联系”写明此前结果：未接通的请换时段，"
    "答应的协助进群，入群未互动的问候，活动当天邀请尚未下单的）。填好后发回：次日名单据此生成，今天没打的会顺延。",
)


@dataclass(frozen=True)
class About:
    """What all workbooks of a launch share.

    The list knows nothing of the day `as_of`, and is good until `valid_until`; it says whether there are agents who call, and whether
    somebody is held out and must not be called.
    """

    launch: LaunchSettings
    labels: Labels
    as_of: date
    valid_until: date
    agents: bool
    held_out: bool
    platform: tuple[str, ...]  # what it asks of who runs the groups
    starters: pl.DataFrame  # ``group``, ``starter`` (an id or a name), ``kind``
    live_events: tuple[LiveEvent, ...] = ()
    personas: tuple[PersonaSettings, ...] = ()  # of whom the calls have a ``persona``
    advice: tuple[str, ...] = ()  # what to do with each segment

    @property
    def of_one_day(self) -> bool:
        """Whether it is the list of a day of a launch that runs, and of no other."""
        return self.as_of == self.valid_until


def add_days(book: Any, calls: pl.DataFrame, about: About) -> None:
    """Add the sheet of the days: a row for each, a column for each agent. The calls have ``agent`` and ``call_on``, no nulls, by agent."""
    labels, counts = about.labels, Counter(calls.select("call_on", "agent").rows())
    sheet, styles = book.add_worksheet(labels.say("days", "日程")), formats(book, labels)
    agents, days = calls["agent"].unique(maintain_order=True).to_list(), calls["call_on"].unique().sort().to_list()
    rows = [[day, *numbers, sum(numbers)] for day in days for numbers in [[counts[day, agent] for agent in agents]]]
    total = [labels.say("all", "合计"), *(sum(column) for column in list(zip(*rows, strict=True))[1:])]
    for place, head in enumerate([labels.say("call on", "计划外呼日"), *agents, total[0]]):
        sheet.set_column(place, place, min(max(_width(head), 12) + 2, 32))
        write_cell(sheet, 0, place, head, styles["head", False, False])
    for row, cells in enumerate(rows, start=1):
        for place, cell in enumerate(cells):
            write_cell(sheet, row, place, cell or None, styles["number" if place else "date", False, False])
    for place, cell in enumerate(total):
        write_cell(sheet, len(rows) + 1, place, cell, styles["total", False, True])
    sheet.freeze_panes(1, 1)
    protect(sheet)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def day_name(day: date, labels: Labels) -> str:
    """Name a day so that names sort as the days do."""
    from babel.dates import format_date

    return str(format_date(day, "yyyy-MM-dd EEE", locale=labels.locale))


def add_heading(book: Any, sheet: Any, title: str, width: int, calls: pl.DataFrame, about: About) -> int:
    """Write above a sheet's header, over so many columns, a title and what to say and to offer; give how many rows that takes."""
    to, head = about.labels.say(": ", "："), about.labels.say("opening words", "开场白")
    scripts = [f"{head} · {who}{to}{line}" if who else f"{head}{to}{line}" for who, line in _scripts(calls, about).items()]
    lines = [title, *scripts, *filter(None, [" · ".join(f"{what}{to}{line}" for what, line in _offers(about).items() if line)])]
    look = {"text_wrap": True, "valign": "vcenter", "font_size": 10.5, "num_format": "@"}
    for row, line in enumerate(lines):
        style = book.add_format(look | ({"bold": True, "font_size": 12} if row == 0 else {}))
        sheet.merge_range(row, 0, row, width - 1, visible(line), style)
        sheet.set_row(row, min(16 * math.ceil(_width(line) / 125) + 4, _HIGHEST))
    return len(lines)


def _scripts(calls: pl.DataFrame, about: About) -> dict[str, str]:
    """Give the words that a call begins with: by the personas of the calls that have some of their own, and for others, "" where all."""
    there = set(calls["persona"]) if "persona" in calls.columns else set()
    own = [persona for persona in about.personas if persona.name in there and (persona.script or persona.hook)]
    scripts = {persona.name: opening_line(about.launch, about.labels, persona) for persona in own}
    if not own or there - scripts.keys():
        scripts[about.labels.say("others", "其他客户") if own else ""] = opening_line(about.launch, about.labels)
    return {who: line for who, line in scripts.items() if line}


def _offers(about: About) -> dict[str, str]:
    launch, say = about.launch, about.labels.say
    return {say("offer", "入群福利"): launch.offer or "", say("group rules", "群规"): launch.group_rules or ""}


def _width(text: str) -> int:
    return len(text) + len(re.findall(WIDE, text))


def add_info(book: Any, unit: str, calls: pl.DataFrame, about: About, *, by_agent: bool) -> None:
    """Add the sheet that says what the workbook of a region or an agent is, and how to work with it.

    The calls have ``group``, ``place`` (the groups' order) and ``key_user``.
    """
    labels = about.labels
    sheet = book.add_worksheet(labels.say("info", "说明"))
    name = book.add_format({"bold": True, "valign": "top", "font_size": 10.5})
    text = book.add_format({"text_wrap": True, "valign": "top", "font_size": 10.5, "num_format": "@"})
    lines = _lines(unit, calls, about, by_agent=by_agent)
    rows = [("" if number else key, part) for key, value in lines.items() for number, part in enumerate(value.split("\n"))]
    for row, (key, value) in enumerate(rows):
        write_cell(sheet, row, 0, key, name)
        write_cell(sheet, row, 1, value, text)
        sheet.set_row(row, min(18 * math.ceil(_width(value) / 84), _HIGHEST))
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 78)
    sheet.hide_gridlines(2)
    protect(sheet)
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)


def _lines(unit: str, calls: pl.DataFrame, about: About, *, by_agent: bool) -> dict[str, str]:
    labels, say = about.labels, about.labels.say
    groups = [group for group in calls.sort("place")["group"].unique(maintain_order=True) if group]  # who is not of the plan has none
    named = " – ".join(dict.fromkeys((*groups[:1], *groups[-1:])))
    lines = {
        say("launch", "活动"): about.launch.name,
        say("topic", "社群主题"): about.launch.topic or "",
        say("for", "适用于") if by_agent else say("region", "地区"): unit,
        say("day", "日期") if about.of_one_day else say("as of", "数据截至"): labels.day(about.as_of),
        say("good until", "有效期至"): "" if about.of_one_day else labels.day(about.valid_until),
        say("live events", "群活动"): events_text(about.live_events, labels),
        say("customers", "客户数"): labels.number(calls.height),
        say("follow up", "待跟进"): say(
            "They agreed in an earlier launch, which the reason names, and are not in its group yet. Bring them in.",
            "这些客户在此前的活动（见“邀请理由”）中已同意入群但还没进群，请拉入该活动的社群，无需重新邀请。",
        )
        if calls["key_user"].is_null().all()
        else "",
        say("key users", "核心用户"): labels.number(int(calls["key_user"].sum())),
        say("groups", "社群"): f"{labels.number(len(groups))} ({named})",
        **_starters(groups, about),
        say("opening words", "开场白"): "\n".join(
            f"{who}{say(': ', '：')}{line}" if who else line for who, line in _scripts(calls, about).items()
        ),
        **_offers(about),
        say("your calls", "您的外呼"): _of_agents(labels, by_agent=by_agent) if about.agents else "",
        say("order", "顺序"): say(*_ORDER_OF_A_DAY)
        if about.of_one_day
        else say(
            "Call from the top down: the key users of a group (wave 1, shaded blue) before the others; nobody before the planned day.",
            "请自上而下联系：每个社群先联系核心用户（第 1 批，蓝色底纹），再联系其他客户；请勿早于计划日期联系。",
        ),
        say("held out", "留出客户"): say(
            "Some customers are held out at random, to measure what the launch brings. They are not on this sheet and must not be called: "
            "please invite nobody who is not on it.",
            "为衡量活动效果，部分客户被随机留出，不在本名单中，也不得联系。请勿邀请名单以外的客户。",
        )
        if about.held_out
        else "",
        say("platform", "群平台"): " ".join(about.platform),
        say("reason", "邀请理由"): say(
            "Why the customer is on the list: something to begin the talk with.", "该客户入选的原因，可作为沟通的开场。"
        ),
        say("segment", "客群"): "\n".join(about.advice),
        say("save contact as", "联系人备注名"): say(
            "What to call the customer among your contacts, so that everybody finds them again.",
            "添加好友后请按此备注，方便同事查找。",
        ),
        say("answer", "答复"): say(
            "Choose from the drop-down; leave it empty until you have called. Will join: said yes and is not in the group "
            "yet; once they are, change it to joined. Call back: write the day beside it. Not reached: nobody answered. "
            "Wrong number: dead, or somebody else's. Who refused for good is never invited again.",
            "请从下拉框选择，尚未联系的请留空。“愿意加入”指已同意但还没进群，进群后请改为“已入群”；“稍后再联系”请在“下次联系”填写日期；"
            "“未接通”指没人接听；“号码有误”指空号或不是本人。选择“以后都不要联系”的客户今后不再邀请。",
        ),
        say("call again on", "下次联系"): say(
            "Who asks for another day: write it here. A number that has changed goes to new phone.",
            "客户约其他时间时，请在此填写日期。号码变更请填入“新电话”。",
        ),
        say("brought by", "由谁带来"): say(
            "Who joined through somebody in the group: write that person's customer id, name or phone here.",
            "由群内成员带进群的，请在此填写带来人的客户编号、姓名或电话。",
        ),
        say("yellow", "黄色栏"): say(
            "Only these can be written to; all else is protected, without a password. Filters work as always.",
            "只有黄色栏可以填写，其余内容已锁定（无密码），筛选功能可照常使用。",
        ),
        say("print", "打印"): say(
            "The first columns, on A4 in landscape; those further right are for the screen.",
            "打印时只含左侧各列（A4 横向），右侧各列仅在屏幕上使用。",
        ),
        say("privacy", "隐私"): say(
            "Names and contacts are personal data: pass this file on to nobody else.", "姓名和联系方式属于个人信息，请勿外传本文件。"
        ),
    }
    return {key: value for key, value in lines.items() if value}


def _of_agents(labels: Labels, *, by_agent: bool) -> str:
    """Say how the workbooks of agents and those of regions go together."""
    if by_agent:
        return labels.say(
            "A sheet for each day; what is left over from the days before comes first. The same calls stand in the workbooks of the "
            "regions, as an overview: an answer in either counts, so please fill in this one.",
            "每天一张工作表，此前未完成的优先。这些客户也列在各地区的文件中（供总览）：填在哪一份都会被读取，请填写本文件。",
        )
    return labels.say(
        "Each agent has a workbook of their own with a sheet for each day, with the same calls as here: an answer in either counts, and "
        "the review tells where the two differ. The sheet days counts the calls of this workbook.",
        "每位客服另有自己的文件，每天一张工作表，内容与此处相同：填在哪一份都会被读取，两处不一致时复盘会提示。“日程”表统计本文件的外呼数。",
    )


def _starters(groups: list[str], about: About) -> dict[str, str]:
    """Say who stands in the groups already, and that nobody of them is to be called or plays a customer."""
    say, kinds = about.labels.say, {"house": about.labels.say("house account", "官方账号")}
    lines = {}
    for group in groups:
        named = [
            f"{name} ({kinds.get(kind, say('colleague', '同事'))})"
            for name, kind in about.starters.filter(group=group).select("starter", "kind").rows()
        ]
        if named:
            lines[say("starters of {}", "{} 先入群").format(group)] = say(", ", "、").join(named)
    if lines:
        lines[say("starters", "先入群账号")] = say(
            "They are in the group before anybody is invited: do not call them, and note no answer for them. A house account is the "
            "company's, and its name in the group says so; nobody poses as a customer.",
            "在邀请客户之前先进群，无需外呼，也不记录答复。官方账号属于公司，群内名称须注明身份；不得冒充客户发言。",
        )
    return lines
