"""When everybody invited is called, and by whom."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import polars as pl

from segmenter.errors import ConfigError, nearest
from segmenter.messages import Message
from segmenter.planning.agents import find_reach, keep_agents
from segmenter.planning.calendar import calls_by_day, days_between, working_day_test, working_days
from segmenter.planning.call_messages import say_load, warn_of_events_missed, warn_of_idle, warn_of_late, warn_of_uncalled
from segmenter.planning.dispatch import Queue, dispatch
from segmenter.planning.live_events import LiveEvent, warn_of_events
from segmenter.settings import PlanSettings, RegionRule
from segmenter.settings.types import MOST

_OURS = {"customer_id", "verdict", "group", "region", "province", "city", "district", "unit", "stratum"}  # text, but no attributes


@dataclass(frozen=True)
class Schedule:
    """Who is called when.

    `customers` has, in the order of the invited, ``customer_id``, ``wave`` (Int32: 1 for key users, from 2 for the others), ``call_on``
    (Date), ``agent`` (null where there are none, or none who could); `calls` counts them by ``agent``, ``day``, ``region``, ``wave``.
    """

    customers: pl.DataFrame
    calls: pl.DataFrame
    warnings: tuple[Message, ...]
    notes: tuple[Message, ...] = ()


def schedule(
    invited: pl.DataFrame,
    settings: PlanSettings,
    *,
    as_of: date,
    valid_until: date,
    per_account: str | None,
    regions: RegionRule,
    events: tuple[LiveEvent, ...] = (),
    last_agents: pl.DataFrame | None = None,
) -> Schedule:
    """Say in which wave, on which day and by whom everybody invited is called; the same whatever the order of the rows.

    Wave 1 of a group is its key users; the others follow by rank. Wave w begins `wave_days` × (w - 1) days after the start (as-of where
    the settings do not say), or on the next working day. Whenever one begins, all who wait are shared out anew among the agents so that
    as many calls are made by the end of each day as can be made at all, agents who can call the same customers are done at the same time,
    and each keeps to as few regions and groups as that allows; see `workload.balance`. An agent calls earlier waves first, and the better
    ranked of a wave. Of the customers of an account (the attribute `per_account`) who might be called on one day, the best ranked is, the
    next on the next day. Nobody is left out for being called after `valid_until`, but a warning says how many are.

    With live events, wave w leads up to event w instead, where somebody can be called before it, and all that are left to the last; its
    calls fill the event's days. Without `wave_size` the others are shared out among the events from the second on, by their days.

    The invited have ``customer_id``, ``rank`` (from 1, unique), ``group``, ``region`` (what the group keeps to), ``province``, ``city``,
    ``key_user`` (Boolean), the attributes that agents serve, and the account. The aliases of `regions` are other spellings of the agents'
    regions. `last_agents` has ``customer_id`` and ``last``: who called them the last time, and does again where days and loads allow it.
    """
    check_schedule(invited, settings, as_of, valid_until, per_account)
    led_up_to = [event for event in events if event.days]
    queued = _with_wave(invited, settings, per_account, led_up_to)
    waves = queued["wave"].unique().sort().to_list()
    of_wave = {wave: led_up_to[min(wave, len(led_up_to)) - 1] for wave in waves if led_up_to}
    first_days = {wave: event.days[0] for wave, event in of_wave.items()} or _first_days(waves, settings, as_of)
    last_days = {wave: event.days[-1] for wave, event in of_wave.items()}
    reach, callers, unknown = find_reach(queued, settings, regions)
    agents, days = dispatch(_queue(queued.with_columns(reach), callers), _calls(settings), first_days, last_days)
    names = pl.Series("agent", [agent.name for agent in settings.agents] + [None], dtype=pl.String)
    called = queued.with_columns(reach, names.gather(agents), pl.Series("call_on", days, dtype=pl.Date))
    ahead = [event.days for event in led_up_to] or [tuple(days_between(min(first_days.values(), default=as_of), valid_until))]
    notes = list(say_load(called, settings, ahead))
    if last_agents is not None:
        able = [{str(names[place]) for place in places} for places in callers]
        kept, same, known = keep_agents(called, last_agents, able)
        called = called.with_columns(kept)
        if known:
            sentence = "{same:,} of {known:,} who were called before and can be by the same agent again are called by that agent."
            notes.append(Message("planning.same_agent", sentence, same=same, known=known))
    warnings = (
        *warn_of_events(events),
        *unknown,
        *warn_of_uncalled(called, settings),
        *warn_of_idle(called, settings),
        *warn_of_events_missed(called, settings, {wave: event.days for wave, event in of_wave.items()}),
        *warn_of_late(called, settings, first_days, valid_until, events=bool(led_up_to)),
    )
    return Schedule(called.sort("row").select("customer_id", "wave", "call_on", "agent"), count_calls(called), warnings, tuple(notes))


def _calls(settings: PlanSettings) -> Callable[[date], tuple[int, ...]]:
    """Give how many calls each agent makes on a day, and last those that are nobody's: all of them on a working day."""
    calls, works = calls_by_day(settings), working_day_test(settings)
    return cache(lambda day: (*calls(day), MOST * works(day)))


def last_agents(invited: pl.DataFrame) -> pl.DataFrame:
    """Give each customer of earlier launches (`tables.INVITED`) the agent who was to call them ``last``."""
    asked = invited.filter(pl.col("agent").is_not_null(), status="planned").sort("planned_at", "launch")
    return asked.unique("customer_id", keep="last").select("customer_id", last="agent")


