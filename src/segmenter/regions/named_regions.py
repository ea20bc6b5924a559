"""Who is in the regions that a rule or an agent names: who certainly is, and who may be."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from segmenter.errors import nearest
from segmenter.messages import Message
from segmenter.regions.divisions import COUNTRY, WORLD, path, places
from segmenter.regions.place_patterns import find_names
from segmenter.regions.places import Located, locate, name_key
from segmenter.regions.readings import Reading, read_names
from segmenter.regions.spellings import aliased, by_key
from segmenter.settings import RegionRule
from segmenter.tables import LEVELS

_SHOWN = 5


@dataclass(frozen=True)
class Members:
    """Of whom it is certain that they are in named regions, and of whom what is known does not decide it: Booleans for each customer.

    With a message for each name that matches nobody, and for each that several places have.
    """

    inside: pl.Series
    undecided: pl.Series
    missing: list[Message]
    ambiguous: list[Message]


@dataclass(frozen=True)
class _Target:
    """A named region: the places that it means, or the names of levels as they are written where no table knows them."""

    places: tuple[int, ...]
    keys: tuple[str, ...]


def locate_customers(frame: pl.DataFrame, rule: RegionRule) -> Located:
    """Read where the customers of a frame are."""
    return locate(frame, by_key(rule.aliases))


def find_members(frame: pl.DataFrame, names: Sequence[str], rule: RegionRule, key: str, located: Located | None = None) -> Members:
    """Find the customers of named regions.

    Parameters
    ----------
    frame : DataFrame
        ``province`` and ``city``, ``district`` where it is known, as `with_regions` gives them.
    names : sequence of str
        Of any level, in any spelling: ``四川``, ``成都市``, ``Sichuan/Chengdu``, ``涪城区``.
    rule : RegionRule
        Its aliases.
    key : str
        The config's, for messages.
    located : Located or None
        What `locate` gives for the frame, where that is at hand.

    Returns
    -------
    Members
        A customer is undecided where the known levels fit a named region and others as well.
    """
    aliases = by_key(rule.aliases)
    located = locate_customers(frame, rule) if located is None else located
    targets = [_target(name, aliases, located) for name in names]
    known = frozenset(place for target in targets for place in target.places)
    relations = [_relation(reading, known) for reading in located.readings] if known else [False] * len(located.readings)
    related = pl.Series(relations, dtype=pl.Boolean).gather(located.rows)
    inside, undecided = related.fill_null(value=False), related.is_null()
    levels = _written(located)
    for target in targets:
        if not target.places:
            hit, open_ = _by_text(levels, target.keys)
            inside |= hit.gather(located.rows)
            undecided |= open_.gather(located.rows)
    both = [*zip(names, targets, strict=True)]
    missing = [_missing(name, key, located) for name, target in both if not _has_anyone(target, located, levels)]
    ambiguous = [_ambiguous(name, key, target) for name, target in both if len(target.places) > 1]
    return Members(inside, undecided & ~inside, missing, ambiguous)


def _target(name: str, aliases: dict[str, str], located: Located) -> _Target:
    parts = [part for part in aliased(name.split("/"), aliases) if part is not None]
    whole, *each = find_names(pl.Series(["/".join(parts), *parts], dtype=pl.String))
    readings = [read_names(None, None, None, text, located.codes) for text in (whole, *each)]
    if any(WORLD in reading.places for reading in readings):
        return _Target((), tuple(name_key(part, found, located.codes) for part, found in zip(parts, each, strict=True)))
    return _Target(readings[0].places, ())


def _relation(reading: Reading, targets: frozenset[int]) -> bool | None:
    """Say whether a customer is in one of the places: True, False, or None where what is known does not decide it."""
    within = [not targets.isdisjoint(path(place)) for place in reading.places]
    if all(within):
        return True
    above = {one for target in targets for one in path(target)} | {WORLD}
    return None if any(within) or not above.isdisjoint(reading.places) else False


def _written(located: Located) -> pl.DataFrame:
    """Give the levels of each place by their names' keys."""
    columns = {}
    for name in LEVELS:
        known = {
            cell: name_key(*cell, located.codes) for cell in set(zip(located.texts[name], located.found[name], strict=True)) if cell[0]
        }
        columns[name] = [known.get(cell) for cell in zip(located.texts[name], located.found[name], strict=True)]
    return pl.DataFrame(columns, schema=dict.fromkeys(LEVELS, pl.String()))


def _by_text(levels: pl.DataFrame, keys: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
    """Find a region that no table knows by its name; undecided is who has no name at the level where it stands."""
    if len(keys) > len(LEVELS):
        nobody = pl.repeat(False, levels.height, eager=True)
        return nobody, nobody
    if len(keys) == 1:
        at = [name for name in LEVELS if (levels[name] == keys[0]).any()] or [*LEVELS]
        hit = pl.any_horizontal(pl.col(name).eq_missing(pl.lit(keys[0])) for name in LEVELS)
        open_ = pl.all_horizontal(pl.col(name).is_null() for name in at)
    else:
        pairs = [(pl.col(name), pl.lit(key)) for name, key in zip(LEVELS, keys, strict=False)]
        hit = pl.all_horizontal(column.eq_missing(key) for column, key in pairs)
        open_ = pl.all_horizontal((column == key).fill_null(value=True) for column, key in pairs)
    found = levels.select(hit=hit, open=open_ & ~hit)
    return found["hit"], found["open"]


def _has_anyone(target: _Target, located: Located, levels: pl.DataFrame) -> bool:
    if target.places:
        return any(_relation(reading, frozenset(target.places)) for reading in located.readings)
    return bool(_by_text(levels, target.keys)[0].any())


def _missing(name: str, key: str, located: Located) -> Message:
    known = {text for level in LEVELS for text in located.texts[level].unique().drop_nulls()}
    if "/" in name:
        pairs = located.texts.select(pl.concat_str("province", "city", separator="/", ignore_nulls=True)).to_series()
        known |= set(pairs.unique().drop_nulls())
    sentence = '{key}: no customer is in "{name}"{nearest}'
    return Message("rules.region", sentence, key=key, name=name, nearest=nearest(name, known))


def _ambiguous(name: str, key: str, target: _Target) -> Message:
    meant = [
        "/".join(places()[one].short for one in path(place) if places()[one].level != COUNTRY or len(path(place)) == 1)
        for place in target.places
    ]
    sentence = '{key}: "{name}" is the name of several places, all of which are taken: {meant}; name one of them to take it alone'
    return Message("places.ambiguous", sentence, key=key, name=name, meant=meant[:_SHOWN])
