"""The launch, its segments and personas, its engine, its ledger and its tracking."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from segmenter.messages import Message
from segmenter.settings.types import (
    IN_CURRENCY,
    MOST,
    AsOf,
    Days,
    Name,
    Settings,
    Weekday,
    as_clock,
    count_or,
    is_country,
    is_currency_code,
    is_file_name,
    is_line,
    is_mapping,
    is_moment,
    is_timezone,
    off,
)

Sentence = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(is_line)]
OTHER_PERSONA = "other"  # of whom no persona matches


def _wrong_field(script: str | None, given: Mapping[str, str | None]) -> Message | None:
    """Say what in braces an opening script may not have, or what has no value to stand for it: of the key, or of ``launch``."""
    for field in re.findall(r"{(.*?)}", script or ""):
        if field not in given:
            sentence = "script: should have no fields but {fields} (got {got})"
            return Message("settings.script_fields", sentence, fields=tuple(f"{{{name}}}" for name in given), got=f"{{{field}}}")
        if not given[field]:
            key = "hook" if field == "hook" else f"launch.{field}"
            sentence = "script: has {field}, which needs {key} (got null); set it, or leave the field out"
            return Message("settings.script_empty", sentence, field=f"{{{field}}}", key=key)
    return None


class LaunchBasics(Settings):
    """What tells a launch from others."""

    name: Annotated[str, AfterValidator(is_file_name)]
    as_of: AsOf | None
    timezone: Annotated[str, AfterValidator(is_timezone)]
    currency: Annotated[str, AfterValidator(is_currency_code)]


class LiveEvents(Settings):
    """The dated activities that waves lead up to: on a weekday week after week, or on days of their own."""

    weekday: Annotated[Weekday | None, Field(description="on which they are, week after week")] = None
    count: Annotated[Annotated[int, Field(ge=1, le=60)] | None, Field(description="how many, with a weekday")] = None
    # Not strict: what is read by way of a function is JSON no more.
    first: Annotated[
        Annotated[AsOf, Field(strict=False)] | None,
        Field(description="the first, with a weekday; null = the first that calls can lead up to"),
    ] = None
    dates: Annotated[
        tuple[Annotated[str, AfterValidator(is_moment)], ...],
        Field(strict=False, description="in place of a weekday: days such as 2026-10-08, or with their time 2026-10-08 20:00"),
    ] = ()
    time: Annotated[
        str | None,
        BeforeValidator(lambda value: value if value is None else as_clock(value)),
        Field(description="of the day, HH:MM, of those that have none of their own"),
    ] = None
    remind_days: Annotated[Annotated[int, Field(ge=0, le=60)] | None, Field(description="in place of launch.remind_days")] = None

    @model_validator(mode="after")
    def _whole(self) -> "LiveEvents":
        weekly = [self.weekday is not None, self.count is not None]
        if (any(weekly) or self.first is not None) if self.dates else not all(weekly):
            sentence = "should have a weekday and a count, or dates, such as {{weekday: thursday, count: 4}} or [2026-10-08, 2026-10-15]"
            raise ValueError(Message("settings.live_events", sentence))
        days = [moment[:10] for moment in self.dates]
        if twice := sorted({day for day in days if days.count(day) > 1}):
            sentence = "should have a day once (got {days} more than once)"
            raise ValueError(Message("settings.live_events_twice", sentence, days=tuple(twice)))
        if self.first is not None and (found := get_args(Weekday)[self.first.weekday()]) != self.weekday:
            sentence = "first: should be a {weekday} (got {first}, a {found})"
            raise ValueError(Message("settings.live_events_first", sentence, weekday=self.weekday, first=self.first, found=found))
        return self


def _as_live_events(value: object) -> object:
    return ({"dates": value} if value else None) if isinstance(value, list | tuple) else value


class LaunchSettings(LaunchBasics):
    """What the launch is."""

    country: Annotated[str, AfterValidator(is_country)] | None
    commit: bool
    valid_days: Days
    horizon_days: Annotated[int, Field(ge=1, le=1_000)]
    topic: Annotated[str, AfterValidator(is_line)] | None
    script: Sentence | None
    offer: Sentence | None
    shop: Name | None
    group_rules: Sentence | None
    community: Name
    role: Annotated[str, Field(min_length=1)] | None
    role_points: Annotated[float, Field(gt=0, le=1e9)]
    role_share: Annotated[float, Field(gt=0, le=1)]
    target: Annotated[float, Field(gt=0, le=1e13, allow_inf_nan=False, json_schema_extra=IN_CURRENCY)] | None
    confidence: Annotated[float, Field(gt=0, lt=1)]
    live_events: Annotated[LiveEvents | None, BeforeValidator(_as_live_events)]
    remind_days: Annotated[int, Field(ge=0, le=60)]
    warm_days: Days

    @property
    def spoken(self) -> dict[str, str | None]:
        """What stands for the fields of an opening script; the name is each customer's."""
        return {"name": "{name}", **{field: getattr(self, field) for field in ("topic", "offer", "shop")}}

    @model_validator(mode="after")
    def _speakable(self) -> "LaunchSettings":
        if wrong := _wrong_field(self.script, self.spoken):
            raise ValueError(wrong)
        return self


class PersonaSettings(Settings):
    """A need: whose it is, what to offer them, and what to say; without a hook or a script, the launch's offer and script."""

    name: Annotated[Name, Field(description="as sheets and report call it")]
    where: Annotated[str, Field(min_length=1, description="SQL over the measures, in currency units, and the customers' attributes")]
    hook: Annotated[Sentence | None, Field(description="what to offer them; null = launch.offer")] = None
    script: Annotated[Sentence | None, Field(description="what to say; null = launch.script")] = None


