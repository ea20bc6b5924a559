"""Files that do not hold what their name says."""

import gzip
import io
import os
import re
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from shop_files import problems, read, saved, values

from segmenter.errors import InputError
from segmenter.report.language import translate


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


@pytest.mark.parametrize(
    "content", [b"", b"id,amount\n", b"%PDF-1.7", b"SQLite format 3\0" + bytes(100), b"<html>", b"\x01\x02\x00\x03" * 50]
)
def test_what_is_wrong_is_said_in_chinese_without_an_english_part(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(saved(tmp_path, "a.csv", content))
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", caught.value.text(partial(translate, lang="zh")))
