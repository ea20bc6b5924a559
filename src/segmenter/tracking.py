"""MLflow: a run for each launch, with its scorer and segmenter as a registered model that MLflow can serve; for each backtest, review.

What is logged holds no customer: the config, figures of the whole launch, and the files of `PUBLIC`.
"""

import json
import logging
import math
import os
import pickle
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import polars as pl

from segmenter.errors import TrackingError
from segmenter.money import digits
from segmenter.settings import BacktestJob, LaunchJob, MlflowSettings, NoTracking, ReviewJob, TuneJob, shareable, without_password
from segmenter.temp_folders import temp_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run, RunInfo

    from segmenter.evaluation.backtest import Backtest
    from segmenter.evaluation.review import Review
    from segmenter.evaluation.tune import Tuning
    from segmenter.launch_model import LaunchModel
    from segmenter.launch_plan import LaunchPlan

# The files among the results that hold no customer's id or contact; no other is ever uploaded.
PUBLIC = (
    *("funnel.csv", "what_if.csv", "segments.csv", "outlook.csv", "report.html", "manifest.json"),
    *("backtest.csv", "differences.csv", "curves.csv", "calibration.csv", "choices.csv", "backtest.html"),
    *("tune.csv", "conf/scoring/tuned.yaml"),
    *("acceptance.csv", "lift.csv", "review.html"),
)
STORE, ARTIFACTS = "mlflow.db", "mlartifacts"
_SETTLED = 1.0  # seconds after which all jobs of a sweep see the same parent run
_BATCH, _MOST_METRICS = 100, 1000  # MLflow takes at most so many parameters and metrics at once
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_TRUNCATE_LONG_VALUES": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # else the working directory's uv.lock would go into the model
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",  # no file beside the results stays open
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
# Until the store has answered once: two tries of 4 seconds, so that nobody waits minutes for a server that is not there.
_FIRST_CONTACT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "4", "PGCONNECT_TIMEOUT": "8"}


@dataclass(frozen=True)
class Sweep:
    """A job's place in a sweep (``--multirun``).

    Parameters
    ----------
    id : str
        Shared by all jobs of the sweep and by no other: letters, digits, ``-`` and ``_``.
    number : int
        Of the job within the sweep, ≥ 0.

    Examples
    --------
    >>> Sweep("a1b2c3", 3).number
    3
    """

    id: str
    number: int


def track(plan: "LaunchPlan", settings: LaunchJob, out: Path, sweep: Sweep | None = None) -> str | None:
    """Log a launch as one MLflow run and register its model as ``segmenter-<launch name>``, with ``_`` for what MLflow refuses.

    It comes after the results are written, so a failure here costs none of them. Without an address the store is an SQLite
    file beside the results folder, ``mlflow.db``, with its artifacts in ``mlartifacts``; the working directory stays as it is.

    Parameters
    ----------
    plan : LaunchPlan
        What was decided.
    settings : LaunchJob
        Its config. ``tracking.uri`` is null, a server (``https://…``), a database (``sqlite:///…``, ``postgresql://…``),
        an SQLite file (``….db``) or a folder for one.
    out : Path
        The results folder, already written.
    sweep : Sweep or None
        For a job of a sweep: its run becomes a child of the sweep's one parent run, which the first job creates.

    Returns
    -------
    str or None
        Where to find the run; None without tracking.

    Raises
    ------
    TrackingError
        If MLflow cannot be reached (within about 10 seconds) or does not take the run.

    Examples
    --------
    >>> untracked = LaunchJob.model_construct(tracking=NoTracking(kind="none"))
    >>> track(plan=None, settings=untracked, out=Path("results")) is None
    True
    """
    if isinstance(settings.tracking, NoTracking):
        return None
    launch, params, metrics, tags = settings.launch.name, _params(settings), _metrics(plan), _tags(settings, sweep)

    def log(client: "MlflowClient", experiment: str) -> str:
        return _log(client, experiment, launch=launch, params=params, metrics=metrics, tags=tags, out=out, model=plan.model, sweep=sweep)

    return _tracked(settings, out, log)


