"""How many are invited, into which groups, when, and by whom."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from segmenter.messages import Message
from segmenter.settings.rankings import Weights
from segmenter.settings.types import (
    IN_CURRENCY,
    MOST,
    Amount,
    AsOf,
    Channel,
    Count,
    Days,
    Name,
    Settings,
    Share,
    Weekday,
    as_list,
    count_or,
    is_day_range,
    is_mapping,
)

Gift = Annotated[float, Field(ge=0, le=1e8, allow_inf_nan=False, json_schema_extra=IN_CURRENCY)]  # for millions of people it still fits
Chance = Annotated[float, Field(gt=0, lt=1)]


class AgentSettings(Settings):
    """Somebody who phones or messages people in."""

    name: Annotated[Name, Field(description="as it stands on the sheets")]
    calls_per_day: Annotated[int, Field(ge=1, le=100_000, description="how many people they call a day")]
    regions: Annotated[tuple[str, ...], Field(description="whose customers they call; empty = any")] = ()
    languages: Annotated[tuple[str, ...], Field(description="which the customers speak, by the attribute language; empty = any")] = ()
    serves: Annotated[
        dict[str, Annotated[tuple[str, ...], BeforeValidator(as_list)]],
        BeforeValidator(is_mapping),
        Field(default_factory=dict, description="{ATTRIBUTE: [VALUE]}: which customers they call; empty = any"),
    ]
    days_off: Annotated[
        tuple[Annotated[str, AfterValidator(is_day_range)], ...],
        Field(description="days such as 2026-10-08, or 2026-10-12..2026-10-16, on which they do not call"),
    ] = ()
    calls_on: Annotated[
        dict[Annotated[AsOf, Field(strict=False)], Annotated[int, Field(ge=0, le=100_000)]],
        BeforeValidator(is_mapping),
        Field(default_factory=dict, description="{DAY: CALLS}: other numbers of calls on single days"),
    ]

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """What customers must have of each attribute for this agent to call them."""
        return {**({"language": self.languages} if self.languages else {}), **self.serves}


class PlatformSettings(Settings):
    """What the groups' platform allows; null is no limit, or not known."""

    name: Name | None
    group_size: Count | None
    scan_size: Count | None
    code_days: Days | None
    adds_per_day: Count | None

    def misfits(self, plan: "PlanSettings") -> list[Message]:
        """Say what of a plan the platform does not allow."""
        size, name = self.group_size, self.name or "platform"
        if size is None:
            return []
        sentence = "plan.{key}: should be ≤ {size:,}, the members that a group of {name} holds (platform.group_size; got {value:,})"
        values = {"group_capacity": plan.group_capacity, "key_users": plan.key_users}
        return [
            Message("planning.over_platform", sentence, key=key, size=size, name=name, value=value)
            for key, value in values.items()
            if value > size
        ]


