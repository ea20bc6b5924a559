"""Orders read and added up by an engine: plain rows there, odd rows here.

A row is plain where every cell surely comes to the same as in `sources.mapping`. The others are odd: they come here as they
stand, are read by `sources.mapping`, and those that are good go back to be added up with the plain ones. So the rejects, the
counts and the sums are those of a reading in this process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from segmenter import tables
from segmenter.contacts import shown_sql
from segmenter.engines.dialect import Engine
from segmenter.engines.sql_mapping import ODD, PLAIN, SOURCE, VALUES, listed, view_plain_rows
from segmenter.errors import InputError
from segmenter.measures.definition import LINES, each_order, finish, rows_of, summarize, weights_table, whole_orders
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources.expressions import FILE, ROW, columns_of
from segmenter.sources.mapping import order_rows
from segmenter.sources.rows import Rows, map_rows
from segmenter.tables import DAY, EPOCH, Summary, Terms

_GOOD, _LINES, _WEIGHTS = "segmenter_good", "segmenter_lines", "segmenter_weights"
_MOST_ODD = 20_000_000
_SAMPLE = 1_000


@dataclass(frozen=True)
class Scanned:
    """What an engine makes of the orders' files.

    Parameters
    ----------
    summary : Summary
        One row per customer.
    reads : dict of str to int
        ``rows = filtered + later + rejected + kept``, as `Rows.reads`.
    rejects : DataFrame
        See `tables.REJECTS`.
    """

    summary: Summary
    reads: dict[str, int]
    rejects: pl.DataFrame


@dataclass(frozen=True)
class Source:
    """What is known of the rows of `SOURCE`.

    Parameters
    ----------
    file_name : callable
        Says how the file is called that stands in `FILE`.
    dtypes : mapping of str to DataType
        The columns' types as Polars reads them; empty where that is not known.
    """

    file_name: Callable[[str], str]
    dtypes: Mapping[str, pl.DataType]


def scan(engine: Engine, source: Source, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, terms: Terms) -> Scanned:
    """Read and add up the rows of the view `SOURCE`.

    Parameters
    ----------
    engine : Engine
        With that view: the source's columns, `FILE` and `ROW` (from 1).
    source : Source
        What is known of them.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency.
    ids : Series or None
        The customers of the customers table; rows of others are rejected.
    terms : Terms
        What the summary is for.

    Returns
    -------
    Scanned
        The same as of a reading in this process.

    Raises
    ------
    InputError
        The mapping is wrong, or the engine would not surely read the files as this process does.
    """
    schema = engine.schema(f"SELECT * FROM {SOURCE}")
    empty = pl.Schema({column: source.dtypes.get(column, dtype) for column, dtype in schema.items()}).to_frame()
    view_plain_rows(engine, empty, settings, launch, ids)
    before = f"{VALUES['time_us']} < {terms.today * DAY}"
    count, odd, later, first, last = engine.fetch(
        f"SELECT count(*), count(CASE WHEN {ODD} THEN 1 END), count(CASE WHEN NOT {ODD} AND NOT {before} THEN 1 END), "
        f"min(CASE WHEN NOT {ODD} THEN {VALUES['time_us']} END), max(CASE WHEN NOT {ODD} THEN {VALUES['time_us']} END) FROM {PLAIN}"
    ).row(0)
    raw = _odd_rows(engine, source, empty, odd)
    blank = odd - raw.height
    total, wanted = count - blank, count - blank
    if settings.orders.where is not None:
        total = _not_blank(engine, empty)
    if not total:
        raise InputError("data.orders.path: should have rows (got only a header)")
    if not wanted:
        raise InputError(f'data.orders.where: leaves none of {total:,} rows (got "{shown_sql(settings.orders.where or "")}")')
    _check_sample(engine, source, empty, settings, launch)
    reads = {"rows": total, "filtered": total - wanted, "later": later, "rejected": 0, "kept": count - odd - later}
    good, rejects = LINES.to_frame(), tables.REJECTS.to_frame()
    if not raw.is_empty():
        rows, good = _read(raw, settings, launch, ids)
        rejects = rows.rejects()
        for what in ("later", "rejected", "kept"):
            reads[what] += rows.reads[what]
    engine.upload(_GOOD, good)
    plain = ", ".join(f"{VALUES[name]} AS {name}" for name in LINES)
    engine.view(
        _LINES,
        f"SELECT {plain} FROM {PLAIN} WHERE NOT {ODD} AND {before} "
        f"UNION ALL SELECT {', '.join(LINES)} FROM {_GOOD} WHERE time_us < {terms.today * DAY}",
    )
    lines = engine.lazy(_LINES)
    orders = whole_orders(lines) if settings.orders.grain == "line" else each_order(lines)
    times = [time for time in (first, last, good["time_us"].min(), good["time_us"].max()) if isinstance(time, int)]
    days = (_day(min(times)), _day(max(times))) if times else (None, None)
    return Scanned(Summary(added_up(engine, orders, terms), terms, *days), reads, rejects)


def added_up(engine: Engine, orders: nw.LazyFrame[Any], terms: Terms) -> pl.DataFrame:
    """Add up orders on an engine.

    Parameters
    ----------
    engine : Engine
        Where they are.
    orders : LazyFrame
        `definition.ROWS`.
    terms : Terms
        What the summary is for.

    Returns
    -------
    DataFrame
        `SUMMARY`.
    """
    engine.upload(_WEIGHTS, weights_table(terms))
    return finish(engine.collect(summarize(orders, engine.lazy(_WEIGHTS), terms)))


def summarized(engine: Engine, orders: pl.DataFrame, terms: Terms) -> Summary:
    """Bring canonical orders to an engine and add them up there.

    Parameters
    ----------
    engine : Engine
        An open one.
    orders : DataFrame
        `tables.ORDERS`.
    terms : Terms
        What the summary is for.

    Returns
    -------
    Summary
        The same as of `history.definition.summarize_frame`.
    """
    engine.upload(_LINES, rows_of(orders).drop("order_id"))
    days = orders.select(first=pl.col("time").min().dt.date(), last=pl.col("time").max().dt.date()).row(0)
    return Summary(added_up(engine, engine.lazy(_LINES), terms), terms, *days)


def _day(micros: int) -> date:
    return EPOCH + timedelta(days=micros // DAY)


def _odd_rows(engine: Engine, source: Source, empty: pl.DataFrame, count: int) -> pl.DataFrame:
    if count > _MOST_ODD:
        way_out = "read fewer (data.orders.where), mend the files, or engine=local"
        raise InputError(f"data.orders: {count:,} rows cannot be read by engine={engine.name} as they stand, see data/ in conf; {way_out}")
    if not count:
        return empty
    raw = _labelled(source, empty, engine.fetch(f"SELECT {listed(empty)}, {FILE}, {ROW} FROM {PLAIN} WHERE {ODD}"))
    # Rows in which nothing stands are no rows.
    return raw.filter(~pl.all_horizontal(pl.col(columns_of(raw)).is_null())).sort(FILE, ROW)


def _labelled(source: Source, empty: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """Give raw rows the types and the names of files that they have when they are read here."""
    names = {file: source.file_name(file) for file in raw[FILE].unique().to_list()}
    return raw.with_columns(
        *(pl.col(column).cast(empty.schema[column]) for column in columns_of(empty)),
        pl.col(FILE).replace_strict(names, return_dtype=pl.String),
        pl.col(ROW).cast(pl.Int64),
    )


def _not_blank(engine: Engine, empty: pl.DataFrame) -> int:
    """Count the rows before `where`, without those in which nothing stands."""
    total = int(engine.fetch(f"SELECT count(*) FROM {SOURCE}").item())
    void = " AND ".join(f"{column} IS NULL" for column in listed(empty).split(", "))
    return total - int(engine.fetch(f"SELECT count(*) FROM {SOURCE} WHERE {void}").item())


def _read(raw: pl.DataFrame, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None) -> tuple[Rows, pl.DataFrame]:
    problems: list[str] = []
    rows = map_rows("orders", raw, settings, launch, problems)
    if problems:
        raise InputError(*problems)
    return rows, rows_of(order_rows(rows, settings, launch, ids)).select(LINES.names())


def _check_sample(engine: Engine, source: Source, empty: pl.DataFrame, settings: MappingSettings, launch: LaunchSettings) -> None:
    """Read some plain rows here too: SQL of the mapping may mean something else there."""
    names = [name for name in LINES if name != "order_id" or settings.orders.grain == "line"]
    values = ", ".join(f"{VALUES[name]}" for name in names)
    sample = engine.fetch(f"SELECT {listed(empty)}, {FILE}, {ROW}, {values} FROM {PLAIN} WHERE NOT {ODD} LIMIT {_SAMPLE}")
    if sample.is_empty():
        return
    there = sample.select(pl.col(VALUES[name]).cast(LINES[name]).alias(name) for name in names)
    raw = _labelled(source, empty, sample.drop(VALUES[name] for name in names))
    rows, here = _read(raw, settings, launch, None)
    problem = f"data.orders: engine={engine.name} reads rows otherwise than engine=local"
    way_out = "write the mapping so that both read the same, or engine=local"
    if here.height != there.height:
        raise InputError(f"{problem}: {rows.source.height - here.height:,} of {there.height:,} are rejected by it; {way_out}")
    for name in names:
        if (different := here[name].ne_missing(there[name]).arg_true()).len():
            row = different[0]
            got = f"{name} {there[name][row]!r} instead of {here[name][row]!r} in row {raw[ROW][row]} of {raw[FILE][row]}"
            raise InputError(f"{problem} (got {got}); {way_out}")
