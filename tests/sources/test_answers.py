from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from marks import slow_but
from xlsxwriter import Workbook

from segmenter.errors import InputError
from segmenter.report.call_sheet_book import BookMaker
from segmenter.report.call_sheet_words import ANSWER_WORDS as DROP_DOWN
from segmenter.report.call_sheets import call_sheets
from segmenter.sources.answers import NoAnswersError, read_answers
from segmenter.tables import REJECTS

JULY = date(2026, 7, 31)


def read(*places: object, **rest: Any) -> Any:
    return read_answers([str(place) for place in places], **({"before": JULY, "timezone": "Asia/Shanghai"} | rest))


def told(found: Any) -> dict[str, tuple[str, str | None]]:
    return {row["customer_id"]: (row["answer"], row["reason"]) for row in found.answers.iter_rows(named=True)}


def rejected(found: Any) -> list[tuple[Any, ...]]:
    assert found.rejects.schema == REJECTS
    assert (found.rejects["table"] == "answers").all()
    return found.rejects.select("file", "row", "column", "value", "reason").rows()


@pytest.fixture(params=["en", "zh"])
def filled(request: pytest.FixtureRequest, small_shop: Any, tmp_path: Path) -> Any:
    """Real call sheets, opened, filled in and saved as a person would: every answer of the drop-down in turn, and a typing error."""
    import segmenter

    place = 1 if request.param == "zh" else 0
    small = {"scoring": "weighted", "plan.size": 60, "plan.holdout": 0, "plan.by_region": "none", "segments.k": 2, "segments.bootstraps": 2}
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "lang": request.param, **small})
    plan = segmenter.in_words(segmenter.plan_launch(small_shop, settings), settings)
    (path,) = BookMaker(call_sheets(plan, settings, small_shop.contacts)).write(tmp_path)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = {cell.value: cell.column for cell in sheet[1]}
    answer, on = at[("answer", "答复")[place]], at[("answered on", "答复日期")[place]]
    words = [pair[place] for pair in DROP_DOWN.values()]
    expected = {}
    for row in range(2, sheet.max_row):
        word = words[row % len(words)]
        sheet.cell(row, answer).value = word
        sheet.cell(row, on).value = datetime(2026, 7, 2) if row % 2 else "2026/7/2"
        customer = sheet.cell(row, at[("customer_id", "客户编号")[place]]).value
        expected[customer] = list(DROP_DOWN.values())[row % len(words)][0]
    sheet.cell(2, answer).value = "hm?"
    book.save(path)
    return path, expected, sheet.max_row - 1


def test_call_sheets_come_back(filled: Any) -> None:
    path, expected, rows = filled
    found = read(path.parent)
    (reject,) = rejected(found)
    assert reject[:2] == (path.name, 2)
    assert reject[3:] == ("aa?", "is no known answer; write joined, will join, refused or another word of the sheet's list")
    assert (found.rows, found.open) == (rows, 1)
    assert found.answers.height == rows - 2
    assert set(found.answers["answered_on"]) == {date(2026, 7, 2)}
    assert set(found.answers["source"]) == {path.name}
    states = {words[0]: answer for answer, words in DROP_DOWN.items()}
    assert told(found) == {customer: (states[expected[customer]], None) for customer in told(found)}
    assert [each.name for each in found.files] == [path.name]


OLD_LAYOUT = (
    *("agent", "call on", "rank", "group", "wave", "customer_id", "name", "phone", "region", "segment", "reason"),
    *("spend, all time", "orders", "last order", "days since", "answer", "answered on", "reason for refusing", "note"),
)


