"""The mapping of the orders in an engine's SQL."""

import polars as pl

from segmenter.engines import sql_cells
from segmenter.engines.dialect import Engine, name, text
from segmenter.errors import InputError
from segmenter.measures.definition import BETWEEN, LINES
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources.expressions import columns_of, read_as_numbers
from segmenter.sources.fields import currency_names
from segmenter.sources.row_mapping import map_rows

SOURCE, PLAIN = "segmenter_source", "segmenter_plain"
ODD = "segmenter_odd"
VALUES = {column: f"segmenter_value_{column}" for column in LINES}
_WANTED, _COPIES, _CELLS, _READ, _IDS = (f"segmenter_{part}" for part in ("wanted", "copies", "cells", "read", "ids"))
_HASH, _ODD_CELLS, _CURRENCY = "segmenter_hash", "segmenter_odd_cells", "segmenter_currency"
_NEEDED = ("customer_id", "time", "amount")


def listed(source: pl.DataFrame) -> str:
    """List the source's own columns in SQL.

    Parameters
    ----------
    source : DataFrame
        With or without file and row number.

    Returns
    -------
    str
        Quoted names.

    Examples
    --------
    >>> listed(pl.DataFrame({"id": [], "order time": []}))
    '"id", "order time"'
    """
    return ", ".join(name(column) for column in columns_of(source))


def view_plain_rows(engine: Engine, empty: pl.DataFrame, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None) -> None:
    """Name the wanted rows of `SOURCE` with their values, and with what is odd about them.

    Parameters
    ----------
    engine : Engine
        With the view `SOURCE`; gets the view `PLAIN`: the columns of `SOURCE`, those of `VALUES`, and `ODD`.
    empty : DataFrame
        No rows of it, with the types that they have when they are read here.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its time zone and currency.
    ids : Series or None
        The customers of the customers table.

    Raises
    ------
    InputError
        The mapping is wrong, or has cells of types that no engine reads as this process does.
    """
    read = settings.orders
    cells = _cells(engine, empty, settings, launch)
    engine.view(_WANTED, f"SELECT * FROM {SOURCE}" + (f" WHERE ({engine.sql(read.where)})" if read.where is not None else ""))
    engine.view(_CELLS, f"SELECT *, {', '.join(f'{cell} AS {_cell(field)}' for field, cell in cells.items())} FROM {_WANTED}")
    dtypes = engine.schema(f"SELECT {', '.join(_cell(field) for field in cells)} FROM {_CELLS}")
    values = _values(engine, {field: dtypes[_cell(field)] for field in cells}, settings, launch)
    given = {field: value for field, value in values.items() if value.odd is not None}
    odd_cells = " OR ".join(f"{value.odd}" for value in given.values())
    nothing = f"CAST(NULL AS {engine.text_type})"
    place = [values[field].value if field in values else nothing for field in ("province", "city")]
    columns = {
        VALUES["customer_id"]: values["customer_id"].value,
        VALUES["order_id"]: values["order_id"].value if read.grain == "line" else nothing,
        VALUES["time_us"]: values["time"].value,
        VALUES["paid"]: values["amount"].value,
        VALUES["back"]: f"coalesce({_cell('refund')}, FALSE)" if "refund" in cells else f"coalesce({_cell('amount')} < 0, FALSE)",
        "segmenter_province": place[0],
        "segmenter_city": place[1],
        _CURRENCY: values["currency"].value if "currency" in values else nothing,
        _ODD_CELLS: odd_cells,
        _HASH: engine.hashed([name(column) for column in columns_of(empty)]) if read.repeats == "drop" else "0",
    }
    engine.view(_READ, f"SELECT *, {', '.join(f'{value} AS {column}' for column, value in columns.items())} FROM {_CELLS}")
    odd = [_ODD_CELLS, *(f"{VALUES[field]} IS NULL" for field in ("customer_id", *(["order_id"] if read.grain == "line" else [])))]
    joins = ""
    if "currency" in values:
        known = ", ".join(text(written) for written in currency_names(launch.currency))
        odd.append(f"coalesce(upper({_CURRENCY}) NOT IN ({known}), FALSE)")
    if ids is not None:
        engine.upload(_IDS, ids.unique().drop_nulls().to_frame("segmenter_id"))
        joins += f" LEFT JOIN {_IDS} ON {VALUES['customer_id']} = segmenter_id"
        odd.append("segmenter_id IS NULL")
    if read.repeats == "drop":
        # All rows of the same hash come here, where it is seen which of them repeat another.
        engine.keep(_COPIES, f"SELECT {_HASH} AS segmenter_copied FROM {_READ} GROUP BY {_HASH} HAVING count(*) > 1")
        joins += f" LEFT JOIN {_COPIES} ON {_HASH} = segmenter_copied"
        odd.append("segmenter_copied IS NOT NULL")
    known = "segmenter_province IS NOT NULL OR segmenter_city IS NOT NULL"
    parts = f"coalesce(segmenter_province, '') || {text(BETWEEN)} || coalesce(segmenter_city, '')"
    whole = f"CASE WHEN {known} THEN {parts} END AS {VALUES['place']}"
    engine.view(PLAIN, f"SELECT {_READ}.*, {whole}, ({' OR '.join(odd)}) AS {ODD} FROM {_READ}{joins}")