def track_backtest(found: "Backtest", settings: BacktestJob, out: Path) -> str | None:
    """Log a backtest as one MLflow run, and each of its rankings as a child of it.

    The parent has the config, the advice and the files; a child its ranking's means as metrics, and ``cut_spend_share_10`` with one
    step for each cut.

    Parameters
    ----------
    found : Backtest
        What the backtest came to.
    settings : BacktestJob
        Its config; `tracking` as for `track`.
    out : Path
        The results folder, already written.

    Returns
    -------
    str or None
        Where to find the parent run; None without tracking.

    Raises
    ------
    TrackingError
        As `track`.

    Examples
    --------
    >>> untracked = BacktestJob.model_construct(tracking=NoTracking(kind="none"))
    >>> track_backtest(found=None, settings=untracked, out=Path("results")) is None
    True
    """
    if isinstance(settings.tracking, NoTracking):
        return None

    def log(client: "MlflowClient", experiment: str) -> str:
        return _log_backtest(client, experiment, found, settings, out)

    return _tracked(settings, out, log)


def track_tuning(found: "Tuning", settings: TuneJob, out: Path) -> str | None:
    """Log a tuning as one MLflow run, ``<launch name> tune``, with one step of its metrics for each trial.

    A child run for each trial would cost 25 ms and three requests, 35 times a step, and a hundred of them would bury the launches.

    Parameters
    ----------
    found : Tuning
        What tuning came to.
    settings : TuneJob
        Its config; `tracking` as for `track`.
    out : Path
        The results folder, already written.

    Returns
    -------
    str or None
        Where to find the run; None without tracking.

    Raises
    ------
    TrackingError
        As `track`.

    Examples
    --------
    >>> untracked = TuneJob.model_construct(tracking=NoTracking(kind="none"))
    >>> track_tuning(found=None, settings=untracked, out=Path("results")) is None
    True
    """
    if isinstance(settings.tracking, NoTracking):
        return None

    def log(client: "MlflowClient", experiment: str) -> str:
        return _log_tuning(client, experiment, found, settings, out)

    return _tracked(settings, out, log)


def track_review(found: "Review", settings: ReviewJob, out: Path) -> str | None:
    """Log a review as one MLflow run, a child of its launch's latest run where the store has one.

    Sales so far, in minor units, are a metric with one step for each day.

    Parameters
    ----------
    found : Review
        What the launch brought.
    settings : ReviewJob
        Its config, with the launch's own as-of date; `tracking` as for `track`.
    out : Path
        The results folder, already written.

    Returns
    -------
    str or None
        Where to find the run; None without tracking.

    Raises
    ------
    TrackingError
        As `track`.

    Examples
    --------
    >>> untracked = ReviewJob.model_construct(tracking=NoTracking(kind="none"))
    >>> track_review(found=None, settings=untracked, out=Path("results")) is None
    True
    """
    if isinstance(settings.tracking, NoTracking):
        return None

    def log(client: "MlflowClient", experiment: str) -> str:
        return _log_review(client, experiment, found, settings, out)

    return _tracked(settings, out, log)


def _tracked(settings: LaunchJob, out: Path, log: "Callable[[MlflowClient, str], str]") -> str:
    """Connect, log, and say where the run is; whatever goes wrong is one line."""
    assert isinstance(settings.tracking, MlflowSettings)
    uri, artifacts = _store(settings.tracking.uri, out)
    shown = without_password(uri)
    with _quietly(), _environment(_ENVIRONMENT), _temporary():
        try:
            with _environment(_FIRST_CONTACT):
                client, experiment = _connect(uri, settings.tracking.experiment, artifacts)
        except Exception as error:
            mend = "start the server" if artifacts is None else "mend the store or move it away"
            raise TrackingError(
                f"tracking.uri: {shown} cannot be reached (got {_reason(error, uri)}); the results are written in {out}; "
                f"{mend}, or use tracking=none"
            ) from error
        try:
            run = log(client, experiment)
        except Exception as error:
            raise TrackingError(
                f"tracking: {shown} did not take the run (got {_reason(error, uri)}); the results are written in {out}; "
                "mend that, or use tracking=none"
            ) from error
    return f"{shown.rstrip('/')}/#/experiments/{experiment}/runs/{run}" if artifacts is None else f"run {run} in {shown}"


