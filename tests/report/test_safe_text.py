import csv
import io
import unicodedata

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segmenter.report.safe_text import safe_cells, safe_name, safe_names
from segmenter.words import visible

STARTS = tuple("=+-@＝＋－＠\t\r\n")
TEXT = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" \t\r\n\u3000\ufeff\u200b=+-@＝＋－＠'\",")))


def bare(text: str) -> str:
    return "".join(character for character in text if not character.isspace() and unicodedata.category(character)[0] not in "CZ")


def shown(text: str | None) -> str | None:
    return None if text is None else "\r\n".join(visible(part) for part in text.split("\r\n"))


@given(st.lists(st.one_of(st.none(), TEXT), min_size=1))
@example(["=cmd|' /C calc'!A0", " \u3000＝1", "\ufeff@SUM(A1)", "-5", "1-5", "\x00=1", None, ""])
def test_no_text_begins_a_formula_and_none_is_lost(texts: list[str | None]) -> None:
    cells = safe_cells(pl.DataFrame({"text": texts}, schema={"text": pl.String}))["text"].to_list()
    for before, after in zip(texts, cells, strict=True):
        assert after is None or not (after.startswith(STARTS) or bare(after).startswith(STARTS))
        assert after in {shown(before), f"'{shown(before)}"}


def test_numbers_stay_and_categories_and_headers_do_not_slip_through() -> None:
    frame = pl.DataFrame({"n": [-1, 2], "=x": [-0.5, None], "kind": pl.Series(["+a", "b"], dtype=pl.Categorical)})
    assert safe_cells(frame).to_dict(as_series=False) == {"n": [-1, 2], "'=x": [-0.5, None], "kind": ["'+a", "b"]}


def test_line_breaks_survive_a_csv() -> None:
    texts = ["two\nlines", "a\r\nb", '"quoted", and more', "\n=1"]
    written = safe_cells(pl.DataFrame({"text": texts})).write_csv()
    assert [row[0] for row in csv.reader(io.StringIO(written, newline=""))] == ["text", *texts[:3], "'\n=1"]


@given(st.lists(TEXT, min_size=1, max_size=20))
@example(["a/b", "a-b", "A-B", "ａ-b", "a:b", "con", "CON ", "con.txt", "", ".", "..", "四" * 99, "四" * 98 + "川"])
@example(["a/b", "a-b", "a-b~c14cddc0"])
def test_every_name_is_a_file_name_of_its_own(names: list[str]) -> None:
    files = safe_names(names)
    assert set(files) == set(names)
    assert files == safe_names(reversed(names))
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in files.values()}) == len(files)
    for name in files.values():
        assert 0 < len(name.encode()) <= 120
        assert not set(name) & set('/\\:*?"<>|\0')
        assert not any(unicodedata.category(character).startswith("C") for character in name)
        assert name.strip(" .") == name
        assert name.split(".")[0].rstrip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("四川", "四川"),
        ("St. Louis", "St. Louis"),
        ("四川/成都", "四川-成都"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\nb\x07c", "a bc"),
        ("\u202egnp.exe", "gnp.exe"),
        ("con .txt", "_con .txt"),
        ("...", "_"),
    ],
)
def test_names_stay_readable(name: str, file: str) -> None:
    assert safe_name(name) == file
