"""What is said of answers that were read: what was not taken, and what was taken other than it stands there."""

from datetime import date, timedelta

import polars as pl

from segmenter import tables
from segmenter.contacts import hide
from segmenter.messages import Message
from segmenter.sources.reject_reasons import BRINGERS, EARLY, LATE

_FILES = 5  # shown


def warn_of_answers(
    rows: pl.DataFrame, good: pl.DataFrame, rejects: pl.DataFrame, *, undated: int, planned: bool, before: date
) -> tuple[Message, ...]:
    """Say what was not taken, and what was taken other than it stands there.

    `rows` is all that was read: ``said`` (null: no answer) and ``noted`` (the answer's column is empty, the note is not); `good` the
    answers among them; `undated` of these had a date supposed, by the plan where there is one.
    """
    return (*_warn_of_undated(undated, before, planned=planned), *_warn_of_rejects(rejects, before), *_warn_of_understood(rows, good))


def warn_of_people(
    good: pl.DataFrame, colleagues: int, members: list[str], copies: list[str], outdone: list[str], no_phones: int
) -> list[Message]:
    """Say who was recognised without an id, and which lists mean more than answers."""
    warnings = []
    by_phone, by_name = good.filter(how="phone").height, good.filter(how="name").height
    if by_phone or by_name:
        rule = "answers without a customer id: {phone:,} recognised by phone, {name:,} by name"
        warnings.append(Message("answers.recognised_people", rule, phone=by_phone, name=by_name))
    if colleagues:
        rule = "agents and starters in lists of members: {count:,}, who do not count"
        warnings.append(Message("answers.own_people", rule, count=colleagues))
    if members:
        rule = "lists of a group's members: {files}; whoever is recognised in them counts as joined"
        warnings.append(Message("answers.members", rule, files=_some(members)))
    if copies:
        rule = "copies of other files, which are not read again: {files}"
        warnings.append(Message("answers.copies", rule, files=_some(list(map(hide, copies)))))
    if outdone:
        rule = "files of which there is a changed copy: {files}; of the same customer's day, the copy with the later or more answers counts"
        warnings.append(Message("answers.outdone", rule, files=_some(outdone)))
    if no_phones:
        rule = "new phones that nobody can call: {count:,}, which the next sheets do not show"
        warnings.append(Message("answers.no_phones", rule, count=no_phones))
    return warnings


def _some(files: list[str]) -> tuple[str, ...]:
    return (*files[:_FILES], *(["…"] if len(files) > _FILES else []))


def _warn_of_undated(count: int, before: date, *, planned: bool) -> list[Message]:
    if not count:
        return []
    day = before - timedelta(days=1)
    if planned:
        rule = "answers without a date: {count:,}, which count as of the planned day of the call, or {day}"
        return [Message("answers.undated_planned", rule, count=count, day=day)]
    return [Message("answers.undated", "answers without a date: {count:,}, which count as of {day}", count=count, day=day)]


def _warn_of_rejects(rejects: pl.DataFrame, before: date) -> list[Message]:
    warnings = []
    if whole := rejects.filter(pl.col("row").is_null())["file"].to_list():
        warnings.append(Message("answers.unusable_files", "files that could not be used: {files}; the rejects say why", files=_some(whole)))
    reasons = rejects.drop_nulls("row")["reason"]
    if late := int((reasons == str(LATE)).sum()):
        rule = "answers of {before} or later: {count:,}, which a later review counts"
        warnings.append(Message("answers.late", rule, before=before, count=late))
    if early := int((reasons == str(EARLY)).sum()):
        rule = "answers of before the launch: {count:,}, which do not count: are they of another launch?"
        warnings.append(Message("answers.early", rule, count=early))
    if left := len(reasons) - late - early - int(reasons.is_in(BRINGERS).sum()):
        rule = "rows of answers that could not be understood: {count:,}, see the rejects"
        warnings.append(Message("answers.not_understood", rule, count=left))
    return warnings


def warn_of_bringers(left: pl.DataFrame, newcomers: pl.DataFrame | None) -> list[Message]:
    """Say of how many it cannot be told who brought them, and how many were brought whom nobody knows."""
    warnings, open_ = [], left.filter(pl.col("reason").is_in(BRINGERS)).sort("file", "row")
    if not open_.is_empty():
        file, row = open_.select("file", "row").row(0)
        rule = "answers of which it cannot be told who brought them: {count:,}, such as row {row} of {file}; they count without"
        warnings.append(Message("answers.bringers", rule, count=open_.height, row=row, file=file))
    if newcomers is not None and (count := newcomers["customer_id"].n_unique()):
        rule = "people whom a member brought and the shop does not know: {count:,}; they count in who came through whom, and in no sales"
        warnings.append(Message("answers.newcomers", rule, count=count))
    return warnings


def _warn_of_understood(rows: pl.DataFrame, good: pl.DataFrame) -> list[Message]:
    warnings = []
    slips = good.filter(pl.col("written") != pl.col("customer_id")).sort("source", "row")
    if slips.height:
        written, meant = map(hide, slips.select("written", "customer_id").row(0))
        rule = 'customer ids not written as in the plan, but recognised: {count:,}, such as "{written}" for {meant}'
        warnings.append(Message("answers.recognised_ids", rule, count=slips.height, written=written, meant=meant))
    noted = rows.filter("noted")["said"]
    if taken := noted.count():
        rule = "answers that stood in the notes or in a column beside, with the answer left empty: {count:,}, which count"
        warnings.append(Message("answers.in_notes", rule, count=taken))
    if silent := noted.null_count():
        rule = "rows with a note but no answer: {count:,}, which count as not called yet"
        warnings.append(Message("answers.only_notes", rule, count=silent))
    if strange := good.filter(channel="").height:
        rule = "answers whose channel is none of {channels}: {count:,}, which count as by that of the plan"
        warnings.append(Message("answers.channels", rule, channels=tables.CHANNELS, count=strange))
    by_day = good.group_by("customer_id", "answered_on").agg(pl.col("answer").n_unique()).filter(pl.col("answer") > 1)
    if different := by_day["customer_id"].n_unique():
        rule = "customers with different answers on one day: {count:,}; what says most counts: joined, refused, agreed, and so on"
        warnings.append(Message("answers.different", rule, count=different))
    # Such as in the workbook of the region and in that of the agent.
    decided = good.filter(pl.col("answer").is_in(tables.REACHED), ~pl.col("customer_id").is_in(by_day["customer_id"].implode()))
    several = (
        decided.group_by("customer_id").agg(pl.col("answer", "source").n_unique()).filter(pl.all_horizontal(pl.col("answer", "source") > 1))
    )
    if several.height:
        rule = "customers with different answers in different files or sheets: {count:,}; the latest counts"
        warnings.append(Message("answers.different_files", rule, count=several.height))
    return warnings
