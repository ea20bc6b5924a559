import csv
import datetime as dt
import gzip
import hashlib
import io
import os
import random
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from polars.testing import assert_frame_equal

from segmenter import launch_settings
from segmenter.errors import ConfigError, InputError
from segmenter.loader import read_tables
from segmenter.settings import FilesSettings, parse
from segmenter.sources.files import read_files
from segmenter.sources.raw import near_files
from segmenter.tables import REJECTS

CONF = Path(__file__).parents[2] / "conf" / "data"
ERP = "客户编号,下单时间,金额,省份\nC001,2026-03-01 10:20,128.50,四川\nC002,2026-03-02 08:00,99,广东省\nC003,2026-03-02 09:15,1024.00,\n"
ERP_ROWS = [
    ("C001", "2026-03-01 10:20", "128.50", "四川"),
    ("C002", "2026-03-02 08:00", "99", "广东省"),
    ("C003", "2026-03-02 09:15", "1024.00", None),
]


def configured(**changes: object) -> FilesSettings:
    config = OmegaConf.merge(OmegaConf.load(CONF / "_tables.yaml"), OmegaConf.load(CONF / "files.yaml"), {"orders": {"path": "-"}}, changes)
    del config["defaults"]
    return parse(FilesSettings, config)


def read(path: Path | str, **changes: object) -> pl.DataFrame:
    return read_files("orders", str(path), configured(**changes)).frame


