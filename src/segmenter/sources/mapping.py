"""Raw rows of a shop become the canonical tables; rows that cannot be understood become rejects."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from segmenter import tables
from segmenter.contacts import Contacts, shown_columns
from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.money import LARGEST, digits
from segmenter.settings import FilesSettings, LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.customer_rows import check_extras, contacts_at_hand, read_customers
from segmenter.sources.expressions import columns_of
from segmenter.sources.reject_reasons import CONTACT, NO_KIND, REPEATED, no_amount, other_currency
from segmenter.sources.reject_share import check_share
from segmenter.sources.row_mapping import NEEDED, map_rows
from segmenter.sources.rows import Rows, reject_strangers, without_contacts
from segmenter.tables import Summary, Tables

if TYPE_CHECKING:
    from segmenter.engines.scan import Scanned

_MOST_KINDS = 60
_NONE: Mapping[str, pl.DataFrame] = MappingProxyType({})
# What a row adds to net spend. A refund with a positive amount is an order paid and given back whole: it adds nothing.
_ADDED = pl.when("back").then(pl.min_horizontal("paid", 0)).otherwise("paid")


def canonical_tables(
    raw: Mapping[str, pl.DataFrame],
    settings: MappingSettings,
    launch: LaunchSettings,
    *,
    unreadable: Mapping[str, pl.DataFrame] = _NONE,
    scan: "Callable[[pl.Series | None, Contacts], Scanned] | None" = None,
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
    scan : callable, optional
        Reads and adds up the orders, given the customers of the customers table and their contacts, where they are not in `raw`.
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
    >>> segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch).orders["amount"].to_list()
    [1250]
    """
    if launch.as_of is None:
        raise InputError(Message("launch.date_missing", "launch.as_of: is needed, as YYYY-MM-DD"))
    problems: list[str] = []
    rows = {name: map_rows(name, raw[name], settings, launch, problems) for name in NEEDED if name in raw}
    if "customers" in rows:
        problems += check_extras(rows["customers"], settings)
    if "orders" in rows and settings.orders.grain == "line" and "order_id" not in rows["orders"].found and not problems:
        sentence = "data.orders.columns.order_id: is needed where data.orders.grain is line: it says which lines are one order"
        problems.append(Message("files.order_id_needed", sentence))
    if problems:
        raise InputError(*problems, *_titles(raw, unreadable, settings, problems))
    customers, contacts, ids = None, None, None
    personal = contacts_at_hand(rows, settings)
    if "customers" in rows:
        customers, contacts = read_customers(rows["customers"], settings, launch, personal)
        ids = customers["customer_id"]
    orders: pl.DataFrame | Summary = tables.ORDERS.to_frame()
    spending = None
    scanned = None if scan is None else scan(ids, personal)
    if scanned is not None:
        orders = scanned.summary
    elif "orders" in rows:
        orders, spending = _orders(rows["orders"], settings, launch, ids, personal, categories=categories)
    events = _events(rows["events"], settings, launch, launch.as_of, ids, personal) if "events" in rows else tables.EVENTS.to_frame()
    brought = _referrals(rows["referrals"], settings, launch, ids) if "referrals" in rows else tables.REFERRALS.to_frame()
    lines = [_unreadable(item, unreadable[name]) for name, item in rows.items() if name in unreadable]
    rejects = pl.concat([tables.REJECTS.to_frame(), *(item.rejects() for item in rows.values()), *lines])
    reads = {name: item.reads for name, item in rows.items()}
    if scanned is not None:
        rejects, reads = pl.concat([scanned.rejects, rejects]), {"orders": scanned.reads, **reads}
    rejects = personal.without(rejects)
    check_share(reads, rejects, settings.max_reject_share)
    if ids is None and (events.height or brought.height):
        # Without a customers table, events of those who never ordered are visitors': nothing is wrong with them.
        before = orders.frame if isinstance(orders, Summary) else orders.filter(pl.col("time") < launch.as_of)
        people = before["customer_id"].unique().implode()
        events, brought = (_of(people, name, frame, reads, launch.as_of) for name, frame in (("events", events), ("referrals", brought)))
    return Tables(orders, customers, events, brought, contacts, rejects, reads, spending=spending)


