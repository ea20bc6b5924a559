"""What several tests need: a throw-away PostgreSQL and the folder of real data."""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

hypothesis.settings.register_profile("segmenter", deadline=None)  # no test fails for being slow
hypothesis.settings.load_profile("segmenter")
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # before SciPy is imported, or scikit-learn skips one of its checks

PASSWORD = "s3cret p@ss/word"


def _lacking(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI has to have it")
    pytest.skip(reason)


def _tool(name: str) -> str | None:
    newest_first = sorted(
        glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4].split(".")[0]), reverse=True
    )
    return shutil.which(name) or next(iter(newest_first), None)


def _owner() -> str | None:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty PostgreSQL database that asks for a password."""
    if url := os.environ.get("SEGMENTER_TEST_POSTGRES"):
        yield url
        return
    initdb, pg_ctl = _tool("initdb"), _tool("pg_ctl")
    if initdb is None or pg_ctl is None:
        _lacking("no PostgreSQL server: install one, or set SEGMENTER_TEST_POSTGRES to a URL")
    owner = _owner()
    home = Path(tempfile.mkdtemp(prefix="segmenter-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret, data, log = home / "password", home / "data", home / "log"
    secret.write_text(PASSWORD, encoding="utf-8")
    if owner is not None:
        for path in (home, secret):
            shutil.chown(path, owner)

    def run(*command: str) -> None:
        done = subprocess.run(command, user=owner, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            logged = log.read_text(encoding="utf-8") if log.exists() else ""
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}{logged}")

    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off -c shared_buffers=16MB"
    try:
        run(initdb, "-D", str(data), "-U", "shop", "-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8", "--locale=C", "--no-sync")
        # pg_ctl hands its own output on to the server: without a log file, run() would wait for the server to end.
        run(pg_ctl, "-D", str(data), "-l", str(log), "-o", options, "-w", "-t", "30", "start")
        try:
            yield f"postgresql://shop:s3cret%20p%40ss%2Fword@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real data sets that ``conf/data`` names."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        _lacking(f"no folder {folder}")
    return folder
