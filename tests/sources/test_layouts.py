"""Files of one table with other columns."""

from pathlib import Path

import polars as pl
import pytest
from shop_files import problems, raw, saved, workbook

from segmenter.sources.layouts import layout_key

HEAD = "customer_id,time,amount,note\n"
ROW = "a,2026-03-01,1.5,x\n"


@pytest.mark.parametrize("other", ["Customer ID", " customer_id", "CUSTOMER_ID", "ｃｕｓｔｏｍｅｒ　ｉｄ"])
def test_names_that_differ_in_case_blanks_and_width_are_the_same(other: str) -> None:
    assert layout_key(other) == layout_key("customer_id")


def test_a_file_with_all_mapped_columns_is_read_with_the_others(tmp_path: Path) -> None:
    saved(tmp_path, "1.csv", HEAD + ROW)
    saved(tmp_path, "2.csv", "Amount;Time;Customer ID\n2,5;2026-03-02;b\n".encode("gb18030"))
    workbook(tmp_path / "3.xlsx", [["March"], ["customer_id", "time", "amount", "city"], ["c", "2026-03-03", "3.5", "Kent"]])
    found = raw(tmp_path)
    rows = found.frame.select("customer_id", "time", "amount", "note", "city").rows()
    assert rows == [("a", "2026-03-01", "1.5", "x", None), ("b", "2026-03-02", "2,5", None, None), ("c", "2026-03-03", "3.5", None, "Kent")]
    told = {finding.message.facts["problem"].code: finding.level for finding in found.findings}
    assert told == {"sheets.titles": "note", "sheets.not_in_all": "warning"}  # a city is read where there is one


@pytest.mark.parametrize(
    ("name", "content"), [("0.csv", "customer_id,name\na,Ann\n"), ("9.tsv", "region\tsum\nx\t3\n"), ("note.txt", "a, b\nc, d\n")]
)
def test_a_file_of_another_layout_is_named_with_the_way_out(tmp_path: Path, name: str, content: str) -> None:
    saved(tmp_path, "1.csv", HEAD + ROW)
    saved(tmp_path, name, content)
    message = problems(tmp_path)
    assert f"{name}: has another layout than 1.csv (it lacks " in message
    assert "leave it out by a glob in data.orders.path" in message
    assert raw(tmp_path / "[1-8]*").frame.height == 1


def test_what_is_no_table_is_named_and_not_read(tmp_path: Path) -> None:
    saved(tmp_path, "1.csv", HEAD + ROW)
    for name in ("scan.pdf", "photo.png", "~$1.xlsx", ".DS_Store", "march.zip", "readme.md"):
        saved(tmp_path, name, b"x\0")
    saved(tmp_path, "readme.txt", "These are the orders\nof March\n")
    (tmp_path / "old").mkdir()
    saved(tmp_path / "old", "2025.csv", HEAD + ROW)
    for path in (str(tmp_path), f"{tmp_path}/*"):
        found = raw(path)
        assert found.frame.height == 1
        warned, noted = (
            " ".join(str(finding.message) for finding in found.findings if finding.level == level) for level in ("warning", "note")
        )
        assert "march.zip" in warned
        assert "readme.txt" in warned
        assert [name in noted for name in ("scan.pdf", "photo.png", "readme.md", ".DS_Store")] == [True, True, True, False]
    assert "old/, photo.png" in str(raw(tmp_path).findings[-1].message)


def test_types_of_columns_that_are_not_in_all_stay(tmp_path: Path) -> None:
    day = pl.Series([0]).cast(pl.Date)
    pl.DataFrame({"customer_id": [1], "time": day, "amount": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"customer_id": [2], "time": day, "amount": [2], "quantity": [3]}).write_parquet(tmp_path / "b.parquet")
    assert raw(tmp_path).frame["quantity"].to_list() == [None, 3]