def _store(uri: str | None, out: Path) -> tuple[str, str | None]:
    """Say where the store is, and where its artifacts go: None where a server decides that."""
    beside = out.absolute().parent.resolve()
    if uri is None:
        file = beside / STORE
    elif re.match(r"(postgresql|mysql|mssql)(\+\w+)?://", uri):
        return uri, (beside / ARTIFACTS).as_uri()
    elif uri.startswith("sqlite:///"):
        file = Path(uri.removeprefix("sqlite:///").partition("?")[0])
    elif "://" in uri and not uri.startswith("file://"):
        return uri, None
    else:
        path = Path(url2pathname(urlsplit(uri).path) if uri.startswith("file://") else uri)
        file = path if path.suffix in (".db", ".sqlite", ".sqlite3") else path / STORE
    file = file.resolve()
    return f"sqlite:///{file.as_posix()}", (file.parent / ARTIFACTS).as_uri()


def _connect(uri: str, experiment: str, artifacts: str | None) -> tuple["MlflowClient", str]:
    """Open the store and find or create the experiment."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if uri.startswith("sqlite:///"):
        _begin(Path(uri.removeprefix("sqlite:///")))
    if artifacts is not None:
        _check_database(uri)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        try:
            return client, client.create_experiment(experiment, artifact_location=artifacts)
        except MlflowException:  # perhaps another job was faster
            found = client.get_experiment_by_name(experiment)
            if found is None:
                raise
    return client, str(found.experiment_id)


def _begin(file: Path) -> None:
    """Make a new store aside and put it in place whole: two jobs may begin it at once, and one may be killed."""
    from mlflow import MlflowClient

    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with temp_folder(file.parent, ".mlflow-") as scratch:
        fresh = Path(scratch, file.name)
        MlflowClient(tracking_uri=f"sqlite:///{fresh.as_posix()}").search_experiments(max_results=1)
        try:
            os.link(fresh, file)  # unlike a rename, it never replaces the other job's
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            if not file.exists():
                fresh.replace(file)


def _check_database(uri: str) -> None:
    """Fail at once: MLflow itself would try again for two minutes."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.pool import NullPool

    inspect(create_engine(uri, poolclass=NullPool)).get_table_names()


def _log(
    client: "MlflowClient",
    experiment: str,
    *,
    launch: str,
    params: dict[str, str],
    metrics: dict[str, float],
    tags: dict[str, str],
    out: Path,
    model: "LaunchModel",
    sweep: Sweep | None,
) -> str:
    parent = _parent(client, experiment, launch, sweep) if sweep else None
    if parent:
        tags = tags | {"mlflow.parentRunId": parent}
    info = client.create_run(experiment, tags=tags, run_name=f"{launch} {sweep.number}" if sweep else launch).info
    try:
        _fill(client, info, params, metrics, out)
        _register(client, experiment, info.run_id, _model_name(launch), model)
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            _end(client, "FAILED", info.run_id, parent)
        raise
    _end(client, "FINISHED", info.run_id, parent)
    return str(info.run_id)


