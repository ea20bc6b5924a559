"""Who is held out by lot, so that what the launch brings can be measured."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import ConfigError
from segmenter.hashing import uniform

BINS = 5  # of the score, within those who may be held out
FEWEST_REGIONS = 4  # two on either side


def strata(frame: pl.DataFrame) -> pl.Series:
    """Put customers of one region and a like score together.

    Parameters
    ----------
    frame : DataFrame
        ``customer_id``, ``score``, ``region`` (may be null).

    Returns
    -------
    Series of String
        Such as ``四川|5``: the region and the fifth of the scores, 5 the best.

    Examples
    --------
    >>> strata(pl.DataFrame({"customer_id": ["a", "b"], "score": [10.0, 90.0], "region": ["四川", None]})).to_list()
    ['四川|3', '|5']
    """
    ordered = pl.struct("score", pl.col("customer_id")).rank("ordinal")
    fifth = ((ordered * BINS + pl.len() - 1) // pl.len()).cast(pl.Int64)
    return frame.select(pl.format("{}|{}", pl.col("region").fill_null(""), fifth).alias("stratum")).to_series()


def hold_out(frame: pl.DataFrame, many: int, *, seed: int, launch: str) -> NDArray[np.bool_]:
    """Draw customers by lot, as many of each stratum as its size asks for.

    Each customer has a lot, a hash of their id and the launch's name, and so has each stratum: the j-th by lot of a stratum of n stands at
    (j - 1 + its lot) / n, and the `many` who stand lowest are drawn. So each stratum gives its share, rounded up or down by its lot, and
    planning again draws the same but where people come or go: these touch their own stratum only.

    Parameters
    ----------
    frame : DataFrame
        ``customer_id``, ``stratum``.
    many : int
        How many to draw, from 0 to all.
    seed : int
        The job's seed.
    launch : str
        The launch's name: another launch holds out others.

    Returns
    -------
    ndarray of bool of shape (n,)
        Who is held out; the same in any order of the rows.

    Examples
    --------
    >>> frame = pl.DataFrame({"customer_id": ["a", "b", "c", "d"], "stratum": ["x", "x", "y", "y"]})
    >>> int(hold_out(frame, 2, seed=1, launch="spring").sum())
    2
    """
    held = np.zeros(frame.height, dtype=bool)
    if not many:
        return held
    purpose = f"holdout:{launch}"
    people = frame.select("customer_id", "stratum", uniform(frame["customer_id"], seed, purpose).alias("lot")).with_row_index("row")
    names = people["stratum"].unique().sort()
    people = people.sort("stratum", "lot", "customer_id")
    first = people["stratum"].replace_strict(names, uniform(names, seed, purpose), return_dtype=pl.Float64)
    place = (pl.int_range(pl.len()).over("stratum") + first) / pl.len().over("stratum")
    drawn = people.with_columns(place=place).sort("place", "lot", "customer_id")["row"].head(many)
    held[drawn.to_numpy()] = True
    return held


def hold_out_regions(regions: pl.Series, share: float, *, seed: int, launch: str) -> list[str]:
    """Draw whole regions by lot.

    Parameters
    ----------
    regions : Series of String
        Of each customer; who has none cannot be held out.
    share : float
        Of the regions, above 0; at least 2 regions are held out and 2 are not.
    seed : int
        The job's seed.
    launch : str
        The launch's name.

    Returns
    -------
    list of str
        The regions held out.

    Raises
    ------
    ConfigError
        There are fewer than 4 regions.

    Examples
    --------
    >>> hold_out_regions(pl.Series(["四川", "云南", "重庆", "贵州"]), 0.1, seed=1, launch="spring")
    ['云南', '贵州']
    """
    names = regions.drop_nulls().unique().sort()
    if len(names) < FEWEST_REGIONS:
        raise ConfigError(
            f"plan.holdout_by: should have at least {FEWEST_REGIONS} regions to hold some out as a whole (got {len(names)}); hold out "
            "customers with plan.holdout_by=customer, or choose plan.by_region=city"
        )
    many = min(max(round(share * len(names)), 2), len(names) - 2)
    lots = uniform(names, seed, f"holdout:{launch}")
    return sorted(names.gather(lots.arg_sort().head(many)).to_list())


def would_have_been(best: pl.DataFrame, order: list[str], cells: Sequence[list[str]]) -> pl.Series:
    """Tell who of those drawn would have been invited: somebody no better of their cell is, or everybody else of it.

    Parameters
    ----------
    best : DataFrame
        Who may be invited: ``row``, ``drawn``, ``taken`` (invited), and the columns named below.
    order : list of str
        By what the best are taken first, the last of it ``customer_id``.
    cells : sequence of list of str
        Columns of which people compete for the same places, the finest first: where all of a cell are drawn, the next decides.

    Returns
    -------
    Series of Int64
        Their rows.

    Examples
    --------
    >>> best = pl.DataFrame({"row": [0, 1, 2], "drawn": [True, False, True], "taken": [False, True, False], "cell": 0,
    ...     "score": [9, 8, 7], "customer_id": ["a", "b", "c"]})
    >>> would_have_been(best.with_columns(drawn=pl.col("row") != 1), ["score", "customer_id"], [["cell"]]).to_list()
    [0, 2]
    >>> would_have_been(best.with_columns(drawn=pl.col("row") == 0), ["score", "customer_id"], [["cell"]]).to_list()
    [0]
    """
    places = best.sort(*order, descending=[name != "customer_id" for name in order]).with_row_index("place")
    decided = pl.lit(value=False)
    for of in reversed(cells):
        last = pl.col("place").filter("taken").max().over(of)
        everybody = pl.col("taken").any().over(of) & (pl.col("drawn") | pl.col("taken")).all().over(of)
        here = (pl.col("place") < last).fill_null(value=False) | everybody
        decided = pl.when((~pl.col("drawn")).any().over(of)).then(here).otherwise(decided)
    return places.filter("drawn", decided)["row"].sort()


def like_those_taken(best: pl.DataFrame, order: list[str], cell: list[str]) -> pl.Series:
    """Tell who of whole regions would have been invited: the best, as large a share of them as is invited of the others.

    Parameters
    ----------
    best, order : DataFrame and list of str
        As for `would_have_been`.
    cell : list of str
        Columns of which the share is taken; none of them the region.

    Returns
    -------
    Series of Int64
        Their rows.

    Examples
    --------
    >>> best = pl.DataFrame({"row": range(6), "drawn": [True] * 4 + [False] * 2, "taken": [False] * 5 + [True], "cell": 0,
    ...     "score": range(6), "customer_id": list("abcdef")})
    >>> like_those_taken(best, ["score", "customer_id"], ["cell"]).to_list()
    [2, 3]
    """
    places = best.sort(*order, descending=[name != "customer_id" for name in order])
    others, taken = (~pl.col("drawn")).sum().over(cell), pl.col("taken").sum().over(cell)
    # Whole numbers: the k-th of them is one where k × others ≤ taken × all of them, half of one rounded up.
    many = (2 * taken * pl.col("drawn").sum().over(cell) + others) // (2 * others)
    place = pl.col("drawn").cum_sum().over(cell)
    return places.filter("drawn", (others > 0) & (place <= many))["row"].sort()
