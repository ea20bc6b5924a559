"""What came of the calls: call sheets that agents filled in, and lists of who joined."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from segmenter import tables
from segmenter.checks.id_forms import recognize_ids
from segmenter.contacts import Contacts, hide, is_contact_name, shown_columns
from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.answer_bringers import NEWCOMERS, find_newcomers, read_bringers, reject_bringers, with_bringers
from segmenter.sources.answer_copies import without_older
from segmenter.sources.answer_lists import WRITTEN, AnswerList, answer_lists, fill_ids
from segmenter.sources.answer_mending import MENDED, is_mending, list_to_mend, mended_rows, origins_of, unmended
from segmenter.sources.answer_people import (
    ADDED,
    COLLEAGUE,
    WHO,
    People,
    date_members,
    explain_unknown,
    list_added,
    noted_contacts,
    who_is_where,
)
from segmenter.sources.answer_phrases import NOT_YET
from segmenter.sources.answer_rows import NEVER, SCHEMA, read_rows, split_rejects, suppose_dates, warn_of_call_days
from segmenter.sources.answer_warnings import warn_of_answers, warn_of_bringers, warn_of_people
from segmenter.sources.contacts_file import NOTED
from segmenter.sources.expressions import ROW
from segmenter.sources.files import DataFile, read_separately
from segmenter.sources.raw import Fingerprint
from segmenter.sources.reject_reasons import NO_ANSWER_COLUMN, NO_ID_COLUMN, reason_of, with_facts
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
        "brought_by": pl.String(),  # the id of who brought them, where the list says it
        "group": pl.String(),  # that the list is of, where it says who brought whom
        "row": pl.Int64(),
        "written": pl.String(),  # the id as it stands there
    }
)
_HOW = {"source": pl.String, "row": pl.Int64, "how": pl.String}
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
    to_mend: pl.DataFrame = field(default_factory=MENDED.to_frame)  # see `MENDED`: it holds contacts
    mended: tuple[pl.DataFrame, pl.DataFrame] | None = None  # see `mended_rows` and `origins_of`
    noted: pl.DataFrame = field(default_factory=NOTED.to_frame)  # see `NOTED`: phones for the private file of contacts
    contacts_file: Path | None = None  # where that is
    added: pl.DataFrame = field(default_factory=ADDED.to_frame)  # see `ADDED`: for the sheets of a day
    newcomers: pl.DataFrame = field(default_factory=NEWCOMERS.to_frame)  # see `NEWCOMERS`


def read_answers(
    places: Sequence[str],
    *,
    before: date,
    timezone: str,
    since: date | None = None,
    planned: pl.DataFrame | None = None,
    people: People | None = None,
) -> Answers:
    """Read what agents send back: call sheets, or any lists with customers and answers or dates of joining.

    Columns are found by their names, answers by their words, both in English and Chinese; the header may stand below a title, and a
    workbook may have several sheets of answers. A list without answers needs a date of joining: whoever has one has joined; or it is
    one of a group's members. Where the answer is empty, a note counts that is one. What cannot be understood is rejected and costs
    nothing else. What agents wrote of a customer stays in their files: of a refusal's reason its theme is read, see `segmenter.themes`.

    Only answers from `since` until before `before` count, so that who was a member before has not joined now. An answer without a date
    has that of its `planned` call (``customer_id``, ``planned_at``; each customer once), or of the day before `before`; by the plan, ids
    are recognised that lost leading zeros and the like. Where there is no id at all, a phone or a name says who it is, by what is
    known of the `people`.
    """
    files, rejects, copies = _read_files(places)
    lists = [sheet for file in files for sheet in answer_lists(file)]
    complete = [sheet for sheet in lists if not sheet.lacks and (people is not None or "customer_id" in sheet.roles)]
    recognized = [pl.DataFrame(schema=_HOW)]
    if people is not None:
        filled = [fill_ids(sheet, people) for sheet in complete]
        complete, recognized = [sheet for sheet, _ in filled], [*recognized, *(how for _, how in filled)]
    rows = pl.concat([pl.DataFrame(schema=SCHEMA), *(read_rows(sheet, before, timezone) for sheet in complete)])
    meant = rows["written"] if planned is None else recognize_ids(rows["written"], planned["customer_id"])
    rows = rows.with_columns(customer_id=meant).join(pl.concat(recognized), on=["source", "row"], how="left", maintain_order="left")
    rows = with_bringers(rows, [] if people is None else [read_bringers(sheet, people) for sheet in complete])
    given = rows.filter(pl.col("said").is_not_null() & (pl.col("answer") != NOT_YET.answer).fill_null(value=True))
    colleague = (pl.col("how") == COLLEAGUE).fill_null(value=False)
    dated, undated = suppose_dates(given.filter(~colleague), before, since or NEVER, planned)
    members = sorted({hide(sheet.name) for sheet in complete if sheet.members})
    dated = date_members(dated, members, before)
    good, wrong = split_rejects(dated, before, since)
    good, outdone = without_older(good)
    who = pl.concat([WHO.to_frame(), *(who_is_where(sheet.frame, sheet.whose, hide(sheet.name)) for sheet in complete)])
    new = (
        None
        if people is None
        else find_newcomers(dated.filter(pl.col("answered_on").is_between(since or NEVER, before, "left")), who, people)
    )
    wrong = explain_unknown(
        wrong if new is None else wrong.join(new, left_on=["file", "row"], right_on=["source", "row"], how="anti"), dated
    )
    wrong = pl.concat([wrong, reject_bringers(good)])
    mending = [sheet for sheet in complete if is_mending(sheet)]
    origins = origins_of(mending)
    mended = mended_rows(origins, given)
    left = unmended(wrong, mended, origins, ["file", "row"])
    noted, no_phones = (NOTED.to_frame(), 0) if people is None else noted_contacts(rows, who, people, before)
    contacts = Contacts(known=[cells for sheet in lists for cells in _contacts(sheet)])
    found = pl.concat([pl.DataFrame(schema=tables.REJECTS), *rejects, *(_reject_sheet(sheet, people) for sheet in lists), left])
    found = contacts.without(found).sort("file", "row", nulls_last=False)
    to_mend = list_to_mend(wrong, left, mended, rows, who, origins)
    if places and good.is_empty() and noted.is_empty() and (people is None or to_mend.is_empty()):
        raise (NoAnswersError if found.is_empty() else InputError)(*_nothing(places, rows.height, found))
    # A workbook of what is to be mended counts by what was filled in.
    idle = {sheet.name for sheet in mending} - set(good["source"])
    asked = rows.filter(~pl.col("source").is_in([sheet.name for sheet in mending]))
    return Answers(
        answers=good.with_columns(pl.col("channel").replace("", None), group="here").select(ANSWERS.names()).sort(ANSWERS.names()),
        rejects=found,
        files=tuple(file.fingerprint for file in files if file.name not in idle),
        rows=sum(sheet.frame.height + len(sheet.unreadable) for sheet in lists if not is_mending(sheet)),
        open=_count_open(asked, given),
        warnings=(
            *(note for file in files for sheet in file.sheets for note in notes_of_cells(file.name, sheet)),
            *warn_of_answers(rows, good, found, undated=undated, planned=planned is not None, before=before),
            *warn_of_people(good, asked.filter(colleague).height, members, copies, outdone, no_phones),
            *warn_of_call_days(dated),
            *warn_of_bringers(left, new),
        ),
        contacts=contacts,
        to_mend=to_mend,
        mended=(mended, origins),
        noted=noted,
        added=ADDED.to_frame() if people is None else list_added(rows, dated, mended, who, people),
        newcomers=NEWCOMERS.to_frame()
        if new is None
        else new.select(NEWCOMERS.names()).unique("customer_id", keep="first", maintain_order=True),
    )


def _read_files(places: Sequence[str]) -> tuple[list[DataFile], list[pl.DataFrame], list[str]]:
    """Read what can be; a place that means no file is an error, a file that cannot be read a reject, a copy of another is passed over."""
    files: list[DataFile] = []
    rejects: list[pl.DataFrame] = []
    problems: list[str] = []
    for place in places:
        try:
            read, failed = read_separately(place, WRITTEN, deep=True)
        except InputError as error:
            problems += [Message("answers.place", "review.answers: {problem}", problem=message) for message in error.messages]
            continue
        # Sheets of several days have the same names.
        taken = {file.name for file in files}
        files += [replace(file, name=f"{_above(place)}/{file.name}") if file.name in taken else file for file in read]
        rejects += [_reject(name, _OURS.sub("", problem.removeprefix(f"{name}: "))) for name, problem in failed]
    if problems:
        raise InputError(*problems)
    names: dict[str, str] = {}
    for file in sorted(files, key=lambda file: (len(file.name), file.name)):
        names.setdefault(file.fingerprint.sha256, file.name)
    kept: dict[str, DataFile] = {}
    for file in files:
        if names[file.fingerprint.sha256] == file.name:
            kept.setdefault(file.fingerprint.sha256, file)
    return list(kept.values()), rejects, sorted({file.name for file in files} - {file.name for file in kept.values()})


def _above(place: str) -> str:
    """Name the folder that holds what a place names."""
    return Path(place).absolute().parent.name


def _contacts(sheet: AnswerList) -> list[pl.Series]:
    known = sheet.roles.values()
    return [sheet.frame[name] for name in sheet.frame.columns if name not in known and is_contact_name(name)]


def _reject_sheet(sheet: AnswerList, people: People | None) -> pl.DataFrame:
    """Reject lines that are none, and a whole sheet that is no list of answers."""
    bad = [("answers", sheet.name, row, None, None, reason) for row, _, reason in sheet.unreadable]
    lines = pl.DataFrame(bad, schema=tables.REJECTS, orient="row")
    if not sheet.lacks and (people is not None or "customer_id" in sheet.roles):
        return lines
    names, seen = vocabulary("answers")["examples"], ", ".join(shown_columns(sheet.frame.drop(ROW).columns).values())[:200]
    lacking = with_facts(NO_ANSWER_COLUMN, answer=names["answer"], joined_on=names["joined_on"], columns=seen)
    if sheet.lacks != "answer":
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
