"""What customers buy most of."""

from datetime import date

import polars as pl


def main_category(spending: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Find the category that each customer has spent most in.

    Parameters
    ----------
    spending : DataFrame
        See `segmenter.tables.SPENDING`; refunds take off what they are for.
    as_of : date
        Only what happened strictly before its midnight counts.

    Returns
    -------
    DataFrame
        ``customer_id``, ``category``: one row for each customer of whom a category is known, sorted by id. Of those with the same
        net amount the first by name stands.

    Examples
    --------
    >>> from datetime import datetime
    >>> from segmenter.tables import SPENDING
    >>> day = datetime(2026, 6, 1)
    >>> rows = [("a", day, 500, "tea"), ("a", day, -300, "tea"), ("a", day, 250, "silk")]
    >>> main_category(pl.DataFrame(rows, SPENDING, orient="row"), date(2026, 7, 1)).rows()
    [('a', 'silk')]
    """
    known = spending.lazy().filter(pl.col("time") < as_of, pl.col("category").is_not_null())
    sums = known.group_by("customer_id", "category").agg(pl.col("amount").sum())
    best = sums.sort("customer_id", "amount", "category", descending=[False, True, False])
    return best.unique("customer_id", keep="first", maintain_order=True).select("customer_id", "category").collect()
