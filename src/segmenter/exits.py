"""How a command ends that did not end well: one line on standard error, and an exit code; never a traceback."""

import atexit
import errno
import gc
import os
import re
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from segmenter import memory, run_log
from segmenter.errors import SegmenterError
from segmenter.messages import Message
from segmenter.words import visible

if TYPE_CHECKING:
    from segmenter.words import Lang

MENDABLE, CRASHED = 2, 70  # sysexits.h: EX_SOFTWARE
# What the system refuses and a user can mend.
_SYSTEM = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.EIO),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ESTALE, errno.ENODEV, errno.ENXIO),
}
_PRIVATE = re.compile(r"\d{5,}|[^\s'\"<>]+@[^\s'\"<>]+|://[^/\s:@]*:[^/\s]*@")
_WORD = re.compile(r"[a-z_][a-z0-9_.]*")


_STOPPED = Message("jobs.stopped", "stopped; the last results are untouched")


class Stopped(KeyboardInterrupt):
    """The system asks the job to end."""


class Verdict(SystemExit):
    """A job has ended well, and its exit code says what it came to."""


def prepare() -> None:
    """Make the surroundings fit: open what is closed of the three streams, let them take any text, and end well when asked to."""
    gc.set_threshold(100_000, 50, 50)  # imports and tables make many objects that stay: to look for waste among them took an eighth
    atexit.register(gc.freeze)  # and at the end, once more
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:  # else the next file to be opened would be taken for it, by whoever writes to the number
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115  # until the end
    for stream in (sys.stdout, sys.stderr):
        # What goes to a file or a pipe may be Chinese, whatever the system's code page is; a terminal may not show all of it.
        if (change := getattr(stream, "reconfigure", None)) is not None:
            change(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    for asked in (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")):
        with suppress(ValueError):  # not in the main thread
            if asked is not None and signal.getsignal(asked) == signal.SIG_DFL:
                signal.signal(asked, _stop)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # who asks twice does not wait
    raise Stopped(number)


def leave(message: str, code: int = MENDABLE, lang: "Lang" = "en", problems: Iterable[str] = ()) -> NoReturn:
    """End with a message, which is made of `problems` where these are several."""
    run_log.failed(problems or [message], code)
    if lang != "en":
        from segmenter.report.language import translate

        message = translate(message, lang)
    try:
        print(f"segmenter: {visible(message)}", file=sys.stderr, flush=True)
    except OSError:  # nobody reads what went wrong either
        _quiet(sys.stderr)
    raise SystemExit(code)


def end(error: BaseException, lang: "Lang" = "en") -> NoReturn:
    """End after an error: say what a user can mend, or where the report of a crash is.

    The exit code is 2, 70, 130 or 128 and the signal's number.
    """
    number = _number(error)
    match error:
        case SystemExit():
            raise error
        case Stopped():
            leave(_STOPPED, 128 + int(error.args[0]), lang)
        case KeyboardInterrupt():
            leave(_STOPPED, 130, lang)
        case SegmenterError() if lang == "en":
            leave(str(error), problems=error.messages)
        case SegmenterError():
            from segmenter.report.language import error_text

            leave(error_text(error, lang), problems=error.messages)
        case BrokenPipeError() if _broken(error):  # as in `segmenter launch --help | head`
            raise SystemExit(0)
        case OSError() if _broken(error):
            sentence = "standard output: cannot be written ({reason}); what was written to files stands"
            leave(Message("jobs.stdout_broken", sentence, reason=error.strerror or str(error)), lang=lang)
        case BaseException() if number in (errno.EMFILE, errno.ENFILE):
            leave(Message("jobs.too_many_files", "too many open files; allow more with `ulimit -n 1024`"), lang=lang)
        case BaseException() if number in _SYSTEM:
            what = getattr(error, "filename", None) or Message("jobs.the_system", "the system")
            sentence = "{what}: {reason}; mend that, and run again"
            leave(Message("jobs.system_refused", sentence, what=what, reason=os.strerror(number)), lang=lang)
        case MemoryError():
            leave(memory.shortage(), lang=lang)
        case _:
            leave(_crash(error), CRASHED, lang)


def _number(error: BaseException) -> int | None:
    """Give the system's number of what it refused; what is written in Rust says it in words only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    match = re.search(r"\(os error (\d+)\)", str(error))
    return int(match[1]) if match else None


def finish() -> None:
    """Write out what standard output still holds, or say that it cannot be."""
    try:
        sys.stdout.flush()
    except OSError as error:
        end(error)


def _quiet(stream: object) -> None:
    """Send what a stream still holds, and what is to come, nowhere."""
    with suppress(OSError, ValueError, AttributeError):  # a stream of a program's own
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[attr-defined]


def _broken(error: OSError) -> bool:
    """Tell whether it is standard output that could not be written: it still holds the text, or just failed to print it."""
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1:]
    if any("print(" in str(frame.line) or os.path.basename(os.path.dirname(frame.filename)) == "rich" for frame in last):
        _quiet(sys.stdout)
        return True
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _quiet(sys.stdout)
        return True
    return False


def _crash(error: BaseException) -> Message:
    """Write the report of a crash, and say where it is."""
    import tempfile

    name = type(error).__name__
    try:
        number, place = tempfile.mkstemp(prefix=time.strftime("segmenter-crash-%Y%m%d-%H%M%S-"), suffix=".txt")
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(_report(error))
    except OSError as why:
        sentence, reason = (
            "a mistake of segmenter's own ({error}); no report of it could be written ({reason}): {place}",
            why.strerror or str(why),
        )
        return Message("jobs.crash_unreported", sentence, error=name, reason=reason, place=_kept(_innermost(error)))
    sentence = (
        "a mistake of segmenter's own ({error}); the report is in {place}: please send it to the developers, it holds no data of customers"
    )
    return Message("jobs.crash", sentence, error=name, place=place)


def _report(error: BaseException) -> str:
    """Say where it happened: without the values of variables, and without what messages quote of the data."""
    import platform
    import traceback

    from segmenter.version import __version__

    system = f"segmenter {__version__}, Python {platform.python_version()}, {platform.platform()}"
    command = " ".join(_PRIVATE.sub("…", word) for word in sys.argv)
    lines = [system, f"command: {command}", ""]
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and not any(at is other for other in chain):
        chain.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    for cause in reversed(chain):
        frames = traceback.StackSummary.extract(traceback.walk_tb(cause.__traceback__), lookup_lines=True)
        name = f"{type(cause).__module__}.{type(cause).__qualname__}"
        lines += ["Traceback (most recent call last):", "".join(frames.format()).rstrip("\n"), f"{name}: {_kept(str(cause))}", ""]
    return "\n".join(lines)


def _innermost(error: BaseException) -> str:
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1:]
    return "".join(f"{os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}" for frame in last) or type(error).__name__


def _kept(message: str) -> str:
    """Keep of a message what can be no customer's: no long numbers, addresses, quoted text but names of columns, no Chinese."""

    def unquoted(match: re.Match[str]) -> str:
        return match[0] if _WORD.fullmatch(match[0][1:-1]) else "'…'"

    text = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`", unquoted, _PRIVATE.sub("…", message))
    return re.sub(r"[^\x00-\x7f…]+", "…", text)[:2_000]
