"""People whom agents added to their sheets by hand and the shop does not know: they are called as long as their state asks for it."""

from dataclasses import replace
from datetime import date

import polars as pl

from segmenter.launch_record import LaunchRecord
from segmenter.ledger.day_facts import DayFacts
from segmenter.ledger.frames import ANSWER_ROW, mark_current
from segmenter.ledger.queries import count_calls
from segmenter.sources.answer_people import name_readings
from segmenter.sources.answers import Answers
from segmenter.sources.contacts_file import phone_column
from segmenter.sources.inputs import Inputs
from segmenter.tables import NOT_KNOWN

_CALLED = ("answer", "answered_on", "reason", "call_on", "hour", "calls", "missed")
_OPEN = ("not_reached", "call_back", "thinking", "agreed")


def with_added_people(facts: DayFacts, read: Inputs, answers: Answers, launch: LaunchRecord, day: date) -> tuple[DayFacts, Inputs]:
    """Add to a day's facts whom agents added before it, under ids made for the day, and to the contacts how they are called.

    Whose name is that of one of the launch's people, or of somebody whom nobody may call, is left to be mended: it may be them. They are
    no part of the plan, and count in no figure of it.
    """
    added = answers.added.filter(pl.col("answer").is_null() | (pl.col("answered_on") < day))
    taken = _names_of(pl.concat([facts.invited["customer_id"], facts.barred["customer_id"]]), read)
    may_be_known = pl.Series([not taken.isdisjoint(name_readings(name or "")) for name in added["name"]], dtype=pl.Boolean)
    added = added.filter(~pl.col("number").is_in(added.filter(may_be_known)["number"].implode())).sort("source", "row")
    added = added.with_columns(
        launch=pl.lit(launch.name), customer_id=pl.format("added {}", pl.col("number").rank("dense")), number=pl.int_range(1, pl.len() + 1)
    )
    rows = pl.concat([pl.DataFrame(schema=ANSWER_ROW), added.drop_nulls("answer")], how="diagonal_relaxed").select(*ANSWER_ROW)
    told = mark_current(rows)
    current = count_calls(told)
    closed = pl.concat([told.filter(answer="refused_for_good"), current.filter(~pl.col("answer").is_in(_OPEN))], how="diagonal")
    still = added.join(closed, on="customer_id", how="anti")
    if still.is_empty():
        return facts, read
    own = answers.answers.join(facts.invited.select("customer_id", "agent"), on="customer_id").drop_nulls("agent")
    agents = (
        own.group_by("source", "agent").agg(less=-pl.len().cast(pl.Int64)).sort("source", "less", "agent").unique("source", keep="first")
    )
    still = still.join(agents.select("source", "agent"), on="source", how="left").sort("answered_on", "number", nulls_last=False)
    last = pl.col("name", "phone", "agent").drop_nulls().last()
    people = still.group_by("customer_id", maintain_order=True).agg(last)
    now = people.join(current.select("customer_id", *_CALLED), on="customer_id", how="left").with_columns(
        launch=pl.lit(launch.name), in_plan=True, status=pl.lit(NOT_KNOWN), planned_at=pl.lit(day)
    )
    contacts = read.tables.contacts
    named = people.select("customer_id", "name", pl.col("phone").alias(phone_column(contacts) or "phone"))
    contacts = named if contacts is None else pl.concat([contacts, named], how="diagonal")
    invited = pl.concat([facts.invited, now.drop("name", "phone")], how="diagonal").sort("customer_id")
    facts = replace(facts, invited=invited, answers=pl.concat([facts.answers, told], how="diagonal"))
    return facts, replace(read, tables=replace(read.tables, contacts=contacts))


def _names_of(ids: pl.Series, read: Inputs) -> set[str]:
    """Give how people may be called."""
    contacts = read.tables.contacts
    if contacts is None or "name" not in contacts.columns:
        return set()
    names = contacts.filter(pl.col("customer_id").is_in(ids.implode()))["name"].drop_nulls()
    return {key for name in names for key in name_readings(name) if key}
