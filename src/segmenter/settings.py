"""The config as strict, frozen models, and the one function that checks it.

No default stands here: all of them are in ``conf/``.
"""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from segmenter.errors import ConfigError, nearest


def _timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"is no time zone{nearest(name, available_timezones())}")
    ZoneInfo(name)
    return name


def _currency(code: str) -> str:
    from babel.numbers import is_currency

    if not is_currency(code):
        raise ValueError("is no ISO 4217 currency, such as CNY, EUR, USD")
    return code


def _file_name(name: str) -> str:
    if not name.strip() or name.startswith(".") or set(name) & set('/\\:*?"<>|\0\n'):
        raise ValueError("should be usable as a folder's name: no / \\ : * ? \" < > | and no leading dot")
    return name


Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=36_525)]
Lang = Literal["en", "zh"]
COMPONENTS = ("spend", "decayed_spend", "frequency", "recency", "engagement", "advocacy", "growth")
Component = Literal["spend", "decayed_spend", "frequency", "recency", "engagement", "advocacy", "growth"]


class Settings(BaseModel):
    """Base of all settings: strict, frozen, no unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class LaunchSettings(Settings):
    """What the launch is."""

    name: Annotated[str, AfterValidator(_file_name)]
    as_of: date | None
    timezone: Annotated[str, AfterValidator(_timezone)]
    currency: Annotated[str, AfterValidator(_currency)]
    valid_days: Days
    topic: str | None


class OrdersColumns(Settings):
    """Columns or SQL expressions of the orders."""

    customer_id: str | None
    order_id: str | None
    time: str | None
    amount: str | None
    currency: str | None
    province: str | None
    city: str | None


class CustomersColumns(Settings):
    """Columns or SQL expressions of the customers."""

    customer_id: str | None
    name: str | None
    province: str | None
    city: str | None
    joined: str | None
    do_not_contact: str | None
    blocked: str | None
    staff: str | None


class EventsColumns(Settings):
    """Columns or SQL expressions of the events."""

    customer_id: str | None
    kind: str | None
    time: str | None


class ReferralsColumns(Settings):
    """Columns or SQL expressions of the referrals: `customer_id` brought `friend_id`."""

    customer_id: str | None
    friend_id: str | None
    time: str | None


class TableSettings(Settings):
    """What the mappings of all tables share."""

    where: str | None
    time_format: str


class OrdersSettings(TableSettings):
    """How orders are read."""

    grain: Literal["order", "line"]
    repeats: Literal["keep", "drop"]
    refund: str | None
    columns: OrdersColumns


class CustomersSettings(TableSettings):
    """How customers are read."""

    contact: tuple[str, ...]
    attributes: tuple[str, ...]
    columns: CustomersColumns


class EventsSettings(TableSettings):
    """How events are read."""

    columns: EventsColumns


class ReferralsSettings(TableSettings):
    """How referrals are read."""

    columns: ReferralsColumns


class MappingSettings(Settings):
    """How the rows of a shop's tables become canonical ones, wherever they come from."""

    decimal: Literal[".", ","]
    max_reject_share: Share
    orders: OrdersSettings
    customers: CustomersSettings
    events: EventsSettings
    referrals: ReferralsSettings


class OrdersFile(OrdersSettings):
    """Orders in files."""

    path: str | None


class CustomersFile(CustomersSettings):
    """Customers in files."""

    path: str | None


class EventsFile(EventsSettings):
    """Events in files."""

    path: str | None


class ReferralsFile(ReferralsSettings):
    """Referrals in files."""

    path: str | None


class FilesSettings(MappingSettings):
    """Tables in files."""

    kind: Literal["files"]
    dir: str | None
    encoding: str
    separator: str
    sheet: str | None
    orders: OrdersFile
    customers: CustomersFile
    events: EventsFile
    referrals: ReferralsFile

    @model_validator(mode="after")
    def _some_customers(self) -> "FilesSettings":
        if self.orders.path is None and self.customers.path is None:
            raise ValueError("orders.path: is needed (or customers.path, where there are no sales yet)")
        return self


class OrdersQuery(OrdersSettings):
    """Orders by a query."""

    query: str | None


class CustomersQuery(CustomersSettings):
    """Customers by a query."""

    query: str | None


class EventsQuery(EventsSettings):
    """Events by a query."""

    query: str | None


class ReferralsQuery(ReferralsSettings):
    """Referrals by a query."""

    query: str | None


class DatabaseSettings(MappingSettings):
    """Tables in a database."""

    kind: Literal["database"]
    url: str
    orders: OrdersQuery
    customers: CustomersQuery
    events: EventsQuery
    referrals: ReferralsQuery

    @model_validator(mode="after")
    def _some_customers(self) -> "DatabaseSettings":
        if self.orders.query is None and self.customers.query is None:
            raise ValueError("orders.query: is needed (or customers.query, where there are no sales yet)")
        return self


