"""Whom to invite, into which group, when and by whom; and who is held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import polars as pl

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.planning.allocated_plan import choose_allocated
from segmenter.planning.calendar import as_of_date
from segmenter.planning.candidates import list_candidates, moves_nothing
from segmenter.planning.choice import NO_LAYERS, SIZE, choose_simple
from segmenter.planning.control_group import HELD_OUT
from segmenter.planning.group_advice import describe_filling
from segmenter.planning.group_invitations import chance_filled, count_members, most_invitations
from segmenter.planning.join_chances import JoinChances, learn_join_chances
from segmenter.planning.key_user_facts import KeyUserChoice, describe_key_users, say_key_users, with_brings
from segmenter.planning.launch_key_users import mark_advocates, pick_key_users, plan_around
from segmenter.planning.live_events import LiveEvent, list_live_events
from segmenter.planning.platform import platform_notes
from segmenter.planning.running_plan import AREA, replan
from segmenter.planning.schedule import check_schedule, count_calls, last_agents, schedule
from segmenter.planning.starters import NO_STARTERS, reserve_places, stand_starters
from segmenter.rules import ELIGIBLE
from segmenter.settings import AllocatedPlan, CoreSettings, PlanSettings, SimplePlan
from segmenter.spread.launch_spread import LaunchSpread

_DECISIONS = {
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
    "brings": pl.Float64,
}


@dataclass(frozen=True)
class InvitationPlan:
    """Who is invited.

    Parameters
    ----------
    customers : DataFrame
        The frame with ``invited``, ``held_out``, ``rank`` (from 1 among the invited), ``wave`` (1 for key users, from 2 for the
        others), ``group``, ``agent`` (null where there are none), ``call_on``, ``join_chance`` (of the invited), ``stratum`` (of those
        invited and held out) and ``left_out``: why somebody eligible is not invited, ``held_out``, ``size``, ``no_uplift`` or one of
        `planning.not_invited.REASONS`.
    groups : DataFrame
        For each group: ``group``, ``region``, ``size`` (invitations), ``key_users``, ``spend``, ``expected_joins``, ``filled`` (the chance
        that enough join); ``topic`` where groups keep to one.
    layers : DataFrame
        ``group``, ``layer``, ``people``; empty where the plan has no layers.
    calls : DataFrame
        See `planning.schedule.Schedule`.
    join_chances : JoinChances
        The chances to join.
    notes : tuple of Message
        What the plan rests on, and how good it is for certain.
    warnings : tuple of Message
        What a person should know.
    kept : Series or None
        Of a launch that runs already, the ids whose invitations stay as the ledger has them.
    live_events : tuple of LiveEvent
        See `planning.live_events`.
    starters : DataFrame
        Who stands in the groups already: see `planning.starters.STARTERS`.
    platform : tuple of Message
        Those of the notes that say what the groups' platform asks for.
    spread : KeyUserChoice or None
        Why the key users come first, where they are those from whom most is reached.
    """

    customers: pl.DataFrame
    groups: pl.DataFrame
    layers: pl.DataFrame
    calls: pl.DataFrame
    join_chances: JoinChances
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    kept: pl.Series | None = None
    starters: pl.DataFrame = field(default_factory=lambda: NO_STARTERS)
    live_events: tuple[LiveEvent, ...] = ()
    platform: tuple[str, ...] = ()
    spread: KeyUserChoice | None = None


def plan(
    frame: pl.DataFrame,
    settings: CoreSettings,
    invited: pl.DataFrame | None = None,
    running: pl.DataFrame | None = None,
    near: Mapping[str, Sequence[str]] | None = None,
    spread: LaunchSpread | None = None,
) -> InvitationPlan:
    """Choose whom to invite, form the groups, hold some out, and say when who is called by whom.

    With ``plan=simple`` the best by score are invited, ties by customer id, in groups of a region, or of several where one fills none;
    with ``plan=allocated`` an integer program chooses, see `planning.allocated_plan`. Who is drawn for the control group is held out
    where they would have been invited: see `planning.control_group`. In each group the best advocates come first, or who reaches most.

    Parameters
    ----------
    frame : DataFrame
        One row per customer: ``customer_id``, ``verdict``, ``score``, ``component_*``, ``province``, ``city``, ``spend``; for
        ``plan=allocated`` also ``segment``, ``days_known``, ``referrals``.
    settings : CoreSettings
        The plan, and the launch with its as-of date.
    invited : DataFrame or None
        Earlier launches, to learn the chance to join from: see `segmenter.tables.INVITED`.
    running : DataFrame or None
        The launch's own plan, where it has begun before the as-of date: then that plan goes on, see `planning.running_plan`.
    near : mapping or None
        Where there are topics: the others of each, the nearest first.
    spread : LaunchSpread or None
        Who may bring whom, where key users are those from whom most is reached; a launch that runs keeps those whom it has.

    Returns
    -------
    InvitationPlan
        The plan.

    Raises
    ------
    InputError
        Fewer are eligible than asked for, and `plan.require_size` is true; or no plan keeps to its constraints; or of nobody an
        invitation is expected to bring anything.
    ConfigError
        The plan's constraints contradict themselves.

    Examples
    --------
    >>> import segmenter
    >>> overrides = {"plan.size": 2, "plan.by_region": "none", "plan.key_users": 1, "launch.as_of": "2026-07-01"}
    >>> frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "verdict": "eligible", "score": [10.0, 90.0, 50.0], "spend": 1,
    ...     "province": "Sichuan", "city": None, "component_advocacy": [0.0, 0.0, 1.0], "component_engagement": 0.0})
    >>> plan(frame, segmenter.launch_settings(overrides)).customers.select("customer_id", "rank", "wave").rows()
    [('a', None, None), ('b', 1, 2), ('c', 2, 1)]
    """
    as_of = as_of_date(settings)
    chances = learn_join_chances(invited, as_of=as_of, chance=settings.plan.join_chance, evidence=settings.plan.join_evidence)
    eligible = frame["verdict"] == ELIGIBLE
    idle = int((eligible & moves_nothing(frame)).sum())
    settings = reserve_places(frame, settings)
    if running is not None:
        again = replan(frame, settings, running, chances, as_of)
        calls = count_calls(again.invitations.with_columns(region="unit"))
        customers = _with_decisions(frame, eligible, again.invitations, again.others)
        own = pl.when(pl.col("unit").n_unique().over("group") > 1).then(AREA).otherwise("unit")
        groups = _describe_groups(again.invitations.with_columns(unit=own), chances, settings.plan)
        starters, told, lacking = stand_starters(frame, again.invitations, settings)
        platform = platform_notes(groups, calls, starters, settings)
        notes = (chances.note(), *again.notes, *told, *platform)
        warnings = (*again.warnings, *lacking)
        events = list_live_events(settings, running["as_of"][0])
        return InvitationPlan(customers, groups, NO_LAYERS, calls, chances, notes, warnings, again.kept, starters, events, platform)
    auto = isinstance(settings.plan, SimplePlan) and settings.plan.size == "auto"
    candidates = list_candidates(frame, settings, most_invitations(chances, settings.plan) if auto else None)
    events, valid_until = list_live_events(settings, as_of), as_of + timedelta(days=settings.launch.valid_days)
    check_schedule(candidates, settings.plan, as_of, valid_until, settings.rules.per_account)
    few = _check_size(int(eligible.sum()), idle, int(candidates["drawn"].sum()), settings.plan)
    match settings.plan:
        case SimplePlan() as simple:
            choice = choose_simple(candidates, simple, chances, settings.lang)
        case AllocatedPlan() as allocated:
            choice = choose_allocated(candidates, allocated, settings, chances, near or {})
    chosen = mark_advocates(choice.invited, settings.plan, chances)
    reach: KeyUserChoice | None = None
    if spread is not None and (picked := pick_key_users(frame, spread, choice, chosen, settings)) is not None:
        if isinstance(settings.plan, SimplePlan):
            settings, choice, picked = plan_around(frame, settings, settings.plan, spread, picked, chances)
        chosen = picked.mark(choice.invited, settings.plan)
        reach = describe_key_users(frame, spread, picked, chosen.filter("key_user"), settings.seed)
    scheduled = schedule(
        chosen.with_columns(region="unit"),
        settings.plan,
        as_of=as_of,
        valid_until=valid_until,
        per_account=settings.rules.per_account,
        regions=settings.rules.region,
        events=events,
        last_agents=last_agents(invited) if invited is not None and settings.plan.agents else None,
    )
    decided = ("row", "rank", "group", "stratum", "unit", "number", "spend", "score")
    invitations = chosen.select(*decided, chances.chance(chosen["score"]), invited=True)
    invitations = with_brings(invitations.with_columns(scheduled.customers.select("wave", "agent", "call_on")), frame, reach)
    others = choice.candidates.join(invitations.select("row"), on="row", how="anti")
    others = others.with_columns(held_out=pl.col("row").is_in(choice.held_out.implode())).select(
        "row",
        "held_out",
        pl.when("held_out").then("stratum").alias("stratum"),
        pl.when("held_out").then(pl.lit(HELD_OUT)).otherwise(pl.col("left_out").fill_null(SIZE)).alias("left_out"),
    )
    groups = _describe_groups(invitations, chances, settings.plan)
    filling, unfilled = describe_filling(groups, chances, settings.plan)
    starters, told, lacking = stand_starters(frame, invitations, settings)
    platform = platform_notes(groups, scheduled.calls, starters, settings)
    reached, doubts = ((), ()) if spread is None else say_key_users(reach, spread, settings, groups)
    if choice.topics is not None:
        groups = groups.join(choice.topics, on="group", how="left", maintain_order="left")
    return InvitationPlan(
        _with_decisions(frame, eligible, invitations, others),
        groups,
        choice.layers,
        scheduled.calls,
        chances,
        (chances.note(), *_say_idle(idle, int(eligible.sum())), *choice.notes, *reached, *filling, *scheduled.notes, *told, *platform),
        (*unfilled, *few, *choice.warnings, *doubts, *scheduled.warnings, *lacking),
        starters=starters,
        live_events=events,
        platform=platform,
        spread=reach,
    )


def _say_idle(idle: int, eligible: int) -> tuple[Message, ...]:
    sentence = (
        "{idle:,} of {eligible:,} who are eligible are neither invited nor held out: by what was learned from past launches an invitation "
        "brings nothing from them, or less"
    )
    return (Message("planning.no_uplift", sentence, idle=idle, eligible=eligible),) if idle else ()


def _check_size(eligible: int, idle: int, drawn: int, plan: PlanSettings) -> tuple[Message, ...]:
    """Refuse or warn where fewer may be invited than are asked for."""
    if idle and idle == eligible:
        sentence = (
            "scoring=uplift: by what was learned from past launches an invitation brings nothing from any of {eligible:,} who are "
            "eligible; use scoring=auto"
        )
        raise InputError(Message("planning.no_uplift_at_all", sentence, eligible=eligible))
    if not isinstance(plan.size, int) or eligible - idle - drawn >= plan.size:
        return ()
    facts = {"size": plan.size, "eligible": eligible, "drawn": drawn}
    if idle:
        sentence = (
            "plan.size: {size:,} are asked for, but of {eligible:,} who are eligible an invitation is expected to bring something from "
            "{worth:,} only, {drawn:,} of whom are held out; lower plan.size, or use scoring=auto"
        )
        few = Message("planning.little_uplift", sentence, **facts, worth=eligible - idle)
        if plan.require_size:
            raise InputError(few)
        return (few,)
    if plan.require_size and eligible < plan.size:
        sentence = "plan.size: {size:,} are asked for, but only {eligible:,} are eligible; loosen a rule, or set plan.require_size=false"
        raise InputError(Message("planning.too_few_eligible", sentence, **facts))
    if plan.require_size:
        sentence = (
            "plan.size: {size:,} are asked for, but of {eligible:,} who are eligible {drawn:,} are held out; loosen a rule, lower "
            "plan.holdout, or set plan.require_size=false"
        )
        raise InputError(Message("planning.too_many_held_out", sentence, **facts))
    sentence = "{eligible:,} eligible, {size:,} asked for (plan.size): all who are eligible are on the list"
    if not drawn:
        return (Message("planning.all_listed", sentence, **facts),)
    return (Message("planning.all_but_held_out", sentence + ", but for {drawn:,} held out (plan.holdout)", **facts),)


def _describe_groups(invitations: pl.DataFrame, chances: JoinChances, plan: PlanSettings) -> pl.DataFrame:
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
    joins = np.array([chance.to_numpy().sum() for chance in groups["join_chance"]], dtype=np.float64)
    filled = chance_filled(joins, groups["size"].to_numpy(), chances.evidence, count_members(plan))
    described = groups.with_columns(pl.Series("expected_joins", joins).round(1), pl.Series("filled", filled).round(4))
    return described.select("group", "region", "size", "key_users", "spend", "expected_joins", "filled")


def _with_decisions(frame: pl.DataFrame, eligible: pl.Series, invitations: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Put what was decided beside all customers, by row number: a join would cost more than the rest; nulls take no memory."""
    rest = pl.DataFrame(
        {"invited": [False, False], "held_out": False, "left_out": [None, SIZE], "brings": None}, schema_overrides={"brings": pl.Float64}
    )
    decided = pl.concat([invitations.with_columns(held_out=False), others.with_columns(invited=False), rest], how="diagonal")
    place = eligible.to_numpy().astype(np.uint32) + np.uint32(invitations.height + others.height)
    for part, first in ((invitations, 0), (others, invitations.height)):
        place[part["row"].to_numpy()] = np.arange(first, first + part.height, dtype=np.uint32)
    where, columns = pl.Series(place), decided.select(pl.col(name).cast(dtype) for name, dtype in _DECISIONS.items()).get_columns()
    spread = [pl.lit(None, each.dtype).alias(each.name) if each.null_count() == len(each) else each.gather(where) for each in columns]
    unmoved, frame = moves_nothing(frame), frame.with_columns(spread)
    why = pl.when(pl.col("left_out") == SIZE, unmoved).then(pl.lit("no_uplift")).otherwise("left_out").alias("left_out")
    return frame.with_columns(why) if unmoved.any() else frame
