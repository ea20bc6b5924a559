"""Raw rows of a shop become the canonical tables; rows that cannot be understood become rejects."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import polars as pl

from segmenter import tables
from segmenter.contacts import Contacts, shown_columns
from segmenter.errors import InputError, nearest
from segmenter.settings import FilesSettings, LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.expressions import columns_of
from segmenter.sources.order_rows import NO_ORDERS, OrdersReading, map_orders
from segmenter.sources.rows import CONTACT, NEEDED, Rows, map_rows, reject_strangers, without_contacts
from segmenter.tables import Tables

_MOST_KINDS = 60
_FLAGS = ("do_not_contact", "blocked", "staff")
_NONE: Mapping[str, pl.DataFrame] = MappingProxyType({})


@dataclass(frozen=True)
class ShopRows:
    """A shop's mapped rows, and all tables made of them but the orders, which need the customers and their contacts first."""

    settings: MappingSettings
    as_of: date
    rows: Mapping[str, Rows]
    unreadable: Mapping[str, pl.DataFrame]
    personal: Contacts
    customers: pl.DataFrame | None
    contacts: pl.DataFrame | None
    events: pl.DataFrame
    referrals: pl.DataFrame

    @property
    def ids(self) -> pl.Series | None:
        """The customers of the customers table; None where there is none."""
        return None if self.customers is None else self.customers["customer_id"]


def canonical_tables(
    raw: Mapping[str, pl.DataFrame],
    settings: MappingSettings,
    launch: LaunchSettings,
    *,
    unreadable: Mapping[str, pl.DataFrame] = _NONE,
    categories: bool = True,
) -> Tables:
    """Map raw rows to the canonical tables.

    Parameters
    ----------
    raw : mapping of str to DataFrame
        ``orders``, ``customers``, ``events``, ``referrals``: those that there are, with the shop's own columns.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency. Rows at or after the as-of date are kept, but never reported as rejects.
    unreadable : mapping of str to DataFrame, optional
        For a table of `raw`, lines of its source that could not be told apart into fields, as `tables.REJECTS`. Nothing says
        of which date they are: they count as rejected rows.
    categories : bool, optional
        Whether to keep the orders' categories, where they have any: they take memory.

    Returns
    -------
    Tables
        With the rejects, and for each table ``rows = filtered + later + rejected + kept``, and ``visitors``
        where events of those who never ordered are left aside; ``noted`` counts cells that could not be read in rows kept.
        The rejects show contacts by their shape, see `segmenter.contacts`.

    Raises
    ------
    InputError
        A mapped column is missing, or more rows than `max_reject_share` are rejected.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a"], "time": ["2026-06-30"], "amount": ["12.50"]})
    >>> segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch).orders.single()["amount"].to_list()
    [1250]
    """
    shop = map_shop(raw, settings, launch, unreadable=unreadable)
    rows = shop.rows.get("orders")
    orders = NO_ORDERS if rows is None else map_orders(rows, settings, launch, shop.ids, shop.personal, categories)
    return shop_tables(shop, orders)


def map_shop(
    raw: Mapping[str, pl.DataFrame], settings: MappingSettings, launch: LaunchSettings, *, unreadable: Mapping[str, pl.DataFrame] = _NONE
) -> ShopRows:
    """Map raw rows, and read those of all tables but the orders; see `canonical_tables`."""
    if launch.as_of is None:
        raise InputError("launch.as_of: is needed, as YYYY-MM-DD")
    problems: list[str] = []
    rows = {name: map_rows(name, raw[name], settings, launch, problems) for name in NEEDED if name in raw}
    if "customers" in rows:
        problems += _missing_extras(rows["customers"], settings)
    if "orders" in rows and settings.orders.grain == "line" and "order_id" not in rows["orders"].found and not problems:
        problems.append("data.orders.columns.order_id: is needed where data.orders.grain is line: it says which lines are one order")
    if problems:
        raise InputError(*problems, *_titles(raw, unreadable, settings, problems))
    customers, contacts, ids = None, None, None
    personal = _contacts(rows, settings)
    if "customers" in rows:
        customers, contacts = _customers(rows["customers"], settings, launch, personal)
        ids = customers["customer_id"]
    events = _events(rows["events"], settings, launch, launch.as_of, ids, personal) if "events" in rows else tables.EVENTS.to_frame()
    brought = _referrals(rows["referrals"], settings, launch, ids) if "referrals" in rows else tables.REFERRALS.to_frame()
    return ShopRows(settings, launch.as_of, rows, unreadable, personal, customers, contacts, events, brought)


