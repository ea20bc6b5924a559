"""Where the ledger is, who may write it, and what a killed job left to be finished."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segmenter.errors import LedgerError
from segmenter.ledger import sqlite_file
from segmenter.ledger.pending_plans import list_published, settle
from segmenter.ledger.schema import VERSION, upgrade, version_of
from segmenter.ledger.sqlite_file import check_writable, find_lock_holders, is_busy, lock_alone, resolve_file
from segmenter.messages import Message
from segmenter.sources.database import parse_url, server_url

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

FILE = "ledger.db"
# Seconds: that a plan waits for who writes or reads, now that all is computed; that a job does at its start.
_WAIT, _LOOK = 600, 10
_ALONE = "segmenter_alone"


@dataclass(frozen=True)
class Ledger:
    """An opened ledger; it keeps no connection and no file open, unless it is one `snapshot` of it."""

    engine: "Engine"
    shown: str  # its address, without a password
    file: Path | None  # of SQLite; None for a server
    there: bool = False  # whether the file was there when it was opened: then it is not made anew
    connection: "Connection | None" = None  # within whose transaction all is read


class _WritingError(LedgerError):
    """Another job is writing."""


def open_ledger(url: str | None, out: Path) -> Ledger:
    """Open the ledger, bring it up to date, finish what a killed job left between results and ledger, and try whether it can be written.

    Without a URL it is ``ledger.db`` in the folder that holds the results folder `out`, which need not exist. An SQLite file that is not
    there yet is made by the first plan; until then the ledger reads as empty.
    """
    ledger = _locate(url, out)
    if ledger.file is not None:
        check_writable(ledger.file)
        if not ledger.file.exists():
            return ledger
        ledger = replace(ledger, there=True)
    with connect_reader(ledger) as connection:
        ready = connection is not None and version_of(connection) == VERSION and not list_published(connection, ledger.file)
    try:
        with connect_writer(ledger, _LOOK if ready else _WAIT) as connection:  # which upgrades, and finishes what is pending
            _try_writing(ledger, connection)
    except _WritingError:
        if not ready:
            raise  # else that job will be done when this one has something to write
    return ledger


def _locate(url: str | None, out: Path) -> Ledger:
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    if url is None:
        file = resolve_file(out.absolute().parent / FILE)
    else:
        parsed = parse_url(url, "ledger.url")
        if parsed.get_backend_name() != "sqlite":
            server, shown = server_url(parsed, "ledger.url")
            return Ledger(create_engine(server, poolclass=NullPool), shown, None)
        file = resolve_file(Path(str(parsed.database)))
    engine = create_engine("sqlite://", creator=lambda: sqlite_file.connect(file), poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: _begin(connection, file))  # sqlite3 itself begins too late
    return Ledger(engine, f"sqlite:///{file}", file)


def _begin(connection: "Connection", file: Path) -> None:
    """Begin a transaction; one that writes begins alone, so that no reader can keep it from its end."""
    if (seconds := connection.get_execution_options().get(_ALONE)) is None:
        connection.exec_driver_sql("BEGIN")
        return
    lock_alone(connection.exec_driver_sql, seconds, lambda: find_lock_holders(file) or "another program")


def _try_writing(ledger: Ledger, connection: "Connection") -> None:
    """Do what a plan will need, without doing anything: rights, a disk that may be written, nobody who holds it."""
    with connection.begin() as transaction:
        for name in ("plans", "invitations"):
            connection.exec_driver_sql(f"INSERT INTO segmenter_{name} SELECT * FROM segmenter_{name} WHERE 1 = 0")
            connection.exec_driver_sql(f"DELETE FROM segmenter_{name} WHERE 1 = 0")
        if ledger.file is not None:
            connection.exec_driver_sql("UPDATE segmenter_schema SET version = version")  # so that there is a journal
        transaction.rollback()


@contextmanager
def connect_reader(ledger: Ledger) -> "Iterator[Connection | None]":
    """Give a connection that sees one state of the ledger, however many queries it answers; None where there is no ledger yet."""
    if ledger.connection is not None:
        yield ledger.connection
        return
    if ledger.file is not None and not ledger.file.exists():
        yield None
        return
    engine = ledger.engine.execution_options(isolation_level="REPEATABLE READ") if ledger.file is None else ledger.engine
    with _raise_in_one_line(ledger), engine.connect() as connection:
        yield connection if version_of(connection) else None


@contextmanager
def snapshot(ledger: Ledger) -> Iterator[Ledger]:
    """Give one state of a ledger, to be read from several times."""
    with connect_reader(ledger) as connection:
        yield replace(ledger, connection=connection)


@contextmanager
def connect_writer(ledger: Ledger, seconds: float | None = None) -> "Iterator[Connection]":
    """Give a connection to the only writer; transactions are begun by the caller.

    Whoever is here knows that a pending plan's writer is dead: it would be here itself.
    """
    with _raise_in_one_line(ledger), _lock_out_writers(ledger, _WAIT if seconds is None else seconds) as connection:
        with connection.begin():
            upgrade(connection)
            for plan in list_published(connection, ledger.file):
                settle(connection, plan)
        yield connection


@contextmanager
def _lock_out_writers(ledger: Ledger, seconds: float) -> "Iterator[Connection]":
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
                    rule = "ledger: {ledger} was there when this job began, and is not any more; put it back, and try again"
                    raise LedgerError(Message("ledger.vanished", rule, ledger=ledger.shown))
                ledger.file.parent.mkdir(parents=True, exist_ok=True)
                # An empty database beside the ledger's, as SQLite locks a file on every system alike.
                beside = ledger.file.with_name(f".{ledger.file.name}.lock")
                lock = stack.enter_context(closing(sqlite3.connect(beside, isolation_level=None)))
                lock_alone(lock.execute, seconds, lambda: find_lock_holders(beside) or "another job")
        except (DBAPIError, sqlite3.Error) as error:
            if not is_busy(error):
                raise
            raise _WritingError(_unusable(ledger, error, _WRITTEN)) from error
        if ledger.file is not None:
            connection = stack.enter_context(ledger.engine.connect()).execution_options(**{_ALONE: seconds})
        yield connection


@contextmanager
def _raise_in_one_line(ledger: Ledger) -> Iterator[None]:
    """Say in one line what the database says."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, ledger.engine.dialect.loaded_dbapi.Error, sqlite3.Error, OSError, UnicodeError) as error:  # a damaged file's too
        way_out = _MEND
        if is_busy(error):
            holder = (ledger.file and find_lock_holders(ledger.file)) or _SOMEBODY
            rule = "{holder} holds it open: close it there, or wait until that is done, and try again"
            way_out = Message("ledger.held_open", rule, holder=holder)
        raise LedgerError(_unusable(ledger, error, way_out)) from error


_MEND = Message("ledger.mend", "mend that, or name another with ledger.url")
_SOMEBODY = Message("ledger.somebody", "another program")
_WRITTEN = Message("ledger.being_written", "another job is writing it: try again when that is done")


def _unusable(ledger: Ledger, error: Exception, way_out: Message) -> Message:
    rule = "ledger: {ledger} cannot be used (got {error}); {way_out}"
    return Message("ledger.unusable", rule, ledger=ledger.shown, error=shorten_error(ledger, error), way_out=way_out)


def shorten_error(ledger: Ledger, error: Exception) -> str:
    """Put what the database says on one short line, without a password."""
    words = re.split(r"\nLINE |\nDETAIL", str(getattr(error, "orig", None) or error))[0]
    return " ".join(words.replace(ledger.engine.url.render_as_string(hide_password=False), ledger.shown).split())[:300]
