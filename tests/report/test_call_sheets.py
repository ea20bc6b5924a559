import os
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from segmenter.report import call_sheet_book
from segmenter.report import call_sheets as module
from segmenter.report.call_sheet_book import BookMaker
from segmenter.report.call_sheet_words import ANSWER_WORDS, buying_habit, last_calls
from segmenter.report.call_sheets import call_sheets
from segmenter.report.labels import Labels
from segmenter.report.safe_text import safe_names
from segmenter.side_process import SideProcess
from segmenter.tables import INVITED

LAUNCH = {
    "launch__script": "Hello {name}, a group on {topic} from {shop}: {offer}.",
    "launch__offer": "=10 % off & more",
    "launch__shop": "Kang Mei",
    "launch__group_rules": "no <ads>",
}
AGENTS = [{"name": "王芳", "calls_per_day": 25, "regions": []}, {"name": "=Li", "calls_per_day": 40, "regions": ["辽宁"]}]


def write_sheets(plan: Any, settings: Any, contacts: pl.DataFrame | None, folder: Path, invited: pl.DataFrame | None = None) -> list[Path]:
    return BookMaker(call_sheets(plan, settings, contacts, invited)).write(folder)


def rows_of(path: Path) -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(path, read_only=True)
    head, *rows = book.worksheets[0].values
    book.close()
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.slow
def test_each_region_has_its_workbook_and_each_invited_customer_one_row(launch: Callable[..., Any], tmp_path: Path) -> None:
    made = launch()
    paths = write_sheets(made.plan, made.settings, made.tables.contacts, tmp_path / "call_sheets")
    assert {path.parent for path in paths} == {tmp_path / "call_sheets"}
    assert sorted(tmp_path.rglob("*.xlsx")) == sorted(paths)
    names = {path.stem for path in paths}
    assert {"etc", "no region", "辽宁", "=cmd-' -C calc'!A0", "script-alert(1)--script"} <= names
    assert len({name.casefold() for name in names}) == made.plan.groups["region"].n_unique()
    rows = {path: rows_of(path) for path in paths}
    ids = sorted(row["customer_id"] for part in rows.values() for row in part)
    assert ids == made.plan.invite_list["customer_id"].sort().to_list()
    units = dict(made.plan.groups.select("group", "region").rows())
    for part in rows.values():
        assert len({units[row["group"]] for row in part}) == 1
        groups = [row["group"] for row in part]
        assert groups == sorted(groups, key=lambda name: int(name.rsplit("-", 1)[1]))
        for group in set(groups):
            order = [(row["wave"], row["rank"]) for row in part if row["group"] == group]
            assert order == sorted(order)
            assert order[0][0] == "1 key user"


@pytest.mark.slow
def test_what_an_agent_needs(launch: Callable[..., Any], tmp_path: Path) -> None:
    made = launch()
    paths = write_sheets(made.plan, made.settings, made.tables.contacts, tmp_path)
    path = next(path for path in paths if path.stem == "辽宁")
    book = openpyxl.load_workbook(path)
    sheet, info = book.worksheets
    head = [cell.value for cell in sheet[1]]
    printed = ["call on", "group", "name", "phone", "buying habit", "reason", "answer", "note"]
    answers = [
        "wave",
        "call again on",
        "answered on",
        "reason for refusing",
        "new phone",
        "brought by",
        "save contact as",
        "wechat",
        "customer_id",
    ]
    assert head == [*printed, *answers, "rank", "region", "segment", "role", "spend, all time", "orders", "last order"]
    first = dict(zip(head, sheet[2], strict=True))
    invited = made.plan.invite_list.row(by_predicate=pl.col("customer_id") == first["customer_id"].value, named=True)
    contact = made.tables.contacts.row(by_predicate=pl.col("customer_id") == first["customer_id"].value, named=True)
    assert first["spend, all time"].value == invited["spend"] / 100
    assert first["spend, all time"].number_format.startswith('"¥"#,##0.00')
    assert first["last order"].value.date() == invited["last_order_at"].date()
    assert first["reason"].value == invited["reason"]
    assert first["reason"].alignment.wrap_text
    assert first["phone"].value == contact["phone"]
    assert isinstance(contact["phone"], str)
    assert first["phone"].data_type == "s"
    assert first["wave"].value == "1 key user"
    to_fill = {"answer", "note", "call again on", "answered on", "reason for refusing", "new phone", "brought by"}
    assert {first[name].value for name in to_fill} == {None}
    assert {name for name in head if not first[name].protection.locked} == to_fill
    for page in book.worksheets:
        assert (page.protection.sheet, page.protection.password) == (True, None)
        assert not page.protection.autoFilter  # false: not kept from it
    assert first["call on"].value.date() == invited["call_on"]
    assert first["call on"].number_format == "yyyy-mm-dd"
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.orientation == "landscape"
    assert (sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight) == (True, 0)
    assert sheet.print_area == f"'calls'!$A$1:$H${sheet.max_row}"
    widths = [sheet.column_dimensions[letter].width for letter in "ABCDEFGH"]
    assert sum(widths) * 9 < 1064 * 11 / 9  # an A4 page in pixels, at 11 points; in a wide font a character takes nine
    (choice,) = sheet.data_validations.dataValidation
    assert choice.formula1 == '"' + ",".join(en for en, _ in ANSWER_WORDS.values()) + '"'
    assert str(choice.sqref) == f"G2:G{sheet.max_row}"
    assert "2026-07-15" in sheet.oddHeader.right.text
    assert "summer && tea" in sheet.oddHeader.left.text
    said = {row[0]: row[1] for row in info.iter_rows(values_only=True)}
    assert "must not be called" in said["held out"]
    assert (said["launch"], said["topic"]) == ("summer & tea", "tea <first> & news")
    assert "2026" in said["good until"]


