"""Order rows become canonical orders, or rejects; which are orders and which are refunds, `measures.definition` says."""

from dataclasses import dataclass

import narwhals as nw
import polars as pl

from segmenter import tables
from segmenter.contacts import Contacts
from segmenter.findings import Finding
from segmenter.measures.definition import order_values, places, rows_of, whole_orders
from segmenter.measures.shop_orders import SingleOrders
from segmenter.money import LARGEST, digits
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.expressions import columns_of
from segmenter.sources.raw import Fingerprint
from segmenter.sources.reject_reasons import NO_AMOUNT, OTHER_CURRENCY, TWO_READINGS, with_facts
from segmenter.sources.rows import Rows, reject_strangers, without_contacts
from segmenter.tables import NO_PROFILE, Orders, OrdersProfile, Summary


@dataclass(frozen=True)
class OrdersReading:
    """A shop's orders, and what became of their rows, wherever these were read."""

    orders: Orders
    reads: dict[str, int]  # ``rows = filtered + dropped + later + rejected + kept``; `dropped` only where the config asks for it
    rejects: pl.DataFrame  # see `tables.REJECTED`
    spending: pl.DataFrame | None = None  # see `tables.SPENDING`
    fingerprints: tuple[Fingerprint, ...] = ()
    warnings: tuple[str, ...] = ()
    profile: OrdersProfile = NO_PROFILE
    findings: tuple[Finding, ...] = ()
    turnover: int = 0  # of the rows kept from before the as-of date: amounts and refunds added up, in minor units


NO_ORDERS = OrdersReading(SingleOrders(tables.ORDERS.to_frame()), {}, tables.REJECTED.to_frame())


def map_orders(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, personal: Contacts, categories: bool
) -> OrdersReading:
    """Read order rows; apart from the orders, as the lines of an order may differ in it, what was spent by category."""
    # What is called so but holds lists was not meant.
    category = categories and "category" in rows.fields and not rows.fields["category"].dtype.is_nested()
    if category:
        rows.fields["category"] = without_contacts(rows, "category", fields.text(rows.fields["category"]), personal)
    read = order_rows(rows, settings, launch, ids, category=category)
    spending = _with_values(read).select(tables.SPENDING.names()) if category else None
    before = read.filter(pl.col("time") < launch.as_of)
    profile = OrdersProfile(_by_day(before), NO_PROFILE.by_status)
    orders = SingleOrders(canonical_orders(read, settings.orders.grain))
    turnover = int(before["paid"].abs().sum())
    found = tuple(rows.findings)
    return OrdersReading(orders, rows.reads, rows.rejects(), spending, profile=profile, findings=found, turnover=turnover)


def turnover(summary: Summary) -> int:
    """Give what `OrdersReading` calls so, of orders that were aggregated."""
    return int(summary.frame.select((pl.col("spend") + 2 * pl.col("refunds")).sum()).item() or 0)


def _by_day(rows: pl.DataFrame) -> pl.DataFrame:
    net = _with_values(rows).select(day=pl.col("time").dt.date(), amount="amount")
    return net.group_by("day").agg(rows=pl.len().cast(pl.Int64), amount=pl.col("amount").sum()).sort("day")


def order_rows(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, *, category: bool = False
) -> pl.DataFrame:
    """Read the fields of order rows and give those kept: ``paid`` is in minor units, ``back`` a refund or cancellation."""
    read, lines = settings.orders, settings.orders.grain == "line"
    largest = f"{LARGEST // 10 ** digits(launch.currency):,}"
    amount = fields.amount(rows.fields["amount"], launch.currency, rows.amount_format)
    rows.worth = lambda some: amount.filter(some).fill_null(fields.any_amount(rows.fields["amount"].filter(some), launch.currency))
    if rows.amount_format.doubtful:
        rows.reject(rows.amount_format.in_doubt(fields.decode(rows.fields["amount"]), launch.currency), "amount", TWO_READINGS)
    values = pl.DataFrame(
        {
            "customer_id": rows.id("customer_id"),
            "order_id": rows.id("order_id") if lines else rows.text("order_id"),
            "time": rows.time(read, launch.timezone),
            "paid": rows.read("amount", amount, with_facts(NO_AMOUNT, largest=largest)),
            "back": rows.fields.get("refund", amount < 0).fill_null(value=False),
            "province": rows.text("province"),
            "city": rows.text("city"),
            **({"category": rows.text("category")} if category else {}),
        }
    )
    if "currency" in rows.fields:
        other = (fields.currency(rows.fields["currency"], launch.currency) != launch.currency).fill_null(value=False)
        rows.reject(other, "currency", with_facts(OTHER_CURRENCY, currency=launch.currency))
    reject_strangers(rows, ids)
    if read.repeats == "drop":
        own = rows.source.select(columns_of(rows.source))
        rows.drop(~own.select(pl.struct(pl.all()).is_first_distinct()).to_series())
    return rows.drop_rejected(values)


def canonical_orders(rows: pl.DataFrame, grain: str) -> pl.DataFrame:
    """Turn order rows into canonical orders and refunds, as `tables.ORDERS`: of each row, or of the rows of one ``order_id``."""
    if grain == "order":
        return _with_values(rows).select(tables.ORDERS.names())
    orders: pl.DataFrame = whole_orders(nw.from_native(rows_of(rows).lazy())).to_native().collect()
    return orders.with_columns(pl.col("time_us").cast(tables.TIME).alias("time"), **places()).select(tables.ORDERS.names())


def _with_values(rows: pl.DataFrame) -> pl.DataFrame:
    return nw.from_native(rows).with_columns(**order_values()).to_native()
