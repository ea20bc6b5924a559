"""Raw rows of a shop become the canonical tables; rows that cannot be understood become rejects."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from segmenter import tables
from segmenter.errors import InputError, nearest
from segmenter.money import LARGEST, digits
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.expressions import columns_of
from segmenter.sources.rows import NEEDED, Rows, map_rows
from segmenter.tables import Tables

_MOST_KINDS = 60
_FLAGS = ("do_not_contact", "blocked", "staff")


def canonical_tables(raw: Mapping[str, pl.DataFrame], settings: MappingSettings, launch: LaunchSettings) -> Tables:
    """Map raw rows to the canonical tables.

    Parameters
    ----------
    raw : mapping of str to DataFrame
        ``orders``, ``customers``, ``events``, ``referrals``: those that there are, with the shop's own columns.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency. Rows at or after the as-of date are kept, but never reported as rejects.

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
    if launch.as_of is None:
        raise InputError("launch.as_of: is needed, as YYYY-MM-DD")
    problems: list[str] = []
    rows = {name: map_rows(name, raw[name], getattr(settings, name), problems) for name in NEEDED if name in raw}
    if "customers" in rows:
        problems += _missing_extras(raw["customers"], settings)
    if "orders" in rows and settings.orders.grain == "line" and "order_id" not in rows["orders"].found and not problems:
        problems.append("data.orders.columns.order_id: is needed where data.orders.grain is line: it says which lines are one order")
    if problems:
        raise InputError(*problems)
    customers, contacts, ids = None, None, None
    if "customers" in rows:
        customers, contacts = _customers(rows["customers"], settings, launch, launch.as_of)
        ids = customers["customer_id"]
    orders = _orders(rows["orders"], settings, launch, launch.as_of, ids) if "orders" in rows else tables.ORDERS.to_frame()
    events = _events(rows["events"], settings, launch, launch.as_of, ids) if "events" in rows else tables.EVENTS.to_frame()
    brought = _referrals(rows["referrals"], settings, launch, launch.as_of, ids) if "referrals" in rows else tables.REFERRALS.to_frame()
    rejects = pl.concat([tables.REJECTS.to_frame(), *(item.rejects() for item in rows.values())])
    _check_share(rows, rejects, settings.max_reject_share)
    people = (orders["customer_id"].unique() if ids is None else ids).implode()
    # Without a customers table, events of those who never ordered are visitors': nothing is wrong with them.
    events, brought = (frame.filter(pl.col("customer_id").is_in(people)) for frame in (events, brought))
    return Tables(orders, customers, events, brought, contacts, rejects, {name: item.reads for name, item in rows.items()})


def _missing_extras(customers: pl.DataFrame, settings: MappingSettings) -> list[str]:
    known = columns_of(customers)
    asked = {"contact": settings.customers.contact, "attributes": settings.customers.attributes}
    return [
        f'data.customers.{key}: there is no column "{column}"{nearest(column, known)}'
        for key, columns in asked.items()
        for column in columns
        if column not in known
    ]


def _known(rows: Rows, ids: pl.Series | None) -> None:
    if ids is not None:
        found = fields.text(rows.found["customer_id"])
        rows.reject(~found.is_in(ids.implode()).fill_null(value=True), "customer_id", "is no customer of the customers table")


def _orders(rows: Rows, settings: MappingSettings, launch: LaunchSettings, as_of: date, ids: pl.Series | None) -> pl.DataFrame:
    read, lines = settings.orders, settings.orders.grain == "line"
    most = f"{LARGEST // 10 ** digits(launch.currency):,}"
    amount = fields.amount(rows.found["amount"], launch.currency, settings.decimal)
    values = pl.DataFrame(
        {
            "customer_id": rows.id("customer_id"),
            "order_id": rows.id("order_id") if lines else rows.text("order_id"),
            "time": rows.time(read, launch.timezone),
            "paid": rows.read("amount", amount, f"is no amount, or beyond {most}"),
            "back": rows.found.get("refund", amount < 0).fill_null(value=False),
            "province": rows.text("province"),
            "city": rows.text("city"),
        }
    )
    if "currency" in rows.found:
        other = (fields.currency(rows.found["currency"]) != launch.currency).fill_null(value=False)
        rows.reject(other, "currency", f"is not the launch's currency, {launch.currency}")
    _known(rows, ids)
    if read.repeats == "drop":
        own = rows.source.select(columns_of(rows.source))
        rows.reject(~own.select(pl.struct(pl.all()).is_first_distinct()).to_series(), None, "repeats another row exactly")
    kept = rows.kept(values, as_of)
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


