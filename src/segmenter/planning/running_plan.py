"""A launch that runs and is planned again: who was called and the control group stay to the person; only what is ahead may change."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from segmenter.messages import Message
from segmenter.planning.candidates import list_candidates
from segmenter.planning.choice import SIZE
from segmenter.planning.control_group import HELD_OUT
from segmenter.planning.join_chances import JoinChances
from segmenter.rules import ELIGIBLE
from segmenter.settings import CoreSettings, SimplePlan

_SLOT = ("unit", "wave", "group", "agent", "call_on")


@dataclass(frozen=True)
class RunningPlan:
    """What a running launch's plan becomes.

    `invitations` and `others` are as `planner` wants them: rows of the frame with what was decided. `kept` are the ids whose rows in the
    ledger stay as they are, those whom the frame does not know any more among them.
    """

    invitations: pl.DataFrame
    others: pl.DataFrame
    kept: pl.Series
    notes: tuple[Message, ...]
    warnings: tuple[Message, ...]


def replan(frame: pl.DataFrame, settings: CoreSettings, own: pl.DataFrame, chances: JoinChances, as_of: date) -> RunningPlan:
    """Keep what was done and promised, drop who may not be invited any more, and fill their places with the next best of the region.

    `own` is the plan as the ledger has it (`tables.INVITED`). Who is new comes into no control group: that was drawn when it began.
    """
    numbered = frame.select("customer_id", "verdict", "score", "spend", row=pl.int_range(pl.len()))
    known = own.join(numbered, on="customer_id", how="left", suffix="_now", maintain_order="left")
    held, ahead = pl.col("status") == "held_out", (pl.col("planned_at") >= as_of) & pl.col("answer").is_null()
    dropped = known.filter(~held, ahead, (pl.col("verdict") != ELIGIBLE).fill_null(value=True))
    kept = known.join(dropped, on="customer_id", how="anti", maintain_order="left")
    stay = kept.filter(~held, pl.col("row").is_not_null()).select(
        "row",
        "stratum",
        "spend",
        pl.col("score_now").alias("score"),
        pl.col("region").alias("unit"),
        *_SLOT[1:-1],
        pl.col("planned_at").alias("call_on"),
    )
    added = _fill(frame, settings, own, dropped)
    invited = pl.concat([stay, added.select(stay.columns)]).with_columns(
        rank=pl.struct(-pl.col("score").fill_null(0), "row").rank("ordinal").cast(pl.Int32),
        number=pl.col("group").str.extract(r"(\d+)$").cast(pl.Int64),
        invited=True,
    )
    invited = invited.with_columns(chances.chance(invited["score"])).sort("rank")
    held_rows = kept.filter(held, pl.col("row").is_not_null()).select("row", "stratum", held_out=True, left_out=pl.lit(HELD_OUT))
    rest = numbered.filter(verdict=ELIGIBLE).join(pl.concat([invited.select("row"), held_rows.select("row")]), on="row", how="anti")
    others = pl.concat([held_rows, rest.select("row", stratum=pl.lit(None, dtype=pl.String), held_out=False, left_out=pl.lit(SIZE))])
    return RunningPlan(invited, others, kept["customer_id"], (_summary(own, kept, dropped, added, as_of),), _absent(kept))


def still_ahead(invited: pl.DataFrame, own: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Give who is still to be called: whose day has come, and who has answered, stand on the lists that the agents have."""
    answered = own.filter(pl.col("answer").is_not_null())["customer_id"]
    return invited.filter(pl.col("call_on") >= as_of, ~pl.col("customer_id").is_in(answered.implode()))


def _fill(frame: pl.DataFrame, settings: CoreSettings, own: pl.DataFrame, dropped: pl.DataFrame) -> pl.DataFrame:
    """Give the places of who is dropped to the next best of the same region; but not where an allocated plan balanced its groups."""
    slots = dropped.select(pl.col("region").alias("unit"), *_SLOT[1:-1], pl.col("planned_at").alias("call_on"))
    slots = slots.sort(*_SLOT, nulls_last=True).with_columns(turn=pl.int_range(pl.len()).over("unit"))
    plan = settings.plan
    if not isinstance(plan, SimplePlan):
        slots = slots.clear()
    everyone = settings.model_copy(update={"plan": plan.model_copy(update={"size": "all"})}) if isinstance(plan, SimplePlan) else settings
    free = list_candidates(frame, everyone).filter(~pl.col("drawn")).join(own, on="customer_id", how="anti", maintain_order="left")
    free = free.with_columns(turn=pl.int_range(pl.len()).over("unit"))
    return free.select("row", "stratum", "spend", "score", "unit", "turn").join(
        slots, on=["unit", "turn"], how="inner", maintain_order="left"
    )


def _summary(own: pl.DataFrame, kept: pl.DataFrame, dropped: pl.DataFrame, added: pl.DataFrame, as_of: date) -> Message:
    sentence = (
        "{launch} runs since {began}: {called:,} who were called and {held:,} of the control group stay as they are, {ahead:,} are still "
        "ahead, {dropped:,} are dropped as they may not be invited any more, {added:,} come in their places"
    )
    planned = kept.filter(status="planned")
    ahead = planned.filter(pl.col("planned_at") >= as_of).height
    facts = {"launch": own["launch"][0], "began": own["as_of"][0], "called": planned.height - ahead, "held": kept.height - planned.height}
    return Message("planning.running", sentence, ahead=ahead, dropped=dropped.height, added=added.height, **facts)


def _absent(kept: pl.DataFrame) -> tuple[Message, ...]:
    if not (count := kept["row"].null_count()):
        return ()
    sentence = "{count:,} of the running launch are not among the customers any more: the ledger keeps them, the lists do not have them"
    return (Message("planning.running_absent", sentence, count=count),)