def values(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return frame.drop("__file", "__row").rows()


def problems(path: Path | str, **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        read(path, **changes)
    assert all(line.startswith("data.") for line in caught.value.problems)
    return str(caught.value)


def saved(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("encoding", "named", "read_as"),
    [
        ("utf-8", "auto", "utf-8"),
        ("utf-8-sig", "auto", "utf-8"),
        ("utf-16", "auto", "utf-16"),
        ("gb18030", "auto", "gb18030"),
        ("gbk", "auto", "gb18030"),
        ("gbk", "GBK", "gbk"),
        ("utf-16-le", "utf-16-le", "utf-16-le"),
        ("utf-8-sig", "utf-8", "utf-8"),
    ],
)
def test_an_erp_export_reads_the_same_in_every_encoding(tmp_path: Path, encoding: str, named: str, read_as: str) -> None:
    path = saved(tmp_path, "销售 明细.csv", ERP.encode(encoding))
    raw = read_files("orders", str(path), configured(encoding=named))
    assert raw.frame.columns == ["客户编号", "下单时间", "金额", "省份", "__file", "__row"]
    assert raw.frame.rows() == [(*row, "销售 明细.csv", number) for number, row in enumerate(ERP_ROWS, start=2)]
    (found,) = raw.fingerprints
    assert (found.name, found.size, found.read_as) == ("销售 明细.csv", path.stat().st_size, f"CSV, {read_as}, comma")
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_that_comes_late_and_across_reading_steps_is_found(tmp_path: Path, encoding: str) -> None:
    # Characters of several bytes stand on every kind of boundary of the 1 MiB steps.
    lines = [f"{number},{number}.5," for number in range(70_000)] + [f"{number},1,四川省成都市𠮷" for number in range(70_000, 120_000)]
    path = saved(tmp_path, "orders.csv", ("id,amount,place\n" + "\n".join(lines)).encode(encoding))
    frame = read(path)
    assert frame["place"].value_counts(sort=True).rows() == [(None, 70_000), ("四川省成都市𠮷", 50_000)]
    assert frame["id"].cast(pl.Int64).to_list() == list(range(120_000))


def test_other_encodings_are_read_only_where_one_alone_makes_sense(tmp_path: Path) -> None:
    taiwan = "客戶編號,金額,城市,備註\n1,20,臺北市中正區忠孝東路,訂單已完成\n2,30,高雄市,退款成功\n"
    assert values(read(saved(tmp_path, "tw.csv", taiwan.encode("big5"))))[1] == ("2", "30", "高雄市", "退款成功")
    spanish = saved(tmp_path, "es.csv", "Número,Año,señor,España,Córdoba,Málaga,Castellón\n".encode("cp1252"))
    message = problems(spanish)
    assert "es.csv: its encoding cannot be told (utf-8 fails at line 1" in message
    assert "cp1252" in message
    assert "data.encoding" in message
    german = saved(tmp_path, "de.csv", "name;amount\nKäse;1,5\n".encode("cp1252"))  # valid, but nonsense, as GB18030
    assert "gives no Chinese" in problems(german)
    assert values(read(german, encoding="cp1252")) == [("Käse", "1,5")]
    assert "its encoding cannot be told" in problems(saved(tmp_path, "euro.csv", "id,price\n1,€5\n".encode("cp1252") * 100))
    names = "Größe,Straße,Überweisung\nMüller,Königsallee,Düsseldorf\nGemüse,Bäcker,für\n"
    assert read(saved(tmp_path, "de.csv", names.encode("cp1252"))).columns[:2] == ["Größe", "Straße"]
    assert "begins with the byte order mark of utf-8" in problems(saved(tmp_path, "mark.csv", ERP.encode("utf-8-sig")), encoding="gb18030")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_file_with_one_broken_character_names_its_line(tmp_path: Path, encoding: str) -> None:
    content = ("客户编号,收货地址\n" + "".join(f"{number},四川省成都市武侯区\n" for number in range(30))).encode(encoding)
    cut = saved(tmp_path, "cut.csv", content + "99,广东".encode(encoding)[:-1] + b"\n")  # a field of fixed width cuts characters
    assert f"cut.csv: line 32 has bytes that are not {encoding}" in problems(cut)
    assert f"cut.csv: line 32 is not {encoding}" in problems(cut, encoding=encoding)
    late = saved(tmp_path, "late.csv", content * 3_000 + "99,广东".encode(encoding)[:-1] + b"\n")  # in the third step of 1 MiB
    assert f"late.csv: line 93,001 is not {encoding}" in problems(late, encoding=encoding)


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    rows = [["id", "amount", "note"], ["1", "12,50", "a;b|c\td, e"], ["2", "7", 'he said "no"\nand left'], ["3", "", "x"]]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    path = saved(tmp_path, "orders.txt", text.getvalue())
    expected = [("1", "12,50", "a;b|c\td, e"), ("2", "7", 'he said "no"\nand left'), ("3", None, "x")]
    assert values(read(path)) == expected
    assert values(read(path, separator=separator)) == expected


cells = st.text(st.one_of(st.characters(codec="gb18030", exclude_characters="\0"), st.sampled_from("\",;|\t\n\r '四川省")), max_size=8)


@hypothesis_settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=6)),
    encoding=st.sampled_from([("utf-8", "auto"), ("utf-8-sig", "auto"), ("utf-16", "auto"), ("gb18030", "gb18030")]),
    separator=st.sampled_from([",", "\t", ";", "|", "^"]),
    style=st.fixed_dictionaries(
        {"quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), "lineterminator": st.sampled_from(["\n", "\r\n"])}
    ),
    gzipped=st.booleans(),
)
def test_any_table_of_text_comes_back(
    rows: list[list[str]], encoding: tuple[str, str], separator: str, style: dict[str, Any], gzipped: bool
) -> None:
    if style["lineterminator"] == "\n":  # Python's writer would leave a \r at a line's end unquoted: no reader can tell it from \r\n
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    header = ["客户编号", "amount", "note", "省 份"][: len(rows[0])]
    text, begins = io.StringIO(newline=""), []
    for row in [header, *rows]:
        begins.append(1 + len(io.StringIO(text.getvalue(), newline="").readlines()))  # as an editor numbers the lines
        csv.writer(text, delimiter=separator, **style).writerow(row)
    content = text.getvalue().encode(encoding[0])
    expected = [(*(cell or None for cell in row), line) for row, line in zip(rows, begins[1:], strict=True) if any(row)]
    with tempfile.TemporaryDirectory() as folder:
        path = saved(Path(folder), "t.csv.gz" if gzipped else "t.csv", gzip.compress(content) if gzipped else content)
        changes = {"encoding": encoding[1], "separator": separator if separator == "^" else "auto"}
        if expected:
            frame = read(path, **changes)
            assert frame.columns == [*header, "__file", "__row"]
            assert frame.drop("__file").rows() == expected
        else:
            assert "should have rows" in problems(path, **changes)


def test_headers_are_cleaned_and_a_name_given_twice_is_numbered_in_both_places(tmp_path: Path) -> None:
    frame = read(saved(tmp_path, "orders.csv", '\n\n " 客户编号","金额 ",备注,,备注,__row,\n1,2,3,4,5,6,\n'.replace(' "', '"')))
    assert frame.columns == ["客户编号", "金额", "备注_1", "column_4", "备注_2", "__row_1", "__file", "__row"]
    assert values(frame) == [("1", "2", "3", "4", "5", "6")]


