"""The pages of a call sheet beside the calls: the days, and what the workbook is."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from segmenter.report.call_sheet_cells import WIDE, formats, write_cell
from segmenter.report.labels import Labels
from segmenter.settings import LaunchSettings


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


def add_days(book: Any, calls: pl.DataFrame, about: About) -> None:
    """Add the sheet of the days: a row for each, a column for each agent. The calls have ``agent`` and ``call_on``, no nulls, by agent."""
    labels, counts = about.labels, Counter(calls.select("call_on", "agent").rows())
    sheet, styles = book.add_worksheet(labels.say("days", "日程")), formats(book, labels)
    agents, days = calls["agent"].unique(maintain_order=True).to_list(), calls["call_on"].unique().sort().to_list()
    rows = [[day, *numbers, sum(numbers)] for day in days for numbers in [[counts[day, agent] for agent in agents]]]
    total = [labels.say("all", "合计"), *(sum(column) for column in list(zip(*rows, strict=True))[1:])]
    for place, head in enumerate([labels.say("call on", "计划外呼日"), *agents, total[0]]):
        sheet.set_column(place, place, min(max(len(head) + len(re.findall(WIDE, head)), 12) + 2, 32))
        write_cell(sheet, 0, place, head, styles["head", False, False])
    for row, cells in enumerate(rows, start=1):
        for place, cell in enumerate(cells):
            write_cell(sheet, row, place, cell or None, styles["number" if place else "date", False, False])
    for place, cell in enumerate(total):
        write_cell(sheet, len(rows) + 1, place, cell, styles["total", False, True])
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def add_info(book: Any, unit: str, calls: pl.DataFrame, about: About) -> None:
    """Add the sheet that says what the workbook of a region is, and how to work with it.

    The calls have ``group``, ``place`` (the groups' order) and ``key_user``.
    """
    labels = about.labels
    sheet = book.add_worksheet(labels.say("info", "说明"))
    name = book.add_format({"bold": True, "valign": "top", "font_size": 10.5})
    text = book.add_format({"text_wrap": True, "valign": "top", "font_size": 10.5, "num_format": "@"})
    for row, (key, value) in enumerate(_lines(unit, calls, about).items()):
        write_cell(sheet, row, 0, key, name)
        write_cell(sheet, row, 1, value, text)
        width = len(value) + len(re.findall(WIDE, value))
        sheet.set_row(row, 18 * math.ceil(width / 76))
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 78)
    sheet.hide_gridlines(2)
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)


def _lines(unit: str, calls: pl.DataFrame, about: About) -> dict[str, str]:
    labels, say = about.labels, about.labels.say
    groups = calls.sort("place")["group"].unique(maintain_order=True).to_list()
    named = f"{groups[0]} – {groups[-1]}" if len(groups) > 1 else groups[0]
    lines = {
        say("launch", "活动"): about.launch.name,
        say("topic", "社群主题"): about.launch.topic or "",
        say("region", "地区"): unit,
        say("as of", "数据截至"): labels.day(about.as_of),
        say("good until", "有效期至"): labels.day(about.valid_until),
        say("customers", "客户数"): labels.number(calls.height),
        say("key users", "核心用户"): labels.number(int(calls["key_user"].sum())),
        say("groups", "社群"): f"{labels.number(len(groups))} ({named})",
        say("your calls", "您的外呼"): say(
            "Filter the column agent by your name and call on by the day; what is left over from the days before comes first. "
            "The sheet days counts the calls of this workbook: who calls in several regions has more workbooks.",
            "请在“客服”列筛选自己的姓名，在“计划外呼日”列筛选当天日期；此前未完成的优先。“日程”表只统计本文件的外呼数，"
            "负责多个地区的客服另有其他文件。",
        )
        if about.agents
        else "",
        say("order", "顺序"): say(
            "Call the key users of a group first (wave 1, shaded blue), then the others by rank; nobody before the day in call on.",
            "每个社群先联系核心用户（第 1 批，蓝色底纹），再按排名联系其他客户；请勿早于“计划外呼日”联系。",
        ),
        say("held out", "留出客户"): say(
            "Some customers are held out by lot, to measure what the launch brings. They are not on this sheet and must not be called: "
            "please invite nobody who is not on it.",
            "为衡量活动效果，部分客户被随机留出，不在本名单中，也不得联系。请勿邀请名单以外的客户。",
        )
        if about.held_out
        else "",
        say("platform", "群平台"): " ".join(about.platform),
        say("reason", "邀请理由"): say(
            "Why the customer is on the list: something to begin the talk with.", "该客户入选的原因，可作为沟通的开场。"
        ),
        say("answer", "答复"): say(
            "Choose from the drop-down; leave it empty until you have tried. Who refused for good is never invited again. "
            "Please leave the header and the customer ids as they are.",
            "请从下拉框选择，尚未联系的请留空。选择“以后都不要联系”的客户今后不再邀请。请勿改动表头和客户编号。",
        ),
        say("privacy", "隐私"): say(
            "Names and contacts are personal data: pass this file on to nobody else.", "姓名和联系方式属于个人信息，请勿外传本文件。"
        ),
    }
    return {key: value for key, value in lines.items() if value}
