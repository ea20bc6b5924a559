"""Who may be invited, the best first, and who of them is drawn for the control group."""

from math import ceil

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.planning.constraints import group_names
from segmenter.planning.control_group import BINS, draw_customers, draw_regions, stratify
from segmenter.regions.region_names import region_of
from segmenter.rules import ELIGIBLE
from segmenter.settings import CoreSettings, PlanSettings, SimplePlan
from segmenter.settings.role_points import ROLE


def list_candidates(
    frame: pl.DataFrame, settings: CoreSettings, per_region: int | None = None, first: NDArray[np.int64] | None = None
) -> pl.DataFrame:
    """List who may be invited, the best first, and draw the control group.

    Rows of the frame that are given stand `first`, are of its number, and have no part in the draw.

    Where the best so many are invited, or at most so many `per_region`, these are the best so many and the share to be held out of them;
    else all who are eligible; without those of whom an invitation is expected to bring nothing. They
    have the columns of the frame (see `planner.plan`) and ``row`` (in the frame), ``unit`` (what a group keeps to), ``region`` (by which
    the control group is stratified), ``stratum`` (null without a control group), ``drawn`` (for it) and ``advocacy`` (who leads a group).
    """
    if first is not None and len(first):
        fewer = settings.plan.size - len(first) if isinstance(settings.plan.size, int) else settings.plan.size
        others = settings.model_copy(update={"plan": settings.plan.model_copy(update={"size": fewer})})
        ahead = _describe(frame, first, np.zeros(len(first), dtype=bool), settings).with_columns(stratum=pl.lit(None, dtype=pl.String))
        return pl.concat([ahead, _list_candidates(frame, others, per_region, first)])
    return _list_candidates(frame, settings, per_region, np.zeros(0, dtype=np.int64))


def draw_rows(frame: pl.DataFrame, settings: CoreSettings) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give the rows of who may be invited, and who of them is of a region that is held out as a whole."""
    plan = settings.plan
    rows = np.flatnonzero((frame["verdict"] == ELIGIBLE) & ~moves_nothing(frame))
    if not (plan.holdout > 0 and plan.holdout_by == "region" and len(rows)):
        return rows, np.zeros(len(rows), dtype=bool)
    regions = frame[rows].select(region_of(plan)).to_series()
    held = draw_regions(regions, plan.holdout, seed=settings.seed, launch=settings.launch.name)
    return rows, regions.is_in(held).fill_null(value=False).to_numpy()


def _list_candidates(frame: pl.DataFrame, settings: CoreSettings, per_region: int | None, without: NDArray[np.int64]) -> pl.DataFrame:
    plan = settings.plan
    rows, drawn = draw_rows(frame, settings)
    there = ~np.isin(rows, without)
    rows, drawn = rows[there], drawn[there]
    wanted = _wanted(plan)
    by_region = plan.holdout > 0 and plan.holdout_by == "region"
    if wanted is not None:
        scores = frame["score"].to_numpy()[rows]
        free = scores[~drawn]
        if wanted < len(free):
            # Only those who reach the last place's score can be on the list, ties included.
            near = scores >= np.partition(free, -wanted)[-wanted]
            rows, drawn = rows[near], drawn[near]
    share = 1 if by_region else 1 - plan.holdout
    of_each = None if per_region is None else ceil(per_region / share) + 2 * BINS  # each stratum's share may be rounded up
    if of_each is not None:
        within = frame.select("score", "province")[rows]
        rows_near = within.select(pl.col("score") >= pl.col("score").top_k(of_each).min().over("province")).to_series().to_numpy()
        rows, drawn = rows[rows_near], drawn[rows_near]
    best = _describe(frame, rows, drawn, settings).sort("score", "customer_id", descending=[True, False])
    if of_each is not None:
        best = best.filter(pl.int_range(pl.len()).over("province") < of_each)
    if wanted is not None and not by_region:
        best = best.head(wanted)
    if not plan.holdout or best.is_empty():
        return best.with_columns(stratum=pl.lit(None, dtype=pl.String))
    best = best.with_columns(stratify(best))
    if by_region:
        return best
    many = round(plan.holdout * best.height)
    if best.height == wanted:
        many = best.height - int(plan.size)  # so that as many are invited as were asked for
    return best.with_columns(pl.Series("drawn", draw_customers(best, many, seed=settings.seed, launch=settings.launch.name)))


def _describe(frame: pl.DataFrame, rows: NDArray[np.int64], drawn: NDArray[np.bool_], settings: CoreSettings) -> pl.DataFrame:
    return frame[rows].with_columns(
        pl.Series("row", rows, dtype=pl.Int64),
        pl.Series("drawn", drawn),
        unit_of(settings),
        region_of(settings.plan),
        pl.sum_horizontal(*map(_component, settings.plan.key_user_components), pl.lit(0.0)).alias("advocacy"),
    )


def unit_of(settings: CoreSettings) -> pl.Expr:
    """Give the ``unit`` of a customer, before regions are joined."""
    names = group_names(settings.lang)
    if settings.plan.by_region == "none":
        return pl.lit(names.everywhere).alias("unit")
    return pl.coalesce(region_of(settings.plan), pl.lit(names.no_region)).alias("unit")


def _component(name: str) -> str:
    return name if name.startswith(ROLE) else f"component_{name}"


def moves_nothing(frame: pl.DataFrame) -> pl.Series:
    """Say of whom an invitation is expected to bring nothing, or less: a call and a place for no return; nobody where that is not asked."""
    if "expected_uplift" not in frame.columns:
        return pl.repeat(False, frame.height, eager=True)
    return (frame["expected_uplift"] <= 0).fill_null(value=False)


def _wanted(plan: PlanSettings) -> int | None:
    """Give how many of the best it takes to invite as many as asked for; None where it takes all who are eligible."""
    match plan:
        case SimplePlan(size=int(size), holdout_by="region"):
            return size
        case SimplePlan(size=int(size)):
            return round(size / (1 - plan.holdout))
        case _:
            return None
