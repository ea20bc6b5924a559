"""Whom to invite, into which group, when and by whom; and who is held out."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from segmenter.errors import InputError
from segmenter.planning import allocated_plan, simple_plan
from segmenter.planning.candidates import candidates, places_of
from segmenter.planning.control_group import like_those_taken, would_have_been
from segmenter.planning.join_chances import Joining, learn_joining
from segmenter.planning.schedule import check_schedule, schedule
from segmenter.rules import ELIGIBLE
from segmenter.settings import AllocatedPlan, CoreSettings, PlanSettings
from segmenter.words import say

HELD_OUT, SIZE = "held_out", "size"
_TOLD = {
    "invited": pl.Boolean,
    "held_out": pl.Boolean,
    "rank": pl.Int32,
    "wave": pl.Int32,
    "group": pl.String,
    "agent": pl.String,
    "call_on": pl.Date,
    "join_chance": pl.Float64,
    "stratum": pl.String,
    "left_out": pl.String,
}


@dataclass(frozen=True)
class Planned:
    """Who is invited.

    Parameters
    ----------
    customers : DataFrame
        The frame with ``invited``, ``held_out``, ``rank`` (from 1 among the invited), ``wave`` (1 for key users, from 2 for the
        others), ``group``, ``agent`` (null where there are none), ``call_on``, ``join_chance`` (of the invited), ``stratum`` (of those
        invited and held out) and ``left_out``: why somebody eligible is not invited, ``held_out``, ``size`` or one of
        `planning.reasons.REASONS`.
    groups : DataFrame
        For each group: ``group``, ``region``, ``size`` (invitations), ``key_users``, ``spend``, ``expected_joins``, ``filled`` (the chance
        that enough join); ``topic`` where groups keep to one.
    layers : DataFrame
        ``group``, ``layer``, ``people``; empty where the plan has no layers.
    calls : DataFrame
        See `planning.schedule.Schedule`.
    joining : Joining
        The chances to join.
    warnings : tuple of str
        What a person should know.
    """

    customers: pl.DataFrame
    groups: pl.DataFrame
    layers: pl.DataFrame
    calls: pl.DataFrame
    joining: Joining
    warnings: tuple[str, ...]


def plan(frame: pl.DataFrame, settings: CoreSettings, invited: pl.DataFrame | None = None) -> Planned:
    """Choose whom to invite, form the groups, hold some out, and say when who is called by whom.

    With ``plan=simple`` the best by score are invited, ties by customer id, and each region's invited make as few groups as take them;
    with ``plan=allocated`` an integer program chooses, see `planning.allocated`. Who is drawn for the hold-out is held out where they
    would have been invited: see `planning.holdout`. In each group the best advocates come first.

    Parameters
    ----------
    frame : DataFrame
        One row per customer: ``customer_id``, ``verdict``, ``score``, ``component_*``, ``province``, ``city``, ``spend``; for
        ``plan=allocated`` also ``segment``, ``days_known``, ``referrals``.
    settings : CoreSettings
        The plan, and the launch with its as-of date.
    invited : DataFrame or None
        Earlier launches, to learn the chance to join from: see `segmenter.tables.INVITED`.

    Returns
    -------
    Planned
        The plan.

    Raises
    ------
    InputError
        Fewer are eligible than asked for, and `plan.require_size` is true; or no plan keeps to its terms.
    ConfigError
        The plan's terms contradict themselves.

    Examples
    --------
    >>> import segmenter
    >>> overrides = {"plan.size": 2, "plan.by_region": "none", "plan.key_users": 1, "launch.as_of": "2026-07-01"}
    >>> frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "verdict": "eligible", "score": [10.0, 90.0, 50.0], "spend": 1,
    ...     "province": "四川", "city": None, "component_advocacy": [0.0, 0.0, 1.0], "component_engagement": 0.0})
    >>> plan(frame, segmenter.launch_settings(overrides)).customers.select("customer_id", "rank", "wave").rows()
    [('a', None, None), ('b', 1, 2), ('c', 2, 1)]
    """
    terms, launch = settings.plan, settings.launch
    if launch.as_of is None:
        raise InputError("launch.as_of: is needed, as YYYY-MM-DD")
    joining = learn_joining(invited, as_of=launch.as_of, chance=terms.join_chance, evidence=terms.join_evidence)
    eligible = frame["verdict"] == ELIGIBLE
    best = candidates(frame, settings)
    check_schedule(best, terms, launch.as_of, settings.rules.per_account)
    warnings = _enough(int(eligible.sum()), best, settings)
    layers, topics = pl.DataFrame(schema={"group": pl.String, "layer": pl.String, "people": pl.Int64}), None
    if isinstance(terms, AllocatedPlan):
        chosen = allocated_plan.choose(best, settings, terms, joining)
        warnings += chosen.warnings
        best, layers, topics = chosen.customers, chosen.allocation.layers, chosen.allocation.groups.select("group", "topic")
        taken = best.filter("invited").with_columns(number=pl.col("group").str.extract(r"(\d+)$").cast(pl.Int64))
        order, cells, left_out = ["value", "score", "customer_id"], list(allocated_plan.CELLS), pl.col("left_out")
    else:
        free = best.filter(~pl.col("drawn"))
        taken = simple_plan.choose(free, terms.size, lambda unit: places_of(unit["score"], joining, terms).invitations)
        order, cells, left_out = ["score", "customer_id"], [["cell"]], pl.lit(SIZE)
    taken = _key_users(taken, terms)
    scheduled = schedule(
        taken.with_columns(region="unit"),
        terms,
        as_of=launch.as_of,
        valid_until=launch.as_of + timedelta(days=launch.valid_days),
        per_account=settings.rules.per_account,
        regions=settings.rules.region,
        lang=settings.lang,
    )
    invitations = taken.select(
        "row", "rank", "group", "stratum", "unit", "number", "spend", "score", joining.chance(taken["score"]), invited=True
    ).with_columns(scheduled.customers.select("wave", "agent", "call_on"))
    chosen_from = best.with_columns(cell=0, taken=pl.col("row").is_in(taken["row"].implode()))
    if isinstance(terms, AllocatedPlan) and terms.holdout_by == "region":
        held = like_those_taken(chosen_from.filter("possible"), order, ["topic", "layer"])
    else:
        held = would_have_been(chosen_from, order, cells)
    others = best.join(invitations.select("row"), on="row", how="anti").with_columns(
        held_out=pl.col("row").is_in(held.implode()), left_out=left_out.fill_null(SIZE)
    )
    others = others.select(
        "row",
        "held_out",
        pl.when("held_out").then("stratum").alias("stratum"),
        pl.when("held_out").then(pl.lit(HELD_OUT)).otherwise("left_out").alias("left_out"),
    )
    groups = _groups(invitations, joining, terms)
    if isinstance(terms, AllocatedPlan) and terms.topic is not None and topics is not None:
        groups = groups.join(topics, on="group", how="left", maintain_order="left")
    customers = _spread(frame, eligible, invitations, others)
    return Planned(customers, groups, layers, scheduled.calls, joining, (*warnings, *scheduled.warnings))


def _enough(eligible: int, best: pl.DataFrame, settings: CoreSettings) -> list[str]:
    terms, drawn = settings.plan, int(best["drawn"].sum())
    if not isinstance(terms.size, int) or eligible - drawn >= terms.size:
        return []
    if terms.require_size and eligible < terms.size:
        rule = f"{terms.size:,} are asked for, but only {eligible:,} are eligible"
        raise InputError(f"plan.size: {rule}; loosen a rule, or set plan.require_size=false")
    if terms.require_size:
        rule = f"{terms.size:,} are asked for, but of {eligible:,} who are eligible {drawn:,} are held out"
        raise InputError(f"plan.size: {rule}; loosen a rule, lower plan.holdout, or set plan.require_size=false")
    en = f"{eligible:,} eligible, {terms.size:,} asked for (plan.size): all who are eligible are on the list"
    zh = f"符合条件的客户只有 {eligible:,} 位，少于计划的 {terms.size:,} 位（plan.size），已全部列入名单"
    but = say(settings.lang, f", but for {drawn:,} held out (plan.holdout)", f"（留出组 {drawn:,} 位除外，plan.holdout）")
    return [say(settings.lang, en, zh) + (but if drawn else "")]


def _key_users(taken: pl.DataFrame, terms: PlanSettings) -> pl.DataFrame:
    standing = taken.sort("group", "advocacy", "rank", descending=[False, True, False])
    place = pl.int_range(pl.len()).over("group")
    return standing.with_columns((place < terms.key_users).alias("key_user")).sort("rank")


def _groups(invitations: pl.DataFrame, joining: Joining, terms: PlanSettings) -> pl.DataFrame:
    groups = (
        invitations.group_by("group")
        .agg(
            pl.col("unit").first().alias("region"),
            pl.len().cast(pl.Int64).alias("size"),
            (pl.col("wave") == 1).sum().cast(pl.Int64).alias("key_users"),
            pl.col("spend").sum(),
            pl.col("number").first(),
            pl.col("rank", "score", "join_chance").sort_by("rank"),  # floats are added up in one order
        )
        .with_columns(kind=pl.col("group").str.replace(r"\d+$", ""))
        .sort("region", "kind", "number")  # of one region and number there is a group for each topic
    )
    chances = [chances.to_numpy() for chances in groups["join_chance"]]
    filled = [_filled(float(each.mean()), len(each), joining, terms) for each in chances]
    expected = pl.Series("expected_joins", [float(each.sum()) for each in chances], dtype=pl.Float64).round(1)
    told = groups.with_columns(expected, pl.Series("filled", filled, dtype=pl.Float64))
    return told.select("group", "region", "size", "key_users", "spend", "expected_joins", "filled")


def _filled(mean: float, people: int, joining: Joining, terms: PlanSettings) -> float:
    from scipy.stats import betabinom

    enough = max(int(np.ceil(round(terms.fill * terms.group_capacity, 9))), 1)
    return round(float(betabinom.sf(enough - 1, people, mean * joining.evidence, (1 - mean) * joining.evidence)), 4)


def _spread(frame: pl.DataFrame, eligible: pl.Series, invitations: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Put what was decided beside all customers, by row number: a join on the ids of all would cost more than all of the above."""
    rest = pl.DataFrame({"invited": [False, False], "held_out": False, "left_out": [None, SIZE]})
    decided = pl.concat([invitations.with_columns(held_out=False), others.with_columns(invited=False), rest], how="diagonal")
    place = eligible.to_numpy().astype(np.uint32) + np.uint32(invitations.height + others.height)
    for part, first in ((invitations, 0), (others, invitations.height)):
        place[part["row"].to_numpy()] = np.arange(first, first + part.height, dtype=np.uint32)
    told = decided.select(pl.col(name).cast(dtype) for name, dtype in _TOLD.items())[pl.Series(place)]
    return frame.with_columns(told.get_columns())
