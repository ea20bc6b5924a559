"""The components: seven, roles that weigh something, and reach where a launch spreads: raw numbers, larger is better, from measures."""

from collections.abc import Collection, Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.messages import Message
from segmenter.settings import ScoringSettings, Weights
from segmenter.settings.role_points import ROLE

COMPONENTS = tuple(Weights.model_fields)
REACH = "reach"  # people whom somebody would bring: a measure of launches that spread, and the component of it
# What the components take besides the measures that count events.
MEASURES = ("spend_window", "decayed_spend", "orders", "days_since_order", "spend_90d", "spend_90d_before")
_MAX_DAYS = 1 << 16  # in a table


def raw_components(frame: pl.DataFrame, settings: ScoringSettings, *, reach: bool = False) -> dict[str, pl.Expr]:
    """Define the raw number of each component, of reach where that is asked for: never null, and not yet put on 0..1."""
    recent, before = (pl.max_horizontal(name, 0).cast(pl.Float64) for name in ("spend_90d", "spend_90d_before"))
    change = pl.when(recent + before > 0).then((recent - before) / (recent + before)).otherwise(0.0)
    return {
        "spend": pl.col("spend_window").cast(pl.Float64),
        "decayed_spend": pl.col("decayed_spend").cast(pl.Float64),
        "frequency": pl.col("orders").cast(pl.Float64),
        "recency": _recency(frame, settings.half_life_days),
        "engagement": points(frame, settings.engagement),
        "advocacy": points(frame, settings.advocacy),
        "growth": change,
        **{name: pl.col(name) for name in weights_of_roles(settings)},
        **({REACH: pl.col(REACH)} if reach else {}),
    }


def weights_of_roles(settings: ScoringSettings) -> dict[str, float]:
    """Give the weights of the components that are roles, which are called as their columns."""
    return {f"{ROLE}{name}": weight for name, weight in settings.role_weights.items()}


def _recency(frame: pl.DataFrame, half_life_days: float) -> pl.Expr:
    days, column = frame["days_since_order"].drop_nulls(), pl.col("days_since_order")
    if days.is_empty():
        return pl.repeat(0.0, pl.len())
    low, high = int(days.min()), int(days.max())  # type: ignore[arg-type]  # numbers
    if days.dtype.is_integer() and high - low < _MAX_DAYS:
        return pl.lit(pl.Series(halved(range(low, high + 1), half_life_days))).gather(column - low).fill_null(0.0)
    days = days.unique()
    return column.replace_strict(days, halved(days, half_life_days), default=0.0, return_dtype=pl.Float64)


def halved(days: Iterable[int], half_life_days: float) -> list[float]:
    """Compute what is left of 1 after days: 2^(-days / half_life_days)."""
    # Plain Python powers: vectorised ones may differ in the last bit with a value's place in its vector.
    return [2.0 ** (-day / half_life_days) for day in days]


def event_count(frame: pl.DataFrame, kind: str) -> pl.Expr | None:
    """Find the measure that counts a kind of event, or friends brought for ``referral``; None where the shop has no such events."""
    column = "referrals" if kind == "referral" else f"events_{kind.lower()}"  # as the kinds of events are read
    return pl.col(column) if column in frame.columns else None


def counts(frame: pl.DataFrame, worth: dict[str, float]) -> list[tuple[str, float]]:
    """List the measures that count events, with the points for each event.

    >>> counts(pl.DataFrame({"events_visit": [2], "referrals": [1]}), {"visit": 1, "referral": 5, "review": 3})
    [('events_visit', 1), ('referrals', 5)]
    """
    known = [(event_count(frame, kind), points) for kind, points in worth.items()]
    return [(count.meta.output_name(), points) for count, points in known if count is not None]


def points(frame: pl.DataFrame, worth: dict[str, float]) -> pl.Expr:
    """Sum the points for events, in the order of their kinds."""
    total = pl.repeat(0.0, pl.len())
    for name, per_event in counts(frame, worth):
        total = total + pl.col(name) * per_event
    return total


def uncounted_kinds(frame: pl.DataFrame, settings: ScoringSettings, roles: Collection[str] = ()) -> list[Message]:
    """Say which kinds of events nobody gave points for, `roles` neither: perhaps they are called otherwise here."""
    # Friends brought come from the referrals; an event called so counts nothing either.
    worth = {kind.lower() for kind in (*settings.engagement, *settings.advocacy, *roles)} - {"referral"}
    kinds = [name.removeprefix("events_") for name in frame.columns if name.startswith("events_")]
    if not (uncounted := [kind for kind in kinds if kind not in worth]):
        return []
    sentence = "events of these kinds count nothing: neither scoring.engagement, scoring.advocacy nor roles name them: {kinds}"
    return [Message("scoring.uncounted_kinds", sentence, kinds=uncounted)]


def rounded(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round scores to 4 decimals, in place."""
    score *= 10_000.0
    np.rint(score, out=score)
    score /= 10_000.0
    return score
