"""Says of how many customers the place is not recognised, and of how many a rule about regions cannot be decided, and why."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from segmenter.contacts import hide
from segmenter.errors import nearest
from segmenter.messages import Message
from segmenter.regions.divisions import DISTRICT, PROVINCE, WORLD, places
from segmenter.regions.places import Located, locate
from segmenter.regions.readings import Reading, shared_path
from segmenter.regions.spellings import by_key
from segmenter.settings import RegionRule
from segmenter.tables import LEVELS

_SHOWN = 5


def say_unrecognised(frame: pl.DataFrame, rule: RegionRule, spent: Callable[[pl.DataFrame], str]) -> Message | None:
    """Say which places no table knows, by customers and what they spent; cities of other countries are in none."""
    located = locate(frame, by_key(rule.aliases))
    texts = located.texts.with_columns(written=pl.concat_str(LEVELS, separator="/", ignore_nulls=True).replace("", None))
    strange = pl.Series([_is_strange(reading) for reading in located.readings], dtype=pl.Boolean) & texts["written"].is_not_null()
    if not strange.any():
        return None
    counts: Counter[str] = Counter()
    for name, count in texts.select("written", customers=pl.Series(located.customers)).filter(strange).rows():
        counts[hide(name)] += count
    listed = [_named(name, count, _known()) for name, count in _first(counts)]
    sentence = (
        "places that are not recognised have {count:,} customers, who spent {spend}: {names}; rules.region.aliases says what a name means"
    )
    return Message(
        "places.unrecognised", sentence, count=counts.total(), spend=spent(frame.filter(strange.gather(located.rows))), names=listed
    )


def _is_strange(reading: Reading) -> bool:
    abroad = places()[(*shared_path(reading.places), WORLD)[0]].code not in ("", "CN")
    return not abroad and not all(reading.recognised[: len(LEVELS)])


def _known() -> set[str]:
    return {place.short for place in places() if PROVINCE <= place.level < DISTRICT}


def say_undecided(undecided: pl.Series, located: Located, names: Sequence[str], rule: RegionRule, key: str, spend: str) -> Message:
    """Say whom a rule cannot decide on: how many customers, who spent how much, and what is not known of them."""
    counts = np.bincount(located.rows.filter(undecided).to_numpy(), minlength=len(located.readings)).tolist()
    without: Counter[int] = Counter()
    unrecognised: Counter[str] = Counter()
    shared: Counter[str] = Counter()
    for texts, reading, count in zip(located.texts.select(LEVELS).rows(), located.readings, counts, strict=True):
        written = hide("/".join(text for text in texts if text is not None))
        if not count:
            continue
        if not written:
            without[0] += count
        elif len(reading.places) > 1:
            shared[written] += count
        elif (level := _missing_level(reading, texts)) is None:
            unrecognised[written] += count
        else:
            without[level] += count
    known = _known()
    why = [_LACKS[level](count) for level, count in sorted(without.items())]
    if unrecognised:
        listed = [_named(name, count, known) for name, count in _first(unrecognised)]
        why.append(
            Message(
                "places.not_recognised", "{count:,} with a place that is not recognised: {names}", count=unrecognised.total(), names=listed
            )
        )
    if shared:
        listed = [_named(name, count, ()) for name, count in _first(shared)]
        why.append(Message("places.several", "{count:,} with a place that may be several: {names}", count=shared.total(), names=listed))
    sentence = "{key}: {names} cannot be decided for {count:,} customers, who spent {spend}: {why}; {done}"
    done = _DONE[rule.unknown]()
    return Message(
        "places.undecided", sentence, key=key, names=[*names][:_SHOWN], count=int(undecided.sum()), spend=spend, why=why, done=done
    )


_LACKS = {
    0: lambda count: Message("places.no_region", "{count:,} without a region", count=count),
    1: lambda count: Message("places.no_province", "{count:,} without a province", count=count),
    2: lambda count: Message("places.no_city", "{count:,} without a city", count=count),
    3: lambda count: Message("places.no_district", "{count:,} without a district", count=count),
}
_DONE = {
    "remove": lambda: Message(
        "places.removed", "they are left out (rules.region.unknown=keep takes them; rules.region.aliases says what a name means)"
    ),
    "keep": lambda: Message(
        "places.kept",
        "they are kept, wherever they are (rules.region.unknown=remove leaves them out; rules.region.aliases says what a name means)",
    ),
    "stop": lambda: Message(
        "places.stopped", "rules.region.unknown=remove leaves them out, keep takes them; rules.region.aliases says what a name means"
    ),
}


def _missing_level(reading: Reading, texts: Sequence[str | None]) -> int | None:
    """Say which level is missing: 2 the city; None where something stands there and is not recognised."""
    if WORLD in reading.places or not all(reading.recognised[: len(LEVELS)]):
        return None
    return min(places()[reading.places[0]].level + 1, DISTRICT)


def _first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]


def _named(name: str, count: int, known: Sequence[str] | set[str]) -> Message:
    near = nearest(name, known, most=1) if known else ""
    near = near if near.startswith("; nearest") else ""
    return Message("places.named", '"{name}" ({count:,}{near})', name=name, count=count, near=near)
