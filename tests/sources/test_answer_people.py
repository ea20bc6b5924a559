"""People without ids in what agents send back: by phone, by name, by remark; members of groups; what is to be mended and noted."""

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

import segmenter
from segmenter.sources.answer_lists import WRITTEN
from segmenter.sources.answer_people import People
from segmenter.sources.answers import read_answers

JULY = date(2026, 7, 31)
LAUNCH = segmenter.launch_settings({"launch.as_of": "2026-07-01", "launch.shop": "茶铺", "launch.country": "CN"}).launch
CONTACTS = pl.DataFrame(
    {
        "customer_id": ["C1", "C2", "C3", "C4", "C5", "C6"],
        "name": ["张三", "李四", "王芳", "王芳", "赵六", "王芳"],
        "phone": ["13800000001", "138-0000-0002", "13800000003", "13800000004", "13800000005", "13800000006"],
        "wechat": ["tea_lover", None, None, None, "zhao666", None],
    }
)
PLANNED = pl.DataFrame(
    {
        "customer_id": ["C1", "C2", "C3", "C4"],
        "group": ["四川 1", "四川 1", "四川 1", "重庆 1"],
        "region": ["四川", "四川", "四川", "重庆"],
        "planned_at": [date(2026, 7, 2)] * 4,
    }
)
PEOPLE = People(CONTACTS, PLANNED.drop("planned_at"), LAUNCH, frozenset({"小助手"}))


def read(*places: Path, people: People | None = PEOPLE) -> Any:
    asked = {"before": JULY, "timezone": "Asia/Shanghai", "since": date(2026, 7, 1), "people": people}
    return read_answers([str(place) for place in places], planned=PLANNED.select("customer_id", "planned_at"), **asked)


def told(found: Any) -> dict[str, str]:
    return dict(found.answers.select("customer_id", "answer").rows())


def codes(found: Any) -> list[str]:
    return [warning.code for warning in found.warnings]


def test_people_are_recognised_by_phone_by_name_by_remark_and_by_wechat_id(tmp_path: Path) -> None:
    lines = [
        "姓名,手机号,微信号,答复,答复日期",
        "不记得,+86 138 0000 0001,,已入群,2026-07-03",
        "李四,,,拒绝,2026-07-03",
        "四川-王芳-茶铺,,,已入群,2026-07-03",
        "王芳,,,已入群,2026-07-03",  # of the launch there are two
        ",,zhao666,拒绝,2026-07-04",  # not of the launch, but the shop's
        "陌生人,13911112222,,已入群,2026-07-03",
        "李四,13911113333,,已入群,2026-07-03",  # a phone says more than a name
        ",,,已入群,2026-07-03",
        "没打,,,,",
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="gb18030")
    found = read(tmp_path)
    assert told(found) == {"C1": "joined", "C2": "refused", "C3": "joined", "C5": "refused"}
    assert [reason.split(" by ")[0] for reason in found.rejects["reason"]] == [
        "may be several people",
        "is nobody whom the launch or the shop knows",
        "is nobody whom the launch or the shop knows",
        "is empty",
    ]
    assert found.rejects["row"].to_list() == [5, 7, 8, 9]
    (warning,) = [warning for warning in found.warnings if warning.code == "answers.recognised_people"]
    assert warning.facts == {"phone": 1, "name": 3}
    seen = str(found.rejects.rows()) + str(found.warnings) + str(found.answers.rows())
    assert not any(contact in seen for contact in ("王芳", "13911112222", "陌生人", "zhao666"))
    mend = found.to_mend.select("row", "name", "phone", "written", "answer", "mended").rows()
    assert mend[0] == (5, "王芳", None, "已入群", "已入群", False)
    assert mend[1] == (7, "陌生人", "13911112222", "已入群", "已入群", False)
    # Whom nobody knows is kept with the phone.
    assert set(found.noted.select("customer_id", "phone").rows()) == {(None, "13911112222"), (None, "13911113333")}


def test_ids_stand_before_phones_and_an_empty_one_among_them_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("customer_id,name,phone,answer\nC2,张三,13800000001,joined\n,赵六,,refused\nC9,,,joined\n")
    assert told(read(tmp_path)) == {"C2": "joined", "C5": "refused", "C9": "joined"}
    assert told(read(tmp_path, people=None)) == {"C2": "joined", "C9": "joined"}


