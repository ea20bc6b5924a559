"""How every job writes its tables, and says what made them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError
from polars.io.plugins import register_io_source

from segmenter.contacts import shown_sql
from segmenter.evaluation.launch_changes import setting_differences
from segmenter.findings import as_json
from segmenter.report.publication import MANIFEST, sha256
from segmenter.report.safe_text import safe_cells
from segmenter.settings import AnyJob, shareable
from segmenter.sources.inputs import Inputs
from segmenter.version import __version__

_ROW_GROUP = 100_000


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as people open it: in a spreadsheet."""
    # With a byte order mark, or Excel takes Chinese for something else.
    safe_cells(frame).write_csv(path, include_bom=True, datetime_format="%Y-%m-%d %H:%M:%S")


def write_parquet(frame: pl.DataFrame, path: Path, change: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows) -> None:
    """Write a table as programs read it, changed part by part; its bytes do not differ with the number of threads."""

    def parts(columns: list[str] | None, _where: object, _most: object, _size: object) -> Iterator[pl.DataFrame]:
        for rows in frame.iter_slices(_ROW_GROUP):
            yield change(rows) if columns is None else change(rows).select(columns)

    try:
        # Of other compressions some are smaller, and slower; statistics would take a tenth of the time.
        source = register_io_source(parts, schema=change(frame.clear()).schema, is_pure=True)
        source.sink_parquet(path, row_group_size=_ROW_GROUP, compression="snappy", statistics=False, sync_on_close="data")
    except PolarsError as error:  # as Polars calls a full disk
        raise OSError(str(error)) from error


def write_manifest(said: Mapping[str, object], read: Inputs | None, settings: AnyJob, folder: Path, known: Mapping[Path, str]) -> None:
    """Write what made the files of a folder, what the job came to, and what each file is, `known` of some; after all the others.

    No password is in it.
    """
    config = shareable(settings)
    files = {path: known.get(path) or sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    manifest = {
        "segmenter": __version__,
        "job": settings.job,
        "launch": settings.launch.name,
        "as_of": str(settings.launch.as_of),
        **said,
        **({} if read is None else {name: value for name, value in inputs_of(read).items() if name not in said}),
        "config": config,
        "masked": [key for key, _, _ in setting_differences(settings.model_dump(mode="json"), config, aside=())],
        "files": {path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": mark} for path, mark in files.items()},
    }
    written = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (folder / MANIFEST).write_text(written, encoding="utf-8", newline="\n")


def inputs_of(read: Inputs) -> dict[str, object]:
    """Say what was read, and what was found in it."""
    return {
        "inputs": {
            name: {**counts, "sources": [asdict(source) | {"name": shown_sql(source.name)} for source in read.fingerprints.get(name, ())]}
            for name, counts in read.tables.reads.items()
        },
        "rejects": read.rejected,
        "checks": as_json(read.tables.findings),
    }