def _log_backtest(client: "MlflowClient", experiment: str, found: "Backtest", settings: BacktestJob, out: Path) -> str:
    from mlflow.entities import Metric

    name, tags = f"{settings.launch.name} backtest", _tags(settings, None)
    from segmenter.report.backtest_words import advice

    told = {"advice": advice(found, settings.lang), "recommended": found.recommended, "current": found.current}
    info = client.create_run(experiment, tags=tags | {f"segmenter.{key}": text for key, text in told.items()}, run_name=name).info
    runs = [info.run_id]
    try:
        means = {row["ranking"]: _figures(row) for row in found.results.filter(pl.col("cut").is_null()).to_dicts()}
        _fill(client, info, _params(settings), means.get(found.recommended, {}) | {"cuts": float(len(found.compared))}, out)
        for ranking, metrics in means.items():
            own = {"segmenter.ranking": ranking, "segmenter.recommended": "yes" if ranking == found.recommended else "no"}
            child = client.create_run(experiment, tags=tags | own | {"mlflow.parentRunId": info.run_id}, run_name=ranking).info
            runs.append(child.run_id)
            _fill(client, child, {}, metrics, None)
            each = found.results.filter(ranking=ranking).drop_nulls(["cut", "spend_share_10"])
            shares = [(found.cuts.index(cut), share) for cut, share in each.select("cut", "spend_share_10").rows()]
            series = [Metric("cut_spend_share_10", share, child.start_time, step) for step, share in shares]
            client.log_batch(child.run_id, metrics=series, synchronous=True)
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            for run in runs:
                client.set_terminated(run, "FAILED")
        raise
    for run in runs:
        client.set_terminated(run, "FINISHED")
    return str(info.run_id)


def _log_tuning(client: "MlflowClient", experiment: str, found: "Tuning", settings: TuneJob, out: Path) -> str:
    from mlflow.entities import Metric

    from segmenter.report.tuning_words import tuning_advice

    told = {"segmenter.advice": tuning_advice(found, settings.lang), "segmenter.helped": "yes" if found.helped else "no"}
    info = client.create_run(experiment, tags=_tags(settings, None) | told, run_name=f"{settings.launch.name} tune").info
    try:
        params = _params(settings) | _flat("tuned", found.scoring.model_dump(mode="json"))
        metrics: dict[str, float] = {}
        for row in found.shares.to_dicts():
            name = re.sub(r"[^\w .-]", "_", row["ranking"])  # as MLflow takes it
            metrics |= _figures({f"{dates}.{name}": row[dates] for dates in ("learned_from", "held_back")})
        _fill(client, info, params, metrics, out)
        tried = found.trials.with_columns(best_share=pl.col("share").cum_max())
        steps = [
            Metric(f"trial_{key}", value, info.start_time, row["trial"])
            for row in tried.to_dicts()
            for key, value in _figures(row).items()
            if key != "trial"
        ]
        for start in range(0, len(steps), _MOST_METRICS):
            client.log_batch(info.run_id, metrics=steps[start : start + _MOST_METRICS], synchronous=True)
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            client.set_terminated(info.run_id, "FAILED")
        raise
    client.set_terminated(info.run_id, "FINISHED")
    return str(info.run_id)


def _log_review(client: "MlflowClient", experiment: str, found: "Review", settings: ReviewJob, out: Path) -> str:
    from mlflow.entities import Metric

    from segmenter.evaluation.target_progress import FEW

    told = {
        "reviewed": str(found.as_of),
        "standing": found.standing.state,
        "sentence": found.standing.sentence,
        "lift": found.lift_sentence,
    }
    tags = _tags(settings, None) | {f"segmenter.{key}": text for key, text in told.items()}
    if launch := _run_of(client, experiment, tags):
        tags |= {"segmenter.launch_run": launch, "mlflow.parentRunId": launch}
    info = client.create_run(experiment, tags=tags, run_name=f"{settings.launch.name} review").info
    try:
        metrics: dict[str, float | None] = {**found.counts, "days": found.days, "target": found.launched.target}
        if found.lift:
            best = found.lift.best
            metrics |= {"lift": best.total, "lift_low": best.total_low, "lift_high": best.total_high, "lift_p": best.p}
            metrics |= {"anyway": found.lift.anyway}
        everyone = found.acceptance.filter(over="all").select("share", "low", "high").row(0, named=True)
        metrics |= {f"joined_{name}": value for name, value in everyone.items()}
        _fill(client, info, _params(settings), _figures(metrics), out)
        # What fewer customers spend would tell what single ones do.
        told_of = [each["cohort"] for each in found.cohorts.to_dicts() if each["customers"] >= FEW]
        so_far = [f"{name}_so_far" for name in (*told_of, "target")]
        steps = [
            Metric(f"sales.{name}", float(row[name]), info.start_time, row["day"])
            for row in found.daily.to_dicts()
            for name in so_far
            if row[name] is not None
        ]
        for start in range(0, len(steps), _MOST_METRICS):
            client.log_batch(info.run_id, metrics=steps[start : start + _MOST_METRICS], synchronous=True)
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            client.set_terminated(info.run_id, "FAILED")
        raise
    client.set_terminated(info.run_id, "FINISHED")
    return str(info.run_id)


