"""What the ledger answers: to the rules, to the review, to whoever learns from past launches.

All frames are sorted by launch and customer, and hold nothing dated on or after the date they are asked for.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from segmenter.ledger.connection import Ledger, connect_reader, snapshot
from segmenter.ledger.frames import ANSWER_ROW, INVITATION, read_answers, read_frame
from segmenter.ledger.schema import PLANNED, SNAPSHOT, table
from segmenter.tables import REACHED, by_time

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

_LAUNCH = {
    "launch": pl.String(),
    "community": pl.String(),
    "as_of": pl.Date(),
    "horizon_days": pl.Int64(),
    "ends_on": pl.Date(),
    "target": pl.Int64(),
    "currency": pl.String(),
    "settings": pl.String(),
    "holdout": pl.Float64(),
    "state": pl.String(),
}
_ANSWER_COLUMNS = ("answer", "answered_on", "reason", "source", "call_on", "hour", "calls", "missed", "brought_by")


def list_launches(ledger: Ledger) -> pl.DataFrame:
    """List the launches: what was planned, and how many are ``invited`` and ``held_out``.

    ``state`` is ``pending`` while a job is just publishing the plan, or was killed before it did; else ``planned``. ``target`` is in minor
    units; ``holdout`` is null for plans of older versions.
    """
    from sqlalchemy import func, select

    plans, invitations = table("plans"), table("invitations")
    counts = (
        select(
            invitations.c.plan,
            func.count().filter(invitations.c.status == "planned").label("invited"),
            func.count().filter(invitations.c.status == "held_out").label("held_out"),
        )
        .group_by(invitations.c.plan)
        .subquery()
    )
    query = select(
        plans,
        func.coalesce(counts.c.invited, 0).label("invited"),
        func.coalesce(counts.c.held_out, 0).label("held_out"),
    ).outerjoin(counts, counts.c.plan == plans.c.id)
    with connect_reader(ledger) as connection:
        return _read(connection, query, {**_LAUNCH, "invited": pl.Int64(), "held_out": pl.Int64()}).sort("launch", "state")


def list_states(ledger: Ledger, cooloff_days: int | None) -> pl.DataFrame:
    """List the launches with their ``answers``, and until when each keeps people out of others.

    ``invited_until``: the day on which a cool-off of so many days has passed for all invited; ``held_out_until``: the launch's end.
    """
    from sqlalchemy import func, select

    plans, planned, answers = table("plans"), table("invitations"), table("answers")
    last = select(plans.c.launch, func.max(planned.c.planned_at).label("last")).join(plans, plans.c.id == planned.c.plan)
    last = last.where(planned.c.status == "planned", plans.c.state == PLANNED).group_by(plans.c.launch)
    counted = select(answers.c.launch, func.count(answers.c.customer_id.distinct()).label("answers")).group_by(answers.c.launch)
    with snapshot(ledger) as now:
        launches = list_launches(now)
        called = _read(now.connection, last, {"launch": pl.String(), "last": pl.Date()})
        answered = _read(now.connection, counted, {"launch": pl.String(), "answers": pl.Int64()})
    known = launches.join(called, on="launch", how="left").join(answered, on="launch", how="left")
    cooled = None if cooloff_days is None else pl.col("last") + timedelta(days=cooloff_days)
    return known.select(
        *("launch", "community", "state", "as_of", "ends_on", "invited", "held_out"),
        pl.col("answers").fill_null(0),
        pl.lit(cooled, dtype=pl.Date).alias("invited_until") if cooled is None else cooled.alias("invited_until"),
        pl.when(pl.col("held_out") > 0).then("ends_on").alias("held_out_until"),
    ).sort("as_of", "launch")


def list_invited(ledger: Ledger, launch: str, as_of: date, days: int) -> pl.DataFrame:
    """List who was invited to other launches in the last days: ``customer_id``, ``last_invited``, and ``invitations``, how many launches.

    A launch with the same as-of date counts too, and so do the waves that other launches have still ahead: who is invited there
    next week should not be invited here today. An invitation so many days before the date counts no more.
    """
    from sqlalchemy import func, select, union_all

    plans, planned, answers = table("plans"), table("invitations"), table("answers")
    known = (plans.c.state == PLANNED) & (plans.c.launch != launch) & (plans.c.as_of <= as_of)
    since = as_of - timedelta(days=days)
    now = select(plans.c.launch, planned.c.customer_id, planned.c.planned_at).join(plans, plans.c.id == planned.c.plan)
    # Who answered and is in the launch's plan no more was invited all the same.
    before = select(plans.c.launch, answers.c.customer_id, answers.c.planned_at).join(plans, plans.c.launch == answers.c.launch)
    both = union_all(
        now.where(known, planned.c.status == "planned", planned.c.planned_at > since),
        before.where(known, answers.c.status == "planned", answers.c.planned_at > since, answers.c.answered_on < as_of),
    ).subquery()
    query = select(
        both.c.customer_id, func.max(both.c.planned_at).label("last_invited"), func.count(both.c.launch.distinct()).label("invitations")
    ).group_by(both.c.customer_id)
    schema = {"customer_id": pl.String(), "last_invited": pl.Date(), "invitations": pl.Int64()}
    with connect_reader(ledger) as connection:
        return _read(connection, query, schema).sort("customer_id")


def list_held_out(ledger: Ledger, launch: str, as_of: date) -> pl.DataFrame:
    """List whom other launches hold out that are still running: they stay out of this one ``until`` none of those runs any more."""
    from sqlalchemy import func, select

    plans, planned = table("plans"), table("invitations")
    running = (plans.c.state == PLANNED) & (plans.c.launch != launch) & (plans.c.as_of <= as_of) & (plans.c.ends_on > as_of)
    query = (
        select(planned.c.customer_id, func.max(plans.c.ends_on).label("until"))
        .join(plans, plans.c.id == planned.c.plan)
        .where(running, planned.c.status == "held_out")
        .group_by(planned.c.customer_id)
    )
    with connect_reader(ledger) as connection:
        return _read(connection, query, {"customer_id": pl.String(), "until": pl.Date()}).sort("customer_id")


def list_members(ledger: Ledger, as_of: date, *, community: str | None = None) -> pl.DataFrame:
    """List who has joined a community, or any: ``customer_id``, ``community``, ``launch`` and ``joined_on``, of the first time."""
    with connect_reader(ledger) as connection:
        joined = _read_current(connection, None, as_of).filter(answer="joined").join(_read_planned(connection), on="launch")
    if community is not None:
        joined = joined.filter(community=community)
    first = joined.sort("answered_on", "launch").unique(["customer_id", "community"], keep="first")
    return first.select("customer_id", "community", "launch", pl.col("answered_on").alias("joined_on")).sort("customer_id", "community")


def list_refused_for_good(ledger: Ledger, as_of: date) -> pl.DataFrame:
    """List who does not want to be asked again by any launch: ``customer_id``, ``launch`` and ``refused_on``, of the last time.

    Who joined later, in whatever launch, is not among them.
    """
    with connect_reader(ledger) as connection:
        current = _read_current(connection, None, as_of).sort("answered_on", "launch")
    joined = current.filter(answer="joined").group_by("customer_id").agg(pl.col("answered_on").max().alias("joined_on"))
    refused = current.filter(answer="refused_for_good").unique("customer_id", keep="last").join(joined, on="customer_id", how="left")
    still = refused.filter((pl.col("joined_on") <= pl.col("answered_on")).fill_null(value=True))
    return still.select("customer_id", "launch", pl.col("answered_on").alias("refused_on")).sort("customer_id")


def list_last_words(ledger: Ledger, launch: str, as_of: date, *, community: str) -> pl.DataFrame:
    """List by customer what calls came to in the end: ``agreed_on``, ``refused_on`` and ``wrong_number_on``, null where it was not that.

    What somebody said last to any other launch counts; to have agreed, to those of the community alone. A number that was wrong is so
    for this launch too, until somebody is reached or at least rung again.
    """
    with connect_reader(ledger) as connection:
        rows = (
            _read_answers(connection, None, as_of).join(_read_planned(connection), on="launch").sort(*by_time(), "launch", nulls_last=False)
        )
    last = rows.filter("last").unique("customer_id", keep="last", maintain_order=True)
    told = rows.filter("told", pl.col("launch") != launch)
    here = told.filter(community=community)

    def those(rows: pl.DataFrame, answer: str) -> pl.DataFrame:
        latest = rows.unique("customer_id", keep="last", maintain_order=True).filter(answer=answer)
        return latest.select("customer_id", pl.col("answered_on").alias(f"{answer}_on"))

    found = pl.concat([those(here, "agreed"), those(told, "refused"), those(last, "wrong_number")], how="align")
    return found.sort("customer_id")


def list_answers(ledger: Ledger, launch: str | None = None, *, before: date | None = None) -> pl.DataFrame:
    """List every answer ever read, also those that a later one replaced: ``current`` says which is the customer's answer to the launch.

    ``number`` counts from 1 in each launch, as they were read. With each stands the invitation as it was when the answer was read;
    its ``status`` is null for who was never in the plan.
    """
    with connect_reader(ledger) as connection:
        return _read_answers(connection, launch, before).drop("standing", "last", "told")


def list_invitations(ledger: Ledger, launch: str | None = None, *, before: date | None = None) -> pl.DataFrame:
    """Give one flat row for each launch and customer: who was invited or held out, why, and what came of it; see `tables.INVITED`.

    An answer belongs to the invitation that it was given to: where there is one, the columns are of that, and ``in_plan`` says whether
    the launch's present plan has the customer still. Answers from `before` on, and launches of a later as-of date, do not count.
    """
    from sqlalchemy import select

    plans, planned = table("plans"), table("invitations")
    query = select(plans.c.launch, planned).join(plans, plans.c.id == planned.c.plan).where(plans.c.state == PLANNED)
    if launch is not None:
        query = query.where(plans.c.launch == launch)
    with connect_reader(ledger) as connection:
        present = _read(connection, query, {"launch": pl.String(), **INVITATION})
        answers, known = _read_current(connection, launch, before), _read_planned(connection)
    if before is not None:
        known = known.filter(pl.col("as_of") <= before)
    key = ["launch", "customer_id"]
    both = present.with_columns(in_plan=True).join(answers, on=key, how="full", coalesce=True, suffix="_then")
    then = pl.col("status_then").is_not_null()
    of_then = {name: pl.when(then).then(f"{name}_then").otherwise(name) for name in SNAPSHOT}
    of_then |= {
        "channel": pl.coalesce("channel_then", "channel"),
        "group": pl.coalesce(of_then["group"], "group_then"),
    }  # also the unasked's
    rows = both.with_columns(pl.col("in_plan").fill_null(value=False), **of_then)
    return rows.join(known, on="launch").select(*known.columns, "customer_id", "in_plan", *SNAPSHOT, *_ANSWER_COLUMNS).sort(key)


def _read_planned(connection: "Connection | None") -> pl.DataFrame:
    from sqlalchemy import select

    plans = table("plans")
    schema = {name: _LAUNCH[name] for name in ("launch", "community", "as_of", "ends_on")}
    return _read(connection, select(plans).where(plans.c.state == PLANNED), schema)


def _read_answers(connection: "Connection | None", launch: str | None, before: date | None) -> pl.DataFrame:
    from sqlalchemy import select

    answers = table("answers")
    query = select(answers)
    if launch is not None:
        query = query.where(answers.c.launch == launch)
    if before is not None:
        query = query.where(answers.c.answered_on < before)
    if connection is None:
        return pl.DataFrame(schema={**ANSWER_ROW, **dict.fromkeys(("standing", "last", "told", "current"), pl.Boolean())})
    return read_answers(connection, query)


def _read_current(connection: "Connection | None", launch: str | None, before: date | None) -> pl.DataFrame:
    """Give each customer's current answer to each launch, see `count_calls`."""
    return count_calls(_read_answers(connection, launch, before))


