"""The lift of a launch, from its plan and what its customers spent; or why there is none."""

import polars as pl

from segmenter.evaluation.lift import Lift, estimate_lift
from segmenter.evaluation.lift_doubts import find_doubts
from segmenter.evaluation.lift_sums import MIN_UNITS
from segmenter.messages import Message


def measure_launch(
    present: pl.DataFrame, *, days: int, horizon_days: int, holdout: float | None
) -> tuple[Lift | None, Message | None, tuple[Message, ...]]:
    """Measure what a launch's invitations brought; else say why it cannot be; and what casts doubt on it.

    One row for each customer of the launch's present plan: ``customer_id``, ``status`` (``planned`` or ``held_out``), ``stratum`` and
    ``region`` (may be null), ``joined`` (Boolean), ``answer`` (null where there is none), and ``spend`` and ``before``, in minor units,
    since the launch and before it. `holdout` is the share that was to be held out; None where it is not known.
    """
    frame = present.select(
        "customer_id",
        (pl.col("status") == "planned").alias("invited"),
        pl.col("stratum").fill_null(""),
        *("spend", "before", "region", "joined", "answer"),
    )
    if by_region := _whole_regions(frame):
        # Who has no region could not be held out, so there is nobody to compare them with.
        frame = frame.drop_nulls("region").with_columns(pl.col("region").alias("cluster"))
    if why := _too_few(frame, by_region=by_region):
        return None, why, ()
    if (frame["spend"] == 0).all():
        rule = "Neither those invited nor those held out have bought anything since: there is nothing to compare yet."
        return None, Message("lift.nothing_bought", rule), ()
    lift = estimate_lift(frame)
    held = frame.filter(~pl.col("invited"))
    joined = int(held["joined"].sum())
    doubts = find_doubts(frame, lift, share=holdout, days=days, horizon_days=horizon_days, joined=joined)
    if others := held.filter(pl.col("answer").is_not_null() & ~pl.col("joined")).height:
        rule = "{count:,} held-out customers were asked all the same, and did not join: the list was not kept to."
        doubts += (Message("lift.held_out_asked", rule, count=others),)
    return lift, None, doubts


def _whole_regions(frame: pl.DataFrame) -> bool:
    """Tell from who was held out whether regions were drawn: each held out whole or not at all, and more customers than regions."""
    held = frame.filter(~pl.col("invited"))
    mixed = frame.group_by("region").agg(pl.col("invited").n_unique().alias("arms"))["arms"].max()
    return mixed == 1 and not held["region"].has_nulls() and held.height > held["region"].n_unique()


def _too_few(frame: pl.DataFrame, *, by_region: bool) -> Message | None:
    if frame["invited"].all():
        rule = (
            "Nobody was held out, so what the invitation brought cannot be told from what would have come anyway. "
            "Hold out a share of the next launch with plan.holdout=0.1."
        )
        return Message("lift.nobody_was_held_out", rule)
    unit = "region" if by_region else "customer_id"
    held, invited = (frame.filter(pl.col("invited") == arm)[unit].n_unique() for arm in (False, True))
    if min(held, invited) >= MIN_UNITS:
        return None
    if by_region:
        rule = "{invited:,} regions were invited and {held_out:,} held out: too few to measure what the invitation brought."
        return Message("lift.too_few_regions", rule, invited=invited, held_out=held)
    rule = "{invited:,} customers were invited and {held_out:,} held out: too few to measure what the invitation brought."
    return Message("lift.too_few_customers", rule, invited=invited, held_out=held)
