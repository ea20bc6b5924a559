"""What each live event brought: visits, sales, buyers on the day and around it, against the same weekdays before and the control group."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from segmenter.evaluation.launch_lift import measure_launch
from segmenter.evaluation.launch_sales import COHORTS, is_in
from segmenter.launch_record import LaunchRecord

VISIT = "visit"
WINDOWS = ("day", "around")
_NUMBERS = ("sales", "buyers", "first_buyers")


def measure_live_events(
    spent: pl.DataFrame,
    orders: pl.DataFrame,
    events: pl.DataFrame,
    days: Sequence[date],
    launch: LaunchRecord,
    *,
    until: date,
    around: int,
    weeks: int,
    visits: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Give a row for each live event, window and cohort; a window counts once it has passed by `until`.

    ``event``, ``window`` (``day``, or ``around``: so many days on either side too), ``cohort`` (``joined`` by the event, ``invited``,
    ``held_out``), ``customers``; ``visits`` and ``visitors`` (events of kind visit); ``sales``, ``buyers`` and ``first_buyers`` (who never
    ordered before), and the same as they are ``usual``: the mean of the same weekdays of so many weeks before the launch, null where the
    shop is not known so far back. For those invited also what the launch ``brought`` in the window against the control group, as the
    lift is estimated, from ``low`` to ``high``.

    `spent` is as `launch_sales.add_spend` gives it; `orders` are those of its customers, of all time. With a table of `visits`
    (`tables.VISITS`) each event and window has a row more, of the cohort ``everybody``: page views as ``visits``, visitors added up by the
    table's rows as ``visitors``, and both as they are usual.
    """
    moments = _list_windows(days, launch.as_of, until, around, weeks)
    people = spent.select("customer_id", "answered_on", *(is_in(name).alias(name) for name in COHORTS))
    first = orders.filter("is_order").group_by("customer_id").agg(pl.col("time").min().dt.date().alias("first_on"))
    each = moments.select("event", "window", "week", date=pl.date_ranges("start", "stop")).explode("date", empty_as_null=False)
    bought = orders.select("customer_id", "amount", "is_order", date=pl.col("time").dt.date()).join(each, on="date")
    bought = (
        bought.join(first, on="customer_id", how="left")
        .group_by("event", "window", "week", "customer_id")
        .agg(
            pl.col("amount").sum().alias("sales"),
            pl.col("is_order").any().cast(pl.Int64).alias("buyers"),
            (pl.col("is_order") & (pl.col("date") == pl.col("first_on"))).any().cast(pl.Int64).alias("first_buyers"),
        )
    )
    came = events.filter(pl.col("kind") == VISIT).select("customer_id", date=pl.col("time").dt.date())
    came = came.join(each.filter(pl.col("week") == 0), on="date").group_by("event", "window", "customer_id").agg(visits=pl.len())
    known_since = orders["time"].dt.date().min()
    frames = []
    for (event, window), part in moments.group_by("event", "window", maintain_order=True):
        here = bought.filter(pl.col("event") == event, pl.col("window") == window)
        past = part.filter(pl.col("week") > 0, pl.col("start") >= pl.lit(known_since, pl.Date))["week"]
        now, before = here.filter(pl.col("week") == 0), here.filter(pl.col("week").is_in(past.implode()))
        mine = came.filter(pl.col("event") == event, pl.col("window") == window)
        rows = [_count(people, name, event, now, before, len(past), mine) for name in COHORTS]
        brought = _measure(spent, now, launch)
        rows += [] if visits is None or visits.is_empty() else [_count_visits(visits, part)]
        frames += [{"event": event, "window": window, **row, **(brought if row["cohort"] == "invited" else {})} for row in rows]
    return pl.DataFrame(frames, _SCHEMA)


_SCHEMA = {
    **{"event": pl.Date, "window": pl.String, "cohort": pl.String},
    **dict.fromkeys(("customers", "visits", "visitors", *_NUMBERS), pl.Int64),
    "usual_sales": pl.Int64,
    **dict.fromkeys(("usual_buyers", "usual_first_buyers", "usual_visits", "usual_visitors"), pl.Float64),
    **dict.fromkeys(("brought", "low", "high"), pl.Int64),
}


def _list_windows(days: Sequence[date], as_of: date, until: date, around: int, weeks: int) -> pl.DataFrame:
    """List each event's windows (week 0), and those of the same weekdays before the launch (week 1 is the last of them)."""
    rows = []
    for day in sorted(set(days)):
        for window, side in zip(WINDOWS, (0, around), strict=True):
            start, stop = day - timedelta(days=side), day + timedelta(days=side)
            if stop >= until:
                continue
            back = (stop - as_of).days // 7 + 1  # weeks to the last such window that ends before the launch
            rows.append((day, window, 0, start, stop))
            for week in range(1, weeks + 1):
                shift = timedelta(days=7 * (back + week - 1))
                rows.append((day, window, week, start - shift, stop - shift))
    return pl.DataFrame(rows, {"event": pl.Date, "window": pl.String, "week": pl.Int64, "start": pl.Date, "stop": pl.Date}, orient="row")


def _count(
    people: pl.DataFrame, cohort: str, event: date, now: pl.DataFrame, before: pl.DataFrame, weeks: int, visits: pl.DataFrame
) -> dict[str, object]:
    by_then = pl.col("answered_on") <= event if cohort == "joined" else pl.lit(value=True)
    ids = people.filter(cohort).filter(by_then).select("customer_id")
    mine, came = now.join(ids, on="customer_id"), visits.join(ids, on="customer_id")
    usual = before.join(ids, on="customer_id")
    return {
        **{"cohort": cohort, "customers": ids.height, "visits": int(came["visits"].sum()), "visitors": came.height},
        **{name: int(mine[name].sum()) for name in _NUMBERS},
        "usual_sales": round(int(usual["sales"].sum()) / weeks) if weeks else None,
        **{f"usual_{name}": int(usual[name].sum()) / weeks if weeks else None for name in _NUMBERS[1:]},
    }


def _count_visits(visits: pl.DataFrame, windows: pl.DataFrame) -> dict[str, object]:
    """Count the visits of everybody in an event's window, and in the same of the weeks before that the table knows whole."""
    day = visits["time"].dt.date()
    sums = {
        week: visits.filter(day.is_between(start, stop)).select(visits=pl.col("pv").sum(), visitors=pl.col("uv").sum()).row(0, named=True)
        for week, start, stop in windows.select("week", "start", "stop").rows()
        if start >= day.min() and stop <= day.max()
    }
    now, before = sums.pop(0, {}), [*sums.values()]
    usual = {f"usual_{name}": sum(week[name] for week in before) / len(before) if before else None for name in ("visits", "visitors")}
    return {"cohort": "everybody", **now, **usual}


def _measure(spent: pl.DataFrame, now: pl.DataFrame, launch: LaunchRecord) -> dict[str, int]:
    present = spent.filter("in_plan", pl.col("status").is_not_null()).drop("spend")
    present = present.join(now.select("customer_id", spend="sales"), on="customer_id", how="left").with_columns(
        pl.col("spend").fill_null(0)
    )
    lift, _, _ = measure_launch(present, days=launch.horizon_days, horizon_days=launch.horizon_days, holdout=None)
    return {} if lift is None else {"brought": lift.best.total, "low": lift.best.total_low, "high": lift.best.total_high}
