"""Small shops, where a launch is start-up: its time against that of an earlier version, in turn, each a process as a user starts it.

git worktree add ../before COMMIT
python -m benchmarks.small_shops --before=../before --data=FOLDER_OF_ONLINE_RETAIL --rounds=5
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLAIN = ("launch", "scoring=weighted", "tracking=none", "ledger.use=false")
AS_OF = "launch.as_of=2026-07-01"


def cases(data: str | None) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give what is run now, and what of the version before it is put beside: the plain launch where that had no such default."""
    retail = ("data=online_retail", f"data.dir={data}")
    found = {
        "demo, plainest": ((*PLAIN, AS_OF), (*PLAIN, AS_OF)),
        "demo, default without MLflow": (("launch", "tracking=none", AS_OF), (*PLAIN, AS_OF)),
        "demo, MLflow with a new store": (("launch", "scoring=weighted", "ledger.use=false", AS_OF),) * 2,
        "launch --help": (("launch", "--help"),) * 2,
        "--help": (("--help",),) * 2,
    }
    return found if data is None else found | {"Online Retail, plainest": ((*PLAIN, *retail), (*PLAIN, *retail))}


def seconds(home: Path, arguments: tuple[str, ...]) -> tuple[float, float]:
    """Run a command of a checkout: its CPU seconds, children included, and those on the clock."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "segmenter", *arguments, *([] if "--help" in arguments else [f"out={folder}/results/launch"])]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment | {"PYTHONPATH": str(home / "src")}, check=True, capture_output=True)
        clock, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, type=Path)
    parser.add_argument("--data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-k", default="", help="part of a case's name")
    given = parser.parse_args()
    print("| command | CPU s | before | × | clock s | before | × |\n|---|---|---|---|---|---|---|")
    for name, (now, then) in cases(given.data).items():
        if given.k not in name:
            continue
        for home, command in ((ROOT, now), (given.before.resolve(), then)):
            seconds(home, command)  # compiles
        pairs = [(seconds(ROOT, now), seconds(given.before.resolve(), then)) for _ in range(given.rounds)]
        figures = []
        for kind in range(2):
            ours, theirs = (statistics.median(pair[side][kind] for pair in pairs) for side in range(2))
            figures += [f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}"]
        print(f"| {name} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
