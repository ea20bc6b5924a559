"""How a job's record becomes a run in MLflow's store."""

import json
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmenter.report.outputs import Record
from segmenter.settings import LaunchJob, MlflowSettings, NoTracking, shareable
from segmenter.tracking.mlflow_store import Store, connected
from segmenter.version import __version__

if TYPE_CHECKING:
    from mlflow.entities import Run, RunInfo

_SETTLED = 1.0  # seconds after which all jobs of a sweep see the same parent run
_MOST_PARAMS, _MOST_METRICS = 100, 1000  # MLflow takes at most so many at once
_PARENT = "mlflow.parentRunId"


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
            with connected(uri, experiment, settings.out) as store:
                return store.address(_log(store, record, files, settings, sweep))


def _log(store: Store, record: Record, files: Iterable[str], settings: LaunchJob, sweep: Sweep | None) -> str:
    """Log a job's run with its config, files, model and children; when anything fails, all of its runs are marked so."""
    name, launch = record.name, settings.launch
    common = {"segmenter.launch": launch.name, "segmenter.as_of": str(launch.as_of)}
    common |= {"segmenter.version": __version__, "mlflow.source.name": "segmenter"}
    tags = common | {f"segmenter.{key}": value for key, value in record.tags.items()}
    parent = None
    if sweep:
        parent, name = _parent(store, launch.name, sweep), f"{name} {sweep.number}"
        tags |= {"segmenter.job": str(sweep.number), _PARENT: parent}
    elif record.below_launch and (of_launch := _run_of(store, common)):
        tags |= {"segmenter.launch_run": of_launch, _PARENT: of_launch}
    with ExitStack() as stack:
        if parent:
            stack.callback(store.client.set_terminated, parent)  # by each job, as none knows whether it is the last
        run = stack.enter_context(_run(store, name, tags))
        _fill(store, run, record, shareable(settings), [settings.out / file for file in files])
        for child in record.children:
            of_child = common | {f"segmenter.{key}": value for key, value in child.tags.items()} | {_PARENT: run.run_id}
            _fill(store, stack.enter_context(_run(store, child.name, of_child)), child, {}, [])
        if record.model:
            from segmenter.tracking.model_version import register

            register(store, run.run_id, launch.name, record.model)
    return str(run.run_id)


@contextmanager
def _run(store: Store, name: str, tags: Mapping[str, str]) -> "Iterator[RunInfo]":
    """Begin a run, and end it as it went."""
    info = store.client.create_run(store.experiment, tags=dict(tags), run_name=name).info
    try:
        yield info
    except BaseException:
        with suppress(Exception):  # the first error is the one to report
            store.client.set_terminated(info.run_id, "FAILED")
        raise
    store.client.set_terminated(info.run_id, "FINISHED")


def _fill(store: Store, run: "RunInfo", record: Record, config: dict[str, Any], files: list[Path]) -> None:
    from mlflow.entities import Metric, Param

    steps = [(name, 0, value) for name, value in record.metrics.items()]
    steps += [(name, step, value) for name, series in record.series.items() for step, value in series]
    metrics = [
        Metric(re.sub(r"[^\w .-]", "_", name), float(value), run.start_time, step)  # a user's names may be none that MLflow takes
        for name, step, value in steps
        if isinstance(value, int | float) and math.isfinite(value)
    ]
    given = config | dict(record.params)
    params = [Param(key, value) for key, value in (_flat("", given) if given else {}).items()]
    for start in range(0, len(metrics), _MOST_METRICS):
        store.client.log_batch(run.run_id, metrics=metrics[start : start + _MOST_METRICS], synchronous=True)
    for start in range(0, len(params), _MOST_PARAMS):
        store.client.log_batch(run.run_id, params=params[start : start + _MOST_PARAMS], synchronous=True)
    for file in files:
        store.client.log_artifact(run.run_id, str(file))


def _run_of(store: Store, tags: Mapping[str, str]) -> str | None:
    """Find the latest run that planned a launch: backtests and reviews of it have names of their own."""
    launch = tags["segmenter.launch"]  # not in the filter, whose grammar has no way to write a quote
    asked = f"tags.`segmenter.as_of` = '{tags['segmenter.as_of']}' AND attributes.status = 'FINISHED'"
    runs = store.client.search_runs([store.experiment], filter_string=asked, order_by=["attributes.start_time DESC"])
    named = [run for run in runs if run.info.run_name == run.data.tags.get("segmenter.launch") == launch]
    return next((str(run.info.run_id) for run in named if "segmenter.ranking" not in run.data.tags), None)


def _parent(store: Store, launch: str, sweep: Sweep) -> str:
    """Find the sweep's parent run or create it; where several jobs create one at once, the oldest stays."""

    def oldest() -> "Run | None":
        runs = store.client.search_runs([store.experiment], filter_string=f"tags.`segmenter.sweep` = '{sweep.id}'")
        return min(runs, key=lambda run: (run.info.start_time, run.info.run_id), default=None)

    found, own = oldest(), None
    if found is None:
        tags = {"segmenter.sweep": sweep.id, "segmenter.launch": launch}
        found = own = store.client.create_run(store.experiment, tags=tags, run_name=f"{launch} sweep {sweep.id}")
    age = time.time() - found.info.start_time / 1000
    if age < _SETTLED:  # an older one may still be on its way into the store
        time.sleep(min(_SETTLED - age, _SETTLED))
        found = oldest() or found
    if own and own.info.run_id != found.info.run_id:
        store.client.delete_run(own.info.run_id)
    return str(found.info.run_id)


def _flat(key: str, value: Any) -> dict[str, str]:
    # Mappings with names that MLflow would not take, such as regions' aliases, stay one parameter.
    if isinstance(value, dict) and value and all(re.fullmatch(r"[\w-]{1,80}", name) for name in value):
        return {path: text for name, item in value.items() for path, text in _flat(f"{key}.{name}".lstrip("."), item).items()}
    return {key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