def count_calls(called: pl.DataFrame) -> pl.DataFrame:
    """Count the calls by ``agent``, ``day``, ``region``, ``wave``."""
    by_day = called.select("agent", pl.col("call_on").alias("day"), "region", "wave")
    return by_day.group_by(pl.all()).agg(pl.len().cast(pl.Int64).alias("calls")).sort("agent", "day", "region", "wave", nulls_last=True)


def check_schedule(customers: pl.DataFrame, settings: PlanSettings, as_of: date, valid_until: date, per_account: str | None) -> None:
    """Make sure, before any work, that customers with these attributes can be scheduled."""
    problems = []
    if settings.start is not None and settings.start < as_of:
        sentence = "plan.start: should not lie before launch.as_of, {as_of} (got {start}); take a later day, or null for launch.as_of"
        problems.append(Message("planning.start_too_early", sentence, as_of=as_of, start=settings.start))
    attributes = [name for name, dtype in customers.schema.items() if dtype == pl.String and name not in _OURS]
    served = settings.served_attributes
    if any(agent.languages for agent in settings.agents) and "language" not in customers.columns:
        served.remove("language")
        sentence = (
            "plan.agents: languages need an attribute of the customers called language; name it in data.customers.attributes, or leave the "
            "languages of plan.agents empty"
        )
        problems.append(Message("planning.no_language", sentence))
    for name in (name for name in served if name not in attributes):
        sentence = (
            'plan.agents: serves should name attributes of the customers (got "{name}"{hint}); list it in data.customers.attributes, or '
            "leave it out"
        )
        problems.append(Message("planning.no_served_attribute", sentence, name=name, hint=nearest(name, attributes)))
    days, calls = working_days(settings, settings.start or as_of, valid_until), calls_by_day(settings)
    if settings.agents and days and not any(any(calls(day)) for day in days):
        sentence = (
            "plan.agents: somebody should call while the list is good (got nobody on any of the {count:,} working days from {first} to "
            "{last}: {agents} off); add an agent, change their days_off or calls_on, or raise launch.valid_days"
        )
        facts = {"count": len(days), "first": days[0], "last": days[-1], "agents": tuple(agent.name for agent in settings.agents)}
        problems.append(Message("planning.all_off", sentence, **facts))
    if per_account is not None and per_account not in customers.columns:
        sentence = 'rules.per_account: should be an attribute in data.customers.attributes, or null (got "{account}"{hint})'
        problems.append(Message("planning.no_account", sentence, account=per_account, hint=nearest(per_account, attributes)))
    if problems:
        raise ConfigError(*problems)


def _with_wave(invited: pl.DataFrame, settings: PlanSettings, per_account: str | None, events: list[LiveEvent]) -> pl.DataFrame:
    """Sort the invited as they are to be called, and give each the wave."""
    place = pl.col("rank").rank("ordinal").over("group", "key_user").cast(pl.Int64) - 1
    if settings.wave_size is not None:
        later = place // settings.wave_size
    elif of_days := [number for number, event in enumerate(events[1:]) for _ in event.days]:
        later = (place * len(of_days) // pl.len().over("group", "key_user")).replace_strict(dict(enumerate(of_days)))
    else:
        later = pl.lit(0)
    levels = [name for name in ("district", *settings.served_attributes) if name in invited.columns]
    return invited.select(
        pl.int_range(pl.len()).alias("row"),
        *("customer_id", "rank", "group"),
        pl.col("region", "province", "city").cast(pl.String),  # all of them may be null
        pl.when("key_user").then(1).otherwise(2 + later).cast(pl.Int32).alias("wave"),
        *(pl.col(name).cast(pl.String) for name in levels),
        (pl.lit(None) if per_account is None else pl.col(per_account).rank("dense")).cast(pl.Int64).alias("account"),
    ).sort("wave", "rank")


def _first_days(waves: list[int], settings: PlanSettings, as_of: date) -> dict[int, date]:
    is_working = working_day_test(settings)
    first_days = {}
    for wave in waves:
        try:
            day = (settings.start or as_of) + (wave - 1) * timedelta(settings.wave_days)
            while not is_working(day):
                day += timedelta(1)
        except OverflowError:
            sentence = "plan.wave_days: wave {wave:,} would begin after the last day there is; take fewer days, or a larger plan.wave_size"
            raise ConfigError(Message("planning.wave_too_late", sentence, wave=wave)) from None
        first_days[wave] = day
    return first_days


def _queue(queued: pl.DataFrame, callers: list[tuple[int, ...]]) -> Queue:
    keys = ["reach", "region", "wave", "group"]
    cells = queued.select(keys).unique().sort(keys, nulls_last=True).with_row_index("cell")
    kinds: dict[tuple[int, str | None], int] = {}
    kind_and_wave = [
        (kinds.setdefault((reach, region), len(kinds)), wave) for reach, region, wave in cells.select("reach", "region", "wave").rows()
    ]
    cell = queued.select(keys).join(cells, on=keys, how="left", nulls_equal=True, maintain_order="left", validate="m:1")["cell"]
    able = [callers[reach] for reach, _ in kinds]
    return Queue(queued["wave"].to_list(), queued["account"].to_list(), cell.to_list(), kind_and_wave, able)
