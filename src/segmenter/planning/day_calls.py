"""Whom to call on a day of a launch that runs: what is overdue, what is due by the plan, and second calls."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.messages import Message
from segmenter.planning.calendar import call_test, calls_by_day, working_day_test
from segmenter.settings import PlanSettings, TodaySettings
from segmenter.tables import REACHED, by_time, is_standing

# Why somebody is called, in the order of calls; those from `again` on are second calls.
KINDS = ("overdue", "call_back", "due", "again", "agreed", "thinking", "silent", "event")
SECOND = KINDS[3:]
# Why nobody calls them any more. The first that holds is said.
OUT = ("held_out", "left_plan", "no_contact", "member", "refused_for_good", "wrong_number", "refused", "attempts", "no_second_calls")
STATES = ("called", "later", "done", "out")
_AHEAD = 31  # days that the next day of calls is looked for
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayCalls:
    """The calls of a day.

    `people` has everybody of the plan once: the columns of `tables.INVITED`, ``said`` (the last answer in which somebody was reached, since
    when and on what day first), ``state`` (`STATES`), ``kind`` (`KINDS`, of who is to be called or waits for it), ``why`` (`OUT`, or
    ``room`` where an agent has no call left), ``due_on``, and ``turn`` (from 1, of an agent's calls). `loads` has for each agent the
    ``calls`` of the day, ``room`` (null where nobody limits it), ``left`` over, and ``next_calls`` and ``next_room``, those of `next_day`.
    """

    day: date
    next_day: date
    people: pl.DataFrame
    loads: pl.DataFrame
    warnings: tuple[Message, ...]

    @property
    def calls(self) -> pl.DataFrame:
        """Who is called on the day, by agent, in their order."""
        return self.people.filter(state="called").sort("agent", "turn", nulls_last=True)


def list_day_calls(
    invited: pl.DataFrame,
    answers: pl.DataFrame,
    *,
    day: date,
    plan: PlanSettings,
    today: TodaySettings,
    barred: pl.DataFrame,
    signs: pl.DataFrame,
    event: bool,
) -> DayCalls:
    """List the calls of a day from what came before it; the same whatever the order of the rows.

    `invited` (`tables.INVITED`) and `answers` (`ledger.list_answers`) are those of the launch. `barred` says ``why`` (`OUT`) nobody may
    call a ``customer_id``; `signs` when customers showed life (``sign_on``) or ordered (``ordered_on``) last; `event` whether there is a
    live event on the day.
    """
    known = _add_history(invited.filter(pl.col("status").is_not_null()), answers.filter(pl.col("answered_on") < day))
    first = barred.sort(pl.col("why").replace_strict(OUT, range(len(OUT)), return_dtype=pl.Int64)).unique("customer_id", keep="first")
    known = known.join(first.select("customer_id", barred="why"), on="customer_id", how="left", validate="m:1")
    known = known.join(signs.select("customer_id", "sign_on", "ordered_on"), on="customer_id", how="left", validate="m:1")
    judged = known.with_columns(_due(today, event=event, day=day)).with_columns(_out(today))
    judged = judged.with_columns(_state(day)).with_columns(pl.when(pl.col("state").is_in(("called", "later"))).then("kind").alias("kind"))
    people, loads, next_day = _share(judged, plan, day)
    strangers = loads.filter(pl.col("agent").is_not_null(), pl.col("room").is_null())["agent"].to_list()
    rule = "plan.agents: does not know {agents}, who have calls in the launch: all of theirs are listed, whatever their days off are"
    warnings = (Message("day.unknown_agents", rule, agents=tuple(strangers)),) if strangers else ()
    return DayCalls(day, next_day, people, loads, warnings)


def last_signs(events: pl.DataFrame, orders: pl.DataFrame, kinds: tuple[str, ...], before: date) -> pl.DataFrame:
    """Say when each customer showed a sign of life last, by events of some kinds, and when they ordered last."""
    seen = events.filter(pl.col("time") < before, pl.col("kind").is_in(kinds)).group_by("customer_id").agg(pl.col("time").max())
    bought = orders.filter(pl.col("time") < before, "is_order").group_by("customer_id").agg(ordered=pl.col("time").max())
    both = seen.join(bought, on="customer_id", how="full", coalesce=True)
    return both.select("customer_id", sign_on=pl.col("time").dt.date(), ordered_on=pl.col("ordered").dt.date())


def _add_history(planned: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Add what stands of all that a customer ever answered: a call in vain takes nothing back of what was said before."""
    key, reached, order = "customer_id", pl.col("answer").is_in(REACHED), pl.col("order")
    rows = answers.filter(is_standing()).sort(key, *by_time(), "number", nulls_last=False)
    rows = rows.with_columns(order=pl.int_range(pl.len()).over(key))
    said = rows.filter(reached).with_columns(run=pl.struct("answer").rle_id().over(key))
    said = (
        said.filter(pl.col("run") == pl.col("run").max().over(key))
        .group_by(key)
        .agg(said=pl.col("answer").last(), said_from=pl.col("answered_on").min())
    )
    days = (
        rows.join(said, on=key, how="left")
        .group_by(key, "answered_on")
        .agg(tries=pl.col("attempts").max().fill_null(1), since=(pl.col("answered_on") > pl.col("said_from")).fill_null(value=True).any())
    )
    tries = days.group_by(key).agg(pl.col("tries").filter("since").sum())

    def last(condition: pl.Expr) -> pl.Expr:
        return order.filter(condition).max().fill_null(-1)

    marks = rows.group_by(key).agg(
        for_good=last(pl.col("answer") == "refused_for_good") > last(pl.col("answer") == "joined"),
        dead=last(pl.col("answer") == "wrong_number") > last(reached),
        joined_on=pl.col("answered_on").filter(pl.col("answer") == "joined").min(),
    )
    found = planned
    for part in (said, tries, marks):
        found = found.join(part, on=key, how="left", validate="m:1")
    return found.with_columns(pl.col("for_good", "dead").fill_null(value=False), pl.col("tries", "missed", "calls").fill_null(0))


def _due(today: TodaySettings, *, event: bool, day: date) -> list[pl.Expr]:
    """Say for what kind of call, and from what day on, a customer waits; no kind where nobody needs to call."""
    answer, said, called = pl.col("answer"), pl.col("said"), pl.col("answered_on")
    joined, asked_back = (said == "joined").fill_null(value=False), pl.col("call_on").is_not_null()
    back = (answer == "call_back").fill_null(value=False) | asked_back
    quiet = pl.col("sign_on").is_null() | (pl.col("sign_on") < pl.col("joined_on"))
    unsold = pl.col("ordered_on").is_null() | (pl.col("ordered_on") < pl.col("joined_on"))
    kind = (
        pl.when(answer.is_null())
        .then(pl.when(pl.col("planned_at") < day).then(pl.lit("overdue")).otherwise(pl.lit("due")))
        .when(joined & unsold & event & (called < day))
        .then(pl.lit("event"))
        .when(joined & quiet)
        .then(pl.lit("silent"))
        .when(joined)
        .then(pl.lit(None, pl.String))
        .when(back)
        .then(pl.lit("call_back"))
        .when(said.is_in(("agreed", "thinking")))
        .then(said)
        .otherwise(pl.lit("again"))
    )
    waits = {"again": today.again_days, "agreed": today.agreed_days, "thinking": today.agreed_days, "silent": today.silent_days}
    wait = pl.duration(days=kind.replace_strict(waits, default=1, return_dtype=pl.Int64))
    # Whoever is silent was never asked for another day.
    due_on = pl.when(answer.is_null()).then("planned_at").when(asked_back & ~joined).then(pl.max_horizontal("call_on", called + _DAY))
    return [kind.alias("kind"), due_on.otherwise(called + wait).cast(pl.Date).alias("due_on")]


def _out(today: TodaySettings) -> pl.Expr:
    """Say why nobody calls a customer any more; null where somebody may."""
    joined = (pl.col("said") == "joined").fill_null(value=False)
    second = pl.col("kind").is_in(SECOND)
    tired = (pl.col("missed") >= today.attempts) | (second & (pl.col("tries") >= today.attempts))
    conditions = {
        "held_out": (pl.col("status") == "held_out") | (pl.col("barred") == "held_out"),
        "left_plan": ~pl.col("in_plan"),
        "no_contact": pl.col("barred") == "no_contact",
        "member": (pl.col("barred") == "member") & ~joined,
        "refused_for_good": pl.col("for_good") | (pl.col("barred") == "refused_for_good"),
        "wrong_number": pl.col("dead"),
        "refused": pl.col("said") == "refused",
        "attempts": tired & ~joined,
        "no_second_calls": pl.lit(not today.second_calls) & second & ~joined,
    }
    said = [pl.when(condition.fill_null(value=False)).then(pl.lit(why)) for why, condition in conditions.items()]
    # Members who are not to be called on are done.
    spared = joined & (tired | pl.lit(not today.second_calls))
    return pl.coalesce(*said, pl.when(spared).then(pl.lit("done")), pl.when(pl.col("kind").is_null()).then(pl.lit("done"))).alias("why")


def _state(day: date) -> list[pl.Expr]:
    state = (
        pl.when(pl.col("why") == "done")
        .then(pl.lit("done"))
        .when(pl.col("why").is_not_null())
        .then(pl.lit("out"))
        .when(pl.col("due_on") <= day)
        .then(pl.lit("called"))
        .otherwise(pl.lit("later"))
    )
    return [state.alias("state"), pl.when(pl.col("why") != "done").then("why").alias("why")]


def _share(judged: pl.DataFrame, plan: PlanSettings, day: date) -> tuple[pl.DataFrame, pl.DataFrame, date]:
    """Let each agent call as many as the day has room for, and say what is left and what comes next."""
    calls, works, is_called = calls_by_day(plan), working_day_test(plan), call_test(plan)
    next_day = next(filter(is_called, (day + ahead * _DAY for ahead in range(1, _AHEAD))), day + _DAY)
    names = [agent.name for agent in plan.agents]
    nobody = None if works(day) else 0
    rooms = pl.DataFrame(
        {"agent": names, "room": calls(day), "next_room": calls(next_day)},
        schema={"agent": pl.String, "room": pl.Int64, "next_room": pl.Int64},
    )
    rank = pl.col("kind").replace_strict(KINDS, range(len(KINDS)), return_dtype=pl.Int64, default=len(KINDS))
    due = pl.col("state") == "called"
    ordered = judged.join(rooms, on="agent", how="left", validate="m:1").with_columns(
        room=pl.col("room").fill_null(nobody) if nobody is not None else "room"
    )
    ordered = ordered.sort("agent", ~due, rank, "due_on", "wave", -pl.col("score").fill_null(0), "customer_id", nulls_last=True)
    ordered = ordered.with_columns(turn=pl.when(due).then(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("agent")))
    late = due & (pl.col("turn") > pl.col("room")).fill_null(value=False)
    people = ordered.with_columns(
        state=pl.when(late).then(pl.lit("later")).otherwise("state"),
        why=pl.when(late).then(pl.lit("room")).otherwise("why"),
        turn=pl.when(~late).then("turn"),
    )
    left = (pl.col("state") == "later") & (pl.col("why") == "room").fill_null(value=False) & (pl.col("kind") != "event")
    counts = (
        people.filter(pl.col("status") != "held_out")
        .group_by("agent")
        .agg(
            calls=(pl.col("state") == "called").sum().cast(pl.Int64),
            left=left.sum().cast(pl.Int64),
            next_calls=(left | ((pl.col("state") == "later") & (pl.col("due_on") <= next_day))).sum().cast(pl.Int64),
        )
    )
    loads = rooms.join(counts, on="agent", how="full", coalesce=True, nulls_equal=True).with_columns(
        pl.col("calls", "left", "next_calls").fill_null(0), pl.col("room").fill_null(nobody) if nobody is not None else "room"
    )
    columns = ("agent", "calls", "room", "left", "next_calls", "next_room")
    return people.drop("room", "next_room").sort("customer_id"), loads.select(columns).sort("agent", nulls_last=True), next_day