def _cell(field: str) -> str:
    return f"segmenter_cell_{field}"


def _cells(engine: Engine, empty: pl.DataFrame, settings: MappingSettings, launch: LaunchSettings) -> dict[str, str]:
    """Give the mapped fields in SQL."""
    read, known = settings.orders, columns_of(empty)
    problems: list[str] = []
    found = map_rows("orders", empty, settings, launch, problems).found
    found.pop("category", None)  # measures know nothing of it
    # It is the types that are checked here: there are no rows for `where` to leave.
    problems = [problem for problem in problems if not problem.startswith("data.orders.where: leaves none of 0 rows")]
    if read.grain == "line" and "order_id" not in found and not problems:
        problems.append("data.orders.columns.order_id: is needed where data.orders.grain is line: it says which lines are one order")
    if problems:
        raise InputError(*problems)
    mappings = {f"columns.{field}": mapping or field for field, mapping in read.columns.model_dump().items() if field in found}
    mappings |= {key: sql for key, sql in (("where", read.where), ("refund", read.refund)) if sql is not None}
    way_out = "write them as numbers, or engine=local"
    for key, mapping in mappings.items():
        if texts := read_as_numbers(empty, mapping, amount=key == "columns.amount"):
            problems.append(f"data.orders.{key}: {', '.join(texts)}: engine={engine.name} reads no text as numbers; {way_out}")
    if isinstance(found["amount"].dtype, pl.Decimal) and mappings["columns.amount"] not in known:
        rule = "is computed from decimals, which are rounded differently everywhere; CAST(… AS DOUBLE) each of them, or engine=local"
        problems.append(f"data.orders.columns.amount: {rule}")
    if problems:
        raise InputError(*problems)
    fields_ = {field: mappings[f"columns.{field}"] for field in found if field != "refund"}
    if read.grain != "line":
        fields_.pop("order_id", None)
    if read.refund is not None:
        fields_["refund"] = read.refund
    return {field: name(mapping) if mapping in known else f"({engine.sql(mapping)})" for field, mapping in fields_.items()}


def _values(engine: Engine, dtypes: dict[str, pl.DataType], settings: MappingSettings, launch: LaunchSettings) -> dict[str, sql_cells.Read]:
    """Read the fields; refuse what no engine reads as this process does."""
    values: dict[str, sql_cells.Read] = {}
    problems = []
    for field, dtype in dtypes.items():
        cell = _cell(field)
        match field:
            case "refund":
                continue
            case "time":
                value = sql_cells.time(cell, dtype, settings.orders.time_format, _zone(engine, dtype, settings, launch), engine)
            case "amount":
                value = sql_cells.amount(cell, dtype, launch.currency, engine)
            case _:
                value = sql_cells.text(cell, dtype, engine)
        if value is None:
            wanted = {"time": "a date or timestamp", "amount": "a number"}.get(field, "text or a whole number")
            rule = f"should be {wanted} for engine={engine.name} (got {dtype})"
            problems.append(f"data.orders.columns.{field}: {rule}; write it so, or engine=local")
        else:
            values[field] = value
    if problems:
        raise InputError(*problems)
    return values


def _zone(engine: Engine, dtype: pl.DataType, settings: MappingSettings, launch: LaunchSettings) -> sql_cells.Zone | None:
    zoned = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    if not (zoned or sql_cells.is_counted(dtype, settings.orders.time_format)):
        return None
    utc = sql_cells.moment(_cell("time"), dtype, settings.orders.time_format, engine)
    first, last = engine.fetch(f"SELECT min({utc}), max({utc}) FROM {_CELLS}").row(0)
    return sql_cells.zone_between(launch.timezone, first or 0, last or 0)