def sheet_rows(sheet: Any, top: int = 0) -> list[dict[str, Any]]:
    head, *rows = list(sheet.values)[top:]
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.slow
def test_who_calls_whom_on_which_day(launch: Callable[..., Any], tmp_path: Path) -> None:
    made = launch(plan__agents=AGENTS, plan__holdout=0)
    paths = write_sheets(made.plan, made.settings, made.tables.contacts, tmp_path)
    regions = list(safe_names(made.plan.groups["region"].unique(maintain_order=True).to_list()).values())
    assert [path.stem for path in paths] == [*regions, *(path.stem for path in paths[len(regions) :])]
    assert {path.stem for path in paths[len(regions) :]} == {"agent =Li", "agent 王芳"}
    known = {row["customer_id"]: row for row in made.plan.invite_list.iter_rows(named=True)}
    for path in paths[: len(regions)]:
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == ["calls", "days", "info"]
        rows = rows_of(path)
        assert {"agent", "call on", "rank", "group", "wave", "customer_id"} <= set(rows[0])
        assert [(row["agent"], row["call on"].date()) for row in rows] == [
            (known[row["customer_id"]]["agent"], known[row["customer_id"]]["call_on"]) for row in rows
        ]
        order = [
            (row["agent"], row["call on"], int(row["group"].rsplit("-", 1)[1]), known[row["customer_id"]]["wave"], row["rank"])
            for row in rows
        ]
        assert order == sorted(order)
        head, *days, total = book["days"].iter_rows(values_only=True)
        assert (head[0], head[-1], total[0]) == ("call on", "all", "all")
        told = {
            (name, day): calls for day, *numbers in days for name, calls in zip(head[1:], numbers, strict=True) if calls and name != "all"
        }
        assert told == Counter((row["agent"], row["call on"]) for row in rows)
        assert total[-1] == sum(day[-1] for day in days) == len(rows)
        names = [row[0] for row in book["info"].iter_rows(values_only=True)]
        assert "your calls" in names
        assert "held out" not in names


