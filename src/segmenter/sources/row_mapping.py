"""Which columns of a source are which fields, by the mappings of the config."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType

import polars as pl

from segmenter.checks.number_format import NumberFormat
from segmenter.checks.time_format import TimeFormat
from segmenter.contacts import may_be_shown, shown_columns, shown_sql
from segmenter.errors import InputError, nearest
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import LaunchSettings, MappingSettings, OrdersSettings, TableSettings
from segmenter.sources import fields
from segmenter.sources.expressions import FILE, ROW, FieldValues, columns_of, evaluate
from segmenter.sources.fill_down import fill_down
from segmenter.sources.number_columns import NumberColumns
from segmenter.sources.rows import Rows
from segmenter.tables import LEVELS

NEEDED = {
    "orders": ("customer_id", "time", "amount"),
    "customers": ("customer_id",),
    "events": ("customer_id", "kind", "time"),
    "referrals": ("customer_id", "friend_id"),
    "applicants": ("customer_id",),
    "visits": ("time", "uv", "pv"),
    "ties": ("from_id", "to_id"),
}
DATED = ("time", "joined")  # the field that says when a row came about
_SHOWN = (*LEVELS, "category", "kind")  # in lists and on pages
_BY_CHANCE = ("category", "district", "address")  # what is called so but holds lists was not meant
_UNDECIDED: Mapping[str, NumberFormat] = MappingProxyType({})


def map_rows(
    table: str,
    frame: pl.DataFrame,
    settings: MappingSettings,
    launch: LaunchSettings,
    collected: list[str] | None = None,
    formats: Mapping[str, NumberFormat] = _UNDECIDED,
    written: TimeFormat | None = None,
) -> Rows:
    """Filter the raw rows of a table, a key of `NEEDED`, and find its fields; problems are raised, or else `collected`.

    `written` says how times are written where these are not all rows.
    `formats` say how columns of text are read as numbers where that was decided by more rows than these.
    """
    read: TableSettings = getattr(settings, table)
    problems: list[str] = []
    frame = _with_places(frame)
    if isinstance(read, OrdersSettings) and read.fill_down:
        frame = fill_down(frame, read, problems)
    height, shown, left_out, findings = frame.height, shown_columns(columns_of(frame)), None, list[Finding]()
    mappings: dict[str, str | None] = read.model_dump()["columns"]  # each table has fields of its own
    counted = cache(partial(_before, frame, mappings, read, launch))
    number = NumberColumns(launch.currency, settings.decimal, counted, formats, shown)
    if read.where is not None and (wanted := _condition(frame, read.where, f"data.{table}.where", number, problems)) is not None:
        # A row whose cell is no number where one is needed is not left out: it is for the rejects.
        findings += number.findings(wanted.numbers)
        read_so = wanted.values.fill_null(value=False) | wanted.unread
        frame, left_out = frame.filter(read_so), frame.filter(~read_so)
        if height and frame.is_empty():
            problems.append(nothing_wanted(table, read.where, height))
    reads = {"rows": height, "filtered": height - frame.height}
    rows = Rows(table, frame, {}, {}, reads, pl.repeat(True, frame.height, eager=True), left_out=left_out)
    number = NumberColumns(launch.currency, settings.decimal, lambda: rows.counted, formats, shown)
    for name in sorted(mappings, key=lambda field: field not in DATED):  # first the date, which says what may decide the rest
        if (problem := _map_field(rows, name, mappings[name], number)) is not None:
            problems.append(problem)
        elif name in DATED and name in rows.fields:
            rows.read_moments(name, read, launch, written)
    if isinstance(read, OrdersSettings):
        findings += _map_refund(rows, read, number, problems)
    rows.findings += [finding for at, finding in enumerate(findings) if finding not in (*findings[:at], *rows.findings)]
    if problems and collected is None:
        raise InputError(*problems)
    if collected is not None:
        collected += problems
    return rows


def _with_places(frame: pl.DataFrame) -> pl.DataFrame:
    if ROW not in frame.columns:
        frame = frame.with_row_index(ROW, offset=1)
    return frame if FILE in frame.columns else frame.with_columns(pl.lit(None, dtype=pl.String).alias(FILE))


def _map_refund(rows: Rows, read: OrdersSettings, number: NumberColumns, problems: list[str]) -> list[Finding]:
    """Find which rows are refunds, and see that lines have an order number; say how numbers in it are read."""
    found: list[Finding] = []
    if read.refund is not None and (refund := _condition(rows.source, read.refund, "data.orders.refund", number, problems)) is not None:
        rows.fields["refund"] = refund.values.fill_null(value=False)
        found = number.findings(refund.numbers)
    if read.grain == "line" and "order_id" not in rows.fields and not problems:
        sentence = "data.orders.columns.order_id: is needed where data.orders.grain is line: it says which lines are one order"
        problems.append(Message("sources.order_id_missing", sentence))
    return found


def nothing_wanted(table: str, sql: str | None, rows: int) -> Message:
    """Say that a table's condition leaves none of its rows."""
    sentence = 'data.{table}.where: leaves none of {rows:,} rows (got "{sql}")'
    return Message("files.nothing_wanted", sentence, table=table, rows=rows, sql=shown_sql(sql or ""))


