"""When everybody invited is called, and by whom."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from segmenter.errors import ConfigError, nearest
from segmenter.planning.calendar import working, working_days
from segmenter.planning.dispatch import Queue, dispatch
from segmenter.regions import matching
from segmenter.settings import PlanSettings, RegionRule
from segmenter.words import Lang, say

_OURS = {"customer_id", "verdict", "group", "region", "province", "city", "unit", "stratum"}  # text, but no attributes
_AS_IT_IS = RegionRule(include=(), exclude=(), allow_missing=True, aliases={})


@dataclass(frozen=True)
class Schedule:
    """Who is called when.

    Parameters
    ----------
    customers : DataFrame
        In the order of the invited: ``customer_id``, ``wave`` (Int32: 1 for key users, from 2 for the others), ``call_on`` (Date),
        ``agent`` (null where there are none, or none who could).
    calls : DataFrame
        ``agent``, ``day``, ``region``, ``wave``, ``calls`` (Int64), sorted, those without an agent last.
    warnings : tuple of str
        What a person should know.
    """

    customers: pl.DataFrame
    calls: pl.DataFrame
    warnings: tuple[str, ...]


def schedule(
    invited: pl.DataFrame,
    settings: PlanSettings,
    *,
    as_of: date,
    valid_until: date,
    per_account: str | None,
    lang: Lang,
    regions: RegionRule = _AS_IT_IS,
) -> Schedule:
    """Say in which wave, on which day and by whom everybody invited is called.

    Wave 1 of a group is its key users; the others follow by rank. Wave w begins `wave_days` × (w - 1) days after the start, or on the
    next working day. Whenever one begins, all who wait are shared out anew among the agents so that as many calls are made by the
    end of each day as can be made at all, agents who can call the same people are done at the same time, and each keeps to as few
    regions and groups as that allows; see `planning.balance`. An agent calls earlier waves first, and the better ranked of a wave.
    Of an account's people who might be called on one day, the best ranked is, the next on the next day.

    Parameters
    ----------
    invited : DataFrame
        One row per customer: ``customer_id``, ``rank`` (from 1, unique), ``group``, ``region`` (what the group keeps to), ``province``
        and ``city``, ``key_user`` (Boolean), ``language`` where agents have languages, and the account, in any order.
    settings : PlanSettings
        Waves, agents, and days off.
    as_of : date
        When the calls begin, where `settings.start` does not say.
    valid_until : date
        The last day on which the list is good. Nobody is left out for it, but a warning says how many are later.
    per_account : str or None
        The attribute of which no value (nulls aside) is called twice on a day.
    lang : {"en", "zh"}
        The language of the warnings.
    regions : RegionRule, optional
        Its aliases: other spellings of the agents' regions.

    Returns
    -------
    Schedule
        Everybody once, the same whatever the order of the rows.

    Raises
    ------
    ConfigError
        The start lies before the as-of date; there is no such calendar or attribute.

    Examples
    --------
    >>> import segmenter
    >>> overrides = {"plan.agents": [{"name": "Li", "calls_per_day": 1, "regions": ["四川"]}], "plan.calendar": None}
    >>> invited = pl.DataFrame({"customer_id": ["a", "b", "c"], "rank": [1, 2, 3], "group": "四川-1", "region": "四川",
    ...     "province": "四川", "city": "成都", "key_user": True})
    >>> dates = {"as_of": date(2026, 7, 2), "valid_until": date(2026, 7, 9)}
    >>> made = schedule(invited, segmenter.launch_settings(overrides).plan, **dates, per_account=None, lang="en")
    >>> [(name, day.isoformat()) for name, day in made.customers.select("customer_id", "call_on").rows()]
    [('a', '2026-07-02'), ('b', '2026-07-03'), ('c', '2026-07-06')]
    """
    check_schedule(invited, settings, as_of, per_account)
    people = _people(invited, settings, per_account)
    first_days = _first_days(people["wave"].unique().sort().to_list(), settings, as_of)
    numbers, sets, strangers = reach(people, settings, regions, lang)
    capacity = [agent.calls_per_day for agent in settings.agents]
    agents, days = dispatch(_queue(people.with_columns(numbers), sets), capacity, first_days, working(settings))
    names = pl.Series("agent", [agent.name for agent in settings.agents] + [None], dtype=pl.String)
    called = people.with_columns(names.gather(agents), pl.Series("call_on", days, dtype=pl.Date))
    kinds = called.select("agent", pl.col("call_on").alias("day"), "region", "wave")
    calls = kinds.group_by(pl.all()).agg(pl.len().cast(pl.Int64).alias("calls")).sort("agent", "day", "region", "wave", nulls_last=True)
    warnings = [*strangers, *_uncalled(called, settings, lang), *_late(called, settings, first_days, valid_until, lang)]
    customers = called.sort("row").select("customer_id", "wave", "call_on", "agent")
    return Schedule(customers, calls, tuple(warnings))


def check_schedule(people: pl.DataFrame, settings: PlanSettings, as_of: date, per_account: str | None) -> None:
    """Make sure, before any work, that people can be scheduled.

    Parameters
    ----------
    people : DataFrame
        With all their attributes.
    settings, as_of, per_account : PlanSettings, date, str or None
        As for `schedule`.

    Raises
    ------
    ConfigError
        The start lies before the as-of date, or there is no such attribute.

    Examples
    --------
    >>> import segmenter
    >>> check_schedule(pl.DataFrame(), segmenter.launch_settings({}).plan, date(2026, 7, 1), None)
    """
    problems = []
    if settings.start is not None and settings.start < as_of:
        way_out = "take a later day, or null for launch.as_of"
        problems.append(f"plan.start: should not lie before launch.as_of, {as_of} (got {settings.start}); {way_out}")
    if any(agent.languages for agent in settings.agents) and "language" not in people.columns:
        way_out = "name it in data.customers.attributes, or leave the languages of plan.agents empty"
        problems.append(f"plan.agents: languages need an attribute of the customers called language; {way_out}")
    if per_account is not None and per_account not in people.columns:
        hint = nearest(per_account, [name for name, dtype in people.schema.items() if dtype == pl.String and name not in _OURS])
        problems.append(f'rules.per_account: should be an attribute in data.customers.attributes, or null (got "{per_account}"{hint})')
    if problems:
        raise ConfigError(*problems)


def _people(invited: pl.DataFrame, settings: PlanSettings, per_account: str | None) -> pl.DataFrame:
    """Sort the invited as they are to be called, and give each the wave."""
    place = pl.col("rank").rank("ordinal").over("group", "key_user").cast(pl.Int32) - 1
    later = pl.lit(0) if settings.wave_size is None else place // settings.wave_size
    return invited.select(
        pl.int_range(pl.len()).alias("row"),
        *("customer_id", "rank", "group"),
        pl.col("region", "province", "city").cast(pl.String),  # all of them may be null
        pl.when("key_user").then(1).otherwise(2 + later).cast(pl.Int32).alias("wave"),
        (pl.col("language") if "language" in invited.columns else pl.lit(None)).cast(pl.String).alias("language"),
        (pl.lit(None) if per_account is None else pl.col(per_account).rank("dense")).cast(pl.Int64).alias("account"),
    ).sort("wave", "rank")


def _first_days(waves: list[int], settings: PlanSettings, as_of: date) -> dict[int, date]:
    works = working(settings)
    first_days = {}
    try:
        for wave in waves:
            day = (settings.start or as_of) + (wave - 1) * timedelta(settings.wave_days)
            while not works(day):
                day += timedelta(1)
            first_days[wave] = day
    except OverflowError:
        rule = f"wave {wave:,} would begin after the last day there is"
        raise ConfigError(f"plan.wave_days: {rule}; take fewer days, or a larger plan.wave_size") from None
    return first_days


def reach(
    people: pl.DataFrame, settings: PlanSettings, regions: RegionRule, lang: Lang
) -> tuple[pl.Series, list[tuple[int, ...]], list[str]]:
    """Say which agents can call whom.

    Parameters
    ----------
    people : DataFrame
        ``province``, ``city``, and ``language`` where agents have languages.
    settings : PlanSettings
        The agents.
    regions : RegionRule
        Its aliases.
    lang : {"en", "zh"}
        The language of the warnings.

    Returns
    -------
    Series of Int64
        ``reach``: for each the number of a set of agents.
    list of tuple of int
        The sets, by number: the agents' places in the settings.
    list of str
        Warnings of regions and languages that nobody has.

    Examples
    --------
    >>> import segmenter
    >>> plan = segmenter.launch_settings({"plan.agents": [{"name": "Li", "calls_per_day": 1, "regions": ["四川"]}]}).plan
    >>> reach(pl.DataFrame({"province": ["四川", "云南"], "city": None}), plan, _AS_IT_IS, "en")[:2]  # doctest: +ELLIPSIS
    (shape: (2,)...[(), (0,)])
    """
    keys = ["province", "city", "language"]
    if "language" not in people.columns:
        people = people.with_columns(language=pl.lit(None, dtype=pl.String))
    people = people.select(pl.col(keys).cast(pl.String))
    places = people.unique().sort(keys, nulls_last=True)
    rule = regions.model_copy(update={"allow_missing": True})
    known = {column: set(places[column].drop_nulls()) for column in keys}
    serves, strangers = [], []
    for agent in settings.agents:
        regional = {name: matching(places, (name,), rule, "plan.agents") for name in agent.regions}
        strangers += [f"{name} ({agent.name}{_near(name, known['province'] | known['city'])})" for name in regional if regional[name][1]]
        strangers += [f"{name} ({agent.name}{_near(name, known['language'])})" for name in agent.languages if name not in known["language"]]
        able = np.ones(places.height, dtype=bool)
        if regional:
            able &= np.any([hit.to_numpy() for hit, _ in regional.values()], axis=0)
        if agent.languages:
            able &= places["language"].is_in(list(agent.languages)).fill_null(value=False).to_numpy()
        serves.append(able)
    warnings = []
    if strangers and people.height:
        more = say(lang, f" and {len(strangers) - 6} more", f"等 {len(strangers)} 处") if len(strangers) > 6 else ""
        en = f"plan.agents: nobody who is invited has this region or language: {', '.join(strangers[:6])}{more}"
        zh = f"plan.agents：以下地区或语言没有受邀客户：{'、'.join(strangers[:6])}{more}"
        warnings.append(say(lang, en, zh))
    sets = [tuple(np.flatnonzero(row).tolist()) for row in np.array(serves, dtype=bool).reshape(len(serves), places.height).T]
    numbers = {each: number for number, each in enumerate(sorted(set(sets)))}
    numbered = places.with_columns(pl.Series("reach", [numbers[each] for each in sets], dtype=pl.Int64))
    joined = people.select(keys).join(numbered, on=keys, how="left", nulls_equal=True, maintain_order="left", validate="m:1")
    return joined["reach"], list(numbers), warnings


def _near(name: str, known: set[str]) -> str:
    """Say what a name may be a misspelling of; it may as well be right, and nobody from there be invited."""
    hint = nearest(name, known)
    return hint if hint.startswith("; nearest") else ""


def _queue(people: pl.DataFrame, sets: list[tuple[int, ...]]) -> Queue:
    keys = ["reach", "region", "wave", "group"]
    cells = people.select(keys).unique().sort(keys, nulls_last=True).with_row_index("cell")
    kinds: dict[tuple[int, str | None], int] = {}
    of_cell = [
        (kinds.setdefault((reach, region), len(kinds)), wave) for reach, region, wave in cells.select("reach", "region", "wave").rows()
    ]
    of = people.select(keys).join(cells, on=keys, how="left", nulls_equal=True, maintain_order="left", validate="m:1")["cell"]
    callers = [sets[reach] for reach, _ in kinds]
    return Queue(people["wave"].to_list(), people["account"].to_list(), of.to_list(), of_cell, callers)


def _where(called: pl.DataFrame, settings: PlanSettings, lang: Lang) -> list[str]:
    """Name the region of each, with the language where it matters who speaks it."""
    places = called["region"].fill_null(say(lang, "no region", "无地区")).to_list()
    if not any(agent.languages for agent in settings.agents):
        return places
    languages = called["language"].fill_null(say(lang, "language unknown", "语言未知")).to_list()
    return [f"{place} ({language})" for place, language in zip(places, languages, strict=True)]


def _listed(counts: Mapping[str, int], lang: Lang, most: int = 6) -> str:
    """Write the largest counts, ties by name."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    more = say(lang, f" and {len(ordered) - most} more", f"等 {len(ordered)} 处") if len(ordered) > most else ""
    return say(lang, ", ", "、").join(f"{name} {count:,}" for name, count in ordered[:most]) + more


