"""A job that is about to be killed for want of memory ends with a message instead."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from segmenter.messages import Message

_SPEED = 4 << 30  # bytes that a job takes in a second at most, which says when to look again
_SPARE = 64 << 20  # what has to be left, and a share of the limit beside it
_SHARE = 0.03
_CHARTS = 36 << 30  # addresses, not memory, that the drawing of charts reserves
_CACHE = ("inactive_file", "active_file", "total_inactive_file", "total_active_file")  # what the system takes back by itself

_MACHINE = Message("jobs.this_machine", "this machine")


def watch() -> None:
    """End the process with exit code 2 and a message as soon as hardly any memory is left, on Linux; or at once, by ``ulimit -v``."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    if 0 <= (allowed := resource.getrlimit(resource.RLIMIT_AS)[0]) < _CHARTS:  # -1: all
        rule = f"should be unlimited or at least {_CHARTS >> 10}, since drawing charts reserves so many addresses"
        print(f"segmenter: ulimit -v: {rule} (got {allowed >> 10})", file=sys.stderr)
        raise SystemExit(2)
    if all(thread.name != __name__ for thread in threading.enumerate()):
        threading.Thread(target=_watch, name=__name__, daemon=True).start()


def available() -> int | None:
    """Give the bytes that this process may still take, by the machine and its control groups; None where no system tells."""
    with suppress(OSError, ValueError, LookupError):
        return min(_meminfo("MemAvailable"), *(limit - _used(folder) for folder, limit in _groups()), _meminfo("MemTotal"))
    return None


def _watch() -> None:
    with suppress(OSError, ValueError, LookupError):  # a system that tells no limits
        groups = [group for group in _groups() if group[1] < _meminfo("MemTotal")]
        while True:
            left = [(limit - _used(folder), limit, f"cgroup {folder}") for folder, limit in groups]
            left.append((_meminfo("MemAvailable"), _meminfo("MemTotal"), _MACHINE))
            spare, limit, what = min((rest - _SPARE - _SHARE * limit, limit, what) for rest, limit, what in left)
            if spare < 0:
                os.write(2, f"segmenter: {shortage(what, limit)}\n".encode())
                os._exit(2)
            time.sleep(min(0.5, max(0.01, spare / _SPEED)))


def shortage(what: str = _MACHINE, limit: int | None = None) -> Message:
    """Say that memory is short, and what helps."""
    return Message(
        "jobs.memory_short",
        "memory: {size:.1f} GiB do not suffice ({what}); the last results are untouched. Give it more "
        "(docs/guide/large_shops.md says how much a launch takes), write the orders as Parquet, read fewer of them with "
        "data.orders.where, or choose engine=spark",
        size=(limit or _meminfo("MemTotal")) / 2**30,
        what=what,
    )


def _groups() -> Iterator[tuple[Path, int]]:
    """Give the control groups that this process is in, with their limits: of both versions, and as seen from inside a container."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = Path("/sys/fs/cgroup", controllers)
        own = root / path.lstrip("/")
        for folder in dict.fromkeys((own, *own.parents, root)):
            for name in ("memory.max", "memory.limit_in_bytes"):
                if folder.is_relative_to(root) and (folder / name).is_file() and (limit := (folder / name).read_text().strip()) != "max":
                    yield folder, int(limit)


def _used(folder: Path) -> int:
    usage = next(path for name in ("memory.current", "memory.usage_in_bytes") if (path := folder / name).is_file())
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    cache = max(sum(int(stat.get(name, 0)) for name in pair) for pair in (_CACHE[:2], _CACHE[2:]))
    return int(usage.read_text()) - cache


def _meminfo(name: str) -> int:
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines[name].split()[0]) << 10
