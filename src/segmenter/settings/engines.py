"""Where orders are read and added up."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from segmenter.settings.types import Settings, is_mapping


class LocalEngine(Settings):
    """In this process."""

    kind: Literal["local"]


class DuckdbEngine(Settings):
    """DuckDB in this process, which writes to disk what is larger than memory."""

    kind: Literal["duckdb"]
    memory: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?([KMGT]i?B|%)$")] | None
    spill: str | None


class SparkEngine(Settings):
    """A Spark cluster."""

    kind: Literal["spark"]
    master: Annotated[str, Field(pattern=r"^(local(\[.+\])?|yarn|(spark|k8s)://.+)$")]
    conf: Annotated[dict[str, str | int | float | bool], BeforeValidator(is_mapping)]


EngineSettings = Annotated[LocalEngine | DuckdbEngine | SparkEngine, Field(discriminator="kind")]
