"""Sales since a launch to those who joined, were invited, or held out, and how they stand against its target."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from segmenter.launch_record import LaunchRecord

COHORTS = ("joined", "invited", "held_out")
State = Literal["met", "missed", "reached", "on_course", "behind", "no_target", "unknown"]
FEW = 5  # what fewer customers spend would say what single ones spend


@dataclass(frozen=True)
class TargetProgress:
    """Sales of those who joined, against the target, in minor units.

    After the launch's end it is ``met`` or ``missed``; before it ``reached`` (already), ``on_course`` or ``behind`` a straight line to the
    target; ``unknown`` where no answers are known, so that nobody counts as joined.
    """

    state: State
    sales: int  # since the launch began, also before they joined
    target: int | None
    pace: int | None  # what a straight line to the target has reached by now
    ahead: int | None  # sales less the target once the launch is over or it is reached, before that less `pace`
    projected: int | None  # where a straight line through the sales so far ends
    reached_on: date | None  # the first day at whose end sales had reached the target


def is_in(cohort: str) -> pl.Expr:
    """Take the customers of a cohort."""
    status = {"invited": "planned", "held_out": "held_out"}
    return pl.col("joined") if cohort == "joined" else (pl.col("status") == status[cohort]).fill_null(value=False)


def add_spend(invitations: pl.DataFrame, within: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Add what each customer spent: ``spend`` and ``orders`` within the launch, and ``before`` it; 0 without orders."""
    since = within.group_by("customer_id").agg(
        pl.col("amount").sum().alias("spend"), pl.col("is_order").sum().cast(pl.Int64).alias("orders")
    )
    before = earlier.group_by("customer_id").agg(pl.col("amount").sum().alias("before"))
    both = invitations.join(since, on="customer_id", how="left", maintain_order="left").join(
        before, on="customer_id", how="left", maintain_order="left"
    )
    return both.with_columns(pl.col("spend", "orders", "before").fill_null(0))


def sum_days(spent: pl.DataFrame, within: pl.DataFrame, launch: LaunchRecord, days: int) -> pl.DataFrame:
    """Sum the sales of each day to each cohort, alone and so far, beside a straight line to the target (null without one)."""
    of = spent.select("customer_id", *(is_in(name).alias(name) for name in COHORTS))
    rows = within.select("customer_id", "amount", pl.col("time").dt.date().alias("date")).join(of, on="customer_id")
    sums = rows.group_by("date").agg(pl.col("amount").filter(name).sum().alias(name) for name in COHORTS)
    calendar = pl.DataFrame({"day": range(1, days + 1)}, schema={"day": pl.Int64}).select(
        (pl.lit(launch.as_of) + pl.duration(days=pl.col("day") - 1)).cast(pl.Date).alias("date"), "day"
    )
    line = pl.lit(None, pl.Int64) if launch.target is None else pl.lit(launch.target) * pl.col("day") // launch.horizon_days
    return (
        calendar.join(sums, on="date", how="left", maintain_order="left")
        .with_columns(pl.col(COHORTS).fill_null(0))
        .with_columns(*(pl.col(name).cum_sum().alias(f"{name}_so_far") for name in COHORTS), line.cast(pl.Int64).alias("target_so_far"))
    )


def sum_cohorts(spent: pl.DataFrame) -> pl.DataFrame:
    """Sum ``customers``, ``buyers``, ``orders`` and ``sales`` of each cohort."""
    parts = [
        spent.filter(is_in(name)).select(
            pl.lit(name).alias("cohort"),
            pl.len().cast(pl.Int64).alias("customers"),
            (pl.col("orders") > 0).sum().cast(pl.Int64).alias("buyers"),
            pl.col("orders").sum(),
            pl.col("spend").sum().alias("sales"),
        )
        for name in COHORTS
    ]
    return pl.concat(parts)


def compare_with_target(daily: pl.DataFrame, target: int | None, *, days: int, horizon_days: int, known: bool) -> TargetProgress:
    """Compare ``joined``, the daily sales to those who joined, with the target; `known` says whether there are any answers."""
    over, sales = days >= horizon_days, int(daily["joined"].sum())
    reached = daily.select("date", pl.col("joined").cum_sum()).filter(pl.col("joined") >= (target or 0))["date"]
    reached_on = None if target is None or not known or reached.is_empty() else reached[0]
    pace = None if target is None else target * days // horizon_days
    state: State
    if not known:
        state = "unknown"
    elif target is None:
        state = "no_target"
    elif over:
        state = "met" if sales >= target else "missed"
    else:
        state = "reached" if sales >= target else "on_course" if sales >= (pace or 0) else "behind"
    against = pace if state in ("on_course", "behind") else target
    ahead = None if against is None or state == "unknown" else sales - against
    return TargetProgress(state, sales, target, pace, ahead, sales * horizon_days // days, reached_on)
