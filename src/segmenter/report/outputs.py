"""What a job leaves: the files of its results folder, its report, and its record in MLflow."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from segmenter.measures.spec import MONEY
from segmenter.money import to_units
from segmenter.report.earlier_run import check_same
from segmenter.report.output_folder import check_owner
from segmenter.report.page import render_page
from segmenter.report.publication import MANIFEST, publish, sha256
from segmenter.report.sections import Report
from segmenter.report.table_files import write_csv, write_manifest, write_parquet
from segmenter.run_log import note
from segmenter.settings import AnyJob
from segmenter.words import Lang

if TYPE_CHECKING:
    from segmenter.launch_model import LaunchModel
    from segmenter.sources.inputs import Inputs


@dataclass(frozen=True)
class Output:
    """A file, or a folder with an unknown number of them."""

    name: str  # within the results folder
    write: Callable[[Path], object]
    public: bool = False  # holds no customer's id or contact, so that it may go to MLflow
    beside: bool = False  # is written while others are made


def csv(name: str, frame: pl.DataFrame, *, public: bool = False) -> Output:
    """Make a table a file for people."""
    return Output(f"{name}.csv", lambda path: write_csv(frame, path), public)


def json_file(name: str, facts: Mapping[str, object]) -> Output:
    """Make facts a file for programs; it holds no customer."""
    written = json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    return Output(name, lambda path: path.write_text(written, encoding="utf-8", newline="\n"), public=True)


def rounded(table: pl.DataFrame) -> pl.DataFrame:
    """Round what is no whole number to six decimals."""
    return table.with_columns(cs.float().round(6) + 0.0)  # no -0.0


def parquet(name: str, make: Callable[[], pl.DataFrame], currency: str | None = None) -> Output:
    """Make a table a file for programs, measures in units of a currency; it may hold customers, so it is never public."""

    def in_units(rows: pl.DataFrame) -> pl.DataFrame:
        return rows if currency is None else to_units(rows, list(MONEY), currency)

    return Output(f"{name}.parquet", lambda path: write_parquet(make(), path, in_units), beside=True)


def page(name: str, report: Report, lang: Lang) -> Output:
    """Make a report a page; it holds no customer."""
    return Output(
        f"{name}.html", lambda path: path.write_text(render_page(report, lang), encoding="utf-8", newline="\n"), True, beside=True
    )


@dataclass(frozen=True)
class Record:
    """A job's run in MLflow, besides its config and its public files."""

    name: str
    metrics: Mapping[str, Any] = field(default_factory=dict)  # what is no finite number is left out
    series: Mapping[str, list[tuple[int, float]]] = field(default_factory=dict)  # steps of a metric
    params: Mapping[str, Any] = field(default_factory=dict)  # besides those of the config
    tags: Mapping[str, str] = field(default_factory=dict)
    children: tuple["Record", ...] = ()
    below_launch: bool = False  # the run becomes a child of its launch's latest run
    model: "LaunchModel | None" = None


@dataclass(frozen=True)
class Outputs:
    """All that a job leaves."""

    files: tuple[Output, ...]
    manifest: Mapping[str, object]  # what the job came to, as JSON takes it
    report: Report
    record: Record | None = None  # None: not tracked

    @property
    def public(self) -> tuple[str, ...]:
        """The files that may go to MLflow."""
        return (*(output.name for output in self.files if output.public), MANIFEST)


def write_outputs(
    outputs: Outputs, read: "Inputs | None", settings: AnyJob, publishing: AbstractContextManager[Path] | None = None
) -> None:
    """Write the files into the results folder, whole or not at all; `publishing` is `publish` or more around it."""
    check_same(settings, read, outputs.manifest)
    with publishing or publish(settings.out, lambda: check_owner(settings)) as folder, ThreadPoolExecutor(2) as threads:
        paths = [(output, folder / output.name) for output in outputs.files]
        for _, path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        running = {path: threads.submit(_write, output, path) for output, path in paths if output.beside}
        for output, path in paths:
            if not output.beside:
                output.write(path)
        known = {path: future.result() for path, future in running.items()}
        write_manifest(outputs.manifest, read, settings, folder, known)
    counts = outputs.manifest.get("counts")
    launch = {"launch": settings.launch.name, "as_of": settings.launch.as_of, "out": settings.out}
    note(**{**(counts if isinstance(counts, Mapping) else {}), **launch})


def _write(output: Output, path: Path) -> str:
    """Write a file, and give its fingerprint."""
    output.write(path)
    return sha256(path)
