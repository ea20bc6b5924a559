"""Whole sums over the arms of a launch's strata, from which means, variances and slopes follow.

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


def _deviations(customers: int, one: int, other: int, product: int) -> float:
    """Sum the products of deviations from the means: whole until the one division."""
    return (customers * product - one * other) / customers


def _past(stratum: Stratum) -> float:
    return (stratum.invited.before + stratum.held_out.before) / (stratum.invited.customers + stratum.held_out.customers)


def _smaller_arm(stratum: Stratum) -> int:
    return min(arm.customers for arm in stratum)


def _merge(one: Stratum, other: Stratum) -> Stratum:
    return Stratum(combine([one.invited, other.invited]), combine([one.held_out, other.held_out]))
