"""Jobs in children forked from one process that has imported everything: a start costs seconds, a fork milliseconds.

That process only imports and composes configs: a thread of Polars, once begun, would not survive a fork.
"""

import ast
import hashlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

LIMIT = 90.0  # seconds that a job may take, and those of them that it may compute: the machine may be busy
COMPUTING = 20
MEMORY = 4 << 30  # bytes of data that a child may hold, so that a mistake ends it and not the machine
# What changes folders and files, as Python's audit hooks call it.
_STEPS = ("open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "shutil.rmtree", "sqlite3.connect", "ctypes.dlsym")


class Ran(NamedTuple):
    """How a job ended: its exit code (negative: a signal's number; None: it took too long), what it said, and how often it changed files."""

    code: int | None
    seconds: float
    steps: int
    out: str
    err: str


class Forked:
    """A process that forks a child for each job; with `command` it starts each as a user does."""

    def __init__(self, *, command: bool = False) -> None:
        self.server = subprocess.Popen([sys.executable, __file__, str(command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, place: Path, *argv: str, at: float = LIMIT, step: int = 0) -> Ran:
        """Run a job in `place`/work with `place`/tmp for temporary files; kill it after `at` seconds or at its n-th change of files."""
        for name in ("work", "tmp"):
            (place / name).mkdir(exist_ok=True)
        for name in ("out", "err"):  # a job may be killed before it opens them
            (place / name).touch()
        print(json.dumps([str(place), argv, at, step]), file=self.server.stdin, flush=True)
        code, seconds, steps = json.loads(self.server.stdout.readline())
        late = code == -signal.SIGKILL and at == LIMIT and not step  # nobody asked for it
        return Ran(
            None if late else code, seconds, steps, *((place / name).read_bytes().decode(errors="replace") for name in ("out", "err"))
        )

    def close(self) -> None:
        """End it."""
        self.server.communicate()


def _serve(*, command: bool) -> None:
    if not command:
        _import_all()
    for line in sys.stdin:
        place, argv, at, step = json.loads(line)
        counts, counted = os.pipe()
        begun = time.monotonic()
        if (pid := os.fork()) == 0:
            os.setsid()
            os.chdir(f"{place}/work")
            for number, name in enumerate(("/dev/null", f"{place}/out", f"{place}/err")):
                os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (COMPUTING, COMPUTING))
            os.environ["TMPDIR"], tempfile.tempdir = f"{place}/tmp", None
            if command:
                os.execv(sys.executable, [sys.executable, "-m", "segmenter", *argv])
            _run(argv, step, counted)
        os.close(counted)
        ended = os.pidfd_open(pid)
        if not select.select([ended], [], [], at)[0]:
            os.killpg(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(ended)
        with os.fdopen(counts) as steps:
            print(json.dumps([code, time.monotonic() - begun, int(steps.read() or 0)]), flush=True)


def _run(argv: list[str], step: int, counted: int) -> None:
    from segmenter.__main__ import main

    steps = code = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event in _STEPS and (event != "open" or (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR))):
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    try:
        sys.argv = ["segmenter", *argv]
        main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does, without what others left to do at its exit
    with suppress(OSError):
        sys.stdout.flush()
    os.write(counted, str(steps).encode())
    os._exit(code)


def _import_all() -> None:
    """Import what segmenter's functions import when they need it, too, and let Hydra read every job's config."""
    from hydra import compose, initialize_config_dir

    from segmenter.home import HOME

    for path in [*Path(import_module("segmenter").__path__[0]).rglob("*.py"), *(HOME / "pipelines").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                if name.partition(".")[0] not in ("mlflow", "pyspark", "duckdb"):
                    with suppress(Exception):
                        import_module(name)
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        for job in (HOME / "pipelines").glob("*.py"):
            compose(job.stem)


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
    return [f"{results.name}/{name} is not as its manifest says" for name, _ in sorted(told.items() ^ found.items())]


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        _serve(command=sys.argv[1] == "True")
