"""How the simulated shop's customers answer: who is reached at which hour, what they say, and what a second call changes.

Each draw belongs to a customer, and to the day or to how often they were reached: whoever else is called, the same calls have the same
answers.
"""

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.demo.customers import Floats, Ints
from segmenter.hashing import uniform
from segmenter.tables import REACHED

CALLS = pl.Schema(  # a row per call that was made
    {
        "customer_id": pl.String(),
        "called_on": pl.Date(),
        "hour": pl.Int64(),
        "answer": pl.String(),  # see `tables.ANSWERS`
        "call_on": pl.Date(),  # when they asked to be called again
        "new_phone": pl.String(),
        # What only the simulator knows.
        "attempt": pl.Int64(),
        "chance": pl.Float64(),  # that this call brings them into the group, by all that was drawn before it
        "joins_on": pl.Date(),  # where it does: that day, or one of the next, by themselves
        "joined_by": pl.String(),  # where it does: first_call, or what was known before: not_reached, call_back, thinking, agreed
    }
)
DEAD, _LEFT = 0.05, 0.05  # numbers that are wrong, and calls that an agent does not get to, where nobody would join
_MISSED = 0.45  # of those who would not join: the chance to reach nobody, on average over the hours
_HOURS = np.arange(9, 21)
_CALLED = np.array([8, 10, 10, 4, 4, 8, 10, 10, 8, 6, 6, 4])  # when agents call
_MISSES = np.array([0.8, 0.9, 1.0, 1.5, 1.4, 1.0, 0.9, 1.0, 1.2, 1.0, 0.8, 0.7])  # at noon nobody answers
_MISSES = _MISSES / np.average(_MISSES, weights=_CALLED)
_SAME_HOUR, _ATTEMPT = 1.25, 0.15  # by how much more are missed at the same hour again, and at each further attempt
_AT_ONCE = 0.75  # of those who say yes; the others agree, and come by themselves within four days
_SAID = ("refused", "refused_for_good", "agreed", "thinking", "call_back")  # by those who do not say yes when first reached,
_SHARES = (0.60, 0.06, 0.08, 0.10, 0.16)  # and how many say so; who agrees now forgets it
_AGAIN = {  # what comes of it when they are reached again: joined, the same, thinking, and else refused
    "agreed": (0.55, 0.20, 0.0),
    "thinking": (0.25, 0.25, 0.0),
    "call_back": (0.40, 0.10, 0.15),
}
_NEW_PHONE = 0.02, 0.3  # who tells another one: of those reached, of wrong numbers