def shop_tables(shop: ShopRows, orders: OrdersReading) -> Tables:
    """Join a shop's orders to its other tables, and see that not too many rows were rejected."""
    lines = [_unreadable(rows, shop.unreadable[name]) for name, rows in shop.rows.items() if name in shop.unreadable]
    others = {name: rows for name, rows in shop.rows.items() if name != "orders"}
    reads = ({"orders": orders.reads} if orders.reads else {}) | {name: rows.reads for name, rows in others.items()}
    rejects = [orders.rejects, *(rows.rejects() for rows in others.values())]
    found = shop.personal.without(pl.concat([*rejects, *lines]))
    _check_share(reads, found, shop.settings.max_reject_share)
    events, referrals = shop.events, shop.referrals
    if shop.customers is None and (events.height or referrals.height):
        # Without a customers table, events of those who never ordered are visitors': nothing is wrong with them.
        ids = orders.orders.customers(shop.as_of).implode()
        events, referrals = (_of(ids, name, frame, reads, shop.as_of) for name, frame in (("events", events), ("referrals", referrals)))
    return Tables(orders.orders, shop.customers, events, referrals, shop.contacts, found, reads, spending=orders.spending)


def _of(ids: pl.Series, name: str, frame: pl.DataFrame, reads: dict[str, dict[str, int]], as_of: date) -> pl.DataFrame:
    """Keep the rows of customers, and count the others."""
    known = pl.col("customer_id").is_in(ids)
    if name in reads:
        visitors = frame.filter(~known & ((pl.col("time") < as_of) | pl.col("time").is_null())).height
        reads[name] |= {"visitors": visitors, "kept": reads[name]["kept"] - visitors}
    return frame.filter(known)


def _contacts(rows: Mapping[str, Rows], settings: MappingSettings) -> Contacts:
    """Find the columns that are contacts by the mapping or by name, and that are mapped to nothing else."""
    columns = {*settings.customers.contact, *(rows["customers"].columns.get("name", ()) if "customers" in rows else ())}
    personal = Contacts(frozenset(columns))
    known = []
    for name, table in rows.items():
        used = {column for field, found in table.columns.items() if field != "name" for column in found}
        own = set(columns_of(table.source)) - used - (set(settings.customers.attributes) if name == "customers" else set())
        known += [table.source[column] for column in sorted(own) if personal.is_contact(column)]
    return Contacts(personal.columns, known)


def _missing_extras(customers: Rows, settings: MappingSettings) -> list[str]:
    known = columns_of(customers.source)
    near = shown_columns(known).values()
    asked = {"contact": settings.customers.contact, "attributes": settings.customers.attributes}
    missing = [
        f'data.customers.{key}: there is no column "{column}"{nearest(column, near)}'
        for key, columns in asked.items()
        for column in columns
        if column not in known
    ]
    personal = Contacts(frozenset({*settings.customers.contact, *customers.columns.get("name", ())}))
    way_out = "name it in data.customers.contact instead; if it is none, give the column another name"
    return missing + [
        f'data.customers.attributes: "{column}" is a contact by its name or by the mapping, which only the call sheets may show; {way_out}'
        for column in settings.customers.attributes
        if personal.is_contact(column)
    ]


def _titles(
    raw: Mapping[str, pl.DataFrame], unreadable: Mapping[str, pl.DataFrame], settings: MappingSettings, problems: list[str]
) -> list[str]:
    """Say of tables with problems where the header seems to be a title above it: hardly a cell in it has a name."""
    hints: list[str] = []
    if not isinstance(settings, FilesSettings):
        return hints
    for name, frame in raw.items():
        columns = columns_of(frame)
        unnamed = sum(re.fullmatch(r"column_\d+", column) is not None for column in columns)
        longer = len(columns) == 1 and name in unreadable and unreadable[name].height > 0
        if (2 * unnamed >= len(columns) or longer) and any(problem.startswith(f"data.{name}.") for problem in problems):
            shown = ", ".join(list(shown_columns(columns).values())[:3])
            got = f'{settings.skip_rows}, where "{shown}" seems to be a title'
            hints.append(f"data.skip_rows: should be the number of rows above the header of {name} (got {got})")
    return hints


def _unreadable(rows: Rows, lines: pl.DataFrame) -> pl.DataFrame:
    rows.reads["rows"] += lines.height
    rows.reads["rejected"] += lines.height
    return lines.with_columns(value=pl.lit(None, dtype=pl.String))  # which may hold anything


