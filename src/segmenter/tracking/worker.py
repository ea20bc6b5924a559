"""Tracking in a process of its own, which loads MLflow and makes a new store while the job reads and computes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from segmenter.errors import TrackingError
from segmenter.report.outputs import Record
from segmenter.settings import LaunchJob, MlflowSettings
from segmenter.side_process import BrokenDown, SideProcess
from segmenter.tracking.mlflow_store import prepared
from segmenter.tracking.runs import Sweep, track

_running: list[SideProcess] = []


def begin(settings: LaunchJob) -> None:
    """Start the process where there is something to track; it ends with this one, whatever becomes of the job."""
    if isinstance(settings.tracking, MlflowSettings):
        with suppress(BrokenDown):  # where no process can be started, this one does it all
            _running.append(SideProcess(work))
            _running[-1].send((settings.tracking.uri, settings.out))


def track_beside(record: Record, files: Iterable[str], settings: LaunchJob, sweep: Sweep | None = None) -> str | None:
    """Do as `track`, by the process that was begun; where it is not there, or broke down, in this one."""
    if _running:
        with _running.pop() as process:
            try:
                process.send((record, (*files,), settings, sweep))
                run, problems = process.receive()
            except BrokenDown:
                return track(record, files, settings, sweep)
        if problems:
            raise TrackingError(*problems)
        return str(run)
    return track(record, files, settings, sweep)


def work(sent: Iterator[Any], answer: Callable[[object], None]) -> None:
    """Prepare, wait for the record, log it, and answer: with where the run is, or with what went wrong."""
    with prepared(*next(sent)):
        for job in sent:  # none where the job has ended without a record
            try:
                answer((track(*job), ()))
            except TrackingError as error:
                answer((None, error.messages))
