"""Frames on their way into the ledger's tables and out of them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import LedgerError, nearest
from segmenter.ledger.schema import SNAPSHOT
from segmenter.messages import Message
from segmenter.tables import DECIDED, INVITED, REACHED, by_time, is_standing
from segmenter.themes import themed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

STATUSES = ("planned", "held_out")
INVITATION = {name: INVITED[name] for name in ("customer_id", *SNAPSHOT)}
ANSWER = {name: INVITED[name] for name in ("customer_id", "answer", "answered_on", "source", "reason", "call_on", "hour")}
ANSWER |= {"attempts": pl.Int64(), "brought_by": INVITED["brought_by"]}
ANSWER_ROW = {"launch": pl.String(), "number": pl.Int64(), **ANSWER, **INVITATION}
_BATCH = 50_000


def check_rows(
    name: str,
    frame: pl.DataFrame,
    schema: Mapping[str, pl.DataType],
    *,
    needed: Iterable[str],
    choices: Mapping[str, tuple[str, ...]],
    optional: Iterable[str],
) -> pl.DataFrame:
    """Bring rows into a schema, or say all that is wrong with them: `needed` columns have no nulls, `optional` ones may be left out."""
    lacking = "{table}: should have a column {column}{nearest}"
    problems = [
        Message("ledger.no_column", lacking, table=name, column=column, nearest=nearest(column, frame.columns))
        for column in schema
        if column not in frame.columns and column not in optional
    ]
    columns: list[pl.Series] = []
    for column, dtype in schema.items():
        if column not in frame.columns:
            columns.append(pl.repeat(None, frame.height, dtype=dtype, eager=True).alias(column))
            continue
        try:
            cells = frame[column].cast(dtype)
        except PolarsError:
            rule, found = "{column}: should be {type} (got {found})", str(frame[column].dtype)
            problems.append(Message("ledger.wrong_type", rule, column=f"{name}.{column}", type=str(dtype), found=found))
            continue
        columns.append(cells)
        if column in needed and (missing := cells.null_count()):
            rule = "{column}: is needed in every row (got {missing:,} empty)"
            problems.append(Message("ledger.empty_cells", rule, column=f"{name}.{column}", missing=missing))
        if column not in choices:
            continue
        wrong = cells.drop_nulls().filter(~cells.drop_nulls().is_in(choices[column])).unique().sort()
        if len(wrong):
            rule, allowed = '{column}: should be {choices} (got "{found}"){nearest}', " or ".join(choices[column])
            near = nearest(wrong[0], choices[column])
            problems.append(Message("ledger.no_choice", rule, column=f"{name}.{column}", choices=allowed, found=wrong[0], nearest=near))
    if problems:
        raise LedgerError(*problems)
    return pl.DataFrame(columns)


def read_answers(connection: "Connection", query: "Select[tuple[object, ...]]") -> pl.DataFrame:
    """Read answers, and say which are current."""
    return mark_current(themed(read_frame(connection, query, ANSWER_ROW)))


def mark_current(answers: pl.DataFrame) -> pl.DataFrame:
    """Sort answers by launch and customer, and say which is ``current``: the latest, and of one day's the one that says most.

    ``standing`` are those that no correction has replaced. A call in vain takes no decision back: who has joined or refused has, until
    they say otherwise. ``told`` is the last answer at which they were reached, ``last`` the last of all.
    """
    key = ["launch", "customer_id"]
    ordered = answers.with_columns(standing=is_standing()).sort(*key, "standing", *by_time(), "number", nulls_last=False)
    reached = pl.col("standing") & pl.col("answer").is_in(REACHED)
    marked = ordered.with_columns(
        last=pl.struct(key).is_last_distinct(),
        told=(pl.col("number") == pl.col("number").filter(reached).last().over(key)).fill_null(value=False),
    )
    decided = (pl.col("told") & pl.col("answer").is_in(DECIDED)).any().over(key)
    return marked.with_columns(current=pl.when(decided).then("told").otherwise("last")).sort(*key, "answered_on", maintain_order=True)


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
    dated = frame.with_columns(pl.col(pl.Date).cast(pl.String))
    marks = ", ".join("?" * frame.width)
    for piece in dated.iter_slices(_BATCH):
        connection.exec_driver_sql(f"INSERT INTO {target} VALUES ({marks})", piece.rows())


def read_frame(connection: "Connection", query: "Select[tuple[object, ...]]", schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Read the columns of a schema as a frame."""
    result = connection.execute(query, execution_options={"yield_per": _BATCH})
    positions = [list(result.keys()).index(name) for name in schema]
    pieces = [pl.DataFrame(schema=schema)]
    try:
        for rows in result.partitions():
            columns = list(zip(*rows, strict=True))
            named = zip(positions, schema, strict=True)
            pieces.append(pl.DataFrame([pl.Series(name, columns[at], dtype=schema[name]) for at, name in named]))
    except (ValueError, TypeError, OverflowError, PolarsError) as error:  # SQLite takes anything into any column
        rule = "ledger: is damaged, it holds what no segmenter wrote (got {error}); put back a copy of it"
        raise LedgerError(Message("ledger.damaged", rule, error=str(error)[:200])) from error
    return pl.concat(pieces)
