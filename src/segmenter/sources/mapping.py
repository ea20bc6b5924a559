"""Raw rows of a shop become the canonical tables; rows that cannot be understood become rejects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import polars as pl

from segmenter import tables
from segmenter.checks.freshness import check_freshness
from segmenter.checks.nobody import Nobody
from segmenter.checks.reject_summary import TableSource, summarize_rejects
from segmenter.contacts import Contacts
from segmenter.errors import InputError
from segmenter.findings import Finding, messages_of, raise_stops
from segmenter.messages import Message
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.customer_ids import COUNTS, join_spellings, judge_ids, tell_strangers
from segmenter.sources.customer_rows import add_contacts, check_extras, find_contacts, read_customers
from segmenter.sources.expressions import FILE
from segmenter.sources.file_format import say_headers
from segmenter.sources.order_rows import NO_ORDERS, OrdersReading, map_orders
from segmenter.sources.reach import read_reach
from segmenter.sources.reject_reasons import CONTACT, NO_KIND, reason_of
from segmenter.sources.row_mapping import NEEDED, map_rows
from segmenter.sources.rows import Rows, reject_strangers
from segmenter.sources.shop_currency import take_currency, tell_other_signs
from segmenter.sources.tie_rows import read_ties, tell_unknown
from segmenter.sources.visit_rows import read_visits
from segmenter.tables import Tables

_MAX_KINDS = 60
_REFERRED = ("customer_id", "friend_id")
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
    currency: str  # the launch's
    spellings: pl.DataFrame  # ids that are taken for one: ``customer_id``, ``becomes``
    applicants: pl.DataFrame | None = None
    visits: pl.DataFrame | None = None
    reach: pl.DataFrame | None = None  # ``customer_id`` and `tables.REACH`
    findings: Sequence[Finding] = ()  # of how they can be reached
    ties: pl.DataFrame | None = None

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
        ``orders``, ``customers``, ``events``, ``referrals``, ``applicants``, ``visits``, ``ties``: those that there are, with the shop's
        own columns.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency. Rows at or after the as-of date are kept, but never reported as rejects.
    unreadable : mapping of str to DataFrame, optional
        For a table of `raw`, lines of its source that could not be split into fields, as `tables.REJECTS`. Nothing says
        of which date they are: they count as rejected rows.
    categories : bool, optional
        Whether to keep the orders' categories, where they have any: they take memory.

    Returns
    -------
    Tables
        With the rejects, and for each table ``rows = filtered + dropped + later + rejected + kept``, and ``visitors``
        where events of those who never ordered are left aside; ``noted`` counts cells that could not be read in rows kept.
        The rejects show contacts by their shape, see `segmenter.contacts`.

    Raises
    ------
    InputError
        A mapped column is missing, amounts can be read in two ways, or more rows, or more money, than `max_reject_share` are rejected.

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
    raw: Mapping[str, pl.DataFrame],
    settings: MappingSettings,
    launch: LaunchSettings,
    *,
    unreadable: Mapping[str, pl.DataFrame] = _NONE,
    streamed: pl.DataFrame | None = None,
) -> ShopRows:
    """Map raw rows, and read those of all tables but the orders; see `canonical_tables`. `streamed` are ids of orders elsewhere."""
    if launch.as_of is None:
        raise InputError(Message("launch.date_missing", "launch.as_of: is needed, as YYYY-MM-DD"))
    problems: list[str] = []
    rows = {name: map_rows(name, raw[name], settings, launch, problems) for name in NEEDED if name in raw}
    for name in ("customers", "applicants"):
        problems += check_extras(rows[name], settings) if name in rows else []
    if problems:
        raise InputError(*problems, *say_headers(raw, unreadable, settings, problems))
    if "orders" in rows:
        take_currency(rows["orders"], launch.currency)
    joined = pl.DataFrame(schema={"customer_id": pl.String, "becomes": pl.String})
    if settings.ids == "mended":
        joined = join_spellings(rows, COUNTS.to_frame() if streamed is None else streamed)
    customers, contacts, ids = None, None, None
    reach: tuple[pl.DataFrame | None, Sequence[Finding]] = (None, ())
    personal = find_contacts(rows, settings)
    if "customers" in rows:
        customers, contacts = read_customers(rows["customers"], settings, personal)
    applicants = None
    if "applicants" in rows:
        people, theirs = read_customers(rows["applicants"], settings, personal)
        people = people.filter((pl.col("joined") < launch.as_of).fill_null(value=True))
        applicants = people.select(tables.APPLICANTS.names())
        contacts = add_contacts(contacts, theirs.join(people, on="customer_id", how="semi", maintain_order="left"))
        if customers is not None:
            new = people.drop("applied_by").join(customers, on="customer_id", how="anti", maintain_order="left")
            customers = pl.concat([customers, new], how="diagonal")
    if customers is not None:
        ids = customers["customer_id"]
    if customers is not None and contacts is not None and settings.customers.contact:
        later = customers.filter(pl.col("joined") >= launch.as_of)["customer_id"]
        reach = read_reach(contacts, launch, ~contacts["customer_id"].is_in(later.implode()))
    events = _events(rows["events"], settings, launch, launch.as_of, ids, personal) if "events" in rows else tables.EVENTS.to_frame()
    brought = _referrals(rows["referrals"], settings, launch, ids) if "referrals" in rows else tables.REFERRALS.to_frame()
    visits = read_visits(rows["visits"], settings, launch) if "visits" in rows else None
    kept = (personal, customers, contacts, events, brought, launch.currency, joined, applicants, visits)
    ties = read_ties(rows["ties"], settings, launch) if "ties" in rows else None
    return ShopRows(settings, launch.as_of, rows, unreadable, *kept, *reach, ties)


def shop_tables(shop: ShopRows, orders: OrdersReading, *, stops: bool = True) -> Tables:
    """Join a shop's orders to its other tables, and see that nothing stops a launch: too many rejects, or a finding."""
    lines = [_unreadable(rows, shop.unreadable[name]) for name, rows in shop.rows.items() if name in shop.unreadable]
    others = {name: rows for name, rows in shop.rows.items() if name != "orders"}
    reads = ({"orders": orders.reads} if orders.reads else {}) | {name: rows.reads for name, rows in others.items()}
    own = [orders.rejects, *(rows.rejects() for rows in others.values())]
    rejects = shop.personal.without(pl.concat([tables.REJECTED.to_frame(), *own, *lines], how="diagonal"))
    rejects = rejects.with_columns(pl.col("kept").fill_null(value=False))
    strangers = [*tell_strangers(pl.concat(own), shop.ids), *tell_other_signs(pl.concat(own), shop.currency)]
    if stops:  # which say more than that many rows were rejected
        raise_stops(orders.findings)
    left_out = _rejects(shop, orders, reads, rejects)
    if stops and (many := messages_of(left_out, "stop")):
        raise InputError(*many, *messages_of(strangers, "warning"))
    events, referrals = shop.events, shop.referrals
    if shop.customers is None and (events.height or referrals.height):
        # Without a customers table, events of those who never ordered are visitors': nothing is wrong with them.
        ids = orders.orders.customers(shop.as_of).implode()
        events, referrals = (
            _drop_visitors(ids, name, frame, reads, shop.as_of) for name, frame in (("events", events), ("referrals", referrals))
        )
    nobody = _judge_ids(shop, orders)
    own_findings = [found for rows in others.values() for found in rows.findings]
    read = (*check_freshness(orders.profile, shop.as_of), *orders.findings, *own_findings, *left_out, *strangers)
    known = shop.ids if shop.ids is not None else orders.orders.customers(shop.as_of)
    findings = (*read, *shop.findings, *nobody.findings, *tell_unknown(shop.ties, known, shop.personal))
    if stops:
        raise_stops(findings)
    return Tables(
        orders.orders,
        shop.customers,
        events,
        referrals,
        shop.contacts,
        rejects.select(tables.REJECTS.names()),
        reads,
        applicants=shop.applicants,
        visits=shop.visits,
        ties=shop.ties,
        reach=shop.reach,
        spending=orders.spending,
        profile=orders.profile,
        findings=findings,
        not_customers=nobody.ids,
    )


