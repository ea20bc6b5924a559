import re

import openpyxl
import polars as pl
import pytest
from jobs import exit_code

from segmenter.words import visible

# What steers a terminal or the direction of writing, and what Rich might take for its own.
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egpj.exe\u2066\x9b31m\u200f\u061c\u2028\x85\r\x00 [red]<b>{{ 7*7 }} :smile:"
BAD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]|\r(?!\n)")


LAUNCH = ("launch", "launch.as_of=2026-07-01", "tracking=none")


def bad_in(text):
    return BAD.findall(re.sub(r"\x1b\[\??[\d;]*[mhlKA]|\r(?=\x1b\[[\d;]*[KA])", "", text))  # Rich's own colours and progress aside


def test_every_character_that_steers_has_a_stand_in():
    assert not BAD.findall(visible("".join(map(chr, range(0x3000))) + "\udcff").replace("\r\n", "\n"))
    plain = "Zoë 王芳 \tעברית العربية 👩\u200d⚕️\n"
    assert visible(plain) == plain


def test_hostile_text_reaches_no_terminal_no_page_and_no_sheet(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")
    ids = [f"{HOSTILE}{n}" for n in range(40)]
    pl.DataFrame(
        {"customer_id": ids, "time": "2026-06-01", "amount": range(1, 41), "province": [f"{HOSTILE}{n % 2}" for n in range(40)]}
    ).write_parquet("orders.parquet")
    pl.DataFrame({"customer_id": ids, "name": HOSTILE, "phone": HOSTILE, HOSTILE: HOSTILE}).write_parquet("customers.parquet")
    files = (
        "data=files",
        "data.orders.path=orders.parquet",
        "data.customers.path=customers.parquet",
        "data.customers.contact=[phone]",
        "rules.reachable=null",
    )
    assert exit_code(*LAUNCH, *files, "launch.topic=x [red]<b> :smile:", "launch.community=x [red]<b> :smile:", "out=results") == 0
    said = capfd.readouterr()
    assert "[red]<b>{{ 7*7 }} :smile:" in said.out
    assert not bad_in(said.out + said.err)
    written = [path for path in (tmp_path / "results").rglob("*") if path.suffix in (".csv", ".html")]
    assert {path.suffix for path in written} == {".csv", ".html"}
    for path in written:
        assert not bad_in(path.read_bytes().decode("utf-8-sig")), path
    for path in (tmp_path / "results").rglob("*.xlsx"):
        sheets = openpyxl.load_workbook(path)
        assert not bad_in("".join(str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row)), path


@pytest.mark.parametrize("argument", ["rules.spend.min={}", "launch.{}=1", "{}", "data=files", "lang={}"])
def test_nor_does_it_by_way_of_a_message(tmp_path, monkeypatch, capfd, argument):
    monkeypatch.chdir(tmp_path)
    text = "a\x1b[31m\x07\u202eb\x9b"
    more = [f"data.orders.path={text}.csv"] if argument == "data=files" else []
    assert exit_code(*LAUNCH, argument.format(text), *more) == 2
    said = capfd.readouterr().err
    assert said.startswith("segmenter: ")
    assert not BAD.findall(said)
    assert "\\u202e" in said