def test_each_agent_has_a_workbook_with_a_sheet_a_day(launch: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = launch(plan__agents=AGENTS, **LAUNCH)
    monkeypatch.setattr(module, "_MOST_DAYS", 12)
    paths = [path for path in write_sheets(made.plan, made.settings, made.tables.contacts, tmp_path) if path.stem.startswith("agent ")]
    assert len(paths) > 2
    plan, called = made.plan.invite_list, []
    for path in paths:
        book = openpyxl.load_workbook(path)
        *days, info = book.worksheets
        assert 1 <= len(days) <= 12
        said = {row[0]: row[1] for row in info.iter_rows(values_only=True)}
        assert said["opening words"] == "Hello (name), a group on tea <first> & news from Kang Mei: =10 % off & more."
        assert (said["offer"], said["group rules"]) == ("=10 % off & more", "no <ads>")
        for sheet in days:
            title, script, rest = (sheet.cell(row, 1).value for row in (1, 2, 3))
            agent = title.split(" · ")[0].removeprefix("agent ").rstrip(" 0123456789")
            assert title.startswith(f"agent {agent} · {sheet.title} · ")
            assert script.endswith(said["opening words"])
            assert rest == "offer: =10 % off & more · group rules: no <ads>"
            rows = sheet_rows(sheet, 3)
            here = plan.filter(pl.col("agent") == agent, pl.col("call_on").cast(pl.String) == sheet.title[:10])
            assert sorted(row["customer_id"] for row in rows) == here["customer_id"].sort().to_list()
            assert [row["wave"] for row in rows] == sorted(row["wave"] for row in rows)
            assert list(rows[0])[:8] == ["wave", "name", "phone", "group", "buying habit", "reason", "answer", "note"]
            assert not {"agent", "call on"} & set(rows[0])
            for row in rows:
                name = row["name"] or ""
                assert row["opening words"].startswith(f"Hello {name}, a group" if name else "Hello, a group")
                assert row["save contact as"].endswith("-Kang Mei")
            assert sheet.freeze_panes == "C5"
            assert sheet.print_title_rows == "$1:$4"
            called += [row["customer_id"] for row in rows]
    assert sorted(called) == plan.filter(pl.col("agent").is_not_null())["customer_id"].sort().to_list()


PERSONAS = [
    {"name": "=clinic", "where": "type = 'clinic'", "hook": "=free <tea>", "script": "Dear {name}, {hook} from {shop}!"},
    {"name": "big", "where": "spend > 5000", "hook": "cartons"},
    {"name": "small", "where": "spend < 1500"},
]


@pytest.mark.slow
def test_whoever_has_a_persona_is_offered_and_told_its_own(launch: Callable[..., Any], tmp_path: Path) -> None:
    made = launch(plan__agents=AGENTS, personas=PERSONAS, **LAUNCH)
    persona = dict(made.plan.invite_list.select("customer_id", "persona").rows())
    hooks = {"=clinic": "=free <tea>", "big": "cartons"}
    seen = set()
    for path in write_sheets(made.plan, made.settings, made.tables.contacts, tmp_path):
        *days, info = openpyxl.load_workbook(path).worksheets
        if not path.stem.startswith("agent "):
            assert [cell.value for cell in days[0][1]][:8] == [
                "call on",
                "group",
                "name",
                "phone",
                "persona, and what to offer",
                "reason",
                "answer",
                "note",
            ]
            continue
        told = [row[1] for row in info.iter_rows(values_only=True)]
        for sheet in days:
            top = next(row for row in range(1, 9) if sheet.cell(row, 1).value == "wave") - 1
            above = [sheet.cell(row, 1).value for row in range(2, top)]
            rows = sheet_rows(sheet, top)
            there = {persona[row["customer_id"]] for row in rows}
            heads = [f"opening words · {name}" for name in hooks if name in there] + ["opening words"] * (not there & hooks.keys())
            heads += ["opening words · others"] * bool(there & hooks.keys() and there - hooks.keys())
            assert [line.partition(": ")[0] for line in above] == heads
            assert {line.partition(" · ")[2] or line.partition(": ")[2] for line in above} <= {*told}
            for row in rows:
                which, name = persona[row["customer_id"]], row["name"]
                hook = hooks.get(which, "=10 % off & more")
                assert row["persona"] == which
                assert row["persona, and what to offer"] == f"{which}: {hook}"
                words = (
                    "Dear {}, =free <tea> from Kang Mei!"
                    if which == "=clinic"
                    else f"Hello {{}}, a group on tea <first> & news from Kang Mei: {hook}."
                )
                assert row["opening words"] == (words.format(name) if name else words.replace(" {}", ""))
                assert "buying habit" in row
                seen.add(which)
    assert seen == {"=clinic", "big", "small", "other"}


@pytest.mark.slow
def test_agents_named_as_regions_keep_apart(launch: Callable[..., Any], tmp_path: Path) -> None:
    agents = [{"name": "all", "calls_per_day": 500, "regions": []}]
    made = launch(plan__agents=agents, plan__by_region="none")
    plan = replace(made.plan, groups=made.plan.groups.with_columns(region=pl.lit("agent all")))
    assert [path.stem for path in write_sheets(plan, made.settings, None, tmp_path)] == ["agent all", "agent all_"]


@pytest.mark.slow
def test_the_last_call_stands_where_there_was_one(launch: Callable[..., Any], tmp_path: Path) -> None:
    made = launch(plan__by_region="none")
    one, two, three = made.plan.invite_list["customer_id"].head(3)
    answers = [
        (one, "spring", "refused", date(2026, 3, 1), "time"),
        (one, "winter", "not_reached", date(2026, 1, 9), None),
        (two, "winter", "agreed", date(2026, 1, 9), None),
        (three, "winter", None, None, None),
    ]
    rows = [
        {"customer_id": who, "launch": launch, "answer": said, "answered_on": day, "reason": why} for who, launch, said, day, why in answers
    ]
    invited = pl.DataFrame(rows, INVITED)
    (path,) = write_sheets(made.plan, made.settings, None, tmp_path, invited)
    told = {row["customer_id"]: row["last call"] for row in rows_of(path) if row["last call"]}
    assert told == {one: "refused (no time) · 2026-03-01 · spring", two: "will join · 2026-01-09 · winter"}
    assert last_calls(invited, Labels("zh", "CNY"))["last_call"][0] == "拒绝（没时间） · 2026-03-01 · spring"


@pytest.mark.parametrize(
    ("orders", "last", "gap", "en", "zh"),
    [
        (0, None, None, "has not ordered yet", "还没有下过单"),
        (1, datetime(2026, 6, 30, 23, 59), None, "ordered on 2026-06-30; once so far", "2026-06-30 下过单；目前共 1 单"),
        (2, datetime(2026, 5, 3), 400.0, "ordered on 2026-05-03; 2 orders so far", "2026-05-03 下过单；目前共 2 单"),
        (3, datetime(2026, 5, 3), 1.2, "ordered on 2026-05-03; almost daily", "2026-05-03 下过单；几乎每天下单"),
        (9, datetime(2026, 5, 3), 60.0, "ordered on 2026-05-03; usually every 2 months", "2026-05-03 下过单；平时约 2 个月一单"),
        (30, datetime(2024, 5, 3), 29.6, "ordered on 2024-05-03; usually every 30 days", "2024-05-03 下过单；平时约 30 天一单"),
    ],
)
def test_buying_habits_are_said_as_one_says_them(orders: int, last: datetime | None, gap: float | None, en: str, zh: str) -> None:
    known = pl.DataFrame(
        {"orders": [orders], "last_order_at": [last], "average_gap_days": [gap]},
        schema_overrides={"last_order_at": pl.Datetime, "average_gap_days": pl.Float64},
    )
    assert [known.select(buying_habit(Labels(lang, "CNY"))).item() for lang in ("en", "zh")] == [en, zh]


@pytest.mark.slow
def test_whom_nobody_calls_comes_last(launch: Callable[..., Any], tmp_path: Path) -> None:
    agents = [{"name": "王芳", "calls_per_day": 5, "regions": ["辽宁"]}]
    made = launch(plan__agents=agents, plan__by_region="none", lang="zh")
    path, *others = write_sheets(made.plan, made.settings, None, tmp_path)
    assert [other.stem.split()[:2] for other in others] == [["客服", "王芳"]] * len(others)
    names = [row["客服"] for row in rows_of(path)]
    assert names == sorted(names, key=["王芳", "待分配"].index)
    assert set(names) == {"王芳", "待分配"}
    assert openpyxl.load_workbook(path)["日程"]["A1"].value == "计划外呼日"


@pytest.mark.slow
def test_no_cell_is_a_formula_or_a_link(launch: Callable[..., Any], tmp_path: Path) -> None:
    made = launch(plan__agents=AGENTS, **LAUNCH)
    settings = made.settings.model_copy(update={"launch": made.settings.launch.model_copy(update={"script": "=1+1 {name}"})})
    contacts = made.tables.contacts.with_columns(
        pl.lit("=1+1").alias("name"), pl.lit("http://example.com").alias("wechat"), pl.lit("+8613800000000").alias("phone")
    )
    for path in write_sheets(made.plan, settings, contacts, tmp_path):
        book = openpyxl.load_workbook(path)
        for cell in (cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row):
            assert cell.data_type in ("s", "n", "d")
            assert cell.hyperlink is None
        assert {"=1+1", "+8613800000000"} <= {cell.value for cell in book.worksheets[0][book.worksheets[0].max_row]}
        with zipfile.ZipFile(path) as archive:
            assert not any("<f>" in archive.read(part).decode() for part in archive.namelist() if "/worksheets/sheet" in part)


@pytest.mark.slow
def test_same_bytes_again(launch: Callable[..., Any], tmp_path: Path) -> None:
    made = launch(plan__agents=AGENTS, **LAUNCH)
    one = write_sheets(made.plan, made.settings, made.tables.contacts, tmp_path / "1")
    assert len({path.name for path in one}) == len(one)
    two = write_sheets(made.plan, made.settings, made.tables.contacts.reverse(), tmp_path / "2")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    with zipfile.ZipFile(one[0]) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert "2026-07-01T00:00:00Z" in archive.read("docProps/core.xml").decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("by_region", "lang", "names"), [("none", "en", {"all"}), ("none", "zh", {"全部"}), ("city", "zh", {"无地区", "辽宁-沈阳"})]
)
def test_by_region(launch: Callable[..., Any], tmp_path: Path, by_region: str, lang: str, names: set[str]) -> None:
    made = launch(plan__by_region=by_region, lang=lang)
    found = {path.stem for path in write_sheets(made.plan, made.settings, None, tmp_path)}
    assert names <= found
    assert by_region == "city" or names == found


