"""A launch that runs and is planned again: who was called and the control group stay to the person; only what is ahead may change."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.messages import Message
from segmenter.planning.candidates import list_candidates
from segmenter.planning.choice import SIZE
from segmenter.planning.control_group import HELD_OUT
from segmenter.planning.join_chances import JoinChances
from segmenter.planning.schedule import schedule
from segmenter.regions.region_names import region_of
from segmenter.rules import ELIGIBLE
from segmenter.settings import CoreSettings, SimplePlan
from segmenter.tables import DECIDED

_SLOT = ("unit", "wave", "group", "agent", "call_on")
AREA = pl.col("group").str.replace(r"-?\d+$", "")  # whose groups they are


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
    """Keep what was done and promised, drop who may not be invited any more, and fill their places with the next best for the group.

    Where `plan.size` has been raised since, others come into what places the groups have left.

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
    free = _free(frame, settings, own)
    added = _fill(free, dropped)
    more, asked, late = _more(free.join(added, on="row", how="anti", maintain_order="left"), settings, kept, added.height, chances, as_of)
    invited = pl.concat(
        [stay, *(part.select(pl.col(name).cast(dtype) for name, dtype in stay.schema.items()) for part in (added, more))]
    ).with_columns(
        rank=pl.struct(-pl.col("score").fill_null(0), "row").rank("ordinal").cast(pl.Int32),
        number=pl.col("group").str.extract(r"(\d+)$").cast(pl.Int64),
        invited=True,
    )
    invited = invited.with_columns(chances.chance(invited["score"])).sort("rank")
    held_rows = kept.filter(held, pl.col("row").is_not_null()).select("row", "stratum", held_out=True, left_out=pl.lit(HELD_OUT))
    rest = numbered.filter(verdict=ELIGIBLE).join(pl.concat([invited.select("row"), held_rows.select("row")]), on="row", how="anti")
    others = pl.concat([held_rows, rest.select("row", stratum=pl.lit(None, dtype=pl.String), held_out=False, left_out=pl.lit(SIZE))])
    return RunningPlan(invited, others, kept["customer_id"], (_summary(own, kept, dropped, added, as_of), *asked), (*_absent(kept), *late))


def still_ahead(invited: pl.DataFrame, own: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Give who is still to be called: whose day has come, and who has answered, stand on the lists that the agents have."""
    answered = own.filter(pl.col("answer").is_not_null())["customer_id"]
    return invited.filter(pl.col("call_on") >= as_of, ~pl.col("customer_id").is_in(answered.implode()))


def _free(frame: pl.DataFrame, settings: CoreSettings, own: pl.DataFrame) -> pl.DataFrame:
    """List who may be invited besides, the best first, with the ``area`` of the groups that have most of their region."""
    plan = settings.plan
    if not isinstance(plan, SimplePlan):  # an allocated plan balanced its groups
        return list_candidates(frame.clear(), settings).with_columns(area=pl.lit(None, dtype=pl.String))
    home, region = (pl.lit("") if plan.by_region == "none" else of.fill_null("") for of in (region_of(plan), pl.col("region")))
    homes = own.filter(status="planned").select(home=region, area=AREA).group_by("home", "area").len()
    homes = homes.sort("len", "area", descending=[True, False]).unique("home", keep="first", maintain_order=True).drop("len")
    everyone = settings.model_copy(update={"plan": plan.model_copy(update={"size": "all"})})
    free = list_candidates(frame, everyone).filter(~pl.col("drawn")).join(own, on="customer_id", how="anti", maintain_order="left")
    return free.with_columns(home=home).join(homes, on="home", how="inner", maintain_order="left")


def _fill(free: pl.DataFrame, dropped: pl.DataFrame) -> pl.DataFrame:
    """Give the places of who is dropped to the next best for their groups."""
    slots = dropped.select(*_SLOT[1:-1], pl.col("planned_at").alias("call_on"), area=AREA)
    return _place(free, slots.sort("area", *_SLOT[1:], nulls_last=True))


def _place(free: pl.DataFrame, slots: pl.DataFrame) -> pl.DataFrame:
    """Give the places of each area, in their order, to its best."""
    turn = pl.int_range(pl.len()).over("area").alias("turn")
    waiting, slots = free.drop(_SLOT[1:], strict=False).with_columns(turn), slots.with_columns(turn)
    return waiting.join(slots, on=["area", "turn"], how="inner", maintain_order="left")


def _more(
    free: pl.DataFrame, settings: CoreSettings, kept: pl.DataFrame, added: int, chances: JoinChances, as_of: date
) -> tuple[pl.DataFrame, tuple[Message, ...], tuple[Message, ...]]:
    """Invite so many more as the plan asks for now, into what places the answers so far leave in the groups, after all calls ahead."""
    plan, planned = settings.plan, kept.filter(status="planned")
    none = free.clear().with_columns(wave=pl.lit(0), group=pl.lit(""), agent=pl.lit(""), call_on=pl.lit(as_of))
    size = plan.size if isinstance(plan, SimplePlan) and isinstance(plan.size, int) else 0
    want = size - planned.height - added
    if want <= 0 or planned.is_empty():
        return none, (), ()
    chance = planned.with_columns(chances.chance(planned["score"]))
    # Whoever agreed needs a place; who has not decided may still come, but not by a dead number.
    answer = pl.col("answer")
    comes = (
        pl.when(answer.is_in(["joined", "agreed"]))
        .then(1.0)
        .when(answer.is_in([*DECIDED, "wrong_number"]))
        .then(0.0)
        .otherwise("join_chance")
    )
    groups = chance.group_by("group").agg(comes.sum().alias("members"), pl.col("join_chance").mean()).sort("group")
    room = ((plan.group_capacity - pl.col("members")) / pl.col("join_chance")).floor().clip(0, want).cast(pl.Int64)
    places = groups.select("group", area=AREA, number=pl.int_ranges(room)).explode("number").drop_nulls().sort("number", "group")
    more = _place(free, places).head(want)
    start = max([as_of, *(day + timedelta(days=1) for day in [planned["planned_at"].max()] if isinstance(day, date))])
    wave = pl.lit(planned["wave"].max()).cast(pl.Int32) + 1
    while not more.is_empty():
        calls = schedule(
            more.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32), region="unit", key_user=True),
            plan.model_copy(update={"start": start}),
            as_of=as_of,
            valid_until=as_of + timedelta(days=settings.launch.valid_days),
            per_account=settings.rules.per_account,
            regions=settings.rules.region,
        )
        called = more.with_columns(calls.customers.select("agent", "call_on").get_columns()).with_columns(wave=wave)
        in_time = called["call_on"] < planned["ends_on"][0]
        if in_time.all():
            return called, (_say_more(more.height, want, size, start),), calls.warnings
        more = more.filter(in_time)
    return none, (_say_more(0, want, size, start),), ()


def _say_more(count: int, want: int, size: int, start: date) -> Message:
    sentence = (
        "plan.size={size} asks for {want:,} more than are invited: {count:,} of them come into places that the groups have left, "
        "called from {start} on, before the launch ends"
    )
    return Message("planning.running_more", sentence, size=size, want=want, count=count, start=start)


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
