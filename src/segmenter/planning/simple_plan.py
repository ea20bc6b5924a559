"""The best so many, cut into groups of one region."""

import polars as pl

from segmenter.planning.choice import SIZE, Choice
from segmenter.planning.control_group import select_by_rank
from segmenter.planning.group_invitations import fit_invitations
from segmenter.planning.join_chances import JoinChances
from segmenter.settings import CoreSettings, SimplePlan


def choose_simple(candidates: pl.DataFrame, plan: SimplePlan, settings: CoreSettings, chances: JoinChances) -> Choice:
    """Invite the best so many. Each region's make as few groups as take them, filled by rank in turn so that they are equally strong."""
    free = candidates.filter(~pl.col("drawn"))
    best = (free if plan.size == "all" else free.head(int(plan.size))).with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))
    units = best.partition_by("unit", as_dict=True, maintain_order=True)
    groups = {str(unit): -(-part.height // fit_invitations(part["score"], chances, plan).invitations) for (unit,), part in units.items()}
    many = pl.DataFrame({"unit": list(groups), "groups": list(groups.values())}, schema={"unit": pl.String, "groups": pl.Int64})
    turn = pl.int_range(pl.len()).over("unit")
    invited = best.join(many, on="unit", how="left", maintain_order="left").with_columns(number=turn % pl.col("groups") + 1)
    invited = invited.drop("groups").with_columns(group=pl.format("{}-{}", "unit", "number"))
    competing = candidates.with_columns(cell=0, taken=pl.col("row").is_in(invited["row"].implode()))
    held_out = select_by_rank(competing, ["score", "customer_id"], [["cell"]])
    return Choice(candidates.with_columns(left_out=pl.lit(SIZE)), invited, held_out)
