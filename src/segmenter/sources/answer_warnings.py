"""What a person should know of the answers that were read."""

from datetime import date, timedelta

import polars as pl

from segmenter.contacts import hide
from segmenter.messages import Message
from segmenter.sources.reject_reasons import EARLY, LATE

_FILES = 5  # shown


def answer_warnings(
    rows: pl.DataFrame, good: pl.DataFrame, rejects: pl.DataFrame, *, undated: int, planned: bool, before: date
) -> tuple[Message, ...]:
    """Say what was not taken, and what was taken other than it stands there.

    `rows` is all that was read: ``said`` (null: no answer) and ``noted`` (the answer's column is empty, the note is not); `good` the
    answers among them; `undated` of these had a date supposed, by the plan where there is one.
    """
    return (*_undated(undated, before, planned=planned), *_rejected(rejects, before), *_understood(rows, good))


def _undated(count: int, before: date, *, planned: bool) -> list[Message]:
    if not count:
        return []
    day = before - timedelta(days=1)
    if planned:
        rule = "answers without a date: {count:,}, which count as of the planned day of the call, or {day}"
        return [Message("answers.undated_planned", rule, count=count, day=day)]
    return [Message("answers.undated", "answers without a date: {count:,}, which count as of {day}", count=count, day=day)]


def _rejected(rejects: pl.DataFrame, before: date) -> list[Message]:
    warnings = []
    if whole := rejects.filter(pl.col("row").is_null())["file"].to_list():
        shown = (*whole[:_FILES], *(["…"] if len(whole) > _FILES else []))
        warnings.append(Message("answers.unusable_files", "files that could not be used: {files}; the rejects say why", files=shown))
    reasons = rejects.drop_nulls("row")["reason"]
    if late := int((reasons == str(LATE)).sum()):
        rule = "answers of {before} or later: {count:,}, which a later review counts"
        warnings.append(Message("answers.late", rule, before=before, count=late))
    if early := int((reasons == str(EARLY)).sum()):
        rule = "answers of before the launch: {count:,}, which do not count: are they of another launch?"
        warnings.append(Message("answers.early", rule, count=early))
    if left := len(reasons) - late - early:
        rule = "rows of answers that could not be understood: {count:,}, see the rejects"
        warnings.append(Message("answers.not_understood", rule, count=left))
    return warnings


def _understood(rows: pl.DataFrame, good: pl.DataFrame) -> list[Message]:
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
    by_day = good.group_by("customer_id", "answered_on").agg(pl.col("answer").n_unique()).filter(pl.col("answer") > 1)
    if different := by_day["customer_id"].n_unique():
        rule = "customers with different answers on one day: {count:,}; joined counts before refused, and that before no answer"
        warnings.append(Message("answers.different", rule, count=different))
    return warnings
