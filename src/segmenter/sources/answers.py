"""What came of the calls: call sheets that agents filled in, and lists of who joined."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from segmenter import tables
from segmenter.checks.id_forms import recognize_ids
from segmenter.contacts import Contacts, hide, is_contact_name, shown_columns
from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.answer_lists import WRITTEN, AnswerList, answer_lists
from segmenter.sources.answer_phrases import NOT_YET
from segmenter.sources.answer_rows import NEVER, SCHEMA, read_rows, split_rejects, suppose_dates, warn_of_call_days
from segmenter.sources.answer_words import aside_columns
from segmenter.sources.expressions import ROW
from segmenter.sources.files import DataFile, read_separately
from segmenter.sources.raw import Fingerprint
from segmenter.sources.reject_reasons import EARLY, LATE, NO_ANSWER_COLUMN, NO_ID_COLUMN, reason_of, with_facts
from segmenter.sources.spreadsheets import notes_of_cells
from segmenter.vocabulary import vocabulary

ANSWERS = pl.Schema(
    {
        "customer_id": pl.String(),
        "answer": pl.String(),  # one of `tables.ANSWERS`
        "answered_on": pl.Date(),
        "source": pl.String(),  # the file's name, with that of the sheet where it is not the first
        "reason": pl.String(),  # the theme of a refusal's
        "channel": pl.String(),  # `tables.CHANNELS`, where the list says it
        "call_on": pl.Date(),  # the day to call again, where the answer or a column of its own says it
        "hour": pl.Int64(),  # of the day, where the time of the call is told
        "attempts": pl.Int64(),  # calls that the answer tells of
        "row": pl.Int64(),
        "written": pl.String(),  # the id as it stands there
    }
)
_FILES = 5  # shown
_OURS = re.compile(r"; ?[^;]*\bdata\.[^;]*|\bdata\.sheet: ")  # ways out that only the shop's tables have


class NoAnswersError(InputError):
    """The files are there, and nobody has written an answer into them yet."""


@dataclass(frozen=True)
class Answers:
    """Answers as they were read."""

    # By customer and date, see `ANSWERS`; who stands in several lists has several: the ledger takes what is the same once.
    answers: pl.DataFrame
    # See `tables.REJECTS`; those without a row number are about a whole file. Contacts and answers are shown by their shape.
    rejects: pl.DataFrame
    files: tuple[Fingerprint, ...]
    rows: int
    open: int  # customers without an answer yet
    warnings: tuple[str, ...]
    contacts: Contacts = field(default_factory=Contacts)  # what the files have in columns of contacts


def read_answers(
    places: Sequence[str], *, before: date, timezone: str, since: date | None = None, planned: pl.DataFrame | None = None
) -> Answers:
    """Read what agents send back: call sheets, or any lists with customers and answers or dates of joining.

    Columns are found by their names, answers by their words, both in English and Chinese; the header may stand below a title, and a
    workbook may have several sheets of answers. A list without answers, such as a group's members, needs a date of joining: whoever
    has one has joined. Where the answer
    is empty, a note counts that is one. What cannot be understood is rejected and costs nothing else. What agents wrote of a customer
    stays in their files: of a refusal's reason its theme is read, see `segmenter.themes`.

    Only answers from `since` until before `before` count, so that who was a member before has not joined now. An answer without a date
    has that of its `planned` call (``customer_id``, ``planned_at``; each customer once), or of the day before `before`; by the plan, ids
    are recognised that lost leading zeros and the like.
    """
    files, rejects = _read_files(places)
    lists = [sheet for file in files for sheet in answer_lists(file)]
    complete = [sheet for sheet in lists if not sheet.lacks]
    rows = pl.concat([pl.DataFrame(schema=SCHEMA), *(read_rows(sheet, before, timezone) for sheet in complete)])
    meant = rows["written"] if planned is None else recognize_ids(rows["written"], planned["customer_id"])
    rows = rows.with_columns(customer_id=meant)
    given = rows.filter(pl.col("said").is_not_null() & (pl.col("answer") != NOT_YET.answer).fill_null(value=True))
    dated, undated = suppose_dates(given, before, since or NEVER, planned)
    good, wrong = split_rejects(dated, before, since)
    contacts = Contacts(known=[cells for sheet in lists for cells in _contacts(sheet)])
    found = pl.concat([pl.DataFrame(schema=tables.REJECTS), *rejects, *map(_reject_sheet, lists), wrong])
    found = contacts.without(found).sort("file", "row", nulls_last=False)
    if places and good.is_empty():
        raise (NoAnswersError if found.is_empty() else InputError)(*_nothing(places, rows.height, found))
    return Answers(
        answers=good.with_columns(pl.col("channel").replace("", None)).select(ANSWERS.names()).sort(ANSWERS.names()),
        rejects=found,
        files=tuple(file.fingerprint for file in files),
        rows=sum(sheet.frame.height + len(sheet.unreadable) for sheet in lists),
        open=_count_open(rows, given),
        warnings=(
            *(note for file in files for sheet in file.sheets for note in notes_of_cells(file.name, sheet)),
            *_warnings(rows, good, found, undated=undated, planned=planned is not None, before=before),
            *_warn_of_asides(complete),
            *warn_of_call_days(dated),
        ),
        contacts=contacts,
    )


def _read_files(places: Sequence[str]) -> tuple[list[DataFile], list[pl.DataFrame]]:
    """Read what can be; a place that means no file is an error, a file that cannot be read a reject."""
    files: list[DataFile] = []
    rejects: list[pl.DataFrame] = []
    problems: list[str] = []
    for place in places:
        try:
            read, failed = read_separately(place, WRITTEN)
        except InputError as error:
            problems += [Message("answers.place", "review.answers: {problem}", problem=message) for message in error.messages]
            continue
        files += read
        rejects += [_reject(name, _OURS.sub("", problem.removeprefix(f"{name}: "))) for name, problem in failed]
    if problems:
        raise InputError(*problems)
    return files, rejects


def _contacts(sheet: AnswerList) -> list[pl.Series]:
    known = sheet.roles.values()
    return [sheet.frame[name] for name in sheet.frame.columns if name not in known and is_contact_name(name)]


def _reject_sheet(sheet: AnswerList) -> pl.DataFrame:
    """Reject lines that are none, and a whole sheet that is no list of answers."""
    bad = [("answers", sheet.name, row, None, None, reason) for row, _, reason in sheet.unreadable]
    lines = pl.DataFrame(bad, schema=tables.REJECTS, orient="row")
    if not sheet.lacks:
        return lines
    names, seen = vocabulary("answers")["examples"], ", ".join(shown_columns(sheet.frame.drop(ROW).columns).values())[:200]
    lacking = with_facts(NO_ANSWER_COLUMN, answer=names["answer"], joined_on=names["joined_on"], columns=seen)
    if sheet.lacks == "customer_id":
        lacking = with_facts(NO_ID_COLUMN, example=names["customer_id"], columns=seen)
    return pl.concat([lines, _reject(sheet.name, lacking)])


def _reject(file: str, reason: str) -> pl.DataFrame:
    return pl.DataFrame([("answers", file, None, None, None, str(reason))], schema=tables.REJECTS, orient="row")


def _nothing(places: Sequence[str], rows: int, rejects: pl.DataFrame) -> list[str]:
    where = tuple(hide(place) for place in places)
    if rejects.is_empty():
        rule = (
            "review.answers: should hold answers (got none in {rows:,} rows of {places}); "
            "put there the call sheets as agents filled them in, or set review.answers=[] to review the sales alone"
        )
        return [Message("answers.none", rule, rows=rows, places=where)]
    shown: list[str] = []
    for _, file, row, column, value, reason in rejects.head(5).rows():
        at, what = "" if row is None else f", row {row:,}", "" if value is None else f'"{value}" '
        cell = f"{file}{at}: {'' if column is None else f'{column} '}{what}"
        shown.append(Message("answers.reject", "  {cell}{reason}", cell=cell, reason=reason_of(reason)))
    rule = "review.answers: should hold answers that can be read (got none, and {count:,} that cannot, in {places}):"
    return [Message("answers.unreadable", rule, count=rejects.height, places=where), *shown]


def _count_open(rows: pl.DataFrame, given: pl.DataFrame) -> int:
    """Count who has no answer yet in any list: a call stands in the workbook of the region and in that of the agent."""
    silent = rows.join(given, on=["row", "source", "written"], how="anti", nulls_equal=True).unique("customer_id")
    return silent.filter(~pl.col("customer_id").is_in(given["customer_id"].implode()).fill_null(value=False)).height


def _warnings(
    rows: pl.DataFrame, good: pl.DataFrame, rejects: pl.DataFrame, *, undated: int, planned: bool, before: date
) -> tuple[Message, ...]:
    """Say what was not taken, and what was taken other than it stands there.

    `rows` is all that was read: ``said`` (null: no answer) and ``noted`` (the answer's column is empty, the note is not); `good` the
    answers among them; `undated` of these had a date supposed, by the plan where there is one.
    """
    return (*_warn_of_undated(undated, before, planned=planned), *_warn_of_rejects(rejects, before), *_warn_of_understood(rows, good))


def _warn_of_asides(lists: Sequence[AnswerList]) -> list[Message]:
    """Say what agents wrote that no review reads."""
    phones = sum(int(sheet.frame[name].count()) for sheet in lists for name in aside_columns(sheet.frame.columns, "new_phone"))
    rule = "new phone is filled in {new_phone:,} times, which a review does not take: see to them in the files"
    return [Message("answers.asides", rule, new_phone=phones)] if phones else []


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
