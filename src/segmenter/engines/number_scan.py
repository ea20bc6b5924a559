"""What a row of the orders is on a cluster, by the order numbers there: see `checks.order_grain`, which sees more of the rows."""

from typing import Any, Literal

import narwhals as nw

from segmenter.contacts import hide
from segmenter.engines.spark_session import Cluster
from segmenter.errors import InputError
from segmenter.findings import Finding
from segmenter.measures.definition import NEAR
from segmenter.messages import Message
from segmenter.tables import DAY

_SURE = 0.9


def grain_there(
    cluster: Cluster, lines: nw.LazyFrame[Any], asked: Literal["auto", "order", "line"]
) -> tuple[Literal["order", "line"], int, tuple[Finding, ...]]:
    """Decide whether rows before the as-of date, as `definition.LINES`, are orders or lines, and how near lines of a number are."""
    bought = lines.filter((nw.col("paid") >= 0) & ~nw.col("order_id").is_null())
    days = bought.with_columns((nw.col("time_us") // DAY).cast(nw.Int64).alias("day"))
    numbers = days.group_by("order_id").agg(
        nw.len().alias("rows"),
        (nw.col("day").max() - nw.col("day").min()).alias("days"),
        nw.col("customer_id").min().alias("first"),
        nw.col("customer_id").max().alias("last"),
    )
    used = numbers.filter(nw.col("rows") > 1).with_columns(
        ((nw.col("first") != nw.col("last")) | (nw.col("days") > NEAR)).alias("reused"), (nw.col("days") > 0).alias("apart")
    )
    both = (nw.col("reused") & nw.col("apart")).cast(nw.Int64).sum().alias("both")
    repeated, apart, reused = cluster.fetch(used.select(nw.len(), nw.col("apart").cast(nw.Int64).sum(), both)).row(0)
    near = 0 if apart and 2 * reused >= apart else NEAR
    if asked == "order" or not repeated:
        return "line" if asked == "line" else "order", near, ()
    if asked == "line":
        return "line", near, ()
    orders = days.group_by("customer_id", "order_id", *(["day"] if near == 0 else [])).agg(
        nw.len().alias("rows"), nw.col("paid").min().alias("least"), nw.col("paid").max().alias("most")
    )
    several = orders.filter(nw.col("rows") > 1)
    same = (nw.col("least") == nw.col("most")).cast(nw.Int64).sum().alias("same")
    count, constant, number = cluster.fetch(several.select(nw.len().alias("count"), same, nw.col("order_id").min().alias("number"))).row(0)
    if not count:
        return "order", near, ()
    shown = hide(str(number))
    if constant >= _SURE * count:
        sentence = (
            "data.orders.grain: engine=spark cannot tell what a row is: {orders:,} orders have several rows of one amount, such as "
            "{number}; data.orders.grain=line adds them up, data.orders.grain=order takes each for an order, and engine=local looks at all "
            "columns"
        )
        raise InputError(Message("order_rows.spark_unclear", sentence, orders=constant, number=shown))
    sentence = "data.orders.grain: rows of one order number are one order: {orders:,} orders have several rows, such as {number}"
    return "line", near, (Finding("note", Message("order_rows.spark_lines", sentence, orders=count, number=shown)),)
