"""All files of a launch."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from segmenter import __version__
from segmenter.launch import LaunchPlan
from segmenter.money import to_units
from segmenter.outputs.call_sheets import call_sheets
from segmenter.outputs.cells import safe_cells
from segmenter.outputs.publish import MANIFEST, publish, sha256
from segmenter.outputs.report import report
from segmenter.settings import LaunchJob, shareable
from segmenter.sources.reading import Read
from segmenter.tables import MONEY

_ROW_GROUP = 100_000  # fixed, so that files do not differ with the number of threads


def write_results(plan: LaunchPlan, read: Read, settings: LaunchJob) -> None:
    """Write the results of a launch into its folder, whole or not at all.

    Parameters
    ----------
    plan : LaunchPlan
        What was decided.
    read : Read
        The tables: their contacts for the call sheets, their rejects, their fingerprints.
    settings : LaunchJob
        The config; `out` is the folder.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import segmenter, tempfile
    >>> from segmenter.settings import DemoSettings, NoTracking, ShopSettings
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> data = DemoSettings.model_construct(**dict(settings.data), kind="demo", shop=ShopSettings(customers=100, days=120))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     rest = {"data": data, "out": Path(place, "results"), "overwrite": False, "tracking": NoTracking(kind="none")}
    ...     job = LaunchJob.model_construct(**{**dict(settings), **rest})
    ...     write_results(segmenter.plan_launch(tables, settings), Read(tables, {}), job)
    ...     len((job.out / "invite_list.csv").read_text(encoding="utf-8").splitlines())
    3
    """
    currency, rejects = settings.launch.currency, read.tables.rejects
    with publish(settings.out) as folder, ThreadPoolExecutor(1) as beside:
        # Much the largest file, which Polars writes while Python makes the others.
        customers = beside.submit(_customers, plan, currency, folder / "customers.parquet")
        invites = to_units(plan.invite_list, list(MONEY), currency)
        _csv(invites.with_columns(pl.col("score").round(2)), folder / "invite_list.csv")
        _parquet(invites, folder / "invite_list.parquet")
        _parquet(rejects.sort("table", "file", "row", "column", nulls_last=True), folder / "rejects.parquet")
        _csv(plan.funnel, folder / "funnel.csv")
        _csv(plan.what_if, folder / "what_if.csv")
        _csv(
            to_units(plan.segments, ["value", *(f"{of}_{name}" for of in ("median", "everyone") for name in MONEY)], currency),
            folder / "segments.csv",
        )
        _csv(to_units(plan.groups, ["spend"], currency), folder / "groups.csv")
        (folder / "call_sheets").mkdir()
        call_sheets(plan, settings, read.tables.contacts, folder / "call_sheets")
        (folder / "report.html").write_text(report(plan, settings, rejects), encoding="utf-8", newline="\n")
        customers.result()
        manifest = json.dumps(_manifest(plan, read, settings, folder), ensure_ascii=False, indent=2)
        (folder / MANIFEST).write_text(manifest + "\n", encoding="utf-8", newline="\n")


def _customers(plan: LaunchPlan, currency: str, path: Path) -> None:
    _parquet(to_units(plan.customers, list(MONEY), currency), path)


def _csv(frame: pl.DataFrame, path: Path) -> None:
    # With a byte order mark, or Excel takes Chinese for something else.
    safe_cells(frame).write_csv(path, include_bom=True, datetime_format="%Y-%m-%d %H:%M:%S")


def _parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, row_group_size=_ROW_GROUP, compression="snappy")  # others are smaller, and slower


def _manifest(plan: LaunchPlan, read: Read, settings: LaunchJob, folder: Path) -> dict[str, Any]:
    rejects = read.tables.rejects
    reasons = rejects.group_by("table", "column", "reason").len("rows").sort("table", "column", "reason", nulls_last=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "segmenter": __version__,
        "launch": settings.launch.name,
        "as_of": str(settings.launch.as_of),
        "valid_until": str(plan.valid_until),
        "counts": plan.counts,
        "warnings": list(plan.warnings),
        "segments": plan.segmentation.why,
        "inputs": {
            name: {**counts, "sources": [asdict(source) for source in read.fingerprints.get(name, ())]}
            for name, counts in read.tables.reads.items()
        },
        "rejects": reasons.to_dicts(),
        "config": shareable(settings),
        "files": {path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in files},
    }
