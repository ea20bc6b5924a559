"""The minimum detectable effect of a control group, known before the launch.

Customers of the last `horizon_days` before the launch stand for those after it: their mean spend, its variance, and what of it strata
and still earlier spend explain, as the measured lift takes that out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import polars as pl

from segmenter.errors import ConfigError
from segmenter.evaluation.lift_sums import MIN_UNITS, Stratum, Sums, combine, fit_slope, subtract_means, sum_arms, sum_squared_deviations
from segmenter.messages import Message

ENOUGH = 500  # customers held out: below, one large buyer more or less decides


@dataclass(frozen=True)
class ExpectedSpend:
    """What can be expected of those who may be invited, if nobody were.

    Parameters
    ----------
    mean : float
        Spend per customer within the horizon, in minor units.
    variance : float
        Of spend between the units that are held out, in squared minor units.
    explained : float
        The share of the variance that strata and past spend explain, 0 to 1.
    """

    mean: float
    variance: float
    explained: float


@dataclass(frozen=True)
class DetectableEffect:
    """The smallest effect that a control group can show.

    Parameters
    ----------
    share : float
        Held out.
    held_out : int
        Customers, or regions.
    effect : float
        Per customer invited, in minor units.
    percent : float or None
        Of the mean spend; None where that is not above 0.
    """

    share: float
    held_out: int
    effect: float
    percent: float | None


def expect_spend(frame: pl.DataFrame) -> ExpectedSpend:
    """Learn from the last horizon before the launch what to expect.

    Parameters
    ----------
    frame : DataFrame
        One row per customer who may be invited, two or more: ``spend`` (Int64, minor units within the last horizon before the launch),
        ``before`` (Int64, minor units before that) and ``stratum`` (String); or ``cluster`` (String, the region) where whole
        regions are held out. No nulls.

    Returns
    -------
    ExpectedSpend
        Where there is a ``cluster``, the variance is that between regions of the mean over customers, as of a ratio [1]_.

    References
    ----------
    .. [1] Cochran, W. G. (1977). Sampling Techniques, 3rd ed., Wiley, section 6.

    Examples
    --------
    >>> expect_spend(pl.DataFrame({"stratum": ["a"] * 4, "spend": [0, 400, 200, 600], "before": [0, 300, 300, 600]}))
    ExpectedSpend(mean=300.0, variance=66666.66666666667, explained=0.9)
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


def solve_detectable_effect(
    units: int, share: float, expected: ExpectedSpend, *, power: float = 0.8, alpha: float = 0.05
) -> DetectableEffect:
    """Give the smallest effect that a control group can show, by the power of the two-sided t test.

    Parameters
    ----------
    units : int
        Customers of the launch, held out ones included; or regions, where whole regions are held out.
    share : float
        Held out, above 0 and below 1.
    expected : ExpectedSpend
        From `expect_spend`.
    power : float
        The chance to show the effect, if it is there.
    alpha : float
        The chance to show one that is not.

    Returns
    -------
    DetectableEffect
        In money and in per cent.

    Raises
    ------
    ConfigError
        The share leaves fewer than 2 on a side.

    Examples
    --------
    >>> found = solve_detectable_effect(20_000, 0.1, ExpectedSpend(mean=5_000, variance=20_000.0**2, explained=0.2))
    >>> found.held_out, round(found.effect), round(found.percent, 1)
    (2000, 1181, 23.6)
    """
    from numpy import nan_to_num
    from scipy.optimize import brentq
    from statsmodels.stats.power import TTestIndPower

    held_out = round(share * units)
    if min(held_out, units - held_out) < MIN_UNITS:
        rule = "plan.holdout: should leave at least {min} on either side (got {held_out} of {units} held out); choose another share"
        raise ConfigError(Message("lift.small_holdout", rule, min=MIN_UNITS, held_out=held_out, units=units))
    # Its own solve_power finds no root for some sizes, such as 96 of 478: far beyond the root the noncentral t is no number any more.
    test, ratio = TTestIndPower(), (units - held_out) / held_out

    def beyond(effect: float) -> float:
        return float(nan_to_num(test.power(effect, held_out, alpha, ratio), nan=1.0)) - power

    high = (1 / held_out + 1 / (units - held_out)) ** 0.5
    while beyond(high) < 0:
        high *= 1.25
    size = brentq(beyond, 0.0, high, xtol=1e-12)
    effect = float(size) * (expected.variance * (1 - expected.explained)) ** 0.5
    return DetectableEffect(share, held_out, effect, 100 * effect / expected.mean if expected.mean > 0 else None)


def _vary_between(regions: Sequence[Sums], everyone: Sums, slope: float) -> float:
    apart = (len(regions) * region.customers / everyone.customers * subtract_means(region, everyone, slope) for region in regions)
    return fsum(distance**2 for distance in apart) / max(len(regions) - 1, 1)
