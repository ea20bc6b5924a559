"""The mapping of orders on a Spark cluster: which columns they come from, and what their cells come to."""

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from segmenter.engines import typed_cells
from segmenter.engines.spark_session import Cluster, quoted, spark_sql
from segmenter.engines.spark_times import in_utc, micros_sql, zone_between
from segmenter.engines.typed_cells import TypedCell
from segmenter.errors import InputError
from segmenter.measures.definition import LINES
from segmenter.messages import Message
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources.expressions import columns_of, read_as_numbers
from segmenter.sources.fields import currency_names
from segmenter.sources.row_mapping import map_rows
from segmenter.tables import LEVELS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FALLBACK = "segmenter_fallback"
_MICROS, _HASH, _ID, _KNOWN, _COPIED = (f"segmenter_{name}" for name in ("micros", "hash", "id", "known", "copied"))
_WANTED = {
    "time": Message("sources.spark_wants_time", "a date or timestamp"),
    "amount": Message("sources.spark_wants_number", "a number"),
}
_WANTED_ELSE = Message("sources.spark_wants_text", "text or a whole number")


def value(name: str) -> str:
    """Name the column of what a field of `definition.LINES` comes to."""
    return f"segmenter_value_{name}"


def _cell(field: str) -> str:
    return f"segmenter_cell_{field}"


LOCAL_LINES = {name: nw.col(value(name)) for name in LINES}


def cells_of(empty: pl.DataFrame, settings: MappingSettings, launch: LaunchSettings) -> dict[str, str]:
    """Give the mapped fields in SQL, by no rows of the source; refuse what no engine reads as this process does."""
    read, known = settings.orders, columns_of(empty)
    problems: list[str] = []
    found = map_rows("orders", empty, settings, launch).fields
    for name in ("category", "status"):  # measures know nothing of them
        found.pop(name, None)
    mappings = {f"columns.{field}": mapping or field for field, mapping in read.columns.model_dump().items() if field in found}
    mappings |= {key: sql for key, sql in (("where", read.where), ("refund", read.refund)) if sql is not None}
    for key, mapping in mappings.items():
        if texts := read_as_numbers(empty, mapping, amount=key == "columns.amount"):
            sentence = "data.orders.{key}: {columns}: engine=spark reads no text as numbers; write them as numbers, or engine=local"
            problems.append(Message("sources.spark_texts", sentence, key=key, columns=tuple(texts)))
    if isinstance(found["amount"].dtype, pl.Decimal) and mappings["columns.amount"] not in known:
        sentence = (
            "data.orders.columns.amount: is computed from decimals, which are rounded differently everywhere; "
            "CAST(… AS DOUBLE) each of them, or engine=local"
        )
        problems.append(Message("sources.spark_decimals", sentence))
    if read.repeats == "latest" or read.fill_down:
        sentence = "data.orders.{key}: engine=spark does not know in which order rows stand; use engine=local"
        key = "repeats" if read.repeats == "latest" else "fill_down"
        problems.append(Message("order_rows.spark_order", sentence, key=key))
    if problems:
        raise InputError(*problems)
    fields = {field: mappings[f"columns.{field}"] for field in found if field != "refund"}
    if read.grain == "order":
        fields.pop("order_id", None)
    if read.refund is not None:
        fields["refund"] = read.refund
    return {field: quoted(mapping) if mapping in known else f"({spark_sql(mapping)})" for field, mapping in fields.items()}


def typed_rows(
    cluster: Cluster,
    source: "DataFrame",
    cells: dict[str, str],
    own: list[str],
    settings: MappingSettings,
    launch: LaunchSettings,
    ids: pl.Series | None,
) -> nw.LazyFrame[Any]:
    """Give the wanted rows with what the fields of `LINES` come to, and whether each is a `FALLBACK` row."""
    read = settings.orders
    wanted = source if read.where is None else source.where(f"({spark_sql(read.where)})")
    rows = wanted.selectExpr("*", *(f"{sql} AS {_cell(field)}" for field, sql in cells.items()))
    dtypes = cluster.fetch(rows.select(*map(_cell, cells)).limit(0)).schema
    micros = micros_sql(_cell("time"), dtypes[_cell("time")], read.time_format)
    fields = _fields({field: dtypes[_cell(field)] for field in cells}, micros, launch)
    rows = rows.selectExpr("*", f"{micros} AS {_MICROS}")
    if in_utc(dtypes[_cell("time")]):
        first, last = cluster.fetch(rows.selectExpr(f"min({_MICROS})", f"max({_MICROS})")).row(0)
        rows = rows.withColumn(_MICROS, _sql(zone_between(launch.timezone, first or 0, last or 0).sql(_MICROS)))
    if read.repeats == "drop":
        rows = rows.selectExpr("*", f"xxhash64({', '.join(map(quoted, own))}) AS {_HASH}")
    return _with_values(cluster, nw.from_native(rows), fields, settings, launch, ids)