def _judge_ids(shop: ShopRows, orders: OrdersReading) -> Nobody:
    before = pl.col("time") < shop.as_of
    events, brought = shop.events.filter(before), shop.referrals.filter(before | pl.col("time").is_null())
    customers = None
    if shop.customers is not None and shop.contacts is not None:
        known = shop.customers.filter((pl.col("joined") < shop.as_of).fill_null(value=True)).select("customer_id")
        customers = known.join(shop.contacts.select(pl.col("customer_id", "^name$")), on="customer_id", how="left")
    others = [events["customer_id"], *(brought[name] for name in _REFERRED)]
    others += [] if shop.applicants is None else [shop.applicants["customer_id"]]
    others += [] if shop.ties is None else [shop.ties["from_id"], shop.ties["to_id"]]
    return judge_ids(orders.orders.totals(shop.as_of), customers, others, shop.settings, shop.spellings, orders.contacts_of)


def _rejects(shop: ShopRows, orders: OrdersReading, reads: Mapping[str, Mapping[str, int]], rejects: pl.DataFrame) -> list[Finding]:
    """Say what the rejected rows hold."""
    files = {name: rows.source[FILE].n_unique() for name, rows in shop.rows.items()}
    known = {name: TableSource(files=count) for name, count in files.items()}
    known["orders"] = TableSource(orders.turnover, max(len(orders.fingerprints), files.get("orders", 1)), orders.orders.days)
    return summarize_rejects(
        reads,
        rejects,
        known,
        currency=shop.currency,
        decimal=shop.settings.decimal,
        max_share=shop.settings.max_reject_share,
        reason_of=reason_of,
    )


