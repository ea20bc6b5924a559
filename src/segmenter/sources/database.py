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
from segmenter.settings import DatabaseSettings
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.raw import Fingerprint, Raw, as_text, label, near_files, one_line, together

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
    """Read a table by a query.

    Parameters
    ----------
    table : str
        ``orders``, ``customers``, ``events`` or ``referrals``: names the config key in messages.
    query : str
        One SELECT, handed to the database as it is.
    settings : DatabaseSettings
        The URL and the decimal mark.

    Returns
    -------
    Raw
        The rows, typed as the database has them: NUMERIC as Decimal, timestamptz as Datetime in UTC. What Polars has no
        type for (uuid, json, arrays) is text, and so is a column of mixed types, as SQLite may have them.

    Raises
    ------
    InputError
        The database cannot be reached, refuses the query, or gives no rows.
    ConfigError
        The URL is none, or PostgreSQL's driver is not installed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "shop.db"
    >>> with sqlite3.connect(path) as shop:
    ...     _ = shop.execute("CREATE TABLE orders AS SELECT 'a' AS customer_id, 12.5 AS amount")
    >>> shop.close()
    >>> settings = DatabaseSettings.model_construct(url=f"sqlite:///{path}", decimal=".")
    >>> read_query("orders", "SELECT * FROM orders", settings).frame.rows()
    [('a', 12.5, None, 1)]
    """
    from sqlalchemy.exc import DBAPIError

    engine, shown = _engine(settings.url)
    key = f"data.{table}.query"
    try:
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise InputError(f"data.url: cannot connect to {shown} ({_message(error)})") from error
        with connection:
            options = {"no_parameters": True, "stream_results": True, "yield_per": _BATCH}  # no_parameters: % and : mean nothing
            result = connection.exec_driver_sql(query, execution_options=options)
            if not result.returns_rows:
                raise InputError(f"{key}: should be a SELECT (got a statement that gives no rows)")
            header = list(result.keys())
            batches = []
            while rows := result.fetchmany(_BATCH):
                batches.append(
                    pl.DataFrame([_column(str(place), values, settings.decimal) for place, values in enumerate(zip(*rows, strict=True))])
                )
    except DBAPIError as error:
        raise InputError(f"{key}: {_message(error)} ({shown})") from error
    finally:
        engine.dispose()
    if not batches:
        raise InputError(f"{key}: should give rows (got none)")
    whole = together([(f"batch {number}", batch) for number, batch in enumerate(batches)], settings.decimal)
    frame = label(whole, header, None)
    return Raw(frame, (Fingerprint(query, frame.height, _sha256(frame.drop(FILE, ROW)), f"query of {engine.dialect.name}"),))


def _engine(given: str) -> "tuple[Engine, str]":
    """Make an engine that only reads, and the URL as it may be shown."""
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.exc import ArgumentError
    from sqlalchemy.pool import NullPool

    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        # It is not shown: there may be a password in it.
        raise ConfigError(f"data.url: should be a database's URL, such as {_FORMS}; a password in it is percent-encoded") from None
    match url.get_backend_name():
        case "sqlite":
            path = _sqlite_file(url)
            address = f"{path.resolve().as_uri()}?mode=ro"
            engine = create_engine("sqlite://", creator=lambda: _reader(address), poolclass=NullPool)
            return engine, f"sqlite:///{url.database}"
        case "postgresql" | "postgres":
            try:
                import psycopg  # noqa: F401
            except ImportError as error:
                raise ConfigError('data.url: PostgreSQL needs psycopg; pip install "segmenter[postgres]"') from error
            url = url.set(drivername="postgresql+psycopg")
            if "connect_timeout" not in url.query:
                url = url.update_query_dict({"connect_timeout": str(_SECONDS)})
            engine = create_engine(url, poolclass=NullPool).execution_options(postgresql_readonly=True)
            shown = url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
            return engine, shown
        case other:
            raise ConfigError(f'data.url: should be {_FORMS} (got a URL of "{other}")')


def _reader(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True)
    # What would write beside the database: ATTACH, and VACUUM INTO.
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK)
    return connection


def _sqlite_file(url: "URL") -> Path:
    if not url.database or url.database == ":memory:":
        raise ConfigError(f"data.url: should name a database file, such as sqlite:///shop.db (got {url})")
    path = Path(url.database).expanduser()
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"data.url: should be a database file (got {'a folder' if path.is_dir() else 'no file'}: {path})")
        if not path.is_file():
            raise InputError(f"data.url: is not there (got {path}){near_files(path)}")
    except OSError as error:
        raise InputError(f"data.url: cannot be looked up ({error.strerror}) (got {path})") from error
    return path


def _message(error: Exception) -> str:
    """Give the database's own words without the statement, which may be long, and without the values that it stumbled over."""
    words, _, rest = str(getattr(error, "orig", None) or error).partition("\nLINE ")
    hint = rest.partition("\nHINT:")[2]
    words = re.sub(r': "[^"]*"|=\(.*\)', lambda value: shape(value[0]), words)
    return one_line(ValueError(f"{words}; {hint}" if hint else words))


def _column(name: str, values: tuple[Any, ...], decimal: str) -> pl.Series:
    """Make a column of one type; as text where there is none."""
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pl.Series(name, [None] * len(values), dtype=pl.Null)
    if kinds == {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    (kind,) = kinds if len(kinds) == 1 else (object,)
    if kind in _TYPES and (kind is not Decimal or all(value.is_finite() for value in values if value is not None)):
        try:
            column = pl.Series(name, values, dtype=_TYPES[kind])
        except (OverflowError, TypeError, PolarsError):
            pass  # too large for Polars: as text
        else:
            zone = getattr(column.dtype, "time_zone", None)
            return column if zone is None else column.dt.convert_time_zone("UTC")
    return pl.Series(name, [None if value is None else _plain(value, decimal) for value in values], dtype=pl.String)


def _plain(value: Any, decimal: str) -> str:
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
