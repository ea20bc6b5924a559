"""Tracking in a process of its own, which loads MLflow and makes a new store while the job reads and computes."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from segmenter.errors import TrackingError
from segmenter.report.outputs import Record
from segmenter.settings import LaunchJob, MlflowSettings
from segmenter.tracking.mlflow_store import prepared
from segmenter.tracking.runs import Sweep, track

_running: list["subprocess.Popen[bytes]"] = []


def begin(settings: LaunchJob) -> None:
    """Start the process where there is something to track; it ends with this one, whatever becomes of the job."""
    if isinstance(settings.tracking, MlflowSettings):
        command = [sys.executable, "-P", "-c", f"from {__name__} import work; work()"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with suppress(OSError):  # where no process can be started, this one does it all
            _running.append(subprocess.Popen(command, **pipes, start_new_session=True))  # who interrupts a job means the job
            _send(_running[-1], (settings.tracking.uri, settings.out))


def track_beside(record: Record, files: Iterable[str], settings: LaunchJob, sweep: Sweep | None = None) -> str | None:
    """Do as `track`, by the process that was begun; where it is not there, or broke down, in this one."""
    if _running:
        with _running.pop() as process:
            assert process.stdout is not None
            try:
                _send(process, (record, (*files,), settings, sweep))
                run, problems = pickle.load(process.stdout)
            except (OSError, EOFError):
                return track(record, files, settings, sweep)
        if problems:
            raise TrackingError(*problems)
        return str(run)
    return track(record, files, settings, sweep)


def _send(process: "subprocess.Popen[bytes]", facts: object) -> None:
    assert process.stdin is not None
    process.stdin.write(pickle.dumps(facts))
    process.stdin.flush()


def work() -> None:
    """Prepare, wait for the record, log it, and answer: with where the run is, or with what went wrong."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed here
    with prepared(*pickle.load(sys.stdin.buffer)):
        try:
            job = pickle.load(sys.stdin.buffer)
        except EOFError:  # the job has ended without one
            return
        try:
            answer = track(*job), ()
        except TrackingError as error:
            answer = None, error.messages
    with answers:
        pickle.dump(answer, answers)
