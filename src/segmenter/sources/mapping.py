"""Raw rows of a shop become the canonical tables; rows that cannot be understood become rejects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from segmenter import tables
from segmenter.errors import InputError
from segmenter.money import LARGEST
from segmenter.settings import LaunchSettings, MappingSettings, TableSettings
from segmenter.sources import fields
from segmenter.sources.expressions import FILE, ROW, columns_of, evaluate
from segmenter.tables import Tables

_NEEDED = {
    "orders": ("customer_id", "time", "amount"),
    "customers": ("customer_id",),
    "events": ("customer_id", "kind", "time"),
    "referrals": ("customer_id", "friend_id"),
}
_MOST_KINDS = 60


@dataclass
class _Rows:
    """A table on its way: its values so far, and for each row the first thing wrong with it."""

    table: str
    source: pl.DataFrame  # raw columns, FILE and ROW included
    values: pl.DataFrame  # canonical columns so far
    cells: dict[str, tuple[pl.Series, str]]  # the field as found, as text, and its source columns
    reads: dict[str, int]
    problem: pl.Series  # Int32: index into problems, -1 where none
    problems: list[tuple[str | None, str]] = field(default_factory=list)  # field and reason

    def reject(self, wrong: pl.Series, column: str | None, reason: str) -> None:
        """Note what is wrong with rows; the first reason of a row counts."""
        self.problems.append((column, reason))
        self.problem = self.problem.zip_with(~(wrong & (self.problem < 0)), pl.Series([len(self.problems) - 1], dtype=pl.Int32))

    def rejects(self, rows: pl.Series, numbers: pl.Series | None = None) -> pl.DataFrame:
        """Describe rows by what is wrong with them."""
        found = []
        numbers = self.problem if numbers is None else numbers
        for number, (name, reason) in enumerate(self.problems):
            chosen = rows & (numbers == number)
            if not chosen.any():
                continue
            cell, column = self.cells[name] if name is not None else (None, None)
            places = self.source.filter(chosen)
            found.append(
                places.select(
                    pl.lit(self.table).alias("table"),
                    pl.col(FILE).cast(pl.String).alias("file"),
                    pl.col(ROW).cast(pl.Int64).alias("row"),
                    pl.lit(column, dtype=pl.String).alias("column"),
                    pl.lit(None, dtype=pl.String).alias("value") if cell is None else cell.filter(chosen).alias("value"),
                    pl.lit(reason).alias("reason"),
                )
            )
        return pl.concat([tables.REJECTS.to_frame(), *found])


def canonical_tables(raw: Mapping[str, pl.DataFrame], settings: MappingSettings, launch: LaunchSettings) -> Tables:
    """Map raw rows to the canonical tables.

    Parameters
    ----------
    raw : mapping of str to DataFrame
        ``orders``, ``customers``, ``events``, ``referrals``: those that there are, with the shop's own columns.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency. Rows at or after the as-of date are kept, but never rejected.

    Returns
    -------
    Tables
        With the rejects, and for each table ``rows = filtered + later + rejected + kept``; ``noted`` counts
        customers that were kept although a flag or date of theirs could not be read.

    Raises
    ------
    InputError
        A mapped column is missing, or more rows than `max_reject_share` are rejected.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a"], "time": ["2026-06-30"], "amount": ["12.50"]})
    >>> segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch).orders["amount"].to_list()
    [1250]
    """
    problems: list[str] = []
    rows = {name: _mapped(name, frame, getattr(settings, name), problems) for name, frame in raw.items() if name in _NEEDED}
    for name in ("contact", "attributes"):
        if "customers" in raw:
            from segmenter.errors import nearest

            known = columns_of(raw["customers"])
            problems += [
                f'data.customers.{name}: there is no column "{column}"{nearest(column, known)}'
                for column in getattr(settings.customers, name)
                if column not in known
            ]
    if problems:
        raise InputError(*problems)
    customers, contacts, ids, notes = None, None, None, tables.REJECTS.to_frame()
    if "customers" in rows:
        customers, contacts, notes = _customers(rows["customers"], settings, launch)
        ids = customers["customer_id"]
    orders = _orders(rows["orders"], settings, launch, ids) if "orders" in rows else tables.ORDERS.to_frame()
    people = ids if ids is not None else orders["customer_id"].unique()
    events = _events(rows["events"], settings, launch, people, ids is None) if "events" in rows else tables.EVENTS.to_frame()
    referrals = _referrals(rows["referrals"], settings, launch, people, ids is None) if "referrals" in rows else tables.REFERRALS.to_frame()
    as_of = _as_of(launch)
    rejects = pl.concat([notes, *(item.rejects(_counts(item, as_of)) for item in rows.values())])
    _check_share(rows, rejects, settings.max_reject_share)
    return Tables(orders, customers, events, referrals, contacts, rejects, {name: item.reads for name, item in rows.items()})


def _as_of(launch: LaunchSettings) -> date:
    if launch.as_of is None:
        raise InputError("launch.as_of: is needed, as YYYY-MM-DD")
    return launch.as_of


def _mapped(table: str, frame: pl.DataFrame, settings: TableSettings, problems: list[str]) -> _Rows:
    """Filter the rows and evaluate the mappings, gathering what is wrong with them."""
    key = f"data.{table}"
    if ROW not in frame.columns:
        frame = frame.with_row_index(ROW, offset=1)
    if FILE not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(FILE))
    read = frame.height
    if settings.where is not None:
        wanted = evaluate(frame, settings.where, f"{key}.where")
        if isinstance(wanted, str):
            problems.append(wanted)
        elif wanted[0].dtype != pl.Boolean:
            problems.append(f'{key}.where: should be true or false for each row (got "{settings.where}")')
        else:
            frame = frame.filter(wanted[0].fill_null(value=False))
            if frame.is_empty():
                problems.append(f'{key}.where: leaves none of {read:,} rows (got "{settings.where}")')
    mappings: dict[str, str | None] = dict(getattr(settings, "columns").model_dump())  # noqa: B009 - each table has its own
    known = columns_of(frame)
    found: dict[str, tuple[pl.Series, list[str]]] = {}
    refund = getattr(settings, "refund", None)
    for name, mapping in [*mappings.items(), ("refund", refund)]:
        place = f"{key}.columns.{name}" if name != "refund" else f"{key}.refund"
        if mapping is None and name not in known and name in _NEEDED[table]:
            from segmenter.errors import nearest

            problems.append(f'{place}: is needed: the source has no column "{name}"{nearest(name, known)}')
        if name == "refund" and mapping is None:
            continue
        if mapping is None and name not in known:
            continue
        result = evaluate(frame, mapping or name, place)
        if isinstance(result, str):
            problems.append(result)
        elif name == "refund" and result[0].dtype != pl.Boolean:
            problems.append(f'{place}: should be true or false for each row (got "{mapping}")')
        else:
            found[name] = result
    cells = {name: (_as_found(frame, values, columns), ", ".join(columns)) for name, (values, columns) in found.items()}
    return _Rows(
        table=table,
        source=frame,
        values=pl.DataFrame([values.alias(name) for name, (values, _) in found.items()]),
        cells=cells,
        reads={"rows": read, "filtered": read - frame.height},
        problem=pl.repeat(-1, frame.height, dtype=pl.Int32, eager=True),
    )


def _as_found(frame: pl.DataFrame, values: pl.Series, columns: list[str]) -> pl.Series:
    if len(columns) == 1:
        return frame[columns[0]].cast(pl.String, strict=False)
    return frame.select(
        pl.concat_str([pl.col(name).cast(pl.String, strict=False).fill_null("") for name in columns], separator=" | ")
    ).to_series()


def _read(rows: _Rows, name: str, values: pl.Series, unreadable: str, *, optional: bool = False) -> pl.Series:
    """Keep the values of a field, and reject rows where it is empty or cannot be read."""
    found = rows.cells[name][0].str.strip_chars()
    empty = found.is_null() | (found == "")
    if not optional:
        rows.reject(values.is_null() & empty, name, "is empty")
    rows.reject(values.is_null() & ~empty, name, unreadable)
    return values


def _id(rows: _Rows, name: str) -> pl.Series:
    return _read(rows, name, fields.text(rows.values[name]), "is no id")


def _time(rows: _Rows, settings: TableSettings, launch: LaunchSettings, name: str = "time") -> pl.Series:
    values = fields.time(rows.values[name], settings.time_format, launch.timezone)
    hint = "" if settings.time_format != "auto" else f" (data.{rows.table}.time_format names a format)"
    return _read(rows, name, values, f"is no date or time{hint}")


def _place(rows: _Rows, name: str) -> pl.Series:
    if name not in rows.values.columns:
        return pl.repeat(None, rows.source.height, dtype=pl.String, eager=True).alias(name)
    return fields.text(rows.values[name]).alias(name)


def _known(rows: _Rows, name: str, ids: pl.Series | None) -> None:
    if ids is not None:
        rows.reject(~fields.text(rows.values[name]).is_in(ids.implode()), name, "is no customer of the customers table")


def _counts(rows: _Rows, as_of: date) -> pl.Series:
    """Tell which rows count: not those known to be at or after the as-of date, which nothing may depend on."""
    if "__time" not in rows.values.columns:
        return pl.repeat(True, rows.source.height, eager=True)
    return (rows.values["__time"] < pl.Series([as_of]).cast(tables.TIME)[0]).fill_null(value=True)


def _kept(rows: _Rows, values: pl.DataFrame, launch: LaunchSettings) -> pl.DataFrame:
    """Drop the rejected rows and count them all."""
    if "time" in values.columns:
        rows.values = rows.values.with_columns(values["time"].alias("__time"))
    counts = _counts(rows, _as_of(launch))
    good = rows.problem < 0
    rows.reads |= {"later": int((~counts).sum()), "rejected": int((counts & ~good).sum()), "kept": int((counts & good).sum())}
    return values.filter(good)


def _orders(rows: _Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None) -> pl.DataFrame:
    read = settings.orders
    lines = read.grain == "line"
    if lines and "order_id" not in rows.values.columns:
        raise InputError("data.orders.columns.order_id: is needed where data.orders.grain is line: it says which lines are one order")
    customer = _id(rows, "customer_id")
    order = _place(rows, "order_id")
    if lines:
        _read(rows, "order_id", order, "is no id")
    moment = _time(rows, read, launch)
    amount = fields.amount(rows.values["amount"], launch.currency, settings.decimal)
    _read(rows, "amount", amount, f"is no amount, or beyond {LARGEST / 100:,.0f}")
    if "currency" in rows.values.columns:
        given = fields.currency(rows.values["currency"])
        rows.reject((given != launch.currency).fill_null(value=False), "currency", f"is not the launch's currency, {launch.currency}")
    _known(rows, "customer_id", ids)
    if read.repeats == "drop":
        own = rows.source.select(columns_of(rows.source))
        rows.reject(~own.select(pl.struct(pl.all()).is_first_distinct()).to_series(), None, "repeats another row exactly")
    back = rows.values["refund"].fill_null(value=False) if "refund" in rows.values.columns else amount < 0
    values = pl.DataFrame(
        {
            "customer_id": customer,
            "order_id": order,
            "time": moment,
            "paid": amount,
            "back": back,
            "province": _place(rows, "province"),
            "city": _place(rows, "city"),
        }
    )
    kept = _kept(rows, values, launch)
    return _whole_orders(kept) if lines else _each_order(kept)


def _each_order(rows: pl.DataFrame) -> pl.DataFrame:
    back = pl.col("back") | (pl.col("paid") < 0)
    return rows.with_columns(
        # A refund with a positive amount is an order paid and given back whole: it adds nothing.
        amount=pl.when(back).then(pl.min_horizontal("paid", 0)).otherwise("paid"),
        refund=pl.when(back).then(pl.col("paid").abs()).otherwise(0),
        is_order=~back,
    ).select(tables.ORDERS.names())


def _whole_orders(lines: pl.DataFrame) -> pl.DataFrame:
    """Add up the lines of each order: refunded lines are refunds, other negative lines discounts."""
    paid = pl.col("paid").filter(~pl.col("back")).sum()
    orders = lines.group_by("customer_id", "order_id").agg(
        time=pl.col("time").min(),
        paid=paid,
        credit=pl.min_horizontal(pl.col("paid").filter("back"), 0).sum(),
        returned=pl.col("paid").filter("back").abs().sum(),
        is_order=(~pl.col("back")).any() & (paid >= 0),
        place=pl.struct("time", "province", "city").sort_by("time", "province", "city").last(),
    )
    return orders.select(
        "customer_id",
        "order_id",
        "time",
        amount=pl.col("paid") + pl.col("credit"),
        refund=pl.col("returned") - pl.min_horizontal("paid", 0),
        is_order="is_order",
        province=pl.col("place").struct.field("province"),
        city=pl.col("place").struct.field("city"),
    )


def _customers(rows: _Rows, settings: MappingSettings, launch: LaunchSettings) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    read = settings.customers
    values = {"customer_id": _id(rows, "customer_id"), "province": _place(rows, "province"), "city": _place(rows, "city")}
    noted = tables.REJECTS.to_frame()
    everyone = pl.repeat(True, rows.source.height, eager=True)

    def note(wrong: pl.Series, name: str, reason: str) -> None:
        nonlocal noted
        numbers = pl.DataFrame({"wrong": wrong}).select(pl.when("wrong").then(len(rows.problems)).otherwise(-1)).to_series()
        rows.problems.append((name, reason))
        noted = pl.concat([noted, rows.rejects(everyone, numbers)])

    if "joined" in rows.values.columns:
        joined = fields.time(rows.values["joined"], read.time_format, launch.timezone).dt.date()
        found = rows.cells["joined"][0].str.strip_chars().replace("", None)
        note(joined.is_null() & found.is_not_null(), "joined", "is no date (the customer is kept without it)")
        values["joined"] = joined
    else:
        values["joined"] = pl.repeat(None, rows.source.height, dtype=pl.Date, eager=True)
    for name in ("do_not_contact", "blocked", "staff"):
        if name in rows.values.columns:
            set_ = fields.flag(rows.values[name])
            # Whoever may not want to be called is not called.
            note(set_.is_null(), name, "is neither yes nor no (taken as yes; the customer is kept)")
            values[name] = set_.fill_null(value=True)
        else:
            values[name] = pl.repeat(False, rows.source.height, eager=True)
    for name in read.attributes:
        values[name] = fields.text(rows.source[name])
    contact = {name: fields.text(rows.source[name]) for name in read.contact}
    if "name" in rows.values.columns:
        contact = {"name": fields.text(rows.values["name"]), **contact}
    personal = {f"__contact_{name}": series for name, series in contact.items()}
    frame = pl.DataFrame({**values, **personal})
    order = frame.select(pl.struct(frame.columns).rank("ordinal")).to_series()
    first = (
        order == order.to_frame("o").with_columns(frame["customer_id"]).select(pl.col("o").min().over("customer_id")).to_series()
    ).fill_null(value=False)
    rows.reject(~first & frame["customer_id"].is_not_null(), "customer_id", "stands in the table more than once (one row was kept)")
    flags = [pl.col(name).max().over("customer_id") for name in ("do_not_contact", "blocked", "staff")]
    kept = _kept(rows, frame.with_columns(flags), launch)
    rows.reads["noted"] = noted.height
    contacts = kept.select("customer_id", *(pl.col(f"__contact_{name}").alias(name) for name in contact))
    return kept.select(*tables.CUSTOMERS.names(), *read.attributes), contacts, noted


def _events(rows: _Rows, settings: MappingSettings, launch: LaunchSettings, people: pl.Series, visitors: bool) -> pl.DataFrame:
    values = pl.DataFrame(
        {
            "customer_id": _id(rows, "customer_id"),
            "kind": _read(rows, "kind", fields.text(rows.values["kind"]), "is no kind"),
            "time": _time(rows, settings.events, launch),
        }
    )
    if not visitors:
        _known(rows, "customer_id", people)
    kept = _kept(rows, values, launch)
    if (kinds := kept.filter(pl.col("time") < _as_of(launch))["kind"].n_unique()) > _MOST_KINDS:
        shown = ", ".join(kept["kind"].unique().sort().head(5))
        raise InputError(
            f"data.events.columns.kind: should have at most {_MOST_KINDS} different values (got {kinds:,}: {shown}, …); map it by SQL"
        )
    return kept.filter(pl.col("customer_id").is_in(people.implode()))


def _referrals(rows: _Rows, settings: MappingSettings, launch: LaunchSettings, people: pl.Series, visitors: bool) -> pl.DataFrame:
    values = pl.DataFrame({"customer_id": _id(rows, "customer_id"), "friend_id": _id(rows, "friend_id")})
    if "time" in rows.values.columns:
        values = values.with_columns(_time(rows, settings.referrals, launch).alias("time"))
    if not visitors:
        _known(rows, "customer_id", people)
    kept = _kept(rows, values, launch)
    if "time" not in kept.columns:
        kept = kept.with_columns(pl.lit(None, dtype=tables.TIME).alias("time"))
    return kept.filter(pl.col("customer_id").is_in(people.implode()))


def _check_share(rows: Mapping[str, _Rows], rejects: pl.DataFrame, most: float) -> None:
    lines = []
    for name, item in rows.items():
        rejected, counted = item.reads["rejected"], item.reads["rejected"] + item.reads["kept"]
        if rejected and (rejected > most * counted or not item.reads["kept"]):
            whole = "all" if rejected == counted else f"{rejected / counted:.1%}"
            lines.append(
                f"{name}: {whole} of {counted:,} rows were rejected; data.max_reject_share allows {most:.0%}. Mend the rows or the mapping, or allow more:"
            )
            groups = rejects.filter(table=name).group_by("column", "reason").agg(pl.len(), pl.col("value").drop_nulls().sort().first())
            lines += [
                f"  {count:,} × {column or 'row'} {reason}" + (f', such as "{value}"' if value is not None else "")
                for column, reason, count, value in groups.sort(["len", "column", "reason"], descending=[True, False, False]).rows()
            ]
    if lines:
        raise InputError(*lines)
