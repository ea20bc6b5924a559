"""What a plan chooses; and the simple way to: the best so many, cut into groups of regions that fill them."""

from dataclasses import dataclass, field

import polars as pl

from segmenter.messages import Message
from segmenter.planning.control_group import select_by_rank
from segmenter.planning.group_invitations import ListLengths, fit_invitations
from segmenter.planning.join_chances import JoinChances
from segmenter.planning.joined_regions import join_regions
from segmenter.settings import PlanSettings, SimplePlan
from segmenter.words import Lang

NO_LAYERS = pl.Schema({"group": pl.String(), "layer": pl.String(), "people": pl.Int64()}).to_frame()
SIZE, FULL = "size", "group_full"  # why somebody is not invited: others are better, or there is no place


@dataclass(frozen=True)
class Choice:
    """Who of the candidates is invited into which group.

    `candidates` are those of `candidates.list_candidates`, with ``left_out``: why somebody is not invited, null where that is for the
    size. The `invited` of them have ``rank`` (Int32, from 1), ``group``, and ``number``, that of the group in its unit. `held_out` has the
    rows of those who would have been invited, had they not been drawn for the control group. `layers` has ``group``, ``layer``, ``people``;
    `topics` ``group`` and ``topic``, where groups keep to one; `units` what regions (``leaf``) were joined to, in a simple plan.
    """

    candidates: pl.DataFrame
    invited: pl.DataFrame
    held_out: pl.Series
    layers: pl.DataFrame = field(default_factory=lambda: NO_LAYERS)
    topics: pl.DataFrame | None = None
    units: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def choose_simple(candidates: pl.DataFrame, plan: SimplePlan, chances: JoinChances, lang: Lang, first: int = 0) -> Choice:
    """Invite the best so many. Regions that fill a group have their own, others with their neighbours, filled by rank in turn.

    The `first` so many candidates are key users whatever their score: no place of the control group is like theirs.
    Of `plan.size=auto` the best of each area are invited, as many as one group takes.
    """
    free = candidates.filter(~pl.col("drawn"))
    cell = pl.repeat("", candidates.height, eager=True)  # all compete for the same places
    size: tuple[Message, ...] = ()
    if plan.size == "auto":
        cell, best = best_of_areas(candidates, plan, chances, lang)
        size = (say_size(best.height, cell.n_unique()),)
    else:
        best = free if plan.size == "all" else free.head(int(plan.size))
    chosen, regions = best["row"], join_regions(best, plan, chances, lang)
    best = regions.apply(best)
    counts = dict(best["unit"].value_counts().rows())
    lengths = _lengths(best, plan, chances)
    count = {unit: length.count_groups(counts[unit]) for unit, length in lengths.items()}
    place, groups = pl.int_range(pl.len()).over("unit"), _of_unit(count)
    if plan.fill_confidence is None:  # a place for each: who has none, as more groups would be too small, stays out
        best = best.filter(place < groups * _of_unit({unit: length.many for unit, length in lengths.items()}))
    invited = best.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32), number=place % groups + 1)
    invited = invited.with_columns(group=pl.format("{}-{}", "unit", "number"))
    competing = candidates.with_columns(cell.alias("cell"), taken=pl.col("row").is_in(invited["row"].implode()))[first:]
    held_out = select_by_rank(competing, ["score", "customer_id"], [["cell"]])
    full = pl.col("row").is_in(chosen.implode()) & ~pl.col("row").is_in(invited["row"].implode())
    candidates = candidates.with_columns(left_out=pl.when(full).then(pl.lit(FULL)).otherwise(pl.lit(SIZE)))
    return Choice(candidates, invited, held_out, units=regions.units, notes=(*size, *regions.notes))


def best_of_areas(candidates: pl.DataFrame, plan: PlanSettings, chances: JoinChances, lang: Lang) -> tuple[pl.Series, pl.DataFrame]:
    """Give each candidate's area, joined where it fills no group, and of those of it who are not drawn as many as one group takes."""
    areas = join_regions(candidates, plan, chances, lang, by_area=True).apply(candidates)["unit"]
    free = candidates.with_columns(leaf="unit", unit=areas).filter(~pl.col("drawn"))
    most = _of_unit({unit: lengths.many for unit, lengths in _lengths(free, plan, chances).items()})
    return areas, free.filter(pl.int_range(pl.len()).over("unit") < most).with_columns(unit="leaf").drop("leaf")


def say_size(size: int, areas: int, *, topics: bool = False) -> Message:
    """Say what `plan.size=auto` came to, in so many areas, or topics of areas."""
    s = "" if areas == 1 else "s"
    if topics:
        sentence = "plan.size=auto came to {size:,} invitations: one group for the best of each topic in each area, {areas} in all"
        return Message("planning.size_auto_topics", sentence, size=size, areas=areas)
    sentence = "plan.size=auto came to {size:,} invitations: one group for the best of {areas} area{s}"
    return Message("planning.size_auto", sentence, size=size, areas=areas, s=s)


def _lengths(people: pl.DataFrame, plan: PlanSettings, chances: JoinChances) -> dict[str, ListLengths]:
    parts = people.select("unit", "score").partition_by("unit", as_dict=True, maintain_order=True)
    return {str(unit): fit_invitations(part["score"], chances, plan, people.height) for (unit,), part in parts.items()}


def _of_unit(numbers: dict[str, int]) -> pl.Expr:
    return pl.col("unit").replace_strict(numbers or {"": 0}, return_dtype=pl.Int64)