def test_untidy_but_unambiguous_lines_lose_nothing(tmp_path: Path) -> None:
    text = 'id,size,note\n1,5\'10",a "b" c\n\n2,x\n,,\n3,y,z,,\n"4","","say ""hi"""\n'
    frame = read(saved(tmp_path, "orders.csv", text))
    assert values(frame) == [("1", "5'10\"", 'a "b" c'), ("2", "x", None), ("3", "y", "z"), ("4", None, 'say "hi"')]
    assert frame["__row"].to_list() == [2, 4, 6, 7]
    macintosh = saved(tmp_path, "mac.csv", "id,amount\r1,2\r3,4\r")
    assert values(read(macintosh)) == [("1", "2"), ("3", "4")]
    assert values(read(saved(tmp_path, "one.csv", "customer_id\na\n\nb\n"))) == [("a",), ("b",)]


QUOTE = "has a quote that does not end as it should (a quote inside a field is written as two)"
BEHIND = "stands behind a quote that does not end, and may belong to it"


def rejects(path: Path, **changes: object) -> list[tuple[int, str, str]]:
    found = read_files("orders", str(path), configured(**changes)).rejects
    assert found.schema == REJECTS
    assert found.select("table", "file", "column").unique().rows() in ([], [("orders", path.name, None)])
    return found.select("row", "value", "reason").rows()