def _uncalled(called: pl.DataFrame, settings: PlanSettings, lang: Lang) -> Iterator[str]:
    alone = called.filter(pl.col("agent").is_null())
    if settings.agents and alone.height:
        counts = _listed(Counter(_where(alone, settings, lang)), lang)
        en = f"{alone.height:,} of those invited can be called by no agent: {counts}; widen the regions or languages in plan.agents"
        zh = f"有 {alone.height:,} 位受邀客户没有可负责的客服：{counts}；请在 plan.agents 中补充地区或语言"
        yield say(lang, en, zh)


def _late(called: pl.DataFrame, settings: PlanSettings, first_days: dict[int, date], valid_until: date, lang: Lang) -> Iterator[str]:
    """Say how many calls come after the list's last day, and what would bring them forward."""
    late = called.filter(pl.col("call_on") > valid_until)
    if late.is_empty():
        return
    last = late.select(pl.col("call_on").max()).item()
    en = f"{late.height:,} of {called.height:,} calls come after {valid_until}, the last day on which the list is good, up to {last}"
    zh = f"{called.height:,} 次外呼中有 {late.height:,} 次排在名单有效期（至 {valid_until}）之后，最晚为 {last}"
    ways = list(_ways_out(called, late, settings, first_days, valid_until, lang))
    yield say(lang, f"{en}; {'; '.join(ways)}", f"{zh}；{'；'.join(ways)}")


