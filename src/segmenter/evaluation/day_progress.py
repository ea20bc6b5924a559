"""How a launch that runs stands on a day: its groups, its sales, and what whoever leads should see to."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.evaluation.launch_sales import TargetProgress, add_spend, compare_with_target, sum_days
from segmenter.launch_record import LaunchRecord
from segmenter.planning.day_calls import DayCalls
from segmenter.planning.group_invitations import count_members
from segmenter.planning.running_plan import AREA
from segmenter.settings import CoreSettings, PlanSettings
from segmenter.tables import REACHED

_PRIOR = 20  # answers that plan.join_chance is worth until there are enough


@dataclass(frozen=True)
class DayProgress:
    """How a launch stands.

    `groups` has for each ``group`` its ``area``; who was ``invited``, ``due`` before the day, ``called``, ``reached``, ``agreed`` and
    ``joined``; how many are ``open`` and how many members are ``expected`` of them; ``fills`` (see plan.fill); ``merge_into``, the group
    that has room for those of one that does not fill; ``code_on``, when its code is made anew next, from the day on (null where it need
    not be); and ``by_hand``, whether its code has been scanned as often as it may be. `sales` is None on the first day.
    """

    groups: pl.DataFrame
    chance: float  # that somebody who is still open joins
    sales: TargetProgress | None


def follow_progress(calls: DayCalls, orders: pl.DataFrame, launch: LaunchRecord, settings: CoreSettings) -> DayProgress:
    """Say how a launch stands by what came before the day."""
    plan, platform, day, planned = settings.plan, settings.platform, calls.day, calls.people.filter(status="planned")
    is_member = (pl.col("said") == "joined").fill_null(value=False)
    decided, joined = planned.filter(is_member | (pl.col("state") == "out")).height, planned.filter(is_member).height
    chance = (joined + plan.join_chance * _PRIOR) / (decided + _PRIOR)
    is_open = pl.col("state").is_in(("called", "later")) & ~is_member
    groups = planned.group_by("group").agg(
        *(condition.sum().cast(pl.Int64).alias(name) for name, condition in _counts(day, is_open).items()),
        invited=pl.len().cast(pl.Int64),
        first=pl.col("planned_at").min(),
    )
    groups = groups.with_columns(area=AREA, expected=pl.col("joined") + chance * pl.col("open")).sort("group", nulls_last=True)
    groups = groups.with_columns(fills=pl.col("expected").round(6) >= count_members(plan))
    by_hand = pl.lit(value=False) if platform.scan_size is None else pl.col("joined") >= platform.scan_size
    groups = groups.with_columns(_merges(groups, plan), by_hand.alias("by_hand"), _renewal(platform.code_days, day).alias("code_on"))
    return DayProgress(groups.drop("first"), chance, _sales(calls, orders, launch))


def _counts(day: date, is_open: pl.Expr) -> dict[str, pl.Expr]:
    said = pl.col("said")
    return {
        "due": pl.col("planned_at") < day,
        "called": pl.col("answer").is_not_null(),
        "reached": said.is_in(REACHED),
        "agreed": said == "agreed",
        "joined": said == "joined",
        "open": is_open,
    }


def _merges(groups: pl.DataFrame, plan: PlanSettings) -> pl.Series:
    """Say into which group that of each could move: the fullest of the same area with room, or of any where it is too small to live."""
    expected = dict(groups.select("group", "expected").rows())
    area = dict(groups.select("group", "area").rows())
    taken, into = set[str](), dict[str, str]()
    for group in groups.filter(~pl.col("fills"), pl.col("group").is_not_null()).sort("expected", "group")["group"]:
        if group in taken:
            continue
        fitting = [
            (area[other] == area[group], expected[other], other)
            for other in expected
            if other is not None and other != group and other not in into and expected[other] + expected[group] <= plan.group_capacity
        ]
        near = [each for each in fitting if each[0] or expected[group] < plan.smallest]
        if near:
            into[group] = min(near, key=lambda each: (not each[0], -each[1], each[2]))[2]
            taken.add(into[group])
            expected[into[group]] += expected[group]
    return pl.Series("merge_into", [into.get(group) for group in groups["group"]], dtype=pl.String)


def _renewal(code_days: int | None, day: date) -> pl.Expr:
    """Give the next day on which a code made on the first day of calls is made anew, while somebody may still scan it."""
    if code_days is None:
        return pl.lit(None, pl.Date)
    age = (pl.lit(day) - pl.col("first")).dt.total_days()
    rounds = pl.max_horizontal((age / code_days).ceil(), pl.lit(1.0))
    return pl.when(pl.col("open") > 0).then(pl.col("first") + pl.duration(days=rounds.cast(pl.Int64) * code_days)).cast(pl.Date)


def _sales(calls: DayCalls, orders: pl.DataFrame, launch: LaunchRecord) -> TargetProgress | None:
    days = (calls.day - launch.as_of).days
    if days < 1:
        return None
    members = calls.people.with_columns(joined=(pl.col("said") == "joined").fill_null(value=False))
    since, until = launch.as_of, launch.as_of + timedelta(days=days)
    within = orders.filter(pl.col("time") >= since, pl.col("time") < until)
    spent = add_spend(members, within, orders.clear())
    known = calls.people["answer"].null_count() < calls.people.height
    return compare_with_target(
        sum_days(spent, within, launch, days), launch.target, days=days, horizon_days=launch.horizon_days, known=known
    )
