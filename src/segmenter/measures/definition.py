"""The measures of orders, defined once in Narwhals: the same on Polars, DuckDB and Spark.

Integers only, and texts compared byte by byte, so that no backend rounds or sorts otherwise than the others.
"""

from typing import Any

import narwhals as nw
import polars as pl

from segmenter.tables import DAY, ONE, PERIODS, SUMMARY, TIME, Summary, Terms

BETWEEN = "\x1f"
ROWS = pl.Schema(
    {
        "customer_id": pl.String(),
        "time_us": pl.Int64(),  # local, in microseconds since 1970
        "amount": pl.Int64(),
        "refund": pl.Int64(),
        "is_order": pl.Boolean(),
        "place": pl.String(),  # province, `BETWEEN`, city; null where neither is known
    }
)
LINES = pl.Schema(
    {
        "customer_id": pl.String(),
        "order_id": pl.String(),
        "time_us": pl.Int64(),
        "paid": pl.Int64(),
        "back": pl.Boolean(),  # a refund or cancellation
        "place": pl.String(),
    }
)
_KEY = 10**18  # makes the numbers in text keys equally long, so that they sort
_NUMBER = len(f"{_KEY}{BETWEEN}")


def summarize(orders: nw.LazyFrame[Any], weights: nw.LazyFrame[Any], terms: Terms) -> nw.LazyFrame[Any]:
    r"""Add up every customer's orders before the as-of date.

    Parameters
    ----------
    orders : LazyFrame
        `ROWS`, of any backend.
    weights : LazyFrame
        See `weights_table`, of the same backend.
    terms : Terms
        The date, the window and the half-life.

    Returns
    -------
    LazyFrame
        One row per customer: what `finished` takes.

    Examples
    --------
    >>> from datetime import date
    >>> terms = Terms(as_of=date(1970, 1, 3), half_life_days=1, window_days=None)
    >>> order = {"customer_id": "a", "time_us": 5, "amount": 100, "refund": 0, "is_order": True, "place": "云南\x1f"}
    >>> orders, weights = (nw.from_native(frame.lazy()) for frame in (pl.DataFrame([order], schema=ROWS), weights_table(terms)))
    >>> finished(summarize(orders, weights, terms).to_native().collect()).select("province", "decayed_spend", "orders").rows()
    [('云南', 25, 1)]
    """
    amount, days, placed = nw.col("amount"), nw.col("days"), nw.col("is_order")
    window = terms.today if terms.window_days is None else terms.window_days
    periods = {
        name: period
        for length in PERIODS
        for name, period in ((f"{length}d", days <= length), (f"{length}d_before", (days > length) & (days <= 2 * length)))
    }
    # Columns that are zero where they do not count, then plain sums: filters inside each group are many times slower.
    sums = {
        "spend": amount,
        "spend_window": _where(days <= window, amount),
        "refunds": nw.col("refund"),
        # The sum of amount * weight, in two parts that stay inside 64 bits wherever the sum of the amounts does.
        "decayed_ones": nw.col("ones") * nw.col("weight"),
        "decayed_rest": (amount - nw.col("ones") * ONE) * nw.col("weight"),
        **{f"spend_{name}": _where(period, amount) for name, period in periods.items()},
        "orders": _where(placed, nw.lit(1)),
        "refund_orders": _where(nw.col("refund") > 0, nw.lit(1)),
        **{f"orders_{name}": _where(placed & period, nw.lit(1)) for name, period in periods.items()},
    }
    dated = orders.with_columns((nw.lit(terms.today) - _day()).alias("days"), (amount // ONE).cast(nw.Int64).alias("ones"))
    columns = (
        dated.filter(days >= 1)
        .join(weights, on="days", how="inner")
        .select("customer_id", "days", nw.when(placed).then(nw.col("time_us")).alias("ordered_us"), _latest().alias("place"), **sums)
    )
    return columns.group_by("customer_id").agg(
        *(nw.col(name).sum().cast(nw.Int64).alias(name) for name in sums),
        nw.col("ordered_us").min().alias("first_order_us"),
        nw.col("ordered_us").max().alias("last_order_us"),
        nw.col("days").max().alias("days_since_first_row"),
        nw.col("place").max().alias("place"),
    )


def _day() -> nw.Expr:
    return (nw.col("time_us") // DAY).cast(nw.Int64)


def _where(condition: nw.Expr, value: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(value).otherwise(nw.lit(0)).cast(nw.Int64)


def _latest() -> nw.Expr:
    """Name the place so that the largest text is that of the latest order, or of the latest refund where no order names one."""
    return nw.when(~nw.col("place").is_null()).then(_key(_where(nw.col("is_order"), nw.lit(_KEY)) + nw.col("time_us"), nw.col("place")))


def _key(number: nw.Expr, place: nw.Expr) -> nw.Expr:
    return nw.concat_str([(number + nw.lit(_KEY)).cast(nw.Int64).cast(nw.String), place], separator=BETWEEN)


def each_order(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Turn rows that are orders into orders and refunds.

    Parameters
    ----------
    rows : LazyFrame
        `LINES`; ``order_id`` is not needed.

    Returns
    -------
    LazyFrame
        `ROWS`.

    Examples
    --------
    >>> row = {"customer_id": "a", "time_us": 5, "paid": 100, "back": True}
    >>> each_order(nw.from_native(pl.LazyFrame([row], schema=LINES))).to_native().select("amount", "refund", "is_order").collect().rows()
    [(0, 100, False)]
    """
    return rows.select("customer_id", "time_us", "place", **order_values())


def order_values() -> dict[str, nw.Expr]:
    """Say what a row of `LINES` is that is a whole order, or a refund."""
    paid = nw.col("paid")
    back = nw.col("back") | (paid < 0)
    return {
        # A refund with a positive amount is an order paid and given back whole: it adds nothing.
        "amount": _where(~back | (paid < 0), paid),
        "refund": _where(back, paid.abs()),
        "is_order": ~back,
    }


def whole_orders(lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add up the lines of each order: refunded lines are refunds, other negative lines discounts.

    Lines of another day stand apart, so that a launch in between sees only what there was; the first day's are the order.

    Parameters
    ----------
    lines : LazyFrame
        `LINES`.

    Returns
    -------
    LazyFrame
        `ROWS`.

    Examples
    --------
    >>> lines = [{"customer_id": "a", "order_id": "1", "time_us": 5, "paid": paid, "back": paid < 0} for paid in (500, -200)]
    >>> whole_orders(nw.from_native(pl.LazyFrame(lines, schema=LINES))).to_native().select("amount", "refund", "is_order").collect().rows()
    [(300, 200, True)]
    """
    paid, back, order = nw.col("paid"), nw.col("back"), ("customer_id", "order_id")
    columns = lines.select(
        *order,
        "time_us",
        _day().alias("day"),
        _where(~back, paid).alias("paid"),
        _where(back & (paid < 0), paid).alias("credit"),
        _where(back, paid.abs()).alias("returned"),
        _where(~back, nw.lit(1)).alias("bought"),
        _key(nw.col("time_us"), nw.when(~nw.col("place").is_null()).then(nw.col("place")).otherwise(nw.lit(""))).alias("place"),
    )
    sums = ("paid", "credit", "returned", "bought")
    days = columns.group_by(*order, "day").agg(
        *(nw.col(name).sum().cast(nw.Int64).alias(name) for name in sums), nw.col("time_us").min(), nw.col("place").max()
    )
    placed = (nw.col("bought") > 0) & (paid >= 0)
    dated = days.with_columns(nw.when(placed).then(nw.col("day")).alias("placed_day"))
    first = dated.with_columns(nw.col("placed_day").min().over(*order).alias("first_day"))
    return first.select(
        *order,
        "time_us",
        (paid + nw.col("credit")).alias("amount"),
        (nw.col("returned") - _where(paid < 0, paid)).alias("refund"),
        (placed & (nw.col("day") == nw.col("first_day"))).alias("is_order"),
        nw.when(nw.col("place").str.len_chars() > _NUMBER).then(nw.col("place").str.slice(_NUMBER)).alias("place"),
    )


def weights_table(terms: Terms) -> pl.DataFrame:
    """Give the weights of decayed amounts as a table.

    Parameters
    ----------
    terms : Terms
        The date and the half-life.

    Returns
    -------
    DataFrame
        ``days`` (from 0, Int64) and ``weight`` (Int64, in 2**-16).

    Examples
    --------
    >>> from datetime import date
    >>> weights_table(Terms(as_of=date(1970, 1, 3), half_life_days=1, window_days=None)).rows()
    [(0, 65536), (1, 32768), (2, 16384)]
    """
    weights = terms.weights()
    return pl.DataFrame({"days": range(len(weights)), "weight": weights}, schema={"days": pl.Int64, "weight": pl.Int64})


def finished(sums: pl.DataFrame) -> pl.DataFrame:
    """Make the summary of what `summarize` gives.

    Parameters
    ----------
    sums : DataFrame
        What it gives, on whichever backend, as a Polars frame.

    Returns
    -------
    DataFrame
        `SUMMARY`, sorted by ``customer_id``.

    Examples
    --------
    See `summarize`.
    """
    columns = {
        "decayed_spend": pl.col("decayed_ones") + pl.col("decayed_rest") // ONE,
        "first_order_at": pl.col("first_order_us").cast(TIME),
        "last_order_at": pl.col("last_order_us").cast(TIME),
        **places(before=1),
    }
    return sums.with_columns(**columns).select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items()).sort("customer_id")


def summarize_frame(orders: pl.DataFrame, terms: Terms) -> Summary:
    """Summarize canonical orders on Polars.

    Parameters
    ----------
    orders : DataFrame
        `tables.ORDERS`.
    terms : Terms
        The date, the window and the half-life.

    Returns
    -------
    Summary
        What all engines give.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> from segmenter.tables import ORDERS
    >>> order = {"customer_id": "a", "time": datetime(2026, 6, 30), "amount": 100, "refund": 0, "is_order": True}
    >>> terms = Terms(as_of=date(2026, 7, 1), half_life_days=1, window_days=None)
    >>> summarize_frame(pl.DataFrame([order], schema=ORDERS), terms).frame["decayed_spend"].item()
    50
    """
    rows, weights = (nw.from_native(frame.lazy()) for frame in (rows_of(orders), weights_table(terms)))
    sums = summarize(rows, weights, terms).to_native().collect(engine="streaming")
    days = orders.select(first=pl.col("time").min().dt.date(), last=pl.col("time").max().dt.date()).row(0)
    return Summary(finished(sums), terms, *days)


def places(before: int = 0) -> dict[str, pl.Expr]:
    """Take a ``place`` apart again into province and city; so many other parts stand before them."""
    parts = pl.col("place").str.splitn(BETWEEN, before + 2).struct
    named = {name: parts.field(f"field_{before + at}") for at, name in enumerate(("province", "city"))}
    return {name: pl.when(part != "").then(part) for name, part in named.items()}


def rows_of(orders: pl.DataFrame) -> pl.DataFrame:
    """Give canonical orders as `summarize` takes them.

    Parameters
    ----------
    orders : DataFrame
        `tables.ORDERS`, or with other columns for the amounts.

    Returns
    -------
    DataFrame
        The same with ``time_us`` and ``place`` instead of ``time``, ``province`` and ``city``.

    Examples
    --------
    >>> from segmenter.tables import ORDERS
    >>> set(ROWS) <= set(rows_of(ORDERS.to_frame()).columns)
    True
    """
    known = pl.any_horizontal(pl.col("province", "city").is_not_null())
    place = pl.concat_str(pl.col("province", "city").fill_null(""), separator=BETWEEN)
    return orders.with_columns(time_us=pl.col("time").to_physical(), place=pl.when(known).then(place)).drop("time", "province", "city")
