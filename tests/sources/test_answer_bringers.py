"""Who brought somebody, as sheets and exports of groups say it: an id, a name, a phone, a sentence; never a guess."""

from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import slow_but
from sources.test_answer_people import CONTACTS, LAUNCH, PLANNED, codes, read

from segmenter.report.labels import Labels
from segmenter.report.mending_sheet import write_mending_sheet
from segmenter.sources.answer_people import People
from segmenter.sources.answer_words import bringer_in, tells_way

PEOPLE = People(CONTACTS, PLANNED.drop("planned_at"), LAUNCH, frozenset({"小助手", "赵六"}), pl.Series(["C9"]))


def brought(found: object) -> dict[str, str | None]:
    return dict(found.answers.select("customer_id", "brought_by").rows())  # type: ignore[attr-defined]


def sheet(folder: Path, *lines: str, name: str = "sheet.csv") -> Path:
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder / name


CELLS = [
    *[
        (text, "C1")
        for text in (
            "C1",
            "c1",
            "张三",
            " 张 三 ",
            "13800000001",
            "+86 138 0000 0001",
            "四川-张三-茶铺",
            "由 张三 邀请",
            "张三推荐",
            "张三拉进来的",
        )
    ],
    *[
        (text, "C1")
        for text in ('通过扫描"张三"分享的二维码加入群聊', "invited by 张三", "通过张三的邀请", "由“张三”邀请入群（通过邀请链接）")
    ],
    ("C9", "C9"),  # a customer without contacts
    *[
        (text, None)
        for text in ("扫码", "通过扫描二维码", "由群成员邀请入群（直接邀请）", "自己", "朋友", "无", "-", "phone", "小助手", "客服")
    ],
]


@pytest.mark.parametrize(
    ("cell", "who"),
    slow_but(CELLS, *CELLS[:3], *CELLS[6:9], *CELLS[10:12], CELLS[14], *CELLS[16:18]),
)
def test_a_cell_says_who_brought_somebody_in_many_ways_or_names_nobody(tmp_path, cell, who):
    cell = cell.replace('"', '""')
    found = read(sheet(tmp_path, "客户编号,答复,答复日期,邀请人", f'C2,已入群,2026-07-03,"{cell}"'), people=PEOPLE)
    assert brought(found) == {"C2": who}
    assert "answers.bringers" not in codes(found)
    assert found.to_mend.is_empty()


def test_how_somebody_came_may_name_who_brought_them_and_is_no_channel(tmp_path):
    lines = (
        "C1,已入群,2026-07-03,由 李四 邀请",
        "C2,已入群,2026-07-03,通过扫描二维码",
        "C3,已入群,2026-07-03,微信",
        "C4,已入群,2026-07-03,看着办",
    )
    found = read(sheet(tmp_path, "客户编号,答复,答复日期,入群方式", *lines), people=PEOPLE)
    assert brought(found) == {"C1": "C2", "C2": None, "C3": None, "C4": None}
    assert found.answers["channel"].to_list() == [None, None, "message", None]
    assert codes(found).count("answers.channels") == 1  # of the last alone
    old = read(sheet(tmp_path, "customer_id,answer,answered on,invited by", "C1,joined,2026-07-03,phone"), people=PEOPLE)
    assert old.answers.select("channel", "brought_by").rows() == [("phone", None)]


def test_who_may_be_meant_by_several_or_by_nobody_is_left_to_be_mended_and_the_answer_counts(tmp_path):
    lines = (
        "C2,已入群,2026-07-03,王芳",  # two of the launch
        "C3,已入群,2026-07-03,路人",
        "C1,已入群,2026-07-03,张三",  # themselves
        "C4,已入群,2026-07-03,赵六",  # an agent, and a customer whom nobody invited
    )
    found = read(sheet(tmp_path, "客户编号,答复,答复日期,由谁带来", *lines), people=PEOPLE)
    assert brought(found) == dict.fromkeys(("C1", "C2", "C3", "C4"))
    assert codes(found) == ["answers.bringers"]
    assert found.to_mend.select("customer_id", "brought_by", "mended").rows() == [
        ("C2", "王芳", False),
        ("C3", "路人", False),
        ("C1", "张三", False),
    ]
    assert "王芳" not in str(found.rejects.rows())
    assert "王芳" not in str(found.warnings)

    book = tmp_path / "to_mend.xlsx"
    write_mending_sheet(found.to_mend, Labels("zh", "CNY"), "x", PLANNED["planned_at"][0], book)
    filled = openpyxl.load_workbook(book)
    head = [cell.value for cell in filled.active[1]]
    for row, text in ((2, "13800000003"), (3, None)):  # the second was brought by nobody after all
        filled.active.cell(row, head.index("由谁带来") + 1).value = text
    filled.save(book)
    again = read(tmp_path / "sheet.csv", book, people=PEOPLE)
    assert set(again.answers.filter(customer_id="C2")["brought_by"]) == {None, "C3"}
    assert again.to_mend.select("customer_id", "mended").sort("customer_id").rows() == [("C1", False), ("C2", True), ("C3", True)]
    assert again.rejects["row"].to_list() == [4]


def test_namesakes_are_told_apart_by_the_group(tmp_path):
    rows = "C1,四川 1,已入群,2026-07-03,王芳", "C2,重庆 1,已入群,2026-07-03,王芳"
    assert brought(read(sheet(tmp_path, "客户编号,群名,答复,答复日期,邀请人", *rows), people=PEOPLE)) == {"C1": "C3", "C2": "C4"}


def test_an_agent_who_is_called_like_a_customer_of_the_launch_may_be_either(tmp_path):
    people = People(CONTACTS, PLANNED.drop("planned_at"), LAUNCH, frozenset({"李四"}))
    found = read(sheet(tmp_path, "客户编号,答复,答复日期,邀请人", "C1,已入群,2026-07-03,李四", "C3,已入群,2026-07-03,C2"), people=people)
    assert brought(found) == {"C1": None, "C3": "C2"}
    assert found.to_mend["customer_id"].to_list() == ["C1"]


def test_whom_nobody_knows_and_a_member_brought_is_a_newcomer_without_name_or_phone(tmp_path):
    lines = (
        "张三,13800000001,2026-07-03,",
        "新朋友,13911112222,2026-07-04,张三",
        "另一位,,2026-07-05,张三",
        "另一位,,2026-07-05,张三",  # the same name in a list again
        "过客,,2026-07-05,",  # brought by nobody: still to be mended
    )
    found = read(sheet(tmp_path, "群成员,手机号,入群时间,邀请人", *lines, name="四川 1 群成员.csv"), people=PEOPLE)
    assert found.newcomers.rows() == [
        ("new 1", "C1", *found.newcomers.row(0)[2:3], "四川 1"),
        ("new 2", "C1", *found.newcomers.row(1)[2:3], "四川 1"),
    ]
    assert found.to_mend["name"].to_list() == ["过客"]
    assert "answers.newcomers" in codes(found)


def test_the_phone_of_who_brought_somebody_is_not_taken_for_theirs(tmp_path):
    found = read(sheet(tmp_path, "姓名,推荐人姓名,推荐人手机,答复,答复日期", "李四,王芳,13800000003,已入群,2026-07-03"), people=PEOPLE)
    assert brought(found) == {"C2": "C3"}


@given(st.text(max_size=12))
def test_any_text_is_read_and_a_way_names_part_of_it(text):
    who = bringer_in(text, told_by_way=True)
    assert who is None or (who in text and tells_way(text))
    assert bringer_in(text) is None or bringer_in(text) in text
