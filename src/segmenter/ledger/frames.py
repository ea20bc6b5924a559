"""Frames on their way into the ledger's tables and out of them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import LedgerError, nearest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

STATUSES = ("planned", "held_out")
# From the one that says least: of two on one day, read together, the later one here stands.
ANSWERS = ("no_answer", "refused", "refused_for_good", "joined")
INVITATION = {
    "customer_id": pl.String(),
    "status": pl.String(),
    "planned_at": pl.Date(),
    "wave": pl.Int64(),
    "group": pl.String(),
    "agent": pl.String(),
    "score": pl.Float64(),
    "stratum": pl.String(),
    "region": pl.String(),
    "segment": pl.String(),
}
ANSWER = {"customer_id": pl.String(), "answer": pl.String(), "answered_on": pl.Date(), "source": pl.String(), "reason": pl.String()}
_BATCH = 50_000


def checked(
    name: str,
    frame: pl.DataFrame,
    schema: Mapping[str, pl.DataType],
    needed: Iterable[str],
    choices: Mapping[str, tuple[str, ...]],
    optional: Iterable[str],
) -> pl.DataFrame:
    """Bring rows into a schema, or say all that is wrong with them."""
    problems = [
        f"{name}: should have a column {column}{nearest(column, frame.columns)}"
        for column in schema
        if column not in frame.columns and column not in optional
    ]
    found: list[pl.Series] = []
    for column, dtype in schema.items():
        if column not in frame.columns:
            found.append(pl.repeat(None, frame.height, dtype=dtype, eager=True).alias(column))
            continue
        try:
            found.append(frame[column].cast(dtype))
        except PolarsError:
            problems.append(f"{name}.{column}: should be {dtype} (got {frame[column].dtype})")
            continue
        if column in needed and (missing := found[-1].null_count()):
            problems.append(f"{name}.{column}: is needed in every row (got {missing:,} empty)")
        if (
            column in choices
            and (wrong := found[-1].drop_nulls().filter(~found[-1].drop_nulls().is_in(choices[column])).unique().sort()).len()
        ):
            problems.append(
                f'{name}.{column}: should be {" or ".join(choices[column])} (got "{wrong[0]}"){nearest(wrong[0], choices[column])}'
            )
    if problems:
        raise LedgerError(*problems)
    return pl.DataFrame(found)


def insert_rows(connection: "Connection", name: str, frame: pl.DataFrame) -> None:
    """Write many rows quickly: a million take a few seconds."""
    columns = ", ".join(f'"{column}"' for column in frame.columns)
    target = f"segmenter_{name} ({columns})"
    if connection.dialect.name == "postgresql":
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN WITH (FORMAT csv)") as copy:
            for piece in frame.iter_slices(_BATCH):
                copy.write(piece.write_csv(include_header=False, quote_style="non_numeric", float_precision=None))
        return
    plain = frame.with_columns(pl.col(pl.Date).cast(pl.String))
    marks = ", ".join("?" * frame.width)
    for piece in plain.iter_slices(_BATCH):
        connection.exec_driver_sql(f"INSERT INTO {target} VALUES ({marks})", piece.rows())


def frame_of(connection: "Connection", query: "Select[tuple[object, ...]]", schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Read the columns of a schema as a frame."""
    result = connection.execute(query, execution_options={"yield_per": _BATCH})
    places = [list(result.keys()).index(name) for name in schema]
    pieces = [pl.DataFrame(schema=schema)]
    try:
        for rows in result.partitions():
            columns = list(zip(*rows, strict=True))
            pieces.append(pl.DataFrame([pl.Series(name, columns[at], dtype=schema[name]) for at, name in zip(places, schema, strict=True)]))
    except (ValueError, TypeError, OverflowError, PolarsError) as error:  # SQLite takes anything into any column
        raise LedgerError(
            f"ledger: is damaged, it holds what no segmenter wrote (got {str(error)[:200]}); put back a copy of it"
        ) from error
    return pl.concat(pieces)
