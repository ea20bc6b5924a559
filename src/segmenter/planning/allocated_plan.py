"""The most valuable plan that groups, layers, a budget and the agents' calls allow."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from math import ceil

import numpy as np
import polars as pl

from segmenter.errors import ConfigError
from segmenter.messages import Message
from segmenter.money import to_minor
from segmenter.planning.agents import find_reach
from segmenter.planning.allocation import Allocation, allocate
from segmenter.planning.calendar import as_of_date, calls_by_day, working_days
from segmenter.planning.choice import SIZE, Choice, best_of_areas, say_size
from segmenter.planning.constraints import Agent, Constraints, GroupLimits, Quota, group_names
from segmenter.planning.control_group import select_by_rank, select_by_share
from segmenter.planning.group_invitations import fit_invitations
from segmenter.planning.join_chances import JoinChances
from segmenter.planning.joined_regions import join_by_topic, join_regions
from segmenter.planning.layers import check_columns, check_layers, with_layer
from segmenter.planning.live_events import list_live_events
from segmenter.planning.shortage import InfeasibleError
from segmenter.settings import AllocatedPlan, CoreSettings
from segmenter.spread.launch_spread import expected_friends

CELLS = (["cell_region", "topic", "layer", "reach"], ["cell_region", "topic"])  # who compete for the same places, the finest first
ORDER = ["value", "score", "customer_id"]  # by what the best are taken first
_POINT = 1_000  # a score's worth where no money is expected


def choose_allocated(
    candidates: pl.DataFrame, plan: AllocatedPlan, settings: CoreSettings, chances: JoinChances, near: Mapping[str, Sequence[str]]
) -> Choice:
    """Choose the most valuable plan; an `InfeasibleError` where none keeps to the constraints, a `ConfigError` where none could.

    A customer's value is what an invitation is expected to bring, or the spend expected of them, where the ranking says it, else their
    score. A group takes as many invitations as fill it; a gift's cost counts as often as it is expected to be given: friends brought are
    Poisson-distributed, at the rate that can be expected of the customer, see `expected_friends`.
    """
    check_columns(candidates, plan)
    layered = with_layer(candidates, plan)
    if plan.topic == "topic":
        placed, notes = join_by_topic(layered, plan, chances, settings.lang, near)
    else:
        regions = join_regions(layered, plan, chances, settings.lang)
        placed, notes = regions.apply(layered), regions.notes
    competing, callers = _with_cells(placed, plan, settings)
    warnings = check_layers(competing, plan)
    free = competing.filter(~pl.col("drawn"))
    days = _call_days(settings, plan)
    size: tuple[Message, ...] = ()
    if plan.size == "auto":
        of_topic = [] if plan.topic is None else candidates.with_columns(placed[plan.topic]).drop_nulls(plan.topic).partition_by(plan.topic)
        parts = [best_of_areas(part, plan, chances, settings.lang) for part in of_topic or [candidates]]
        many, areas = sum(best.height for _, best in parts), sum(areas.n_unique() for areas, _ in parts)
        size = (say_size(many, areas, topics=plan.topic is not None),)
        plan = plan.model_copy(update={"size": many if many < free.height else "all"})
    constraints, alive = _constraints(free, settings, plan, chances, _agents(plan, callers, days))
    asked = free.select("customer_id", "topic", "layer", "score", "value", "reach", region="cell_region")
    try:
        allocation = _allocate(asked, constraints, alive)
    except InfeasibleError as error:
        terms = _what_counts(replace(constraints.groups, min_size=alive), plan, len(days))
        raise InfeasibleError(error.short, error.alone, *error.messages, terms) from None
    decided = _decide(competing, allocation, constraints.groups)
    invited = decided.filter("invited").with_columns(number=pl.col("group").str.extract(r"(\d+)$").cast(pl.Int64))
    chosen = decided.with_columns(taken="invited")
    if plan.holdout_by == "region":
        held_out = select_by_share(chosen.filter("possible"), ORDER, ["topic", "layer"])
    else:
        held_out = select_by_rank(chosen, ORDER, list(CELLS))
    return Choice(
        decided,
        invited,
        held_out,
        allocation.layers,
        None if plan.topic is None else allocation.groups.select("group", "topic"),
        notes=(*size, *notes, *_gap_note(allocation.gap)),
        warnings=warnings,
    )


def _allocate(asked: pl.DataFrame, constraints: Constraints, alive: int) -> Allocation:
    """Make groups that fill; where the other terms allow none, groups that live."""
    try:
        return allocate(asked, constraints)
    except InfeasibleError:
        if constraints.groups.min_size <= alive:
            raise
    return allocate(asked, replace(constraints, groups=replace(constraints.groups, min_size=alive)))


def _with_cells(candidates: pl.DataFrame, plan: AllocatedPlan, settings: CoreSettings) -> tuple[pl.DataFrame, list[tuple[int, ...]]]:
    """Add ``cell_region``, ``topic``, ``value`` and ``reach``, the number of a set of agents, null where none can call; and these sets."""
    money = next((name for name in ("expected_uplift", "expected_spend") if name in candidates.columns), None)
    value = pl.col("score") * _POINT if money is None else pl.col(money).fill_null(0).round()
    reach, callers, _ = find_reach(candidates, plan, settings.rules.region)
    nobody = [number for number, agents in enumerate(callers) if plan.agents and not agents]
    competing = candidates.with_columns(
        pl.col("province" if plan.by_region == "none" else "unit").alias("cell_region"),
        (pl.lit(None, dtype=pl.String) if plan.topic is None else pl.col(plan.topic).cast(pl.String)).alias("topic"),
        value.cast(pl.Int64).clip(0).alias("value"),
        reach.cast(pl.String).set(reach.is_in(nobody), None),
    )
    return competing, callers


def _decide(competing: pl.DataFrame, allocation: Allocation, groups: GroupLimits) -> pl.DataFrame:
    """Add ``invited``, ``rank``, ``group``, ``left_out`` and ``possible``: whether a group could take them."""
    found = allocation.customers.select("customer_id", "invited", "rank", "group", pl.col("reason").alias("left_out"))
    enough = pl.len().over("cell_region", "topic") >= groups.min_size if groups.by_region else pl.lit(value=True)
    others = [pl.col("left_out").drop_nulls().first().over(cell) for cell in CELLS]
    return competing.join(found, on="customer_id", how="left", maintain_order="left").with_columns(
        pl.col("invited").fill_null(value=False),
        (pl.col("reach").is_not_null() & enough).alias("possible"),
        # Who was drawn, but would not have been invited, is left out for the reason of the others like them, where there are others.
        pl.when("drawn")
        .then(pl.coalesce(*others, pl.when(enough).then(pl.lit(SIZE)).otherwise(pl.lit("group_too_small"))))
        .otherwise("left_out")
        .alias("left_out"),
    )


def _what_counts(groups: GroupLimits, plan: AllocatedPlan, days: int) -> Message:
    """Say what all numbers of a shortage count: invitations, and calls on all days together."""
    facts = {"min_size": groups.min_size, "max_size": groups.max_size, "smallest": plan.smallest, "capacity": plan.group_capacity}
    sentence = (
        "plan: these are invitations: a group takes {min_size:,} to {max_size:,} of them (plan.smallest={smallest}, "
        "plan.group_capacity={capacity}, and the chance to join)"
    )
    if not plan.agents:
        return Message("planning.counts_invitations", sentence, **facts)
    return Message("planning.counts_calls", sentence + "; calls are those of {days} working days together", **facts, days=days)


def _gap_note(gap: float) -> tuple[Message, ...]:
    """Say how good the plan is for certain; nothing of a plan without value."""
    if gap >= 1:
        return ()
    sentence = (
        "The plan misses at most {gap:.2f} % of the value of the best one that keeps to the same limits; usually less, as this counts "
        "fractions of groups."
    )
    return (Message("planning.gap", sentence, gap=ceil(gap * 10_000) / 100),)


def _constraints(
    free: pl.DataFrame, settings: CoreSettings, plan: AllocatedPlan, chances: JoinChances, agents: tuple[Agent, ...]
) -> tuple[Constraints, int]:
    """Give the terms, by which a group fills, and the invitations by which it lives, which is all that is asked where none can fill."""
    currency = settings.launch.currency
    chance = chances.chance(free["score"])
    lengths = fit_invitations(free["score"], chances, plan)
    mean = 1.0 if plan.fill_confidence is None else float(chance.to_numpy().mean()) if len(chance) else chances.mean
    smallest = min(int(np.ceil(plan.smallest / mean)), lengths.many)
    size = plan.size if isinstance(plan.size, int) else None
    few = lengths.few if lengths.few <= min(size or free.height, free.height) else smallest
    if size is not None and size < smallest:
        sentence = (
            "plan.size: should be at least {smallest:,}, so many invitations as a group of plan.smallest={members} members takes "
            "(got {size:,}); ask for more, or lower plan.smallest"
        )
        raise ConfigError(Message("planning.size_too_small", sentence, smallest=smallest, members=plan.smallest, size=size))
    terms = Constraints(
        groups=GroupLimits(
            by_region=plan.by_region != "none",
            by_topic=plan.topic is not None,
            min_size=few,
            max_size=lengths.many,
            max_groups=plan.max_groups,
        ),
        quotas=tuple(Quota(name, layer.min, layer.max) for name, layer in plan.layers.items()),
        size_min=size if plan.require_size and size is not None else 1,  # where no group can be formed, it is said what is short
        size_max=size,
        budget=None if plan.budget is None else to_minor(plan.budget, currency),
        costs=_costs(free.with_columns(chance=chance), settings, plan),
        agents=agents,
        currency=currency,
        names=group_names(settings.lang),
    )
    return terms, smallest


def _costs(free: pl.DataFrame, settings: CoreSettings, plan: AllocatedPlan) -> dict[str, int]:
    """Give what inviting one of each layer is expected to cost, in whole minor units."""
    from scipy.stats import poisson

    gifts = plan.gifts
    if not (gifts.invite or gifts.join or any(gifts.friends.values())):
        return {}
    friends = expected_friends(free, settings.launch.horizon_days)[0].to_numpy()
    joined = gifts.join + sum(gift * poisson.sf(many - 1, friends) for many, gift in gifts.friends.items())
    cost = pl.Series("cost", gifts.invite + free["chance"].to_numpy() * joined)
    # Whole millionths, so that the sum is the same in any order.
    means = free.select("layer", (cost * 1_000_000).round().cast(pl.Int128)).group_by("layer").agg(pl.col("cost").sum(), pl.len())
    return {layer: to_minor(float(np.round(total / many / 1e6, 6)), settings.launch.currency) for layer, total, many in means.rows()}


def _call_days(settings: CoreSettings, plan: AllocatedPlan) -> list[date]:
    """List the days on which agents call: while the list is good, or with live events those that lead up to one."""
    as_of = as_of_date(settings)
    start, last = plan.start or as_of, as_of + timedelta(days=settings.launch.valid_days)
    days = working_days(plan, start, last)
    if plan.agents and not days:
        sentence = (
            "plan.start: should leave a working day until {last}, the last day on which the list is good (got {start}); take an earlier "
            "day, or raise launch.valid_days"
        )
        raise ConfigError(Message("planning.no_working_day", sentence, last=last, start=start))
    events = list_live_events(settings, as_of)
    return [day for event in events for day in event.days] if events else days


def _agents(plan: AllocatedPlan, callers: list[tuple[int, ...]], days: list[date]) -> tuple[Agent, ...]:
    """Give each agent the calls of all days, and the numbers of the sets of agents that they belong to."""
    calls = calls_by_day(plan)
    return tuple(
        Agent(sum(calls(day)[place] for day in days), tuple(str(number) for number, agents in enumerate(callers) if place in agents))
        for place in range(len(plan.agents))
    )
