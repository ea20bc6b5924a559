"""What to say of calls that nobody can make, or that come too late, and what would help."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import polars as pl

from segmenter.messages import Message
from segmenter.planning.calendar import working_days
from segmenter.settings import PlanSettings

NO_REGION = Message("planning.no_region", "no region")


def region_count(region: str, count: int) -> Message:
    """Name a region with a number of calls or customers."""
    return Message("planning.region_count", "{region} {count:,}", region=region, count=count)


def list_first(items: Sequence[str], most: int = 6) -> tuple[str, ...] | Message:
    """List the first items, and how many more there are."""
    if len(items) <= most:
        return tuple(items)
    sentence = "{items} and {more:,} more"
    return Message("planning.and_more", sentence, items=tuple(items[:most]), more=len(items) - most, all=len(items))


def warn_of_uncalled(calls: pl.DataFrame, settings: PlanSettings) -> Iterator[Message]:
    """Say whom no agent can call; the calls have ``agent``, ``region`` and ``language``, all of which may be null."""
    alone = calls.filter(pl.col("agent").is_null())
    if settings.agents and alone.height:
        sentence = "{count:,} of those invited can be called by no agent: {regions}; widen the regions or languages in plan.agents"
        regions = _largest(Counter(_name_regions(alone, settings)))
        yield Message("planning.uncalled", sentence, count=alone.height, regions=regions)


def warn_of_late(calls: pl.DataFrame, settings: PlanSettings, first_days: dict[int, date], valid_until: date) -> Iterator[Message]:
    """Say how many calls come after the list's last day, and what would bring them forward.

    The calls have ``call_on``, ``wave``, ``account`` and what `warn_of_uncalled` needs.
    """
    late = calls.filter(pl.col("call_on") > valid_until)
    if late.is_empty():
        return
    sentence = "{late:,} of {calls:,} calls come after {valid_until}, the last day on which the list is good, up to {last}; {ways}"
    facts = {"late": late.height, "calls": calls.height, "valid_until": valid_until, "last": late.select(pl.col("call_on").max()).item()}
    first, *others = _ways_out(calls, late, settings, first_days, valid_until)
    ways = first
    for other in others:
        ways = Message("planning.and_way", "{ways}; {other}", ways=ways, other=other)
    yield Message("planning.late_calls", sentence, **facts, ways=ways)


def _ways_out(
    calls: pl.DataFrame, late: pl.DataFrame, settings: PlanSettings, first_days: dict[int, date], valid_until: date
) -> Iterator[Message]:
    days = working_days(settings, min(first_days.values()), valid_until)
    left = {wave: len(days) - bisect_left(days, first) for wave, first in first_days.items()}  # working days until the list's last
    begun = pl.col("wave").replace_strict(left, return_dtype=pl.Int64) > 0
    if not days:
        sentence = "the first are on {day}: take an earlier plan.start, or raise launch.valid_days"
        yield Message("planning.all_late", sentence, day=min(first_days.values()))
    elif unbegun := late.filter(~begun).height:
        sentence = "{count:,} are of waves that begin later: lower plan.wave_days, or raise plan.wave_size or launch.valid_days"
        yield Message("planning.late_waves", sentence, count=unbegun)
    # An account has one call a day, however many agents there are.
    accounts = calls.filter(pl.col("account").is_not_null()).sort("call_on").group_by("account").agg("call_on")
    times: dict[int, list[date]] = dict(accounts.rows())
    full, helped, short = 0, Counter[int](), defaultdict[str, Counter[int]](Counter)
    rows = late.filter(begun)
    for region, wave, account in zip(_name_regions(rows, settings), *rows.select("wave", "account"), strict=True):
        own = times.get(account, [])
        if account is not None and bisect_right(own, valid_until) - bisect_left(own, first_days[wave]) + helped[account] >= left[wave]:
            full += 1
        else:
            helped[account] += 1
            short[region][left[wave]] += 1
    if full:
        sentence = "{count:,} wait for others of their account (rules.per_account): raise launch.valid_days"
        yield Message("planning.late_accounts", sentence, count=full)
    if short:
        regions = _largest({region: _calls_a_day(late) for region, late in short.items()})
        yield Message("planning.more_calls", "more calls a day would make them in time: {regions}", regions=regions)


def _name_regions(calls: pl.DataFrame, settings: PlanSettings) -> list[str]:
    """Name the region of each, with the language where it matters who speaks it."""
    regions = [NO_REGION if region is None else region for region in calls["region"]]
    if not any(agent.languages for agent in settings.agents):
        return regions
    unknown = Message("planning.language_unknown", "language unknown")
    return [
        Message("planning.region_language", "{region} ({language})", region=region, language=language or unknown)
        for region, language in zip(regions, calls["language"], strict=True)
    ]


def _largest(counts: Mapping[str, int]) -> tuple[str, ...] | Message:
    """List the largest counts, ties by name."""
    return list_first([region_count(region, count) for region, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))])


def _calls_a_day(late: Counter[int]) -> int:
    """Give how many a day are enough, where so many customers have so many days left."""
    customers, most = 0, 0
    for days in sorted(late):
        customers += late[days]
        most = max(most, -(-customers // days))
    return most
