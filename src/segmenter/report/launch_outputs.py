"""All that a launch leaves."""

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from segmenter.launch_plan import LaunchPlan
from segmenter.ledger import Basis, LaunchRecord, Ledger, beside, describe_draft, is_committed, place_for, record_with_results
from segmenter.measures.spec import MONEY
from segmenter.money import digits, to_minor, to_units
from segmenter.planning import KeyUserChoice
from segmenter.report.call_sheet_book import BookMaker
from segmenter.report.call_sheets import call_sheets
from segmenter.report.changes_since import since_last
from segmenter.report.event_calendar import write_calendar
from segmenter.report.exports import list_exports
from segmenter.report.follow_ups import list_follow_ups
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.launch_report import launch_report
from segmenter.report.list_database import ListTable, with_list
from segmenter.report.output_folder import check_owner
from segmenter.report.outputs import Output, Outputs, Record, csv, json_file, page, parquet, rounded
from segmenter.report.publication import publish
from segmenter.report.ranking_words import ranking_sentence
from segmenter.report.segment_moves import moves_csv
from segmenter.report.shell_commands import own_words
from segmenter.segments import fitted
from segmenter.segments.profiles import MONEY_OF_PROFILES
from segmenter.settings import LaunchJob, shareable
from segmenter.sources.contacts_file import contacts_path, list_new_phones, newest_contacts
from segmenter.sources.inputs import Inputs


def beside_launch(settings: LaunchJob, ledger: Ledger | None) -> LaunchJob:
    """Give a draft a folder of its own where its place holds the launch that was committed."""
    if ledger is None or settings.launch.commit or not is_committed(ledger, settings.out):
        return settings
    return settings.model_copy(update={"out": beside(settings.out)})


def with_newest_contacts(read: Inputs, settings: LaunchJob, ledger: Ledger, day: date) -> Inputs:
    """Put the phones that agents noted before a day in the place of the shop's, for the call sheets."""
    private = contacts_path(settings.ledger.contacts, ledger.file, settings.out)
    contacts = newest_contacts(read.tables.contacts, private, day)
    return replace(read, tables=replace(read.tables, contacts=contacts, new_phones=list_new_phones(private, day)))


def launch_outputs(plan: LaunchPlan, read: Inputs, settings: LaunchJob, basis: Basis | None = None, last: Path | None = None) -> Outputs:
    """List what a launch leaves, in its language; `last` has the results of the launch before it."""
    answered = None if read.tables.launches is None else read.tables.launches.invited
    follow_ups = list_follow_ups(plan.customers, read.tables.launches)
    sheets = BookMaker(call_sheets(plan, settings, read.tables.contacts, answered, follow_ups))  # it begins at once
    exports, notes = list_exports(plan, settings, read.tables.contacts)
    plan = replace(plan, notes=(*plan.notes, *notes))
    currency, rejects, typed = settings.launch.currency, read.tables.rejects, own_words()
    report = launch_report(
        plan, settings, rejects, read.tables.findings, typed, place_for(settings.out), read, since_last(last, plan, settings)
    )
    invites = to_units(plan.invite_list, list(MONEY), currency)
    files = [
        parquet("customers", lambda: plan.customers, currency),
        csv("invite_list", invites.with_columns(pl.col("score").round(2), pl.col("join_chance").round(4))),
        parquet("invite_list", lambda: invites),
        parquet("invitations", lambda: plan.invitations),
        parquet("rejects", lambda: rejects.sort("table", "file", "row", "column", nulls_last=True)),
        csv("funnel", plan.funnel, public=True),
        csv("what_if", plan.what_if, public=True),
        csv("segments", to_units(plan.segments, list(MONEY_OF_PROFILES), currency), public=True),
        *([] if plan.personas.is_empty() else [csv("personas", plan.personas, public=True)]),
        json_file(fitted.FILE, plan.fitted.to_dict()),
        *([] if plan.topics is None else [csv("topics", plan.topics.profiles, public=True)]),
        csv("groups", to_units(plan.groups, ["spend"], currency)),
        *(
            csv(name, table)
            for name, table in (("layers", plan.layers), ("calls", plan.calls), ("starters", plan.starters), ("follow_up", follow_ups))
            if not table.is_empty()
        ),
        page("report", report, settings.lang),
        *exports,
    ]
    labels, kept = Labels(settings.lang, currency), plan.segmentation.kept
    if kept is not None and kept.moves is not None:
        files.append(csv("segment_moves", moves_csv(kept, kept.moves, labels), public=True))
    if plan.spread is not None:
        files.append(
            csv(
                "key_users",
                rounded(to_units(plan.spread.people, ["worth"], currency) if plan.spread.unit == "spend" else plan.spread.people),
            )
        )
    if plan.live_events:
        files.append(Output("calendar.ics", lambda path: write_calendar(plan, settings.launch, labels, path), public=True))
    if plan.forecast is not None:
        by_wave = to_units(plan.forecast.by_wave, ["sales", "sales_low", "sales_high"], currency)
        files.append(csv("outlook", by_wave, public=True))
    files.append(Output("call_sheets", sheets.write))  # at last: meanwhile others are made beside
    said = {
        "draft": describe_draft(_launch(plan, settings), None if settings.launch.commit else basis, settings.out),
        "ledger": None if basis is None else basis.as_facts()["digest"],
        "typed": list(typed),
        "valid_until": str(plan.valid_until),
        "live_events": [str(event.day) for event in plan.live_events],
        "counts": plan.counts,
        "rules": plan.funnel["rule"].to_list(),
        "obstacles": [translate(sentence, settings.lang) for sentence in plan.obstacles],
        "notes": [translate(sentence, settings.lang) for sentence in plan.notes],
        "warnings": [translate(sentence, settings.lang) for sentence in plan.warnings],
        "segments": translate(plan.segmentation.why, settings.lang),
        **({} if plan.spread is None else {"key_users": _of_key_users(plan.spread, currency)}),
        "ranking": {
            "sentence": ranking_sentence(plan.ranking, settings.lang),
            "measures": dict(plan.ranking.measures.rows()),
            "trials": dict(plan.ranking.trials.rows()),
            "expected_over_realised": [round(ratio, 3) for ratio in plan.ranking.expected_over_realised],
            "model": plan.ranking.model,
        },
    }
    record = Record(settings.launch.name, metrics=_metrics(plan), model=plan.model)
    return Outputs(tuple(files), said, report, record)


