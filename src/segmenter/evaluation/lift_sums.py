"""Whole sums over the arms of a launch's strata, from which means, variances and slopes follow.

Squares and products are added up as whole numbers of 128 bits, and divided once: no order of rows changes a bit of anything.
"""

from collections.abc import Iterable
from math import fsum
from typing import NamedTuple

import polars as pl

LEAST = 2  # customers in each arm of a stratum: one has no variance


class Sums(NamedTuple):
    """Whole sums over some customers, from which means, variances and covariances follow exactly.

    Parameters
    ----------
    customers : int
        How many.
    spend, before : int
        Sums in minor units.
    spend_squared, before_squared, product : int
        Sums of squares and of spend times before.
    """

    customers: int = 0
    spend: int = 0
    before: int = 0
    spend_squared: int = 0
    before_squared: int = 0
    product: int = 0


class Stratum(NamedTuple):
    """A stratum's two arms.

    Parameters
    ----------
    invited, held_out : Sums
        One each.
    """

    invited: Sums
    held_out: Sums


def sums(frame: pl.DataFrame, by: str) -> dict[str, Stratum]:
    """Add up each group's two arms.

    Parameters
    ----------
    frame : DataFrame
        With `by`, ``invited``, ``spend`` and ``before``.
    by : str
        The column that tells groups apart.

    Returns
    -------
    dict of str to Stratum
        By name, sorted.

    Examples
    --------
    >>> frame = pl.DataFrame({"stratum": ["a", "a"], "invited": [True, False], "spend": [3, 4], "before": [1, 2]})
    >>> sums(frame, "stratum")["a"].held_out
    Sums(customers=1, spend=4, before=2, spend_squared=16, before_squared=4, product=8)
    """
    y, x = pl.col("spend").cast(pl.Int128), pl.col("before").cast(pl.Int128)
    cells = frame.group_by(by, "invited").agg(
        pl.len(), y.sum(), x.sum(), (y * y).sum().alias("yy"), (x * x).sum().alias("xx"), (x * y).sum().alias("xy")
    )
    arms = {(name, invited): Sums(*values) for name, invited, *values in cells.iter_rows()}
    return {name: Stratum(arms.get((name, True), Sums()), arms.get((name, False), Sums())) for name in sorted({name for name, _ in arms})}


def added(parts: Iterable[Sums]) -> Sums:
    """Add sums up.

    Parameters
    ----------
    parts : iterable of Sums
        Of different customers.

    Returns
    -------
    Sums
        Of all of them.

    Examples
    --------
    >>> added([Sums(1, 10), Sums(2, 5)]).spend
    15
    """
    return Sums(*(sum(column) for column in zip(Sums(), *parts, strict=True)))


def theta(strata: Iterable[Stratum]) -> float:
    """Give the slope of spend on past spend within strata, over both arms.

    Parameters
    ----------
    strata : iterable of Stratum
        One or more.

    Returns
    -------
    float
        0 where past spend does not vary.

    Examples
    --------
    >>> theta([Stratum(Sums(2, 6, 2, 36, 4, 12), Sums())])
    3.0
    """
    both = [each for stratum in strata if (each := added(stratum)).customers]
    vary = fsum(_deviations(each.customers, each.before, each.before, each.before_squared) for each in both)
    together = fsum(_deviations(each.customers, each.before, each.spend, each.product) for each in both)
    return together / vary if vary > 0 else 0.0


def merge_small(strata: dict[str, Stratum]) -> list[Stratum]:
    """Merge strata of which an arm holds fewer than 2 customers.

    Strata are walked from the lowest past spend per customer to the highest. One that is too small takes in the next until it is
    large enough, and at the end joins the one before: strata are merged with those most like them, and what came after the launch
    has no say.

    Parameters
    ----------
    strata : dict of str to Stratum
        By name.

    Returns
    -------
    list of Stratum
        Each with at least 2 customers in either arm, or a single one.

    Examples
    --------
    >>> three, one, none = Sums(3), Sums(1), Sums()
    >>> [(each.invited.customers, each.held_out.customers) for each in merge_small({"a": Stratum(three, one), "b": Stratum(three, three)})]
    [(6, 4)]
    """
    merged: list[Stratum] = []
    for name in sorted(strata, key=lambda name: (_past(strata[name]), name)):
        if merged and _smaller_arm(merged[-1]) < LEAST:
            merged[-1] = _joined(merged[-1], strata[name])
        else:
            merged.append(strata[name])
    if len(merged) > 1 and _smaller_arm(merged[-1]) < LEAST:
        merged[-2:] = [_joined(*merged[-2:])]
    return merged


def squares(arm: Sums, slope: float) -> float:
    """Add up squared deviations from the mean, of spend less `slope` times past spend.

    Parameters
    ----------
    arm : Sums
        Of at least 1 customer.
    slope : float
        The `theta`.

    Returns
    -------
    float
        In squared minor units, ≥ 0.

    Examples
    --------
    >>> squares(Sums(2, 6, 2, 36, 4, 12), 0.0)
    18.0
    """
    alone = _deviations(arm.customers, arm.spend, arm.spend, arm.spend_squared)
    if not slope:
        return alone
    together = _deviations(arm.customers, arm.before, arm.spend, arm.product)
    past = _deviations(arm.customers, arm.before, arm.before, arm.before_squared)
    return max(alone + slope * (slope * past - 2 * together), 0.0)


def gap(one: Sums, other: Sums, slope: float) -> float:
    """Subtract means of spend less `slope` times past spend.

    Parameters
    ----------
    one, other : Sums
        Of at least 1 customer each.
    slope : float
        The `theta`.

    Returns
    -------
    float
        One's less the other's. Whole until the one division, so that no digits are lost between two large means.

    Examples
    --------
    >>> gap(Sums(2, 6), Sums(4, 6), 0.0)
    1.5
    """
    size = one.customers * other.customers
    spend = (one.spend * other.customers - other.spend * one.customers) / size
    return spend - slope * ((one.before * other.customers - other.before * one.customers) / size)


def _deviations(customers: int, one: int, other: int, product: int) -> float:
    """Add up the products of deviations from the means: whole until the one division."""
    return (customers * product - one * other) / customers


def _past(stratum: Stratum) -> float:
    return (stratum.invited.before + stratum.held_out.before) / (stratum.invited.customers + stratum.held_out.customers)


def _smaller_arm(stratum: Stratum) -> int:
    return min(arm.customers for arm in stratum)


def _joined(one: Stratum, other: Stratum) -> Stratum:
    return Stratum(added([one.invited, other.invited]), added([one.held_out, other.held_out]))
