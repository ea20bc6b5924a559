"""How a launch stands against its target."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

State = Literal["met", "missed", "reached", "on_course", "behind", "no_target", "unknown"]
FEW = 5  # what fewer customers spend would say what single ones spend


@dataclass(frozen=True)
class TargetProgress:
    """Sales of those who joined, against the target.

    Parameters
    ----------
    state : str
        After the launch's end ``met`` or ``missed``; before it ``reached`` (already), ``on_course`` or ``behind`` a straight line to the
        target; ``no_target``; ``unknown`` where no answers are known, so that nobody counts as joined.
    sales : int
        Of those who joined, since the launch began, in minor units; also before they joined.
    target : int or None
        In minor units.
    pace : int or None
        What a straight line to the target has reached by now.
    ahead : int or None
        Sales less the target once the launch is over or it is reached, before that less `pace`.
    projected : int or None
        Where a straight line through the sales so far ends.
    reached_on : date or None
        The first day at whose end sales had reached the target.
    """

    state: State
    sales: int
    target: int | None
    pace: int | None
    ahead: int | None
    projected: int | None
    reached_on: date | None


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