def _ways_out(
    called: pl.DataFrame, late: pl.DataFrame, settings: PlanSettings, first_days: dict[int, date], valid_until: date, lang: Lang
) -> Iterator[str]:
    days = working_days(settings, min(first_days.values()), valid_until)
    left = {wave: len(days) - bisect_left(days, first) for wave, first in first_days.items()}  # working days until the list's last
    begun = pl.col("wave").replace_strict(left, return_dtype=pl.Int64) > 0
    if not days:
        en = f"the first are on {min(first_days.values())}: take an earlier plan.start, or raise launch.valid_days"
        yield say(lang, en, f"最早的外呼在 {min(first_days.values())}：可提前 plan.start，或增大 launch.valid_days")
    elif unbegun := late.filter(~begun).height:
        en = f"{unbegun:,} are of waves that begin later: lower plan.wave_days, or raise plan.wave_size or launch.valid_days"
        zh = f"其中 {unbegun:,} 次所属批次开始得更晚：可减小 plan.wave_days，或增大 plan.wave_size、launch.valid_days"
        yield say(lang, en, zh)
    # An account has one call a day, however many agents there are.
    accounts = called.filter(pl.col("account").is_not_null()).sort("call_on").group_by("account").agg("call_on")
    times: dict[int, list[date]] = dict(accounts.rows())
    full, helped, short = 0, Counter[int](), defaultdict[str, Counter[int]](Counter)
    rows = late.filter(begun)
    for place, wave, account in zip(_where(rows, settings, lang), *rows.select("wave", "account"), strict=True):
        own = times.get(account, [])
        if account is not None and bisect_right(own, valid_until) - bisect_left(own, first_days[wave]) + helped[account] >= left[wave]:
            full += 1
        else:
            helped[account] += 1
            short[place][left[wave]] += 1
    if full:
        en = f"{full:,} wait for others of their account (rules.per_account): raise launch.valid_days"
        zh = f"其中 {full:,} 次须等待同一账户的其他客户（rules.per_account）：可增大 launch.valid_days"
        yield say(lang, en, zh)
    if short:
        counts = _listed({place: _calls_a_day(late) for place, late in short.items()}, lang)
        yield say(lang, f"more calls a day would make them in time: {counts}", f"若要按期完成，每天还需增加外呼次数：{counts}")


def _calls_a_day(late: Counter[int]) -> int:
    """Give how many a day are enough, where so many people have so many days left."""
    people, most = 0, 0
    for days in sorted(late):
        people += late[days]
        most = max(most, -(-people // days))
    return most
