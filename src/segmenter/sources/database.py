"""A shop's tables in SQLite or PostgreSQL, by query; nothing is ever written there."""

import hashlib
import json
import re
import sqlite3
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.exceptions import PolarsError

from segmenter.contacts import shape
from segmenter.errors import ConfigError, InputError
from segmenter.messages import Message
from segmenter.settings import DatabaseSettings, without_password
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.fields import as_text
from segmenter.sources.number_columns import mark_in_text
from segmenter.sources.paths import describe, near_files
from segmenter.sources.raw import Fingerprint, Raw, label, one_line, together

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_BATCH = 100_000
_SECONDS = 10
_FORMS = "sqlite:///shop.db or postgresql://user@host/shop"
_TYPES: dict[type, pl.DataType | None] = {
    bool: pl.Boolean(),
    int: pl.Int64(),
    float: pl.Float64(),
    str: pl.String(),
    bytes: pl.Binary(),
    date: pl.Date(),
    time: pl.Time(),
    timedelta: pl.Duration("us"),
    datetime: None,  # with or without a zone
    Decimal: None,  # the scale is found
}


def read_query(table: str, query: str, settings: DatabaseSettings) -> Raw:
    """Read a table by one SELECT, handed to the database as it is; text is what Polars has no type for, and a column of mixed types."""
    from sqlalchemy.exc import DBAPIError

    engine, shown = _engine(settings.url)
    key = f"data.{table}.query"
    try:
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise InputError(
                Message("files.no_connection", "data.url: cannot connect to {url} ({why})", url=shown, why=_own(error))
            ) from error
        with connection:
            options = {"no_parameters": True, "stream_results": True, "yield_per": _BATCH}  # no_parameters: % and : mean nothing
            result = connection.exec_driver_sql(query, execution_options=options)
            if not result.returns_rows:
                raise InputError(Message("files.no_select", "{key}: should be a SELECT (got a statement that gives no rows)", key=key))
            header = list(result.keys())
            batches, mark = [], mark_in_text(settings)
            while rows := result.fetchmany(_BATCH):
                columns = enumerate(zip(*rows, strict=True))
                batches.append(pl.DataFrame([column_of(str(at), values, mark(header[at])) for at, values in columns]))
    except DBAPIError as error:
        raise InputError(Message("files.query_fails", "{key}: {why} ({url})", key=key, why=_own(error), url=shown)) from error
    finally:
        engine.dispose()
    if not batches:
        raise InputError(Message("files.query_gives_none", "{key}: should give rows (got none)", key=key))
    whole = together([(f"batch {number}", batch) for number, batch in enumerate(batches)], lambda at: mark(header[int(at)]))
    frame = label(whole, header, None)
    return Raw(frame, (Fingerprint(query, frame.height, _sha256(frame.drop(FILE, ROW)), f"query of {engine.dialect.name}"),))


def table_names(url: str) -> list[str]:
    """List the tables and views of a database, in order of their names."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import DBAPIError

    engine, shown = _engine(url)
    try:
        known = inspect(engine)
        return sorted([*known.get_table_names(), *known.get_view_names()])
    except DBAPIError as error:
        raise InputError(Message("files.no_connection", "data.url: cannot connect to {url} ({why})", url=shown, why=_own(error))) from error
    finally:
        engine.dispose()


def _engine(given: str) -> "tuple[Engine, str]":
    """Make an engine that only reads, and the URL as it may be shown."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    url = parse_url(given, "data.url")
    if url.get_backend_name() == "sqlite":
        path = _sqlite_file(url)
        address = f"{path.resolve().as_uri()}?mode=ro"
        engine = create_engine("sqlite://", creator=lambda: _reader(address), poolclass=NullPool)
        return engine, f"sqlite:///{url.database}"
    server, shown = server_url(url, "data.url")
    return create_engine(server, poolclass=NullPool).execution_options(postgresql_readonly=True), shown


