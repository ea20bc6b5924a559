"""How alike the members of a group are in what they buy and do, against what chance would give."""

import polars as pl

from segmenter.hashing import quick_hash
from segmenter.regions.region_names import region_of
from segmenter.rules import ELIGIBLE
from segmenter.settings import PlanSettings

DRAWS = 20  # random groups for each group
_POOL = 10  # times as many people as there are members in a region are drawn from
_UNIT = 1_000_000  # the sides of a customer's vector are whole numbers: their sums are the same in any order


def with_focus(groups: pl.DataFrame, customers: pl.DataFrame, interests: pl.DataFrame, plan: PlanSettings, *, seed: int) -> pl.DataFrame:
    """Add the ``focus`` of each group: the mean cosine similarity of its members, two by two, by their shares of categories.

    ``focus_by_chance`` is what random groups of the same size have, with as many eligible customers of each region; ``focus_above`` the
    share of these that have less. Who has bought nothing that is known does not count; null where fewer than two have. `interests` are
    those of `segments.topics.count_interests`.
    """
    people = customers.filter(verdict=ELIGIBLE).select("customer_id", region_of(plan).fill_null(""), "group")
    people = people.join(interests, on="customer_id", how="semi").sort("region", "group", "customer_id")
    place = pl.int_range(pl.len()).over("region").alias("place")
    seats = people.filter(pl.col("group").is_not_null()).select("region", place, "group")
    # Of large regions some at random are enough to draw from.
    number = pl.Series("number", quick_hash(people["customer_id"], seed, "focus"))
    pool = people.select("customer_id", "region", number).join(seats.group_by("region").len("most"), on="region")
    pool = pool.sort("region", "number", "customer_id").filter(place < _POOL * pl.col("most")).select("customer_id", "region")
    known = interests.join(pl.concat([pool, people.drop_nulls("group").select("customer_id", "region")]), on="customer_id", how="semi")
    length = (pl.col("share").cast(pl.Int64) ** 2).sum().over("customer_id").sqrt()
    vectors = known.select("customer_id", "category", (pl.col("share") / length * _UNIT).round().cast(pl.Int64).alias("side"))
    found = _focus(people.select("customer_id", "group").drop_nulls(), vectors)
    draws = []
    for draw in range(DRAWS):
        number = pl.Series("number", quick_hash(pool["customer_id"], seed, f"focus {draw}"))
        shuffled = pool.with_columns(number).sort("region", "number", "customer_id").select("customer_id", "region", place)
        draws.append(_focus(seats.join(shuffled, on=["region", "place"]).select("customer_id", "group"), vectors))
    by_chance = (
        pl.concat([table.select("group", by_chance="focus") for table in draws])
        .join(found, on="group")
        .group_by("group")
        .agg(
            (pl.col("by_chance").sort().mean()).round(4).alias("focus_by_chance"),
            (pl.col("by_chance") < pl.col("focus")).mean().round(4).alias("focus_above"),
        )
    )
    return groups.join(found, on="group", how="left", maintain_order="left").join(by_chance, on="group", how="left", maintain_order="left")


def _focus(members: pl.DataFrame, vectors: pl.DataFrame) -> pl.DataFrame:
    """Give the ``focus`` of each ``group``: of unit vectors, the square of their sum less their own squares, by pair."""
    side, many = pl.col("side").cast(pl.Int128), pl.col("members")
    sums = (
        members.join(vectors, on="customer_id").group_by("group", "category").agg(side.sum().alias("sum"), (side * side).sum().alias("own"))
    )
    of_group = sums.group_by("group").agg((pl.col("sum") * pl.col("sum")).sum(), pl.col("own").sum())
    counted = of_group.join(members.group_by("group").agg(pl.len().cast(pl.Int64).alias("members")), on="group")
    mean = (pl.col("sum") - pl.col("own")).cast(pl.Float64) / (many * (many - 1)).cast(pl.Float64) / _UNIT**2
    return counted.select("group", pl.when(many > 1).then(mean.round(4)).alias("focus"))
