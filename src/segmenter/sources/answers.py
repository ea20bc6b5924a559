"""What came of the calls: call sheets that agents filled in, and lists of who joined."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from segmenter import tables
from segmenter.contacts import Contacts, hide, is_contact_name, shape, shown_columns
from segmenter.errors import InputError
from segmenter.sources import fields
from segmenter.sources.answer_dates import answer_dates
from segmenter.sources.answer_ids import recognised
from segmenter.sources.answer_lists import SETTINGS, AnswerList, answer_lists
from segmenter.sources.answer_warnings import EARLY, LATE, answer_warnings
from segmenter.sources.answer_words import NOT_YET, meaning_of, others_of, states
from segmenter.sources.expressions import ROW
from segmenter.sources.files import DataFile, read_separately
from segmenter.sources.raw import Fingerprint
from segmenter.sources.spreadsheets import notes_of_cells
from segmenter.themes import themed
from segmenter.words import Lang

ANSWERS = pl.Schema(
    {
        "customer_id": pl.String(),
        "answer": pl.String(),  # joined, refused, refused_for_good, no_answer
        "answered_on": pl.Date(),
        "source": pl.String(),  # the file's name, with that of the sheet where it is not the first
        "reason": pl.String(),  # the theme of a refusal's; "will join", "wrong number" and the like where there is no answer
        "row": pl.Int64(),
        "written": pl.String(),  # the id as it stands there
    }
)
_OURS = re.compile(r"; ?[^;]*\bdata\.[^;]*|\bdata\.sheet: ")  # ways out that only the shop's tables have
_NEVER = date(1970, 1, 1)
_UNKNOWN = "is no known answer; write joined, refused, refused for good or no answer"
_UNDATED = "is no date; write it like 2026-07-03"
_LACKS = {
    "customer_id": "customer ids, such as customer_id or 客户编号",
    "answer": "answers, such as answer or 答复, or of the dates of joining, such as joined on or 入群日期",
}


class NoAnswersError(InputError):
    """The files are there, and nobody has written an answer into them yet."""


@dataclass(frozen=True)
class Answers:
    """Answers as they were found.

    Parameters
    ----------
    answers : DataFrame
        See `ANSWERS`; by customer and date. A customer who stands in several lists has several; the ledger takes what is the same
        once.
    rejects : DataFrame
        See `tables.REJECTS`: what could not be understood; rows without a row number are about a whole file. Contacts and answers
        are shown by their shape.
    files : tuple of Fingerprint
        What was read.
    rows, open : int
        Rows read, and those of them without an answer yet.
    undated : int
        Answers without a date, which was then supposed.
    warnings : tuple of str
        What a person should know.
    contacts : Contacts
        What the files have in columns of contacts.
    """

    answers: pl.DataFrame
    rejects: pl.DataFrame
    files: tuple[Fingerprint, ...]
    rows: int
    open: int
    undated: int
    warnings: tuple[str, ...]
    contacts: Contacts = field(default_factory=Contacts)


def read_answers(
    places: Sequence[str],
    *,
    before: date,
    timezone: str,
    lang: Lang,
    since: date | None = None,
    planned: pl.DataFrame | None = None,
) -> Answers:
    r"""Read what agents send back: call sheets, or any lists with customers and answers or dates of joining.

    Columns are found by their names, answers by their words, both in English and Chinese; the header may stand below a title, and a
    workbook may have several sheets of answers. A list without answers, such as a group's members, needs a date of joining: whoever
    has one has joined. Who "will join" has not joined yet; that, and a wrong number, are ``no_answer`` with a reason. Where the answer
    is empty, a note counts that is one. What cannot be understood is rejected and costs nothing else. What agents wrote of a customer
    stays in their files: of a refusal's reason its theme is read, see `segmenter.themes`.

    Parameters
    ----------
    places : sequence of str
        Files, folders or globs; of a folder its data files, but not its subfolders.
    before : date
        Answers from this date on do not count.
    timezone : str
        IANA name: where times with an offset are brought to.
    lang : {"en", "zh"}
        Of the warnings.
    since : date, optional
        Answers before this date do not count: the launch's as-of date, so that who was a member before has not joined now.
    planned : DataFrame, optional
        ``customer_id`` and ``planned_at`` (Date), each customer once: when they were to be called, which is the date of an answer that has
        none. Without it, and where it is not before `before`, that is the day before `before`. By it, ids are recognised that lost
        leading zeros and the like.

    Returns
    -------
    Answers
        With no places, none.

    Raises
    ------
    InputError
        A place means no file, or no answer is in any of them (`NoAnswersError`, where that is all).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "group.csv"
    >>> lines = ["客户编号,答复,答复日期,拒绝原因", "007,已进群,2026-07-03,", "8,拒绝！,7月4日,太忙", "9,嗯嗯,2026/7/4,"]
    >>> _ = path.write_text("\n".join(lines), encoding="gb18030")
    >>> found = read_answers([str(path)], before=date(2026, 7, 31), timezone="Asia/Shanghai", lang="en")
    >>> found.answers.select("customer_id", "answer", "reason").rows(), found.rejects["value"].to_list()
    ([('007', 'joined', None), ('8', 'refused', 'time')], ['文文'])
    """
    read: list[DataFile] = []
    rejects: list[pl.DataFrame] = []
    problems: list[str] = []
    for place in places:
        try:
            some, failed = read_separately(place, SETTINGS)
        except InputError as error:
            problems += [f"review.answers: {problem}" for problem in error.problems]
            continue
        read += some
        rejects += [_rejects(file=name, reason=_OURS.sub("", problem.removeprefix(f"{name}: "))) for name, problem in failed]
    if problems:
        raise InputError(*problems)
    found: list[pl.DataFrame] = []
    lists = [each for file in read for each in answer_lists(file)]
    for each in lists:
        bad = [("answers", each.name, row, None, None, reason) for row, _, reason in each.unreadable]
        rejects.append(pl.DataFrame(bad, schema=tables.REJECTS, orient="row"))
        if each.lacks:
            seen = ", ".join(shown_columns(each.frame.drop(ROW).columns).values())[:200]
            rejects.append(_rejects(file=each.name, reason=f"should have a column of {_LACKS[each.lacks]} (got columns {seen})"))
        else:
            found.append(_answers(each, before, timezone))
    rows = pl.concat([pl.DataFrame(schema=_FOUND), *found])
    meant = rows["written"] if planned is None else recognised(rows["written"], planned["customer_id"])
    rows = rows.with_columns(customer_id=meant)
    given = rows.filter(pl.col("said").is_not_null() & (pl.col("answer") != NOT_YET.answer).fill_null(value=True))
    dated, undated = _dated(given, before, since or _NEVER, planned)
    good, wrong = _checked(dated, before, since)
    known = [each.frame[name] for each in lists for name in each.frame.columns if name not in each.roles.values() and is_contact_name(name)]
    contacts = Contacts(known=known)
    whole = contacts.without(pl.concat([pl.DataFrame(schema=tables.REJECTS), *rejects, wrong])).sort("file", "row", nulls_last=False)
    if places and good.is_empty():
        raise (NoAnswersError if whole.is_empty() else InputError)(*_nothing(places, rows.height, whole))
    return Answers(
        answers=good.select(ANSWERS.names()).sort(ANSWERS.names()),
        rejects=whole,
        files=tuple(each.fingerprint for each in read),
        rows=sum(each.frame.height + len(each.unreadable) for each in lists),
        open=rows.height - given.height,
        undated=undated,
        warnings=(
            *(note for file in read for sheet in file.sheets for note in notes_of_cells(file.name, sheet)),
            *answer_warnings(rows, good, whole, undated=undated, planned=planned is not None, before=before, lang=lang),
        ),
        contacts=contacts,
    )


_FOUND = pl.Schema(
    {
        **{name: pl.String() for name in ("source", "written", "said")},
        "noted": pl.Boolean(),
        **{name: pl.String() for name in ("answer", "said_on")},
        "answered_on": pl.Date(),
        "reason": pl.String(),
        "row": pl.Int64(),
        **{name: pl.String() for name in ("id_column", "column", "date_column")},
    }
)


def _answers(each: AnswerList, before: date, timezone: str) -> pl.DataFrame:
    """Understand the rows of a list."""
    frame, roles = each.frame, dict(each.roles)
    text = {role: _text(frame[name]) for role, name in roles.items()}
    if "joined" in roles and "joined_on" not in roles:
        days = answer_dates(frame[roles["joined"]], before, timezone)
        if days.null_count() * 2 <= frame.height:
            roles["joined_on"], text["joined_on"] = roles.pop("joined"), text.pop("joined")
    # "Status" may be anything: a date of joining says more, and so does whether somebody joined.
    order = ("answer", "joined", "joined_on", "status") if "joined_on" in roles else ("answer", "joined", "status")
    said = next(role for role in order if role in roles)
    on = next((role for role in ("answered_on", "joined_on") if role in roles), None) if said != "joined_on" else said
    none = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    # A list's notes may be on anything; on a call sheet, some write there, or into a column of their own, what came of the call.
    aside = [roles["note"]] if "note" in roles else []
    aside = [*others_of(frame.columns, roles), *aside] if said == "answer" else []
    note = pl.select(pl.coalesce(none, *(_text(frame[name]) for name in aside))).to_series()
    noted = text[said].is_null() & note.is_not_null()
    told = text[said].zip_with(~(noted & _plain_answer(note)), note)
    meanings = {word: meaning_of(word, of_joining=said == "joined") for word in told.drop_nulls().unique()}
    answers = {word: meaning.answer for word, meaning in meanings.items() if meaning is not None}
    reasons = {word: meaning.reason for word, meaning in meanings.items() if meaning is not None}
    if said == "joined_on":
        answer, meant = pl.select(pl.when(told.is_not_null()).then(pl.lit("joined"))).to_series(), none
    else:
        answer = told.replace_strict(answers, default=None, return_dtype=pl.String)
        meant = told.replace_strict(reasons, default=None, return_dtype=pl.String)
    refused = answer.is_in(["refused", "refused_for_good"]).fill_null(value=False)
    own = themed(pl.DataFrame({"reason": text["reason"]}))["reason"] if "reason" in roles else none
    return pl.DataFrame(
        {
            "source": pl.repeat(hide(each.name), frame.height, dtype=pl.String, eager=True),
            "written": text["customer_id"],
            "said": told,
            "noted": noted,
            "answer": answer,
            "said_on": none if on is None else text[on],
            "answered_on": none.cast(pl.Date) if on is None else answer_dates(frame[roles[on]], before, timezone),
            "reason": pl.select(pl.coalesce(pl.when(refused).then(own), meant)).to_series(),
            "row": frame[ROW],
            "id_column": pl.repeat(roles["customer_id"], frame.height, dtype=pl.String, eager=True),
            "column": pl.repeat(roles[said], frame.height, dtype=pl.String, eager=True),
            "date_column": pl.repeat(roles.get(on or ""), frame.height, dtype=pl.String, eager=True),
        },
        schema=_FOUND,
    )


def _text(cells: pl.Series) -> pl.Series:
    # What spreadsheets write to keep text from being read as a formula or a number: '=1, ="007".
    return fields.text(fields.text(cells).str.replace(r"^'([=+\-@])", "${1}").str.replace(r'^="(.*)"$', "${1}"))


def _plain_answer(notes: pl.Series) -> pl.Series:
    known = {note: states(note) for note in notes.drop_nulls().unique()}
    return notes.replace_strict(known, default=False, return_dtype=pl.Boolean)


def _dated(given: pl.DataFrame, before: date, since: date, planned: pl.DataFrame | None) -> tuple[pl.DataFrame, int]:
    """Suppose a date for answers that have none."""
    at = pl.DataFrame(schema={"customer_id": pl.String, "planned_at": pl.Date}) if planned is None else planned
    called = given.join(at.select("customer_id", "planned_at"), on="customer_id", how="left", validate="m:1", maintain_order="left")
    supposed = pl.when(pl.col("planned_at") < before).then("planned_at").fill_null(before - timedelta(days=1))
    # Most dates of a list say of which launch it is.
    earlier = (pl.col("answered_on") < since).mean().over("source").fill_null(0) > 0.5
    supposed = pl.when(earlier).then(pl.lit(since - timedelta(days=1))).otherwise(supposed)
    without = pl.col("said_on").is_null()
    understood = without & ~earlier & pl.col("answer").is_not_null() & pl.col("customer_id").is_not_null()
    return called.with_columns(answered_on=pl.when(without).then(supposed).otherwise("answered_on")), int(
        called.select(understood.sum()).item()
    )


def _checked(given: pl.DataFrame, before: date, since: date | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the rows into those understood and the others; the first thing wrong with a row is told."""
    on = pl.col("answered_on")
    wrong = (
        (pl.col("customer_id").is_null(), "id_column", "written", "is empty"),
        (pl.col("answer").is_null(), "column", "said", _UNKNOWN),
        (on.is_null(), "date_column", "said_on", _UNDATED),
        (on >= before, "date_column", "said_on", LATE),
        (on < (since or _NEVER), "date_column", "said_on", EARLY),
    )
    which = pl.coalesce(*(pl.when(each).then(place) for place, (each, *_) in enumerate(wrong)))
    placed = given.with_columns(wrong=which)
    rejects = [
        placed.filter(pl.col("wrong") == place).select(
            pl.lit("answers").alias("table"),
            pl.col("source").alias("file"),
            "row",
            pl.col(column).alias("column"),
            _shown(value),
            reason=pl.lit(reason),
        )
        for place, (_, column, value, reason) in enumerate(wrong)
    ]
    return placed.filter(pl.col("wrong").is_null()), pl.concat(rejects)


