"""What to say of calls that nobody can make, or that come too late, and what would help."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import polars as pl

from segmenter.messages import Message, Obstacle
from segmenter.planning.calendar import calls_by_day, working_days
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
    """Say whom no agent can call; the calls have ``agent``, ``region`` and what agents serve, all of which may be null."""
    alone = calls.filter(pl.col("agent").is_null())
    if settings.agents and alone.height:
        sentence = (
            "{count:,} of those invited can be called by no agent: {regions}; widen the regions, languages or attributes in plan.agents"
        )
        regions = _largest(Counter(_name_regions(alone, settings)))
        yield Obstacle("planning.uncalled", sentence, count=alone.height, regions=regions)


def warn_of_idle(calls: pl.DataFrame, settings: PlanSettings) -> Iterator[Message]:
    """Say which agents nobody is left for."""
    busy = set(calls["agent"])
    if calls.height and (idle := [agent.name for agent in settings.agents if agent.name not in busy]):
        sentence = "plan.agents: there is nobody to call for {agents}: give them other regions or attributes to serve, or other work"
        yield Obstacle("planning.idle_agents", sentence, agents=list_first(idle))


def say_load(calls: pl.DataFrame, settings: PlanSettings, ahead: Sequence[Sequence[date]]) -> Iterator[Message]:
    """Say what part the calls are of all that the agents can make on days ahead, event by event, and how many agents would be enough."""
    counts = dict(calls.filter(pl.col("agent").is_not_null()).group_by("call_on").len().rows())
    by_day, made, possible, enough = calls_by_day(settings), 0, 0, 0
    for days in ahead:
        totals = sorted((sum(of_agent) for of_agent in zip(*map(by_day, days), strict=True)), reverse=True)
        needed = sum(counts.get(day, 0) for day in days)
        made, possible = made + needed, possible + sum(totals)
        enough = max(enough, next((many for many in range(len(totals) + 1) if sum(totals[:many]) >= needed), len(totals)))
    if not made:
        return
    sentence = (
        "The agents make {made:,} calls until {last}, {share:.0%} of the {possible:,} that they could make; by number {enough:,} of the "
        "{agents:,} would be enough."
    )
    facts = {"last": ahead[-1][-1], "enough": enough, "agents": len(settings.agents)}
    yield Message("planning.agents_load", sentence, made=made, share=made / possible, possible=possible, **facts)


def warn_of_events_missed(calls: pl.DataFrame, settings: PlanSettings, days: Mapping[int, Sequence[date]]) -> Iterator[Message]:
    """Say how many calls come after the days that lead up to their wave's live event, and what would help."""
    ends = {wave: of_event[-1] for wave, of_event in days.items()}
    missed = calls.filter(pl.col("call_on") > pl.col("wave").replace_strict(ends, default=None, return_dtype=pl.Date))
    if missed.is_empty():
        return
    waves = missed.group_by("wave").len().sort("wave").rows()
    by_wave = [Message("planning.wave_count", "wave {wave} {count:,}", wave=wave, count=count) for wave, count in waves]
    more = max(-(-count // len(days[wave])) for wave, count in waves)
    sentence = (
        "{count:,} calls come after the reminder of the live event that their wave leads up to: {waves}; {way}, lower plan.size, or take a "
        "later launch.live_events.first"
    )
    if settings.agents:
        way = Message("planning.add_calls", "have {more:,} calls more a day in plan.agents", more=more)
    else:
        way = Message("planning.drop_per_account", "set rules.per_account=null")
    yield Obstacle("planning.calls_after_reminder", sentence, count=missed.height, waves=list_first(by_wave), way=way)


def warn_of_late(
    calls: pl.DataFrame, settings: PlanSettings, first_days: dict[int, date], valid_until: date, *, events: bool = False
) -> Iterator[Message]:
    """Say how many calls come after the list's last day, and what would bring them forward.

    The calls have ``call_on``, ``wave``, ``account`` and what `warn_of_uncalled` needs.
    """
    late = calls.filter(pl.col("call_on") > valid_until)
    if late.is_empty():
        return
    sentence = "{late:,} of {calls:,} calls come after {valid_until}, the last day on which the list is good, up to {last}; {ways}"
    facts = {"late": late.height, "calls": calls.height, "valid_until": valid_until, "last": late.select(pl.col("call_on").max()).item()}
    first, *others = _ways_out(calls, late, settings, first_days, valid_until, events=events)
    ways = first
    for other in others:
        ways = Message("planning.and_way", "{ways}; {other}", ways=ways, other=other)
    yield Obstacle("planning.late_calls", sentence, **facts, ways=ways)


def _ways_out(
    calls: pl.DataFrame, late: pl.DataFrame, settings: PlanSettings, first_days: dict[int, date], valid_until: date, *, events: bool
) -> Iterator[Message]:
    if events:
        days_more = (late.select(pl.col("call_on").max()).item() - valid_until).days
        sentence = "they lead up to later live events: raise launch.valid_days by {days}, or have fewer live events"
        yield Message("planning.late_events", sentence, days=days_more)
        return
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
    """Name the region of each, with the language and the attributes where it matters to the agents."""
    regions = [NO_REGION if region is None else region for region in calls["region"]]
    names = [name for name in settings.served_attributes if name in calls.columns]
    if not names:
        return regions
    unknown = [Message("planning.attribute_unknown", "{name} unknown", name=name) for name in names]
    return [
        Message(
            "planning.region_attributes",
            "{region} ({attributes})",
            region=region,
            attributes=tuple(value or nothing for value, nothing in zip(values, unknown, strict=True)),
        )
        for region, values in zip(regions, calls.select(names).rows(), strict=True)
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
