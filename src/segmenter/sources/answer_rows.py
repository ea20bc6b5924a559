"""The rows of a list of answers: who, what, when, why; and which of them cannot be understood."""

from datetime import date, timedelta

import polars as pl

from segmenter.contacts import hide, shape
from segmenter.messages import Message
from segmenter.sources import fields
from segmenter.sources.answer_dates import answer_dates, answer_times, call_day, clock_hours, hours_of
from segmenter.sources.answer_lists import AnswerList
from segmenter.sources.answer_phrases import Meaning
from segmenter.sources.answer_words import channel_of, dated_columns, is_answer, meaning_of, more_answers, tells_way
from segmenter.sources.expressions import ROW
from segmenter.sources.reject_reasons import EARLY, EMPTY, LATE, NO_ANSWER, NO_ANSWER_DATE
from segmenter.themes import themed
from segmenter.vocabulary import vocabulary

NEVER = date(1970, 1, 1)
_OPEN, ENDED = ("not_reached", "call_back", "thinking", "agreed"), ("wrong_number", "refused", "refused_for_good")
SCHEMA = pl.Schema(
    {
        **{name: pl.String() for name in ("source", "written", "said")},
        "noted": pl.Boolean(),
        **{name: pl.String() for name in ("answer", "said_on")},
        "answered_on": pl.Date(),
        "hour": pl.Int64(),
        "attempts": pl.Int64(),
        "again": pl.String(),  # when to call again, in a column of its own
        "reason": pl.String(),
        "channel": pl.String(),  # empty where it cannot be told which is meant
        "row": pl.Int64(),
        **{name: pl.String() for name in ("id_column", "column", "date_column")},
    }
)


def read_rows(sheet: AnswerList, before: date, timezone: str) -> pl.DataFrame:
    """Understand the rows of a list, as in `SCHEMA`; what cannot be is null beside what was ``said``."""
    frame, (hours, roles) = sheet.frame, _hours(sheet.frame, dict(sheet.roles))
    text = {role: _text(frame[name]) for role, name in roles.items()}
    if "joined" in roles and "joined_on" not in roles:
        days = answer_dates(frame[roles["joined"]], before, timezone)
        if days.null_count() * 2 <= frame.height:
            roles["joined_on"], text["joined_on"] = roles.pop("joined"), text.pop("joined")
    # "Status" may be anything: a date of joining says more, and so does whether somebody joined.
    order = ("answer", "joined", "joined_on", "status") if "joined_on" in roles else ("answer", "joined", "status")
    said_in = next(role for role in order if role in roles)
    dated_in = next((role for role in ("answered_on", "joined_on") if role in roles), None) if said_in != "joined_on" else said_in
    none = pl.repeat(None, frame.height, dtype=pl.String, eager=True)

    def fill(value: str | None) -> pl.Series:
        return pl.repeat(value, frame.height, dtype=pl.String, eager=True)

    # A list's notes may be on anything; on a call sheet, some write there, or into a column of their own, what came of the call.
    beside = [roles["note"]] if "note" in roles else []
    beside = [*more_answers(frame.columns, roles), *beside] if said_in == "answer" else []
    note = pl.select(pl.coalesce(none, *(_text(frame[name]) for name in beside))).to_series()
    noted = text[said_in].is_null() & note.is_not_null()
    said = text[said_in].zip_with(~(noted & _is_answer(note)), note)
    again = text.get("call_on", none)
    meanings = _understand(said, said_in)
    # Whoever writes when to call again, and nothing else, has called.
    only_again = said.is_null() & again.is_not_null() & (said_in in {"answer", "status"})
    said, answer = said.zip_with(~only_again, again), meanings["answer"].zip_with(~only_again, fill("call_back"))
    refused = answer.is_in(["refused", "refused_for_good"]).fill_null(value=False)
    own = themed(pl.DataFrame({"reason": text["reason"]}))["reason"] if "reason" in roles else none

    times = none.cast(pl.Datetime("us")) if dated_in is None else answer_times(frame[roles[dated_in]], before, timezone)

    return pl.DataFrame(
        {
            "source": fill(hide(sheet.name)),
            "written": text["customer_id"],
            "said": said,
            "noted": noted & ~only_again,
            "answer": answer,
            "said_on": none if dated_in is None else text[dated_in],
            "answered_on": times.dt.date(),
            "hour": pl.select(pl.coalesce(hours_of(times), *hours)).to_series(),
            "attempts": meanings["attempts"],
            "again": again,
            "reason": pl.select(pl.coalesce(pl.when(refused).then(own), meanings["reason"])).to_series(),
            "channel": _channels(text["channel"]) if "channel" in roles else _channels_of_bringers(sheet, none),
            "row": frame[ROW],
            "id_column": fill(roles["customer_id"]),
            "column": fill(roles[said_in]),
            "date_column": fill(roles.get(dated_in or "")),
        },
        schema=SCHEMA,
    )


def _hours(frame: pl.DataFrame, roles: dict[str, str]) -> tuple[list[pl.Series], dict[str, str]]:
    """Read the columns that have the time of the call and no date; the date is then looked for in another."""
    dated = dated_columns(frame.columns)
    clocks = {name: hours for name in dated if (hours := clock_hours(frame[name])) is not None}
    if roles.get("answered_on") in clocks:
        del roles["answered_on"]
        roles |= dict(zip(["answered_on"], (name for name in dated if name not in clocks), strict=False))
    return list(clocks.values()), roles


