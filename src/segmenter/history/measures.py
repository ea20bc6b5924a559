"""The measures, defined on Polars."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from segmenter.errors import InputError
from segmenter.tables import CUSTOMERS, Tables

# Weights of decayed amounts are whole numbers of 2**-16, so that their sum is exact in any order.
_ONE = 1 << 16
_PERIODS = (30, 90)
_INNER = ("days_since_first_row", "days_since_first_event", "order_province", "order_city")
# What an attribute of the shop's own may not be called: the later stages add columns of these names.
_LATER = ("region", "verdict", "score", "segment", "invited", "rank", "wave", "group")


def measure(tables: Tables, *, as_of: date, half_life_days: float, window_days: int | None = None) -> pl.DataFrame:
    """Compute every customer's measures from what happened strictly before the as-of date.

    Parameters
    ----------
    tables : Tables
        The canonical tables; rows at or after the as-of date change nothing.
    as_of : date
        Days since an event are this date minus the event's: the day before counts 1.
    half_life_days : float
        After so many days an order weighs half in `decayed_spend`; > 0.
    window_days : int, optional
        What `spend_window` counts, and `spend_outside` does not; None for all time.

    Returns
    -------
    DataFrame
        One row per customer, sorted by ``customer_id``. Customers: those of the customers table who had joined or
        ordered by then; without the table, those with orders. Columns, money in minor units:

        - ``province``, ``city``: as found; of the customer, else of the latest order that names one (ties by order id);
        - the attributes, ``do_not_contact``, ``blocked``, ``staff``;
        - ``spend`` (net of refunds), ``spend_window``, ``spend_outside``, ``refunds`` and ``refund_orders``;
        - ``orders``, ``first_order_at``, ``last_order_at``, ``days_since_order``;
        - ``average_order`` (spend / orders), ``average_gap_days`` (between the first and the last of at least 2 orders);
        - ``decayed_spend``: each amount times 2^(-days since / half_life_days);
        - ``spend_30d``, ``orders_30d`` (1 to 30 days ago), ``spend_30d_before`` (31 to 60), and the same for 90;
        - ``events`` and ``events_<kind>`` for each kind, ``days_since_event``, ``referrals``;
        - ``days_since_activity`` (order or event), ``days_known`` (since joining, or the first order or event).

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "a"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> frame = segmenter.measure(tables, as_of=settings.launch.as_of, half_life_days=90)
    >>> frame.select("spend", "orders", "days_since_order", "average_gap_days").rows()
    [(2000, 2, 1, 29.0)]
    """
    orders = _before(tables.orders, as_of)
    events = _before(tables.events, as_of)
    others = tables.referrals.lazy().filter(pl.col("customer_id") != pl.col("friend_id"))
    referrals = others.filter(pl.col("time").is_null() | (pl.col("time") < as_of))
    weights = _weights(half_life_days, int(orders.select(pl.col("days").max()).collect().item() or 0))
    by_order = _of_orders(orders.join(weights.lazy(), on="days", how="left"), window_days)
    kinds = events.select(pl.col("kind").unique().sort()).collect()["kind"].to_list()
    by_event = events.group_by("customer_id").agg(*_of_events(kinds))
    brought = referrals.group_by("customer_id").agg(pl.col("friend_id").n_unique().cast(pl.Int32).alias("referrals"))
    frame = _people(tables, as_of)
    _check_attributes(frame, [by_order, by_event, brought, _places(orders)])
    for part in (by_order, _places(orders), by_event, brought):
        frame = frame.join(part, on="customer_id", how="left")
    if tables.customers is not None:
        known = (
            pl.col("joined").is_null()
            | (pl.col("joined") < as_of)
            | pl.col("first_order_at").is_not_null()
            | pl.col("events").is_not_null()
        )
        frame = frame.filter(known).with_columns(pl.when(pl.col("joined") < as_of).then("joined"))
        own = pl.col("province").is_not_null() | pl.col("city").is_not_null()
        frame = frame.with_columns(pl.when(own).then(name).otherwise(f"order_{name}").alias(name) for name in ("province", "city"))
    else:
        frame = frame.rename({"order_province": "province", "order_city": "city"})
    return _tidy(frame, kinds, as_of).sort("customer_id").collect()


def _check_attributes(people: pl.LazyFrame, parts: Sequence[pl.LazyFrame]) -> None:
    derived = ("spend_outside", "days_since_order", "average_order", "average_gap_days", "days_since_activity", "days_known", *_LATER)
    taken = {*derived, *(name for part in parts for name in part.collect_schema().names())} - {"customer_id"}
    ours = taken | set(CUSTOMERS.names())
    attributes = [name for name in people.collect_schema().names() if name not in CUSTOMERS]
    if wrong := [name for name in attributes if name in ours or name.startswith("component_")]:
        raise InputError(f"data.customers.attributes: {', '.join(wrong)}: so segmenter calls a column of its own; rename it in the source")


def _before(table: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    return (
        table.lazy()
        .filter(pl.col("time") < as_of)
        .with_columns((pl.lit(as_of) - pl.col("time").dt.date()).dt.total_days().cast(pl.Int32).alias("days"))
    )


def _weights(half_life_days: float, most: int) -> pl.DataFrame:
    # Plain Python powers: vectorised ones may differ in the last bit with a value's place in its vector.
    weights = [round(_ONE * 2.0 ** (-days / half_life_days)) for days in range(1, most + 1)]
    return pl.DataFrame({"days": range(1, most + 1), "weight": weights}, schema={"days": pl.Int32, "weight": pl.Int64})


def _of_orders(orders: pl.LazyFrame, window_days: int | None) -> pl.LazyFrame:
    # Columns that are zero or null where they do not count, then plain sums: filters inside each group are many times slower.
    amount, days, placed = pl.col("amount"), pl.col("days"), pl.col("is_order")
    inside = pl.lit(value=True) if window_days is None else days <= window_days
    periods = {
        name: period
        for length in _PERIODS
        for name, period in ((f"{length}d", days <= length), (f"{length}d_before", (days > length) & (days <= 2 * length)))
    }
    spends = {f"spend_{name}": pl.when(period).then(amount).otherwise(0) for name, period in periods.items()}
    counts = {f"orders_{name}": placed & period for name, period in periods.items()}
    columns = orders.select(
        "customer_id",
        "days",
        amount.alias("spend"),
        pl.when(inside).then(amount).otherwise(0).alias("spend_window"),
        pl.col("refund").alias("refunds"),
        (pl.col("refund") > 0).alias("refund_orders"),
        placed.alias("orders"),
        pl.when(placed).then("time").alias("ordered_at"),
        (amount.cast(pl.Int128) * pl.col("weight")).alias("decayed_spend"),
        **spends,
        **counts,
    )
    return columns.group_by("customer_id").agg(
        pl.col("spend", "spend_window", "refunds", "decayed_spend", *spends).sum(),
        pl.col("orders", "refund_orders", *counts).sum().cast(pl.Int32),
        pl.col("ordered_at").min().alias("first_order_at"),
        pl.col("ordered_at").max().alias("last_order_at"),
        pl.col("days").max().alias("days_since_first_row"),
    )


def _places(orders: pl.LazyFrame) -> pl.LazyFrame:
    """Find the region of each customer's latest order that names one; of a refund where no order does."""
    order = ("customer_id", "is_order", "time", "order_id", "province", "city")
    named = orders.filter(pl.col("province").is_not_null() | pl.col("city").is_not_null()).sort(order)
    latest = named.unique("customer_id", keep="last", maintain_order=True)
    return latest.select("customer_id", pl.col("province").alias("order_province"), pl.col("city").alias("order_city"))


