"""One way of getting a result, in a process of its own: `python -m benchmarks.child alternatives:polars_four FOLDER`.

Each line on standard input runs it once; the answer is a line of JSON. A line that is not empty names a Parquet file for the result.
"""

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.alternatives import THREADS


class Child:
    """Such a process, seen from its parent."""

    def __init__(self, work: str, *arguments: object, save: Path | None = None) -> None:
        command = [sys.executable, "-m", "benchmarks.child", work, *map(str, arguments)]
        root = Path(__file__).parents[1]
        threads = os.environ | {"POLARS_MAX_THREADS": str(THREADS)}
        self._process = subprocess.Popen(command, cwd=root, env=threads, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._save = save
        self.answers: list[dict[str, Any]] = []

    def __call__(self) -> None:
        """Run it once; the first result is saved, if one is."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{self._save if self._save and not self.answers else ''}\n")
        self._process.stdin.flush()
        if not (answer := self._process.stdout.readline()):
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()}")
        self.answers.append(json.loads(answer))

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()  # closes its input, which ends it


def main() -> None:
    module, _, function = sys.argv[1].partition(":")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the work prints is no answer
    work = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    folder, *more = sys.argv[2:]
    for line in sys.stdin:
        start = time.perf_counter()
        result = work(Path(folder), *more)
        answer: dict[str, Any] = {"seconds": time.perf_counter() - start, "peak_mb": _peak_mb()}
        answer |= {"counts": result} if isinstance(result, dict) else {"rows": len(result)}
        if line.strip():
            _write(result, line.strip())
        del result
        print(json.dumps(answer), file=answers, flush=True)


def _peak_mb() -> float:
    """Tell the most memory that this process has held, or one that it has waited for."""
    # Not this process's ru_maxrss: that one begins at what the parent held.
    status = Path("/proc/self/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def _write(result: Any, path: str) -> None:
    import polars as pl

    (pl.from_pandas(result) if hasattr(result, "iloc") else pl.DataFrame(result)).write_parquet(path)


if __name__ == "__main__":
    main()
