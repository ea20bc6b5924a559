"""What a run tells its scheduler: the summary, the log, the exit codes."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from jobs import exit_code, run_here

from segmenter import run_log
from segmenter.errors import ConfigError
from segmenter.messages import Message, Obstacle
from segmenter.run_log import EXIT_CODES

DOCS = Path(__file__).parents[1] / "docs"
FIELDS = {"job", "launch", "as_of", "invited", "eligible", "obstacles", "warnings", "out", "seconds", "exit_code"}
SMALL = ("data.shop.customers=200", "scoring=spend", "plan.size=20", "tracking=none")


@pytest.fixture(autouse=True)
def closed():
    yield
    run_log.close()


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_events_are_lines_of_one_run_without_contacts(tmp_path):
    log = tmp_path / "new" / "log.jsonl"
    run_log.begin("launch", str(log))
    run_log.event("read", table="orders", rows=3, share=float("nan"), of=("13800138000", {"mail": "wang@example.com"}))
    run_log.warn("warning", Message("a.b", "call {name} on {day}", name=Message("a.c", "13800138000"), day="2026-07-01"))
    run_log.warn("obstacle", Obstacle("a.d", "nobody").said("无人"))
    run_log.warn("warning", "13800138000 as text")
    with run_log.stages() as turn:
        for stage in ("orders", "orders", "rules"):
            turn(stage)
    summary = json.loads(run_log.done(0))
    found = lines(log)
    assert len({line["run"] for line in found}) == 1
    assert [line["event"] for line in found] == [
        *("started", "read", "warning", "obstacle", "warning", "stage", "stage_done", "stage", "stage_done", "done")
    ]
    assert (found[3]["code"], found[3]["text"], found[3]["level"]) == ("a.d", "nobody", "warning")
    assert "13800138000" not in log.read_text(encoding="utf-8")
    assert "wang@" not in log.read_text(encoding="utf-8")
    assert found[2]["facts"]["day"] == "2026-07-01"
    assert (found[1]["rows"], found[1]["share"]) == (3, None)
    assert summary.keys() == FIELDS
    assert (summary["warnings"], summary["obstacles"]) == (2, 1)
    assert found[-1].items() >= summary.items()


def test_without_a_log_nothing_is_written_anywhere(capfd):
    run_log.begin("launch", None)
    run_log.warn("warning", "odd")
    run_log.event("read", rows=1)
    run_log.done(0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", ["customer_id,amount\n1,2\n", "x"])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path, content):
    (tmp_path / "orders.csv").write_text(content)
    with pytest.raises(ConfigError):
        run_log.begin("launch", str(tmp_path / "orders.csv"))
    assert (tmp_path / "orders.csv").read_text() == content


@pytest.mark.parametrize("log", ["results/log.jsonl", "results/deep/log.jsonl", "later/log.jsonl", "file/log.jsonl", "results"])
def test_a_log_that_cannot_be_is_refused_and_nothing_is_made(tmp_path, log):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "manifest.json").write_text("{}")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError):
        run_log.begin("launch", str(tmp_path / log), out=str(tmp_path / "later"))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "manifest.json", "results"]


def test_a_log_goes_on_after_a_line_that_was_broken_off(tmp_path):
    log = tmp_path / "log"
    log.write_text('{"time": "20')
    run_log.begin("launch", str(log))
    run_log.done(0)
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()[1:]] == ["started", "done"]


class FullDisk(StringIO):
    def write(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said_once_and_the_job_goes_on(tmp_path, monkeypatch, capsys):
    run_log.begin("launch", str(tmp_path / "log.jsonl"))
    run_log._Run.file.stream.close()
    monkeypatch.setattr(run_log._Run.file, "stream", FullDisk())
    run_log.event("read", rows=1)
    run_log.event("read", rows=2)
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_a_quiet_job_leaves_one_line_and_its_log_has_what_it_read(tmp_path):
    said = run_here("launch", *SMALL, "quiet=true", "log=log.jsonl", cwd=tmp_path)
    summary = json.loads(said.stdout)
    assert said.stdout.count("\n") == 1
    assert summary["invited"] == 20
    assert summary["out"] == "outputs/demo"
    found = lines(tmp_path / "log.jsonl")
    assert {line["table"] for line in found if line["event"] == "read"} >= {"orders", "customers"}
    assert sum(line["event"] in ("warning", "obstacle") for line in found) == summary["warnings"] + summary["obstacles"]
    assert all(line["code"] for line in found if line["event"] in ("warning", "obstacle"))
    manifest = (tmp_path / "outputs" / "demo" / "manifest.json").read_text(encoding="utf-8")
    assert "log.jsonl" not in manifest
    assert "quiet" not in manifest


def test_what_fails_is_in_the_log_with_its_code_whether_the_config_comes_together_or_not(tmp_path):
    for words, code in {("rules.spend.mim=3",): "settings.unknown_key", ("rules.spend.min=-3",): "settings.wrong"}.items():
        said = run_here("launch", *words, "quiet=true", "log=log.jsonl", cwd=tmp_path, code=2)
        assert said.stdout == ""
        last = lines(tmp_path / "log.jsonl")[-1]
        assert (last["event"], last["level"], last["exit_code"]) == ("failed", "error", 2)
        assert [problem["code"] for problem in last["problems"]] == [code]


@pytest.mark.slow
def test_all_checks_of_a_sweep_are_made_and_the_worst_verdict_counts(tmp_path):
    shop = tmp_path / "orders.csv"
    shop.write_text("customer_id,time,amount\n" + "".join(f"C{n},2026-06-{1 + n % 28:02},{n}.50\n" for n in range(60)))
    words = ("data=files", "data.orders.path=orders.csv", "launch.as_of=2026-07-01", "ledger.use=false", "log=log.jsonl")
    run_here("check", "-m", *words, "data.orders.columns.amount=nothing,amount", cwd=tmp_path, code=2)
    ends = [line["exit_code"] for line in lines(tmp_path / "log.jsonl") if line["event"] == "done"]
    assert len(ends) == 2
    assert ends[0] == 2 > ends[1]


@pytest.mark.slow
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_a_log_of_whole_lines(tmp_path, asked):
    command = [sys.executable, "-m", "segmenter", "launch", "log=log.jsonl", "tracking=none"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = tmp_path / "log.jsonl"
    while not (log.exists() and '"read"' in log.read_text(encoding="utf-8")):
        assert running.poll() is None
        time.sleep(0.2)
    os.kill(running.pid, asked)
    code = running.wait()
    last = lines(log)[-1]
    assert code == (143 if asked == signal.SIGTERM else -9)
    assert (last["event"], last.get("exit_code")) == ("failed", 143) if asked == signal.SIGTERM else last["event"] != "failed"


@pytest.mark.slow
def test_the_line_of_the_crontab_runs_where_cron_has_next_to_nothing(tmp_path):
    documented = (DOCS / "weekly.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"```cron\n(.*)\n```", documented)
    command = line.split(maxsplit=5)[5].replace("\\%", "%").replace("/srv/shop", str(tmp_path))
    program = tmp_path / ".venv" / "bin" / "segmenter"
    program.parent.mkdir(parents=True)
    source = Path(run_log.__file__).parents[1]
    program.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {sys.executable} -m segmenter "$@"\n')
    program.chmod(0o755)
    (tmp_path / "my_conf" / "experiment").mkdir(parents=True)
    shop = "{kind: files, orders: {path: 订单.csv, columns: {customer_id: 客户, time: 时间, amount: 金额}}}"
    defaults = "defaults: [override /data: files, override /scoring: spend, override /tracking: none]"
    config = f"# @package _global_\n{defaults}\ndata: {shop}\nlang: zh\nplan: {{size: 10}}\nlaunch: {{topic: 春茶}}\n"
    (tmp_path / "my_conf" / "experiment" / "weekly.yaml").write_text(config, encoding="utf-8")
    today = datetime.now(UTC).date()
    rows = [f"客{n},{today - timedelta(days=2 + n % 50)},{n + 100}.5" for n in range(90)]
    (tmp_path / "订单.csv").write_text("客户,时间,金额\n" + "\n".join(rows) + "\n", encoding="utf-8")
    words = ["env", "-i", f"HOME={tmp_path}", "PATH=/usr/bin:/bin", "sh", "-c", command]
    for _ in range(2):  # the second time the results of the first are there
        done = subprocess.run(words, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False, start_new_session=True)
        assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
    assert re.search("[\u4e00-\u9fff]", done.stderr.decode("utf-8"))
    first, second = lines(tmp_path / "launches.jsonl")
    assert first | {"seconds": 0} == second | {"seconds": 0}
    assert first.keys() == FIELDS
    assert re.fullmatch(r"outputs/vip-\d{4}-\d\d-\d\d", first["out"])
    assert first["invited"] == 10
    assert (tmp_path / first["out"] / "report.html").exists()
    assert [line["event"] for line in lines(tmp_path / "segmenter.jsonl")].count("done") == 2
    (shown,) = re.findall(r"```json\n(.*)\n```", documented)
    assert json.loads(shown).keys() == FIELDS


def test_help_and_documents_have_the_same_exit_codes(capsys):
    assert exit_code("--help") == 0
    said, documented = capsys.readouterr().out, (DOCS / "weekly.md").read_text(encoding="utf-8")
    for code, meaning in EXIT_CODES.items():
        assert meaning in said
        assert f"| {code} | {meaning} |" in documented