def _understand(said: pl.Series, role: str) -> pl.DataFrame:
    """Give what answers mean: ``answer``, ``reason``, ``attempts``."""
    # Whoever has a date of joining has joined.
    joined = (Meaning("joined") for _ in range(len(said)))
    meanings = joined if role == "joined_on" else (None if text is None else meaning_of(text, of_joining=role == "joined") for text in said)
    rows = [meaning if text is not None and meaning else (None,) * 3 for text, meaning in zip(said, meanings, strict=True)]
    return pl.DataFrame(rows, schema={"answer": pl.String, "reason": pl.String, "attempts": pl.Int64}, orient="row")


def _channels(said: pl.Series) -> pl.Series:
    known = {word: channel_of(word) or (None if tells_way(word) else "") for word in said.drop_nulls().unique()}
    return said.replace_strict(known, default=None, return_dtype=pl.String)


def _channels_of_bringers(sheet: AnswerList, none: pl.Series) -> pl.Series:
    """Give the channel where it stands in the column of who invited."""
    told = [_channels(_text(sheet.frame[name])).replace("", None) for name in sheet.whose.bringers]
    return pl.select(pl.coalesce(none, *told)).to_series()


def _text(cells: pl.Series) -> pl.Series:
    # What spreadsheets write to keep text from being read as a formula or a number: '=1, ="007".
    return fields.text(fields.text(cells).str.replace(r"^'([=+\-@])", "${1}").str.replace(r'^="(.*)"$', "${1}"))


def _is_answer(notes: pl.Series) -> pl.Series:
    known = {note: is_answer(note) for note in notes.drop_nulls().unique()}
    return notes.replace_strict(known, default=False, return_dtype=pl.Boolean)


def suppose_dates(given: pl.DataFrame, before: date, since: date, planned: pl.DataFrame | None) -> tuple[pl.DataFrame, int]:
    """Suppose a date for answers that have none: that of the planned call, else the day before the review; and count them."""
    at = pl.DataFrame(schema={"customer_id": pl.String, "planned_at": pl.Date}) if planned is None else planned
    called = given.join(at.select("customer_id", "planned_at"), on="customer_id", how="left", validate="m:1", maintain_order="left")
    supposed = pl.when(pl.col("planned_at") < before).then("planned_at").fill_null(before - timedelta(days=1))
    # Most dates of a list say of which launch it is.
    earlier = (pl.col("answered_on") < since).mean().over("source").fill_null(0) > 0.5
    supposed = pl.when(earlier).then(pl.lit(since - timedelta(days=1))).otherwise(supposed)
    undated = pl.col("said_on").is_null()
    counted = undated & ~earlier & pl.col("answer").is_not_null() & pl.col("customer_id").is_not_null()
    count = int(called.select(counted.sum()).item())
    dated = called.with_columns(answered_on=pl.when(undated).then(supposed).otherwise("answered_on"))
    return dated.with_columns(call_on=_call_days(dated)), count


def _call_days(dated: pl.DataFrame) -> pl.Series:
    """Give the days on which to call again, by their own column, or by the answer where that leaves anything open."""
    told = dated.select("answered_on", "answer", "again", pl.when(pl.col("answer").is_in(_OPEN)).then("said"))
    ended = pl.col("answer").is_in(ENDED).fill_null(value=True) | pl.col("answered_on").is_null()
    known = {
        row: call_day(row[2], row[0]) or (None if row[3] is None else call_day(row[3], row[0], soon=row[1] in ("not_reached", "call_back")))
        for row in told.filter(~ended).with_columns(pl.col("again").fill_null("")).unique().rows()
    }
    return pl.Series([known.get((on, answer, again or "", said)) for on, answer, again, said in told.rows()], dtype=pl.Date)


def warn_of_call_days(dated: pl.DataFrame) -> list[Message]:
    """Say how many days to call again cannot be told."""
    lost = dated.filter(pl.col("again").is_not_null(), pl.col("call_on").is_null(), ~pl.col("answer").is_in(ENDED)).height
    rule = "days to call again that could not be read, or are before the call: {count:,}; write them like 2026-07-03"
    return [Message("answers.call_days", rule, count=lost)] if lost else []


def split_rejects(given: pl.DataFrame, before: date, since: date | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the rows into those understood and the others, with the first thing wrong with each."""
    on = pl.col("answered_on")
    checks = (
        (pl.col("customer_id").is_null(), "id_column", "written", EMPTY),
        (pl.col("answer").is_null(), "column", "said", NO_ANSWER),
        (on.is_null(), "date_column", "said_on", NO_ANSWER_DATE),
        (on >= before, "date_column", "said_on", LATE),
        (on < (since or NEVER), "date_column", "said_on", EARLY),
    )
    first = pl.coalesce(*(pl.when(wrong).then(number) for number, (wrong, *_) in enumerate(checks)))
    checked = given.with_columns(wrong=first)
    rejects = [
        checked.filter(pl.col("wrong") == number).select(
            pl.lit("answers").alias("table"),
            pl.col("source").alias("file"),
            "row",
            pl.col(column).alias("column"),
            _shown(value),
            reason=pl.lit(str(reason)),
        )
        for number, (_, column, value, reason) in enumerate(checks)
    ]
    return checked.filter(pl.col("wrong").is_null()), pl.concat(rejects)


def _shown(value: str) -> pl.Expr:
    """Show what agents wrote by its shape, as it may be anything about a customer; but an id, and a date that has no words."""
    if value == "written":
        return pl.col(value).alias("value")
    shapes = pl.col(value).map_elements(shape, return_dtype=pl.String)
    wordless = pl.col(value).str.contains(rf"^[\d\sT{vocabulary('answers')['dates']['all']}./:,\-]*$")
    return (pl.when(wordless).then(value).otherwise(shapes) if value == "said_on" else shapes).alias("value")
