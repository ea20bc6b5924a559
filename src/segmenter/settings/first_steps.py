"""The config of `segmenter init` and `segmenter demo`."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, create_model

from segmenter.messages import Message
from segmenter.settings.rewards import Rewards
from segmenter.settings.sources import CustomersFile, DemoSettings, EventsFile, OrdersFile, ReferralsFile
from segmenter.settings.stages import LaunchBasics
from segmenter.settings.types import MOST, AsOf, Folder, RunSettings, Seed, Settings, is_file_name
from segmenter.words import Lang

Said = str | float | bool | tuple[str, ...] | None


def _answers(model: type[Settings], *more: str) -> type[Settings]:
    """Make the answers about a table: a key for each of its settings and columns."""
    columns = model.model_fields["columns"].annotation
    assert isinstance(columns, type)
    assert issubclass(columns, Settings)
    names = [*more, *columns.model_fields, *(name for name in model.model_fields if name not in ("columns", "path"))]
    fields: dict[str, Any] = dict.fromkeys(names, (Said, ...))
    return create_model(f"{model.__name__}Answers", __base__=Settings, **fields)


def _never(overwrite: bool) -> bool:
    if overwrite:
        raise ValueError(Message("settings.never_overwrites", "should be false: init never overwrites; choose another name"))
    return overwrite


class InitAnswers(Settings):
    """What a person says beforehand."""

    currency: str | None
    timezone: str | None
    decimal: Literal["auto", ".", ","] | None
    ids: Literal["exact", "mended"] | None
    max_reject_share: float | None
    orders: _answers(OrdersFile, "file", "left_out", "refunded")  # type: ignore[valid-type]
    customers: _answers(CustomersFile, "file")  # type: ignore[valid-type]
    events: _answers(EventsFile, "file")  # type: ignore[valid-type]
    referrals: _answers(ReferralsFile, "file")  # type: ignore[valid-type]

    def given(self) -> Iterator[tuple[str, Any]]:
        """Give the keys that are answered."""
        for name, value in self.model_dump().items():
            if isinstance(value, dict):
                yield from ((f"{name}.{key}", said) for key, said in value.items() if said is not None)
            elif value is not None:
                yield name, value


class InitJob(RunSettings):
    """The whole config of `segmenter init`."""

    job: ClassVar[str] = "init"
    paths: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    name: Annotated[str, AfterValidator(is_file_name)] | None
    to: Folder
    answers: InitAnswers
    seed: Seed
    lang: Lang
    overwrite: Annotated[bool, AfterValidator(_never)]


class DemoJob(RunSettings):
    """The whole config of `segmenter demo`."""

    job: ClassVar[str] = "demo"
    launch: LaunchBasics
    data: DemoSettings
    customers: Annotated[int, Field(ge=100, le=5_000_000)]
    results: Annotated[str, Field(min_length=1)] | None
    effect: Annotated[float, Field(ge=0, le=10)]
    attempts: Annotated[int, Field(ge=1, le=10)]
    brings: Annotated[float, Field(ge=0, le=10)]
    rewards: Rewards | None
    event_effect: Annotated[float, Field(ge=0, le=1_000)]
    half_life: Annotated[float, Field(gt=0, le=10_000)]
    silent_groups: Annotated[int, Field(ge=0, le=MOST)]
    untidy: bool
    day: AsOf | None
    sheets: Annotated[str, Field(min_length=1)] | None
    out: Folder
    overwrite: bool
    seed: Seed
    lang: Lang
