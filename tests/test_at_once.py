"""Launches planned at the same moment on one ledger: nobody is invited twice, and no hold-out is invited.

The default suite does it a few times; fifty times, which takes some minutes, is the promise:

    SEGMENTER_REPETITIONS=50 python -m pytest tests/test_at_once.py
"""

import json
import os
import random
import subprocess
import sys
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from segmenter.ledger import Ledger, list_invitations, list_launches, open_ledger
from segmenter.report.publication import sha256

REPETITIONS = int(os.environ.get("SEGMENTER_REPETITIONS", "1"))
NAMES = ("june", "vip", "夏天")
# The process imports all, but computes nothing, then forks a child for each job.
JOBS = """
import json, os, sys
import hydra, sklearn.cluster, sqlalchemy.dialects.postgresql.psycopg, sqlalchemy.dialects.sqlite
import segmenter.launch_stages, segmenter.ledger, segmenter.report.launch_outputs, segmenter.report.terminal, segmenter.loader
import segmenter.segments.segment_count, segmenter.tracking.runs, holidays, babel
from segmenter.__main__ import main

segmenter.report.outputs.render_page = lambda *_: ""  # its charts take longer than all the rest

def job(arguments):
    child = os.fork()
    if child == 0:
        log = os.open(arguments.pop(0), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1), os.dup2(log, 2)
        code, sys.argv = 0, ["segmenter", *arguments]
        try:
            main()
        except SystemExit as left:
            code = left.code
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 70
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code or 0)
    return child

for line in sys.stdin:
    jobs = [job(arguments) for arguments in json.loads(line)]
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in jobs]), flush=True)
"""


@pytest.fixture(scope="module")
def at_once(tmp_path_factory):
    """Run jobs at the same moment, and give their exit codes and what they said."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", JOBS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as runner:
        logs = [tmp_path_factory.mktemp("said") / str(number) for number in range(9)]

        def run(*jobs):
            runner.stdin.write(json.dumps([[str(log), *job] for log, job in zip(logs, jobs, strict=False)]) + "\n")
            runner.stdin.flush()
            codes = json.loads(runner.stdout.readline())
            return list(zip(codes, [log.read_text() for log, _ in zip(logs, jobs, strict=False)], strict=True))

        yield run


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    chance, path = random.Random(7), tmp_path_factory.mktemp("shop") / "orders.csv"
    day = date(2026, 6, 30)
    rows = [
        (f"C{who:02d}", day - timedelta(days=chance.randrange(90)), 10 * chance.randrange(5, 90)) for who in range(60) for _ in range(4)
    ]
    pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row").write_csv(path)
    return path


def launching(shop: Path, url: str | None, out: Path, name: str, size: int | str) -> list[str]:
    settings = [f"plan.size={size}", "plan.holdout=0.2", "rules.spend.min=null", "segments.k=2"]
    where = [f"data.orders.path={shop}", f"out={out}", f"launch.name={name}", *([] if url is None else [f"ledger.url={url}"])]
    return ["launch", "data=files", "launch.as_of=2026-07-01", "launch.commit=true", "tracking=none", "lang=en", *where, *settings]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_three_launches_at_once_invite_nobody_twice(kind, at_once, shop, tmp_path, request):
    again = nobody = 0
    for number in range(REPETITIONS):
        folder, size = tmp_path / str(number), (12, "all", 20)[number % 3]
        with request.getfixturevalue("schema_of")() if kind == "postgresql" else nullcontext() as url:
            jobs = {name: launching(shop, url, folder / name, name, size) for name in NAMES}
            found = dict(zip(NAMES, at_once(*jobs.values()), strict=True))
            ledger = open_ledger(url, folder / "results")
            plans, everyone = list_launches(ledger), list_invitations(ledger)
        assert {code for code, _ in found.values()} <= {0, 2}, found
        well = {name for name, (code, _) in found.items() if code == 0}
        assert set(plans["launch"]) == well
        assert len(well) == 3 or size == "all", found
        assert plans["state"].unique().to_list() == ["planned"]
        for name in NAMES:
            if name not in well:
                assert not (folder / name).exists()
                assert any(other in found[name][1] for other in well), found[name]
                continue
            listed = pl.read_csv(folder / name / "invite_list.csv")["customer_id"].sort().to_list()
            assert listed == everyone.filter(launch=name, status="planned")["customer_id"].to_list() != []
        invited, held = everyone.filter(status="planned")["customer_id"], everyone.filter(status="held_out")["customer_id"]
        assert invited.is_unique().all()
        assert held.len() > 0
        assert not set(invited) & set(held)
        if number == 0 and url is None:  # whose plan was recorded last saw all others: it gets what it gets alone
            last = recorded_last(ledger)
            before = bytes_of(folder / last)
            assert at_once(jobs[last])[0][0] == 0
            assert bytes_of(folder / last) == before
        again += sum("planned again" in said for _, said in found.values())
        nobody += 3 - len(well)
    assert again > 0  # they did come in between each other
    print(f"\n{kind}: {REPETITIONS} times three launches at once, {again} planned again, {nobody} ended as nobody was left")


@pytest.mark.slow
def test_two_people_planning_one_launch_at_once_leave_one_plan_and_its_results(at_once, shop, tmp_path):
    jobs = [launching(shop, None, tmp_path / out, "june", size) for out, size in (("mine", 12), ("yours", 20))]
    found = at_once(*jobs)
    assert sorted(code for code, _ in found) == [0, 2], found
    (out,) = [folder for folder in ("mine", "yours") if (tmp_path / folder).exists()]
    listed = pl.read_csv(tmp_path / out / "invite_list.csv")["customer_id"].sort().to_list()
    assert listed == list_invitations(open_ledger(None, tmp_path / "x")).filter(status="planned")["customer_id"].to_list()
    assert at_once(jobs[0])[0][0] == 0  # later, it is a plan in place of the one before


def recorded_last(ledger: Ledger) -> str:
    with ledger.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT launch FROM segmenter_plans ORDER BY id DESC LIMIT 1").scalar_one()


def bytes_of(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}
