"""All that a check leaves."""

from segmenter.evaluation.input_check import InputCheck
from segmenter.findings import as_json
from segmenter.money import to_units
from segmenter.report.check_report import check_report
from segmenter.report.outputs import Outputs, csv, page, parquet
from segmenter.settings import LaunchJob
from segmenter.tables import REJECTS


def check_outputs(found: InputCheck, settings: LaunchJob) -> Outputs:
    """List what a check leaves, in the launch's language."""
    report, tables = check_report(found, settings), found.tables
    rejects = REJECTS.to_frame() if tables is None else tables.rejects
    files = [
        page("check", report, settings.lang),
        parquet("rejects", lambda: rejects.sort("table", "file", "row", "column", nulls_last=True)),
    ]
    if tables is not None:
        files.append(csv("orders_by_day", to_units(tables.profile.by_day, ["amount"], settings.launch.currency), public=True))
    return Outputs(tuple(files), {"verdict": found.level, "checks": as_json(found.findings)}, report)