@pytest.mark.slow
def test_contact_columns_named_as_ours_keep_apart(launch: Callable[..., Any], tmp_path: Path) -> None:
    made = launch(plan__by_region="none")
    contacts = made.tables.contacts.select("customer_id", "name", pl.col("phone").alias("score"), pl.col("wechat").alias("note"))
    (path,) = write_sheets(made.plan, made.settings, contacts, tmp_path)
    row = rows_of(path)[0]
    told = made.tables.contacts.row(by_predicate=pl.col("customer_id") == row["customer_id"], named=True)
    assert (row["name"], row["score"], row["note (contact)"], row["note"]) == (told["name"], told["phone"], told["wechat"], None)


@pytest.mark.slow
def test_many_calls_make_several_workbooks(launch: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = launch(plan__by_region="none")
    monkeypatch.setattr(module, "_MOST_ROWS", 150)
    paths = write_sheets(made.plan, made.settings, None, tmp_path)
    assert [path.name for path in paths] == ["all 1.xlsx", "all 2.xlsx", "all 3.xlsx"]
    assert [len(rows_of(path)) for path in paths] == [150, 150, 100]


@pytest.mark.slow
def test_two_processes_make_the_same_bytes_and_one_does_where_the_other_breaks_down(
    launch: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = launch(plan__agents=AGENTS, **LAUNCH)
    books = call_sheets(made.plan, made.settings, made.tables.contacts)
    alone = {path.name: path.read_bytes() for path in BookMaker(books).write(tmp_path / "alone")}
    assert [*alone] == [*books]
    monkeypatch.setattr(call_sheet_book, "_ENOUGH", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    beside = BookMaker(books)
    beside._beside.join()  # so that it makes all
    assert set(beside._made) == set(books)
    assert {path.name: path.read_bytes() for path in beside.write(tmp_path / "beside")} == alone

    def kill(self: SideProcess, facts: object) -> None:
        self.process.kill()
        sent(self, facts)

    sent = SideProcess.send
    monkeypatch.setattr(SideProcess, "send", kill)
    broken = BookMaker(books)
    broken._beside.join()
    assert not broken._made
    assert {path.name: path.read_bytes() for path in broken.write(tmp_path / "broken")} == alone
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert {path.name: path.read_bytes() for path in BookMaker(books).write(tmp_path / "none")} == alone


def test_what_cannot_be_written_is_said_whoever_made_it(
    launch: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = launch(plan__by_region="none")
    monkeypatch.setattr(call_sheet_book, "_ENOUGH", 0)
    beside = BookMaker(call_sheets(made.plan, made.settings, None))
    beside._beside.join()
    (tmp_path / "all.xlsx").mkdir()
    with pytest.raises(IsADirectoryError):
        beside.write(tmp_path)
