"""Where MLflow's store is, and what is said where it cannot be reached."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from jobs import settings_of
from marks import slow_but

from segmenter.errors import TrackingError
from segmenter.report.language import error_text
from segmenter.report.outputs import Record
from segmenter.settings import LaunchJob
from segmenter.tracking import track
from segmenter.tracking.mlflow_store import _located

PASSWORD = "s3cret p@ss/word"


def job(out: Path, uri: str) -> LaunchJob:
    settings = settings_of("launch", "launch.as_of=2026-07-01")
    return settings.model_copy(update={"out": out, "tracking": settings.tracking.model_copy(update={"uri": uri})})


@pytest.mark.parametrize(
    ("uri", "store", "artifacts"),
    [
        (None, "sqlite:///{home}/mlflow.db", "file://{home}/mlartifacts"),
        ("{home}/other", "sqlite:///{home}/other/mlflow.db", "file://{home}/other/mlartifacts"),
        ("{home}/my.db", "sqlite:///{home}/my.db", "file://{home}/mlartifacts"),
        ("sqlite:///{home}/my.db?x=1", "sqlite:///{home}/my.db", "file://{home}/mlartifacts"),
        ("postgresql://db/mlflow", "postgresql://db/mlflow", "file://{home}/mlartifacts"),
        ("https://mlflow.shop", "https://mlflow.shop", None),
    ],
)
def test_the_store_lies_beside_the_results_or_where_the_address_says(
    tmp_path: Path, uri: str | None, store: str, artifacts: str | None
) -> None:
    found = _located(uri and uri.format(home=tmp_path), tmp_path / "out")
    assert found == (store.format(home=tmp_path), artifacts and artifacts.format(home=tmp_path))


def refused(folder: Path) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://me:{quote(PASSWORD, safe='')}@127.0.0.1:{free.getsockname()[1]}"


def broken(folder: Path) -> str:
    (folder / "broken.db").write_text("no database at all, whatever its name says")
    return str(folder / "broken.db")


def blocked(folder: Path) -> str:
    (folder / "file").touch()
    return f"sqlite:///{folder}/file/below.db"


ADDRESSES = [
    (refused, "tracking.uri: http://me:***@127.0.0.1:{port} cannot be reached (got Failed to establish a new connection: "),
    (broken, "tracking.uri: sqlite:///{home}/broken.db cannot be reached (got (sqlite3.DatabaseError) file is not a database); "),
    (blocked, "tracking.uri: sqlite:///{home}/file/below.db cannot be reached (got [Errno "),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "said"),
    slow_but(ADDRESSES, ADDRESSES[0]),
)
def test_a_store_out_of_reach_is_one_line(tmp_path: Path, address: Callable[[Path], str], said: str) -> None:
    uri = address(tmp_path)
    with pytest.raises(TrackingError) as caught:
        track(Record("spring"), [], job(tmp_path / "out", uri))
    message = str(caught.value)
    assert message.startswith(said.format(port=uri.rpartition(":")[2], home=tmp_path))
    assert f"; the results are written in {tmp_path / 'out'}; " in message
    assert message.endswith(", or use tracking=none")
    assert "\n" not in message
    assert PASSWORD not in unquote(message)


@pytest.mark.slow
def test_a_server_that_says_nothing_is_given_up_soon(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        began = time.monotonic()
        with pytest.raises(TrackingError, match="Read timed out"):
            track(Record("spring"), [], job(tmp_path / "out", f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert time.monotonic() - began < 12


def test_it_is_said_in_chinese_too(tmp_path: Path) -> None:
    with pytest.raises(TrackingError) as caught:
        track(Record("spring"), [], job(tmp_path / "out", broken(tmp_path)))
    assert str(tmp_path / "out") in error_text(caught.value, "zh")
    assert "cannot be reached" not in error_text(caught.value, "zh")
