"""How the times in Parquet files are written, before any of their rows is read."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter.checks.time_format import AUTO, NO_ORDER, TimeFormat, decide_format
from segmenter.findings import Finding
from segmenter.settings import FilesSettings, LaunchSettings
from segmenter.sources.fields import time_parts
from segmenter.sources.raw import known_types
from segmenter.sources.time_cells import add_evidence, evidence_of


def look_at_times(
    paths: Sequence[Path], value: pl.Expr, where: pl.Expr | None, settings: FilesSettings, launch: LaunchSettings
) -> tuple[TimeFormat, list[Finding]]:
    """Decide how times are written by those of all rows."""
    format_ = settings.orders.time_format
    assert launch.as_of is not None
    scan = pl.scan_parquet(list(paths), glob=False, hive_partitioning=False)
    rows = scan.with_columns(known_types(scan.collect_schema()))
    times = (rows if where is None else rows.filter(where)).select(time=value)
    try:
        parts = (time_parts(batch["time"], format_) for batch in times.collect_batches(maintain_order=False))
        evidence = add_evidence(evidence_of(part) for part in parts if part is not None)
    except (PolarsError, PanicException, OSError):
        return NO_ORDER, []  # the reading says what is wrong
    return decide_format(evidence, "data.orders.time_format", launch.as_of, launch.timezone, AUTO.get(format_))
