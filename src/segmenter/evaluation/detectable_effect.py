"""What the control group of a launch will be able to show: its minimum detectable effect.

Customers of the last `horizon_days` before the launch stand for those after it: their mean spend, its variance, and what of it strata
and still earlier spend explain, as the measured lift takes that out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal

import polars as pl

from segmenter.evaluation.lift_sums import MIN_UNITS, Stratum, Sums, combine, fit_slope, subtract_means, sum_arms, sum_squared_deviations
from segmenter.messages import Message
from segmenter.money import text
from segmenter.planning.control_group import took_part
from segmenter.regions.region_names import region_of
from segmenter.settings import CoreSettings

ENOUGH = 500  # customers held out: below, one large buyer more or less decides
SHARES = (0.05, 0.10, 0.20)  # that are put beside the launch's own
# The chance to show the effect if it is there, and one that is not.
_POWER, _ALPHA = 0.8, 0.05
_LONG = 45  # days from which on a horizon is more like 90 days than like 30
_MOST = 0.3  # nobody leaves half of the best customers alone


@dataclass(frozen=True)
class ExpectedSpend:
    """What can be expected of those who may be invited, if nobody were."""

    mean: float  # spend per customer within the horizon, in minor units
    variance: float  # of spend between the units that are held out, in squared minor units
    explained: float  # the share of it that strata and past spend explain, 0 to 1


@dataclass(frozen=True)
class DetectableEffect:
    """The smallest effect that a control group can show."""

    share: float  # held out
    held_out: int  # customers, or regions
    effect: float  # per customer invited, in minor units
    percent: float | None  # of the mean spend; None where that is not above 0


def describe_detectable_effect(customers: pl.DataFrame, settings: CoreSettings) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Say before the launch what its control group can show, and in a warning what should be changed.

    How much customers differ is judged by what those of the launch spent last: in the 30 days before it, or in 90 where the horizon is
    longer. As they were chosen for what they did lately, that is rather too much, and so is the minimum detectable effect.
    """
    plan = settings.plan
    whole = plan.holdout_by == "region"
    drawn = customers.filter(pl.col("invited") | pl.col("held_out")).filter(took_part()).with_columns(region_of(plan).alias("cluster"))
    if whole:
        drawn = drawn.drop_nulls("cluster")  # who has no region could not be held out, so there is nobody to compare them with
    unit = "cluster" if whole else "customer_id"
    held, invited = (drawn.filter(arm)[unit].n_unique() for arm in ("held_out", "invited"))
    if min(held, invited) < MIN_UNITS:
        return (_too_few(held, held + invited, holdout=plan.holdout),), ()
    scale = "spend_30d" if settings.launch.horizon_days <= _LONG else "spend_90d"
    past = drawn.select(
        pl.col(scale).alias("spend"),
        (pl.col("spend") - pl.col(scale)).alias("before"),
        pl.col("cluster" if whole else "stratum"),
    )
    return describe_share(held + invited, held / (held + invited), expect_spend(past), settings.launch.currency, by=plan.holdout_by)


def _too_few(held: int, units: int, *, holdout: float) -> Message:
    why: str | Message = Message("lift.small_launch", "the launch is too small") if holdout else "plan.holdout=0"
    few = Message("lift.only_held_out", "Only {held_out} held out of {units:,}", held_out=held, units=units)
    nobody = Message("lift.nobody_held_out", "Nobody is held out")
    rule = "{few} ({why}): what the launch brings cannot be told from what would have come anyway."
    return Message("lift.no_control_group", rule, few=few if held else nobody, why=why)