def test_lines_that_do_not_fit_are_rejects_and_cost_no_other_row(tmp_path: Path) -> None:
    text = 'id,amount,note\n1,2,"two\nlines"\n2,1,234.50,x\n\n3,4,"bad" quote\n5,6,""\n' + "9,9,9,9,,\n" * 2 + f"7,8,{'x' * 300},y\n10,11,z"
    path = saved(tmp_path, "orders.csv", text)
    assert read(path).rows() == [
        ("1", "2", "two\nlines", "orders.csv", 2),
        ("5", "6", None, "orders.csv", 7),
        ("10", "11", "z", "orders.csv", 11),
    ]
    assert rejects(path) == [
        (4, "2,1,234.50,x", "has 4 fields, the header 3"),
        (6, '3,4,"bad" quote', QUOTE),
        (8, "9,9,9,9,,", "has 6 fields, the header 3"),
        (9, "9,9,9,9,,", "has 6 fields, the header 3"),
        (10, f"7,8,{'x' * 195}…", "has 4 fields, the header 3"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_quote_that_does_not_end_costs_one_row(tmp_path: Path, encoding: str, line_end: str) -> None:
    lines = [f"{row},四川 {row},{row}.5" for row in range(1, 3001)]
    lines[9] = '10,"四川,10.5'  # the next quote comes before a letter,
    lines[1999] = '2000,"成都 ""二"",1'  # and the last never
    lines[2998] = '"2999",绵阳,""'
    path = saved(tmp_path, "orders.csv", line_end.join(["id,place,amount", *lines]).encode(encoding))
    frame = read(path)
    assert rejects(path) == [(11, lines[9], QUOTE), (2001, lines[1999], QUOTE)]
    assert frame["__row"].to_list() == [row + 1 for row in range(1, 3001) if row not in (10, 2000)]
    assert (frame["id"].cast(pl.Int64) + 1).to_list() == frame["__row"].to_list()
    assert frame.row(-2)[:3] == ("2999", "绵阳", None)


def test_a_quote_left_open_is_not_looked_for_beyond_the_longest_field(tmp_path: Path) -> None:
    lines = [f"{row},{'x' * 50},{row}.5" for row in range(1, 20_001)]
    lines[4] = '5,"open,5.5'
    path = saved(tmp_path, "orders.csv", "\n".join(["id,note,amount", *lines]))
    assert rejects(path) == [(6, '5,"open,5.5', "has a quote that does not end, or a field of more than 131,072 characters")]
    assert read(path)["id"].cast(pl.Int64).to_list() == [row for row in range(1, 20_001) if row != 5]
    last = saved(tmp_path, "last.csv", 'id,note,amount\n1,a,2\n"2,b,3')  # Polars alone would drop it in silence
    assert rejects(last) == [(3, '"2,b,3', QUOTE)]


def test_pieces_of_a_bad_record_are_not_taken_for_rows(tmp_path: Path) -> None:
    text = 'name,id,amount\n"first\nsecond\nthird, or" so,1,2\nb,2,3\n"c\nc",1,234.50,x\nd,4,5\n'
    path = saved(tmp_path, "orders.csv", text)
    assert values(read(path)) == [("b", "2", "3"), ("d", "4", "5")]
    assert rejects(path) == [
        (2, '"first', QUOTE),
        (3, "second", BEHIND),
        (4, 'third, or" so,1,2', "has 4 fields, the header 3"),
        (6, '"c', "has 4 fields, the header 3"),
        (7, 'c",1,234.50,x', "has 4 fields, the header 3"),
    ]
    assert rejects(saved(tmp_path, "whole.csv", 'name,id,amount\n"a\nb" so,1,2\nc,2,3\n')) == [(2, '"a', QUOTE), (3, 'b" so,1,2', BEHIND)]


spoils = st.sampled_from(["{0},{1},{2},more", '{0},"{1},{2}', '"{0},{1},{2}', '{0},"{1}" so,{2}', '{0},"{1}"" {2}', '{0},{1},"{2}'])


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(*[st.text(st.sampled_from("ab四川 '"), min_size=1, max_size=5).map(lambda cell: f"x{cell}x")] * 3, st.none() | spoils),
        min_size=1,
        max_size=40,
    ),
    quoted=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_each_line_is_a_row_or_a_reject(rows: list[tuple[str, str, str, str | None]], quoted: bool, line_end: str) -> None:
    usual = '"{0}","{1}","{2}"' if quoted else "{0},{1},{2}"
    lines = [(spoil or usual).format(*cells) for *cells, spoil in rows]
    good = [(*cells, number) for number, (*cells, spoil) in enumerate(rows, start=2) if spoil is None]
    with tempfile.TemporaryDirectory() as folder:
        path = saved(Path(folder), "t.csv", line_end.join(["one,two,three", *lines]))
        if good:
            assert read(path).drop("__file").rows() == good
            assert [row[:2] for row in rejects(path)] == [(n + 2, lines[n]) for n in range(len(rows)) if rows[n][3]]
        else:
            assert f"t.csv: should have rows that can be read (got {len(rows)} that cannot: row 2 has" in problems(path)


def test_rejects_of_all_files_of_a_table_are_gathered_and_reach_the_tables(tmp_path: Path) -> None:
    for month, more in (("01", ""), ("02", "x,2026-02-02,3,4\n"), ("03", 'y,"2026-03-02,3\n')):
        saved(tmp_path, f"{month}.csv", f"customer_id,time,amount\n{more}c{month},2026-{month}-01,12.5\n")
    saved(tmp_path, "04.csv", "customer_id,time,amount\n1,2,3,4\n")
    launch = launch_settings({"launch.as_of": "2026-07-01"}).launch
    with pytest.raises(InputError) as caught:
        read_tables(configured(orders={"path": str(tmp_path)}), launch, seed=1)
    assert caught.value.problems == (
        "orders: 50.0% of 6 rows were rejected; data.max_reject_share allows 5%. Mend the rows or the mapping, or allow more:",
        "  2 × row has 4 fields, the header 3, such as row 2 of 02.csv",
        f"  1 × row {QUOTE}, such as row 2 of 03.csv",
    )
    tables = read_tables(configured(orders={"path": str(tmp_path)}, max_reject_share=0.5), launch, seed=1).tables
    assert tables.reads["orders"] == {"rows": 6, "filtered": 0, "later": 0, "rejected": 3, "kept": 3}
    assert tables.rejects.select("file", "row", "value").rows() == [
        ("02.csv", 2, None),
        ("03.csv", 2, None),
        ("04.csv", 2, None),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("stray", ["", "C003,x,1,2,3\n"])
def test_rows_above_the_header_are_left_out(tmp_path: Path, encoding: str, line_end: str, stray: str) -> None:
    text = '订单"导出报表\n"导出时间：2026-03-03, 10:00\n\n' + ERP.replace(",", ";") + stray.replace(",", ";")
    path = saved(tmp_path, "erp.csv", text.replace("\n", line_end).encode(encoding))
    for rows in (2, 3):  # a blank line above the header need not be counted
        frame = read(path, skip_rows=rows)
        assert frame.columns[:4] == ["客户编号", "下单时间", "金额", "省份"]
        assert frame.drop("__file").rows() == [(*row, number) for number, row in enumerate(ERP_ROWS, start=5)]
        assert [row[0] for row in rejects(path, skip_rows=rows)] == [8] * bool(stray)
    assert "should begin with a header below 30 rows, as data.skip_rows says" in problems(path, skip_rows=30)


def test_rows_above_the_header_of_a_sheet_are_left_out(tmp_path: Path) -> None:
    rows: list[list[object]] = [["订单导出报表"], ["导出时间：", dt.date(2026, 3, 3)], [], ["id", "金额"], ["a", 1], [], ["b", 2.5]]
    for first_row in (1, 3):
        path = workbook(tmp_path / f"{first_row}.xlsx", rows, first_row=first_row)
        for skip_rows in (first_row + 1, first_row + 2):
            frame = read(path, skip_rows=skip_rows)
            assert frame.columns[:2] == ["id", "金额"]
            assert frame.drop("__file").rows() == [("a", 1.0, first_row + 4), ("b", 2.5, first_row + 6)]
    assert "1.xlsx" in problems(tmp_path / "1.xlsx", skip_rows=20)
    assert "data.skip_rows leaves out 20 rows" in problems(tmp_path / "1.xlsx", skip_rows=20)


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_first_line_for_excel_names_the_separator(tmp_path: Path, line: str, encoding: str) -> None:
    body = "id;a,b,c\r\n1;2,3,4\r\n5;6,7,8\r\n"  # a comma would be the better guess
    path = saved(tmp_path, "excel.csv", f"{line}\r\n{body}".encode(encoding))
    assert read(path).drop("__file").rows() == [("1", "2,3,4", 3), ("5", "6,7,8", 4)]
    assert values(read(path, separator=",")) == [("1;2", "3", "4"), ("5;6", "7", "8")]
    titled = saved(tmp_path, "titled.csv", f"{line}\r\n订单\r\n{body}".encode(encoding))
    assert read(titled, skip_rows=1).columns[:2] == ["id", "a,b,c"]
    tabs = saved(tmp_path, "tabs.csv", "sep=\t\nid\tamount\n1\t2\n")
    assert read_files("orders", str(tabs), configured()).fingerprints[0].read_as == "CSV, utf-8, tab"


def test_a_title_taken_for_the_header_is_told(tmp_path: Path) -> None:
    launch = launch_settings({"launch.as_of": "2026-07-01"}).launch
    body: list[list[str]] = [["customer_id", "time", "amount"], ["a", "2026-03-01", "12.5"]]
    titles = {
        "one.csv": "订单\n导出时间\n" + "\n".join(map(",".join, body)),
        "wide.csv": "订单,,\n" + "\n".join(map(",".join, body)),
    }
    found = [saved(tmp_path, name, text) for name, text in titles.items()]
    found.append(workbook(tmp_path / "book.xlsx", [["订单"], *map(list[object], body)]))
    for path in found:
        with pytest.raises(InputError) as caught:
            read_tables(configured(orders={"path": str(path)}), launch, seed=1)
        assert 'data.orders.columns.customer_id: is needed: the source has no column "customer_id"' in str(caught.value)
        assert "data.skip_rows: should be the number of rows above the header of orders (got 0, where " in caught.value.problems[-1]
    with pytest.raises(InputError) as caught:
        read_tables(configured(orders={"path": str(saved(tmp_path, "t.csv", titles["one.csv"][3:]))}, skip_rows=2), launch, seed=1)
    assert not any("data.skip_rows" in problem for problem in caught.value.problems)


def test_stray_quotes_in_a_large_file_never_change_another_row(tmp_path: Path) -> None:
    # Polars reads in parallel pieces and counts quotes to find where rows begin.
    number = random.Random(7)
    for attempt in range(6):
        lines = [f'{row},"a, {row}\nb",{row}.5' if row % 97 == 0 else f"{row},plain,{row}.5" for row in range(40_000)]
        for row in number.sample(range(40_000), 2):
            lines[row] = f'{row},n"{row},1'
        frame = read(saved(tmp_path, f"{attempt}.csv", "id,note,amount\n" + "\n".join(lines)))
        assert frame["id"].to_list() == [str(row) for row in range(40_000)]


def workbook(path: Path, rows: list[list[object]], sheet: str = "订单", first_row: int = 1) -> Path:
    book = openpyxl.Workbook()
    book.create_sheet(sheet)
    book.create_sheet("退款")
    del book["Sheet"]
    for number, row in enumerate(rows, start=first_row):
        for column, value in enumerate(row, start=1):
            book[sheet].cell(row=number, column=column).value = value  # type: ignore[assignment]
    book.save(path)
    return path


def test_a_workbook_keeps_types_and_loses_no_cell(tmp_path: Path) -> None:
    day, moment = dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 1, 10, 20)
    rows: list[list[object]] = [["客户编号", "金额", "日期", "时间", "混合", "省份", None, "备注", "备注"]]
    rows += [[13800000000 + row, 12345.0, day, moment, 12345.0, "四川", None, 1.25, 2] for row in range(1_500)]
    rows += [
        ["VIP-1", "abc", day, moment, moment, "", None, None, None],
        [None] * 9,
        [7, 12.5, day, moment, "n/a", "#N/A", "extra", None, None],
    ]
    frame = read(workbook(tmp_path / "订单 (1).xlsx", rows, first_row=3), sheet="订单")
    assert frame.columns == ["客户编号", "金额", "日期", "时间", "混合", "省份", "column_7", "备注_1", "备注_2", "__file", "__row"]
    assert frame.schema["日期"] == pl.Date
    assert frame.schema["时间"] == pl.Datetime("ms")
    assert frame.schema["备注_2"] == pl.Int64
    assert frame.row(0)[:6] == ("13800000000", "12345", day.date(), moment, "12345", "四川")
    assert values(frame)[1500:] == [
        ("VIP-1", "abc", day.date(), moment, "2026-03-01 10:20:00", None, None, None, None),
        ("7", "12.5", day.date(), moment, "n/a", None, "extra", None, None),
    ]
    assert frame["__row"].to_list()[-2:] == [1504, 1506]


def test_sheets_are_named_and_the_first_is_the_default(tmp_path: Path) -> None:
    path = workbook(tmp_path / "shop.xlsx", [["id"], [1], [2]])
    assert values(read(path)) == [(1,), (2,)]
    assert 'data.sheet: is no sheet of shop.xlsx (got "订单明细"); nearest: 订单' in problems(path, sheet="订单明细")
    assert "got an empty sheet" in problems(path, sheet="退款")


def test_an_opendocument_sheet_is_read(tmp_path: Path) -> None:
    spaces = "".join(f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    rows = [["id", "金额"], ["a", "1"]]
    cells = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row)
        + "</table:table-row>"
        for row in rows
    )
    body = f'<office:body><office:spreadsheet><table:table table:name="S">{cells}</table:table></office:spreadsheet></office:body>'
    with zipfile.ZipFile(tmp_path / "shop.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml", '<?xml version="1.0"?><m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        )
        archive.writestr("content.xml", f'<?xml version="1.0"?><office:document-content{spaces}>{body}</office:document-content>')
    assert values(read(tmp_path / "shop.ods")) == [("a", "1")]


def test_a_folder_of_mixed_files_is_one_table(tmp_path: Path) -> None:
    saved(tmp_path, "2026-02.csv", "金额,客户编号,day\n1.5,0007,2026-02-01\n")
    pl.DataFrame({"客户编号": [8], "金额": [2.25], "day": [dt.date(2026, 1, 1)]}).write_parquet(tmp_path / "2026-01.parquet")
    workbook(tmp_path / "2026-03.xlsx", [["客户编号", "金额", "day"], [9, 3, None]])
    saved(tmp_path, "2026-04.tsv.gz", gzip.compress("客户编号\t金额\tday\n".encode()))
    for ignored in (".hidden.csv", "~$2026-03.xlsx", "notes.docx"):
        saved(tmp_path, ignored, "not data")
    (tmp_path / "old").mkdir()
    saved(tmp_path / "old", "2025.csv", "客户编号,金额,day\n1,1,1\n")
    frame = read(tmp_path)
    assert frame.rows() == [
        ("8", "2.25", "2026-01-01", "2026-01.parquet", 1),
        ("0007", "1.5", "2026-02-01", "2026-02.csv", 2),
        ("9", "3", None, "2026-03.xlsx", 2),
    ]
    assert [found.name for found in read_files("orders", str(tmp_path), configured()).fingerprints] == [
        "2026-01.parquet",
        "2026-02.csv",
        "2026-03.xlsx",
        "2026-04.tsv.gz",
    ]
    assert read(tmp_path, decimal=",")["金额"].to_list() == ["2,25", "1.5", "3"]
    assert_frame_equal(read(f"{tmp_path}/2026-0[123].*"), frame)
    everywhere = read(f"{tmp_path}/**/2*.csv")
    assert everywhere["__file"].to_list() == ["2026-02.csv", "old/2025.csv"]


def test_numbers_of_different_files_stay_numbers(tmp_path: Path) -> None:
    days = [dt.date(2026, 1, 1)], [dt.datetime(2026, 1, 2, 3)]
    pl.DataFrame({"amount": [1], "day": days[0], "note": [None]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"amount": [2.5], "day": days[1], "note": ["x"]}).write_parquet(tmp_path / "b.parquet")
    assert values(read(tmp_path)) == [(1.0, dt.datetime(2026, 1, 1), None), (2.5, dt.datetime(2026, 1, 2, 3), "x")]


def test_files_whose_columns_differ_are_named(tmp_path: Path) -> None:
    saved(tmp_path, "a.csv", "id,amount\n1,2\n")
    saved(tmp_path, "b.csv", "amount,id\n1,2\n")
    saved(tmp_path, "c.csv", "id,amuont,note\n1,2,3\n")
    saved(tmp_path, "d.csv", "")
    assert problems(tmp_path).split("\n") == [
        "data.orders.path: d.csv: is empty (0 bytes); export it again",
        "data.orders.path: c.csv: should have the columns of a.csv (got a file that lacks amount and also has amuont, note)",
    ]


def test_a_second_copy_of_a_file_does_not_count_twice(tmp_path: Path) -> None:
    for name in ("orders.csv", "orders (1).csv"):
        saved(tmp_path, name, "id,amount\n1,2\n")
    assert "orders.csv: is a copy of orders (1).csv; take one of them away" in problems(tmp_path)


def _parquet() -> bytes:
    sink = io.BytesIO()
    pl.DataFrame({"id": list(range(1000))}).write_parquet(sink)
    return sink.getvalue()


def _xlsx() -> bytes:
    sink = io.BytesIO()
    pl.DataFrame({"id": [1]}).write_excel(sink)
    return sink.getvalue()


def _zip() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("orders.csv", "id\n1\n")
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.csv", lambda: b"", "is empty (0 bytes)"),
        ("a.csv", lambda: b" \n \n", "is empty (blank only)"),
        ("a.csv", lambda: b"id,amount\n", "should have rows (got only a header)"),
        ("a.csv", lambda: b"id,amount\n,\n\n", "should have rows"),
        ("a.csv", _xlsx, "should be text (got a workbook); give it the ending .xlsx"),
        ("a.csv", _zip, "should be text (got a ZIP archive); unpack it"),
        ("a.txt", _parquet, "should be text (got Parquet)"),
        ("a.csv", lambda: gzip.compress(b"id\n1\n"), "should be text (got gzip); give it the ending .csv.gz"),
        ("a.csv", lambda: b"\x01\x02\x00\x03" * 50, "should be text (got binary, or UTF-16 without a byte order mark)"),
        ("a.csv", lambda: b"\n<!DOCTYPE html><html>log in</html>", "should be text (got a web page)"),
        (
            "a.xls",
            "<table><tr><td>客户</td></tr></table>".encode,
            "should be a workbook (got a web page); open it in Excel and save",
        ),
        ("a.xls", lambda: b"id\tamount\n1\t2\n", "should be a workbook (got text); give it the ending .csv"),
        ("a.xls", lambda: b'<?xml version="1.0"?><Workbook/>', "should be a workbook (got an XML file)"),
        ("a.xlsx", lambda: _xlsx()[:3000], "should be a workbook (got a damaged workbook or ZIP archive)"),
        (
            "a.xlsx",
            lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "is protected by a password",
        ),
        ("a.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "cannot be opened as a workbook"),
        ("a.parquet", lambda: b"id,amount\n1,2\n", "should be Parquet (got text); give it the ending .csv"),
        ("a.parquet", lambda: _parquet()[:-20], "is no whole Parquet file"),
        ("a.csv.gz", lambda: gzip.compress(os.urandom(5000))[:-600], "is no whole gzip file"),
        ("a.csv.gz", lambda: b"id,amount\n1,2\n", "is no whole gzip file"),
        ("a.dat", lambda: b"%PDF-1.7", "should be text, Parquet or a workbook (got a PDF)"),
        (
            "a.db",
            lambda: b"SQLite format 3\0" + b"\0" * 100,
            "should be text, Parquet or a workbook (got an SQLite database); read it with data=database",
        ),
    ],
)
def test_a_file_that_is_not_what_it_should_be(tmp_path: Path, name: str, content: Callable[[], bytes], message: str) -> None:
    assert f"data.orders.path: {name}: {message}" in problems(saved(tmp_path, name, content()))


