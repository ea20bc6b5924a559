"""Where the ledger is, who may write it, and what a killed job left to be finished."""

import hashlib
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmenter.errors import ConfigError, LedgerError
from segmenter.ledger.schema import PENDING, PLANNED, VERSION, table, upgrade, version_of
from segmenter.settings import without_password

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

FILE = "ledger.db"
_MANIFEST = "manifest.json"  # the last file of every results folder, with the fingerprints of all others
# Seconds: that a plan waits for who writes or reads, now that all is computed; that a job does at its start; that a reader does.
_WAIT, _LOOK, _READ = 600, 10, 60
_CONNECT = 10
_ALONE = "segmenter_alone"
_FORMS = "sqlite:///ledger.db or postgresql://user@host/database"


@dataclass(frozen=True)
class Ledger:
    """An opened ledger; it keeps no connection and no file open, unless it is one `state` of it.

    Parameters
    ----------
    engine : Engine
        Makes connections.
    shown : str
        Its address, without a password.
    file : Path or None
        Of SQLite; None for a server.
    there : bool
        Whether the file was there when it was opened: then it is not made anew.
    connection : Connection or None
        Within whose transaction all is read.
    """

    engine: "Engine"
    shown: str
    file: Path | None
    there: bool = False
    connection: "Connection | None" = None


class _WritingError(LedgerError):
    """Another job is writing."""


def open_ledger(url: str | None, out: Path) -> Ledger:
    """Open the ledger, bring it up to date, finish what a killed job left between results and ledger, and try whether it can be written.

    An SQLite file that is not there yet is made by the first plan; until then the ledger reads as empty.

    Parameters
    ----------
    url : str or None
        ``sqlite:///…`` or ``postgresql://…``; None: ``ledger.db`` in the folder that holds the results folder.
    out : Path
        The results folder; need not exist.

    Returns
    -------
    Ledger
        To read from and to write to.

    Raises
    ------
    ConfigError
        The URL is none, or PostgreSQL's driver is not installed.
    LedgerError
        The database cannot be reached or written, is none, is held open by another program, or is of a newer segmenter.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     open_ledger(None, Path(place, "outputs", "launch")).file.name
    'ledger.db'
    """
    ledger = _ledger(url, out)
    if ledger.file is not None:
        _check_file(ledger.file)
        if not ledger.file.exists():
            return ledger
        ledger = replace(ledger, there=True)
    with reading(ledger) as connection:
        ready = connection is not None and version_of(connection) == VERSION
        ready = ready and connection is not None and not any(_is_out(ledger, *row) for row in _pending(connection))
    try:
        with writing(ledger, _LOOK if ready else _WAIT) as connection:  # which upgrades, and finishes what is pending
            _try_out(ledger, connection)
    except _WritingError:
        if not ready:
            raise  # else that job will be done when this one has something to write
    return ledger


def _ledger(url: str | None, out: Path) -> Ledger:
    from sqlalchemy import create_engine, event, make_url
    from sqlalchemy.exc import ArgumentError
    from sqlalchemy.pool import NullPool

    if url is None:
        file = _file_of(out.absolute().parent / FILE)
    else:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            # It is not shown: there may be a password in it.
            raise ConfigError(f"ledger.url: should be null or a database's URL, such as {_FORMS}") from None
        match parsed.get_backend_name():
            case "sqlite" if parsed.database and parsed.database != ":memory:":
                file = _file_of(Path(parsed.database))
            case "sqlite":
                raise ConfigError(f"ledger.url: should name a database file, such as sqlite:///ledger.db (got {without_password(url)})")
            case "postgresql" | "postgres":
                return _on_server(parsed)
            case other:
                raise ConfigError(f'ledger.url: should be {_FORMS} (got a URL of "{other}")')

    engine = create_engine("sqlite://", creator=lambda: _sqlite(file), poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: _begin(connection, file))  # sqlite3 itself begins too late
    return Ledger(engine, f"sqlite:///{file}", file)


def _sqlite(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_READ, isolation_level=None)
    # No WAL: results are often on shared drives, where it does not work. EXTRA also flushes the folder after a commit: what was
    # committed before the results are renamed must still be there after a power failure.
    if connection.execute("PRAGMA journal_mode").fetchone() != ("delete",):
        with suppress(sqlite3.OperationalError):  # who has it open with a WAL keeps it
            connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def _on_server(url: "URL") -> Ledger:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    try:
        import psycopg  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise ConfigError('ledger.url: PostgreSQL needs psycopg; pip install "segmenter[postgres]"') from error
    url = url.set(drivername="postgresql+psycopg")
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_CONNECT)})
    shown = url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
    return Ledger(create_engine(url, poolclass=NullPool), shown, None)