@pytest.mark.parametrize("group", ["名称：重庆 1 群", None])
def test_a_group_says_which_of_two_namesakes_is_meant(tmp_path: Path, group: str | None) -> None:
    book = openpyxl.Workbook()
    book.active.append([group or "名单"])
    book.active.append(["昵称", "社群", "入群时间"])
    book.active.append(["王芳", None if group else "重庆 1", "2026-07-03"])
    book.save(tmp_path / "a.xlsx")
    assert told(read(tmp_path)) == {"C4": "joined"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("四川 1群成员.csv", "张三\n李四\n小助手\n路人甲\n"),
        ("四川 1群成员.txt", "昵称\n张三\n李四\n小助手\n路人甲\n"),
        ("a.csv", "昵称\n张三\n李四\n小助手\n路人甲\n"),
        ("a.csv", "群昵称,手机号\n张三,\n不认识的名字,13800000002\n小助手,\n路人甲,\n"),
        ("members.csv", "nickname,note\n张三,x\n李四,\n小助手,\n路人甲,\n"),
    ],
)
def test_a_list_of_members_has_joined_whatever_it_is_called(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = read(tmp_path)
    assert told(found) == {"C1": "joined", "C2": "joined"}
    assert {"answers.members", "answers.own_people"} <= set(codes(found))
    assert found.to_mend["name"].to_list() == ["路人甲"]


@pytest.mark.parametrize("name", ["客户.csv", "入群邀请名单.csv", "四川1群待外呼.csv"])
def test_names_alone_have_not_joined(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("姓名,手机号,城市\n张三,13800000001,成都\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text("customer_id,answer\nC2,joined\n")
    found = read(tmp_path)
    assert told(found) == {"C2": "joined"}
    assert found.rejects["row"].to_list() == [None]


def test_who_is_among_the_members_has_joined_after_what_they_said_before(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("customer_id,answer,answered on\nC1,will join,2026-07-08\nC2,refused,2026-07-09\n")
    (tmp_path / "群成员.csv").write_text("昵称\n张三\n李四\n", encoding="utf-8")
    found = read(tmp_path).answers.filter(answer="joined")
    assert found.select("customer_id", "answered_on").rows() == [("C1", date(2026, 7, 8)), ("C2", date(2026, 7, 2))]


def test_files_are_found_in_folders_of_agents_and_copies_are_harmless(tmp_path: Path) -> None:
    for agent in ("王芳", "李雷/七月", ".trash"):
        (tmp_path / agent).mkdir(parents=True)
    text = "客户编号,答复,答复日期\nC1,已入群,2026-07-03\nC2,嗯哼,2026-07-03\n"
    (tmp_path / "王芳" / "名单.csv").write_text(text, encoding="utf-16")
    (tmp_path / "王芳" / "名单 (2).csv").write_text(text, encoding="utf-16")
    (tmp_path / "王芳" / "~$名单.xlsx").write_bytes(b"lock")
    (tmp_path / "王芳" / "readme.pdf").write_bytes(b"%PDF")
    (tmp_path / ".trash" / "old.csv").write_text(text.replace("已入群", "拒绝"), encoding="utf-8")
    (tmp_path / "李雷" / "七月" / "名单.tsv").write_text("客户编号\t答复\nC3\t拒绝\n", encoding="gbk")
    (tmp_path / "李雷" / "broken.xlsx").write_bytes(b"PK\x03\x04 broken")
    found = read(tmp_path)
    assert told(found) == {"C1": "joined", "C3": "refused"}
    assert set(found.answers["source"]) == {"王芳/名单.csv", "李雷/七月/名单.tsv"}
    assert sorted(found.rejects["file"]) == ["李雷/broken.xlsx", "王芳/名单.csv"]
    assert "answers.copies" in codes(found)


def test_the_order_of_files_and_rows_changes_nothing(tmp_path: Path) -> None:
    lines = ["张三,已入群", "李四,拒绝", "王芳,已入群", "13911112222,拒绝"]
    for place, order in (("one", lines), ("two", lines[::-1])):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.csv").write_text("\n".join(["姓名,答复", *order]), encoding="utf-8")
    one, two = (read(tmp_path / place) for place in ("one", "two"))
    assert one.answers.drop("row").equals(two.answers.drop("row"))


def test_new_phones_are_noted(tmp_path: Path) -> None:
    lines = ["customer_id,name,phone,answer,answered on,new phone", "C1,张三,13800000001,wrong number,2026-07-03,139 1111 2222"]
    lines += ["C2,李四,,,,13911114444", "C3,王芳,,joined,2026-07-04,12", "C4,,,joined,2026-08-04,13911115555"]
    (tmp_path / "a.csv").write_text("\n".join([*lines, "N1,新客户,13911116666,joined,2026-07-05,"]), encoding="utf-8")
    found = read(tmp_path)
    assert found.noted.select("customer_id", "phone", "noted_on", "dated").rows() == [
        ("C1", "139 1111 2222", date(2026, 7, 3), True),
        ("C2", "13911114444", date(2026, 7, 30), False),
        ("N1", "13911116666", date(2026, 7, 5), True),
    ]
    assert "answers.no_phones" in codes(found)
    assert "1391111" not in str(found.warnings) + str(found.rejects.rows())


def test_written_lists_are_read_as_they_stand() -> None:
    assert WRITTEN.as_is


def test_sheets_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    for day, answer in (("day_1", "call back"), ("day_2", "joined")):
        (tmp_path / day / "call_sheets").mkdir(parents=True)
        text = f"customer_id,name,answer,answered on\nC1,张三,{answer},2026-07-0{day[-1]}\n,李四,{answer},2026-07-0{day[-1]}\n"
        (tmp_path / day / "call_sheets" / "a.csv").write_text(text, encoding="utf-8")
    found = read(*(tmp_path / day / "call_sheets" for day in ("day_1", "day_2"))).answers
    assert found.select("customer_id", "answered_on", "source").rows() == [
        ("C1", date(2026, 7, 1), "a.csv"),
        ("C1", date(2026, 7, 2), "day_2/a.csv"),
        ("C2", date(2026, 7, 1), "a.csv"),
        ("C2", date(2026, 7, 2), "day_2/a.csv"),
    ]
