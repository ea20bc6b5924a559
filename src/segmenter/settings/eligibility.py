"""The rules: who may be invited."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from segmenter.messages import Message
from segmenter.settings.types import MOST, Amount, Count, Days, Name, Settings, as_list, is_mapping

# What the rules are called in the funnel and as verdicts, and the verdict of who passes them all.
RULES = frozenset(
    {
        *("not_customer", "staff", "blocked", "consent", "member", "refused", "wrong_number", "agreed"),
        *("refused_lately", "held_out", "cooloff", "invitations", "violations", "seed"),
        *("reachable", "per_phone"),
        *("region_include", "region_exclude", "region_unknown", "spend_min", "spend_max", "orders_min", "recency", "role", "eligible"),
    }
)


class RegionRule(Settings):
    """Regions to keep and to leave out."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    allow_missing: bool
    unknown: Literal["remove", "keep", "stop"]
    aliases: Annotated[dict[str, str], BeforeValidator(is_mapping)]


class SpendRule(Settings):
    """Net spend, in currency units."""

    min: Amount | None
    max: Amount | None
    window_days: Days | None

    @model_validator(mode="after")
    def _ordered(self) -> "SpendRule":
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                Message("settings.min_above_max", "min should be ≤ max (got min {min:g}, max {max:g})", min=self.min, max=self.max)
            )
        return self


class OrdersRule(Settings):
    """How many orders."""

    min: Annotated[int, Field(ge=0, le=MOST)] | None


class RecencyRule(Settings):
    """Days since the latest activity."""

    max_days: Days | None
    source: Literal["orders", "events", "either"]


class CustomRule(Settings):
    """A rule of the user's own."""

    name: Annotated[Name, Field(description="of its line in the funnel")]
    keep: Annotated[str, Field(min_length=1, description="SQL over the measures and attributes: who stays")]


class InvitationsRule(Settings):
    """Launches that a customer was invited to."""

    max: Count | None
    days: Days


KeptOut = Annotated[int, Field(ge=0, le=MOST)]  # days; 0: not at all
Means = Literal["auto", "phone", "wechat", "email", "any"]


class RulesSettings(Settings):
    """Who may be invited."""

    staff: bool
    blocked: bool
    violations: Count | None
    consent: bool
    member: bool
    refused: bool
    wrong_number_days: KeptOut | None
    agreed_days: KeptOut | None
    refused_days: KeptOut | None
    held_out: bool
    cooloff_days: Days | None
    invitations: InvitationsRule
    per_account: Annotated[str, Field(min_length=1)] | None
    reachable: Annotated[tuple[Means, ...] | None, BeforeValidator(as_list)]
    phones: tuple[Literal["mobile", "landline", "foreign"], ...]
    per_phone: bool
    region: RegionRule
    spend: SpendRule
    orders: OrdersRule
    recency: RecencyRule
    applicants: Literal["keep", "remove"]
    custom: tuple[CustomRule, ...]

    @model_validator(mode="after")
    def _own_names(self) -> "RulesSettings":
        names = [rule.name for rule in self.custom]
        if wrong := sorted({name for name in names if names.count(name) > 1 or name in RULES}):
            raise ValueError(Message("settings.rule_names", "custom: names should be new and given once (got {names})", names=wrong))
        return self
