"""What casts doubt on a measured lift."""

import polars as pl

from segmenter.evaluation.lift import Lift, estimate_lift
from segmenter.evaluation.power import ENOUGH
from segmenter.messages import Message

DOUBTFUL = 0.001  # a p-value below it is hardly chance: looked at after every launch, it must not cry wolf
FEW_REGIONS = 5


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
