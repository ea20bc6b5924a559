"""Killed at any moment, a job leaves whole results that agree with the ledger, and the next run ends as if nothing had been.

SEGMENTER_KILLS=1000 kills so often; SEGMENTER_KILLS_COMMAND=100 kills the real command so often.
"""

import os
import random
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from forked import Forked, hashes, torn

from segmenter.ledger import open_ledger

_SOURCE = ["data=files", "data.orders.path=orders.csv", "tracking=none", "launch.as_of=2026-07-01"]
_LAUNCH = ["launch", *_SOURCE, "launch.commit=true"]
# Each job, as it ran before it is killed (nothing: it never did), and as it runs then.
JOBS = {
    "launch": (None, [*_LAUNCH, "out=launch"]),
    "replan": ([*_LAUNCH, "out=replan"], [*_LAUNCH, "out=replan", "plan.size=9", "launch.target=1000"]),
    "commit": (["launch", *_SOURCE, "out=commit"], ["commit", "out=commit"]),
    "review": (None, ["review", *_SOURCE, "out=review", "review.as_of=2026-07-20", "review.answers=[answers.csv]"]),
    "backtest": (
        ["backtest", *_SOURCE, "out=backtest", "backtest.rankings=[spend]", "backtest.max_cuts=1"],
        ["backtest", *_SOURCE, "out=backtest", "backtest.rankings=[spend,rfm]", "backtest.max_cuts=2"],
    ),
}


def _ledger(work: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the ledger says, apart from the numbers of plans."""
    if not (work / "ledger.db").exists():
        return {}
    queries = {
        "plans": "SELECT launch, state, token, target FROM segmenter_plans WHERE state = 'planned'",
        "invitations": "SELECT launch, customer_id, i.status, wave, score FROM segmenter_invitations i JOIN segmenter_plans ON plan = id WHERE state = 'planned'",
        "answers": "SELECT * FROM segmenter_answers",
    }
    with closing(sqlite3.connect(work / "ledger.db")) as ledger:
        rows = {name: sorted(ledger.execute(query), key=str) for name, query in queries.items()}
    return rows if any(rows.values()) else {}  # tables that nobody has written to yet are no ledger


class Killing:
    """A job whose end is known, to be killed as often as asked."""

    def __init__(self, forked: Forked, name: str, folder: Path) -> None:
        before, self.words = JOBS[name]
        self.forked, self.out, self.start, self.end, self.place = forked, name, folder / "start", folder / "end", folder / "place"
        work = self.start / "work"
        work.mkdir(parents=True)
        days = [date(2026, 7, 15) - timedelta(days=37 * order % 400 + 1) for order in range(240)]
        orders = [f"c{order % 60},{day},{order % 17 + 1}.50,四川\n" for order, day in enumerate(days)]
        (work / "orders.csv").write_text("customer_id,time,amount,province\n" + "".join(orders), encoding="utf-8")
        (work / "answers.csv").write_text("customer_id,answer,date\n" + "".join(f"c{who},joined,2026-07-03\n" for who in range(20)))
        for words in (JOBS["launch"][1] if name == "review" else None, before):
            assert words is None or forked(self.start, *words).code == 0
        shutil.copytree(self.start, self.end)
        self.ran = forked(self.end, *self.words)
        assert self.ran.code == 0, self.ran.err
        self.states = [(hashes(place / "work" / self.out), _ledger(place / "work")) for place in (self.start, self.end)]

    def kill(self, chance: random.Random) -> bool:
        """Kill it at some moment, look at what it left, and run it again; say whether it was killed before its results were there."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.start, self.place)
        work, out = self.place / "work", self.place / "work" / self.out
        when = {"at": self.ran.seconds * chance.uniform(0, 1.02)}
        if self.ran.steps and chance.random() < 0.6:  # where files change is where it hurts
            when = {"step": chance.randint(1, self.ran.steps)}
        killed = self.forked(self.place, *self.words, **when)
        assert killed.code in (0, -signal.SIGKILL), (when, killed)
        assert not out.exists() or torn(out) == [], when
        found = hashes(out)
        assert found in [files for files, _ in self.states], when
        new = found == self.states[1][0]
        open_ledger(None, out)
        now = _ledger(work)
        if self.out in ("review", "commit"):  # answers are taken before the review is written, and a commit writes no files
            assert now in [ledger for _, ledger in self.states], when
        elif self.states[0][1] or new:
            assert now == self.states[new][1], when
        else:
            assert not now, when
        again = self.forked(self.place, *self.words)
        assert again.code == 0, (when, again)
        assert (hashes(out), _ledger(work)) == self.states[1], when
        names = [{path.name for path in place.iterdir()} for place in (self.place / "work", self.end / "work")]
        assert names[0] == names[1], (when, names)
        assert not list((self.place / "tmp").iterdir()), when
        return not new


def _kill(tmp_path: Path, jobs: list[str], times: int, *, command: bool = False) -> None:
    forked, chance, early, failed = Forked(command=command), random.Random(1), 0, []
    killings = [Killing(forked, name, tmp_path / name) for name in jobs]
    for number in range(times):
        job = killings[number % len(killings)]
        try:
            early += job.kill(chance)
        except AssertionError as error:
            failed.append(f"{job.out}: {' '.join(str(error).split())[:300]}")
    forked.close()
    print(f"{times} kills, {early} before the results were there, {len(failed)} failed")
    if failed:
        pytest.fail("\n".join(failed[:20]), pytrace=False)
    assert early or times < 5


@pytest.mark.slow
def test_killed_at_any_moment_all_jobs_leave_whole_results(tmp_path):
    _kill(tmp_path, list(JOBS), int(os.environ.get("SEGMENTER_KILLS", "100")))


@pytest.mark.slow
def test_killed_at_any_moment_the_command_leaves_whole_results(tmp_path):
    _kill(tmp_path, list(JOBS), int(os.environ.get("SEGMENTER_KILLS_COMMAND", "4")), command=True)
