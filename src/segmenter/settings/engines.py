"""Where orders are read and added up."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from segmenter.settings.types import Settings, is_mapping


def _is_size(text: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)? ?([KMGT]i?B|%)", text):
        raise ValueError("should be a size such as 4GB, or a share of the memory such as 50%")
    return text


def _is_master(text: str) -> str:
    if not re.fullmatch(r"local(\[.+\])?|yarn|(spark|k8s)://.+", text):
        raise ValueError("should be spark://host:7077, yarn, k8s://… or local[*]")
    return text


class LocalEngine(Settings):
    """In this process."""

    kind: Literal["local"]


class DuckdbEngine(Settings):
    """DuckDB in this process, which writes to disk what is larger than memory."""

    kind: Literal["duckdb"]
    memory: Annotated[str, AfterValidator(_is_size)] | None
    spill: str | None


class SparkEngine(Settings):
    """A Spark cluster."""

    kind: Literal["spark"]
    master: Annotated[str, AfterValidator(_is_master)]
    conf: Annotated[dict[str, str | int | float | bool], BeforeValidator(is_mapping)]


EngineSettings = Annotated[LocalEngine | DuckdbEngine | SparkEngine, Field(discriminator="kind")]
