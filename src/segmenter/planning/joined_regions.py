"""Regions that cannot fill a group, joined with their neighbours until they do: city, province, area, and the whole shop at last.

Where groups keep to a topic, the regions of each are joined by themselves, and small topics with their nearest in an area.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from segmenter.messages import Message
from segmenter.planning.constraints import Ints, group_names
from segmenter.planning.group_invitations import Floats, chance_filled, count_members
from segmenter.planning.join_chances import JoinChances
from segmenter.regions import areas_of
from segmenter.settings import PlanSettings
from segmenter.words import Lang

Leaf = tuple[str | None, ...]  # a region, and what it is in: its province, its area; None where that is not known
Leaves = Sequence[int]
_SHOWN = 8
_MILLION = 1_000_000  # sums of whole numbers are the same in any order


@dataclass(frozen=True)
class JoinedRegions:
    """What a group keeps to: the ``unit`` of each region (``leaf``), and what is to be said of those that were joined."""

    units: pl.DataFrame
    notes: tuple[Message, ...]

    def apply(self, candidates: pl.DataFrame) -> pl.DataFrame:
        """Put the joined regions in the place of the candidates' ``unit``."""
        return candidates.rename({"unit": "leaf"}).join(self.units, on="leaf", how="left", maintain_order="left").drop("leaf")


def join_regions(candidates: pl.DataFrame, plan: PlanSettings, chances: JoinChances, lang: Lang, *, by_area: bool = False) -> JoinedRegions:
    """Join the regions of who is to be invited, or may be.

    A region that fills a group keeps to itself. The others of one province, then of one area, are joined; where they still do not fill a
    group, the smallest that does is joined with them. What is left is joined over areas. Candidates who are ``drawn`` have a region, but
    are not counted. `by_area` begins with whole areas.
    """
    everywhere = group_names(lang).everywhere
    leaves, invitations, expected = _count(candidates, plan, chances, lang)

    def reach(some: Leaves, members: int) -> bool:
        return _reach(invitations[[*some]].sum(keepdims=True), expected[[*some]].sum(keepdims=True), plan, chances, members)

    def fill(some: Leaves) -> bool:
        return reach(some, count_members(plan))

    levels = len(leaves[0]) if leaves else 0
    found: dict[str, list[int]] = {}
    left: list[int] = np.flatnonzero(invitations).tolist()
    for level in range(levels - 1 if by_area and levels else 0, levels):
        for name in sorted({name for leaf in left if (name := leaves[leaf][level]) is not None}):
            part = [leaf for leaf in left if leaves[leaf][level] == name]
            inside = {key: some for key, some in found.items() if all(leaves[leaf][level] == name for leaf in some)}
            taken = _take_in(part, inside, invitations, fill)
            if taken is None:
                continue
            for key in taken:
                part += found.pop(key)
            found[name] = sorted({*part, *found.get(name, [])})
            left = [leaf for leaf in left if leaf not in found[name]]
    across: list[str] = []
    if left:
        alone = fill(left) or not found or reach(left, max(plan.smallest, 1))
        taken = [] if alone else _take_in(left, found, invitations, fill) or [*found]
        for key in taken:
            left += found.pop(key)
        name = _common_name([leaves[leaf] for leaf in left]) or everywhere
        across = [] if name != everywhere or plan.by_region == "none" else _top_names([leaves[leaf] for leaf in left])
        found[name] = sorted({*left, *found.get(name, [])})
    unit_of = {leaf[0]: leaf[0] for leaf in leaves} | {leaves[leaf][0]: name for name, some in found.items() for leaf in some}
    units = pl.DataFrame({"leaf": [*unit_of], "unit": [*unit_of.values()]}, schema={"leaf": pl.String, "unit": pl.String})
    return JoinedRegions(units, _say(unit_of, across, everywhere))