def describe_share(
    units: int, share: float, expected: ExpectedSpend, currency: str, *, by: Literal["customer", "region"] = "customer"
) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Say what a share to hold out can show, what others could, and in a warning whether it is too small."""
    chosen = solve_detectable_effect(units, share, expected)
    others = [other for other in SHARES if abs(other - share) > 5e-4 and MIN_UNITS <= round(other * units) <= units - MIN_UNITS]
    effect = pl.DataFrame({"effect": [round(chosen.effect)]}).select(text("effect", currency)).item()
    percent = "" if chosen.percent is None else _percent(chosen.percent)
    also = _compare([solve_detectable_effect(units, other, expected) for other in others]) if chosen.percent is not None else ""
    facts = {"share": 100 * round(share, 3), "drawn": _drawn(chosen.held_out, units, by)}
    if expected.variance:
        rule = "Holding out {share:g} % ({drawn}) can show a lift of {effect} per customer or more{percent}{also}."
        note = Message("lift.detectable", rule, **facts, effect=effect, percent=percent, also=also)
    else:
        rule = "Holding out {share:g} % ({drawn}): what lift that can show cannot be told, as they all spent the same lately, or nothing."
        note = Message("lift.undetectable", rule, **facts)
    if by != "customer" or chosen.held_out >= ENOUGH:
        return (note,), ()
    enough: Message = Message("lift.unmeasurable", "A launch this small can hardly be measured.")
    if _MOST * units >= ENOUGH:
        enough = Message("lift.hold_out_more", "Hold out {share:.3g} %, or invite more.", share=100 * ENOUGH / units)
    rule = "Only {held_out:,} customers are held out, fewer than {enough}: a lift can hardly be shown. {way_out}"
    return (note,), (Message("lift.few_held_out", rule, held_out=chosen.held_out, enough=ENOUGH, way_out=enough),)


def _percent(percent: float) -> Message:
    return Message("lift.of_expected", ", {percent:.1f} % of what they are expected to spend", percent=percent)


def _drawn(held_out: int, units: int, by: Literal["customer", "region"]) -> Message:
    if by == "customer":
        return Message("lift.of_customers", "{held_out:,} of {units:,} customers", held_out=held_out, units=units)
    return Message("lift.of_regions", "{held_out:,} of {units:,} regions", held_out=held_out, units=units)


def _compare(others: list[DetectableEffect]) -> Message | str:
    """Put what other shares could show side by side."""
    said: Message | str = ""
    for other in others:
        share = 100 * other.share
        if said:
            said = Message("lift.and_share", "{before}, with {share:g} % {percent:.1f} %", before=said, share=share, percent=other.percent)
        else:
            said = Message("lift.with_share", "; with {share:g} % it would be {percent:.1f} %", share=share, percent=other.percent)
    return said


def expect_spend(frame: pl.DataFrame) -> ExpectedSpend:
    """Learn from the last horizon before the launch what to expect.

    One row per customer who may be invited, two or more, without nulls: ``spend`` (minor units, within that horizon), ``before`` (before
    it) and ``stratum``; or ``cluster``, the region, where whole regions are held out: then the variance is that between regions of the
    mean over customers, as of a ratio (Cochran, 1977, Sampling Techniques, 3rd ed., Wiley, section 6).
    """
    clustered = "cluster" in frame.columns
    arms = sum_arms(frame.with_columns(invited=True), "cluster" if clustered else "stratum")
    groups = [arm.invited for arm in arms.values()]
    everyone = combine(groups)
    if clustered:
        slope = fit_slope([Stratum(everyone, Sums())])
        variance, rest = _vary_between(groups, everyone, 0.0), _vary_between(groups, everyone, slope)
    else:
        slope = fit_slope(Stratum(group, Sums()) for group in groups)
        variance = sum_squared_deviations(everyone, 0.0) / (everyone.customers - 1)
        rest = fsum(sum_squared_deviations(group, slope) for group in groups) / max(everyone.customers - len(groups), 1)
    explained = min(max(1 - rest / variance, 0.0), 1.0) if variance > 0 else 0.0
    return ExpectedSpend(everyone.spend / everyone.customers, variance, explained)


def solve_detectable_effect(units: int, share: float, expected: ExpectedSpend) -> DetectableEffect:
    """Give the smallest effect that a control group can show, by the power of the two-sided t test, in money and in per cent.

    `units` are the launch's customers, held out ones included, or its regions; the share leaves at least 2 on a side.
    """
    from numpy import nan_to_num
    from scipy.optimize import brentq
    from scipy.special import nctdtr, stdtrit

    held_out = round(share * units)
    unit = (1 / held_out + 1 / (units - held_out)) ** 0.5  # the standard error of a difference, in standard deviations
    tail = stdtrit(units - 2, _ALPHA / 2)

    def beyond(effect: float) -> float:
        power = 1 - nctdtr(units - 2, effect / unit, -tail) + nctdtr(units - 2, effect / unit, tail)
        return float(nan_to_num(power, nan=1.0)) - _POWER  # far beyond the root the noncentral t is no number any more

    high = unit
    while beyond(high) < 0:
        high *= 1.25
    size = brentq(beyond, 0.0, high, xtol=1e-12)
    effect = float(size) * (expected.variance * (1 - expected.explained)) ** 0.5
    return DetectableEffect(share, held_out, effect, 100 * effect / expected.mean if expected.mean > 0 else None)


def _vary_between(regions: Sequence[Sums], everyone: Sums, slope: float) -> float:
    apart = (len(regions) * region.customers / everyone.customers * subtract_means(region, everyone, slope) for region in regions)
    return fsum(distance**2 for distance in apart) / max(len(regions) - 1, 1)
