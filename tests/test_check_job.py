"""The check of an input: what it leaves, its verdict and its exit code."""

import json

import polars as pl
import pytest
from jobs import exit_code

from segmenter.errors import InputError
from segmenter.findings import Finding, as_json, messages_of, raise_stops
from segmenter.messages import Message

ROWS = "customer_id,time,amount\na,2026-06-03,100\nb,2026-05-03,50\na,2026-07-03,50\n"


@pytest.fixture
def orders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "orders.csv"
    path.write_text(ROWS)
    return path


def check(*overrides):
    return exit_code("check", "data=files", "data.orders.path=orders.csv", "launch.as_of=2026-07-01", "tracking=none", *overrides)


def test_what_is_clean_is_ready(orders):
    assert check() == 0
    manifest = json.loads((orders.parent / "outputs/launch_check/manifest.json").read_text(encoding="utf-8"))
    assert (manifest["job"], manifest["verdict"]) == ("check", "note")
    by_day = pl.read_csv(orders.parent / "outputs/launch_check/orders_by_day.csv")
    assert by_day.rows() == [("2026-05-03", 1, 50.0), ("2026-06-03", 1, 100.0)]


def test_what_cannot_be_read_is_not_ready_and_has_a_page(orders):
    orders.write_text("customer_id,time\na,2026-06-03\n")
    assert check() == 2
    assert "data.orders.columns.amount" in (orders.parent / "outputs/launch_check/check.html").read_text(encoding="utf-8")


def test_a_date_that_the_orders_do_not_fit_is_a_finding(orders):
    assert check("launch.as_of=2026-01-01") == 2
    manifest = json.loads((orders.parent / "outputs/launch_check/manifest.json").read_text(encoding="utf-8"))
    assert [finding["found"] for finding in manifest["checks"]] == ["launch.before_orders"]


def test_levels_are_kept_apart():
    found = [Finding("note", Message("input.problem", "{problem}", problem="a")), Finding("warning", Message("input.problem", "b"))]
    assert messages_of(found, "warning") == ("b",)
    raise_stops(found)
    with pytest.raises(InputError, match="c"):
        raise_stops([*found, Finding("stop", Message("input.problem", "c"))])
    assert as_json(found)[0] == {"level": "note", "found": "input.problem", "problem": "a"}