def _begin(connection: "Connection", file: Path) -> None:
    """Begin a transaction; one that writes begins alone, so that no reader can keep it from its end."""
    if (seconds := connection.get_execution_options().get(_ALONE)) is None:
        connection.exec_driver_sql("BEGIN")
        return
    _alone(connection.exec_driver_sql, seconds, lambda: _holders(file) or "another program")


def _alone(execute: Callable[[str], object], seconds: float, whose: Callable[[], str]) -> None:
    """Lock a database against all others; in short waits, between which Ctrl-C is heard."""
    from sqlalchemy.exc import DBAPIError

    execute(f"PRAGMA busy_timeout = {round(1000 * min(1, seconds))}")
    until, tell = time.monotonic() + seconds, time.monotonic() + 3
    while True:
        try:
            execute("BEGIN EXCLUSIVE")
            return
        except (DBAPIError, sqlite3.Error) as error:
            if not _is_busy(error) or time.monotonic() >= until:
                raise
        if time.monotonic() >= tell:
            print(f"segmenter: waiting for the ledger, which {whose()} holds", file=sys.stderr)
            tell = until


def _is_busy(error: Exception) -> bool:
    found = getattr(error, "orig", None) or error
    # Of an SQLite file that somebody has a lock on, and of a server's table.
    return getattr(found, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY or getattr(found, "sqlstate", None) == "55P03"


def _holders(file: Path) -> str:
    """Name who has a lock on a file, where the system tells."""
    try:
        inode = str(file.stat().st_ino)
        locks = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
        found = sorted({int(lock[4]) for lock in locks if lock[1] == "POSIX" and lock[5].rpartition(":")[2] == inode})
        names = {pid: Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip() for pid in found}
    except (OSError, ValueError, IndexError):
        return ""
    return " and ".join(f"process {pid} ({''.join(filter(str.isprintable, name))})" for pid, name in names.items())


def _file_of(path: Path) -> Path:
    """Give the ledger's file itself, whatever links lead to it: the lock lies beside it."""
    try:
        path = path.expanduser().absolute()
        # A drive that is not there is not taken for a shop that has invited nobody yet.
        if lost := [place for place in (path, *path.parents) if place.is_symlink() and not place.exists()]:
            raise LedgerError(
                f"ledger.url: {lost[0]} is a link to what is not there; mend it, or name another file with ledger.url=sqlite:///FILE"
            )
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a name that is none, no home, links in a circle, no permission
        raise LedgerError(
            f"ledger.url: cannot be reached (got {path}: {error}); name another file with ledger.url=sqlite:///FILE"
        ) from error


def _check_file(file: Path) -> None:
    """Fail before any work, not after it."""
    try:
        place = file if file.exists() else file.parent
        while not place.exists():
            place = place.parent
        good = (place.is_file() if place == file else place.is_dir()) and os.access(place, os.W_OK)
    except OSError:
        good = False
    if not good:
        raise LedgerError(f"ledger.url: cannot be written (got {file}); name another file with ledger.url=sqlite:///FILE")


def _try_out(ledger: Ledger, connection: "Connection") -> None:
    """Do what a plan will need, without doing anything: rights, a disk that may be written, nobody who holds it."""
    with connection.begin() as transaction:
        for name in ("plans", "invitations"):
            connection.exec_driver_sql(f"INSERT INTO segmenter_{name} SELECT * FROM segmenter_{name} WHERE 1 = 0")
            connection.exec_driver_sql(f"DELETE FROM segmenter_{name} WHERE 1 = 0")
        if ledger.file is not None:
            connection.exec_driver_sql("UPDATE segmenter_schema SET version = version")  # so that there is a journal
        transaction.rollback()


@contextmanager
def reading(ledger: Ledger) -> "Iterator[Connection | None]":
    """Give a connection that sees one state of the ledger, however many queries it answers; None where there is no ledger yet."""
    if ledger.connection is not None:
        yield ledger.connection
        return
    if ledger.file is not None and not ledger.file.exists():
        yield None
        return
    engine = ledger.engine.execution_options(isolation_level="REPEATABLE READ") if ledger.file is None else ledger.engine
    with _told(ledger), engine.connect() as connection:
        yield connection if version_of(connection) else None


@contextmanager
def state(ledger: Ledger) -> Iterator[Ledger]:
    """Give one state of a ledger, to be read from several times."""
    with reading(ledger) as connection:
        yield replace(ledger, connection=connection)


@contextmanager
def writing(ledger: Ledger, seconds: float | None = None) -> "Iterator[Connection]":
    """Give a connection to the only writer; transactions are begun by the caller.

    Whoever is here knows that a pending plan's writer is dead: it would be here itself.
    """
    with _told(ledger), _only_writer(ledger, _WAIT if seconds is None else seconds) as connection:
        with connection.begin():
            upgrade(connection)
            for plan, token, place in _pending(connection):
                if _is_out(ledger, plan, token, place):
                    settle(connection, plan)
        yield connection


@contextmanager
def _only_writer(ledger: Ledger, seconds: float) -> "Iterator[Connection]":
    """Wait until no other process writes; the lock is the process's and goes with it, however it ends."""
    from sqlalchemy.exc import DBAPIError

    with ExitStack() as stack:
        try:
            if ledger.file is None:
                connection = stack.enter_context(ledger.engine.connect())
                connection.exec_driver_sql(f"SET lock_timeout = '{seconds}s'")
                connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('segmenter ledger in ' || current_schema()))")
                connection.commit()  # the lock stays the session's
            else:
                if ledger.there and not ledger.file.exists():
                    raise LedgerError(
                        f"ledger: {ledger.shown} was there when this job began, and is not any more; put it back, and try again"
                    )
                ledger.file.parent.mkdir(parents=True, exist_ok=True)
                # An empty database beside the ledger's, as SQLite locks a file on every system alike.
                beside = ledger.file.with_name(f".{ledger.file.name}.lock")
                lock = stack.enter_context(closing(sqlite3.connect(beside, isolation_level=None)))
                _alone(lock.execute, seconds, lambda: _holders(beside) or "another job")
        except (DBAPIError, sqlite3.Error) as error:
            if not _is_busy(error):
                raise
            words = said(ledger, error)
            mend = "another job is writing it: try again when that is done"
            raise _WritingError(f"ledger: {ledger.shown} cannot be used (got {words}); {mend}") from error
        if ledger.file is not None:
            connection = stack.enter_context(ledger.engine.connect()).execution_options(**{_ALONE: seconds})
        yield connection