def count_calls(answers: pl.DataFrame) -> pl.DataFrame:
    """Give of answers, as `mark_current` gives them, those that are current, with the ``calls`` before and those ``missed`` since.

    Who brought somebody stands with them, whichever answer said it last.
    """
    rows, key = answers.filter("standing"), ["launch", "customer_id"]
    days = rows.group_by(*key, "answered_on").agg(
        pl.col("attempts").max().fill_null(1).alias("calls"),
        reached=pl.col("answer").is_in(REACHED).any(),
        missed=(~pl.col("answer").is_in(REACHED)).any(),
    )
    since = (pl.col("answered_on") > pl.col("answered_on").filter("reached").max()).fill_null(value=True)
    counted = days.group_by(key).agg(pl.col("calls").sum(), pl.col("calls").filter(since, "missed").sum().alias("missed"))
    brought = rows.drop_nulls("brought_by").unique(key, keep="last", maintain_order=True).select(*key, "brought_by")
    current = rows.filter("current").drop("current", "standing", "last", "told", "attempts", "brought_by")
    return current.join(brought, on=key, how="left").join(counted, on=key, how="left", validate="1:1")


def _read(connection: "Connection | None", query: "Select[tuple[object, ...]]", schema: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema) if connection is None else read_frame(connection, query, schema)