def _customers(rows: Rows, settings: MappingSettings, launch: LaunchSettings, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the customers, and apart from them what only the call sheets may show."""
    read = settings.customers
    values = {"customer_id": rows.id("customer_id"), "province": rows.text("province"), "city": rows.text("city")}
    values["joined"] = pl.repeat(None, rows.source.height, dtype=pl.Date, eager=True)
    if "joined" in rows.found:
        values["joined"] = fields.time(rows.found["joined"], read.time_format, launch.timezone).dt.date()
        rows.note(values["joined"].is_null() & ~rows.empty("joined"), "joined", "is no date (the customer is kept without it)")
    for name in _FLAGS:
        values[name] = pl.repeat(False, rows.source.height, eager=True)
        if name in rows.found:
            flag = fields.flag(rows.found[name])
            # Whoever may not want to be called is not called.
            rows.note(flag.is_null(), name, "is neither yes nor no (taken as yes; the customer is kept)")
            values[name] = flag.fill_null(value=True)
    values |= {name: fields.text(rows.source[name]) for name in read.attributes}
    contact = {"name": rows.text("name")} if "name" in rows.found else {}
    contact |= {name: fields.text(rows.source[name]) for name in read.contact}
    frame = pl.DataFrame({**values, **{f"contact {name}": column for name, column in contact.items()}})
    # Rows that say the same of a customer are one, as in an order export read as customers; of others the first in an order
    # of their content stands, wherever it stood in the file.
    place = frame.select(pl.struct(pl.all()).rank("min").alias("place"), "customer_id")
    first = place.select(pl.col("place") == pl.col("place").min().over("customer_id")).to_series()
    rows.reject(~first, "customer_id", "stands in the table more than once, with other values (one row was kept)")
    flagged = frame.with_columns(pl.col(name).max().over("customer_id") for name in _FLAGS)
    kept = rows.kept(flagged, as_of).unique("customer_id", keep="first", maintain_order=True)
    contacts = kept.select("customer_id", *(pl.col(f"contact {name}").alias(name) for name in contact))
    return kept.select(*tables.CUSTOMERS.names(), *read.attributes), contacts


def _events(rows: Rows, settings: MappingSettings, launch: LaunchSettings, as_of: date, ids: pl.Series | None) -> pl.DataFrame:
    kind = rows.read("kind", fields.text(rows.found["kind"]), "is no kind")
    values = pl.DataFrame({"customer_id": rows.id("customer_id"), "kind": kind, "time": rows.time(settings.events, launch.timezone)})
    _known(rows, ids)
    kept = rows.kept(values, as_of)
    kinds = kept.filter(pl.col("time") < as_of)["kind"].unique().sort()
    if len(kinds) > _MOST_KINDS:
        shown = ", ".join(kinds.head(5))
        rule = f"should have at most {_MOST_KINDS} different values (got {len(kinds):,}: {shown}, …)"
        raise InputError(f"data.events.columns.kind: {rule}; map it by SQL: CASE WHEN … THEN 'visit' …")
    return kept


def _referrals(rows: Rows, settings: MappingSettings, launch: LaunchSettings, as_of: date, ids: pl.Series | None) -> pl.DataFrame:
    values = pl.DataFrame({"customer_id": rows.id("customer_id"), "friend_id": rows.id("friend_id")})
    timed = "time" in rows.found
    when = rows.time(settings.referrals, launch.timezone) if timed else pl.repeat(None, values.height, dtype=tables.TIME, eager=True)
    _known(rows, ids)
    return rows.kept(values.with_columns(when.alias("time")), as_of)


def _check_share(rows: Mapping[str, Rows], rejects: pl.DataFrame, most: float) -> None:
    lines = []
    for name, item in rows.items():
        rejected, counted = item.reads["rejected"], item.reads["rejected"] + item.reads["kept"]
        if rejected and (rejected > most * counted or not item.reads["kept"]):
            whole = "all" if rejected == counted else f"{rejected / counted:.1%}"
            allowed = f"data.max_reject_share allows {most:.0%}. Mend the rows or the mapping, or allow more:"
            lines.append(f"{name}: {whole} of {counted:,} rows were rejected; {allowed}")
            groups = rejects.filter(table=name).group_by("column", "reason").agg(pl.len(), pl.col("value").drop_nulls().sort().first())
            lines += [
                f"  {count:,} × {column or 'row'} {reason}" + (f', such as "{value}"' if value is not None else "")
                for column, reason, count, value in groups.sort(["len", "column", "reason"], descending=[True, False, False]).rows()
            ]
    if lines:
        raise InputError(*lines)
