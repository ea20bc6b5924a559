"""What other systems take: golden files, limits, hashes told by another program, and contacts only where they were asked for."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs import settings_of

from segmenter.report.exports import _cut_apart, hash_for_meta, list_exports

GOLDEN = Path(__file__).parents[1] / "golden" / "exports"
ALL = "exports=[csv,wecom,meta,database]"
PHONES = ["138 1234 5678", "+49 1512 3456789", "010-62345678", None, "12"]
EMAILS = [" Mary@Example.com", None, None, "li@shop.cn", "none"]


@pytest.fixture
def written(launch: Callable[..., Any], tmp_path: Path) -> Callable[..., tuple[dict[str, str], list[str]]]:
    """Write the exports of a plan's first five invited, and give texts and notes."""

    def write(*options: str) -> tuple[dict[str, str], list[str]]:
        made = launch()
        first = made.plan.invite_list.sort("rank").head(5)
        plan = replace(made.plan, invite_list=first)
        names = ["Anna & Co", "=1+1", "王" * 30, None, "E"]
        contacts = pl.DataFrame({"customer_id": first["customer_id"], "name": names, "phone": PHONES, "mail": EMAILS})
        settings = settings_of("launch", "exports_database.url=sqlite:///crm.db", "launch.shop=Kang Mei", *options)
        files, notes = list_exports(plan, settings, contacts)
        for output in files:
            (tmp_path / output.name).parent.mkdir(exist_ok=True)
            output.write(tmp_path / output.name)
            assert not output.public
        return {Path(output.name).name: (tmp_path / output.name).read_text(encoding="utf-8") for output in files}, notes

    return write


def test_the_formats(written: Callable[..., Any]) -> None:
    texts, notes = written(ALL)
    if os.environ.get("SEGMENTER_GOLDEN") == "write":
        for name, text in texts.items():
            (GOLDEN / name).write_text(text, encoding="utf-8", newline="\n")
    assert texts == {path.name: path.read_text(encoding="utf-8") for path in sorted(GOLDEN.iterdir())} | {}
    facts = {note.code: note.facts for note in notes}
    assert len(notes) == 4
    assert facts["exports.few"]["count"] == 4


def test_only_what_was_asked_for(written: Callable[..., Any]) -> None:
    assert written() == ({}, [])
    assert set(written("exports=csv")[0]) == {"invited.csv"}


def test_tags_are_as_wecom_takes_them(written: Callable[..., Any]) -> None:
    texts, _ = written("exports=wecom")
    tags = json.loads(texts["wecom_tags.json"])
    known = {tag["name"] for group in tags for tag in group["tag"]}
    assert all(len(group["group_name"]) <= 30 and len(group["tag"]) <= 100 for group in tags)
    rows = pl.read_csv(texts["wecom_customers.csv"].removeprefix("\ufeff").encode(), infer_schema=False)
    assert {value for column in ("segment_tag", "group_tag") for value in rows[column]} <= known
    assert (rows["remark"].str.len_chars() <= 20).all()
    assert rows["remark_mobiles"].to_list() == ["13812345678", "4915123456789"]


def test_hashes_are_those_of_another_program(written: Callable[..., Any]) -> None:
    rows = pl.read_csv(written("exports=meta")[0]["meta_custom_audience.csv"].encode())
    plain = {"email": ["mary@example.com", "li@shop.cn"], "phone": ["8613812345678", "4915123456789", "861062345678"], "country": ["cn"]}
    for column, values in plain.items():
        others = [subprocess.run(["sha256sum"], input=value, capture_output=True, text=True, check=True).stdout[:64] for value in values]
        assert set(rows[column].drop_nulls()) == set(others)
    # As Meta's documentation of the Conversions API has it for an e-mail.
    assert hash_for_meta("john_smith@gmail.com") == "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"


@given(st.lists(st.text(max_size=60), unique=True, max_size=30))
def test_no_two_tags_become_one(names: list[str]) -> None:
    cut = _cut_apart(names, 30)
    assert list(cut) == names
    assert len(set(cut.values())) == len(names)
    assert all(len(name) <= 30 for name in cut.values())