def test_files_without_a_known_ending_are_known_by_content(tmp_path: Path) -> None:
    assert values(read(saved(tmp_path, "export.dat", "id;amount\n1;2\n"))) == [("1", "2")]
    assert read(saved(tmp_path, "export", _parquet())).height == 1000
    assert values(read(saved(tmp_path, "export.xyz", _xlsx()))) == [(1,)]
    assert values(read(saved(tmp_path, "export.gz", gzip.compress(b"id,a\n1,2\n")))) == [("1", "2")]


def test_what_is_not_there_is_said_with_what_is(tmp_path: Path) -> None:
    saved(tmp_path, "orders.csv", "id\n1\n")
    assert "data.orders.path: is not there" in problems(tmp_path / "order.csv")
    assert "; nearest: orders.csv" in problems(tmp_path / "order.csv")
    assert "; there is no folder" in problems(tmp_path / "nix" / "order.csv")
    assert "matches no file" in problems(tmp_path / "*.parquet")
    (tmp_path / "empty").mkdir()
    assert "should hold files that end in .csv" in problems(tmp_path / "empty")
    assert "its folder is empty" in problems(tmp_path / "empty" / "a.csv")
    assert 'should name a file, a folder or a glob (got "")' in problems(" ")


def test_paths_may_be_relative_of_home_linked_or_look_like_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    saved(tmp_path, "订单 [1].csv", "id,amount\n1,2\n")
    (tmp_path / "link.csv").symlink_to("订单 [1].csv")
    for path in ("订单 [1].csv", "./订单 [1].csv", "~/订单 [1].csv", "link.csv"):
        assert values(read(path)) == [("1", "2")]
    assert read("*1?.csv")["__file"].to_list() == ["订单 [1].csv"]