def publish_launch(
    plan: LaunchPlan, settings: LaunchJob, basis: Basis | None, ledger: Ledger | None, table: ListTable | None
) -> AbstractContextManager[Path]:
    """Publish the results together with the invitations in the ledger and the list in a table; without these they are recorded nowhere.

    Where the ledger cannot be written, or no longer says what the plan was made on (`basis`), no results appear.
    """
    publishing = publish(settings.out, lambda: check_owner(settings))
    if ledger is not None:
        publishing = record_with_results(ledger, _launch(plan, settings), plan.invitations, settings.out, publishing, basis)
    return with_list(publishing, table, plan.invite_list, ledger)


def _metrics(plan: LaunchPlan) -> dict[str, object]:
    chosen = plan.segmentation.trials.filter("chosen")["silhouette"]
    metrics: dict[str, object] = {
        **plan.counts,
        "share_invited": plan.counts["invited"] / max(plan.counts["customers"], 1),
        **{f"funnel.{rule}.left": left for rule, left in plan.funnel.select("rule", "left").rows()},
        "score_min": plan.invite_list["score"].min(),
        "score_median": plan.invite_list["score"].median(),
        "silhouette": chosen.max(),
    }
    if plan.spread is not None:
        metrics |= {f"key_users_{name}": value for name, value in _of_key_users(plan.spread, plan.model.currency).items() if name != "unit"}
    if plan.forecast is not None:
        sales = plan.forecast.sales[1] / 10 ** digits(plan.model.currency)
        metrics |= {"expected_joins": plan.forecast.joins[1], "expected_sales": sales, "chance_of_target": plan.forecast.chance}
    return metrics


def _of_key_users(choice: KeyUserChoice, currency: str) -> dict[str, object]:
    """Give the few numbers that say what the key users were chosen for."""
    scale = 10 ** digits(currency) if choice.unit == "spend" else 1
    others = {f"bring_by_{other.by}": round(other.brings, 1) for other in choice.others}
    return {
        "bring": round(choice.brings.mean, 1),
        "worth": round(choice.worth.mean / scale, 2),
        "unit": choice.unit,
        "guarantee": round(choice.guarantee, 3),
        "added": choice.added,
        **others,
    }


def _launch(plan: LaunchPlan, settings: LaunchJob) -> LaunchRecord:
    launch = settings.launch
    assert launch.as_of is not None
    began, ended = plan.runs or (launch.as_of, launch.as_of + timedelta(days=launch.horizon_days))
    config = json.dumps(shareable(settings), ensure_ascii=False, sort_keys=True)
    return LaunchRecord(
        name=launch.name,
        community=launch.community,
        as_of=began,
        horizon_days=(ended - began).days,
        target=None if launch.target is None else to_minor(launch.target, launch.currency),
        currency=launch.currency,
        settings=hashlib.sha256(config.encode()).hexdigest(),
        holdout=settings.plan.holdout,
    )
