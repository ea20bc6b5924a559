"""The best so many, cut into groups of one region."""

from collections.abc import Callable

import polars as pl


def choose(best: pl.DataFrame, size: int | str, places: Callable[[pl.DataFrame], int]) -> pl.DataFrame:
    """Take the best so many and form the groups.

    Each region's people make as few groups as hold them, dealt by rank so that the groups are equally strong.

    Parameters
    ----------
    best : DataFrame
        Who may be invited, the best first: ``unit``, what a group keeps to.
    size : int or "all"
        How many.
    places : callable
        Gives for the people of one unit how many of them a group takes, ≥ 1.

    Returns
    -------
    DataFrame
        Those taken, with ``rank`` (Int32, from 1), ``group`` and ``number``, that of the group in its unit.

    Examples
    --------
    >>> choose(pl.DataFrame({"unit": ["四川", "云南", "四川"]}), "all", lambda unit: 1)["group"].to_list()
    ['四川-1', '云南-1', '四川-2']
    """
    taken = best if size == "all" else best.head(int(size))
    taken = taken.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))
    units = taken.partition_by("unit", as_dict=True, maintain_order=True)
    groups = {str(unit): -(-people.height // places(people)) for (unit,), people in units.items()}
    many = pl.DataFrame({"unit": list(groups), "groups": list(groups.values())}, schema={"unit": pl.String, "groups": pl.Int64})
    order = pl.int_range(pl.len()).over("unit")
    numbered = taken.join(many, on="unit", how="left", maintain_order="left").with_columns(number=order % pl.col("groups") + 1)
    return numbered.drop("groups").with_columns(group=pl.format("{}-{}", "unit", "number"))