def _drop_visitors(ids: pl.Series, name: str, frame: pl.DataFrame, reads: dict[str, dict[str, int]], as_of: date) -> pl.DataFrame:
    """Keep the rows of customers, and count the others."""
    known = pl.col("customer_id").is_in(ids)
    if name in reads:
        visitors = frame.filter(~known & ((pl.col("time") < as_of) | pl.col("time").is_null())).height
        reads[name] |= {"visitors": visitors, "kept": reads[name]["kept"] - visitors}
    return frame.filter(known)


def _unreadable(rows: Rows, lines: pl.DataFrame) -> pl.DataFrame:
    rows.reads["rows"] += lines.height
    rows.reads["rejected"] += lines.height
    return lines.with_columns(value=pl.lit(None, dtype=pl.String))  # which may hold anything


def _events(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, as_of: date, ids: pl.Series | None, personal: Contacts
) -> pl.DataFrame:
    kind = rows.read("kind", fields.text(rows.fields["kind"]).str.to_lowercase(), NO_KIND)
    rows.reject(personal.among(kind), "kind", CONTACT)
    values = pl.DataFrame({"customer_id": rows.id("customer_id"), "kind": kind, "time": rows.time(settings.events)})
    reject_strangers(rows, ids)
    kept = rows.drop_rejected(values)
    kinds = kept.filter(pl.col("time") < as_of)["kind"].unique().sort()
    if len(kinds) > _MAX_KINDS:
        sentence = (
            "data.events.columns.kind: should have at most {most} different values (got {count:,}: {kinds}, …); "
            "map it by SQL: CASE WHEN … THEN 'visit' …"
        )
        shown = tuple(personal.show(kinds.head(5), rows.columns["kind"]))
        raise InputError(Message("files.many_kinds", sentence, most=_MAX_KINDS, count=len(kinds), kinds=shown))
    return kept


def _referrals(rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None) -> pl.DataFrame:
    values = pl.DataFrame({"customer_id": rows.id("customer_id"), "friend_id": rows.id("friend_id")})
    timed = "time" in rows.fields
    when = rows.time(settings.referrals) if timed else pl.repeat(None, values.height, dtype=tables.TIME, eager=True)
    reject_strangers(rows, ids)
    return rows.drop_rejected(values.with_columns(when.alias("time")))
