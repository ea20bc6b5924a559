"""The invite list as a table of a database of the shop's, which other systems read."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from segmenter.errors import ConfigError, InputError
from segmenter.ledger import Ledger
from segmenter.messages import Message
from segmenter.report.publication import MANIFEST
from segmenter.settings import LaunchJob
from segmenter.sources.database import parse_url, server_url

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

_LIST = "invite_list.parquet"


@dataclass(frozen=True)
class ListTable:
    """Where the list of a launch goes."""

    url: str
    name: str
    launch: str


def table_of(settings: LaunchJob) -> ListTable | None:
    """Give where a launch's list goes once it is committed; None where `exports` has no database."""
    if "database" not in settings.exports or settings.exports_database.url is None:
        return None
    return ListTable(settings.exports_database.url, settings.exports_database.table, settings.launch.name)


@contextmanager
def with_list_of(folder: Path, url: str | None, ledger: Ledger, *, cancelled: bool = False) -> Iterator[str | None]:
    """Put the list of a results folder into the table that its manifest names, or take it out, as the block ends well.

    `url` names the database where a password is needed. Gives what the table is called, and where it is; None where there is none.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    config = manifest["config"]
    if "database" not in config.get("exports", ()):  # which results of earlier versions do not have
        yield None
        return
    kept = config["exports_database"]
    if url is None and "***" in kept["url"]:
        rule = "exports_database.url: is needed, as no results keep its password (the draft's is {url})"
        raise ConfigError(Message("exports.password", rule, url=kept["url"]))
    invites = pl.read_parquet(folder / _LIST)
    place = ListTable(url or kept["url"], kept["table"], manifest["launch"])
    with with_list(nullcontext(folder), place, invites.clear() if cancelled else invites, ledger):
        yield f"{place.name} ({_engine(place.url, ledger)[1]})"


@contextmanager
def with_list(
    publishing: AbstractContextManager[Path], place: ListTable | None, invites: pl.DataFrame, ledger: Ledger | None
) -> Iterator[Path]:
    """Publish results, and put the list in the place of the launch's rows in a table, in one transaction that ends when they are there.

    Without a place the results are published alone. An InputError says what the database would not take; then there are no results either.
    """
    if place is None:
        with publishing as folder:
            yield folder
        return
    from sqlalchemy.exc import SQLAlchemyError

    engine, shown = _engine(place.url, ledger)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        try:
            connection = stack.enter_context(engine.connect())
            _replace(connection, place, invites, shown)
        except SQLAlchemyError as error:
            raise _refused(shown, error) from error
        with publishing as folder:
            yield folder
        try:
            connection.commit()
        except SQLAlchemyError as error:
            raise _refused(shown, error) from error


def _replace(connection: "Connection", place: ListTable, invites: pl.DataFrame, shown: str) -> None:
    from sqlalchemy import delete, insert, inspect

    table, known = _table(place.name), inspect(connection)
    names = [column.name for column in table.columns]
    if known.has_table(place.name):
        there = {column["name"] for column in known.get_columns(place.name)}
        if missing := tuple(name for name in names if name not in there):
            sentence = "exports_database.table: {table} in {url} is no invite list, as it lacks {missing}; name another table"
            raise InputError(Message("exports.other_table", sentence, table=place.name, url=shown, missing=missing))
    elif invites.is_empty():
        return
    else:
        table.create(connection)
    connection.execute(delete(table).where(table.c.launch == place.launch))
    rows = invites.select(pl.lit(place.launch).alias("launch"), *(name for name in names if name in invites.columns))
    if rows.height:
        connection.execute(insert(table), rows.to_dicts())


def _table(name: str) -> "Table":
    from sqlalchemy import Column, Date, Double, Integer, MetaData, Table, Text

    kinds = {"wave": Integer, "group": Text, "region": Text, "call_on": Date, "agent": Text, "segment": Integer, "persona": Text}
    keys = [Column(key, Text, primary_key=True) for key in ("launch", "customer_id")]
    return Table(
        name, MetaData(), *keys, Column("rank", Integer), *(Column(key, kind) for key, kind in kinds.items()), Column("score", Double)
    )


def _engine(given: str, ledger: Ledger | None) -> "tuple[Engine, str]":
    from sqlalchemy import URL, create_engine
    from sqlalchemy.pool import NullPool

    url = parse_url(given, "exports_database.url")
    if url.get_backend_name() != "sqlite":
        server, shown = server_url(url, "exports_database.url")
        return create_engine(server, poolclass=NullPool), shown
    file = Path(str(url.database)).expanduser().absolute()
    if ledger is not None and ledger.file is not None and file.resolve() == ledger.file.resolve():
        rule = "exports_database.url: should not be the ledger's own file (got {file})"
        raise ConfigError(Message("exports.ledger", rule, file=file))
    return create_engine(URL.create("sqlite", database=str(file)), poolclass=NullPool), f"sqlite:///{file}"


def _refused(shown: str, error: Exception) -> InputError:
    why = str(getattr(error, "orig", None) or error).splitlines()[0]
    return InputError(Message("exports.database", "exports_database.url: {url} does not take the list ({why})", url=shown, why=why))