class ShopSettings(Settings):
    """The size of the simulated shop."""

    customers: Annotated[int, Field(ge=100, le=5_000_000)]
    days: Annotated[int, Field(ge=120, le=3_650)]


class DemoSettings(MappingSettings):
    """The simulated shop."""

    kind: Literal["demo"]
    shop: ShopSettings


DataSettings = Annotated[FilesSettings | DatabaseSettings | DemoSettings, Field(discriminator="kind")]


class RegionRule(Settings):
    """Regions to keep and to leave out."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    allow_missing: bool
    aliases: dict[str, str]


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

    min: Annotated[int, Field(ge=0)] | None


class RecencyRule(Settings):
    """Days since the latest activity."""

    max_days: Days | None
    source: Literal["orders", "events", "either"]


class CustomRule(Settings):
    """A rule of the user's own."""

    name: Annotated[str, Field(min_length=1)]
    keep: Annotated[str, Field(min_length=1)]


class RulesSettings(Settings):
    """Who may be invited."""

    staff: bool
    blocked: bool
    consent: bool
    region: RegionRule
    spend: SpendRule
    orders: OrdersRule
    recency: RecencyRule
    custom: tuple[CustomRule, ...]

    @model_validator(mode="after")
    def _own_names(self) -> "RulesSettings":
        names = [rule.name for rule in self.custom]
        taken = {"staff", "blocked", "consent", "region_include", "region_exclude", "spend_min", "spend_max", "orders_min", "recency", "eligible"}
        if wrong := sorted({name for name in names if names.count(name) > 1 or name in taken}):
            raise ValueError(f"custom: names should be new and given once (got {', '.join(wrong)})")
        return self


class WeightedSettings(Settings):
    """The weighted score."""

    kind: Literal["weighted"]
    half_life_days: Annotated[float, Field(gt=0, le=36_525)]
    weights: dict[Component, Weight]
    engagement: dict[str, Weight]
    advocacy: dict[str, Weight]
    knots: Annotated[int, Field(ge=2, le=10_000)]
    max_reasons: Annotated[int, Field(ge=1, le=len(COMPONENTS))]

    @model_validator(mode="after")
    def _some_weight(self) -> "WeightedSettings":
        if not any(self.weights.values()):
            raise ValueError("weights: at least one should be > 0 (got all 0)")
        return self


class SegmentsSettings(Settings):
    """Clusters of the eligible."""

    k: Literal["auto"] | Annotated[int, Field(ge=1, le=50)]
    k_min: Annotated[int, Field(ge=2, le=50)]
    k_max: Annotated[int, Field(ge=2, le=50)]
    min_share: Annotated[float, Field(ge=0, le=0.5)]
    sample: Annotated[int, Field(ge=100)]
    bootstraps: Annotated[int, Field(ge=2, le=100)]

    @model_validator(mode="after")
    def _ordered(self) -> "SegmentsSettings":
        if self.k_min > self.k_max:
            raise ValueError(f"k_min should be ≤ k_max (got {self.k_min} > {self.k_max})")
        return self


class PlanSettings(Settings):
    """How many to invite, and how they are grouped."""

    size: Literal["all"] | Annotated[int, Field(ge=1)]
    require_size: bool
    by_region: Literal["province", "city", "none"]
    group_capacity: Annotated[int, Field(ge=1)]
    key_users: Annotated[int, Field(ge=0)]
    key_user_components: tuple[Component, ...]


class MlflowSettings(Settings):
    """MLflow."""

    kind: Literal["mlflow"]
    uri: str | None
    experiment: Annotated[str, Field(min_length=1)]


class NoTracking(Settings):
    """No tracking."""

    kind: Literal["none"]


class CoreSettings(Settings):
    """What `plan_launch` needs: a launch without its sources and outputs."""

    launch: LaunchSettings
    rules: RulesSettings
    scoring: WeightedSettings
    segments: SegmentsSettings
    plan: PlanSettings
    seed: int
    lang: Lang


class LaunchJob(CoreSettings):
    """The whole config of `segmenter launch`."""

    data: DataSettings
    tracking: Annotated[MlflowSettings | NoTracking, Field(discriminator="kind")]
    out: Annotated[Path, Field(strict=False)]
    overwrite: bool


class DemoJob(Settings):
    """The whole config of `segmenter demo`."""

    launch: LaunchSettings
    data: DemoSettings
    out: Annotated[Path, Field(strict=False)]
    overwrite: bool
    seed: int
    lang: Lang