def answer_day(calls: pl.DataFrame, day: date, truth: pl.DataFrame, past: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Give what the customers say who are called on a day, as `CALLS`; whom an agent does not get to is not in it.

    `calls` has ``customer_id``, each once, and may have ``hour``: where it is null, an agent takes one, and another than they missed
    somebody at. `past` are the calls so far (`CALLS`): those from `day` on do not matter.
    """
    hour = pl.col("hour").cast(pl.Int64) if "hour" in calls.columns else pl.lit(None, dtype=pl.Int64).alias("hour")
    asked = calls.select("customer_id", hour).join(truth.select("customer_id", "join_probability"), on="customer_id", validate="1:1")
    asked = asked.join(_remember(past.filter(pl.col("called_on") < day)), on="customer_id", how="left").sort("customer_id")
    ids, willing = asked["customer_id"], asked["join_probability"].to_numpy()

    def drawn(purpose: str) -> Floats:
        found: Floats = uniform(ids, seed, f"demo {purpose}").to_numpy()
        return found

    tried, reached = (asked[name].fill_null(0).to_numpy() for name in ("tried", "reached"))
    missed_at, before = asked["missed_at"].fill_null(-1).to_numpy(), asked["said"].fill_null("").to_numpy()
    free = _HOURS[np.searchsorted(np.cumsum(_CALLED)[:-1] / _CALLED.sum(), drawn(f"hour {day}"), side="right")]
    free = np.where(free == missed_at, np.where(free > 14, free - 5, free + 5), free)
    hours = asked["hour"].fill_null(pl.Series(free)).to_numpy()
    missing = miss_chance(willing, hours, tried + 1, hours == missed_at)
    dead = (drawn("dead number") < DEAD * (1 - willing)) & ~asked["new_phone"].fill_null(value=False).to_numpy()
    missed = drawn(f"missed {day}") < missing

    yes = yes_chance(willing)
    ready, at_once = drawn("joins") < yes, drawn("at once") < _AT_ONCE
    first = np.asarray(_SAID)[np.searchsorted(np.cumsum(_SHARES[:-1]), drawn("otherwise"), side="right")]
    first = np.where(ready, np.where(at_once, "joined", "agreed"), first)
    there = (asked["joins_on"] <= day).fill_null(value=False).to_numpy()
    turn = uniform(pl.select(pl.format("{}:{}", ids, pl.Series(reached))).to_series(), seed, "demo again").to_numpy()
    later = np.select(
        [there, ready, *(before == name for name in _AGAIN)], ["joined", "agreed", *(_turn(turn, name) for name in _AGAIN)], before
    )
    said = np.where(reached == 0, first, later)
    answer = np.where(dead, "wrong_number", np.where(missed, "not_reached", said))
    spoke = ~dead & ~missed
    wins = spoke & np.where(reached == 0, ready, (said == "joined") & ~there)
    alone = wins & (answer == "agreed")
    again = np.select([~ready & (before == name) for name in _AGAIN], [shares[0] for shares in _AGAIN.values()], 0.0)
    unknown = np.where(tried == 0, 1 - DEAD * (1 - willing), 1.0)  # who was missed has a number that works
    told = drawn(f"new phone {day}") < np.where(dead, _NEW_PHONE[1], _NEW_PHONE[0] * spoke)
    joins = np.where(wins, np.where(alone, 1 + (4 * drawn("comes")).astype(np.int64), 0), -1)
    back = np.where((answer == "call_back") & (drawn(f"names a day {day}") < 0.8), 1 + (7 * drawn(f"when {day}")).astype(np.int64), -1)
    by = np.where(tried == 0, "first_call", np.where(reached == 0, "not_reached", before))
    number = (drawn(f"number {day}") * 10**8).astype(np.int64)
    made = asked.select(
        "customer_id",
        called_on=pl.lit(day),
        hour=pl.Series(hours),
        answer=pl.Series(answer),
        call_on=_later(day, back),
        new_phone=pl.when(pl.Series(told)).then("147" + pl.Series(number).cast(pl.String).str.zfill(8)),
        attempt=pl.Series(tried + 1),
        chance=pl.Series((1 - missing) * np.where(reached == 0, unknown * yes, again)),
        joins_on=_later(day, joins),
        joined_by=pl.when(pl.Series(wins)).then(pl.Series(by)),
    )
    return made.filter(pl.Series(drawn(f"left undone {day}") >= _LEFT * (1 - willing))).cast(CALLS)


def _turn(drawn: Floats, said: str) -> NDArray[np.str_]:
    """Say what comes of it when they are reached again who said something the last time."""
    edges = np.cumsum(_AGAIN[said])
    return np.asarray(["joined", said, "thinking", "refused"])[np.searchsorted(edges, drawn, side="right")]


def _later(day: date, days: Ints) -> pl.Series:
    """Give a day so many days later; none where they are negative."""
    when = pl.Series(days)
    return pl.select(pl.when(when >= 0).then(pl.lit(day) + pl.duration(days=pl.lit(when)))).to_series()


def miss_chance(willing: Floats, hour: Ints, attempt: Ints, same_hour: Ints) -> Floats:
    """Give the chance to reach nobody, by the chance to join, the hour, the attempt (from 1) and whether it is that of the last one."""
    usual = _MISSED * (1 - willing) * _MISSES[np.clip(hour - _HOURS[0], 0, len(_HOURS) - 1)]
    chance: Floats = np.minimum(usual * (1 + _ATTEMPT * (attempt - 1)) * np.where(same_hour, _SAME_HOUR, 1), 0.95)
    return chance


def yes_chance(willing: Floats) -> Floats:
    """Give the chance to say yes when first reached: ``join_probability`` is that to be called, reached and say yes at the first call."""
    others = 1 - willing
    yes: Floats = np.minimum(willing / ((1 - DEAD * others) * (1 - _LEFT * others) * (1 - _MISSED * others)), 1)
    return yes


def call_month(truth: pl.DataFrame, invited: pl.DataFrame, as_of: date, days: int, *, attempts: int, seed: int) -> pl.DataFrame:
    """Call the invited, within two days of ``call_on``, through a number of days; with more than one attempt, also those left open.

    Who was not reached is called again on the next day; who asked for a day, on it; who has agreed after two days, who thinks after four.
    """
    planned = invited.select("customer_id", "call_on")
    wait = uniform(planned["customer_id"], seed, "demo waits") * 3
    planned = planned.with_columns(pl.col("call_on") + pl.duration(days=pl.lit(wait.cast(pl.Int64))))
    calls = CALLS.to_frame()
    for day in (as_of + timedelta(days=number) for number in range(days)):
        if attempts == 1:
            due = planned.filter(pl.col("call_on") == day)
        else:
            due = pl.concat(
                [planned.filter(pl.col("call_on") <= day).join(calls, on="customer_id", how="anti"), _due(calls, day, attempts)]
            )
        calls = pl.concat([calls, answer_day(due.select("customer_id"), day, truth, calls, seed=seed)])
    return calls


def _due(calls: pl.DataFrame, day: date, attempts: int) -> pl.DataFrame:
    """List who is called again on a day, as ``customer_id`` and ``call_on``."""
    each = calls.sort("customer_id", "called_on").group_by("customer_id", maintain_order=True)
    missed = (pl.col("answer") == "not_reached").cast(pl.Int64)
    last = each.agg(pl.col("answer", "called_on", "call_on").last(), missed.sum().alias("missed"), pl.col("joins_on").min())
    pause = pl.col("answer").replace_strict({"not_reached": 1, "call_back": 2, "agreed": 2, "thinking": 4}, default=None)
    when = pl.coalesce("call_on", pl.col("called_on") + pl.duration(days=pause))
    there = (pl.col("joins_on") <= day).fill_null(value=False)
    return last.filter(pause.is_not_null(), when <= day, pl.col("missed") < attempts, ~there).select("customer_id", call_on=when)


def _remember(past: pl.DataFrame) -> pl.DataFrame:
    """Sum up the calls of each customer so far."""
    spoke = pl.col("answer").is_in(REACHED)
    last = pl.col("answer").filter(spoke).last()
    ordered = past.sort("customer_id", "called_on").group_by("customer_id", maintain_order=True)
    return ordered.agg(
        pl.len().cast(pl.Int64).alias("tried"),
        spoke.sum().cast(pl.Int64).alias("reached"),
        pl.when(~spoke.last()).then(pl.col("hour").last()).alias("missed_at"),
        last.alias("said"),
        pl.col("joins_on").min(),
        pl.col("new_phone").is_not_null().any(),
    )
