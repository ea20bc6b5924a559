"""Who may be invited, the best first, and who of them is held out."""

import numpy as np
import polars as pl

from segmenter.planning.control_group import hold_out, hold_out_regions, strata
from segmenter.planning.join_chances import Joining, Places, places
from segmenter.rules import ELIGIBLE
from segmenter.settings import CoreSettings, PlanSettings, SimplePlan
from segmenter.words import Lang, say

_MOST_PLACES = 10_000  # that are looked at where fewer people are: as large as the largest group that one thinks of


def candidates(frame: pl.DataFrame, settings: CoreSettings) -> pl.DataFrame:
    """List who may be invited, the best first, and draw the hold-out.

    Where the best so many are invited, these are the best so many and the share to be held out of them; else all who are eligible.

    Parameters
    ----------
    frame : DataFrame
        One row per customer, see `planning.plan`.
    settings : CoreSettings
        The plan, and the launch's name, by which the hold-out is drawn.

    Returns
    -------
    DataFrame
        The customers' columns with ``row`` (in `frame`), ``unit`` (what a group keeps to), ``region`` (what a hold-out is stratified by),
        ``stratum`` (null without a hold-out), ``drawn`` (to be held out) and ``advocacy`` (who leads a group).

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"plan.size": 1, "plan.holdout": 0.5})
    >>> frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "verdict": "eligible", "score": [10.0, 90.0, 50.0], "spend": 1,
    ...     "province": "四川", "city": None, "component_advocacy": [0.0, 0.0, 1.0], "component_engagement": 0.0})
    >>> candidates(frame, settings).select("customer_id", "unit", "stratum").rows()
    [('b', '四川', '四川|5'), ('c', '四川', '四川|3')]
    """
    plan, lang = settings.plan, settings.lang
    rows = np.flatnonzero(frame["verdict"] == ELIGIBLE)
    few = isinstance(plan, SimplePlan) and isinstance(plan.size, int)
    share = plan.holdout
    by_region = share > 0 and plan.holdout_by == "region"
    apart = np.zeros(len(rows), dtype=bool)
    if by_region and len(rows):
        regions = frame[rows].select(region_of(plan)).to_series()
        chosen = hold_out_regions(regions, share, seed=settings.seed, launch=settings.launch.name)
        apart = regions.is_in(chosen).fill_null(value=False).to_numpy()
    if few:
        scores = frame["score"].to_numpy()[rows]
        most = _wanted(plan)
        asked = scores[~apart]
        if most < len(asked):
            # Only those who reach the last place's score can be on the list, ties included.
            near = scores >= np.partition(asked, -most)[-most]
            rows, apart = rows[near], apart[near]
    best = frame[rows].with_columns(pl.Series("row", rows, dtype=pl.Int64), pl.Series("drawn", apart))
    best = best.sort("score", "customer_id", descending=[True, False])
    best = best.with_columns(
        unit_of(plan, lang),
        region_of(plan),
        pl.sum_horizontal(*(f"component_{name}" for name in plan.key_user_components), pl.lit(0.0)).alias("advocacy"),
    )
    if few and not by_region:
        best = best.head(_wanted(plan))
    if not share or best.is_empty():
        return best.with_columns(stratum=pl.lit(None, dtype=pl.String))
    best = best.with_columns(strata(best))
    if by_region:
        return best
    many = round(share * best.height)
    if few and best.height == _wanted(plan):
        many = best.height - int(plan.size)  # so that as many are invited as were asked for
    return best.with_columns(pl.Series("drawn", hold_out(best, many, seed=settings.seed, launch=settings.launch.name)))


def _wanted(plan: PlanSettings) -> int:
    """Give how many it takes to invite as many as asked for."""
    if plan.holdout_by == "region":
        return int(plan.size)
    return round(int(plan.size) / (1 - plan.holdout))


def region_of(plan: PlanSettings) -> pl.Expr:
    """Give the region that people are held out by: that of the groups, or the province."""
    city = pl.concat_str("province", "city", separator="/", ignore_nulls=True).replace("", None)
    return (city if plan.by_region == "city" else pl.col("province")).alias("region")


def unit_of(plan: PlanSettings, lang: Lang) -> pl.Expr:
    """Give what a group keeps to."""
    if plan.by_region == "none":
        return pl.lit(say(lang, "all", "全部")).alias("unit")
    return pl.coalesce(region_of(plan), pl.lit(say(lang, "no region", "无地区"))).alias("unit")


def places_of(scores: pl.Series, joining: Joining, plan: PlanSettings) -> Places:
    """Say how many of some people fill a group.

    Parameters
    ----------
    scores : Series of Float64 of shape (n,)
        Of those who may be invited into it.
    joining : Joining
        The chances to join.
    plan : PlanSettings
        The group's capacity, and how sure it is to be filled.

    Returns
    -------
    Places
        The invitations of a group.

    Examples
    --------
    >>> import segmenter
    >>> from datetime import date
    >>> from segmenter.planning.join_chances import learn_joining
    >>> joining = learn_joining(None, as_of=date(2026, 7, 1), chance=0.3, evidence=1000)
    >>> places_of(pl.Series([50.0]), joining, segmenter.launch_settings({}).plan).invitations
    590
    """
    mean = float(joining.chance(scores).to_numpy().mean()) if len(scores) else joining.mean
    sure = plan.fill_confidence
    most = max(len(scores) + 1, _MOST_PLACES)
    return places(mean, joining.evidence, plan.group_capacity, fill=plan.fill, confidence=sure, risk=plan.overflow_risk, most=most)
