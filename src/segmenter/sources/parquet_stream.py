"""Orders in Parquet files that can be aggregated while they are decoded: memory for the customers, not for the orders."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter.checks.column_words import is_person
from segmenter.checks.decimal_mark import decide, evidence, merge, totals
from segmenter.checks.number_format import NumberFormat
from segmenter.checks.time_format import NO_ORDER, TimeFormat
from segmenter.contacts import shown_columns
from segmenter.errors import ConfigError, InputError
from segmenter.findings import Finding
from segmenter.measures import shop_orders
from segmenter.messages import Message
from segmenter.money import digits
from segmenter.settings import FilesSettings, LaunchSettings
from segmenter.sources import fields
from segmenter.sources.expressions import ROW, read_as_numbers
from segmenter.sources.fields import currency_names, local, time_parts
from segmenter.sources.file_days import Span, days_of_file
from segmenter.sources.order_sample import as_orders, number_column, number_findings
from segmenter.sources.raw import column_names, known_types, one_line
from segmenter.sources.row_mapping import map_rows
from segmenter.sources.stream_times import look_at_times
from segmenter.sql import expression
from segmenter.tables import LEVELS, NOTHING

TYPED = "__typed_"
WANTED = f"{TYPED}wanted"
FIELDS = ("customer_id", "time", "amount", "currency", *LEVELS, "address")
_OF_ALL_ROWS = re.compile(r'"(Agg|Over|Len)"')  # in an expression as Polars writes it down


@dataclass(frozen=True)
class Stream:
    """Files of orders that can be aggregated as they are read."""

    paths: Sequence[Path]
    names: Sequence[str]  # what they are called in rejects
    heights: Sequence[int]  # their rows
    settings: FilesSettings
    launch: LaunchSettings
    typed: dict[str, pl.Expr]  # the fields in types that the kernel takes, `back` and `fallback` among them; empty where no row is typed
    where: pl.Expr | None  # the rows that are wanted
    columns: list[str]  # the source's columns that are needed
    schema: pl.Schema  # of all its columns
    who: pl.Expr  # the ids as they stand
    written: TimeFormat = NO_ORDER  # how times are written that are text or numbers
    spellings: Mapping[str, str] = field(default_factory=dict)  # of ids: what they are read as
    formats: Mapping[str, NumberFormat] = field(default_factory=dict)  # of its amounts, where they are text
    findings: Sequence[Finding] = ()  # of the order numbers, and of how amounts are read

    def spelled(self, spellings: Mapping[str, str]) -> "Stream":
        """Read some ids otherwise than they stand."""
        if not spellings or not self.typed:
            return replace(self, spellings=spellings)
        return replace(self, spellings=spellings, typed={**self.typed, "customer_id": self.who.replace(spellings)})

    @property
    def rows(self) -> int:
        """All rows of all files."""
        return sum(self.heights)

    @property
    def integers(self) -> bool:
        """Whether the ids of typed rows are whole numbers."""
        return bool(self.typed) and _type(self.schema, self.typed["customer_id"]) != pl.String


def stream_of(paths: Sequence[Path], names: Sequence[str], settings: FilesSettings, launch: LaunchSettings) -> Stream | None:
    """Say how the orders in whole Parquet files can be aggregated as they are read.

    None where they are few, or have to be seen together: lines of orders, repeated rows to drop, files of different types, or values
    that are computed from text or from all rows.
    """
    read = settings.orders
    if read.grain == "line" or read.repeats != "keep" or read.fill_down:
        return None
    try:
        schemas = [pl.read_parquet_schema(path) for path in paths]
        heights = [pl.scan_parquet(path, glob=False).select(pl.len()).collect().item() for path in paths]
        schema = pl.Schema(schemas[0]).to_frame().with_columns(known_types(pl.Schema(schemas[0]))).schema
    except (PolarsError, PanicException, OSError):
        return None  # the whole reading says what is wrong
    few = sum(heights) < shop_orders.KERNEL_ROWS
    if few or any(other != schemas[0] for other in schemas) or column_names(list(schema)) != list(schema):
        return None
    if _computed_from_text(read.columns.amount or "amount", schema):
        return None  # the rows decide which of these texts are numbers
    rows = map_rows("orders", schema.to_frame(), settings, launch)
    mappings = {name: getattr(read.columns, name) or name for name in FIELDS if name in rows.fields}
    sqls = {name: sql for name, sql in (("where", read.where), ("back", read.refund)) if sql is not None}
    expressions = {name: _expression(mapping, schema) for name, mapping in mappings.items()}
    conditions = {name: expression(sql) for name, sql in sqls.items()}
    if _needs_all_rows(mappings | sqls, [*expressions.values(), *conditions.values()], schema):
        return None
    if any(_type(schema, condition) != pl.Boolean for condition in conditions.values()):
        return None
    number = number_column(schema, settings)
    findings: tuple[Finding, ...] = ()
    if number is not None:
        if _needs_all_rows({"order_id": number}, [_expression(number, schema)], schema):
            return None
        dtype = _type(schema, _expression(number, schema))
        if dtype != pl.String and not (dtype is not None and dtype.is_integer()):
            return None  # a number of another type is seldom one, and is read with all the others
        found = number_findings(paths, names, heights, _expression(number, schema), conditions.get("where"), settings, launch)
        if found is None:
            return None
        findings = found
    needed = {name for value in (*expressions.values(), *conditions.values()) for name in value.meta.root_names()}
    if any(schema[name].is_nested() for name in needed):
        return None  # what can be computed of it, only its values show
    typed = _typed(expressions, schema, launch)
    if typed and "back" in conditions:
        typed["back"] = conditions["back"].fill_null(value=False)
    columns = [name for name in schema if name in needed]
    where, who = conditions.get("where"), expressions["customer_id"]
    looked_at = not typed and time_parts(schema.to_frame().select(expressions["time"].alias("t"))["t"], read.time_format) is not None
    written, of_times = look_at_times(paths, expressions["time"], where, settings, launch) if looked_at else (NO_ORDER, [])
    stream = Stream(
        paths, names, heights, as_orders(settings), launch, typed, where, columns, schema, who, written, findings=[*findings, *of_times]
    )
    return stream if _type(schema, expressions["amount"]) != pl.String else _with_format(stream, mappings)


def _with_format(stream: Stream, mappings: Mapping[str, str]) -> Stream:
    """Decide by all rows that count how amounts that are text are read: later only a part of the rows is at hand at a time."""
    amount, settings, launch = mappings["amount"], stream.settings, stream.launch
    scan = pl.scan_parquet([*stream.paths], glob=False, hive_partitioning=False)
    rows = scan.with_columns(known_types(scan.collect_schema()))
    if stream.where is not None:
        rows = rows.filter(stream.where.fill_null(value=False))
    parts = [evidence(pl.Series([], dtype=pl.String), launch.currency)]
    come_to = [0, 0]

    def cells(batch: pl.DataFrame) -> pl.Series:
        moments = fields.time(batch["time"], settings.orders.time_format, launch.timezone, stream.written)
        return batch["amount"].filter(moments.to_frame("t").select((pl.col("t") < launch.as_of).fill_null(value=True)).to_series())

    def look(batch: pl.DataFrame) -> None:
        parts.append(evidence(cells(batch), launch.currency))

    def add_up(batch: pl.DataFrame) -> None:
        for at, total in enumerate(totals(cells(batch), launch.currency, digits(launch.currency))):
            come_to[at] += total

    def all_totals() -> tuple[int, int]:
        wanted.sink_batches(add_up)
        return come_to[0], come_to[1]

    wanted = rows.select(_expression(mappings["time"], stream.schema).alias("time"), pl.col(amount).alias("amount"))
    wanted.sink_batches(look)
    shown = shown_columns(list(stream.schema))[amount]
    found, findings = decide(merge(parts), shown, launch.currency, settings.decimal, amount=True, totals=all_totals)
    return replace(stream, formats={amount: found}, findings=(*stream.findings, *findings))


def _expression(mapping: str, schema: pl.Schema) -> pl.Expr:
    return pl.col(mapping) if mapping in schema else expression(mapping)


def _computed_from_text(mapping: str, schema: pl.Schema) -> bool:
    try:
        names = [] if mapping in schema else expression(mapping).meta.root_names()
    except (ConfigError, PolarsError):
        return False  # the mapping says what is wrong
    return any(schema.get(name) == pl.String for name in names)


def _needs_all_rows(mappings: dict[str, str], expressions: list[pl.Expr], schema: pl.Schema) -> bool:
    """Tell whether a value depends on other rows, or on which texts are numbers."""
    texts = (read_as_numbers(schema.to_frame(), sql, amount=False) for name, sql in mappings.items() if name != "amount")
    return any(texts) or any(_OF_ALL_ROWS.search(value.meta.serialize(format="json")) for value in expressions)


def _type(schema: pl.Schema, value: pl.Expr) -> pl.DataType | None:
    try:
        return schema.to_frame().select(value.alias("value"))["value"].dtype  # not by the schema, which knows less
    except (PolarsError, PanicException):
        return None


def _typed(fields: dict[str, pl.Expr], schema: pl.Schema, launch: LaunchSettings) -> dict[str, pl.Expr]:
    """Bring the fields into the types that the kernel takes; nothing where one of them cannot be."""
    types = {name: _type(schema, value) for name, value in fields.items()}
    who, when, amount = types["customer_id"], types["time"], types["amount"]
    if not (who == pl.String or (who is not None and who.is_integer() and who not in (pl.UInt64, pl.Int128, pl.UInt128))):
        return {}
    if not (when == pl.Date or isinstance(when, pl.Datetime)) or amount is None or not amount.is_numeric():
        return {}
    if any(types[name] != pl.String for name in (*LEVELS, "currency") if name in types):
        return {}
    time, money = local(fields["time"], when, launch.timezone), fields["amount"].cast(pl.Float64)
    found = {"customer_id": fields["customer_id"], "time": time, "amount": money}
    found |= {name: fields[name] for name in LEVELS if name in fields}
    fallback = []
    if "currency" in fields:
        fallback.append(~fields["currency"].is_in(currency_names(launch.currency)).fill_null(value=True))
    if "address" in fields:
        # A typed row's address is not read: it would tell nothing.
        open_ = [_is_nothing(fields[level]) if level in fields else pl.lit(value=True) for level in LEVELS]
        fallback.append(fields["address"].is_not_null() & pl.any_horizontal(open_))
    return found | ({"fallback": pl.any_horizontal(fallback)} if fallback else {})


def _is_nothing(text: pl.Expr) -> pl.Expr:
    return text.is_null() | text.str.strip_chars().str.to_lowercase().is_in(NOTHING)


def batches(stream: Stream, files: Sequence[int]) -> Iterator[pl.DataFrame]:
    """Decode files: the columns needed, the typed fields, which rows are wanted, and which of all their rows each is, from 0.

    All rows come or an error does: where a thread of Polars panics, its batches end as if there were no more.
    """
    scan = pl.scan_parquet([stream.paths[at] for at in files], glob=False, hive_partitioning=False, row_index_name=ROW)
    typed = [value.alias(TYPED + name) for name, value in stream.typed.items()]
    if stream.where is not None:
        typed.append(stream.where.fill_null(value=False).alias(WANTED))
    rows = scan.with_columns(known_types(scan.collect_schema())).select(*stream.columns, ROW, *typed)
    starts = np.cumsum([0, *(stream.heights[at] for at in files[:-1])])
    counts = np.zeros(len(files), np.int64)
    for batch in rows.collect_batches(maintain_order=False):
        if batch.height:
            at = np.searchsorted(starts, batch.select(pl.min(ROW), pl.max(ROW).alias("last")).row(0), side="right") - 1
            if at[0] != at[1]:
                at = np.searchsorted(starts, batch[ROW].to_numpy(), side="right") - 1
                counts += np.bincount(at, minlength=len(files))
            else:
                counts[at[0]] += batch.height
        yield batch
    if wrong := [(at, count) for at, count in zip(files, counts, strict=True) if count != stream.heights[at]]:
        why = _panic(rows)
        sentence = "data.orders.path: {name}: {count:,} of its {rows:,} rows were read ({why}); mend the mapping, or export the file again"
        lost = [
            Message("sources.rows_lost", sentence, name=stream.names[at], count=int(count), rows=stream.heights[at], why=why)
            for at, count in wrong
        ]
        raise InputError(*lost)


def days_of_batch(stream: Stream, files: Sequence[int], batch: pl.DataFrame, left: pl.Series) -> list[Span]:
    """Give the first and last times of each file's typed rows in a batch, without those that are left to the fallback."""
    assert stream.launch.as_of is not None
    if not batch.height:
        return []
    times = batch[f"{TYPED}time"]
    if len(left):
        times = times.scatter(left, None)
    starts = np.cumsum([0, *(stream.heights[at] for at in files[:-1])])
    ends = np.searchsorted(starts, batch.select(pl.min(ROW), pl.max(ROW).alias("last")).row(0), side="right") - 1
    if ends[0] == ends[1]:
        return days_of_file(stream.names[files[ends[0]]], times, stream.launch.as_of)
    numbers = pl.Series(np.searchsorted(starts, batch[ROW].to_numpy(), side="right") - 1)
    found = numbers.unique().to_list()
    return [span for at in found for span in days_of_file(stream.names[files[at]], times.filter(numbers == at), stream.launch.as_of)]


def _panic(rows: pl.LazyFrame) -> str:
    """Say why the batches of a query ended too early."""
    try:
        rows.sink_batches(lambda batch: None)
    except (PolarsError, PanicException) as error:
        return one_line(error)
    return Message("sources.file_changed", "it changed meanwhile, or does not hold what it says")


def decode(stream: Stream) -> Iterator[tuple[pl.Series, pl.DataFrame]]:
    """Decode all files batch by batch, in no particular order: the ids of the rows that are wanted, and the columns needed."""
    for batch in batches(stream, range(len(stream.paths))):
        rows = batch if stream.where is None else batch.filter(WANTED)
        yield rows[f"{TYPED}customer_id"], rows.select(stream.columns)


def people_in(stream: Stream) -> list[tuple[str, int]]:
    """List the columns that seem to name persons, with how many different values each has."""
    used, shown = stream.columns, shown_columns(stream.schema)
    names = [name for name, dtype in stream.schema.items() if name not in used and is_person(name) and not dtype.is_nested()]
    if not names:
        return []
    counts = pl.scan_parquet(list(stream.paths), glob=False, hive_partitioning=False).select(pl.col(names).n_unique()).collect()
    return [(shown[name], counts[name].item()) for name in names]
