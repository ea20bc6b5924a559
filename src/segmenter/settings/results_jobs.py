"""The config of the jobs that read the results of launches: `segmenter explain` and `segmenter compare`."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from segmenter.settings.first_steps import DemoJob
from segmenter.settings.jobs import LaunchJob
from segmenter.settings.types import AsOf, Folder, Seed, Settings, as_list, as_text, as_texts, is_file_name
from segmenter.words import Lang


class ExplainJob(Settings):
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


class CompareJob(Settings):
    """The whole config of `segmenter compare`."""

    job: ClassVar[str] = "compare"
    a: Folder
    b: Folder
    launch: ComparisonName
    out: Folder
    overwrite: bool
    seed: Seed
    lang: Lang


AnyJob = LaunchJob | DemoJob | CompareJob  # whoever leaves a results folder
