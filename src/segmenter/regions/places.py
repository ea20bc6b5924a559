"""Where customers are, read from what stands in their columns: each different combination is read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from segmenter.regions.divisions import CITY, CODE, COUNTRY, DISTRICT, PROVINCE, WORLD, path, places
from segmenter.regions.place_patterns import EDGE, NO_PLACE, NOISE, find_names, meaning
from segmenter.regions.readings import ADDRESS, Reading, read_names, shared_path
from segmenter.regions.spellings import aliased, key_of
from segmenter.tables import LEVELS

Levels = tuple[str | None, str | None, str | None]
Codes = Literal["CN", "ISO"] | None
_MANY = 1 << 20  # combinations of names: of so many, most are no customer's


@dataclass(frozen=True)
class Located:
    """What the customers of a frame are read as: `rows` says for each which of the different places is theirs.

    Of each place `customers` says how many have it, `readings` what it is read as; `texts` are the columns, with aliases' targets in the
    names' stead, `found` what was found in them. `codes` says whether most places are China's, or other countries.
    """

    readings: list[Reading]
    rows: pl.Series
    customers: list[int]
    texts: pl.DataFrame
    found: pl.DataFrame
    codes: Codes


def resolve_places(frame: pl.DataFrame) -> pl.DataFrame:
    """Read places as they are written into their levels.

    Parameters
    ----------
    frame : DataFrame
        ``province``, ``city``, ``district`` and ``address`` (String, may be null) as found; best unique.

    Returns
    -------
    DataFrame
        A row for each, in the same order: ``province``, ``city``, ``district`` (short names, as `with_regions` shows them; what is not
        recognised stays as found) and ``sure`` (Boolean): whether all that was written has one reading. Of an address nothing is shown
        but the places that it names.

    Examples
    --------
    >>> frame = pl.DataFrame({"province": ["Sichuan"], "city": [None], "district": [None], "address": ["绵阳市涪城区临园路 1 号"]})
    >>> resolve_places(frame).rows()
    [('四川', '绵阳', '涪城区', True)]
    """
    columns = (*LEVELS, "address")
    texts = frame.select(pl.col(name).cast(pl.String) for name in columns)
    find_names(pl.concat([texts[name].unique().alias("text") for name in LEVELS]))  # at once: to look for so many names has its price
    found = texts.with_columns(find_names(texts[name]) for name in columns)
    texts = _without_no_places(texts, found)
    different, rows = different_rows(found, columns)
    readings = [read_names(*row) for row in different.rows()]
    known = [(*levels_of(reading, abroad=True), reading.sure, *reading.said[:ADDRESS]) for reading in readings]
    said = [f"{name}_said" for name in LEVELS]
    schema = dict.fromkeys(LEVELS, pl.String()) | {"sure": pl.Boolean()} | dict.fromkeys(said, pl.Boolean())
    read = pl.DataFrame(known, schema=schema, orient="row")[rows]
    return read.select(
        *(pl.when(flag).then(name).otherwise(pl.coalesce(texts[name], name)).alias(name) for name, flag in zip(LEVELS, said, strict=True)),
        "sure",
    )


def locate(frame: pl.DataFrame, aliases: Mapping[str, str]) -> Located:
    """Read the levels of a frame's customers; `aliases` are by the key of the names."""
    missing = [pl.lit(None, pl.String).alias(name) for name in LEVELS if name not in frame.columns]
    given, rows = different_rows(frame.with_columns(missing).select(pl.col(LEVELS).cast(pl.String)), LEVELS)
    texts, found = {}, {}
    for name in LEVELS:
        different, at = different_rows(given, (name,))
        text = pl.Series(name, aliased(different[name], aliases), dtype=pl.String)
        texts[name], found[name] = text.gather(at), find_names(text).gather(at)
    names = pl.DataFrame(found)
    cells = names.rows()
    codes = _codes([read_names(*row, None) for row in set(cells)])
    letters = codes is not None and any(form == CODE for row in set(cells) for text in row for _, form in _only(text))
    readings = [read_names(*row, None, codes if letters else None) for row in cells]
    customers = np.bincount(rows.to_numpy(), minlength=given.height).tolist()
    return Located(readings, rows, customers, _without_no_places(pl.DataFrame(texts), names), names, codes)


def different_rows(frame: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """List the different rows of texts in the order of the names, those without last, and say for each row which it is."""
    numbers, size = np.zeros(frame.height, np.int64), 1
    for name in columns:  # by numbers: to group by text would cost many times as much
        codes = frame[name].cast(pl.Categorical(pl.Categories.random())).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
        missing = int(codes.max(initial=-1)) + 1
        size *= missing + 1
        if size > _MANY:
            rows = frame.select(columns).with_row_index("row").group_by(columns).agg("row", pl.len()).sort(columns, nulls_last=True)
            numbers[rows["row"].explode(empty_as_null=False).to_numpy()] = np.repeat(np.arange(rows.height), rows["len"])
            return rows.select(columns), pl.Series(numbers, dtype=pl.UInt32)
        numbers *= missing + 1
        numbers += np.where(codes < 0, missing, codes)
    somebody = np.full(size, -1)
    somebody[numbers] = np.arange(frame.height)
    there = np.flatnonzero(somebody >= 0)
    found = frame.select(columns)[somebody[there]].with_row_index("at").sort(columns, nulls_last=True)
    places = np.zeros(size, np.uint32)
    places[there[found["at"].to_numpy()]] = np.arange(len(there), dtype=np.uint32)
    return found.drop("at"), pl.Series(places[numbers])


def _without_no_places(texts: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    return texts.select(pl.when(found[name] != NO_PLACE).then(name).alias(name) for name in texts.columns)


def name_key(text: str, found: str | None, codes: Codes) -> str:
    """Give what is the same for all names of a place, where a text is one of them and names no other place, or for all spellings."""
    meant = _only(found)
    if meant and found is not None and codes is not None:
        meant = tuple((place, CODE) for place in read_names(found, None, None, None, codes).places)
    return f"\0{meant[0][0]}" if len(meant) == 1 else key_of(text)


def _only(found: str | None) -> tuple[tuple[int, int], ...]:
    """Give what the only name of a text means."""
    return () if found is None or len(found) != 1 or found in (NOISE, NO_PLACE, EDGE) else meaning(found).meant


def _codes(readings: list[Reading]) -> Codes:
    """Say whether the columns hold places of China, or countries, as most of what is sure does."""
    countries = [path(reading.places[0])[0] for reading in readings if reading.sure and reading.places != (WORLD,)]
    foreign = sum(places()[country].code != "CN" for country in countries)
    if not countries or 2 * foreign == len(countries):
        return None
    return "ISO" if 2 * foreign > len(countries) else "CN"


def levels_of(reading: Reading, *, abroad: bool = False) -> Levels:
    """Give the levels that all places of a reading share, a foreign country in the province's stead where asked for.

    A municipality is its own city.
    """
    levels: dict[int, str] = {}
    for number in shared_path(reading.places):
        place = places()[number]
        levels[place.level] = place.short
        if place.level == PROVINCE and place.name.endswith("市"):
            levels[CITY] = place.short
    country = levels.get(COUNTRY) if abroad and levels.get(COUNTRY) != "China" else None
    return levels.get(PROVINCE, country), levels.get(CITY), levels.get(DISTRICT)
