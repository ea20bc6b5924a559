"""Order rows become canonical orders, or rejects: the one place that says which rows are orders and which are refunds."""

from dataclasses import dataclass

import polars as pl

from segmenter import tables
from segmenter.contacts import Contacts
from segmenter.measures.shop_orders import SingleOrders
from segmenter.money import LARGEST, digits
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.expressions import columns_of
from segmenter.sources.raw import Fingerprint
from segmenter.sources.reject_reasons import REPEATED, no_amount, other_currency
from segmenter.sources.rows import Rows, reject_strangers, without_contacts
from segmenter.tables import Orders

# What a row adds to net spend. A refund with a positive amount is an order paid and given back whole: it adds nothing.
_ADDED = pl.when("back").then(pl.min_horizontal("paid", 0)).otherwise("paid")


@dataclass(frozen=True)
class OrdersReading:
    """A shop's orders, and what became of their rows, wherever these were read."""

    orders: Orders
    reads: dict[str, int]  # ``rows = filtered + later + rejected + kept``
    rejects: pl.DataFrame  # see `tables.REJECTS`
    spending: pl.DataFrame | None = None  # see `tables.SPENDING`
    fingerprints: tuple[Fingerprint, ...] = ()
    warnings: tuple[str, ...] = ()


NO_ORDERS = OrdersReading(SingleOrders(tables.ORDERS.to_frame()), {}, tables.REJECTS.to_frame())


def map_orders(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, personal: Contacts, categories: bool
) -> OrdersReading:
    """Read order rows; apart from the orders, as the lines of an order may differ in it, what was spent by category."""
    # What is called so but holds lists was not meant.
    category = categories and "category" in rows.found and not rows.found["category"].dtype.is_nested()
    if category:
        rows.found["category"] = without_contacts(rows, "category", fields.text(rows.found["category"]), personal)
    read = order_rows(rows, settings, launch, ids, category=category)
    spending = read.select("customer_id", "time", _ADDED.alias("amount"), "category") if category else None
    return OrdersReading(SingleOrders(canonical_orders(read, settings.orders.grain)), rows.reads, rows.rejects(), spending)


def order_rows(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, *, category: bool = False
) -> pl.DataFrame:
    """Read the fields of order rows; what cannot be read becomes their rejects.

    Gives the rows kept: ``customer_id``, ``order_id``, ``time``, ``paid`` (minor units), ``back`` (a refund or cancellation),
    ``province``, ``city``; ``category`` where it is asked for.
    """
    read, lines = settings.orders, settings.orders.grain == "line"
    largest = f"{LARGEST // 10 ** digits(launch.currency):,}"
    amount = fields.amount(rows.found["amount"], launch.currency, settings.decimal)
    values = pl.DataFrame(
        {
            "customer_id": rows.id("customer_id"),
            "order_id": rows.id("order_id") if lines else rows.text("order_id"),
            "time": rows.time(read, launch.timezone),
            "paid": rows.read("amount", amount, no_amount(largest)),
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


def canonical_orders(rows: pl.DataFrame, grain: str) -> pl.DataFrame:
    """Turn order rows into canonical orders and refunds, as `tables.ORDERS`: of each row, or of the rows of one ``order_id``."""
    return _whole_orders(rows) if grain == "line" else _each_order(rows)


def _each_order(rows: pl.DataFrame) -> pl.DataFrame:
    back = pl.col("back") | (pl.col("paid") < 0)
    return rows.with_columns(
        amount=_ADDED,
        refund=pl.when(back).then(pl.col("paid").abs()).otherwise(0),
        is_order=~back,
    ).select(tables.ORDERS.names())


def _whole_orders(lines: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the lines of each order: refunded lines are refunds, other negative lines discounts.

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