def _distinct(personas: tuple[PersonaSettings, ...]) -> tuple[PersonaSettings, ...]:
    names = [OTHER_PERSONA, *(persona.name for persona in personas)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        sentence = "should have names given once, and none called {other} (got {names})"
        raise ValueError(Message("settings.persona_names", sentence, other=OTHER_PERSONA, names=tuple(twice)))
    return personas


PersonaList = Annotated[tuple[PersonaSettings, ...], Field(max_length=100), AfterValidator(_distinct)]


def check_scripts(personas: PersonaList, launch: LaunchSettings) -> None:
    """Refuse scripts of personas with other fields than those of the launch's, and the hook."""
    scripts = [(number, _wrong_field(each.script, {**launch.spoken, "hook": each.hook})) for number, each in enumerate(personas)]
    if wrong := [Message("settings.of_persona", "personas.{number}.{rule}", number=number, rule=rule) for number, rule in scripts if rule]:
        raise ValueError(Message("settings.of_personas", "{problems}", problems=tuple(wrong)))


class SegmentsSettings(Settings):
    """Segments of the eligible, however they are made."""

    model_config = ConfigDict(serialize_by_alias=True)
    from_: Annotated[str, Field(alias="from", min_length=1)]  # new, last, or results of a launch


class KmeansSegments(SegmentsSettings):
    """Clusters of the eligible."""

    kind: Literal["kmeans"]
    k: Annotated[int | str, count_or("auto", most=100)]
    k_min: Annotated[int, Field(ge=2, le=50)]
    k_max: Annotated[int, Field(ge=2, le=50)]
    min_share: Annotated[float, Field(ge=0, le=0.5)]
    sample: Annotated[int, Field(ge=100, le=MOST)]
    bootstraps: Annotated[int, Field(ge=2, le=100)]

    @model_validator(mode="after")
    def _ordered(self) -> "KmeansSegments":
        if self.k_min > self.k_max:
            raise ValueError(Message("settings.k_range", "k_min should be ≤ k_max (got {min} > {max})", min=self.k_min, max=self.k_max))
        return self


class RfmSegments(SegmentsSettings):
    """Named cells of a grid of recency against frequency and monetary value."""

    kind: Literal["rfm"]


def _with_kind(segments: object) -> object:
    return {"kind": "kmeans", **segments} if isinstance(segments, dict) else segments  # configs of before there were others have none


AnySegments = Annotated[KmeansSegments | RfmSegments, Field(discriminator="kind"), BeforeValidator(_with_kind)]


class TopicsSettings(Settings):
    """What customers buy and do, as a few topics."""

    use: bool
    k: Annotated[int | str, count_or("auto", most=50)]
    k_max: Annotated[int, Field(ge=2, le=50)]
    min_share: Annotated[float, Field(ge=0, le=0.5)]
    categories: Annotated[int, Field(ge=2, le=1_000)]
    events: tuple[Annotated[str, Field(min_length=1), AfterValidator(str.lower)], ...]
    sample: Annotated[int, Field(ge=100, le=1_000_000)]


class NoSpread(Settings):
    """Key users are the best advocates."""

    kind: Literal["off"]


class ReferralSpread(Settings):
    """Key users are those from whom most is reached: by past referrals, and by who knows whom."""

    kind: Literal["referrals"]
    same: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(max_length=10)]
    both_ways: bool
    friends: Annotated[float, Field(gt=0, le=10_000)]
    evidence: Annotated[float, Field(gt=0, le=1e6)]
    value: Literal["spend", "people"]
    weight: Annotated[float, Field(ge=0, le=1e9)]


SpreadSettings = Annotated[NoSpread | ReferralSpread, Field(discriminator="kind")]


def _is_master(text: str) -> str:
    if not re.fullmatch(r"local(\[.+\])?|yarn|(spark|k8s)://.+", text):
        raise ValueError(Message("settings.spark_master", "should be spark://host:7077, yarn, k8s://… or local[*]"))
    return text


class LocalEngine(Settings):
    """In this process."""

    kind: Literal["local"]


def _flat(conf: object) -> object:
    """Write nested keys, as YAML and the command line have them, with dots, as Spark does."""
    if not isinstance(conf, dict):
        return is_mapping(conf)
    flat: dict[str, object] = {}
    for key, value in conf.items():
        inner = _flat(value) if isinstance(value, dict) and value else {"": value}
        for rest, end in inner.items() if isinstance(inner, dict) else ():
            if (name := f"{key}.{rest}".removesuffix(".")) in flat:
                raise ValueError(Message("settings.twice", "should have each key once (got {name} twice)", name=name))
            flat[name] = end
    return flat


class SparkEngine(Settings):
    """A Spark cluster."""

    kind: Literal["spark"]
    master: Annotated[str, AfterValidator(_is_master)]
    conf: Annotated[dict[str, str | int | float | bool], BeforeValidator(_flat)]


EngineSettings = Annotated[LocalEngine | SparkEngine, Field(discriminator="kind")]


class HistorySettings(Settings):
    """What is kept of the orders."""

    store: Annotated[str | None, BeforeValidator(off)]


class LedgerSettings(Settings):
    """Where invitations and answers are kept."""

    use: bool
    url: str | None
    contacts: str | None


class ExportsDatabase(Settings):
    """Where `exports=[database]` writes."""

    url: str | None
    table: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]


class MlflowSettings(Settings):
    """MLflow."""

    kind: Literal["mlflow"]
    uri: str | None
    experiment: Name


class NoTracking(Settings):
    """No tracking."""

    kind: Literal["none"]
