"""What the measures of orders mean, in Narwhals: the same on Polars, DuckDB and Spark.

Integers only, and texts compared byte by byte, so that no backend rounds or sorts otherwise than the others.
"""

from typing import Any

import narwhals as nw
import polars as pl

from segmenter.measures.place_levels import ABOVE, apart
from segmenter.measures.spec import HALF_LIVES, WEIGHT_ONE, Addend, Measure, day_weights, summary_schema, sums
from segmenter.tables import APART, DAY, LEVELS, TIME, Summary, Terms

BETWEEN = "\x1f"
_PLACE = dict.fromkeys(LEVELS, pl.String())  # null where it is not known
ROWS = pl.Schema(
    {
        "customer_id": pl.String(),
        "time_us": pl.Int64(),  # local, in microseconds since 1970
        "amount": pl.Int64(),
        "refund": pl.Int64(),
        "is_order": pl.Boolean(),
        **_PLACE,
    }
)
LINES = pl.Schema(
    {
        "customer_id": pl.String(),
        "order_id": pl.String(),
        "time_us": pl.Int64(),
        "paid": pl.Int64(),
        "back": pl.Boolean(),  # a refund or cancellation
        **_PLACE,
    }
)
_KEY = 10**18  # makes the numbers in text keys equally long, so that they sort
_NUMBER = len(f"{_KEY}{BETWEEN}")  # characters before the name
NEAR = 31  # days within which further lines of an order number belong to the order
_NEVER = -(10**6)  # a day before all others
_ONES, _REST = "_ones", "_rest"  # the two parts of a decayed sum


