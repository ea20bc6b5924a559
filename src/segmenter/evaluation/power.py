"""The smallest lift that a hold-out can show, known before the launch.

Customers of the last `horizon_days` before the launch stand for those after it: their mean spend, its variance, and what of it strata
and still earlier spend explain, as the measured lift takes that out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal

import polars as pl

from segmenter.errors import ConfigError
from segmenter.evaluation.lift_sums import LEAST, Stratum, Sums, added, gap, squares, sums, theta
from segmenter.money import text
from segmenter.words import Lang, say

ENOUGH = 500  # held out: below, one large buyer more or less decides
SHARES = (0.05, 0.10, 0.20)


@dataclass(frozen=True)
class Outlook:
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
class Smallest:
    """The smallest lift that can be shown.

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


def outlook(frame: pl.DataFrame) -> Outlook:
    """Learn from the last horizon before the launch what to expect.

    Parameters
    ----------
    frame : DataFrame
        One row per customer who may be invited, two or more: ``spend`` (Int64, minor units within the last horizon before the launch),
        ``before`` (Int64, minor units before that) and ``stratum`` (String); or ``cluster`` (String, the region) where whole
        regions are held out. No nulls.

    Returns
    -------
    Outlook
        Where there is a ``cluster``, the variance is that between regions of the mean over people, as of a ratio [1]_.

    References
    ----------
    .. [1] Cochran, W. G. (1977). Sampling Techniques, 3rd ed., Wiley, section 6.

    Examples
    --------
    >>> frame = pl.DataFrame({"stratum": ["a"] * 4, "spend": [0, 400, 200, 600], "before": [0, 300, 300, 600]})
    >>> outlook(frame)
    Outlook(mean=300.0, variance=66666.66666666667, explained=0.9)
    """
    clustered = "cluster" in frame.columns
    grouped = sums(frame.with_columns(invited=True), "cluster" if clustered else "stratum")
    groups = [each.invited for each in grouped.values()]
    everyone = added(groups)
    if clustered:
        slope = theta([Stratum(everyone, Sums())])
        plain, rest = _between(groups, everyone, 0.0), _between(groups, everyone, slope)
    else:
        slope = theta(Stratum(each, Sums()) for each in groups)
        plain = squares(everyone, 0.0) / (everyone.customers - 1)
        rest = fsum(squares(each, slope) for each in groups) / max(everyone.customers - len(groups), 1)
    explained = min(max(1 - rest / plain, 0.0), 1.0) if plain > 0 else 0.0
    return Outlook(everyone.spend / everyone.customers, plain, explained)


def smallest_lift(units: int, share: float, expected: Outlook, *, power: float = 0.8, alpha: float = 0.05) -> Smallest:
    """Give the smallest effect that a hold-out can show, by the power of the two-sided t test.

    Parameters
    ----------
    units : int
        Customers of the launch, held out ones included; or regions, where whole regions are held out.
    share : float
        Held out, above 0 and below 1.
    expected : Outlook
        From `outlook`.
    power : float
        The chance to show the effect, if it is there.
    alpha : float
        The chance to show one that is not.

    Returns
    -------
    Smallest
        In money and in per cent.

    Raises
    ------
    ConfigError
        The share leaves fewer than 2 on a side.

    Examples
    --------
    >>> found = smallest_lift(20_000, 0.1, Outlook(mean=5_000, variance=20_000.0**2, explained=0.2))
    >>> found.held_out, round(found.effect), round(found.percent, 1)
    (2000, 1181, 23.6)
    """
    from numpy import nan_to_num
    from scipy.optimize import brentq
    from statsmodels.stats.power import TTestIndPower

    held_out = round(share * units)
    if min(held_out, units - held_out) < LEAST:
        raise ConfigError(
            f"plan.holdout: should leave at least {LEAST} on either side (got {held_out} of {units} held out); choose another share"
        )
    # Its own solve_power finds no root for some sizes, such as 96 of 478: far beyond the root the noncentral t is no number any more.
    test, ratio = TTestIndPower(), (units - held_out) / held_out

    def beyond(effect: float) -> float:
        return float(nan_to_num(test.power(effect, held_out, alpha, ratio), nan=1.0)) - power

    high = (1 / held_out + 1 / (units - held_out)) ** 0.5
    while beyond(high) < 0:
        high *= 1.25
    size = brentq(beyond, 0.0, high, xtol=1e-12)
    effect = float(size) * (expected.variance * (1 - expected.explained)) ** 0.5
    return Smallest(share, held_out, effect, 100 * effect / expected.mean if expected.mean > 0 else None)


