"""The last known levels of a place, made to fit: what is older gives way to what is newer where they contradict each other."""

import polars as pl

from segmenter.regions.places import resolve_places
from segmenter.tables import APART, BEFORE_PROVINCE, DISTRICTS, LEVELS, NEWER, OLDER, TOGETHER, WITH_PROVINCE

Names = tuple[str | None, str | None, str | None]


def last_known(frame: pl.DataFrame) -> pl.DataFrame:
    """Take away what contradicts what is newer.

    An older name stays where it came with the newer levels above it, or surely lies in them; above a newer one it stays unless that
    surely lies elsewhere. So nobody is taken to be out of a place by an older order than the one that names it.

    Parameters
    ----------
    frame : DataFrame
        The `LEVELS` as found, and `APART`.

    Returns
    -------
    DataFrame
        Without `APART`.
    """
    rows = frame.select(*LEVELS, APART).with_row_index("row").filter(pl.col(APART) > 0)
    if rows.is_empty():
        return frame.drop(APART)
    apart = rows.drop("row").unique()
    meanings = _meanings(apart)
    found = [[meanings[level].get(name) for level, name in zip(LEVELS, row, strict=False)] for row in apart.rows()]
    within = _within_province(apart)
    fitting = [_fitting(row[:-1], row[-1], meant, inside) for row, meant, inside in zip(apart.rows(), found, within, strict=True)]
    told = pl.DataFrame(fitting, schema=[(f"fitting_{level}", pl.String()) for level in LEVELS], orient="row")
    joined = rows.join(apart.hstack(told), on=[*LEVELS, APART], how="left", nulls_equal=True, maintain_order="left")
    return frame.with_columns(frame[level].clone().scatter(joined["row"], joined[f"fitting_{level}"]) for level in LEVELS).drop(APART)


def _meanings(apart: pl.DataFrame) -> dict[str, dict[str, Names]]:
    """Say by level where the places surely are, by their names alone."""
    alone = [apart.select(level).drop_nulls().unique() for level in LEVELS]
    asked = pl.concat([*alone, pl.DataFrame(schema=dict.fromkeys((*LEVELS, "address"), pl.String))], how="diagonal")
    meant: dict[str, dict[str, Names]] = {level: {} for level in LEVELS}
    for names, (*place, sure) in zip(asked.select(LEVELS).rows(), resolve_places(asked).rows(), strict=True):
        if sure and place[0] is not None:
            level, name = next((level, name) for level, name in zip(LEVELS, names, strict=True) if name is not None)
            meant[level][name] = tuple(place)
    return meant


def _within_province(apart: pl.DataFrame) -> list[Names | None]:
    """Say where the districts surely are that came with their province or after it."""
    placed = resolve_places(apart.select("province", "district", city=pl.lit(None, pl.String), address=pl.lit(None, pl.String)))
    told = (apart[APART] // DISTRICTS).is_in([TOGETHER, NEWER, WITH_PROVINCE])
    return [
        (*place,) if sure and with_it and place[1] is not None else None
        for (*place, sure), with_it in zip(placed.rows(), told, strict=True)
    ]


def _fitting(names: Names, apart: int, meant: list[Names | None], inside: Names | None) -> Names:
    """Leave out what does not fit; `meant` says where each level is by its name alone, `inside` the district within the province."""
    province, city, district = names
    of_province, of_city, of_district = meant
    within = of_province[0] if of_province is not None else province
    how_city, how_district = apart % DISTRICTS, apart // DISTRICTS
    if how_city == OLDER and (of_city is None or of_city[0] != within):
        city = of_city = None
    elif how_city == NEWER and of_city is not None and of_city[0] != within:
        province, within = None, of_city[0]
    if how_district in (OLDER, BEFORE_PROVINCE) or (how_district == TOGETHER and city != names[1]):
        if of_district is None or of_district[0] != within:
            return province, city, None
        if how_district == OLDER and city is not None and (of_city is None or of_district[:2] != of_city[:2]):
            return province, city, None
    elif how_district == NEWER and of_district is not None and of_district[0] != within:
        province, within = None, of_district[0]
    of_district = of_district or inside
    if how_district > OLDER and of_district is not None and (of_city is None or of_district[:2] != of_city[:2]):
        # The city is older than the district, which is not in it as far as one can tell.
        city = None
    return province, city, district
