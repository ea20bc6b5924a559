"""The whole config of each job."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from segmenter.settings.engines import EngineSettings
from segmenter.settings.sources import DataSettings, DemoSettings, MappingSettings
from segmenter.settings.stages import (
    LaunchSettings,
    MlflowSettings,
    NoTracking,
    PlanSettings,
    RulesSettings,
    SegmentsSettings,
    WeightedSettings,
)
from segmenter.settings.types import AsOf, Settings, is_currency_code, is_file_name, is_timezone, off
from segmenter.words import Lang


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


class HistorySettings(Settings):
    """What is kept of the orders."""

    store: Annotated[str | None, BeforeValidator(off)]


class LaunchJob(CoreSettings):
    """The whole config of `segmenter launch`."""

    data: DataSettings
    engine: EngineSettings
    history: HistorySettings
    tracking: Annotated[MlflowSettings | NoTracking, Field(discriminator="kind")]
    out: Annotated[Path, Field(strict=False)]
    overwrite: bool


class DemoLaunch(Settings):
    """What `segmenter demo` needs of a launch: the one that its files are for."""

    name: Annotated[str, AfterValidator(is_file_name)]
    as_of: AsOf | None
    timezone: Annotated[str, AfterValidator(is_timezone)]
    currency: Annotated[str, AfterValidator(is_currency_code)]


class DemoJob(Settings):
    """The whole config of `segmenter demo`."""

    launch: DemoLaunch
    data: DemoSettings
    customers: int
    out: Annotated[Path, Field(strict=False)]
    overwrite: bool
    seed: int
    lang: Lang
