"""Delimited text, with any separator and title."""

import csv
import gzip
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from marks import slow_but
from shop_files import ERP, ERP_ROWS, configured, problems, raw, read, rejects, saved, values

from segmenter.errors import ConfigError
from segmenter.sources.files import read_files


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


@pytest.mark.slow
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
            found = raw(path, **changes)
            if found.findings:  # what looks like a note, a total or a title is left out, and told
                return
            frame = found.frame
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", slow_but(["\n", "\r\n"], "\r\n"))
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


def test_settings_that_can_not_be_are_said_before_anything_is_read() -> None:
    with pytest.raises(ConfigError) as caught:
        read("nowhere.csv", encoding="gb18003", separator="::")
    assert caught.value.problems == (
        'data.encoding: is no text encoding (got "gb18003"); nearest: gb18030',
        'data.separator: should be auto, blanks, or one character such as "," ";" "|" "\\t" (got "::")',
    )
    with pytest.raises(ConfigError, match=r"data\.encoding: is no text encoding"):
        read("nowhere.csv", encoding="base64")


@pytest.mark.parametrize("stray", ["", "3,x,1,2\n"])
def test_a_file_without_a_header_has_columns_by_number(tmp_path: Path, stray: str) -> None:
    path = saved(tmp_path, "log.csv", "1,2026-03-01,5\n\n2,2026-03-02,7\n" + stray)
    frame = read(path, header=False)
    assert frame.drop("__file").rows() == [("1", "2026-03-01", "5", 1), ("2", "2026-03-02", "7", 3)]
    assert frame.columns[:3] == ["column_1", "column_2", "column_3"]
    assert [row[0] for row in rejects(path, header=False)] == [4] * bool(stray)
    titled = saved(tmp_path, "titled.csv", "all of March\n1,2026-03-01,5\n")
    assert read(titled, header=False, skip_rows=1).drop("__file").rows() == [("1", "2026-03-01", "5", 2)]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_columns_set_by_width_are_parted_by_blanks(tmp_path: Path, mark: str, line_end: str) -> None:
    text = f"{mark} 00001 19970101  1   11.77{line_end} 00002 19970112  12  \t 9.00 {line_end}"
    frame = read(saved(tmp_path, "master.txt", text), separator="blanks", header=False)
    assert frame.drop("__file").rows() == [("00001", "19970101", "1", "11.77", 1), ("00002", "19970112", "12", "9.00", 2)]
