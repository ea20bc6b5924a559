"""A ledger in a file: who holds it open, and what is no file."""

import os
from pathlib import Path
from threading import Timer

import pytest
from plans import held, launch, planned, publish_plan, scores

from segmenter.errors import ConfigError
from segmenter.ledger import (
    LedgerError,
    list_invitations,
    open_ledger,
    record_plan,
    sqlite_file,
)
from segmenter.ledger import connection as opening

HELD = {
    "a reader": ["BEGIN", "SELECT * FROM segmenter_plans"],
    "a writer": ["BEGIN IMMEDIATE"],
    "one alone": ["BEGIN EXCLUSIVE"],
}


@pytest.mark.parametrize("kind", HELD)
def test_who_holds_the_ledger_open_is_named_before_any_work(kind, tmp_path, monkeypatch):
    record_plan(open_ledger(None, tmp_path / "results"), launch(), planned("ab"))
    monkeypatch.setattr(opening, "_LOOK", 0.2)
    monkeypatch.setattr(sqlite_file, "READ_SECONDS", 0.2)
    with held(tmp_path / "ledger.db", HELD[kind]), pytest.raises(LedgerError) as caught:
        open_ledger(None, tmp_path / "results")
    (line,) = caught.value.problems
    assert str(tmp_path / "ledger.db") in line
    assert not Path("/proc/locks").exists() or f"process {os.getpid()} " in line
    open_ledger(None, tmp_path / "results")


@pytest.mark.parametrize("kind", [*HELD, "one with a WAL"])
def test_who_holds_the_ledger_open_for_a_while_costs_no_plan(kind, tmp_path, monkeypatch):
    out = tmp_path / "results"
    publish_plan(open_ledger(None, out), launch(), planned("ab", score=1.0), out)
    monkeypatch.setattr(sqlite_file, "READ_SECONDS", 0.1)  # whoever waits, waits longer
    ledger = open_ledger(None, out)
    with held(tmp_path / "ledger.db", HELD.get(kind, ["PRAGMA journal_mode = WAL", "BEGIN", "SELECT * FROM segmenter_plans"])) as holder:
        if kind != "one with a WAL":
            monkeypatch.setattr(sqlite_file, "READ_SECONDS", 60)
            Timer(0.4, holder.execute, ["ROLLBACK"]).start()
        publish_plan(ledger, launch(), planned("cd", score=2.0), out)
    assert list_invitations(open_ledger(None, out))["customer_id"].to_list() == ["c", "d"]
    assert scores(out) == "[2.0, 2.0]"


@pytest.mark.parametrize("kind", ["folder", "fifo", "nowhere", "circle", "folder that is nowhere", "long", "nul", "below a file"])
@pytest.mark.parametrize("by", ["default", "url"])
def test_a_ledger_that_is_no_file_is_told_before_any_work(kind, by, tmp_path):
    file = tmp_path / "shop" / "ledger.db"
    if kind != "folder that is nowhere":
        file.parent.mkdir()
    match kind:
        case "folder":
            file.mkdir()
        case "fifo":
            os.mkfifo(file)
        case "nowhere":
            file.symlink_to(tmp_path / "drive" / "ledger.db")
        case "circle":
            file.symlink_to(tmp_path / "other")
            (tmp_path / "other").symlink_to(file)
        case "folder that is nowhere":
            file.parent.symlink_to(tmp_path / "drive")
        case "long":
            file = file.parent / ("x" * 300) / "ledger.db"
        case "nul":
            file = file.parent / "a\0b" / "ledger.db"
        case "below a file":
            (file.parent / "x").write_text("")
            file = file.parent / "x" / "ledger.db"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((ConfigError, LedgerError)) as caught:
        open_ledger(None if by == "default" else f"sqlite:///{file}", file.with_name("results"))
    assert len(caught.value.problems) == 1
    assert sorted(tmp_path.rglob("*")) == before
