"""The names of regions as they are shown: one for each place, however shops spell it."""

from collections import Counter

import polars as pl

from segmenter.regions.divisions import DISTRICT, WORLD, places
from segmenter.regions.places import Located, levels_of, locate, name_key
from segmenter.regions.readings import Reading
from segmenter.regions.spellings import by_key, most_frequent
from segmenter.settings import PlanSettings, RegionRule
from segmenter.tables import LEVELS


def with_regions(frame: pl.DataFrame, rule: RegionRule) -> pl.DataFrame:
    """Bring the names of regions into one spelling, and into the levels that they are of.

    Parameters
    ----------
    frame : DataFrame
        With ``province`` and ``city`` as they are, ``district`` where it is known.
    rule : RegionRule
        Its aliases.

    Returns
    -------
    DataFrame
        With ``province``, ``city`` and ``district`` in one spelling each: places of China by their short names, each in its level and with
        the levels above it; what is not recognised, and other countries, as most frequently written, ties by name. And ``region``:
        ``province/city``, one of them where only one is known or both are the same, null where none is.

    Examples
    --------
    >>> rule = RegionRule(include=(), exclude=(), allow_missing=False, unknown="remove", aliases={})
    >>> frame = pl.DataFrame({"province": ["四川省", "SICHUAN", None], "city": ["綿陽市", None, "涪城区"]})
    >>> with_regions(frame, rule)["region"].to_list()
    ['四川/绵阳', '四川', '四川/绵阳']
    """
    located = locate(frame, by_key(rule.aliases))
    known = [_shown(reading, located) for reading in located.readings]
    schema = {name: pl.String() for name in LEVELS} | {f"{name}_written": pl.Boolean() for name in LEVELS}
    levels = pl.DataFrame(known, schema=schema, orient="row")
    columns = {}
    for name in LEVELS:
        kept = pl.when(levels[f"{name}_written"]).then(located.texts[name])
        written = _one_spelling(pl.select(kept.alias(name)).to_series(), located.found[name], located)
        columns[name] = pl.select(pl.coalesce(written, levels[name]).alias(name)).to_series()
    shown = _moved(pl.DataFrame(columns), located)
    below = pl.when(pl.col("city").ne_missing(pl.col("province"))).then("city")
    region = pl.concat_str("province", below, separator="/", ignore_nulls=True).replace("", None)
    names = shown.with_columns(region=region).get_columns()
    # Columns of nothing take no memory.
    return frame.with_columns(
        pl.lit(None, pl.String).alias(each.name) if each.null_count() == len(each) else each.gather(located.rows) for each in names
    )


def _shown(reading: Reading, located: Located) -> tuple[str | bool | None, ...]:
    """Give for each level the name to show, and whether rather to show what stands there."""
    if located.codes == "ISO":
        return (None, None, None, True, True, True)
    levels = levels_of(reading)
    told = any(level is not None for level in levels)
    return (*levels, *(not (said and told) for said in reading.said[: len(LEVELS)]))


def _one_spelling(texts: pl.Series, found: pl.Series, located: Located) -> pl.Series:
    """Write the names of a column as each is most frequently written; names of one place are one name."""
    counts: Counter[str] = Counter()
    keys: dict[str, str] = {}
    for text, names, count in zip(texts, found, located.customers, strict=True):
        if text is not None:
            counts[text] += count
            if text not in keys:
                keys[text] = name_key(text, names, located.codes)
    shown = most_frequent(counts, keys)
    return pl.Series([None if text is None else shown[text] for text in texts], dtype=pl.String)


def _moved(shown: pl.DataFrame, located: Located) -> pl.DataFrame:
    """Put districts that several cities have where districts stand, though their column was the cities'."""
    moves = [
        len(reading.places) > 1
        and all(place != WORLD and places()[place].level == DISTRICT for place in reading.places)
        and not reading.said[1]
        for reading in located.readings
    ]
    moved = pl.Series(moves, dtype=pl.Boolean) & shown["district"].is_null()
    city = pl.when(~moved).then("city")
    return shown.with_columns(city=city, district=pl.when(moved).then("city").otherwise("district"))


def region_of(plan: PlanSettings) -> pl.Expr:
    """Give the ``region`` of a customer that the control group is drawn by: that of the groups, or the province."""
    below = pl.when(pl.col("city").ne_missing(pl.col("province"))).then("city")  # a municipality is its own city
    city = pl.concat_str("province", below, separator="/", ignore_nulls=True).replace("", None)
    return (city if plan.by_region == "city" else pl.col("province")).alias("region")