def _run_of(client: "MlflowClient", experiment: str, tags: Mapping[str, str]) -> str | None:
    """Find the latest run that planned a launch: backtests and reviews of it have names of their own."""
    launch = tags["segmenter.launch"]  # not in the filter, whose grammar has no way to write a quote
    asked = f"tags.`segmenter.as_of` = '{tags['segmenter.as_of']}' AND attributes.status = 'FINISHED'"
    runs = client.search_runs([experiment], filter_string=asked, order_by=["attributes.start_time DESC"])
    named = [run for run in runs if run.info.run_name == run.data.tags.get("segmenter.launch") == launch]
    return next((str(run.info.run_id) for run in named if "segmenter.ranking" not in run.data.tags), None)


def _figures(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if isinstance(value, int | float) and math.isfinite(value)}


def _fill(client: "MlflowClient", info: "RunInfo", params: dict[str, str], metrics: dict[str, float], out: Path | None) -> None:
    from mlflow.entities import Metric, Param

    client.log_batch(info.run_id, metrics=[Metric(key, value, info.start_time, 0) for key, value in metrics.items()], synchronous=True)
    entries = [Param(key, value) for key, value in params.items()]
    for start in range(0, len(entries), _BATCH):
        client.log_batch(info.run_id, params=entries[start : start + _BATCH], synchronous=True)
    for name in PUBLIC:
        if out is not None and (out / name).is_file():
            client.log_artifact(info.run_id, str(out / name))


def _end(client: "MlflowClient", status: str, run: str, parent: str | None) -> None:
    client.set_terminated(run, status)
    if parent:  # by each job, as none knows whether it is the last
        client.set_terminated(parent)


def _parent(client: "MlflowClient", experiment: str, launch: str, sweep: Sweep) -> str:
    """Find the sweep's parent run or create it; where several jobs create one at once, the oldest stays."""

    def oldest() -> "Run | None":
        runs = client.search_runs([experiment], filter_string=f"tags.`segmenter.sweep` = '{sweep.id}'")
        return min(runs, key=lambda run: (run.info.start_time, run.info.run_id), default=None)

    found, own = oldest(), None
    if found is None:
        tags = {"segmenter.sweep": sweep.id, "segmenter.launch": launch}
        found = own = client.create_run(experiment, tags=tags, run_name=f"{launch} sweep {sweep.id}")
    age = time.time() - found.info.start_time / 1000
    if age < _SETTLED:  # an older one may still be on its way into the store
        time.sleep(min(_SETTLED - age, _SETTLED))
        found = oldest() or found
    if own and own.info.run_id != found.info.run_id:
        client.delete_run(own.info.run_id)
    return str(found.info.run_id)


