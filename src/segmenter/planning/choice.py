"""What a plan chooses; and the simple way to: the best so many, cut into groups of one region."""

from dataclasses import dataclass, field

import polars as pl

from segmenter.planning.control_group import select_by_rank
from segmenter.planning.group_invitations import fit_invitations
from segmenter.planning.join_chances import JoinChances
from segmenter.settings import SimplePlan

NO_LAYERS = pl.Schema({"group": pl.String(), "layer": pl.String(), "people": pl.Int64()}).to_frame()
SIZE = "size"  # why somebody is not invited: others are better


@dataclass(frozen=True)
class Choice:
    """Who of the candidates is invited into which group.

    `candidates` are those of `candidates.list_candidates`, with ``left_out``: why somebody is not invited, null where that is for the
    size. The `invited` of them have ``rank`` (Int32, from 1), ``group``, and ``number``, that of the group in its unit. `held_out` has the
    rows of those who would have been invited, had they not been drawn for the control group. `layers` has ``group``, ``layer``, ``people``;
    `topics` ``group`` and ``topic``, where groups keep to one.
    """

    candidates: pl.DataFrame
    invited: pl.DataFrame
    held_out: pl.Series
    layers: pl.DataFrame = field(default_factory=lambda: NO_LAYERS)
    topics: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def choose_simple(candidates: pl.DataFrame, plan: SimplePlan, chances: JoinChances) -> Choice:
    """Invite the best so many. Each region's make as few groups as take them, filled by rank in turn so that they are equally strong."""
    free = candidates.filter(~pl.col("drawn"))
    best = (free if plan.size == "all" else free.head(int(plan.size))).with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))
    units = best.partition_by("unit", as_dict=True, maintain_order=True)
    groups = {str(unit): -(-part.height // fit_invitations(part["score"], chances, plan)) for (unit,), part in units.items()}
    many = pl.DataFrame({"unit": list(groups), "groups": list(groups.values())}, schema={"unit": pl.String, "groups": pl.Int64})
    turn = pl.int_range(pl.len()).over("unit")
    invited = best.join(many, on="unit", how="left", maintain_order="left").with_columns(number=turn % pl.col("groups") + 1)
    invited = invited.drop("groups").with_columns(group=pl.format("{}-{}", "unit", "number"))
    competing = candidates.with_columns(cell=0, taken=pl.col("row").is_in(invited["row"].implode()))
    held_out = select_by_rank(competing, ["score", "customer_id"], [["cell"]])
    return Choice(candidates.with_columns(left_out=pl.lit(SIZE)), invited, held_out)
