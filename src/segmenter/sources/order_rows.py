"""Order rows become canonical orders, or rejects; which are orders and which are refunds, `measures.definition` says."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from segmenter import tables
from segmenter.checks.nobody import ContactsOf, no_contacts
from segmenter.checks.order_customers import check_customers
from segmenter.checks.order_status import status_findings
from segmenter.contacts import Contacts
from segmenter.findings import Finding
from segmenter.measures import shop_orders
from segmenter.measures.sampling import Sampling
from segmenter.measures.shop_orders import SingleOrders
from segmenter.money import LARGEST, digits
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.addresses import read_places
from segmenter.sources.customer_ids import contacts_of_rows
from segmenter.sources.expressions import FILE, columns_of
from segmenter.sources.file_days import join_days
from segmenter.sources.fill_down import first_lines
from segmenter.sources.kept_orders import KeptOrders, Totals
from segmenter.sources.order_checks import OrderChecks, marks
from segmenter.sources.order_parts import order_parts
from segmenter.sources.order_statuses import by_status, status_column, statuses
from segmenter.sources.raw import Fingerprint
from segmenter.sources.reject_reasons import EMPTY, NO_AMOUNT, OTHER_CURRENCY, TWO_READINGS, with_facts
from segmenter.sources.rows import Rows, reject_strangers, without_contacts
from segmenter.tables import NO_PROFILE, Orders, OrdersProfile, Summary, Terms


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
    rows: Rows,
    settings: MappingSettings,
    launch: LaunchSettings,
    ids: pl.Series | None,
    personal: Contacts,
    categories: bool,
    terms: Terms | None = None,
    sampling: Sampling | None = None,
) -> OrdersReading:
    """Read order rows; apart from the orders, as the lines of an order may differ in it, what was spent by category.

    Of many rows the orders are aggregated for `terms`, and only as many customers' single ones kept as `sampling` says.
    """
    assert launch.as_of is not None
    category = categories and "category" in rows.fields
    if category:
        rows.fields["category"] = without_contacts(rows, "category", fields.text(rows.fields["category"]), personal)
    many = terms is not None and rows.source.height >= shop_orders.KERNEL_ROWS and settings.orders.repeats != "latest"
    status = status_column(rows)
    rows.worth = _worth(rows, launch)

    def read(some: Rows) -> pl.DataFrame:
        values = order_values_of(some, settings, launch, ids, category=category)
        return values.with_columns(statuses(some, status)) if status else values

    with order_parts(rows, read, settings.orders, split=many) as parts:
        missing = pl.concat([values.filter(pl.col("order_id").is_null())["at"] for values in parts()])
        if not rows.good.all() or 0 < len(missing) < rows.source.height:
            rows.findings += first_lines(rows)
        checks = OrderChecks(rows, parts, settings, launch)
        if settings.orders.repeats == "latest":
            checks.earlier()
        grain = checks.grain()
        if grain.grain == "line":
            rows.reject(marks(missing, rows.source.height), "order_id", EMPTY)
        rows.count()
        kept = KeptOrders(rows.good, parts, grain, checks.refunds())
        totals = Totals(launch.as_of, status is not None, category)
        orders: Orders = kept.aggregated(terms, sampling, totals) if many and terms is not None else kept.single(totals)
    of_statuses = by_status(rows, totals.statuses, status, settings, launch) if status else NO_PROFILE.by_status
    if status:
        checks.findings += status_findings(of_statuses, status, launch.currency)
    customers = orders.totals(launch.as_of)
    findings = check_customers(customers["orders"], customers["spend"], launch.currency, checks.people)
    return OrdersReading(
        orders,
        rows.reads,
        rows.rejects(),
        pl.concat(totals.spending) if category else None,
        profile=OrdersProfile(totals.days(), of_statuses, join_days(totals.spans)),
        findings=(*rows.findings, *checks.findings, *findings),
        contacts_of=contacts_of_rows(rows, personal),
        turnover=totals.turnover,
    )


def turnover(summary: Summary) -> int:
    """Give what `OrdersReading` calls so, of orders that were aggregated."""
    return int(summary.frame.select((pl.col("spend") + 2 * pl.col("refunds")).sum()).item() or 0)


def _worth(rows: Rows, launch: LaunchSettings) -> Callable[[pl.Series], pl.Series]:
    def worth(some: pl.Series) -> pl.Series:
        cells = rows.fields["amount"].filter(some)
        return fields.amount(cells, launch.currency, rows.amount_format).fill_null(fields.any_amount(cells, launch.currency))

    return worth


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
    rows.worth = _worth(rows, launch)
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
