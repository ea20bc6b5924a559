"""All files of a launch."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import polars as pl

from segmenter.launch import LaunchPlan
from segmenter.ledger import Basis, Launch, Ledger, recorded
from segmenter.loader import Inputs
from segmenter.measures.spec import MONEY
from segmenter.money import to_minor, to_units
from segmenter.report.call_sheets import call_sheets
from segmenter.report.launch_page import report
from segmenter.report.output_folder import check_owner
from segmenter.report.publication import publish
from segmenter.report.table_files import write_csv, write_manifest, write_parquet
from segmenter.settings import LaunchJob, shareable


def write_results(plan: LaunchPlan, read: Inputs, settings: LaunchJob, ledger: Ledger | None = None, basis: Basis | None = None) -> None:
    """Write the results of a launch into its folder and its invitations into the ledger, whole or not at all.

    Parameters
    ----------
    plan : LaunchPlan
        What was decided.
    read : Inputs
        The tables: their contacts for the call sheets, their rejects, their fingerprints.
    settings : LaunchJob
        The config; `out` is the folder.
    ledger : Ledger or None
        Where the invitations are recorded; None records none.
    basis : Basis or None
        What the ledger said when the launch was planned.

    Raises
    ------
    OutputError
        The folder cannot be written.
    LedgerError
        The ledger cannot be written, or no longer says what the plan was made on; then no results appear.

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
    ...     write_results(segmenter.plan_launch(tables, settings), Inputs(tables, {}), job)
    ...     len((job.out / "invite_list.csv").read_text(encoding="utf-8").splitlines())
    3
    """
    currency, rejects = settings.launch.currency, read.tables.rejects
    publishing: AbstractContextManager[Path] = publish(settings.out, lambda: check_owner(settings))
    if ledger is not None:
        publishing = recorded(ledger, _launch(settings), plan.invitations, settings.out, publishing, basis)
    with publishing as folder, ThreadPoolExecutor(1) as beside:
        # Much the largest file, which Polars writes while Python makes the others.
        customers = beside.submit(_customers, plan, currency, folder / "customers.parquet")
        invites = to_units(plan.invite_list, list(MONEY), currency)
        write_csv(invites.with_columns(pl.col("score").round(2), pl.col("join_chance").round(4)), folder / "invite_list.csv")
        write_parquet(invites, folder / "invite_list.parquet")
        write_parquet(rejects.sort("table", "file", "row", "column", nulls_last=True), folder / "rejects.parquet")
        write_csv(plan.funnel, folder / "funnel.csv")
        write_csv(plan.what_if, folder / "what_if.csv")
        write_csv(
            to_units(plan.segments, ["value", *(f"{of}_{name}" for of in ("median", "everyone") for name in MONEY)], currency),
            folder / "segments.csv",
        )
        write_csv(to_units(plan.groups, ["spend"], currency), folder / "groups.csv")
        if not plan.layers.is_empty():
            write_csv(plan.layers, folder / "layers.csv")
        if not plan.calls.is_empty():
            write_csv(plan.calls, folder / "calls.csv")
        if plan.outlook is not None:
            write_csv(to_units(plan.outlook.by_wave, ["sales", "sales_low", "sales_high"], currency), folder / "outlook.csv")
        (folder / "call_sheets").mkdir()
        call_sheets(plan, settings, read.tables.contacts, folder / "call_sheets")
        (folder / "report.html").write_text(report(plan, settings, rejects), encoding="utf-8", newline="\n")
        customers.result()
        decided = {
            "valid_until": str(plan.valid_until),
            "counts": plan.counts,
            "notes": list(plan.notes),
            "warnings": list(plan.warnings),
            "segments": plan.segmentation.why,
            "ranking": {
                "sentence": plan.ranking.sentence,
                "measures": dict(plan.ranking.measures.rows()),
                "trials": dict(plan.ranking.trials.rows()),
                "model": plan.ranking.model,
            },
        }
        write_manifest(decided, read, settings, folder)


def _launch(settings: LaunchJob) -> Launch:
    launch = settings.launch
    assert launch.as_of is not None
    config = json.dumps(shareable(settings), ensure_ascii=False, sort_keys=True)
    return Launch(
        name=launch.name,
        community=launch.community,
        as_of=launch.as_of,
        horizon_days=launch.horizon_days,
        target=None if launch.target is None else to_minor(launch.target, launch.currency),
        currency=launch.currency,
        settings=hashlib.sha256(config.encode()).hexdigest(),
        holdout=settings.plan.holdout,
    )


def _customers(plan: LaunchPlan, currency: str, path: Path) -> None:
    write_parquet(to_units(plan.customers, list(MONEY), currency), path)
