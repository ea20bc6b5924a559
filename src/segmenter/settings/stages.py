"""The launch and its stages."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from segmenter.settings.types import (
    MOST,
    Amount,
    AsOf,
    Count,
    Days,
    Name,
    Settings,
    Weight,
    count_or,
    is_currency_code,
    is_file_name,
    is_line,
    is_mapping,
    is_timezone,
)


class LaunchSettings(Settings):
    """What the launch is."""

    name: Annotated[str, AfterValidator(is_file_name)]
    as_of: AsOf | None
    timezone: Annotated[str, AfterValidator(is_timezone)]
    currency: Annotated[str, AfterValidator(is_currency_code)]
    valid_days: Days
    horizon_days: Annotated[int, Field(ge=1, le=1_000)]
    topic: Annotated[str, AfterValidator(is_line)] | None
    community: Name
    target: Annotated[float, Field(gt=0, le=1e13, allow_inf_nan=False)] | None
    confidence: Annotated[float, Field(gt=0, lt=1)]


class RegionRule(Settings):
    """Regions to keep and to leave out."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    allow_missing: bool
    aliases: Annotated[dict[str, str], BeforeValidator(is_mapping)]


class SpendRule(Settings):
    """Net spend, in currency units."""

    min: Amount | None
    max: Amount | None
    window_days: Days | None

    @model_validator(mode="after")
    def _ordered(self) -> "SpendRule":
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min should be ≤ max (got min {self.min:g}, max {self.max:g})")
        return self


class OrdersRule(Settings):
    """Number of orders."""

    min: Annotated[int, Field(ge=0, le=MOST)] | None


class RecencyRule(Settings):
    """Days since the latest activity."""

    max_days: Days | None
    source: Literal["orders", "events", "either"]


class CustomRule(Settings):
    """A rule of the user's own."""

    name: Name
    keep: Annotated[str, Field(min_length=1)]


class InvitationsRule(Settings):
    """Launches that somebody was invited to."""

    most: Count | None
    days: Days


class RulesSettings(Settings):
    """Who may be invited."""

    staff: bool
    blocked: bool
    consent: bool
    member: bool
    refused: bool
    held_out: bool
    cooloff_days: Days | None
    invitations: InvitationsRule
    per_account: Annotated[str, Field(min_length=1)] | None
    region: RegionRule
    spend: SpendRule
    orders: OrdersRule
    recency: RecencyRule
    custom: tuple[CustomRule, ...]

    @model_validator(mode="after")
    def _own_names(self) -> "RulesSettings":
        names = [rule.name for rule in self.custom]
        taken = {
            "staff",
            "blocked",
            "consent",
            "member",
            "refused",
            "held_out",
            "cooloff",
            "invitations",
            "region_include",
            "region_exclude",
            "spend_min",
            "spend_max",
            "orders_min",
            "recency",
            "eligible",
        }
        if wrong := sorted({name for name in names if names.count(name) > 1 or name in taken}):
            raise ValueError(f"custom: names should be new and given once (got {', '.join(wrong)})")
        return self


class Weights(Settings):
    """What each component weighs, on any scale."""

    spend: Weight
    decayed_spend: Weight
    frequency: Weight
    recency: Weight
    engagement: Weight
    advocacy: Weight
    growth: Weight


class ScoringSettings(Settings):
    """What every score has: its components, and the words that give the reason."""

    half_life_days: Annotated[float, Field(gt=0, le=36_525)]
    weights: Weights
    engagement: dict[str, Weight]
    advocacy: dict[str, Weight]
    knots: Annotated[int, Field(ge=2, le=10_000)]
    max_reasons: Annotated[int, Field(ge=1, le=7)]

    @model_validator(mode="after")
    def _some_weight(self) -> "ScoringSettings":
        if not any(self.weights.model_dump().values()):
            raise ValueError("weights: at least one should be > 0 (got all 0)")
        return self


class WeightedSettings(ScoringSettings):
    """The weighted score."""

    kind: Literal["weighted"]


class RuleSettings(ScoringSettings):
    """A ranking by one rule."""

    kind: Literal["spend", "decayed", "recency", "rfm"]


class ClvSettings(ScoringSettings):
    """Expected spend by models of repeat buying."""

    kind: Literal["clv"]
    model: Literal["bg_nbd", "mbg_nbd"]
    time_unit: Literal["days", "weeks"]


class LearnedSettings(ScoringSettings):
    """Expected spend, learned from the shop's own past."""

    kind: Literal["learned"]
    cuts: Annotated[int, Field(ge=1, le=100)]
    step_days: Days | None
    rows: Annotated[int, Field(ge=10_000, le=MOST)]
    trees: Annotated[int, Field(ge=1, le=2_000)]
    leaves: Annotated[int, Field(ge=2, le=255)]


class AutoSettings(LearnedSettings):
    """The ranking that was best on the shop's own past."""

    kind: Literal["auto"]  # type: ignore[assignment]  # all else is as for `learned`
    trials: Annotated[int, Field(ge=1, le=50)]


AnyScoring = Annotated[
    WeightedSettings | RuleSettings | ClvSettings | LearnedSettings | AutoSettings,
    Field(discriminator="kind"),
]


class SegmentsSettings(Settings):
    """Clusters of the eligible."""

    k: Annotated[int | str, count_or("auto", 100)]
    k_min: Annotated[int, Field(ge=2, le=50)]
    k_max: Annotated[int, Field(ge=2, le=50)]
    min_share: Annotated[float, Field(ge=0, le=0.5)]
    sample: Annotated[int, Field(ge=100, le=MOST)]
    bootstraps: Annotated[int, Field(ge=2, le=100)]

    @model_validator(mode="after")
    def _ordered(self) -> "SegmentsSettings":
        if self.k_min > self.k_max:
            raise ValueError(f"k_min should be ≤ k_max (got {self.k_min} > {self.k_max})")
        return self


class MlflowSettings(Settings):
    """MLflow."""

    kind: Literal["mlflow"]
    uri: str | None
    experiment: Name


class NoTracking(Settings):
    """No tracking."""

    kind: Literal["none"]