def _before(frame: pl.DataFrame, mappings: Mapping[str, str | None], read: TableSettings, launch: LaunchSettings) -> pl.Series:
    """Tell which rows are not known to be at or after the as-of date."""
    found = [evaluate(frame, mappings[name] or name, "", _plain) for name in DATED if name in mappings]
    if not found or not isinstance(found[0], FieldValues):
        return pl.repeat(True, frame.height, eager=True)
    assert launch.as_of is not None
    moments, _, _ = fields.times(found[0].values, read.time_format, launch.timezone, launch.as_of, "")
    return pl.DataFrame({"t": moments}).select((pl.col("t") < launch.as_of).fill_null(value=True)).to_series()


def _plain(values: pl.Series, _: Sequence[pl.Series]) -> pl.Series:
    """Read the numbers that dates are computed of."""
    return values.cast(pl.Float64, strict=False)


def _condition(frame: pl.DataFrame, sql: str, key: str, number: NumberColumns, problems: list[str]) -> FieldValues | None:
    result = evaluate(frame, sql, key, number.read)
    if isinstance(result, FieldValues) and result.values.dtype != pl.Boolean:
        sentence = '{key}: should be true or false for each row (got "{sql}")'
        result = Message("files.no_condition", sentence, key=key, sql=shown_sql(sql))
    if isinstance(result, FieldValues):
        return result
    problems.append(result)
    return None


def _map_field(rows: Rows, name: str, mapping: str | None, number: NumberColumns) -> Message | None:
    """Add a field to the rows; say what is wrong with its mapping."""
    key, known = f"data.{rows.table}.columns.{name}", columns_of(rows.source)
    if mapping is None and name not in known:
        if name not in NEEDED[rows.table]:
            return None
        sentence = '{key}: is needed: the source has no column "{name}"{near}'
        return Message("files.column_needed", sentence, key=key, name=name, near=nearest(name, shown_columns(known).values()))
    result = evaluate(
        rows.source, mapping or name, key, _plain if name in DATED else number.read, rows.counted if name == "amount" else None
    )
    if not isinstance(result, FieldValues):
        return result
    if name in _SHOWN and [mapping] == result.columns and not may_be_shown(mapping or ""):
        sentence = '{key}: "{column}" is a contact by its name, which only the call sheets may show; map another column'
        return Message("files.contact_mapped", sentence, key=key, column=mapping)
    if (rule := _rule(name, result.values.dtype)) is not None:
        if mapping is None and name in _BY_CHANCE:
            return None
        sentence = '{key}: should be {rule} (got "{mapping}" of type {dtype}); export that in a column of its own, or compute it by SQL'
        return Message("files.unfit", sentence, key=key, rule=rule, mapping=mapping or name, dtype=str(result.values.dtype))
    rows.fields[name], rows.columns[name] = result.values, result.columns
    if name == "amount":
        rows.amount_format = number.format_of(result.values, amount=True)
        rows.findings += number.findings([*result.numbers, result.values.name])
    return None


def _rule(name: str, dtype: pl.DataType) -> Message | None:
    """Say what a field should be, where no value of a type can be that."""
    if dtype.is_nested():
        return Message("files.one_value", "one value in each row")
    if name in DATED and dtype in (pl.Boolean, pl.Duration, pl.Time):
        return Message("files.dates", "dates or times of a day")
    if name == "amount" and (dtype.is_temporal() or dtype == pl.Boolean):
        return Message("files.numbers", "numbers")
    return None
