"""Where orders are read and aggregated."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from segmenter.messages import Message
from segmenter.settings.types import Settings, is_mapping


def _is_master(text: str) -> str:
    if not re.fullmatch(r"local(\[.+\])?|yarn|(spark|k8s)://.+", text):
        raise ValueError(Message("settings.spark_master", "should be spark://host:7077, yarn, k8s://… or local[*]"))
    return text


class LocalEngine(Settings):
    """In this process."""

    kind: Literal["local"]


class SparkEngine(Settings):
    """A Spark cluster."""

    kind: Literal["spark"]
    master: Annotated[str, AfterValidator(_is_master)]
    conf: Annotated[dict[str, str | int | float | bool], BeforeValidator(is_mapping)]


EngineSettings = Annotated[LocalEngine | SparkEngine, Field(discriminator="kind")]
