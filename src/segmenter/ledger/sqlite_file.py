"""The ledger as an SQLite file: where it is, how it is opened, and who has it locked."""

import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from segmenter.errors import LedgerError
from segmenter.messages import Message

READ_SECONDS = 60  # that a reader waits


def connect(file: Path) -> sqlite3.Connection:
    """Open the file so that what was committed survives a power failure."""
    connection = sqlite3.connect(file, timeout=READ_SECONDS, isolation_level=None)
    # No WAL: results are often on shared drives, where it does not work. EXTRA also flushes the folder after a commit: what was
    # committed before the results are renamed must still be there after a power failure.
    if connection.execute("PRAGMA journal_mode").fetchone() != ("delete",):
        with suppress(sqlite3.OperationalError):  # who has it open with a WAL keeps it
            connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def lock_alone(execute: Callable[[str], object], seconds: float, holder: Callable[[], str]) -> None:
    """Lock a database against all others; in short waits, between which Ctrl-C is heard."""
    from sqlalchemy.exc import DBAPIError

    execute(f"PRAGMA busy_timeout = {round(1000 * min(1, seconds))}")
    until, tell = time.monotonic() + seconds, time.monotonic() + 3
    while True:
        try:
            execute("BEGIN EXCLUSIVE")
            return
        except (DBAPIError, sqlite3.Error) as error:
            if not is_busy(error) or time.monotonic() >= until:
                raise
        if time.monotonic() >= tell:
            print(f"segmenter: waiting for the ledger, which {holder()} holds", file=sys.stderr)
            tell = until


def is_busy(error: Exception) -> bool:
    """Tell whether a database failed only because somebody else has it."""
    cause = getattr(error, "orig", None) or error
    # Of an SQLite file that somebody has a lock on, and of a server's table.
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY or getattr(cause, "sqlstate", None) == "55P03"


def find_lock_holders(file: Path) -> str:
    """Name who has a lock on a file, where the system tells."""
    try:
        inode = str(file.stat().st_ino)
        locks = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
        holders = sorted({int(lock[4]) for lock in locks if lock[1] == "POSIX" and lock[5].rpartition(":")[2] == inode})
        names = {pid: Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip() for pid in holders}
    except (OSError, ValueError, IndexError):
        return ""
    return " and ".join(f"process {pid} ({''.join(filter(str.isprintable, name))})" for pid, name in names.items())


def resolve_file(path: Path) -> Path:
    """Give the ledger's file itself, whatever links lead to it: the lock lies beside it."""
    try:
        path = path.expanduser().absolute()
        # A drive that is not there is not taken for a shop that has invited nobody yet.
        if lost := [place for place in (path, *path.parents) if place.is_symlink() and not place.exists()]:
            rule = "ledger.url: {link} is a link to what is not there; mend it, or name another file with ledger.url=sqlite:///FILE"
            raise LedgerError(Message("ledger.broken_link", rule, link=str(lost[0])))
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a name that is none, no home, links in a circle, no permission
        rule = "ledger.url: cannot be reached (got {path}: {error}); name another file with ledger.url=sqlite:///FILE"
        raise LedgerError(Message("ledger.unreachable", rule, path=str(path), error=str(error))) from error


def check_writable(file: Path) -> None:
    """Fail before any work, not after it."""
    try:
        place = file if file.exists() else file.parent
        while not place.exists():
            place = place.parent
        good = (place.is_file() if place == file else place.is_dir()) and os.access(place, os.W_OK)
    except OSError:
        good = False
    if not good:
        rule = "ledger.url: cannot be written (got {file}); name another file with ledger.url=sqlite:///FILE"
        raise LedgerError(Message("ledger.unwritable", rule, file=str(file)))
