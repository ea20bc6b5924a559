"""Jobs in children forked from one process that has imported everything: a start costs seconds, a fork milliseconds.

That process only imports and composes configs: a thread of Polars, once begun, would not survive a fork.
"""

import ast
import hashlib
import importlib
import json
import os
import resource
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT = 20.0  # seconds that a job may take
MEMORY = 4 << 30  # bytes of data, so that a mistake ends the child and not the machine
JOBS = ("launch", "backtest", "tune", "review", "demo")
# What changes folders and files, as Python's audit hooks call it.
_STEPS = ("open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "shutil.rmtree", "sqlite3.connect", "ctypes.dlsym")


@dataclass(frozen=True)
class Ran:
    """How a job ended: its exit code (the signal's number, negative, where it was killed; None: it took too long), and what it said."""

    code: int | None
    out: str
    err: str
    seconds: float
    steps: int


class Forked:
    """A process that forks a child for each job; with `command`, jobs are started as a user starts them."""

    def __init__(self, *, command: bool = False) -> None:
        self.command = command
        self.server = (
            None if command else subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )

    def __call__(self, place: Path, *argv: str, at: float = LIMIT, step: int = 0) -> Ran:
        """Run a job in `place`/work with `place`/tmp for temporary files; kill it after `at` seconds or at its n-th change of files."""
        for name in ("work", "tmp"):
            (place / name).mkdir(exist_ok=True)
        if self.server is not None:
            print(json.dumps([str(place), argv, at, step]), file=self.server.stdin, flush=True)
            code, seconds, steps = json.loads(self.server.stdout.readline())
        else:
            begun, steps = time.monotonic(), 0
            with (place / "out").open("wb") as out, (place / "err").open("wb") as err:
                child = subprocess.Popen(
                    [sys.executable, "-m", "segmenter", *argv], cwd=place / "work", env={**os.environ, "TMPDIR": str(place / "tmp")},
                    stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
                )  # fmt: skip
            code = _wait(child.pid, at)
            child.returncode = code
            seconds = time.monotonic() - begun
        said = [(place / name).read_bytes().decode(errors="replace") for name in ("out", "err")]
        return Ran(None if code == -signal.SIGKILL and seconds >= LIMIT else code, *said, seconds, steps)

    def close(self) -> None:
        if self.server is not None:
            self.server.communicate()


def _wait(pid: int, at: float) -> int:
    """Wait for a child, and kill it with all of its own after so many seconds."""
    ended = os.pidfd_open(pid)
    if not select.select([ended], [], [], at)[0]:
        os.killpg(pid, signal.SIGKILL)
    os.close(ended)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _child(place: str, argv: list[str], step: int, counted: int) -> None:
    os.chdir(f"{place}/work")
    for number, name in enumerate(("/dev/null", f"{place}/out", f"{place}/err")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["TMPDIR"], tempfile.tempdir = f"{place}/tmp", None
    steps, code = 0, 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if event in _STEPS and (event != "open" or (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR))):
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    from segmenter.__main__ import main

    try:
        sys.argv = ["segmenter", *argv]
        main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    with suppress(OSError):
        sys.stdout.flush()
    os.write(counted, str(steps).encode())
    os._exit(code)


def _import_all() -> None:
    """Import what segmenter's functions import when they need it, too, and let Hydra read every job's config."""
    from hydra import compose, initialize_config_dir

    from segmenter import __file__ as package
    from segmenter.home import HOME
    from segmenter.settings.check import parse  # noqa: F401

    for path in [*Path(package).parent.rglob("*.py"), *(HOME / "pipelines").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                if name.partition(".")[0] not in ("mlflow", "pyspark", "duckdb"):
                    with suppress(Exception):
                        importlib.import_module(name)
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        for job in JOBS:
            compose(job, overrides=["launch.as_of=2026-07-01"])


def _serve() -> None:
    _import_all()
    for line in sys.stdin:
        place, argv, at, step = json.loads(line)
        counts, counted = os.pipe()
        begun = time.monotonic()
        if (pid := os.fork()) == 0:
            os.setsid()
            _child(place, argv, step, counted)
        os.close(counted)
        code = _wait(pid, at)
        with os.fdopen(counts) as steps:
            print(json.dumps([code, time.monotonic() - begun, int(steps.read() or 0)]), flush=True)


def hashes(folder: Path) -> dict[str, str]:
    """Fingerprint all files of a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def torn(results: Path) -> list[str]:
    """Say where a results folder is not what its manifest says."""
    found = hashes(results)
    if not found.pop("manifest.json", None):
        return [f"{results.name} has no manifest"]
    told = {name: file["sha256"] for name, file in json.loads((results / "manifest.json").read_text(encoding="utf-8"))["files"].items()}
    return [f"{results.name}/{name} is not as its manifest says" for name in sorted(told.items() ^ found.items())]


def plan_of(results: Path) -> list[tuple[str, int]]:
    """List who the ledger beside a results folder says is invited by it."""
    token = hashlib.sha256((results / "manifest.json").read_bytes()).hexdigest()
    with closing(sqlite3.connect(results.parent / "ledger.db")) as ledger:
        query = (
            "SELECT customer_id, status FROM segmenter_invitations JOIN segmenter_plans ON plan = id WHERE state = 'planned' AND token = ?"
        )
        return sorted(ledger.execute(query, [token]))


if __name__ == "__main__":
    _serve()