def with_capacity(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put the platform's limit in the place of a group's capacity that is null."""
    match config:
        case {"plan": {"group_capacity": None, **plan}, "platform": {"group_size": int(size)}}:
            return {**config, "plan": {**plan, "group_capacity": size}}
        case _:
            return config


def _is_given(capacity: object) -> object:
    if capacity is None:
        raise ValueError(Message("planning.no_capacity", "should be a number, as the platform has no limit (platform.group_size)"))
    return capacity


def _is_component(name: str) -> str:
    if name not in (*Weights.model_fields, "reach") and not name.startswith("role_"):
        sentence = "should be one of {names}, or role_NAME for one of the roles"
        raise ValueError(Message("planning.component", sentence, names=(*Weights.model_fields, "reach")))
    return name


class StarterSettings(Settings):
    """A colleague or, where that is said, an account of the house, in the groups of some regions or of all."""

    name: Annotated[Name, Field(description="as it stands in the group")]
    regions: Annotated[tuple[str, ...], Field(description="in whose groups they stand; empty = in all")] = ()
    house: Annotated[bool, Field(description="true: an account of the company's, which is named so in the group")] = False


# Only the side that is meant is checked, and says what is wrong with it.
Starters = Annotated[
    Annotated[Literal["staff"], Tag("staff")] | Annotated[tuple[StarterSettings, ...], Tag("named")],
    Discriminator(lambda value: "staff" if isinstance(value, str) else "named"),
]


class PlanSettings(Settings):
    """What every plan has."""

    size: Annotated[int | str, count_or("all", "auto", most=MOST)]
    require_size: bool
    by_region: Literal["province", "city", "none"]
    group_capacity: Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_is_given)]
    smallest: Annotated[int, Field(ge=1, le=1_000_000)]
    key_users: Annotated[int, Field(ge=0, le=1_000_000)]
    key_user_share: Share
    key_user_components: tuple[Annotated[str, AfterValidator(_is_component)], ...]
    join_chance: Chance
    join_evidence: Annotated[float, Field(gt=0, le=1e6)]
    fill: Annotated[float, Field(gt=0, le=1)]
    fill_confidence: Chance | None
    overflow_risk: Chance
    holdout: Annotated[float, Field(ge=0, le=0.5)]
    holdout_by: Literal["customer", "region"]
    wave_size: Count | None
    wave_days: Annotated[int, Field(ge=1, le=366)]
    start: AsOf | None
    starters: Starters | None
    starters_per_group: Annotated[int, Field(ge=1, le=1_000)]
    channel: Channel
    agents: tuple[AgentSettings, ...]
    weekend: tuple[Weekday, ...]
    calendar: Annotated[str, Field(min_length=2)] | None
    holidays: tuple[AsOf, ...]

    @property
    def served_attributes(self) -> list[str]:
        """Name the attributes by which agents choose whom they call, sorted; the levels of a place are there anyway."""
        return sorted({name for agent in self.agents for name in agent.attributes} - {"province", "city", "district"})

    @model_validator(mode="after")
    def _workable(self) -> "PlanSettings":
        for key, people in (("agents", self.agents), ("starters", self.starters)):
            names = [person.name for person in people or () if not isinstance(person, str)]
            if twice := sorted({name for name in names if names.count(name) > 1}):
                sentence = "{key}: names should be given once (got {names} more than once)"
                raise ValueError(Message("planning.agents_twice", sentence, key=key, names=tuple(twice)))
        if len(set(self.weekend)) == 7:
            raise ValueError(Message("planning.no_workday", "weekend: should leave a day to work on (got all seven)"))
        if self.smallest > self.group_capacity:
            sentence = "smallest should be ≤ group_capacity (got {smallest} > {capacity})"
            raise ValueError(Message("planning.sizes_crossed", sentence, smallest=self.smallest, capacity=self.group_capacity))
        return self


class SimplePlan(PlanSettings):
    """The best so many."""

    kind: Literal["simple"]


class TenureSettings(Settings):
    """Who is an expert, and who a newcomer."""

    experts: Share
    newcomer_days: Days


class LayerSettings(Settings):
    """The share of a layer in every group."""

    min: Annotated[Share, Field(description="of a group's members, at least")] = 0.0
    max: Annotated[Share, Field(description="and at most")] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> "LayerSettings":
        if self.min > self.max:
            sentence = "min should be ≤ max (got {low:g} > {high:g})"
            raise ValueError(Message("planning.shares_crossed", sentence, low=self.min, high=self.max))
        return self


class GiftSettings(Settings):
    """What inviting costs, in currency units."""

    invite: Gift
    join: Gift
    friends: Annotated[dict[Annotated[int, Field(ge=1, le=MOST, strict=False)], Gift], BeforeValidator(is_mapping), Field(max_length=20)]


class AllocatedPlan(PlanSettings):
    """The most valuable plan that groups, layers, budget and agents allow."""

    kind: Literal["allocated"]
    max_groups: Annotated[int, Field(ge=1, le=1_000_000)]
    topic: Annotated[str, Field(min_length=1)] | None
    layer_by: Annotated[str, Field(min_length=1)]
    tenure: TenureSettings
    layers: Annotated[dict[str, LayerSettings], BeforeValidator(is_mapping)]
    budget: Amount | None
    gifts: GiftSettings

    @model_validator(mode="after")
    def _ordered(self) -> "AllocatedPlan":
        if (total := sum(Fraction(str(layer.min)) for layer in self.layers.values())) > 1:
            sentence = "layers: the min shares should add up to at most 1 (got {total:g}); lower one"
            raise ValueError(Message("planning.shares_too_large", sentence, total=float(total)))
        return self


AnyPlan = Annotated[SimplePlan | AllocatedPlan, Field(discriminator="kind")]


def column_key(plan: AnyPlan, column: str) -> str | None:
    """Name the key of a plan that makes groups or layers of a column, if one does."""
    keys = {"plan.topic": plan.topic, "plan.layer_by": plan.layer_by} if isinstance(plan, AllocatedPlan) else {}
    return next((key for key, named in keys.items() if named == column), None)
