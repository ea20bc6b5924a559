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
from segmenter.planning.joining import Joining
from segmenter.planning.terms import Agent, GroupsBy, Quota, Terms
from segmenter.regions import matching
from segmenter.settings import AllocatedPlan, CoreSettings

EXPERT, REGULAR, NEWCOMER = "expert", "regular", "newcomer"
CELL = ("cell_region", "topic", "layer")
_POINT = 1_000  # a score's worth where no money is expected


@dataclass(frozen=True)
class Allocated:
    """What the integer program chose.

    Parameters
    ----------
    customers : DataFrame
        The candidates with ``cell_region``, ``topic``, ``layer``, ``value``, ``invited``, ``rank``, ``group`` and ``left_out``.
    allocation : Allocation
        Its groups, layers, calls, cost and gap.
    """

    customers: pl.DataFrame
    allocation: Allocation


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
    >>> from segmenter.planning.joining import learn_joining
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
    for key in ("topic", "layer_by"):
        column = getattr(plan, key)
        named = ["segment", "category"] if key == "topic" else ["role", "segment", "category"]
        if column is not None and column not in best.columns and (column, key) != ("role", "layer_by"):
            others = [name for name in named if name != column]
            rule = f"should be {', '.join(others)} or an attribute of the customers"
            raise ConfigError(f"plan.{key}: {rule} (got {column}){nearest(column, [*others, *best.columns])}")
    region = pl.col("province" if plan.by_region == "none" else "unit").alias("cell_region")
    topic = pl.lit(None, dtype=pl.String) if plan.topic is None else pl.col(plan.topic).cast(pl.String)
    layer = _role(plan, best.height) if plan.layer_by == "role" else pl.col(plan.layer_by).cast(pl.String).fill_null("")
    money = "expected_spend" in best.columns
    value = pl.col("expected_spend").fill_null(0).round() if money else pl.col("score") * _POINT
    known = best.with_columns(region, topic.alias("topic"), value.cast(pl.Int64).clip(0).alias("value")).with_columns(layer.alias("layer"))
    asked = known.filter(~pl.col("drawn"))
    free = asked.select(
        "customer_id",
        "topic",
        "layer",
        "score",
        "value",
        pl.col("cell_region").alias("region"),
        *([] if "language" not in asked.columns else ["language"]),
    )
    allocation = allocate(free, _terms(asked, settings, plan, joining), lang=settings.lang)
    told = allocation.customers.select("customer_id", "invited", "rank", "group", pl.col("reason").alias("left_out"))
    customers = known.join(told, on="customer_id", how="left", maintain_order="left").with_columns(
        pl.col("invited").fill_null(value=False),
        # Who was drawn, but would not have been invited, is left out for the reason of the others like them.
        pl.when("drawn").then(pl.col("left_out").drop_nulls().first().over(CELL)).otherwise("left_out").alias("left_out"),
    )
    return Allocated(customers, allocation)


def _role(plan: AllocatedPlan, people: int) -> pl.Expr:
    """Call the best advocates experts, who came lately newcomers, all others regulars."""
    place = pl.struct(-pl.col("advocacy"), pl.int_range(pl.len())).rank("ordinal")
    expert = (place <= round(plan.roles.experts * people)) & (pl.col("advocacy") > 0)
    newcomer = pl.col("days_known") < plan.roles.newcomer_days
    return pl.when(expert).then(pl.lit(EXPERT)).when(newcomer).then(pl.lit(NEWCOMER)).otherwise(pl.lit(REGULAR))


def _terms(asked: pl.DataFrame, settings: CoreSettings, plan: AllocatedPlan, joining: Joining) -> Terms:
    launch = settings.launch
    chances = joining.chance(asked["score"])
    largest = places_of(asked["score"], joining, plan).invitations
    mean = 1.0 if plan.fill_confidence is None else float(chances.to_numpy().mean()) if len(chances) else joining.mean
    smallest = min(int(np.ceil(plan.smallest / mean)), largest)
    size = plan.size if isinstance(plan.size, int) else None
    return Terms(
        groups=GroupsBy(
            region=plan.by_region != "none",
            topic=plan.topic is not None,
            smallest=smallest,
            largest=largest,
            most=plan.most_groups,
        ),
        quotas=tuple(Quota(name, layer.least, layer.most) for name, layer in plan.layers.items()),
        size_min=size if plan.require_size else smallest,  # where not even one group can be formed, it is said what is short
        size_max=size,
        budget=None if plan.budget is None else to_minor(plan.budget, launch.currency),
        costs=_costs(asked.with_columns(chance=chances), settings, plan),
        agents=_agents(asked, settings, plan),
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
    means = asked.select("layer", (cost * 1_000_000).round().cast(pl.Int64)).group_by("layer").agg(pl.col("cost").sum(), pl.len())
    return {layer: to_minor(float(np.round(total / many / 1e6, 6)), settings.launch.currency) for layer, total, many in means.rows()}


def _agents(asked: pl.DataFrame, settings: CoreSettings, plan: AllocatedPlan) -> tuple[Agent, ...]:
    launch = settings.launch
    assert launch.as_of is not None
    days = len(working_days(plan, plan.start or launch.as_of, launch.as_of + timedelta(days=launch.valid_days)))
    rule = settings.rules.region.model_copy(update={"allow_missing": True})
    agents = []
    for agent in plan.agents:
        found = asked.filter(matching(asked, agent.regions, rule, "plan.agents")[0]) if agent.regions else asked.clear()
        # Without a match the names stay as they are: they fit no cell, while none at all would fit any.
        regions = tuple(found["cell_region"].drop_nulls().unique().sort().to_list()) or agent.regions
        agents.append(Agent(agent.name, agent.calls_per_day * days, regions, agent.languages))
    return tuple(agents)
