"""Lines of CSV that do not fit, which cost no other row."""

import gzip
import random
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from marks import slow_but
from shop_files import configured, problems, raw, read, rejects, saved, values

from segmenter import launch_settings
from segmenter.errors import InputError
from segmenter.loader import read_tables

cells = st.text(st.one_of(st.characters(codec="gb18030", exclude_characters="\0"), st.sampled_from("\",;|\t\n\r '四川省")), max_size=8)


QUOTE = "has a quote that does not end as it should (a quote inside a field is written as two)"


BEHIND = "stands behind a quote that does not end, and may belong to it"


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


@pytest.mark.slow
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
        "orders: 50.0% of 6 rows were rejected. Mend the rows or the mapping "
        "(data.max_reject_share allows 5% of the rows and of the money):",
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


@pytest.mark.slow
def test_stray_quotes_in_a_large_file_never_change_another_row(tmp_path: Path) -> None:
    # Polars reads in parallel pieces and counts quotes to find where rows begin.
    number = random.Random(7)
    for attempt in range(6):
        lines = [f'{row},"a, {row}\nb",{row}.5' if row % 97 == 0 else f"{row},plain,{row}.5" for row in range(40_000)]
        for row in number.sample(range(40_000), 2):
            lines[row] = f'{row},n"{row},1'
        frame = read(saved(tmp_path, f"{attempt}.csv", "id,note,amount\n" + "\n".join(lines)))
        assert frame["id"].to_list() == [str(row) for row in range(40_000)]


HEAD = "customer_id,amount\n"


@pytest.mark.parametrize(
    ("content", "rows", "bad"),
    [
        (HEAD + "a,1\rb,2\nc,3\r\nd,4\n", [2, 3, 4, 5], []),
        ("customer_id\ra\rb\nc\r\nd\n", [2, 3, 4, 5], []),
        ("customer_id\r\na\rb\nc\r\n", [2, 3, 4], []),
        ("customer_id\ra\rb\nc\n", [2, 3, 4], []),
        ((HEAD + "a,1\nb,2\n").replace("\n", "\r\r\n"), [3, 5], []),
        ("\n\n" + HEAD + '\n"a\r\n\nx",1\nb,2\n', [5, 8], []),
        ('"customer\nid",amount\na,1\n"b\nc",2\n\nd,3,4,5\ne,6\n', [3, 4, 8], [7]),
        (HEAD + "x" * (1 << 21) + ",1\na,2\n", [2, 3], []),
        (HEAD + '"' + "x" * (1 << 21) + '",1\na,2\n', [2, 3], []),
        (HEAD + 'a,1\n"b,2\nc,3\n', [2, 4], [3]),
        (HEAD + "a\0,1\n" * 2, [2, 3], []),
        pytest.param(",".join(f"{place:0100}" for place in range(3_000)) + "\n" + "1," * 2_999 + "1\n", [2], [], marks=pytest.mark.slow),
        (",".join(["same"] * 3_000) + "\n" + "1," * 2_999 + "1\n", [2], []),
        (HEAD + "a\x0bb,1\nc\u2028d,2\ne\x85f,3\n", [2, 3, 4], []),
    ],
    ids=range(14),
)
@pytest.mark.parametrize("zipped", slow_but([False, True], False))
def test_each_record_is_a_row_or_a_reject_on_its_line(tmp_path: Path, content: str, rows: list[int], bad: list[int], zipped: bool) -> None:
    path = tmp_path / ("a.csv.gz" if zipped else "a.csv")
    path.write_bytes(gzip.compress(content.encode(), 1) if zipped else content.encode())
    found = raw(path, encoding="utf-8")
    assert (found.frame["__row"].to_list(), found.rejects["row"].to_list()) == (rows, bad)