def test_a_call_sheet_of_the_layout_of_before_is_read(tmp_path: Path) -> None:
    row = dict.fromkeys(OLD_LAYOUT) | {"customer_id": "C1", "call on": "2026-07-02", "answer": "refused", "note": "nice"}
    row |= {"answered on": "2026-07-03", "reason for refusing": "no time"}
    book = openpyxl.Workbook()
    for cells in (list(row), list(row.values())):
        book.active.append(cells)
    book.save(tmp_path / "old.xlsx")
    found = read(tmp_path)
    assert found.answers.select("customer_id", "answer", "answered_on", "reason").rows() == [("C1", "refused", date(2026, 7, 3), "time")]


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_answers_in_an_agents_workbook_and_in_that_of_the_region_are_read_and_told_where_they_differ(
    small_shop: Any, tmp_path: Path, lang: str
) -> None:
    import segmenter

    place = 1 if lang == "zh" else 0
    small = {"scoring": "weighted", "plan.size": 60, "plan.holdout": 0, "plan.by_region": "none", "segments.k": 2, "segments.bootstraps": 2}
    agents = {"plan.agents": [{"name": "王芳", "calls_per_day": 25, "regions": []}], "launch.script": "Hello {name}", "launch.offer": "tea"}
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "lang": lang, **small, **agents})
    plan = segmenter.in_words(segmenter.plan_launch(small_shop, settings), settings)
    region, agent = BookMaker(call_sheets(plan, settings, small_shop.contacts)).write(tmp_path)

    def fill(path: Path, given: dict[str, tuple[str, str]]) -> None:
        book = openpyxl.load_workbook(path)
        for sheet in book.worksheets:
            header = next((cells for cells in sheet.iter_rows() if cells[0].value in ("wave", "批次", "call on", "计划外呼日")), ())
            at = {cell.value: cell.column for cell in header}
            if ("answer", "答复")[place] not in at:
                continue
            for row in range(header[0].row + 1, sheet.max_row + 1):
                customer = sheet.cell(row, at[("customer_id", "客户编号")[place]]).value
                word, day = given.get(customer, (None, None))
                sheet.cell(row, at[("answer", "答复")[place]]).value = word
                sheet.cell(row, at[("answered on", "答复日期")[place]]).value = day
        book.save(path)

    first, second, third, fourth = plan.invite_list.sort("call_on")["customer_id"].gather([0, 1, 2, -1])
    joined, refused = DROP_DOWN["joined"][place], DROP_DOWN["refused"][place]
    both = {first: (joined, "2026-07-02"), second: (joined, "2026-07-03")}
    fill(region, both | {third: (refused, "2026-07-03")})
    fill(agent, both | {second: (refused, "2026-07-04"), fourth: (joined, "2026-07-06")})
    found = read(tmp_path)
    assert found.rejects.is_empty()
    assert found.open == 60 - 4
    assert sorted(found.answers.select("customer_id", "answer").unique().rows()) == sorted(
        [(first, "joined"), (second, "joined"), (second, "refused"), (third, "refused"), (fourth, "joined")]
    )
    assert [warning.code for warning in found.warnings] == ["answers.different_files"]
    assert found.warnings[0].facts["count"] == 1


def test_a_list_in_gb18030_with_three_ways_to_say_one_thing(tmp_path: Path) -> None:
    lines = [
        "会员号;外呼结果;外呼日期;拒绝原因;备注",
        "007;已进群;2026-07-03;;",
        "8;加了。;2026年7月4日;;很热情",
        "9;已加入！;7月5日;;",
        "10;不需要;2026/7/5;没时间;",
        "11;以后都不要联系;20260705;;",
        "12;考虑一下;12月30日;;",
        "13;;;;",
        "14;未拨打;;;",
        "15;嗯嗯;2026-07-05;;",
        "16;空号;昨天;;",
        ";拒绝;2026-07-05;;",
        "17;拒绝;2026-07-31;;",
        "18;拒绝;2026-06-30;;",
        "19;拒绝;2026-07-05;太忙;多了;一格",
        '="020";关机;2026-07-05;;',
    ]
    path = tmp_path / "外呼.csv"
    path.write_text("\r\n".join(lines), encoding="gb18030")
    found = read(path, since=date(2026, 7, 1))
    assert told(found) == {
        "007": ("joined", None),
        "8": ("joined", None),
        "9": ("joined", None),
        "10": ("refused", "time"),
        "11": ("refused_for_good", None),
        "020": ("not_reached", None),
    }
    assert dict(found.answers.select("customer_id", "answered_on").rows())["9"] == date(2026, 7, 5)
    assert [(row, value, reason.split(";")[0]) for _, row, _, value, reason in rejected(found)] == [
        (7, "12月30日", "is before the launch"),  # of the year before
        (10, "文文", "is no known answer"),
        (11, "文文", "is no date"),
        (12, None, "is empty"),
        (13, "2026-07-31", "is after the review's date"),
        (14, "2026-06-30", "is before the launch"),
        (15, None, "has 6 fields, the header 5"),
    ]
    assert (found.rows, found.open) == (15, 2)
    assert read(path).answers.height == found.answers.height + 2  # without `since`
    assert read(path, before=date(2026, 7, 4), since=date(2026, 7, 1)).answers["customer_id"].to_list() == ["007"]