def test_a_file_that_may_not_be_read_is_said_so() -> None:
    settings = configured()  # read while everything may be
    with tempfile.TemporaryDirectory() as folder:
        path = saved(Path(folder), "orders.csv", "id\n1\n")
        path.chmod(0)
        Path(folder).chmod(0o755)
        root = os.geteuid() == 0
        if root:  # who may read everything
            os.seteuid(65534)
        try:
            with pytest.raises(InputError, match=r"orders\.csv: cannot be read \(Permission denied\)"):
                read_files("orders", str(path), settings)
        finally:
            if root:
                os.seteuid(0)


def test_settings_that_can_not_be_are_said_before_anything_is_read() -> None:
    with pytest.raises(ConfigError) as caught:
        read("nowhere.csv", encoding="gb18003", separator="::")
    assert caught.value.problems == (
        'data.encoding: is no text encoding (got "gb18003"); nearest: gb18030',
        'data.separator: should be auto or one character such as "," ";" "|" "\\t" (got "::")',
    )
    with pytest.raises(ConfigError, match=r"data\.encoding: is no text encoding"):
        read("nowhere.csv", encoding="base64")


def test_the_real_data_sets_are_read(data_dir: Path) -> None:
    assert read(data_dir / "online_retail.parquet").shape == (541_909, 10)
    assert "buyer_hash" in read(data_dir / "taobao_orders.parquet").columns


@pytest.mark.parametrize(
    ("links", "path", "said"),
    [
        ({"orders.csv": "gone.csv"}, "orders.csv", r"orders\.csv is a link to gone\.csv, which is not there"),
        ({"orders.csv": "other.csv", "other.csv": "orders.csv"}, "orders.csv", r"link to other\.csv, which leads in a circle"),
        ({"orders.csv": "orders.csv"}, "orders.csv", "which leads in a circle"),
        ({"exports": "usb"}, "exports/orders.csv", "exports is a link to usb, which is not there"),
        ({"order.csv": "gone.csv"}, "orders.csv", r"nearest: ordered\.csv$"),  # no link to nothing is offered instead
    ],
)
def test_a_link_to_nothing_is_said_to_be_one(tmp_path, monkeypatch, links, path, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ordered.csv").write_text("a\n1\n")
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    assert re.search(said, near_files(Path(path)))