def join_by_topic(
    candidates: pl.DataFrame, plan: PlanSettings, chances: JoinChances, lang: Lang, near: Mapping[str, Sequence[str]]
) -> tuple[pl.DataFrame, tuple[Message, ...]]:
    """Join the regions of each topic by themselves, up to an area; and topics that fill no group in their area, with their nearest there.

    The smallest topic goes first, into the nearest that is there; whose topic is not known, into the largest. `near` has the other topics
    of each, the nearest first.
    """
    areas = join_regions(candidates, plan, chances, lang, by_area=True).apply(candidates)["unit"]
    joins = pl.when("drawn").then(0.0).otherwise(chances.chance(candidates["score"]))
    counted = candidates.select("topic", (joins * _MILLION).round().cast(pl.Int64).alias("joins"), areas, free=~pl.col("drawn"))
    counts = counted.group_by("unit", "topic").agg(pl.col("free").sum().cast(pl.Int64), pl.col("joins").sum())
    hosts, said = [], []
    for (area,), part in counts.sort("unit", "topic", nulls_last=True).group_by("unit", maintain_order=True):
        people = {topic: np.array([free, joins]) for topic, free, joins in part.select("topic", "free", "joins").rows()}
        host = {topic: topic for topic in people}

        def lives(count: Ints) -> bool:
            return _reach(count[:1], count[1:] / _MILLION, plan, chances, count_members(plan))

        while len(people) > 1 and (small := [topic for topic in people if not lives(people[topic])]):
            topic = min(small, key=lambda topic: (people[topic][0], topic or ""))
            others = sorted((other for other in people if other != topic), key=lambda other: (-people[other][0], other or ""))
            nearest = next((other for other in near.get(topic or "", ()) if other in others), others[0])
            if topic is not None and people[topic][0]:
                said.append(Message("planning.topic_joined", "{area}: {topic} with {other}", area=area, topic=topic, other=nearest))
            people[nearest] = people[nearest] + people.pop(topic)
            host = {name: nearest if taken == topic else taken for name, taken in host.items()}
        hosts += [(area, topic, taken) for topic, taken in host.items()]
    table = pl.DataFrame(hosts, schema=dict.fromkeys(("area", "topic", "host"), pl.String), orient="row")
    joined = candidates.with_columns(area=areas).join(table, on=["area", "topic"], how="left", nulls_equal=True, maintain_order="left")
    joined = joined.with_columns(topic="host").drop("host", "area")
    units = pl.concat(
        join_regions(part, plan, chances, lang).units.with_columns(topic=pl.lit(topic, dtype=pl.String))
        for (topic,), part in joined.sort("topic", nulls_last=True).group_by("topic", maintain_order=True)
    )
    placed = joined.rename({"unit": "leaf"}).join(units, on=["leaf", "topic"], how="left", nulls_equal=True, maintain_order="left")
    notes = []
    if neighbours := sorted(units.filter(pl.col("unit") != pl.col("leaf"))["unit"].unique()):
        sentence = "Regions that would not fill a group of a topic are joined with their neighbours, topic by topic: {names}"
        notes.append(Message("planning.regions_by_topic", sentence, names=_shown(neighbours)))
    if said:
        sentence = (
            "Topics that would not fill a group in their area are joined with the nearest there: {names}; with plan.by_region=none, or a "
            "smaller plan.group_capacity, they stay apart"
        )
        notes.append(Message("planning.topics_joined", sentence, names=_shown(said)))
    return placed.drop("leaf"), tuple(notes)


def _reach(invitations: Ints, joins: Floats, plan: PlanSettings, chances: JoinChances, members: int) -> bool:
    """Say whether a group of so many invitations, of whom so many are expected to join, would have so many members, and live."""
    if plan.fill_confidence is None:
        return bool(invitations[0] >= plan.smallest)
    alive = round(joins[0], 6) >= plan.smallest
    return bool(alive and chance_filled(joins, invitations.astype(np.float64), chances.evidence, members)[0] >= plan.fill_confidence)


def _count(candidates: pl.DataFrame, plan: PlanSettings, chances: JoinChances, lang: Lang) -> tuple[list[Leaf], Ints, Floats]:
    """List the regions with what they are in, their invitations and how many of these are expected to join."""
    names = candidates.select("unit", "province").group_by("unit").agg(pl.col("province").min()).sort("unit")
    free = candidates.filter(~pl.col("drawn"))
    places = pl.Series(range(names.height), dtype=pl.Int64)
    number = free["unit"].replace_strict(names["unit"], places, return_dtype=pl.Int64).to_numpy().astype(np.int64)
    invitations: Ints = np.bincount(number, minlength=names.height).astype(np.int64)
    expected: Floats = np.bincount(number, chances.chance(free["score"]).to_numpy(), names.height).astype(np.float64)  # row by row
    if plan.by_region == "none":
        return [(name,) for name in names["unit"]], invitations, expected
    rows = zip(names["unit"], names["province"], areas_of(names["province"], lang), strict=True)
    return [(unit, province, area) if plan.by_region == "city" else (unit, area) for unit, province, area in rows], invitations, expected


def _take_in(part: Leaves, found: dict[str, list[int]], invitations: Ints, fill: Callable[[Leaves], bool]) -> list[str] | None:
    """Say which of those found a part takes in until it fills a group, the smallest first; None where it does not."""
    some, taken = [*part], []
    for key in sorted(found, key=lambda key: (int(invitations[found[key]].sum()), key)):
        if fill(some):
            break
        some += found[key]
        taken.append(key)
    return taken if fill(some) else None


def _common_name(leaves: Sequence[Leaf]) -> str | None:
    """Name the smallest region that all are in."""
    levels = [{*names} for names in zip(*leaves, strict=True)]
    return next((name for names in levels if len(names) == 1 and (name := names.pop()) is not None), None)


def _top_names(leaves: Sequence[Leaf]) -> list[str]:
    """Name the areas, or what stands in their place where no table knows the area."""
    return sorted({next(name for name in (*reversed(leaf), leaf[0]) if name is not None) for leaf in leaves if leaf[0] is not None})


def _say(unit_of: Mapping[str | None, str | None], across: list[str], everywhere: str) -> tuple[Message, ...]:
    joined = {unit for leaf, unit in unit_of.items() if unit is not None and unit not in (leaf, everywhere)}
    messages = []
    if joined:
        sentence = "{regions:,} regions that would not fill a group of their own are joined with their neighbours: {names}"
        count = sum(unit in joined for unit in unit_of.values())
        messages.append(Message("planning.regions_joined", sentence, regions=count, names=_shown(sorted(joined))))
    if across:
        sentence = "{names} would not fill a group of their own, and share {group}: people from all over the shop are together there"
        messages.append(Message("planning.regions_across", sentence, names=_shown(across), group=everywhere))
    return tuple(messages)


def _shown(names: Sequence[str]) -> tuple[str, ...]:
    return (*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else []))
