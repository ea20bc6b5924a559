"""The most valuable plan that groups, layers, a budget and the agents' calls allow."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from segmenter.errors import ConfigError, nearest
from segmenter.money import to_minor
from segmenter.planning.allocation import Allocation, allocate
from segmenter.planning.calendar import working_days
from segmenter.planning.candidates import places_of
from segmenter.planning.constraints import Agent, GroupsBy, Quota, Terms
from segmenter.planning.join_chances import Joining
from segmenter.planning.schedule import reach
from segmenter.planning.shortage import InfeasibleError
from segmenter.settings import AllocatedPlan, CoreSettings
from segmenter.words import Lang, say

EXPERT, REGULAR, NEWCOMER = "expert", "regular", "newcomer"
CELLS = (["cell_region", "topic", "layer", "reach"], ["cell_region", "topic"])  # who compete for the same places, the finest first
_OURS = {"customer_id", "verdict", "unit", "stratum"}  # text that groups and layers cannot be made of
_POINT = 1_000  # a score's worth where no money is expected


@dataclass(frozen=True)
class Allocated:
    """What the integer program chose.

    Parameters
    ----------
    customers : DataFrame
        The candidates with ``cell_region``, ``topic``, ``layer``, ``reach`` (a number for those whom the same agents can call; null
        where none can), ``possible`` (whether a group could take them), ``value``, ``invited``, ``rank``, ``group`` and ``left_out``.
    allocation : Allocation
        Its groups, layers, calls, cost and gap.
    warnings : tuple of str
        What a person should know.
    """

    customers: pl.DataFrame
    allocation: Allocation
    warnings: tuple[str, ...]


def choose(best: pl.DataFrame, settings: CoreSettings, plan: AllocatedPlan, joining: Joining) -> Allocated:
    """Choose the most valuable plan.

    A customer's value is the spend expected of them where the ranking expects money, else their score. A group takes as many invitations
    as fill it; a gift's cost counts as often as it is expected to be given: friends brought are Poisson-distributed, at the rate at which
    the customer has brought friends so far.

    Parameters
    ----------
    best : DataFrame
        Who may be invited, see `candidates`; those drawn for the hold-out are passed over.
    settings : CoreSettings
        The launch.
    plan : AllocatedPlan
        Its plan.
    joining : Joining
        The chances to join.

    Returns
    -------
    Allocated
        The choice.

    Raises
    ------
    ConfigError
        The terms contradict themselves, or name a column that is not there.
    InfeasibleError
        No plan keeps to the terms.

    Examples
    --------
    >>> import segmenter
    >>> from segmenter.planning.candidates import candidates
    >>> from segmenter.planning.join_chances import learn_joining
    >>> overrides = {"plan": "allocated", "launch.as_of": "2026-07-01", "plan.smallest": 1, "plan.size": 2, "plan.roles.experts": 0.5}
    >>> settings = segmenter.launch_settings(overrides)
    >>> frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "verdict": "eligible", "score": [10.0, 90.0, 50.0], "spend": 1,
    ...     "province": "四川", "city": None, "component_advocacy": [0.0, 0.0, 1.0], "component_engagement": 0.0,
    ...     "days_known": 500, "referrals": 0})
    >>> joining = learn_joining(None, chance=0.9, evidence=20, as_of=settings.launch.as_of)
    >>> chosen = choose(candidates(frame, settings), settings, settings.plan, joining)
    >>> chosen.customers.select("customer_id", "layer", "left_out").rows()
    [('b', 'regular', None), ('c', 'expert', None), ('a', 'regular', 'size')]
    """
    _check_columns(best, plan)
    region = pl.col("province" if plan.by_region == "none" else "unit").alias("cell_region")
    topic = pl.lit(None, dtype=pl.String) if plan.topic is None else pl.col(plan.topic).cast(pl.String)
    layer = _role(plan, best.height) if plan.layer_by == "role" else pl.col(plan.layer_by).cast(pl.String).fill_null("")
    money = "expected_spend" in best.columns
    value = pl.col("expected_spend").fill_null(0).round() if money else pl.col("score") * _POINT
    numbers, sets, _ = reach(best, plan, settings.rules.region, settings.lang)
    nobody = [number for number, agents in enumerate(sets) if plan.agents and not agents]
    known = best.with_columns(
        region,
        topic.alias("topic"),
        value.cast(pl.Int64).clip(0).alias("value"),
        numbers.cast(pl.String).set(numbers.is_in(nobody), None),
    ).with_columns(layer.alias("layer"))
    warnings = _unknown_layers(known, plan, settings.lang)
    asked = known.filter(~pl.col("drawn"))
    # Whom the same agents can call is to the program what one language is.
    free = asked.select(
        "customer_id", "topic", "layer", "score", "value", pl.col("cell_region").alias("region"), pl.col("reach").alias("language")
    )
    days = _days(settings, plan)
    terms = _terms(asked, settings, plan, joining, _agents(plan, sets, days))
    try:
        allocation = allocate(free, terms, lang=settings.lang)
    except InfeasibleError as error:
        raise InfeasibleError(error.short, error.alone, [*error.problems, _counted(terms, plan, days, settings.lang)]) from None
    told = allocation.customers.select("customer_id", "invited", "rank", "group", pl.col("reason").alias("left_out"))
    assert isinstance(terms.groups, GroupsBy)
    enough = pl.len().over("cell_region", "topic") >= terms.groups.smallest if terms.groups.region else pl.lit(value=True)
    others = [pl.col("left_out").drop_nulls().first().over(cell) for cell in CELLS]
    customers = known.join(told, on="customer_id", how="left", maintain_order="left").with_columns(
        pl.col("invited").fill_null(value=False),
        (pl.col("reach").is_not_null() & enough).alias("possible"),
        # Who was drawn, but would not have been invited, is left out for the reason of the others like them, where there are others.
        pl.when("drawn")
        .then(pl.coalesce(*others, pl.when(enough).then(pl.lit("size")).otherwise(pl.lit("group_too_small"))))
        .otherwise("left_out")
        .alias("left_out"),
    )
    return Allocated(customers, allocation, tuple(warnings))


def _check_columns(best: pl.DataFrame, plan: AllocatedPlan) -> None:
    own = [name for name, dtype in best.schema.items() if dtype == pl.String and name not in _OURS]
    problems = []
    for key, named in (("topic", ["segment", "category"]), ("layer_by", ["role", "segment", "category"])):
        column = getattr(plan, key)
        there = {*own, *named} - ({"category"} if "category" not in best.columns else set())
        if column is not None and column not in there:
            others = [name for name in named if name != column]
            rule = f"should be {', '.join(others)} or an attribute of the customers"
            problems.append(f"plan.{key}: {rule} (got {column}){nearest(column, [*others, *own])}")
    if problems:
        raise ConfigError(*problems)


def _unknown_layers(known: pl.DataFrame, plan: AllocatedPlan, lang: Lang) -> list[str]:
    """Refuse layers that nobody is of, where their share is to be held; a warning where it may be 0."""
    there = {EXPERT, REGULAR, NEWCOMER} if plan.layer_by == "role" else set(known["layer"].unique())
    wrong = {name: f"{name}{nearest(name, there)}" for name in plan.layers if name not in there}
    if held := [told for name, told in wrong.items() if plan.layers[name].min or plan.layer_by == "role"]:
        rule = f"should name layers that somebody eligible is of, by plan.layer_by={plan.layer_by}"
        raise ConfigError(*(f"plan.layers: {rule} (got {told})" for told in held))
    en, zh = "plan.layers: nobody who is eligible is of layer", "plan.layers：符合条件的客户中没有人属于层级"
    return [say(lang, f"{en} {told}", f"{zh} {told}") for told in wrong.values()]


def _counted(terms: Terms, plan: AllocatedPlan, days: int, lang: Lang) -> str:
    """Say what all numbers count: invitations, and calls on all days together."""
    assert isinstance(terms.groups, GroupsBy)
    least, most = terms.groups.smallest, terms.groups.largest
    given = f"plan.smallest={plan.smallest}, plan.group_capacity={plan.group_capacity}"
    en = f"plan: these are invitations: a group takes {least:,} to {most:,} of them ({given}, and the chance to join)"
    zh = f"plan：以上均按邀请人数计：每群邀请 {least:,} 至 {most:,} 人（由 {given} 和入群概率得出）"
    if plan.agents:
        en, zh = f"{en}; calls are those of {days} working days together", f"{zh}；外呼名额为 {days} 个工作日合计"
    return say(lang, en, zh)


def _role(plan: AllocatedPlan, people: int) -> pl.Expr:
    """Call the best advocates experts, who came lately newcomers, all others regulars."""
    place = pl.struct(-pl.col("advocacy"), pl.int_range(pl.len())).rank("ordinal")
    expert = (place <= round(plan.roles.experts * people)) & (pl.col("advocacy") > 0)
    newcomer = pl.col("days_known") < plan.roles.newcomer_days
    return pl.when(expert).then(pl.lit(EXPERT)).when(newcomer).then(pl.lit(NEWCOMER)).otherwise(pl.lit(REGULAR))


def _terms(asked: pl.DataFrame, settings: CoreSettings, plan: AllocatedPlan, joining: Joining, agents: tuple[Agent, ...]) -> Terms:
    launch = settings.launch
    chances = joining.chance(asked["score"])
    largest = places_of(asked["score"], joining, plan).invitations
    mean = 1.0 if plan.fill_confidence is None else float(chances.to_numpy().mean()) if len(chances) else joining.mean
    smallest = min(int(np.ceil(plan.smallest / mean)), largest)
    size = plan.size if isinstance(plan.size, int) else None
    if size is not None and size < smallest:
        rule = f"should be at least {smallest:,}, so many invitations as a group of plan.smallest={plan.smallest} members takes"
        raise ConfigError(f"plan.size: {rule} (got {size:,}); ask for more, or lower plan.smallest")
    return Terms(
        groups=GroupsBy(
            region=plan.by_region != "none",
            topic=plan.topic is not None,
            smallest=smallest,
            largest=largest,
            most=plan.max_groups,
        ),
        quotas=tuple(Quota(name, layer.min, layer.max) for name, layer in plan.layers.items()),
        size_min=size if plan.require_size and size is not None else 1,  # where no group can be formed, it is said what is short
        size_max=size,
        budget=None if plan.budget is None else to_minor(plan.budget, launch.currency),
        costs=_costs(asked.with_columns(chance=chances), settings, plan),
        agents=agents,
        currency=launch.currency,
    )


def _costs(asked: pl.DataFrame, settings: CoreSettings, plan: AllocatedPlan) -> dict[str, int]:
    """Give what inviting one of each layer is expected to cost, in whole minor units."""
    from scipy.stats import poisson

    gifts = plan.gifts
    if not (gifts.invite or gifts.join or any(gifts.friends.values())):
        return {}
    friends = asked["referrals"].to_numpy() / np.maximum(asked["days_known"].to_numpy(), 1) * settings.launch.horizon_days
    joined = gifts.join + sum(gift * poisson.sf(many - 1, friends) for many, gift in gifts.friends.items())
    cost = pl.Series("cost", gifts.invite + asked["chance"].to_numpy() * joined)
    # Whole millionths, so that the sum is the same in any order.
    means = asked.select("layer", (cost * 1_000_000).round().cast(pl.Int128)).group_by("layer").agg(pl.col("cost").sum(), pl.len())
    return {layer: to_minor(float(np.round(total / many / 1e6, 6)), settings.launch.currency) for layer, total, many in means.rows()}


def _days(settings: CoreSettings, plan: AllocatedPlan) -> int:
    """Count the days on which agents call while the list is good."""
    launch = settings.launch
    assert launch.as_of is not None
    start, last = plan.start or launch.as_of, launch.as_of + timedelta(days=launch.valid_days)
    days = len(working_days(plan, start, last))
    if plan.agents and not days:
        rule = f"should leave a working day until {last}, the last day on which the list is good (got {start})"
        raise ConfigError(f"plan.start: {rule}; take an earlier day, or raise launch.valid_days")
    return days


def _agents(plan: AllocatedPlan, sets: list[tuple[int, ...]], days: int) -> tuple[Agent, ...]:
    calls = [tuple(str(number) for number, agents in enumerate(sets) if place in agents) for place in range(len(plan.agents))]
    # Without any the agent could call everybody.
    return tuple(Agent(agent.name, agent.calls_per_day * days, (), able or ("",)) for agent, able in zip(plan.agents, calls, strict=True))
