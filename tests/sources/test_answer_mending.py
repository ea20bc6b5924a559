"""What nobody could make sense of, as it goes out and comes back."""

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from marks import slow_but

import segmenter
from segmenter.report.labels import Labels
from segmenter.report.mending_sheet import write_mending_sheet
from segmenter.sources.answer_people import People
from segmenter.sources.answers import read_answers

DAY = date(2026, 7, 31)
CONTACTS = pl.DataFrame(
    {"customer_id": ["C1", "C2", "C3"], "name": ["张三", "李四", "王五"], "phone": [f"1380000000{n}" for n in (1, 2, 3)]}
)
LAUNCH = segmenter.launch_settings({"launch.as_of": "2026-07-01", "launch.country": "CN"}).launch
PEOPLE = People(CONTACTS, pl.DataFrame({"customer_id": ["C1", "C2"], "group": "g", "region": "四川"}), LAUNCH)


def read(*places: Path) -> Any:
    return read_answers([str(place) for place in places], before=DAY, timezone="Asia/Shanghai", since=date(2026, 7, 1), people=PEOPLE)


def fill(path: Path, cells: dict[int, dict[str, Any]]) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book.active
    at = {cell.value: cell.column for cell in sheet[1]}
    for row, values in cells.items():
        for head, value in values.items():
            sheet.cell(row, at[head]).value = value
    book.save(path)


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_what_is_filled_in_is_an_answer_and_is_not_asked_again(tmp_path: Path, lang: Any) -> None:
    say = Labels(lang, "CNY").say
    (tmp_path / "a.csv").write_text(
        "姓名,电话,答复,答复日期\n张三,,呃呃呃,2026-07-03\n老王,13900000000,已入群,2026-07-04\n李四,,嗯嗯嗯,\n", "utf-8"
    )
    found, book = read(tmp_path / "a.csv"), tmp_path / "to_mend.xlsx"
    assert found.to_mend.height == 3
    write_mending_sheet(found.to_mend, Labels(lang, "CNY"), "spring", DAY, book)
    assert book.stat().st_mode & 0o777 == 0o600
    first = book.read_bytes()
    write_mending_sheet(found.to_mend, Labels(lang, "CNY"), "spring", DAY, book)
    assert book.read_bytes() == first
    # Nobody has filled it in: as if it were not there.
    idle = read(tmp_path)
    assert idle.to_mend.equals(found.to_mend)
    assert (idle.rows, idle.open, idle.files, idle.rejects.rows()) == (found.rows, found.open, found.files, found.rejects.rows())

    fill(book, {2: {say("answer", "答复"): say("refused", "拒绝")}, 3: {say("customer_id", "客户编号"): "C3"}})
    again = read(tmp_path)
    assert again.answers.select("customer_id", "answer", "answered_on").rows() == [
        ("C1", "refused", date(2026, 7, 3)),
        ("C3", "joined", date(2026, 7, 4)),
    ]
    assert again.rejects.select("file", "row").rows() == [("a.csv", 4)]
    assert again.to_mend.select("source", "row", "mended").rows() == [("a.csv", 4, False), ("a.csv", 2, True), ("a.csv", 3, True)]
    # The next workbook may take the place of this one.
    write_mending_sheet(again.to_mend, Labels(lang, "CNY"), "spring", DAY, book)
    third = read(tmp_path)
    assert third.answers.drop("row").equals(again.answers.drop("row"))
    assert third.to_mend.equals(again.to_mend)
    # What was not mended stays where the list itself is gone.
    (tmp_path / "a.csv").unlink()
    assert read(tmp_path).to_mend.select("source", "row", "name", "mended").rows() == [("a.csv", 4, "李四", False)]


def test_the_workbook_says_in_both_languages_why(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("姓名,答复\n路人,已入群\n", encoding="utf-8")
    for lang, words in (("en", "is nobody whom"), ("zh", "找不到这位客户")):
        write_mending_sheet(read(tmp_path / "a.csv").to_mend, Labels(lang, "CNY"), "spring", DAY, tmp_path / "b.xlsx")
        cells = [cell for row in openpyxl.load_workbook(tmp_path / "b.xlsx").active.iter_rows(values_only=True) for cell in row]
        assert any(words in str(cell) for cell in cells)