def _register(client: "MlflowClient", experiment: str, run: str, name: str, model: "LaunchModel") -> None:
    """Log the model with the code that it needs, and register it as the next version."""
    import mlflow.pyfunc
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model as Description
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    logged = client.create_logged_model(experiment, name=name, source_run_id=run, model_type="segmenter")
    # No input types: with them `mlflow models predict` refuses a CSV with whole numbers. ServedModel checks the columns.
    outputs = Schema([ColSpec(DataType.double, "score"), ColSpec(DataType.integer, "segment")])
    description = Description(
        artifact_path=logged.artifact_location,
        run_id=run,
        model_id=logged.model_id,
        model_uuid=logged.model_id,
        signature=ModelSignature(outputs=outputs),
        metadata={"columns": model.columns},
    )
    with TemporaryDirectory() as scratch:
        data, folder = Path(scratch, "model.pickle"), Path(scratch, "model")
        data.write_bytes(pickle.dumps(model))
        mlflow.pyfunc.save_model(
            folder,
            mlflow_model=description,
            loader_module="segmenter.serving",
            data_path=data,
            code_paths=[Path(__file__).parent],
            pip_requirements=_requirements(),
        )
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    client.log_outputs(run, [LoggedModelOutput(logged.model_id, step=0)])
    try:
        client.create_registered_model(name, description=f"Score and segment of customers, from {', '.join(model.columns)}.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # Not models:/<id>, which MLflow would look up in the global store instead of the client's.
    client.create_model_version(name, source=logged.artifact_location, run_id=run, model_id=logged.model_id)


def _model_name(launch: str) -> str:
    """Give the model's name, in which MLflow takes fewer signs than a folder's may have."""
    return "segmenter-" + re.sub(r"[/:.%\"']", "_", launch)


def _requirements() -> list[str]:
    """Pin what segmenter needs to the versions in use; segmenter itself travels with the model."""
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement

    needs = [Requirement(text) for text in requires("segmenter") or []]
    return [f"{need.name}=={version(need.name)}" for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]


def _tags(settings: LaunchJob, sweep: Sweep | None) -> dict[str, str]:
    from segmenter.version import __version__

    place = {"segmenter.job": str(sweep.number)} if sweep else {}
    launch = {"segmenter.launch": settings.launch.name, "segmenter.as_of": str(settings.launch.as_of)}
    return launch | place | {"segmenter.version": __version__, "mlflow.source.name": "segmenter"}


def _metrics(plan: "LaunchPlan") -> dict[str, float]:
    metrics = {name: float(count) for name, count in plan.counts.items()}
    metrics["share_invited"] = plan.counts["invited"] / max(plan.counts["customers"], 1)
    for rule, left in plan.funnel.select("rule", "left").iter_rows():
        name = re.sub(r"[^\w .-]", "_", rule)  # a user's own rule may have a name that MLflow would not take
        metrics[f"funnel.{name}.left"] = float(left)
    if plan.forecast is not None:
        joins, sales = plan.forecast.joins[1], plan.forecast.sales[1]
        metrics |= {"expected_joins": float(joins), "expected_sales": sales / 10 ** digits(plan.model.currency)}
        metrics |= {} if plan.forecast.chance is None else {"chance_of_target": plan.forecast.chance}
    scores, chosen = plan.invite_list["score"], plan.segmentation.trials.filter("chosen")["silhouette"]
    found = {"score_min": scores.min(), "score_median": scores.median(), "silhouette": chosen.max()}
    return metrics | {name: float(value) for name, value in found.items() if isinstance(value, float) and math.isfinite(value)}


def _params(settings: LaunchJob) -> dict[str, str]:
    """Flatten the config: ``rules.spend.min``."""
    return _flat("", shareable(settings))


def _flat(key: str, value: Any) -> dict[str, str]:
    # Mappings with names that MLflow would not take, such as regions' aliases, stay one parameter.
    if isinstance(value, dict) and value and all(re.fullmatch(r"[\w-]{1,80}", name) for name in value):
        return {path: text for name, item in value.items() for path, text in _flat(f"{key}.{name}".lstrip("."), item).items()}
    return {key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


def _reason(error: Exception, uri: str) -> str:
    """Put an error on one short line."""
    text = " ".join(str(error).replace(uri, without_password(uri)).split()) or type(error).__name__
    if caused := re.search(r"Caused by \w+\((.*)\)\)", text):
        text = re.sub(r"^HTTPS?Connection\w*\(.*?\): ", "", caused[1].strip("'\""))
    return re.split(r" \[SQL: | \(Background on this error| Response body: ", text)[0][:300]


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the log lines and warnings of MLflow and Alembic from the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def _temporary() -> Iterator[None]:
    """Have all temporary files, MLflow's too, in one folder, which goes with them even where the job is killed."""
    before = tempfile.tempdir
    with temp_folder(Path(tempfile.gettempdir()), "segmenter-tracking-") as folder:
        tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while: MLflow takes these settings from nowhere else."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