def parse_url(given: str, key: str) -> "URL":
    """Parse the URL of an SQLite file or a PostgreSQL server; `key` named it in the config."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        # It is not shown: there may be a password in it.
        sentence = "{key}: should be a database's URL, such as {forms}; a password in it is percent-encoded"
        raise ConfigError(Message("files.no_url", sentence, key=key, forms=_FORMS)) from None
    match url.get_backend_name():
        case "sqlite" if not url.database or url.database == ":memory:":
            sentence = "{key}: should name a database file, such as sqlite:///shop.db (got {url})"
            raise ConfigError(Message("files.no_database_file", sentence, key=key, url=without_password(given)))
        case "sqlite" | "postgresql" | "postgres":
            return url
        case other:
            sentence = '{key}: should be {forms} (got a URL of "{other}")'
            raise ConfigError(Message("files.other_database", sentence, key=key, forms=_FORMS, other=other))


def server_url(url: "URL", key: str) -> "tuple[URL, str]":
    """Give a PostgreSQL server's URL as its driver takes it, and as it may be shown; `key` named it in the config."""
    try:
        import psycopg  # noqa: F401  # only whether it is there
    except ImportError as error:
        sentence = '{key}: PostgreSQL needs psycopg; pip install "segmenter[postgres]"'
        raise ConfigError(Message("files.no_driver", sentence, key=key)) from error
    url = url.set(drivername="postgresql+psycopg")
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_SECONDS)})
    return url, url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def _reader(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True)
    # What would write beside the database: ATTACH, and VACUUM INTO.
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK)
    return connection


def _sqlite_file(url: "URL") -> Path:
    path = Path(str(url.database)).expanduser()
    try:
        if path.exists() and not path.is_file():
            sentence = "data.url: should be a database file (got {kind}: {path})"
            raise InputError(Message("files.database_no_file", sentence, kind=describe(path), path=path))
        if not path.is_file():
            raise InputError(Message("files.no_database", "data.url: is not there (got {path}){near}", path=path, near=near_files(path)))
    except OSError as error:
        sentence = "data.url: cannot be looked up ({why}) (got {path})"
        raise InputError(Message("files.database_not_looked_up", sentence, why=error.strerror, path=path)) from error
    return path


def _own(error: Exception) -> str:
    """Give the database's own words without the statement, which may be long, and without the values that it stumbled over."""
    words, _, rest = str(getattr(error, "orig", None) or error).partition("\nLINE ")
    hint = rest.partition("\nHINT:")[2]
    words = re.sub(r': "[^"]*"|=\(.*\)', lambda value: shape(value[0]), words)
    return one_line(f"{words}; {hint}" if hint else words)


def column_of(name: str, values: tuple[Any, ...], decimal: str) -> pl.Series:
    """Make a column of one type; as text where there is none."""
    types = set(map(type, values)) - {type(None)}
    if not types:
        return pl.Series(name, [None] * len(values), dtype=pl.Null)
    if types == {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    (only,) = types if len(types) == 1 else (object,)
    if only in _TYPES and (only is not Decimal or all(value.is_finite() for value in values if value is not None)):
        try:
            column = pl.Series(name, values, dtype=_TYPES[only])
        except (OverflowError, TypeError, PolarsError):
            pass  # too large for Polars: as text
        else:
            zone = getattr(column.dtype, "time_zone", None)
            return column if zone is None else column.dt.convert_time_zone("UTC")
    return pl.Series(name, [None if value is None else _text(value, decimal) for value in values], dtype=pl.String)


def _text(value: Any, decimal: str) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Decimal() if value.is_finite():
            text = f"{value:f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", decimal)
        case float():
            return (str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)).replace(".", decimal)
        case bytes():
            return value.hex()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)


def _sha256(frame: pl.DataFrame) -> str:
    """Hash the rows, whatever their order."""
    cells = [as_text(name, dtype, ".").fill_null("\0") for name, dtype in frame.schema.items()]
    rows = frame.select(pl.concat_str(cells, separator="\x1f")).to_series().sort()
    digest = hashlib.sha256("\x1f".join(frame.columns).encode())
    for piece in rows.to_frame().iter_slices(_BATCH):
        digest.update(("\n" + "\n".join(piece.to_series().to_list())).encode())
    return digest.hexdigest()
