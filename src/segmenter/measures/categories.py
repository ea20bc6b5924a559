"""What customers buy most of."""

from datetime import date

import polars as pl


def main_category(spending: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Find the category that each customer spent most in before the date: ``customer_id``, ``category``, sorted by id.

    `spending` is `tables.SPENDING`; refunds take off what they are for, and of equal net amounts the first by name stands.
    """
    known = spending.lazy().filter(pl.col("time") < as_of, pl.col("category").is_not_null())
    amounts = known.group_by("customer_id", "category").agg(pl.col("amount").sum())
    best = amounts.sort("customer_id", "amount", "category", descending=[False, True, False])
    return best.unique("customer_id", keep="first", maintain_order=True).select("customer_id", "category").collect()
