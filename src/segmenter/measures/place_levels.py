"""Whether the last known province, city and district of a customer were told together, or one of them at another time than the others.

The number `tables.APART` says it; by it `regions.last_known` sees which of two levels that contradict each other is the older one.
"""

import polars as pl

from segmenter.tables import APART, BEFORE_PROVINCE, DISTRICTS, LEVELS, NEWER, OLDER, TOGETHER, WITH_PROVINCE

ABOVE = ("city_province", "district_province", "district_city")  # what stood above a level in the row that told it last


def apart(names: dict[str, pl.Expr], moments: dict[str, pl.Expr]) -> pl.Expr:
    """Compute `APART` of the rows that told the levels last.

    `names` has the levels, and those `ABOVE` them; `moments` the rank of each level's row, null or -1 without one.
    """
    province, city, district = (moments[name] for name in LEVELS)
    in_province = names["district_province"].eq_missing(names["province"])
    with_city = names["city"].is_not_null() & names["district_province"].eq_missing(names["city_province"])
    of_city = (
        pl.when(names["city"].is_null() | names["city_province"].eq_missing(names["province"]))
        .then(TOGETHER)
        .when((city > province).fill_null(value=False))
        .then(NEWER)
        .otherwise(OLDER)
    )
    of_district = (
        pl.when(names["district"].is_null() | (names["district_city"].eq_missing(names["city"]) & (in_province | with_city)))
        .then(TOGETHER)
        .when((district <= city).fill_null(value=False))
        .then(OLDER)
        .when(in_province)
        .then(WITH_PROVINCE)
        .when((district > province).fill_null(value=True))
        .then(NEWER)
        .otherwise(BEFORE_PROVINCE)
    )
    return (of_city + DISTRICTS * of_district).cast(pl.Int8).alias(APART)


def own_first() -> dict[str, pl.Expr]:
    """Take what the customers table says of the place before what the orders say, level by level, and compute `APART` anew.

    The orders' levels are ``order_province``, ``order_city`` and ``order_district``.
    """
    own = {level: pl.col(level).is_not_null() for level in LEVELS}
    levels = {level: pl.coalesce(level, f"order_{level}") for level in LEVELS}
    same = {level: levels[level].eq_missing(pl.col(f"order_{level}")) for level in LEVELS}
    known = pl.col(APART).fill_null(TOGETHER)
    city, district = known % DISTRICTS, known // DISTRICTS
    as_orders = same["province"] & same["city"]
    own_city = pl.when(own["province"] | (same["city"] & (city == TOGETHER))).then(TOGETHER).otherwise(NEWER)
    older_city = pl.when(same["province"] & ~(own["province"] & (city == NEWER))).then(city).otherwise(OLDER)
    of_city = pl.when(own["city"]).then(own_city).otherwise(older_city)
    # The orders' district once more is newer than a city that is older than the province.
    told = own["city"] | (as_orders & same["district"] & (district == TOGETHER) & (older_city != OLDER))
    own_district = pl.when(told).then(TOGETHER).when(own["province"]).then(WITH_PROVINCE).otherwise(NEWER)
    older_district = (
        pl.when((district == TOGETHER) & (as_orders | (~own["city"] & pl.col("order_city").is_not_null())))
        .then(TOGETHER)
        .when(own["city"] | (district <= OLDER))
        .then(OLDER)
        .when(own["province"])
        .then(BEFORE_PROVINCE)
        .otherwise(district)
    )
    of_district = pl.when(own["district"]).then(own_district).otherwise(older_district)
    return {**levels, APART: (of_city + DISTRICTS * of_district).cast(pl.Int8)}