def holdout_table(units: int, expected: Outlook, shares: Sequence[float] = SHARES) -> pl.DataFrame:
    """Put shares to hold out side by side.

    Parameters
    ----------
    units : int
        As for `smallest_lift`.
    expected : Outlook
        From `outlook`.
    shares : sequence of float
        Each above 0 and below 1; those that leave fewer than 2 on a side are passed over.

    Returns
    -------
    DataFrame
        ``share``, ``held_out``, ``effect`` (minor units per customer) and ``percent``, the smallest that can be shown.

    Examples
    --------
    >>> table = holdout_table(20_000, Outlook(mean=5_000, variance=20_000.0**2, explained=0.2))
    >>> table["held_out"].to_list(), table["percent"].round(0).to_list()
    ([1000, 2000, 4000], [33.0, 24.0, 18.0])
    """
    able = [share for share in sorted(set(shares)) if LEAST <= round(share * units) <= units - LEAST]
    rows = [smallest_lift(units, share, expected) for share in able]
    schema = {"share": pl.Float64, "held_out": pl.Int64, "effect": pl.Float64, "percent": pl.Float64}
    return pl.DataFrame([(row.share, row.held_out, row.effect, row.percent) for row in rows], schema, orient="row")


def holdout_advice(
    units: int, share: float, expected: Outlook, *, currency: str, lang: Lang, by: Literal["customer", "region"] = "customer"
) -> tuple[str, ...]:
    """Say what a hold-out can show, what others could, and whether it is too small.

    Parameters
    ----------
    units : int
        As for `smallest_lift`.
    share : float
        The share to hold out, above 0 and below 1.
    expected : Outlook
        From `outlook`.
    currency : str
        ISO 4217 code.
    lang : {"en", "zh"}
        The language.
    by : {"customer", "region"}
        What is held out.

    Returns
    -------
    tuple of str
        The sentence; and a warning where fewer than 500 customers are held out.

    Raises
    ------
    ConfigError
        The share leaves fewer than 2 on a side.

    Examples
    --------
    >>> expected = Outlook(mean=5_000, variance=20_000.0**2, explained=0.2)
    >>> told, warned = holdout_advice(4_000, 0.1, expected, currency="CNY", lang="en")
    >>> told.split("; ")[0].split(" can show ")
    ['Holding out 10 % (400 of 4,000 customers)', 'a lift of 26 per customer or more, 52.8 % of what they are expected to spend']
    >>> told.split("; ")[1]
    'with 5 % it would be 72.7 %, with 20 % 39.6 %.'
    >>> warned
    'Only 400 customers are held out, fewer than 500: a lift can hardly be shown. Hold out 12.5 %, or invite more.'
    """
    chosen = smallest_lift(units, share, expected)
    table = holdout_table(units, expected, [each for each in SHARES if abs(each - share) > 5e-4]).drop_nulls()
    others = [(f"{100 * each:g} %", f"{percent:.1f} %") for each, percent in table.select("share", "percent").iter_rows()]
    effect = pl.DataFrame({"effect": [round(chosen.effect)]}).select(text("effect", currency)).item()
    percent = None if chosen.percent is None else f"{chosen.percent:.1f} %"
    things, unit, counted = ("customers", "位", "客户") if by == "customer" else ("regions", "个", "地区")
    much = f"{100 * round(share, 3):g} %"
    en = f"Holding out {much} ({chosen.held_out:,} of {units:,} {things}) can show a lift of {effect} per customer or more"
    zh = f"留出 {much}（{units:,} {unit}{counted}中的 {chosen.held_out:,} {unit}），能验证出的最小提升为每位客户 {effect}"
    if percent:
        en += f", {percent} of what they are expected to spend"
        zh += f"，相当于其预期消费的 {percent}"
    if others and percent:
        (first, reached), *rest = others
        en += "; " + ", ".join([f"with {first} it would be {reached}", *(f"with {each} {other}" for each, other in rest)])
        zh += "；" + "，".join(f"若留出 {each} 则为 {other}" for each, other in others)
    told = [say(lang, en + ".", zh + "。")]
    if by == "customer" and chosen.held_out < ENOUGH:
        needed = f"{100 * ENOUGH / units:.3g} %"
        few_en = f"Only {chosen.held_out:,} customers are held out, fewer than {ENOUGH}: a lift can hardly be shown. "
        few_zh = f"只留出了 {chosen.held_out:,} 位客户，不足 {ENOUGH} 位，很难验证出提升。"
        possible = 0.3 * units >= ENOUGH  # nobody leaves half of the best customers alone
        few_en += f"Hold out {needed}, or invite more." if possible else "A launch this small can hardly be measured."
        few_zh += f"建议留出 {needed}，或扩大邀请规模。" if possible else "这样小的规模很难衡量效果。"
        told.append(say(lang, few_en, few_zh))
    return tuple(told)


def _between(regions: Sequence[Sums], everyone: Sums, slope: float) -> float:
    apart = (len(regions) * each.customers / everyone.customers * gap(each, everyone, slope) for each in regions)
    return fsum(each**2 for each in apart) / max(len(regions) - 1, 1)