def test_a_list_of_members_has_joined(tmp_path: Path) -> None:
    with Workbook(str(tmp_path / "群成员.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["昵称", "客户编号", "入群时间", "状态"])
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for row, customer in enumerate([12, 345, "C7"], start=1):
            sheet.write_row(row, 0, ["someone", customer, None, "成员"])
            sheet.write_datetime(row, 2, datetime(2026, 7, row, 23, 30), day)
        sheet.write_row(4, 0, ["not in yet", "C8", None, "成员"])
    (tmp_path / "english.csv").write_text("Customer ID,Joined\n1,2026-07-05T18:00:00Z\n2,\n3,2026-07-06\n")
    (tmp_path / "asked.csv").write_text("customer_id,是否入群,date\n4,是,2026-07-05\n5,否,2026-07-05\n6,1,2026-07-05\n7,,\n")
    found = read(tmp_path)
    joined = found.answers.filter(answer="joined")
    assert dict(joined.select("customer_id", pl.col("answered_on").dt.day()).rows()) == {
        **{"12": 1, "345": 2, "C7": 3},
        **{"1": 6, "3": 6, "4": 5, "6": 5},  # 18:00 in London is past midnight in Shanghai
    }
    assert "5" not in told(found)  # nobody says that they were called
    assert (found.open, found.rejects.height) == (4, 0)


def test_answers_without_a_date_are_of_the_planned_day_and_files_of_no_use_cost_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,answer\n1,joined\n2,no\n3,busy\n")
    (tmp_path / "b.csv").write_text("name,phone\nx,1\n")
    (tmp_path / "c.csv").write_text("customer_id,date\n1,2026-07-02\n")
    (tmp_path / "d.xlsx").write_bytes(b"PK\x03\x04 broken")
    planned = pl.DataFrame({"customer_id": ["1", "2"], "planned_at": [date(2026, 7, 8), date(2026, 8, 1)]})
    found = read(tmp_path, planned=planned)
    assert found.answers["answered_on"].to_list() == [date(2026, 7, 8), date(2026, 7, 30), date(2026, 7, 30)]
    assert [(file, row) for file, row, *_ in rejected(found)] == [("b.csv", None), ("c.csv", None), ("d.xlsx", None)]
    reasons = found.rejects["reason"]
    assert reasons[0] == "should have a column of customer ids, such as customer_id or 客户编号 (got columns name, phone)"
    assert reasons[1].startswith("should have a column of answers, such as answer or 答复")
    assert not any("data." in each for each in reasons)
    assert found.warnings == (
        "answers without a date: 3, which count as of the planned day of the call, or 2026-07-30",
        "files that could not be used: b.csv, c.csv, d.xlsx; the rejects say why",
    )


def test_what_agents_do_to_a_list_costs_no_answer(tmp_path: Path) -> None:
    with Workbook(str(tmp_path / "a.xlsx")) as book:
        calls, info, more = (book.add_worksheet(name) for name in ("calls", "info", "Friday"))
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        calls.merge_range(0, 0, 0, 3, "calls of July")
        calls.write_row(2, 0, ["agent", "customer_id", "answer", "answered on"])
        calls.write_row(3, 0, ["Li", 7, "joined"])
        calls.write_datetime(3, 3, datetime(2026, 7, 3), day)
        calls.write_row(4, 0, ["Li", "ｃ 08", "no", 46207])
        info.write_row(0, 0, ["launch", "spring"])
        for row, cells in enumerate([["id", "result"], ["9", "busy"]]):
            more.write_row(row, 0, cells)
    (tmp_path / "b.csv").write_text(
        "名单\n负责人：王芳\n客户编号,答复,备注,外呼结果\n10,,已入群！,\n11,,下周再打,\n12,拒绝,已入群,\n14,,很忙,未接通\n13,拒绝,a,b,c\n"
    )
    planned = pl.DataFrame({"customer_id": ["007", "C08"], "planned_at": [date(2026, 7, 2)] * 2})
    found = read(tmp_path, planned=planned)
    assert found.answers.select("customer_id", "answer", "answered_on", "source", "row", "written").rows() == [
        ("007", "joined", date(2026, 7, 3), "a.xlsx", 4, "7"),
        ("10", "joined", date(2026, 7, 30), "b.csv", 4, "10"),
        ("12", "refused", date(2026, 7, 30), "b.csv", 6, "12"),
        ("14", "not_reached", date(2026, 7, 30), "b.csv", 7, "14"),
        ("9", "not_reached", date(2026, 7, 30), "a.xlsx [Friday]", 2, "9"),
        ("C08", "refused", date(2026, 7, 4), "a.xlsx", 5, "ｃ 08"),
    ]
    assert rejected(found) == [("b.csv", 8, None, None, "has 5 fields, the header 4")]
    assert (found.rows, found.open) == (8, 1)
    assert [each.partition(": ")[0] for each in found.warnings] == [
        "answers without a date",
        "rows of answers that could not be understood",
        "customer ids not written as in the plan, but recognised",
        "answers that stood in the notes or in a column beside, with the answer left empty",
        "rows with a note but no answer",
    ]


def test_a_list_of_another_launch_gives_no_dates_to_this_one(tmp_path: Path) -> None:
    (tmp_path / "june.csv").write_text("id,answer,date\n1,joined,2026-06-02\n2,joined,2026-06-03\n3,joined,\n4,joined,2026-07-04\n")
    (tmp_path / "july.csv").write_text("id,answer,date\n5,joined,2026-06-30\n6,joined,2026-07-03\n7,joined,\n7,refused,2026-07-30\n")
    found = read(tmp_path, since=date(2026, 7, 1))
    assert dict(found.answers.select("customer_id", "answered_on").rows()) == {
        each: date(2026, 7, on) for each, on in (("4", 4), ("6", 3), ("7", 30))
    }
    assert found.rejects["reason"].to_list() == ["is before the launch"] * 4
    assert found.warnings[1:] == (
        "answers of before the launch: 4, which do not count: are they of another launch?",
        "customers with different answers on one day: 1; what says most counts: joined, refused, agreed, and so on",
    )


def test_nothing_to_read_says_where_and_what_to_do(tmp_path: Path) -> None:
    empty, strange = tmp_path / "empty.csv", tmp_path / "strange.csv"
    empty.write_text("customer_id,answer\n1,\n2,\n")
    strange.write_text("customer_id,answer\n1,hm\n")
    with pytest.raises(
        NoAnswersError, match=r"review.answers: .*none in 2 rows of .*empty.csv.*agents filled them in.*review.answers=\[\]"
    ):
        read(empty)
    with pytest.raises(InputError, match=r'row 2: answer "aa" is no known answer; write joined'):
        read(strange)
    with pytest.raises(InputError, match=r"(?s)review.answers: is not there \(got .*a.csv\).*review.answers: is not there \(got .*b.csv\)"):
        read(tmp_path / "a.csv", tmp_path / "b.csv")
    assert read().answers.is_empty()


@pytest.mark.parametrize(("again", "phone"), [("call again on", "new phone"), ("下次联系", "新电话")])
def test_days_to_call_again_are_read(tmp_path, again, phone):
    people = {"customer_id": list("abcdef"), "answer": ["joined", None, "晚点再打", "周五再联系", "拒绝", None]}
    people |= {again: [None, "2026-08-09", "下周一", None, "8/9", "soon"], "answered on": ["2026-07-08 14:20"] * 6}
    pl.DataFrame({**people, phone: [None, "13812345678", None, None, None, None]}).write_csv(tmp_path / "list.csv")
    found = read(tmp_path)
    days = [None, date(2026, 8, 9), date(2026, 7, 13), date(2026, 7, 10), None, None]
    assert found.answers["call_on"].to_list() == days
    assert found.answers["answer"].to_list() == ["joined", "call_back", "call_back", "call_back", "refused", "call_back"]
    assert found.answers["hour"].to_list() == [14] * 6
    told = {warning.code: warning.facts for warning in found.warnings}
    assert told == {"answers.call_days": {"count": 1}}
    assert "13812345678" not in str(found.warnings)


@pytest.mark.parametrize("header", ["客户编号,答复,通话时间", "客户编号,答复,日期,通话时间"])
def test_a_column_with_only_the_time_of_the_call_is_read_as_the_hour(tmp_path, header):
    day = ["2026-07-03"] if "日期" in header else []
    rows = [",".join([who, "已入群", *day, at]) for who, at in (("1", "14:30"), ("2", "9:05"), ("3", ""))]
    (tmp_path / "list.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    found = read(tmp_path).answers
    assert found["hour"].to_list() == [14, 9, None]
    assert found["answered_on"].n_unique() == 1
    assert (found["answered_on"][0] == date(2026, 7, 3)) == bool(day)
