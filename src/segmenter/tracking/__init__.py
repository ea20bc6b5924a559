"""MLflow: a run for each job, a registered model for each launch. The only importer of mlflow.

What is logged holds no customer: the config, figures of the whole launch, and the outputs that are public.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from segmenter.report.outputs import Record
from segmenter.settings import LaunchJob, MlflowSettings, NoTracking


@dataclass(frozen=True)
class Sweep:
    """A job's place in a sweep (``--multirun``): the sweep's id, of letters, digits, ``-`` and ``_``, and the job's number in it."""

    id: str
    number: int


def track(record: Record, files: Iterable[str], settings: LaunchJob, sweep: Sweep | None = None) -> str | None:
    """Log a job as an MLflow run with those files of its results folder, and say where to find it; None without tracking.

    It comes after the results are written, so a failure here costs none of them. Without an address the store is an SQLite
    file beside the results folder, ``mlflow.db``, with its artifacts in ``mlartifacts``; the working directory stays as it is.
    A job of a sweep becomes a child of the sweep's one parent run, which the first job creates.

    Raises
    ------
    TrackingError
        If MLflow cannot be reached (within about 10 seconds) or does not take the run.
    """
    match settings.tracking:
        case NoTracking():
            return None
        case MlflowSettings(uri=uri, experiment=experiment):
            from segmenter.tracking.runs import log
            from segmenter.tracking.store import connected

            with connected(uri, experiment, settings.out) as store:
                return store.address(log(store, record, files, settings, sweep))
