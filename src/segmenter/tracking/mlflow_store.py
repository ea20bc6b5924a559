"""Where MLflow's store is, how it is opened, and what of MLflow nobody should notice."""

import logging
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from segmenter.errors import TrackingError
from segmenter.messages import Message
from segmenter.settings import without_password
from segmenter.temp_folders import temp_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

STORE, ARTIFACTS = "mlflow.db", "mlartifacts"
_made: list[Path] = []  # a new store, ready to be put in its place
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
class Store:
    """An open store and the experiment in it."""

    client: "MlflowClient"
    experiment: str
    shown: str  # its address, without a password
    server: bool

    def address(self, run: str) -> str:
        """Say where to find a run."""
        return f"{self.shown.rstrip('/')}/#/experiments/{self.experiment}/runs/{run}" if self.server else f"run {run} in {self.shown}"


@contextmanager
def connected(uri: str | None, experiment: str, out: Path) -> Iterator[Store]:
    """Open the store to log into it, without a word of MLflow on the terminal; whatever goes wrong is one line."""
    uri, artifacts = _located(uri, out)
    shown = without_password(uri)
    with _quietly(), _environment(_ENVIRONMENT), _temporary():
        try:
            with _environment(_FIRST_CONTACT):
                client, found = _connect(uri, experiment, artifacts)
        except Exception as error:
            server, store = (
                Message("jobs.start_the_server", "start the server"),
                Message("jobs.mend_the_store", "mend the store or move it away"),
            )
            mend = server if artifacts is None else store
            sentence = (
                "tracking.uri: {store} cannot be reached (got {reason}); the results are written in {out}; {mend}, or use tracking=none"
            )
            facts = {"store": shown, "reason": _reason(error, uri), "out": out, "mend": mend}
            raise TrackingError(Message("jobs.store_unreachable", sentence, **facts)) from error
        try:
            yield Store(client, found, shown, server=artifacts is None)
        except Exception as error:
            sentence = (
                "tracking: {store} did not take the run (got {reason}); the results are written in {out}; mend that, or use tracking=none"
            )
            raise TrackingError(Message("jobs.run_refused", sentence, store=shown, reason=_reason(error, uri), out=out)) from error


@contextmanager
def prepared(uri: str | None, out: Path) -> Iterator[None]:
    """Load MLflow, and make a new store aside, where there is none yet, for `connected` to put in its place."""
    with _quietly(), _environment(_ENVIRONMENT), _temporary():
        import mlflow.pyfunc  # noqa: F401
        from mlflow.utils import environment

        # Two thirds of what logging a model took: it looks at the files of all packages, for warnings that nobody sees.
        vars(environment).update(warn_dependency_requirement_mismatches=lambda model_requirements: None)
        place = _located(uri, out)[0]
        if place.startswith("sqlite:///") and not Path(place.removeprefix("sqlite:///")).exists():
            _made.append(_new_store(Path(tempfile.gettempdir(), STORE)))
        yield


def _located(uri: str | None, out: Path) -> tuple[str, str | None]:
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
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with temp_folder(file.parent, ".mlflow-") as scratch:
        fresh = Path(scratch, file.name)
        if _made:
            shutil.copyfile(_made.pop(), fresh)
        else:
            _new_store(fresh)
        try:
            os.link(fresh, file)  # unlike a rename, it never replaces the other job's
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            if not file.exists():
                fresh.replace(file)


def _new_store(file: Path) -> Path:
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=f"sqlite:///{file.as_posix()}").search_experiments(max_results=1)
    return file


def _check_database(uri: str) -> None:
    """Fail at once: MLflow itself would try again for two minutes."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.pool import NullPool

    inspect(create_engine(uri, poolclass=NullPool)).get_table_names()


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
