"""Plans and answers of a few customers, to be recorded in a ledger."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from segmenter.ledger import LaunchRecord, Ledger, record_with_results
from segmenter.report.publication import publish, sha256

DAY = date(2026, 7, 1)


def launch(name: str = "spring", as_of: date = DAY, horizon: int = 30, community: str = "tea") -> LaunchRecord:
    return LaunchRecord(name, community, as_of, horizon, 30_000_000, "CNY", "e3b0c442", 0.1)


def planned(invite: str = "", hold: str = "", *, wave: int = 1, score: float = 50.0) -> pl.DataFrame:
    ids = [*invite, *hold]
    return pl.DataFrame(
        {
            "customer_id": ids,
            "status": ["planned"] * len(invite) + ["held_out"] * len(hold),
            "wave": [wave] * len(invite) + [None] * len(hold),
            "group": "四川-1",
            "agent": None,
            "score": score,
            "stratum": "",
        },
        schema_overrides={"customer_id": pl.String, "status": pl.String, "wave": pl.Int32},
    )


def said(answer: str, ids: str, day: date = DAY + timedelta(days=1), source: str = "表.xlsx", reason: str | None = None) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": list(ids), "answer": answer, "answered_on": day, "source": source, "reason": reason})


def publish_plan(ledger: Ledger, about: LaunchRecord, frame: pl.DataFrame, out: Path) -> None:
    with record_with_results(ledger, about, frame, out, publish(out)) as folder:
        (folder / "scores.txt").write_text(str(frame["score"].to_list()))
        (folder / "manifest.json").write_text(json.dumps({"files": {"scores.txt": {"sha256": sha256(folder / "scores.txt")}}}))


def scores(out: Path) -> str:
    return (out / "scores.txt").read_text()


def run_at_once(*commands: list[str]) -> list[str]:
    """Start processes that say "ready", let them go at the same moment, and give what each printed after that."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    running = [subprocess.Popen(command, text=True, **pipes) for command in commands]
    assert [process.stdout.readline() for process in running] == ["ready\n"] * len(running)
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [(*process.communicate(), process.returncode) for process in running]
    assert [code for _, _, code in ended] == [0] * len(ended), ended
    return [printed for printed, _, _ in ended]


@contextmanager
def held(file: Path, statements: list[str]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()
        yield connection
