"""The key users of a launch's groups: the best advocates among the invited, or those from whom most is reached."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.planning.candidates import draw_rows, list_candidates, unit_of
from segmenter.planning.choice import Choice, choose_simple
from segmenter.planning.group_invitations import most_invitations
from segmenter.planning.join_chances import JoinChances
from segmenter.settings import CoreSettings, PlanSettings, SimplePlan
from segmenter.spread import SpreadChoice, choose_key_users, estimate_reach
from segmenter.spread.launch_spread import LaunchSpread


@dataclass(frozen=True)
class PickedKeyUsers:
    """Key users from whom most is reached, and who they were chosen from.

    `rows` of the frame, in their order; `advocates` are the rows of those whom the plan would have taken otherwise, one for each place.
    `open` has ``row``, ``customer_id``, ``score`` and ``kind`` of who could be chosen, of each kind as many as `limits` says. The
    first `reaching` bring somebody, the others are advocates in the places left; `added` of all are on the list for their reach only.
    In each of the `groups`, `room` places are left for whom they bring.
    """

    rows: NDArray[np.int64]
    advocates: NDArray[np.int64]
    open: pl.DataFrame
    limits: dict[str, int]
    found: SpreadChoice
    reaching: int
    added: int
    groups: int
    room: int = 0

    def mark(self, invited: pl.DataFrame, plan: PlanSettings) -> pl.DataFrame:
        """Add ``key_user``; no group has more of them than `plan.key_users`."""
        turn = pl.col("row").replace_strict(self.rows, np.arange(len(self.rows)), default=None, return_dtype=pl.Int64)
        return invited.with_columns(key_user=(turn.rank("ordinal").over("group") <= plan.key_users).fill_null(value=False))


def mark_advocates(invited: pl.DataFrame, plan: PlanSettings, chances: JoinChances) -> pl.DataFrame:
    """Take the best advocates of each group, a share of those who are expected to join, for its key users."""
    chance = 1_000_000 * chances.chance(invited["score"])  # in whole numbers: their sum is the same in any order
    joins = chance.round().cast(pl.Int64).fill_null(0).alias("joins")
    ordered = invited.with_columns(joins).sort("group", "advocacy", "rank", descending=[False, True, False])
    many = (plan.key_user_share * pl.col("joins").sum().over("group") / 1_000_000).ceil().clip(upper_bound=plan.key_users)
    place = pl.int_range(pl.len()).over("group")
    return ordered.with_columns((place < many).alias("key_user")).drop("joins").sort("rank")


def pick_key_users(
    frame: pl.DataFrame, spread: LaunchSpread, choice: Choice, marked: pl.DataFrame, settings: CoreSettings
) -> PickedKeyUsers | None:
    """Choose for the places of the `marked` advocates those from whom most is reached; None where there is no place, or nobody for it.

    In a simple plan these are any who are eligible, of the same joined regions; in an allocated one those of the same group, as its program
    decides who is invited.
    """
    if isinstance(settings.plan, SimplePlan) and choice.units is not None:
        rows, held = draw_rows(frame, settings)
        known = frame[rows[~held]].select("customer_id", "score", leaf=unit_of(settings)).with_columns(row=pl.Series(rows[~held]))
        known = known.join(choice.units.select("leaf", kind="unit"), on="leaf", how="inner", maintain_order="left")
        kind = "unit"
    else:
        known, kind = marked.select("customer_id", "score", "row", kind="group"), "group"
    places = marked.filter("key_user")
    limits = dict(places.group_by(kind).len().sort(kind).rows())
    willing = spread.people.filter("eligible").select(customer_id="person")
    known = known.filter(pl.col("kind").is_in([*limits])).join(willing, on="customer_id", how="semi", maintain_order="left")
    if places.is_empty() or known.is_empty():
        return None
    # Whoever is chosen is invited anyway: what counts is whom they bring, of those whom somebody may.
    new = pl.when(pl.col("value") > 0).then(pl.col("friends") * pl.col("newcomer")).otherwise(0.0)
    known_by = pl.Series(np.diff(spread.graph.offsets) > 0)
    brought = pl.when(known_by).then((pl.col("value") - new).clip(0)).otherwise(0.0)
    people = (
        spread.people.with_columns(value=new + brought, brought=brought)
        .select("person", "value", "brought")
        .join(known.select("kind", person="customer_id"), on="person", how="left")
    )
    people = people.with_columns(eligible=pl.col("kind").is_not_null())
    if not (people["value"] > 0).any():
        return None
    found = choose_key_users(spread.graph, places.height, people, limits=limits, seed=settings.seed)
    reaching = found.chosen.filter(pl.col("brings") > 0)
    best = reaching.join(known, left_on="person", right_on="customer_id", how="left", maintain_order="left")["row"]
    picked = _fill(best, known, places.sort("rank")["row"], limits).to_numpy().astype(np.int64)
    listed = np.union1d(marked["row"].to_numpy(), choice.held_out.to_numpy())
    return PickedKeyUsers(
        picked,
        places.sort("rank")["row"].to_numpy(),
        known.select("row", "customer_id", "score", "kind"),
        limits,
        found,
        reaching.height,
        int((~np.isin(picked, listed)).sum()),
        marked["group"].n_unique(),
    )


def plan_around(
    frame: pl.DataFrame, settings: CoreSettings, plan: SimplePlan, spread: LaunchSpread, picked: PickedKeyUsers, chances: JoinChances
) -> tuple[CoreSettings, Choice, PickedKeyUsers]:
    """Choose the others of a simple plan: beside the key users, and with places left in each group for whom these bring."""
    room = _count_brought(frame, settings, spread, picked)
    plan = plan.model_copy(update={"group_capacity": plan.group_capacity - room})
    settings = settings.model_copy(update={"plan": plan})
    candidates = list_candidates(frame, settings, most_invitations(chances, plan) if plan.size == "auto" else None, picked.rows)
    return settings, choose_simple(candidates, plan, chances, settings.lang, len(picked.rows)), replace(picked, room=room)


def _count_brought(frame: pl.DataFrame, settings: CoreSettings, spread: LaunchSpread, picked: PickedKeyUsers) -> int:
    """Give how many known people key users are expected to bring into a group, as far as enough places are left for it to be alive."""
    ids, plan = frame["customer_id"].gather(picked.rows), settings.plan
    values = spread.people.select("person", value=((pl.col("value") > 0) & ~pl.col("person").is_in(ids.implode())).cast(pl.Float64))
    brought = estimate_reach(spread.graph, ids, values, seed=settings.seed) if values["value"].sum() else 0.0
    return max(min(ceil(brought / picked.groups), plan.group_capacity - plan.smallest), 0)


def _fill(rows: pl.Series, known: pl.DataFrame, advocates: pl.Series, limits: dict[str, int]) -> pl.Series:
    """Give the places of each kind for which nobody is left who brings anybody, to the best advocates."""
    both = pl.concat([rows.to_frame("row"), advocates.filter(~advocates.is_in(rows.implode())).to_frame("row")])
    kinds = both.join(known.select("row", "kind"), on="row", how="inner", maintain_order="left")
    most = pl.col("kind").replace_strict(limits, return_dtype=pl.Int64)
    return kinds.filter(pl.int_range(pl.len()).over("kind") < most)["row"]
