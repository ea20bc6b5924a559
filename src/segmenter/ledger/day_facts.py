"""What the day of a running launch asks of the ledger."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.checks.ledger_ids import known_ids, recognize_people
from segmenter.errors import InputError
from segmenter.launch_record import LaunchRecord
from segmenter.ledger.committed_results import find_agents
from segmenter.ledger.connection import Ledger
from segmenter.ledger.queries import list_answers, list_held_out, list_invitations, list_members, list_refused_for_good
from segmenter.ledger.review_answers import invited_now
from segmenter.messages import Message
from segmenter.settings import TodayJob
from segmenter.sources.inputs import Inputs


@dataclass(frozen=True)
class DayFacts:
    """The launch's people, all that they answered, and whom nobody may call (``customer_id``, ``why``), under the ids of the shop."""

    invited: pl.DataFrame
    answers: pl.DataFrame
    barred: pl.DataFrame


def settings_of_day(ledger: Ledger, launch: LaunchRecord, settings: TodayJob, day: date) -> TodayJob:
    """See that the day is one of the launch's, and fill in what the launch says of itself: its dates, and who calls."""
    if not launch.as_of <= day < launch.ends_on:
        rule = "today.as_of: should be a day of the launch {launch}, from {first} to before {end} (got {day})"
        facts = {"launch": launch.name, "first": launch.as_of, "end": launch.ends_on, "day": day}
        raise InputError(Message("day.not_of_launch", rule, **facts))
    agents = find_agents(ledger, launch, settings)
    parts = {
        "launch": {"as_of": launch.as_of, "horizon_days": launch.horizon_days},
        "plan": {"agents": agents},
        # What was answered on the day itself is kept, and does not count yet: the list of a day stays as it was.
        "review": {"as_of": day + timedelta(days=1)},
        "today": {"as_of": day},
    }
    return settings.model_copy(update={name: getattr(settings, name).model_copy(update=new) for name, new in parts.items()})


def read_day(ledger: Ledger, launch: LaunchRecord, read: Inputs, day: date) -> DayFacts:
    """Read what came before a day; who may not be called for what another launch knows of them is among the barred, and so is staff."""
    answers, ids = list_answers(ledger, launch.name, before=day), list_invitations(ledger, launch.name, before=day)["customer_id"]
    members = list_members(ledger, day, community=launch.community).filter(pl.col("launch") != launch.name)
    others = {
        "held_out": list_held_out(ledger, launch.name, day),
        "refused_for_good": list_refused_for_good(ledger, day),
        "member": members,
    }
    barred = [frame.select("customer_id", why=pl.lit(why)) for why, frame in others.items()]
    known = known_ids(read.tables, day)
    people = pl.concat([ids, answers["customer_id"], *(frame["customer_id"] for frame in barred)]).unique().sort()
    now = recognize_people(people, known)
    renamed = [frame.with_columns(pl.col("customer_id").replace(people, now)) for frame in (answers, pl.concat(barred))]
    if (phones := read.tables.new_phones) is not None:  # a wrong number before another was noted says nothing of that one
        noted = renamed[0].join(phones, on="customer_id", how="left", maintain_order="left")
        wrong = (pl.col("answer") == "wrong_number") & (pl.col("answered_on") <= pl.col("noted_on")).fill_null(value=False)
        renamed[0] = noted.filter(~wrong).drop("noted_on")
    if (customers := read.tables.customers) is not None:
        closed = customers.filter(pl.any_horizontal(pl.col("do_not_contact", "blocked", "staff").fill_null(value=False)))
        renamed[1] = pl.concat([renamed[1], closed.select("customer_id", why=pl.lit("no_contact"))])
    return DayFacts(invited_now(ledger, launch, read, day), renamed[0], renamed[1].unique())
