"""`segmenter compare`: two launches from their results."""

import json
import shutil

import polars as pl
import pytest
from jobs import run_here

from segmenter.evaluation.launch_changes import REASONS
from segmenter.report.changes_report import _REASONS

QUICK = ("tracking=none", "ledger.use=false", "segments.k=2", "segments.bootstraps=2", "data.shop.customers=600", "scoring=spend")


@pytest.fixture(scope="module")
def launches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    run_here("launch", "out=june", *QUICK, cwd=folder)
    run_here("launch", "out=july", *QUICK, "rules.recency.max_days=200", "plan.size=150", "segments.k=3", cwd=folder)
    return folder


def test_a_comparison_says_who_is_in_one_only_and_which_settings_differ(launches):
    run_here("compare", "a=june", "b=july", cwd=launches)
    out = launches / "outputs" / "comparison"
    rows = pl.read_csv(out / "comparison.csv")
    lists = {name: set(pl.read_csv(launches / name / "invite_list.csv")["customer_id"]) for name in ("june", "july")}
    assert set(rows.filter(change="in")["customer_id"]) == lists["july"] - lists["june"]
    assert set(rows.filter(change="out")["customer_id"]) == lists["june"] - lists["july"]
    assert rows.filter(pl.col("change") != "moved")["reason"].is_in(REASONS).all()
    manifest = json.loads((out / "manifest.json").read_text())
    assert [each["key"] for each in manifest["settings"]] == ["plan.size", "rules.recency.max_days", "segments.k"]
    assert manifest["counts"]["stayed"] == len(lists["june"] & lists["july"])
    page = (out / "comparison.html").read_text()
    assert "rules.recency.max_days" in page
    assert not any(name in page for name in rows["customer_id"])


def test_every_reason_has_its_words():
    assert set(_REASONS) == set(REASONS)


def test_it_speaks_chinese(launches):
    run_here("compare", "a=june", "b=july", "lang=zh", "out=zh", cwd=launches)
    page = (launches / "zh" / "comparison.html").read_text()
    assert "进出原因" in page
    assert "settings differ" not in page


def test_the_same_launch_differs_in_nothing(launches):
    run_here("compare", "a=june", "b=june", "out=same", cwd=launches)
    assert pl.read_csv(launches / "same" / "comparison.csv").is_empty()


def test_what_cannot_be_compared_is_refused_all_at_once(launches):
    said = run_here("compare", "a=nowhere", "b=gone", cwd=launches, code=2).stderr
    assert "a: " in said
    assert "b: " in said
    for name, changes in {"old": {"segmenter": "0.0.9"}, "pounds": {"config": {"launch": {"currency": "GBP"}}}}.items():
        shutil.copytree(launches / "june", launches / name)
        manifest = json.loads((launches / name / "manifest.json").read_text())
        config = {**manifest["config"], "launch": manifest["config"]["launch"] | changes.pop("config", {}).get("launch", {})}
        (launches / name / "manifest.json").write_text(json.dumps(manifest | changes | {"config": config}))
        assert "b: " in run_here("compare", "a=june", f"b={name}", cwd=launches, code=2).stderr
    assert "june" in run_here("compare", "a=june", "b=july", "out=june", cwd=launches, code=2).stderr
