"""The whole config of each job that reads results or the ledger, and no shop."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from segmenter.settings.eligibility import RulesSettings
from segmenter.settings.first_steps import DemoJob
from segmenter.settings.jobs import LaunchJob
from segmenter.settings.types import AsOf, Folder, RunSettings, Seed, Settings, as_list, as_text, as_texts, is_file_name
from segmenter.words import Lang


class ExplainJob(RunSettings):
    """The whole config of `segmenter explain`."""

    results: Folder
    customer: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(min_length=1),
        BeforeValidator(lambda given: as_texts(as_list(as_text(given)))),
    ]
    overwrite: bool
    seed: Seed
    lang: Lang


class ComparisonName(Settings):
    """What a comparison is called, and the date of the later launch."""

    name: Annotated[str, AfterValidator(is_file_name)]
    as_of: AsOf | None


class CompareJob(RunSettings):
    """The whole config of `segmenter compare`."""

    job: ClassVar[str] = "compare"
    a: Folder
    b: Folder
    launch: ComparisonName
    out: Folder
    overwrite: bool
    seed: Seed
    lang: Lang


class LedgerPlace(Settings):
    """Which ledger, or which database of a draft."""

    url: str | None


class LedgerBased(RunSettings):
    """What the jobs share that read no shop."""

    out: Folder
    ledger: LedgerPlace
    overwrite: bool
    seed: Seed
    lang: Lang


class CommitJob(LedgerBased):
    """The whole config of `segmenter commit` and `segmenter cancel`."""

    exports_database: LedgerPlace


class LedgerJob(LedgerBased):
    """The whole config of `segmenter ledger`."""

    rules: RulesSettings


AnyJob = LaunchJob | DemoJob | CompareJob  # whoever leaves a results folder
