"""What the members of the simulated shop's groups do: they read, speak and come, and fall silent; some complain, some break the rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from segmenter.hashing import uniform

# The chance that a member who has not fallen silent does it on a day; that they come to a live event; and of everybody to be called.
_DAILY = {"read": 0.75, "speak": 0.15, "visit": 0.12}
_COMES = 0.5
_COMPLAINS, _CLOSED_SOON, _CLOSED_LATE = 0.04, 0.7, 0.85  # of members; of the complaints, within a day and later, the others never
_BREAKS, _AGAIN = 0.03, 0.3  # of members, the group's rules; of these, again
_STAFF = 5  # who speak in the groups, and count for nothing
_HOURS = 8, 22  # of the day


@dataclass(frozen=True)
class GroupLife:
    """How the groups live.

    Of those who joined, half have fallen silent after `half_life` days (in discrete days: whoever joined is still there t days later with
    a chance of 2^(-t / half_life)); in so many `silent_groups`, chosen by their names, nobody says a word from the second day on. Where
    there are fewer than three groups for each of them, there are fewer. On `live_events` members come; each who does orders as much as
    `event_effect` average days would bring, on that day.
    """

    half_life: float = 12.0
    silent_groups: int = 0
    live_events: Sequence[date] = ()
    event_effect: float = 0.0


def draw_members(joined: pl.DataFrame, life: GroupLife, *, seed: int) -> pl.DataFrame:
    """Say how long members speak: `joined` (``customer_id``, ``group``, ``joined_on``) with ``silent_on`` and ``silent_group``."""
    names = joined["group"].drop_nulls().unique().sort()
    silent = names[uniform(names, seed, "demo silent group").arg_sort()].head(min(life.silent_groups, len(names) // 3))
    alive = 1 + (-life.half_life * (1 - uniform(joined["customer_id"], seed, "demo silence")).log(2)).floor().cast(pl.Int64)
    quiet = pl.col("group").is_in(silent.implode()).fill_null(value=False)
    days = pl.when(quiet).then(1).otherwise(alive)
    return joined.with_columns(silent_on=pl.col("joined_on") + pl.duration(days=days), silent_group=quiet)


def draw_member_events(members: pl.DataFrame, staff: pl.Series, as_of: date, end: date, life: GroupLife, *, seed: int) -> pl.DataFrame:
    """Draw what members (as `draw_members` gives them) and staff do until a day: ``customer_id``, ``kind``, ``time``, in no order."""
    spans = members.filter(pl.col("joined_on") < end).select("customer_id", "joined_on", pl.col("silent_on").clip(upper_bound=end))
    colleagues = staff.head(_STAFF).alias("customer_id").to_frame().with_columns(joined_on=pl.lit(as_of), silent_on=pl.lit(end))
    days = pl.date_ranges("joined_on", "silent_on", closed="left").alias("day")
    there = pl.concat([spans, colleagues]).select("customer_id", days).explode("day", empty_as_null=False)
    key = there.select(pl.format("{}:{}", "customer_id", "day")).to_series()
    parts = []
    for kind, daily in _DAILY.items():
        chance = pl.when(pl.col("day").is_in(list(life.live_events))).then(_COMES).otherwise(daily) if kind == "visit" else pl.lit(daily)
        does = there.select(pl.lit(uniform(key, seed, f"demo {kind}")) < chance).to_series()
        doing = there.filter(does)
        parts.append(_at(doing["customer_id"], doing["day"], kind, uniform(key.filter(does), seed, f"demo {kind} at")))
    return pl.concat([*parts, *_troubles(members, end, seed)]).filter(pl.col("time") < pl.lit(end))


def _troubles(members: pl.DataFrame, end: date, seed: int) -> list[pl.DataFrame]:
    """Let some members complain, and some break the rules once or twice."""
    ids, joined = members["customer_id"], members["joined_on"]

    def drawn(purpose: str) -> pl.Series:
        return uniform(ids, seed, f"demo {purpose}")

    def after(first: pl.Series, share: pl.Series) -> pl.Series:
        left = pl.max_horizontal((pl.lit(end) - pl.lit(first)).dt.total_days() - 1, pl.lit(0))
        return pl.select(pl.lit(first) + pl.duration(days=(left * pl.lit(share)).cast(pl.Int64))).to_series()

    opened = _at(ids, after(joined, drawn("complains on")), "complaint", drawn("complains at"))
    how = drawn("closes")
    hours = pl.select(pl.when(pl.lit(how) < _CLOSED_SOON).then(1 + 20 * pl.lit(how)).otherwise(30 + 24 * pl.lit(how))).to_series()
    closed = opened.with_columns(
        kind=pl.lit("complaint_closed"), time=pl.col("time") + pl.duration(seconds=pl.lit((hours * 3600).cast(pl.Int64)))
    )
    some, breaks = drawn("complains") < _COMPLAINS, drawn("breaks")
    once = after(joined, drawn("breaks on"))
    first = _at(ids, once, "violation", drawn("breaks at"))
    second = _at(ids, after(once, drawn("breaks again on")), "violation", drawn("breaks again at"))
    return [
        opened.filter(some),
        closed.filter(some & (how < _CLOSED_LATE)),
        first.filter(breaks < _BREAKS),
        second.filter(breaks < _BREAKS * _AGAIN),
    ]


def _at(ids: pl.Series, days: pl.Series, kind: str, drawn: pl.Series) -> pl.DataFrame:
    """Put something on a day, at an hour at which people do such things."""
    seconds = (_HOURS[0] * 3600 + drawn * (_HOURS[1] - _HOURS[0]) * 3600).cast(pl.Int64)
    time = pl.lit(days).cast(pl.Datetime("us")) + pl.duration(seconds=pl.lit(seconds))
    return pl.DataFrame({"customer_id": ids}).with_columns(kind=pl.lit(kind), time=time)


def count_visits(events: pl.DataFrame, live_events: Sequence[date]) -> pl.DataFrame:
    """List who came to which live event: ``customer_id``, ``day``."""
    came = events.filter(kind="visit").select("customer_id", day=pl.col("time").dt.date())
    return came.filter(pl.col("day").is_in(list(live_events))).unique().sort("customer_id", "day")
