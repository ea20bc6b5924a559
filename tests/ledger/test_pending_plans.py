"""The ledger agrees with the results wherever a job is killed."""

import json
import os
import subprocess
import sys

import pytest
from plans import launch, planned, publish_plan, run_at_once, scores

from segmenter.ledger import (
    LedgerError,
    list_invitations,
    list_launches,
    open_ledger,
)


def test_a_ledger_lost_at_the_last_step_is_made_up_for_by_the_next_job(ledger, url, tmp_path, monkeypatch):
    out = tmp_path / "results"
    monkeypatch.setattr("segmenter.ledger.records.settle", lambda connection, plan: connection.exec_driver_sql("SELECT gone"))
    with pytest.raises(
        LedgerError, match=r"was lost at the last step \(got .*gone.*\); the results are written in .*results, and the next job"
    ):
        publish_plan(ledger, launch(), planned("ab", score=1.0), out)
    assert scores(out) == "[1.0, 1.0]"
    assert list_launches(ledger)["state"].to_list() == ["pending"]
    open_ledger(url, out)
    assert list_launches(ledger)["state"].to_list() == ["planned"]


def test_a_results_folder_and_an_sqlite_ledger_may_be_moved_together(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    ledger = open_ledger(None, here / "results")
    monkeypatch.setattr("segmenter.ledger.records._resolve", lambda *_, **__: None)  # as if killed before it
    publish_plan(ledger, launch(), planned("ab"), here / "results")
    assert list_invitations(ledger).is_empty()
    here.rename(there)
    assert list_invitations(open_ledger(None, there / "results"))["customer_id"].to_list() == ["a", "b"]


# What the processes below publish: results and a plan that both tell the number of their run.
RUNS = """
import json, os, signal, sys
from datetime import date
from pathlib import Path
import polars as pl
import sqlalchemy.dialects.postgresql.psycopg, sqlalchemy.dialects.sqlite
from segmenter.ledger import (
    LaunchRecord, beside, cancel_launch, commit_draft, describe_draft, is_committed, open_ledger, read_basis, read_draft, record_with_results,
)
from segmenter.ledger.schema import VERSION
from segmenter.report import publication
from segmenter.report.publication import publish

url, out, job = sys.argv[1] or None, Path(sys.argv[2]), "launch"

def run(number, ledger=None):
    ledger = ledger or open_ledger(url, out)
    frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "status": "planned", "wave": number, "group": "g", "agent": None, "score": 1.0, "stratum": "s"})
    with record_with_results(ledger, LaunchRecord("spring", "tea", date(2026, 7, 1), 30, None, "CNY", "f"), frame, out, publish(out)) as folder:
        (folder / "manifest.json").write_text(json.dumps({"run": number}))

def prepare(number):
    # The draft that is committed next, beside the launch that runs; or what is cancelled next, committed.
    if job == "launch":
        return
    draft = out if job == "cancel" else beside(out)
    basis = read_basis(opened, "spring", date(2026, 7, 1), community="tea", days=365)
    record = LaunchRecord("spring", "tea", date(2026, 7, 1), 30, None, "CNY", "f")
    frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "status": "planned", "wave": number, "group": "g", "agent": None, "score": 1.0, "stratum": "s"})
    with publish(draft) as folder:
        frame.write_parquet(folder / "invitations.parquet")
        files = {"invitations.parquet": {"sha256": publication.sha256(folder / "invitations.parquet")}}
        told = {"run": number, "draft": describe_draft(record, basis, draft), "files": files, "config": {"ledger": {"url": url, "use": True}}}
        (folder / "manifest.json").write_text(json.dumps(told))
    if job == "cancel" and not is_committed(opened, out):
        carry_out(number, opened)

def carry_out(number, ledger):
    draft = read_draft(beside(out) if beside(out).exists() else out)
    commit_draft(ledger, draft, publication.put_in_place(draft.folder, draft.place))

def agreed():
    ledger = open_ledger(url, out)
    published = json.loads((out / "manifest.json").read_text())["run"] if out.exists() else None
    if ledger.file is not None and not ledger.file.exists():
        return published, None
    with ledger.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT wave FROM segmenter_invitations JOIN segmenter_plans ON plan = id WHERE state = 'planned'").fetchall()
    assert len(rows) in (0, 3) and len(set(rows)) <= 1, rows
    return published, rows[0][0] if rows else None
"""


TOGETHER = """
print("ready", flush=True)
sys.stdin.readline()
for number in range(6):
    run(int(sys.argv[3]) + number)
"""


# The process imports all, then forks a child for each line of the ledger's and the results' code, which is killed there.
KILLED = """
job, run = sys.argv[5], {"launch": run, "commit": carry_out, "cancel": lambda number, ledger: cancel_launch(ledger, "spring")}[sys.argv[5]]
if sys.argv[3] == "rename":
    publication._exchange = lambda one, other: False  # as on systems that cannot exchange two folders in one step
files = tuple(sys.modules[f"segmenter.{name}"].__file__ for name in sys.argv[4].split(","))
pure = ("_check_invitations", "check_rows", "_umask", "<listcomp>", "<genexpr>", "table", "place_of", "ends_on", "fingerprint_of", "version_of")

def killed_at(number, step):
    left = step
    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename not in files or frame.f_code.co_name in pure:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    child = os.fork()
    if child == 0:
        sys.settrace(trace)
        run(number, opened)
        sys.settrace(None)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

opened = open_ledger(url, out)
before, number, step, seen = None, 0, 0, []
while True:
    number, step = number + 1, step + 1
    if (child := os.fork()) == 0:  # a thread of Polars, once begun here, would not survive the next fork
        prepare(number)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    code = killed_at(number, step)
    assert code in (0, -signal.SIGKILL), code
    publication._recover(out.resolve())  # as check_out does at the start of every job
    published, planned = agreed()
    if job == "cancel":  # of the plan there is all or nothing; its folder stays
        seen.append(planned is None)
    else:
        assert published == planned, (step, published, planned)
        assert planned in (before, number), (step, planned)
        seen.append(planned == number)
    before = planned
    if code == 0:
        break
print(json.dumps({"kills": len(seen) - 1, "kept": seen.count(False), "last": seen[-1]}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("job", ["launch", "commit", "cancel"])
@pytest.mark.parametrize(("url", "swap"), [("sqlite", "exchange"), ("sqlite", "rename"), ("postgresql", "exchange")], indirect=["url"])
def test_killed_at_any_line_results_and_ledger_agree(url, tmp_path, swap, job):
    if (job, swap) == ("cancel", "rename"):
        return  # it moves no folder
    out = tmp_path / "outputs" / "results"
    code = [
        *(["ledger.connection", "ledger.pending_plans", "ledger.frames", "ledger.records", "ledger.drafts"] if swap == "exchange" else []),
        *(["report.publication"] if url is None else []),
    ]
    command = [sys.executable, "-c", RUNS + KILLED, url or "", str(out), swap, ",".join(code), job]
    done = subprocess.run(command, env={**os.environ, "POLARS_MAX_THREADS": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] >= {"launch": 80, "commit": 80, "cancel": 10}[job] if swap == "exchange" else 10
    assert 0 < found["kept"] < found["kills"]  # some died before, some after the results were there
    assert found["last"]
    left = {path.name for path in out.parent.iterdir()} - {"results", "ledger.db", ".ledger.db.lock"}
    assert not left
    assert list_launches(open_ledger(url, out))["state"].to_list() == ["planned"] * (job != "cancel")


@pytest.mark.slow
def test_two_jobs_publishing_the_same_launch_at_once_leave_results_and_ledger_agreed(url, tmp_path):
    out = tmp_path / "outputs" / "results"
    run_at_once(*([sys.executable, "-c", RUNS + TOGETHER, url or "", str(out), first] for first in ("100", "200")))
    waves = list_invitations(open_ledger(url, out))["wave"].to_list()
    assert waves == [json.loads((out / "manifest.json").read_text())["run"]] * 3
    assert waves[0] in (105, 205)
    assert list_launches(open_ledger(url, out))["state"].to_list() == ["planned"]