def _of_events(kinds: Sequence[str]) -> Sequence[pl.Expr]:
    return [
        pl.len().cast(pl.Int32).alias("events"),
        pl.col("days").min().alias("days_since_event"),
        pl.col("days").max().alias("days_since_first_event"),
        *((pl.col("kind") == kind).sum().cast(pl.Int32).alias(f"events_{kind}") for kind in kinds),
    ]


def _people(tables: Tables, as_of: date) -> pl.LazyFrame:
    if tables.customers is not None:
        return tables.customers.lazy()
    flags = [pl.lit(value=False).alias(name) for name in ("do_not_contact", "blocked", "staff")]
    known = tables.orders.lazy().filter(pl.col("time") < as_of).select(pl.col("customer_id").unique())
    return known.with_columns(pl.lit(None, dtype=pl.Date).alias("joined"), *flags)


def _tidy(frame: pl.LazyFrame, kinds: Sequence[str], as_of: date) -> pl.LazyFrame:
    """Fill what is zero for those without orders or events, and derive the rest."""
    periods = [f"{what}_{length}d{before}" for length in _PERIODS for what in ("spend", "orders") for before in ("", "_before")]
    events = ["events", *(f"events_{kind}" for kind in kinds)]
    counts = ["spend", "spend_window", "refunds", "refund_orders", "orders", "decayed_spend", "referrals", *periods, *events]
    frame = frame.with_columns(pl.col(counts).fill_null(0))

    def days_since(moment: pl.Expr) -> pl.Expr:
        return (pl.lit(as_of) - moment.dt.date()).dt.total_days().cast(pl.Int32)

    first, last = days_since(pl.col("first_order_at")), days_since(pl.col("last_order_at"))
    some = pl.col("orders") > 0
    frame = frame.with_columns(
        (pl.col("spend") - pl.col("spend_window")).alias("spend_outside"),
        (pl.col("decayed_spend") // _ONE).cast(pl.Int64),
        last.alias("days_since_order"),
        pl.when(some).then((pl.col("spend") / pl.col("orders")).round(0, mode="half_to_even").cast(pl.Int64)).alias("average_order"),
        pl.when(pl.col("orders") > 1).then((first - last) / (pl.col("orders") - 1)).alias("average_gap_days"),
        pl.min_horizontal(last, "days_since_event").alias("days_since_activity"),
        pl.max_horizontal(days_since(pl.col("joined")), "days_since_first_row", "days_since_first_event").alias("days_known"),
    )
    fixed = ["joined", "do_not_contact", "blocked", "staff"]
    names = [
        *("spend", "spend_window", "spend_outside", "refunds", "refund_orders", "orders", "first_order_at", "last_order_at"),
        *("days_since_order", "average_order", "average_gap_days", "decayed_spend"),
        *(f"{what}_{length}d{before}" for length in _PERIODS for what in ("spend", "orders") for before in ("", "_before")),
        *events,
        *("days_since_event", "referrals", "days_since_activity", "days_known"),
    ]
    ours = {*fixed, *names, *_INNER, "customer_id", "province", "city"}
    attributes = [name for name in frame.collect_schema().names() if name not in ours]
    return frame.select("customer_id", "province", "city", *attributes, *fixed, *names)
