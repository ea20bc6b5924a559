"""The config of the jobs that read the results of launches: `segmenter explain` and `segmenter compare`."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from segmenter.settings.types import Folder, Seed, Settings, as_list, as_text, as_texts
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
