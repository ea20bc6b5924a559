"""Whole sums over the arms of a launch's strata, and the effects, variances and slopes that follow: see `lift` for the formulas.

Squares and products are summed as whole numbers of 128 bits, and divided once: no order of rows changes a bit of anything.
"""

from collections.abc import Iterable
from math import fsum
from typing import NamedTuple

import polars as pl

MIN_UNITS = 2  # customers, or regions, in each arm: one has no variance


class Sums(NamedTuple):
    """Whole sums over some customers, in minor units, from which means, variances and covariances follow exactly."""

    customers: int = 0
    spend: int = 0
    before: int = 0
    spend_squared: int = 0
    before_squared: int = 0
    product: int = 0


class Stratum(NamedTuple):
    """A stratum's two arms."""

    invited: Sums
    held_out: Sums


class Difference(NamedTuple):
    """An effect per customer invited, its variance, and the degrees of freedom of its t distribution."""

    effect: float
    variance: float
    degrees: float


def sum_arms(frame: pl.DataFrame, by: str) -> dict[str, Stratum]:
    """Sum each group's two arms, by name, sorted."""
    y, x = pl.col("spend").cast(pl.Int128), pl.col("before").cast(pl.Int128)
    cells = frame.group_by(by, "invited").agg(
        pl.len(), y.sum(), x.sum(), (y * y).sum().alias("yy"), (x * x).sum().alias("xx"), (x * y).sum().alias("xy")
    )
    arms = {(name, invited): Sums(*values) for name, invited, *values in cells.iter_rows()}
    return {name: Stratum(arms.get((name, True), Sums()), arms.get((name, False), Sums())) for name in sorted({name for name, _ in arms})}


def combine(parts: Iterable[Sums]) -> Sums:
    """Combine sums over different customers."""
    return Sums(*(sum(column) for column in zip(Sums(), *parts, strict=True)))


def fit_slope(strata: Iterable[Stratum]) -> float:
    """Give the slope of spend on past spend within strata, over both arms; 0 where past spend does not vary."""
    both = [sums for stratum in strata if (sums := combine(stratum)).customers]
    vary = fsum(_deviations(sums.customers, sums.before, sums.before, sums.before_squared) for sums in both)
    together = fsum(_deviations(sums.customers, sums.before, sums.spend, sums.product) for sums in both)
    return together / vary if vary > 0 else 0.0


def merge_small(strata: dict[str, Stratum]) -> list[Stratum]:
    """Merge strata of which an arm holds fewer than 2 customers.

    Strata are walked from the lowest past spend per customer to the highest. One that is too small takes in the next until it is
    large enough, and at the end joins the one before: strata are merged with those most like them, and what came after the launch
    has no say.
    """
    merged: list[Stratum] = []
    for name in sorted(strata, key=lambda name: (_past(strata[name]), name)):
        if merged and _smaller_arm(merged[-1]) < MIN_UNITS:
            merged[-1] = _merge(merged[-1], strata[name])
        else:
            merged.append(strata[name])
    if len(merged) > 1 and _smaller_arm(merged[-1]) < MIN_UNITS:
        merged[-2:] = [_merge(*merged[-2:])]
    return merged


def sum_squared_deviations(arm: Sums, slope: float) -> float:
    """Sum squared deviations from the mean, of spend less `slope` times past spend, in squared minor units."""
    alone = _deviations(arm.customers, arm.spend, arm.spend, arm.spend_squared)
    if not slope:
        return alone
    together = _deviations(arm.customers, arm.before, arm.spend, arm.product)
    past = _deviations(arm.customers, arm.before, arm.before, arm.before_squared)
    return max(alone + slope * (slope * past - 2 * together), 0.0)


def subtract_means(one: Sums, other: Sums, slope: float) -> float:
    """Subtract means of spend less `slope` times past spend.

    Whole until the one division, so that no digits are lost between two large means.
    """
    size = one.customers * other.customers
    spend = (one.spend * other.customers - other.spend * one.customers) / size
    return spend - slope * ((one.before * other.customers - other.before * one.customers) / size)


def compare_strata(strata: list[Stratum], slope: float, *, pooled: bool) -> Difference:
    """Compare the arms within strata, weighed like the invited; variances are those of the strata, pooled over arms or not."""
    everyone = sum(stratum.invited.customers for stratum in strata)
    effects, variances = [], []
    for stratum in strata:
        weight = stratum.invited.customers / everyone
        effects.append(weight * subtract_means(*stratum, slope))
        sizes = [arm.customers for arm in stratum]
        deviations = [sum_squared_deviations(arm, slope) for arm in stratum]
        if pooled:
            degrees = sum(sizes) - 2
            variances.append((weight**2 * sum(deviations) / degrees * (1 / sizes[0] + 1 / sizes[1]), degrees))
        else:
            variances += [(weight**2 * squares / (size - 1) / size, size - 1) for squares, size in zip(deviations, sizes, strict=True)]
    whole = fsum(variance for variance, _ in variances)
    below = fsum(variance**2 / degrees for variance, degrees in variances)
    return Difference(fsum(effects), whole, whole**2 / below if below > 0 else float(sum(degrees for _, degrees in variances)))


def compare_regions(regions: list[Stratum], slope: float) -> Difference:
    """Compare the arms over regions: CR2 variance, Bell and McCaffrey's degrees of freedom; independent errors are the working model."""
    whole = Stratum(combine(region.invited for region in regions), combine(region.held_out for region in regions))
    variances, traces, pairs = [], [], []
    for arm in range(2):
        everyone, parts = whole[arm], [region[arm] for region in regions if region[arm].customers]
        shares = [part.customers / everyone.customers for part in parts]
        leverage = [1 / (1 - share) for share in shares]
        # A region's weight times how far it lies from the mean of its arm.
        apart = [share * subtract_means(part, everyone, slope) for share, part in zip(shares, parts, strict=True)]
        variances.append(fsum(lever * distance**2 for lever, distance in zip(leverage, apart, strict=True)))
        traces.append(1 / everyone.customers)
        # The sum over all pairs of regions g, h of leverage_g leverage_h (share_g [g = h] - share_g share_h)**2.
        mixed = fsum(lever * share**2 for lever, share in zip(leverage, shares, strict=True)) ** 2
        own = fsum((lever * share) ** 2 * (1 - 2 * share) for lever, share in zip(leverage, shares, strict=True))
        pairs.append((mixed + own) / everyone.customers**2)
    return Difference(subtract_means(*whole, slope), fsum(variances), sum(traces) ** 2 / sum(pairs))


def _deviations(customers: int, one: int, other: int, product: int) -> float:
    """Sum the products of deviations from the means: whole until the one division."""
    return (customers * product - one * other) / customers


def _past(stratum: Stratum) -> float:
    return (stratum.invited.before + stratum.held_out.before) / (stratum.invited.customers + stratum.held_out.customers)


def _smaller_arm(stratum: Stratum) -> int:
    return min(arm.customers for arm in stratum)


def _merge(one: Stratum, other: Stratum) -> Stratum:
    return Stratum(combine([one.invited, other.invited]), combine([one.held_out, other.held_out]))