def _attributes(rows: Rows, attributes: Sequence[str], personal: Contacts) -> dict[str, pl.Series]:
    """Give the attributes without the contacts in them; refuse those that are little else."""
    found, problems = {}, []
    for name in attributes:
        rows.columns[key := f"attribute {name}"] = [name]
        values = fields.text(rows.source[name])
        found[name] = without_contacts(rows, key, values, personal)
        if 2 * (lost := found[name].null_count() - values.null_count()) > (given := values.count()):
            rule = f"holds contacts in {lost:,} of {given:,} rows, which only the call sheets may show"
            problems.append(f'data.customers.attributes: "{name}" {rule}; name it in data.customers.contact instead')
    if problems:
        raise InputError(*problems)
    return found


def _customers(rows: Rows, settings: MappingSettings, launch: LaunchSettings, personal: Contacts) -> tuple[pl.DataFrame, pl.DataFrame]:
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
    values |= _attributes(rows, read.attributes, personal)
    contact = {"name": rows.text("name")} if "name" in rows.found else {}
    contact |= {name: fields.text(rows.source[name]) for name in read.contact}
    frame = pl.DataFrame({**values, **{f"contact {name}": column for name, column in contact.items()}})
    # Rows that say the same of a customer are one, as in an order export read as customers; of others the first in an order
    # of their content stands, wherever it stood in the file, and one from before the as-of date before a later one.
    later = pl.DataFrame(
        {"later": ~rows.counted, "customer_id": frame["customer_id"], "place": frame.select(pl.struct(pl.all()).rank("min")).to_series()}
    )
    standing = pl.struct("later", "place")
    first = later.select(standing == standing.sort_by("later", "place").first().over("customer_id")).to_series()
    rows.reject(~first, "customer_id", "stands in the table more than once, with other values (one row was kept)")
    flagged = frame.with_columns(pl.col(name).max().over("customer_id", rows.counted) for name in _FLAGS)
    kept = rows.kept(flagged).unique("customer_id", keep="first", maintain_order=True)
    contacts = kept.select("customer_id", *(pl.col(f"contact {name}").alias(name) for name in contact))
    return kept.select(*tables.CUSTOMERS.names(), *read.attributes), contacts


def _events(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, as_of: date, ids: pl.Series | None, personal: Contacts
) -> pl.DataFrame:
    kind = rows.read("kind", fields.text(rows.found["kind"]).str.to_lowercase(), "is no kind")
    rows.reject(personal.among(kind), "kind", CONTACT)
    values = pl.DataFrame({"customer_id": rows.id("customer_id"), "kind": kind, "time": rows.time(settings.events, launch.timezone)})
    reject_strangers(rows, ids)
    kept = rows.kept(values)
    kinds = kept.filter(pl.col("time") < as_of)["kind"].unique().sort()
    if len(kinds) > _MOST_KINDS:
        shown = ", ".join(personal.shown(kinds.head(5), rows.columns["kind"]))
        rule = f"should have at most {_MOST_KINDS} different values (got {len(kinds):,}: {shown}, …)"
        raise InputError(f"data.events.columns.kind: {rule}; map it by SQL: CASE WHEN … THEN 'visit' …")
    return kept


def _referrals(rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None) -> pl.DataFrame:
    values = pl.DataFrame({"customer_id": rows.id("customer_id"), "friend_id": rows.id("friend_id")})
    timed = "time" in rows.found
    when = rows.time(settings.referrals, launch.timezone) if timed else pl.repeat(None, values.height, dtype=tables.TIME, eager=True)
    reject_strangers(rows, ids)
    return rows.kept(values.with_columns(when.alias("time")))


def _check_share(reads: Mapping[str, Mapping[str, int]], rejects: pl.DataFrame, most: float) -> None:
    lines = []
    for name, counts in reads.items():
        rejected, counted = counts["rejected"], counts["rejected"] + counts["kept"]
        if rejected and (rejected > most * counted or not counts["kept"]):
            whole = "all" if rejected == counted else f"{rejected / counted:.1%}"
            allowed = f"data.max_reject_share allows {100 * most:g}%. Mend the rows or the mapping, or allow more:"
            lines.append(f"{name}: {whole} of {counted:,} rows were rejected; {allowed}")
            # Of a whole row its place is shown rather than its text, which may hold a phone number.
            place = pl.format("row {} of {}", "row", "file").sort_by("file", "row").drop_nulls().first()
            value = pl.format('"{}"', "value").drop_nulls().sort().first()
            groups = (
                rejects.filter(table=name)
                .group_by("column", "reason")
                .agg(pl.len(), pl.when(pl.col("column").first().is_null()).then(place).otherwise(value).alias("example"))
            )
            lines += [
                f"  {count:,} × {column or 'row'} {reason}" + (f", such as {example}" if example is not None else "")
                for column, reason, count, example in groups.sort(["len", "column", "reason"], descending=[True, False, False]).rows()
            ]
    if lines:
        raise InputError(*lines)
