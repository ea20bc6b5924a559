"""All that a day leaves."""

from pathlib import Path

import polars as pl

from segmenter.evaluation.day_progress import DayProgress
from segmenter.launch_record import LaunchRecord
from segmenter.planning import LiveEvent
from segmenter.planning.day_calls import STATES, DayCalls
from segmenter.report.day_report import day_report
from segmenter.report.day_sheets import day_sheets
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.mending_sheet import mending_output
from segmenter.report.outputs import Output, Outputs, csv, page, parquet
from segmenter.settings import TodayJob
from segmenter.sources.inputs import Inputs

_COLUMNS = ("customer_id", "group", "agent", "state", "kind", "why", "due_on", "turn")


def day_outputs(
    calls: DayCalls,
    stood: DayProgress,
    launch: LaunchRecord,
    events: tuple[LiveEvent, ...],
    read: Inputs,
    settings: TodayJob,
    results: Path | None,
) -> Outputs:
    """List what a day leaves, in the launch's language; `results` is the launch's folder, where it is there."""
    report, rejects, labels = day_report(calls, stood, launch, settings), read.tables.rejects, Labels(settings.lang, launch.currency)
    about, orders = (settings.launch, labels, events), read.tables.orders.single()
    files = (
        csv("day", calls.people.select(_COLUMNS)),
        csv("loads", calls.loads),
        csv("groups", stood.groups.with_columns(pl.col("expected").round(1))),
        Output("call_sheets", lambda folder: day_sheets(calls, orders, read.tables.contacts, results, folder, about, settings.personas)),
        parquet("rejects", lambda: rejects.sort("table", "file", "row", "column", "value", nulls_last=True)),
        page("today", report, settings.lang),
        *mending_output(read, settings, calls.day),
    )
    counts = {state: calls.people.filter(state=state).height for state in STATES}
    warnings = [translate(warning, settings.lang) for warning in (*calls.warnings, *read.warnings)]
    facts = {"day": str(calls.day), "as_of": str(launch.as_of), "counts": counts, "warnings": warnings}
    return Outputs(files, facts, report)