@contextmanager
def _told(ledger: Ledger) -> Iterator[None]:
    """Say in one line what the database says."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, ledger.engine.dialect.loaded_dbapi.Error, sqlite3.Error, OSError, UnicodeError) as error:  # a damaged file's too
        mend = "mend that, or name another with ledger.url"
        if _is_busy(error):
            by = (ledger.file and _holders(ledger.file)) or "another program"
            mend = f"{by} holds it open: close it there, or wait until that is done, and try again"
        raise LedgerError(f"ledger: {ledger.shown} cannot be used (got {said(ledger, error)}); {mend}") from error


def said(ledger: Ledger, error: Exception) -> str:
    """Put what the database says on one short line, without a password."""
    words = re.split(r"\nLINE |\nDETAIL", str(getattr(error, "orig", None) or error))[0]
    return " ".join(words.replace(ledger.engine.url.render_as_string(hide_password=False), ledger.shown).split())[:300]


def place_of(ledger: Ledger, out: Path) -> str:
    """Write where a results folder is: beside an SQLite ledger as seen from there, so that both can be moved together."""
    out = out.resolve()
    if ledger.file is not None and out.is_relative_to(ledger.file.parent):
        return out.relative_to(ledger.file.parent).as_posix()
    return str(out)


def token_of(folder: Path) -> str | None:
    """Fingerprint a results folder: the SHA-256 of its manifest, None where there is none."""
    try:
        with (folder / _MANIFEST).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _pending(connection: "Connection") -> list[Any]:
    from sqlalchemy import select

    plans = table("plans")
    return list(connection.execute(select(plans.c.id, plans.c.token, plans.c.place).where(plans.c.state == PENDING)))


def _is_out(ledger: Ledger, plan: int, token: str, place: str) -> bool:
    """Tell whether a pending plan's results are in their folder.

    Where they are not, nobody but its launch's next plan removes it: the folder may be on another machine.
    """
    folder = Path(place) if ledger.file is None else ledger.file.parent / place
    return token_of(folder) == token


def settle(connection: "Connection", plan: int) -> None:
    """Make a pending plan its launch's plan, in place of the one before."""
    from sqlalchemy import select, update

    plans = table("plans")
    launch = select(plans.c.launch).where(plans.c.id == plan).scalar_subquery()
    before = connection.execute(select(plans.c.id).where(plans.c.launch == launch, plans.c.state == PLANNED)).scalars()
    for old in list(before):
        drop(connection, old)
    if connection.execute(update(plans).where(plans.c.id == plan).values(state=PLANNED)).rowcount != 1:
        raise LedgerError("ledger: should still have the plan that is being published (got none: another job removed it); plan again")


def drop(connection: "Connection", plan: int) -> None:
    """Remove a plan with its invitations; answers are not its own and stay."""
    from sqlalchemy import delete

    plans, invitations = table("plans"), table("invitations")
    connection.execute(delete(invitations).where(invitations.c.plan == plan))
    connection.execute(delete(plans).where(plans.c.id == plan))
