"""The config as strict, frozen models, and the one function that checks it.

No default stands here: all of them are in ``conf/``.
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
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


def _count_or(word: str) -> AfterValidator:
    """Check for a whole number from 1 or a word, with one message instead of pydantic's one for each side."""

    def check(value: int | str) -> int | str:
        if value == word or (isinstance(value, int) and value >= 1):
            return value
        raise ValueError(f"should be a whole number ≥ 1 or {word}")

    return AfterValidator(check)


def _mapping(value: object) -> object:
    if isinstance(value, str):
        raise ValueError("should be a mapping; names that are not ASCII cannot be given here: write them in a file for --config-dir")
    return value


def _file_name(name: str) -> str:
    if not name.strip() or name.startswith(".") or set(name) & set('/\\:*?"<>|\0\n'):
        raise ValueError("should be usable as a folder's name: no / \\ : * ? \" < > | and no leading dot")
    return name


# Inside what every step can count in days and microseconds.
AsOf = Annotated[date, Field(ge=date(1980, 1, 1), le=date(2200, 1, 1))]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e13, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=36_525)]
Lang = Literal["en", "zh"]
Job = TypeVar("Job", bound=BaseModel)
Component = Literal["spend", "decayed_spend", "frequency", "recency", "engagement", "advocacy", "growth"]


class Settings(BaseModel):
    """Base of all settings: strict, frozen, no unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class LaunchSettings(Settings):
    """What the launch is."""

    name: Annotated[str, AfterValidator(_file_name)]
    as_of: AsOf | None
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
    skip_rows: Annotated[int, Field(ge=0)]
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
    aliases: Annotated[dict[str, str], BeforeValidator(_mapping)]


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
        taken = {
            "staff",
            "blocked",
            "consent",
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


class WeightedSettings(Settings):
    """The weighted score."""

    kind: Literal["weighted"]
    half_life_days: Annotated[float, Field(gt=0, le=36_525)]
    weights: Weights
    engagement: dict[str, Weight]
    advocacy: dict[str, Weight]
    knots: Annotated[int, Field(ge=2, le=10_000)]
    max_reasons: Annotated[int, Field(ge=1, le=7)]

    @model_validator(mode="after")
    def _some_weight(self) -> "WeightedSettings":
        if not any(self.weights.model_dump().values()):
            raise ValueError("weights: at least one should be > 0 (got all 0)")
        return self


class SegmentsSettings(Settings):
    """Clusters of the eligible."""

    k: Annotated[int | str, _count_or("auto")]
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

    size: Annotated[int | str, _count_or("all")]
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


class FrameLaunch(CoreSettings):
    """A launch on frames that a program holds already."""

    data: MappingSettings


class LaunchJob(CoreSettings):
    """The whole config of `segmenter launch`."""

    data: DataSettings
    tracking: Annotated[MlflowSettings | NoTracking, Field(discriminator="kind")]
    out: Annotated[Path, Field(strict=False)]
    overwrite: bool


class DemoLaunch(Settings):
    """What `segmenter demo` needs of a launch: the one that its files are for."""

    name: Annotated[str, AfterValidator(_file_name)]
    as_of: AsOf | None
    timezone: Annotated[str, AfterValidator(_timezone)]
    currency: Annotated[str, AfterValidator(_currency)]


class DemoJob(Settings):
    """The whole config of `segmenter demo`."""

    launch: DemoLaunch
    data: DemoSettings
    customers: int
    out: Annotated[Path, Field(strict=False)]
    overwrite: bool
    seed: int
    lang: Lang


def parse(model: type[Job], config: Mapping[str, Any]) -> Job:
    """Check a config against its model and report every error at once.

    Parameters
    ----------
    model : type of Settings
        What the config should be.
    config : mapping
        A plain mapping, or OmegaConf's.

    Returns
    -------
    Settings
        An instance of `model`.

    Raises
    ------
    ConfigError
        One line for each wrong key: its path, the rule, the value, and the nearest valid key for a misspelt one.

    Examples
    --------
    >>> parse(OrdersRule, {"min": -1})
    Traceback (most recent call last):
    segmenter.errors.ConfigError: min: should be ≥ 0 (got -1)
    """
    if type(config).__module__.startswith("omegaconf"):
        config = _plain(config)
    try:
        # By way of JSON, where strictness lets a date and a path be text and a tuple a list.
        return model.model_validate_json(json.dumps(config, default=str))
    except ValidationError as error:
        raise ConfigError(*(_line(model, detail) for detail in error.errors(include_url=False))) from None


def shareable(settings: LaunchJob) -> dict[str, Any]:
    """Give a config as plain values without its passwords, for the manifest and for MLflow.

    Parameters
    ----------
    settings : LaunchJob
        A checked config.

    Returns
    -------
    dict
        The addresses in `data.url` and `tracking.uri` without password and options.
    """
    config: dict[str, Any] = settings.model_dump(mode="json")
    for section, key in (("data", "url"), ("tracking", "uri")):
        if config[section].get(key) is not None:
            config[section][key] = without_password(config[section][key])
    return config


def without_password(url: str) -> str:
    """Leave out of an address what may be secret: the password, and the options, among which drivers also take one.

    Parameters
    ----------
    url : str
        Of a database or a server.

    Returns
    -------
    str
        The same address to show.

    Examples
    --------
    >>> without_password("postgresql://me:secret@host/shop?sslpassword=x")
    'postgresql://me:***@host/shop'
    """
    return re.sub(r"://([^:/@]*):.*@", r"://\1:***@", url, flags=re.DOTALL).partition("?")[0]


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key or 'config'}: {str(error.msg or error).splitlines()[0]}") from None
    return {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}


def _line(model: type[BaseModel], detail: ErrorDetails) -> str:
    where, parent = _where(model, detail["loc"])
    rule = detail["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    rule = (
        rule.replace("greater than or equal to", "≥")
        .replace("less than or equal to", "≤")
        .replace("greater than", ">")
        .replace("less than", "<")
    )
    match detail["type"]:
        case "extra_forbidden":
            return f"{where}: is no key{nearest(str(detail['loc'][-1]), parent)}"
        case "missing":
            return f"{where}: is needed"
        case "value_error" if where and isinstance(detail["input"], dict):
            return f"{where}.{rule}"
        case "value_error" if isinstance(detail["input"], dict):
            return rule
        case _:
            return f"{where}: {rule} (got {_shown(detail['input'])})"


def _where(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, list[str]]:
    """Name the key, without the tags of unions that pydantic puts in, and list the keys beside it."""
    names: list[str] = []
    inside = [model]  # the models that the next name may be a field of
    for part in loc:
        fields = {key: field.annotation for item in inside for key, field in item.model_fields.items()}
        tagged = [item for item in inside if "kind" in item.model_fields and part in get_args(item.model_fields["kind"].annotation)]
        if tagged and part not in fields:
            inside = tagged
        elif part is loc[-1] or not inside:
            return ".".join([*names, *(str(rest) for rest in loc[len(loc) - 1 :])]), list(fields)
        else:
            names.append(str(part))
            inside = _models(fields[part]) if part in fields else inside
    return ".".join(names), []


def _models(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]} …"