def _shown(value: str) -> pl.Expr:
    """Show what agents wrote by its shape, as it may be anything about a customer; but an id, and a date that has no words."""
    if value == "written":
        return pl.col(value).alias("value")
    texts = pl.col(value).map_elements(shape, return_dtype=pl.String)
    wordless = pl.col(value).str.contains(r"^[\d\sT年月日号時时分秒点./:,\-]*$")
    return (pl.when(wordless).then(value).otherwise(texts) if value == "said_on" else texts).alias("value")


def _rejects(*, file: str, reason: str) -> pl.DataFrame:
    return pl.DataFrame([("answers", file, None, None, None, reason)], schema=tables.REJECTS, orient="row")


def _nothing(places: Sequence[str], rows: int, rejects: pl.DataFrame) -> list[str]:
    where = ", ".join(hide(place) for place in places)
    if rejects.is_empty():
        way_out = "put there the call sheets as agents filled them in, or set review.answers=[] to review the sales alone"
        return [f"review.answers: should hold answers (got none in {rows:,} rows of {where}); {way_out}"]
    shown = []
    for _, file, row, column, value, reason in rejects.head(5).rows():
        at, what = "" if row is None else f", row {row:,}", "" if value is None else f'"{value}" '
        shown.append(f"  {file}{at}: {'' if column is None else f'{column} '}{what}{reason}")
    return [f"review.answers: should hold answers that can be read (got none, and {rejects.height:,} that cannot, in {where}):", *shown]