def _of(people: pl.Series, name: str, frame: pl.DataFrame, reads: dict[str, dict[str, int]], as_of: date) -> pl.DataFrame:
    """Keep the rows of customers, and count the others."""
    known = pl.col("customer_id").is_in(people)
    if name in reads:
        visitors = frame.filter(~known & ((pl.col("time") < as_of) | pl.col("time").is_null())).height
        reads[name] |= {"visitors": visitors, "kept": reads[name]["kept"] - visitors}
    return frame.filter(known)


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
            sentence = (
                'data.skip_rows: should be the number of rows above the header of {table} (got {rows}, where "{shown}" seems to be a title)'
            )
            shown = tuple(shown_columns(columns).values())[:3]
            hints.append(Message("files.title", sentence, table=name, rows=settings.skip_rows, shown=shown))
    return hints


def _unreadable(rows: Rows, lines: pl.DataFrame) -> pl.DataFrame:
    rows.reads["rows"] += lines.height
    rows.reads["rejected"] += lines.height
    return lines.with_columns(value=pl.lit(None, dtype=pl.String))  # which may hold anything


def _orders(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, personal: Contacts, *, categories: bool
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Give the orders; and apart from them, as the lines of an order may differ in it, what was spent by category."""
    # What is called so but holds lists was not meant.
    category = categories and "category" in rows.found and not rows.found["category"].dtype.is_nested()
    if category:
        rows.found["category"] = without_contacts(rows, "category", fields.text(rows.found["category"]), personal)
    read = order_rows(rows, settings, launch, ids, category=category)
    spending = read.select("customer_id", "time", _ADDED.alias("amount"), "category") if category else None
    return placed_orders(read, settings.orders.grain), spending


def order_rows(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, *, category: bool = False
) -> pl.DataFrame:
    """Read the fields of order rows; what cannot be read becomes their rejects.

    Parameters
    ----------
    rows : Rows
        As `map_rows` gives them.
    settings : MappingSettings
        The column mappings.
    launch : LaunchSettings
        Its time zone and currency.
    ids : Series or None
        The customers of the customers table; rows of others are rejected.
    category : bool, optional
        Whether to read the category.

    Returns
    -------
    DataFrame
        The rows kept: ``customer_id``, ``order_id``, ``time``, ``paid`` (minor units), ``back`` (a refund or cancellation),
        ``province``, ``city``; ``category`` where it is asked for.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> raw = pl.DataFrame({"customer_id": ["a", None], "time": ["2026-06-30"] * 2, "amount": ["12.50"] * 2})
    >>> rows = map_rows("orders", raw, settings.data, settings.launch, [])
    >>> order_rows(rows, settings.data, settings.launch, None)["paid"].to_list(), rows.rejects()["reason"].to_list()
    ([1250], ['is empty'])
    """
    read, lines = settings.orders, settings.orders.grain == "line"
    most = f"{LARGEST // 10 ** digits(launch.currency):,}"
    amount = fields.amount(rows.found["amount"], launch.currency, settings.decimal)
    values = pl.DataFrame(
        {
            "customer_id": rows.id("customer_id"),
            "order_id": rows.id("order_id") if lines else rows.text("order_id"),
            "time": rows.time(read, launch.timezone),
            "paid": rows.read("amount", amount, no_amount(most)),
            "back": rows.found.get("refund", amount < 0).fill_null(value=False),
            "province": rows.text("province"),
            "city": rows.text("city"),
            **({"category": rows.text("category")} if category else {}),
        }
    )
    if "currency" in rows.found:
        other = (fields.currency(rows.found["currency"], launch.currency) != launch.currency).fill_null(value=False)
        rows.reject(other, "currency", other_currency(launch.currency))
    reject_strangers(rows, ids)
    if read.repeats == "drop":
        own = rows.source.select(columns_of(rows.source))
        rows.reject(~own.select(pl.struct(pl.all()).is_first_distinct()).to_series(), None, REPEATED)
    return rows.kept(values)


def placed_orders(rows: pl.DataFrame, grain: str) -> pl.DataFrame:
    """Turn order rows into canonical orders and refunds.

    Parameters
    ----------
    rows : DataFrame
        As `order_rows` gives them.
    grain : {"order", "line"}
        Whether a row is an order, or the rows of one ``order_id`` are.

    Returns
    -------
    DataFrame
        See `tables.ORDERS`.

    Examples
    --------
    >>> from datetime import datetime
    >>> rows = pl.DataFrame({"customer_id": "a", "order_id": "1", "time": datetime(2026, 6, 30), "paid": [500, -200],
    ...     "back": [False, True], "province": None, "city": None})
    >>> placed_orders(rows, "line").select("amount", "refund", "is_order").rows()
    [(300, 200, True)]
    """
    return _whole_orders(rows) if grain == "line" else _each_order(rows)


def _each_order(rows: pl.DataFrame) -> pl.DataFrame:
    back = pl.col("back") | (pl.col("paid") < 0)
    return rows.with_columns(
        amount=_ADDED,
        refund=pl.when(back).then(pl.col("paid").abs()).otherwise(0),
        is_order=~back,
    ).select(tables.ORDERS.names())


def _whole_orders(lines: pl.DataFrame) -> pl.DataFrame:
    """Add up the lines of each order: refunded lines are refunds, other negative lines discounts.

    Lines of another day stand apart, so that a launch in between sees only what there was; the first day's are the order.
    """
    paid = pl.col("paid").filter(~pl.col("back")).sum()
    days = lines.group_by("customer_id", "order_id", pl.col("time").dt.date().alias("day")).agg(
        time=pl.col("time").min(),
        paid=paid,
        credit=pl.min_horizontal(pl.col("paid").filter("back"), 0).sum(),
        returned=pl.col("paid").filter("back").abs().sum(),
        placed=(~pl.col("back")).any() & (paid >= 0),
        place=pl.struct("time", "province", "city").sort_by("time", "province", "city").last(),
    )
    first = pl.col("day") == pl.when("placed").then("day").min().over("customer_id", "order_id")
    return days.select(
        "customer_id",
        "order_id",
        "time",
        amount=pl.col("paid") + pl.col("credit"),
        refund=pl.col("returned") - pl.min_horizontal("paid", 0),
        is_order=pl.col("placed") & first.fill_null(value=False),
        province=pl.col("place").struct.field("province"),
        city=pl.col("place").struct.field("city"),
    )


def _events(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, as_of: date, ids: pl.Series | None, personal: Contacts
) -> pl.DataFrame:
    kind = rows.read("kind", fields.text(rows.found["kind"]).str.to_lowercase(), NO_KIND)
    rows.reject(personal.among(kind), "kind", CONTACT)
    values = pl.DataFrame({"customer_id": rows.id("customer_id"), "kind": kind, "time": rows.time(settings.events, launch.timezone)})
    reject_strangers(rows, ids)
    kept = rows.kept(values)
    kinds = kept.filter(pl.col("time") < as_of)["kind"].unique().sort()
    if len(kinds) > _MOST_KINDS:
        sentence = (
            "data.events.columns.kind: should have at most {most} different values (got {count:,}: {kinds}, …); "
            "map it by SQL: CASE WHEN … THEN 'visit' …"
        )
        shown = tuple(personal.shown(kinds.head(5), rows.columns["kind"]))
        raise InputError(Message("files.many_kinds", sentence, most=_MOST_KINDS, count=len(kinds), kinds=shown))
    return kept


def _referrals(rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None) -> pl.DataFrame:
    values = pl.DataFrame({"customer_id": rows.id("customer_id"), "friend_id": rows.id("friend_id")})
    timed = "time" in rows.found
    when = rows.time(settings.referrals, launch.timezone) if timed else pl.repeat(None, values.height, dtype=tables.TIME, eager=True)
    reject_strangers(rows, ids)
    return rows.kept(values.with_columns(when.alias("time")))
