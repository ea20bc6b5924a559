"""The lift of a launch, from its plan and what its customers spent; or why there is none; and what casts doubt on it."""

import polars as pl

from segmenter.evaluation.detectable_effect import ENOUGH
from segmenter.evaluation.lift import Lift, estimate_lift
from segmenter.evaluation.lift_sums import MIN_UNITS
from segmenter.messages import Message
from segmenter.planning.control_group import took_part

DOUBTFUL = 0.001  # a p-value below it is hardly chance: looked at after every launch, it must not cry wolf
FEW_REGIONS = 5


def measure_launch(
    present: pl.DataFrame, *, days: int, horizon_days: int, holdout: float | None
) -> tuple[Lift | None, Message | None, tuple[Message, ...]]:
    """Measure what a launch's invitations brought; else say why it cannot be; and what casts doubt on it.

    One row for each customer of the launch's present plan: ``customer_id``, ``status`` (``planned`` or ``held_out``), ``stratum`` and
    ``region`` (may be null), ``joined`` (Boolean), ``answer`` (null where there is none), and ``spend`` and ``before``, in minor units,
    since the launch and before it. Key users by reach, whom nobody drew, are not compared. `holdout` is the share that was to be held
    out; None where it is not known.
    """
    frame = present.filter(took_part()).select(
        "customer_id",
        (pl.col("status") == "planned").alias("invited"),
        pl.col("stratum").fill_null(""),
        *("spend", "before", "region", "joined", "answer"),
    )
    if by_region := drew_regions(frame):
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
    if lift.measured == "direct" and "brings" in present.columns and present["brings"].count():
        rule = (
            "Key users were to bring others, and may have brought who was held out: the effect is that of an invitation alone, and what "
            "key users brought is not in it. Hold out whole regions to measure both (plan.holdout_by=region)."
        )
        doubts += (Message("lift.without_brought", rule),)
    return lift, None, doubts


def drew_regions(frame: pl.DataFrame) -> bool:
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


def find_doubts(frame: pl.DataFrame, lift: Lift, *, share: float | None, days: int, horizon_days: int, joined: int) -> tuple[Message, ...]:
    """Say what casts doubt on a lift that was estimated on a frame, `days` after the launch.

    The sample ratio is tested against the `share` that was to be held out, exactly, as Fabijan et al. (2019), Diagnosing sample ratio
    mismatch in online controlled experiments, KDD '19, advise; and past spend within strata as the lift is. Both warn where p < .001.
    `joined` is how many held-out customers joined all the same.
    """
    doubts = []
    if days < horizon_days:
        rule = (
            "Only {days} of {horizon} days have passed: figures will still move, and who looks often finds an effect by chance. "
            "Decide on day {horizon}."
        )
        doubts.append(Message("lift.too_early", rule, days=days, horizon=horizon_days))
    if share is not None:
        doubts += _unequal(lift, share)
    doubts += _unbalanced(frame)
    if joined:
        rule = "{joined:,} of the {held_out:,} held-out customers ({percent:.2g} %) joined all the same: the effect shown is too small."
        percent = 100 * joined / lift.held_out
        doubts.append(Message("lift.contaminated", rule, joined=joined, held_out=lift.held_out, percent=percent))
    if lift.held_out < ENOUGH:
        rule = "Only {held_out:,} customers were held out, fewer than {enough}: one large buyer more or less decides."
        doubts.append(Message("lift.few_were_held_out", rule, held_out=lift.held_out, enough=ENOUGH))
    if lift.regions and min(lift.regions_held_out, lift.regions - lift.regions_held_out) < FEW_REGIONS:
        rule = "{held_out} of {regions} regions were held out, with fewer than {few} on a side: one region decides."
        doubts.append(Message("lift.few_regions_a_side", rule, held_out=lift.regions_held_out, regions=lift.regions, few=FEW_REGIONS))
    return tuple(doubts)


def _unequal(lift: Lift, share: float) -> list[Message]:
    from scipy.stats import binomtest

    customers = lift.invited + lift.held_out
    # Regions are unequal by nature: no ratio of customers is expected of them.
    if lift.measured == "total" or binomtest(lift.held_out, customers, share).pvalue >= DOUBTFUL:
        return []
    rule = (
        "{held_out:,} of {customers:,} customers are held out, where the plan has {expected:,.0f}: more than chance explains. Some were "
        "lost or moved between the two, as when a launch is planned anew after the calls began, and the lift may be wrong: find out why "
        "before using it."
    )
    return [Message("lift.unequal", rule, held_out=lift.held_out, customers=customers, expected=share * customers)]


def _unbalanced(frame: pl.DataFrame) -> list[Message]:
    past = estimate_lift(frame.with_columns(spend="before", before=pl.lit(0, pl.Int64)))
    if past.best.p >= DOUBTFUL:
        return []
    level = past.sales / past.invited - past.best.effect  # of the held out, were they spread over strata like the invited
    apart = f" {abs(100 * past.best.effect / level):.2g} %" if level > 0 else ""
    if past.best.effect > 0:
        rule = (
            "Those invited had spent{apart} more than those held out before the launch, by more than chance explains: "
            "the two were not alike, and the lift may be wrong."
        )
        return [Message("lift.invited_spent_more", rule, apart=apart)]
    rule = (
        "Those invited had spent{apart} less than those held out before the launch, by more than chance explains: "
        "the two were not alike, and the lift may be wrong."
    )
    return [Message("lift.invited_spent_less", rule, apart=apart)]
