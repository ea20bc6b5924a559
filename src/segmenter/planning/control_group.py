"""Who is held out at random, so that what the launch brings can be measured."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import ConfigError
from segmenter.hashing import uniform
from segmenter.messages import Message

HELD_OUT = "held_out"  # why somebody is not invited
BINS = 5  # of the score, within those who may be held out
FEWEST_REGIONS = 4  # two on either side


def stratify(frame: pl.DataFrame) -> pl.Series:
    """Put customers of one region and a like score together: ``Sichuan|5`` is the region and the fifth of the scores, 5 the best.

    The frame has ``customer_id``, ``score`` and ``region``, which may be null.
    """
    ordered = pl.struct("score", pl.col("customer_id")).rank("ordinal")
    fifth = ((ordered * BINS + pl.len() - 1) // pl.len()).cast(pl.Int64)
    return frame.select(pl.format("{}|{}", pl.col("region").fill_null(""), fifth).alias("stratum")).to_series()


def took_part() -> pl.Expr:
    """Say who of a launch had a part in the draw: who has no ``stratum``, where others have one, was invited whatever came of it."""
    drawn = pl.col("stratum").is_not_null()
    return drawn | ~drawn.any()


def draw_customers(frame: pl.DataFrame, many: int, *, seed: int, launch: str) -> NDArray[np.bool_]:
    """Draw so many customers at random, as many of each ``stratum`` as its size asks for; the same in any order of the rows.

    Each customer has a number, a hash of their id and the launch's name, and so has each stratum: the j-th by number of a stratum of n
    stands at (j - 1 + its number) / n, and the `many` who stand lowest are drawn. So each stratum gives its share, rounded up or down by
    its number, and planning again draws the same but where customers come or go: these touch their own stratum only.
    """
    drawn = np.zeros(frame.height, dtype=bool)
    if not many:
        return drawn
    purpose = f"holdout:{launch}"
    customers = frame.select("customer_id", "stratum", uniform(frame["customer_id"], seed, purpose).alias("number")).with_row_index("row")
    names = customers["stratum"].unique().sort()
    customers = customers.sort("stratum", "number", "customer_id")
    first = customers["stratum"].replace_strict(names, uniform(names, seed, purpose), return_dtype=pl.Float64)
    place = (pl.int_range(pl.len()).over("stratum") + first) / pl.len().over("stratum")
    drawn[customers.with_columns(place=place).sort("place", "number", "customer_id")["row"].head(many).to_numpy()] = True
    return drawn


def draw_regions(regions: pl.Series, share: float, *, seed: int, launch: str) -> list[str]:
    """Draw whole regions at random from those of all customers: the share of them, but at least 2, and 2 are not drawn.

    Who has no region cannot be held out; of fewer than 4 regions none can, which is a `ConfigError`.
    """
    names = regions.drop_nulls().unique().sort()
    if len(names) < FEWEST_REGIONS:
        sentence = (
            "plan.holdout_by: should have at least {fewest} regions to hold some out as a whole (got {regions}); hold out customers with "
            "plan.holdout_by=customer, or choose plan.by_region=city"
        )
        raise ConfigError(Message("planning.few_regions", sentence, fewest=FEWEST_REGIONS, regions=len(names)))
    many = min(max(round(share * len(names)), 2), len(names) - 2)
    numbers = uniform(names, seed, f"holdout:{launch}")
    return sorted(names.gather(numbers.arg_sort().head(many)).to_list())


def select_by_rank(candidates: pl.DataFrame, order: list[str], cells: Sequence[list[str]]) -> pl.Series:
    """Select the rows of those drawn who would have been invited: somebody no better of their cell is, or everybody else of it.

    The candidates have ``row``, ``drawn``, ``taken`` (invited) and the columns named: `order` is by what the best are taken first, the
    last of it ``customer_id``; `cells` are columns of which customers compete for the same places, the finest first: where all of a cell
    are drawn, the next decides.

    >>> candidates = pl.DataFrame({"row": [0, 1, 2], "drawn": [True, False, True], "taken": [False, True, False], "cell": 0,
    ...     "score": [9, 8, 7], "customer_id": ["a", "b", "c"]})
    >>> select_by_rank(candidates, ["score", "customer_id"], [["cell"]]).to_list()
    [0, 2]
    >>> select_by_rank(candidates.with_columns(drawn=pl.col("row") == 0), ["score", "customer_id"], [["cell"]]).to_list()
    [0]
    """
    # No others: an attribute may be called place.
    needed = dict.fromkeys(["row", "drawn", "taken", *order, *(name for cell in cells for name in cell)])
    places = candidates.select(*needed).sort(*order, descending=[name != "customer_id" for name in order]).with_row_index("place")
    decided = pl.lit(value=False)
    for of in reversed(cells):
        last = pl.col("place").filter("taken").max().over(of)
        everybody = pl.col("taken").any().over(of) & (pl.col("drawn") | pl.col("taken")).all().over(of)
        here = (pl.col("place") < last).fill_null(value=False) | everybody
        decided = pl.when((~pl.col("drawn")).any().over(of)).then(here).otherwise(decided)
    return places.filter("drawn", decided)["row"].sort()


def select_by_share(candidates: pl.DataFrame, order: list[str], cell: list[str]) -> pl.Series:
    """Select the rows of those of whole regions who would have been invited: the best, as large a share as is invited of the others.

    For the candidates and the order see `select_by_rank`; the share is taken of each `cell`, of whose columns none is the region.

    >>> candidates = pl.DataFrame({"row": range(6), "drawn": [True] * 4 + [False] * 2, "taken": [False] * 5 + [True], "cell": 0,
    ...     "score": range(6), "customer_id": list("abcdef")})
    >>> select_by_share(candidates, ["score", "customer_id"], ["cell"]).to_list()
    [2, 3]
    """
    places = candidates.sort(*order, descending=[name != "customer_id" for name in order])
    others, taken = (~pl.col("drawn")).sum().over(cell), pl.col("taken").sum().over(cell)
    # Whole numbers: the k-th of them is one where k × others ≤ taken × all of them, half of one rounded up.
    many = (2 * taken * pl.col("drawn").sum().over(cell) + others) // (2 * others)
    place = pl.col("drawn").cum_sum().over(cell)
    return places.filter("drawn", (others > 0) & (place <= many))["row"].sort()