def _sql(text: str) -> Any:
    from pyspark.sql.functions import expr

    return expr(text)


def _fields(dtypes: dict[str, pl.DataType], micros: str | None, launch: LaunchSettings) -> dict[str, TypedCell]:
    """Read the fields; refuse those of types that no engine reads as this process does."""
    found: dict[str, TypedCell] = {}
    problems = []
    for field, dtype in dtypes.items():
        cell = nw.col(_cell(field))
        match field:
            case "refund":
                typed: TypedCell | None = TypedCell(cell.fill_null(value=False), nw.lit(value=False))
            case "time":
                typed = None if micros is None else typed_cells.time(nw.col(_MICROS))
            case "amount":
                typed = typed_cells.amount(cell, dtype, launch.currency)
            case _:
                typed = typed_cells.text(cell, dtype)
        if typed is None:
            sentence = "data.orders.columns.{field}: should be {wanted} for engine=spark (got {dtype}); write it so, or engine=local"
            wanted = _WANTED.get(field, _WANTED_ELSE)
            problems.append(Message("sources.spark_type", sentence, field=field, wanted=wanted, dtype=str(dtype)))
        else:
            found[field] = typed
    if problems:
        raise InputError(*problems)
    return found


def _with_values(
    cluster: Cluster,
    rows: nw.LazyFrame[Any],
    fields: dict[str, TypedCell],
    settings: MappingSettings,
    launch: LaunchSettings,
    ids: pl.Series | None,
) -> nw.LazyFrame[Any]:
    read, nothing = settings.orders, nw.lit(None, dtype=nw.String)
    columns = {name: fields[name].value if name in fields else nothing for name in ("customer_id", "order_id", *LEVELS)}
    columns |= {
        "time_us": fields["time"].value,
        "paid": fields["amount"].value,
        "back": fields["refund"].value if "refund" in fields else (nw.col(_cell("amount")) < 0).fill_null(value=False),
    }
    needed = ("customer_id", "order_id") if read.grain == "line" else ("customer_id",)
    fallback = [*(field.fallback for field in fields.values()), *(columns[name].is_null() for name in needed)]
    if "address" in fields:
        open_ = nw.any_horizontal(*(columns[level].is_null() for level in LEVELS), ignore_nulls=False)
        fallback.append(~fields["address"].value.is_null() & open_)
    if "currency" in fields:
        fallback.append((~fields["currency"].value.str.to_uppercase().is_in(currency_names(launch.currency))).fill_null(value=False))
    values = {value(name): column for name, column in columns.items()}
    rows = rows.with_columns(nw.any_horizontal(*fallback, ignore_nulls=False).alias(FALLBACK), **values)
    if ids is not None:
        known = cluster.upload(ids.unique().drop_nulls().to_frame(_ID)).with_columns(nw.lit(value=True).alias(_KNOWN))
        rows = _marked(rows, known, value("customer_id"), _ID, nw.col(_KNOWN).is_null())
    if read.repeats == "drop":
        # All rows of the same hash come here, where it is seen which of them repeat another.
        copies = rows.group_by(_HASH).agg(nw.len().alias(_COPIED)).filter(nw.col(_COPIED) > 1)
        rows = _marked(rows, nw.from_native(copies.to_native().persist()), _HASH, _HASH, ~nw.col(_COPIED).is_null())
    return rows


def _marked(rows: nw.LazyFrame[Any], others: nw.LazyFrame[Any], left: str, right: str, fallback: nw.Expr) -> nw.LazyFrame[Any]:
    """Join a table by one key, and take those for fallback rows of which the condition holds then."""
    return rows.join(others, left_on=left, right_on=right, how="left").with_columns((nw.col(FALLBACK) | fallback).alias(FALLBACK))
