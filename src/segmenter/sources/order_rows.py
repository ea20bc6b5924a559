"""Order rows become canonical orders, or rejects; which are orders and which are refunds, `measures.definition` says."""

from dataclasses import dataclass

import narwhals as nw
import polars as pl

from segmenter import tables
from segmenter.checks.nobody import ContactsOf, no_contacts
from segmenter.checks.order_customers import check_customers
from segmenter.checks.order_status import status_findings
from segmenter.contacts import Contacts
from segmenter.findings import Finding
from segmenter.measures.definition import NEAR, order_values, rows_of, whole_orders
from segmenter.measures.shop_orders import SingleOrders
from segmenter.money import LARGEST, digits
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.addresses import read_places
from segmenter.sources.customer_ids import contacts_of_rows
from segmenter.sources.expressions import FILE, columns_of
from segmenter.sources.file_days import days_of_files, join_days
from segmenter.sources.fill_down import first_lines
from segmenter.sources.order_checks import OrderChecks, share_once
from segmenter.sources.order_statuses import by_status, status_column, statuses
from segmenter.sources.raw import Fingerprint
from segmenter.sources.reject_reasons import EMPTY, NO_AMOUNT, OTHER_CURRENCY, TWO_READINGS, with_facts
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
    contacts_of: ContactsOf = no_contacts  # of who is behind ids
    turnover: int = 0  # of the rows kept from before the as-of date: amounts and refunds added up, in minor units


NO_ORDERS = OrdersReading(SingleOrders(tables.ORDERS.to_frame()), {}, tables.REJECTED.to_frame())


def map_orders(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, personal: Contacts, categories: bool
) -> OrdersReading:
    """Read order rows; apart from the orders, as the lines of an order may differ in it, what was spent by category."""
    category = categories and "category" in rows.fields
    if category:
        rows.fields["category"] = without_contacts(rows, "category", fields.text(rows.fields["category"]), personal)
    values = order_values_of(rows, settings, launch, ids, category=category)
    if not rows.good.all() or 0 < values["order_id"].null_count() < values.height:
        rows.findings += first_lines(rows)
    checks = OrderChecks(rows, values, settings, launch)
    if settings.orders.repeats == "latest":
        checks.earlier()
    grain = checks.grain()
    if grain.grain == "line":
        rows.reject(values["order_id"].is_null(), "order_id", EMPTY)
    near = 0 if grain.used_again else NEAR
    if status := status_column(rows):
        values = values.with_columns(statuses(rows, status))
    read = checks.refunds(rows.drop_rejected(values.with_row_index("at"))).drop("at")
    if grain.once:
        read = share_once(read)
    spending = _with_values(read).select(tables.SPENDING.names()) if category else None
    assert launch.as_of is not None
    before = read.filter(pl.col("time") < launch.as_of)
    of_statuses = by_status(rows, before, status, settings, launch) if status else NO_PROFILE.by_status
    profile = OrdersProfile(_by_day(before), of_statuses, join_days(days_of_files(before, launch.as_of)))
    if status:
        checks.findings += status_findings(profile.by_status, status, launch.currency)
    orders = canonical_orders(read, grain.grain, near)
    return OrdersReading(
        SingleOrders(orders),
        rows.reads,
        rows.rejects(),
        spending,
        profile=profile,
        findings=(*rows.findings, *checks.findings, *_customer_findings(orders, checks, launch)),
        contacts_of=contacts_of_rows(rows, personal),
        turnover=int(before["paid"].abs().sum()),
    )


def turnover(summary: Summary) -> int:
    """Give what `OrdersReading` calls so, of orders that were aggregated."""
    return int(summary.frame.select((pl.col("spend") + 2 * pl.col("refunds")).sum()).item() or 0)


def _customer_findings(orders: pl.DataFrame, checks: OrderChecks, launch: LaunchSettings) -> tuple[Finding, ...]:
    before = orders.filter(pl.col("time") < launch.as_of)
    customers = before.group_by("customer_id").agg(pl.col("is_order").sum().alias("orders"), pl.col("amount").sum().alias("net"))
    return check_customers(customers["orders"], customers["net"], launch.currency, checks.people)


def _by_day(rows: pl.DataFrame) -> pl.DataFrame:
    net = _with_values(rows).select(day=pl.col("time").dt.date(), amount="amount")
    return net.group_by("day").agg(rows=pl.len().cast(pl.Int64), amount=pl.col("amount").sum()).sort("day")


def order_rows(rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None) -> pl.DataFrame:
    """Read the fields of order rows and give those kept, where what a row is was decided before."""
    return rows.drop_rejected(order_values_of(rows, settings, launch, ids))


def order_values_of(
    rows: Rows, settings: MappingSettings, launch: LaunchSettings, ids: pl.Series | None, *, category: bool = False
) -> pl.DataFrame:
    """Read the fields of order rows: ``paid`` is in minor units, ``back`` a refund or cancellation."""
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
            "time": rows.time(read),
            "paid": rows.read("amount", amount, with_facts(NO_AMOUNT, largest=largest)),
            "back": rows.fields.get("refund", amount < 0).fill_null(value=False),
            **read_places(rows),
            "file": rows.source[FILE],
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
    return values


def canonical_orders(rows: pl.DataFrame, grain: str, near: int = NEAR) -> pl.DataFrame:
    """Turn order rows into canonical orders and refunds, as `tables.ORDERS`: of each row, or of the rows of one ``order_id``."""
    if grain == "order":
        return _with_values(rows).select(tables.ORDERS.names())
    orders: pl.DataFrame = whole_orders(nw.from_native(rows_of(rows).lazy()), near).to_native().collect()
    return orders.with_columns(pl.col("time_us").cast(tables.TIME).alias("time")).select(tables.ORDERS.names())


def _with_values(rows: pl.DataFrame) -> pl.DataFrame:
    return nw.from_native(rows).with_columns(**order_values()).to_native()