def summarize(orders: nw.LazyFrame[Any], weights: nw.LazyFrame[Any], terms: Terms) -> nw.LazyFrame[Any]:
    """Aggregate every customer's `ROWS` before the as-of date, for `finish`; `weights` is `weights_table` on the same backend."""
    dated = orders.with_columns(
        (nw.lit(terms.today) - _day()).alias("days"),
        (nw.col("amount") // WEIGHT_ONE).cast(nw.Int64).alias("ones"),
        _where(nw.col("is_order"), nw.lit(1)).alias("orders"),
        _where(nw.col("refund") > 0, nw.lit(1)).alias("refund_orders"),
    )
    # Columns that are zero where they do not count, then plain sums: filters inside each group are many times slower.
    columns = {name: column for measure in sums(terms).values() for name, column in _columns(measure, terms).items()}
    largest = [name for name, measure in sums(terms).items() if measure.of == "largest"]
    ordered = nw.when(nw.col("is_order")).then(nw.col("time_us")).alias("ordered_us")
    rows = dated.filter(nw.col("days") >= 1).join(weights, on="days", how="inner")
    return (
        rows.select("customer_id", "days", ordered, **_latest(), **columns)
        .group_by("customer_id")
        .agg(
            *((nw.col(name).max() if name in largest else nw.col(name).sum()).cast(nw.Int64).alias(name) for name in columns),
            nw.col("ordered_us").min().alias("first_order_us"),
            nw.col("ordered_us").max().alias("last_order_us"),
            nw.col("days").max().alias("days_since_first_row"),
            *(nw.col(level).max() for level in LEVELS),
        )
    )


def _columns(measure: Measure, terms: Terms) -> dict[str, nw.Expr]:
    """Give what each order adds to a measure."""
    of: Addend | None = measure.of
    weight = nw.col(_weight(measure.half_life))
    if of == "decayed_amount":
        # The sum of amount * weight, in two parts that stay inside 64 bits wherever the sum of the amounts does.
        rest = nw.col("amount") - nw.col("ones") * WEIGHT_ONE
        return {measure.name + _ONES: nw.col("ones") * weight, measure.name + _REST: rest * weight}
    if of == "decayed_orders":
        return {measure.name: nw.col("orders") * weight}
    if of == "largest":
        return {measure.name: nw.when(nw.col("is_order")).then(nw.col("amount"))}
    after, to = measure.between(terms)
    value = nw.col(str(of))
    if after:
        value = _where(nw.col("days") > after, value)
    return {measure.name: value if to is None else _where(nw.col("days") <= to, value)}


def _weight(half_life: int | None) -> str:
    return "weight" if half_life is None else f"weight_{half_life}d"


def _day() -> nw.Expr:
    return (nw.col("time_us") // DAY).cast(nw.Int64)


def _where(condition: nw.Expr, value: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(value).otherwise(nw.lit(0)).cast(nw.Int64)


def _latest() -> dict[str, nw.Expr]:
    """Name each level so that the largest text is that of the latest order that has it, or of the latest refund where no order has.

    What stands above the level goes before it, so that of rows of the same time one tells all levels; and to see what came with what.
    """
    rank = _where(nw.col("is_order"), nw.lit(_KEY)) + nw.col("time_us")
    above = {level: [nw.col(name).fill_null("") for name in LEVELS[:at]] for at, level in enumerate(LEVELS)}
    return {level: _key(rank, *above[level], nw.col(level)) for level in LEVELS}


def _key(number: nw.Expr, *names: nw.Expr) -> nw.Expr:
    """Write a key that sorts by the number, then by the names; null where the last name is."""
    key = nw.concat_str([(number + nw.lit(_KEY)).cast(nw.Int64).cast(nw.String), *names], separator=BETWEEN)
    return nw.when(~names[-1].is_null()).then(key)


def each_order(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Turn `LINES` that are whole orders, whatever their ``order_id``, into `ROWS`."""
    return rows.select("customer_id", "time_us", *LEVELS, **order_values())


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


def whole_orders(lines: nw.LazyFrame[Any], near: int = NEAR) -> nw.LazyFrame[Any]:
    """Aggregate the `LINES` of each order into `ROWS`: refunded lines are refunds, other negative lines discounts.

    Lines of another day stand apart, so that a launch in between sees only what there was; the first day's are the order, and so are
    those that come more than `near` days after the last: then the number was used again.
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
        **{level: _key(nw.col("time_us"), nw.col(level)) for level in LEVELS},
    )
    amounts = ("paid", "credit", "returned", "bought")
    days = columns.group_by(*order, "day").agg(
        *(nw.col(name).sum().cast(nw.Int64).alias(name) for name in amounts),
        nw.col("time_us").min(),
        *(nw.col(level).max() for level in LEVELS),
    )
    is_order = (nw.col("bought") > 0) & (paid >= 0)
    dated = days.with_columns(nw.when(is_order).then(nw.col("day")).otherwise(nw.lit(_NEVER)).cast(nw.Int64).alias("ordered"))
    until = dated.with_columns(nw.col("ordered").cum_max().over(*order, order_by="day").alias("ordered_until"))
    before = until.with_columns(nw.col("ordered_until").shift(1).over(*order, order_by="day").fill_null(_NEVER).alias("ordered_before"))
    return before.select(
        *order,
        "time_us",
        (paid + nw.col("credit")).alias("amount"),
        (nw.col("returned") - _where(paid < 0, paid)).alias("refund"),
        (is_order & (nw.col("day") - nw.col("ordered_before") > near)).alias("is_order"),
        *(nw.col(level).str.slice(_NUMBER).alias(level) for level in LEVELS),
    )


def weights_table(terms: Terms) -> pl.DataFrame:
    """Give the weights of what is decayed as a table: ``days`` (from 0), and of each half-life the weight (in 2**-16)."""
    half_lives = (None, *HALF_LIVES) if terms.horizon_days is not None else (None,)
    weights = {_weight(half_life): day_weights(terms, half_life) for half_life in half_lives}
    columns = {"days": range(terms.today + 1), **weights}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64))


def finish(sums_there: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Make the summary's frame, sorted by ``customer_id``, of what `summarize` gives on any backend."""
    decayed = [name for name, measure in sums(terms).items() if measure.of == "decayed_amount"]
    columns = {
        **{name: pl.col(name + _ONES) + pl.col(name + _REST) // WEIGHT_ONE for name in decayed},
        "first_order_at": pl.col("first_order_us").cast(TIME),
        "last_order_at": pl.col("last_order_us").cast(TIME),
        **_places(),
    }
    names = summary_schema(terms).items()
    return sums_there.with_columns(**columns).select(pl.col(name).cast(dtype) for name, dtype in names).sort("customer_id")


def summarize_frame(orders: pl.DataFrame, terms: Terms) -> Summary:
    """Summarize canonical orders (`tables.ORDERS`) on Polars."""
    rows, weights = (nw.from_native(frame.lazy()) for frame in (rows_of(orders), weights_table(terms)))
    frame = finish(summarize(rows, weights, terms).to_native().collect(engine="streaming"), terms)
    days = orders.select(first=pl.col("time").min().dt.date(), last=pl.col("time").max().dt.date()).row(0)
    return Summary(frame, terms, *days)


def _places() -> dict[str, pl.Expr]:
    """Take the keys of the levels apart again."""
    keys = {level: pl.col(level).str.splitn(BETWEEN, at + 2).struct for at, level in enumerate(LEVELS)}

    def part(key: str, at: int) -> pl.Expr:
        return pl.when(keys[key].field(f"field_{at}") != "").then(keys[key].field(f"field_{at}"))

    names = {level: part(level, at) for at, level in enumerate(LEVELS, 1)}
    above = {name: part(*at) for name, at in zip(ABOVE, (("city", 1), ("district", 1), ("district", 2)), strict=True)}
    return {**names, APART: apart(names | above, {level: keys[level].field("field_0") for level in LEVELS})}


def rows_of(orders: pl.DataFrame) -> pl.DataFrame:
    """Give canonical orders with ``time_us`` instead of ``time``; a name of no characters is none."""
    named = pl.col(LEVELS)
    return orders.with_columns(pl.when(named != "").then(named), time_us=pl.col("time").to_physical()).drop("time")
