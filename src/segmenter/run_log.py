"""What a run tells whoever runs it every week: events as JSON lines in a file, and a summary; neither has a customer's name or phone."""

import json
import logging
import math
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from segmenter.errors import ConfigError
from segmenter.messages import Message, fill
from segmenter.version import __version__

# What each exit code says; `docs/weekly.md` has the same table.
EXIT_CODES = {
    0: "done: the results are written; a plan that falls short is done too, and says so",
    1: "`segmenter check` only: ready, with warnings",
    2: "you can mend it, as the message says: config, input, ledger, output; `check`: not ready",
    70: "a mistake of segmenter's own; the message says where the report of it is",
    129: "asked to stop as its terminal closed (SIGHUP); the last results are untouched",
    130: "interrupted (Ctrl-C); the last results are untouched",
    143: "asked to stop (SIGTERM); the last results are untouched",
}
_EVENTS = logging.getLogger("segmenter.events")
_EVENTS.propagate = False
_EVENTS.setLevel(logging.INFO)
_EVENTS.addHandler(logging.NullHandler())  # else warnings without a log would go to standard error
_SUMMARY = ("job", "launch", "as_of", "invited", "eligible", "obstacles", "warnings", "out")


class _Run:
    """The run of this process; of a sweep, the one that is at work."""

    id, began = "", 0.0
    file: "_File | None" = None
    facts: Mapping[str, Any] = {}


class _File(logging.FileHandler):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"time": at, "level": record.levelname.lower(), "run": _Run.id, "event": record.msg}
        return json.dumps(head | getattr(record, "facts", {}), ensure_ascii=False)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        print(f"segmenter: log: cannot be written any more ({sys.exc_info()[1]}); the job goes on without it", file=sys.stderr)
        with suppress(OSError):  # of what was not written
            close()


def begin(job: str, log: str | None, out: str | None = None) -> None:
    """Begin a run: its events go to the end of a file, if it has a log, which may not lie in `out`."""
    close()
    _Run.id, _Run.began, _Run.facts = uuid.uuid4().hex[:12], time.monotonic(), dict.fromkeys(_SUMMARY) | {"obstacles": 0, "warnings": 0}
    note(job=job)
    if log is not None:
        _EVENTS.addHandler(file := _opened(log, out))
        _Run.file = file
        event("started", job=job, segmenter=__version__, process=os.getpid())


def _opened(log: str, out: str | None) -> _File:
    path = Path(os.path.realpath(os.path.expanduser(log)))
    if any((folder / "manifest.json").is_file() or (out and os.path.realpath(out) == str(folder)) for folder in path.parents):
        sentence = "log: may not lie in a folder of results, which is replaced whole (got {log}); choose another place"
        raise ConfigError(Message("jobs.log_in_results", sentence, log=log))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ends = _ends(path)
        if ends[:1] not in (b"", b"{"):
            sentence = "log: should be a new file, or a log already (got {log}, which holds something else); choose another"
            raise ConfigError(Message("jobs.log_foreign", sentence, log=log))
        if ends[1:] not in (b"", b"\n"):  # who wrote it was killed in the middle of a line
            with path.open("a") as file:
                file.write("\n")
        return _File(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        sentence = "log: cannot be written (got {log}: {reason}); choose another file"
        raise ConfigError(Message("jobs.log_unwritable", sentence, log=log, reason=error.strerror or str(error))) from error


def _ends(path: Path) -> bytes:
    """Give the first and the last byte of a file; nothing of what is none, such as a pipe."""
    if not path.is_file() or not (size := path.stat().st_size):
        return b""
    with path.open("rb") as file:
        first = file.read(1)
        file.seek(size - 1)
        return first + file.read(1)


def event(name: str, level: int = logging.INFO, /, **facts: Any) -> None:
    """Write a line, if there is a log."""
    if _Run.file is not None:
        _EVENTS.log(level, name, extra={"facts": {key: _plain(fact) for key, fact in facts.items()}})


def _plain(fact: Any) -> Any:
    """Give a fact as JSON has it, what looks like a contact by its shape."""
    from segmenter.contacts import hide

    match fact:
        case float() if not math.isfinite(fact):
            return None  # JSON has none of these
        case None | bool() | int() | float():
            return fact
        case Mapping():
            return {str(key): _plain(item) for key, item in fact.items()}
        case list() | tuple():
            return [_plain(item) for item in fact]
        case _:
            return hide(str(fact))


def note(**facts: Any) -> None:
    """Keep for the summary what it has a place for."""
    _Run.facts = {**_Run.facts, **{name: _plain(fact) for name, fact in facts.items() if name in _SUMMARY}}


def warn(kind: str, message: str) -> None:
    """Write an ``obstacle`` or a ``warning``, and count it."""
    event(kind, logging.WARNING, **_problem(message))
    note(**{f"{kind}s": _Run.facts.get(f"{kind}s", 0) + 1})


def _problem(message: str) -> dict[str, Any]:
    if not isinstance(message, Message):
        return {"code": None, "facts": {}, "text": message}
    return {"code": message.code, "facts": message.to_dict()["facts"], "text": fill(message.sentence, message.facts, ", ")}


def done(exit_code: int) -> str:
    """End a run that came to its end, and give its summary: one line of JSON."""
    summary = {**_Run.facts, "seconds": round(time.monotonic() - _Run.began, 1), "exit_code": exit_code}
    event("done", **summary)
    close()
    return json.dumps(summary, ensure_ascii=False)


def failed(problems: Iterable[str], exit_code: int) -> None:
    """End a run that did not."""
    seconds = round(time.monotonic() - _Run.began, 1)
    event("failed", logging.ERROR, exit_code=exit_code, seconds=seconds, problems=[*map(_problem, problems)])
    close()


def close() -> None:
    """Let go of the log."""
    if (file := _Run.file) is not None:
        _Run.file = None
        _EVENTS.removeHandler(file)
        file.close()


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """Give what is called with each stage as it begins, any number of times: the log has when, and how long it took."""
    at, since, one_at_a_time = "", 0.0, Lock()

    def turn(stage: str) -> None:
        nonlocal at, since
        with one_at_a_time:
            if stage == at:
                return
            now = time.monotonic()
            if at:
                event("stage_done", stage=at, seconds=round(now - since, 3))
            if stage:
                event("stage", stage=stage)
            at, since = stage, now

    try:
        yield turn
    finally:
        turn("")
