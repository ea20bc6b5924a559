"""When everybody invited is called, and by whom."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.errors import ConfigError, nearest
from segmenter.messages import Message
from segmenter.planning.agents import find_reach
from segmenter.planning.calendar import working_day_test
from segmenter.planning.call_messages import warn_of_late, warn_of_uncalled
from segmenter.planning.dispatch import Queue, dispatch
from segmenter.settings import PlanSettings, RegionRule

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


def schedule(
    invited: pl.DataFrame, settings: PlanSettings, *, as_of: date, valid_until: date, per_account: str | None, regions: RegionRule
) -> Schedule:
    """Say in which wave, on which day and by whom everybody invited is called; the same whatever the order of the rows.

    Wave 1 of a group is its key users; the others follow by rank. Wave w begins `wave_days` × (w - 1) days after the start (as-of where
    the settings do not say), or on the next working day. Whenever one begins, all who wait are shared out anew among the agents so that
    as many calls are made by the end of each day as can be made at all, agents who can call the same customers are done at the same time,
    and each keeps to as few regions and groups as that allows; see `workload.balance`. An agent calls earlier waves first, and the better
    ranked of a wave. Of the customers of an account (the attribute `per_account`) who might be called on one day, the best ranked is, the
    next on the next day. Nobody is left out for being called after `valid_until`, but a warning says how many are.

    The invited have ``customer_id``, ``rank`` (from 1, unique), ``group``, ``region`` (what the group keeps to), ``province``, ``city``,
    ``key_user`` (Boolean), ``language`` where agents have languages, and the account. The aliases of `regions` are other spellings of the
    agents' regions.
    """
    check_schedule(invited, settings, as_of, per_account)
    queued = _with_wave(invited, settings, per_account)
    first_days = _first_days(queued["wave"].unique().sort().to_list(), settings, as_of)
    reach, callers, unknown = find_reach(queued, settings, regions)
    capacity = [agent.calls_per_day for agent in settings.agents]
    agents, days = dispatch(_queue(queued.with_columns(reach), callers), capacity, first_days, working_day_test(settings))
    names = pl.Series("agent", [agent.name for agent in settings.agents] + [None], dtype=pl.String)
    called = queued.with_columns(names.gather(agents), pl.Series("call_on", days, dtype=pl.Date))
    warnings = (*unknown, *warn_of_uncalled(called, settings), *warn_of_late(called, settings, first_days, valid_until))
    return Schedule(called.sort("row").select("customer_id", "wave", "call_on", "agent"), count_calls(called), warnings)


def count_calls(called: pl.DataFrame) -> pl.DataFrame:
    """Count the calls by ``agent``, ``day``, ``region``, ``wave``."""
    by_day = called.select("agent", pl.col("call_on").alias("day"), "region", "wave")
    return by_day.group_by(pl.all()).agg(pl.len().cast(pl.Int64).alias("calls")).sort("agent", "day", "region", "wave", nulls_last=True)


def check_schedule(customers: pl.DataFrame, settings: PlanSettings, as_of: date, per_account: str | None) -> None:
    """Make sure, before any work, that customers with these attributes can be scheduled."""
    problems = []
    if settings.start is not None and settings.start < as_of:
        sentence = "plan.start: should not lie before launch.as_of, {as_of} (got {start}); take a later day, or null for launch.as_of"
        problems.append(Message("planning.start_too_early", sentence, as_of=as_of, start=settings.start))
    if any(agent.languages for agent in settings.agents) and "language" not in customers.columns:
        sentence = (
            "plan.agents: languages need an attribute of the customers called language; name it in data.customers.attributes, or leave the "
            "languages of plan.agents empty"
        )
        problems.append(Message("planning.no_language", sentence))
    if per_account is not None and per_account not in customers.columns:
        attributes = [name for name, dtype in customers.schema.items() if dtype == pl.String and name not in _OURS]
        sentence = 'rules.per_account: should be an attribute in data.customers.attributes, or null (got "{account}"{hint})'
        problems.append(Message("planning.no_account", sentence, account=per_account, hint=nearest(per_account, attributes)))
    if problems:
        raise ConfigError(*problems)


def _with_wave(invited: pl.DataFrame, settings: PlanSettings, per_account: str | None) -> pl.DataFrame:
    """Sort the invited as they are to be called, and give each the wave."""
    place = pl.col("rank").rank("ordinal").over("group", "key_user").cast(pl.Int32) - 1
    later = pl.lit(0) if settings.wave_size is None else place // settings.wave_size
    return invited.select(
        pl.int_range(pl.len()).alias("row"),
        *("customer_id", "rank", "group"),
        pl.col("region", "province", "city").cast(pl.String),  # all of them may be null
        pl.when("key_user").then(1).otherwise(2 + later).cast(pl.Int32).alias("wave"),
        *((pl.col(name) if name in invited.columns else pl.lit(None)).cast(pl.String).alias(name) for name in ("district", "language")),
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
