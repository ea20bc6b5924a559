"""What a launch that spreads may come to: run forward many times, with several tiers of rewards beside each other."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.evaluation.as_of import FORECAST_SAMPLE, terms_of
from segmenter.evaluation.bringing import Bringing
from segmenter.evaluation.fission_world import Setting, set_up
from segmenter.evaluation.forecast import TAILS
from segmenter.measures.past import past_of
from segmenter.messages import Message
from segmenter.money import to_minor
from segmenter.planning.join_chances import JoinChances
from segmenter.settings.jobs import SimulateCore
from segmenter.settings.rewards import Tier
from segmenter.spread.launch_spread import EdgeChances
from segmenter.tables import Tables

Longs = NDArray[np.int64]
TOTALS = ("members", "brought", "new", "people", "turned_away", "sales", "cost", "each", "net")
MONEY = ("sales", "cost", "each", "net")
DAILY = ("members", "brought", "new", "people", "sales", "cost")


@dataclass(frozen=True)
class Simulation:
    """What every tier may come to; money in minor units.

    Each figure has its middle and, as ``_low`` and ``_high``, between what it is in 8 of 10 runs. Frames have a ``tier``.

    Parameters
    ----------
    totals : DataFrame
        By tier, at the end of the horizon: ``members``, of whom ``brought``; ``new`` customers brought, who are in no group; ``people``:
        all who were brought; ``turned_away``, as the groups were full; ``sales`` of members and new customers from joining on; ``cost``,
        and what one of the people costs: ``each``; ``net``, where a margin is known.
    daily : DataFrame
        By tier and ``day``: the same up to that day.
    generations : DataFrame
        By tier and ``generation`` (0: called): ``members``.
    differences : DataFrame
        By tier but the first, the same: what it has more than that in the same run; ``each`` is null where there may be nobody more.
    recommended : str or None
        The tier of which more is left than of the first, of what it adds to sales less its cost, in 9 of 10 runs, most in the middle of
        them; the first, where less is left of all others in 9 of 10. None where that cannot be told, or no margin is known.
    runs : int
        Futures drawn.
    joining, bringing, chances
        What they rest on; no `chances` where nobody is known to know anybody.
    notes, warnings : tuple of Message
        What to know of them.
    """

    totals: pl.DataFrame
    daily: pl.DataFrame
    generations: pl.DataFrame
    differences: pl.DataFrame
    recommended: str | None
    runs: int
    joining: JoinChances
    bringing: Bringing
    chances: EdgeChances | None
    notes: tuple[Message, ...]
    warnings: tuple[Message, ...]


def simulate_fission(customers: pl.DataFrame, groups: pl.DataFrame, tables: Tables, settings: SimulateCore) -> Simulation:
    """Run a planned launch forward.

    Who is called joins by the chance that was learned or guessed, after as many days as at past launches; members bring others along ties,
    others into their group, and new customers, by day and with fatigue, while their group has room; who is brought brings on. Members buy
    as customers of their rank did at past dates, from joining on: what joining adds is not counted. What is not known is drawn anew for
    each run, and is the same for all tiers of a run.

    Parameters
    ----------
    customers, groups : DataFrame
        The plan, see `LaunchPlan`.
    tables : Tables
        The shop's, with past launches.
    settings : SimulateCore
        The launch, and `fission`: the tiers and what is assumed.

    Returns
    -------
    Simulation
        The same at any number of threads and for any order of rows.

    Raises
    ------
    InputError
        The launch runs already, or invites nobody.
    """
    as_of = terms_of(settings).as_of
    if tables.launches is not None and tables.launches.running is not None:
        sentence = "launch.name: {name} was committed and runs already: what came of it says segmenter review; simulate under another name"
        raise InputError(Message("evaluation.simulated_running", sentence, name=settings.launch.name))
    terms = terms_of(settings)
    past = past_of(
        tables, as_of, terms.half_life_days, terms.window_days, terms.horizon_days, max_customers=FORECAST_SAMPLE, seed=settings.seed
    )
    setting = set_up(customers, groups, tables, past, settings, as_of)
    runs = {tier.name: _run(tier, setting, settings) for tier in settings.fission.offered}
    has_sales, margin = bool(setting.bought.spends), settings.fission.margin
    ended = {name: _totals(run, has_sales, margin) for name, run in runs.items()}
    first, *others = ended
    days = pl.date_range(as_of, as_of + timedelta(days=settings.launch.horizon_days - 1), eager=True)
    daily = []
    for name, run in runs.items():
        by_day = _counted(run[0].cumsum(axis=1))
        if not has_sales:
            del by_day["sales"]
        daily.append(pl.DataFrame({"tier": [name] * len(days), "day": days} | _bands(by_day, DAILY)))
    generations = [
        pl.DataFrame({"tier": name, "generation": range(run[1].shape[1])} | _bands({"members": run[1]}, ("members",)))
        for name, run in runs.items()
    ]
    totals, differences = _table(ended, TOTALS), _table({name: _less(ended[name], ended[first]) for name in others}, TOTALS)
    return Simulation(
        totals=totals,
        daily=pl.concat(daily, how="diagonal"),
        generations=pl.concat(generations).filter(pl.col("members_high") > 0),
        differences=differences,
        recommended=_recommend(first, differences),
        runs=settings.fission.runs,
        joining=setting.joining,
        bringing=setting.bringing,
        chances=setting.chances,
        notes=_notes(setting, settings),
        warnings=(*_full(totals), *setting.bought.warnings),
    )


def _run(tier: Tier, setting: Setting, settings: SimulateCore) -> Any:
    """Run one tier: see `fission_runs.run_forward`; what is given to the invited is added to the cost."""
    from segmenter.evaluation.fission_runs import COST, run_forward

    world, currency = setting.world, settings.launch.currency
    pull = np.zeros(len(world.orders))
    for each in settings.fission.offered:
        *_, shares = _levels(each, currency)
        steps = np.diff(np.concatenate([[0.0], _levels(each, currency)[1]]))
        highest = steps.max(initial=0.0)
        pull = np.maximum(pull, highest if shares else highest / np.maximum(world.orders, 1.0))
    days = settings.launch.horizon_days
    by_day, generations, turned = run_forward(
        world, setting.bought.buyers, setting.draws, *_levels(tier, currency), pull, days, settings.seed
    )
    by_day[:, :, COST] += setting.invite
    return by_day, generations, turned


def _levels(tier: Tier, currency: str) -> tuple[Longs, NDArray[np.float64], bool]:
    """Give the friends of each level, what it is worth, and whether that is in shares of an order; else in minor units."""
    shares = any(reward.share is not None for reward in tier.rewards.values())
    worth = [reward.size if shares else to_minor(reward.size, currency) for reward in tier.rewards.values()]
    return np.array(list(tier.rewards), dtype=np.int64), np.array(worth, dtype=np.float64), shares


def _counted(by_day: Longs) -> dict[str, Any]:
    """Name what was counted, along the last axis."""
    from segmenter.evaluation.fission_runs import BROUGHT, CALLED, COST, NEW, SALES

    called, brought, new = (by_day[..., kind] for kind in (CALLED, BROUGHT, NEW))
    counted = {"members": called + brought, "brought": brought, "new": new, "people": brought + new}
    return counted | {"sales": by_day[..., SALES], "cost": by_day[..., COST]}


def _totals(run: Any, has_sales: bool, margin: float | None) -> dict[str, Any]:
    by_day, _, turned = run
    ended = _counted(by_day.sum(axis=1)) | {"turned_away": turned}
    if not has_sales:
        del ended["sales"]
    return ended | _ratios(ended, margin)


def _ratios(ended: dict[str, Any], margin: float | None) -> dict[str, Any]:
    """Give what one brought costs, and what is left of the sales; of single runs."""
    each = np.where(ended["people"] > 0, ended["cost"] / np.maximum(ended["people"], 1), np.nan)
    net = {"net": np.rint(ended["sales"] * margin).astype(np.int64) - ended["cost"]} if margin is not None and "sales" in ended else {}
    return {"each": each, **net}


def _less(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Give what one tier has more than another in the same runs; the cost of one more where hardly any run has none."""
    more = {name: values - other[name] for name, values in one.items() if name != "each"}
    people = more["people"]
    each = more["cost"] / np.maximum(people, 1) if np.quantile(people, TAILS[0]) > 0 else np.full(len(people), np.nan)
    return more | {"each": each}


def _bands(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Give low, middle and high over the runs, which are the first axis; whole numbers, and null where there is none."""
    found = {}
    for name in (name for name in names if name in values):
        for end, level in zip(("_low", "", "_high"), TAILS, strict=True):
            drawn = (
                np.rint(np.nanquantile(values[name], level, axis=0))
                if np.isfinite(values[name]).any()
                else np.full(values[name].shape[1:], np.nan)
            )
            found[f"{name}{end}"] = pl.Series(np.atleast_1d(drawn)).fill_nan(None).cast(pl.Int64)
    return found


def _table(by_tier: dict[str, dict[str, Any]], names: tuple[str, ...]) -> pl.DataFrame:
    ends = [f"{name}{end}" for name in names for end in ("_low", "", "_high")]
    empty = pl.DataFrame(schema={"tier": pl.String} | dict.fromkeys(ends, pl.Int64))
    return pl.concat([empty, *(pl.DataFrame({"tier": tier} | _bands(values, names)) for tier, values in by_tier.items())], how="diagonal")


def _recommend(first: str, differences: pl.DataFrame) -> str | None:
    paying = differences.filter(pl.col("net_low") > 0).sort("net", descending=True, maintain_order=True)
    if paying.height:
        return str(paying["tier"][0])
    return first if differences.height and (differences["net_high"] < 0).all(ignore_nulls=False) else None


def _full(totals: pl.DataFrame) -> tuple[Message, ...]:
    """Say that groups are full, in half of the runs or more."""
    shut = totals.filter(pl.col("turned_away") > 0)
    if shut.is_empty():
        return ()
    sentence = (
        "the groups are too small: with {tiers}, {low:,} to {high:,} who would join find no place, and with more room more are brought; "
        "invite fewer (plan.size), or raise plan.group_capacity"
    )
    low, high = shut["turned_away_low"].min(), shut["turned_away_high"].max()
    return (Message("evaluation.simulated_full", sentence, tiers=tuple(shut["tier"]), low=low, high=high),)


def _notes(setting: Setting, settings: SimulateCore) -> tuple[Message, ...]:
    """Say what the runs rest on."""
    fission, bringing = settings.fission, setting.bringing
    sentence = (
        "How rewards change what people do is an assumption (fission.response): for an average order's worth of reward, one more is "
        "brought with a chance {low:.0f} % to {high:.0f} % higher."
    )
    notes = [
        setting.joining.note(),
        Message("evaluation.simulated_response", sentence, low=100 * fission.response.low, high=100 * fission.response.high),
    ]
    if setting.chances is None:
        sentence = "Nobody is known to know anybody (data.referrals, data.ties): whom members bring along ties is not counted."
        notes.append(Message("evaluation.simulated_alone", sentence))
    else:
        notes += setting.chances.notes
    facts = {
        "launches": bringing.launches,
        "members": bringing.members,
        "along": bringing.ties.brought,
        "others": bringing.others.brought,
        "new": bringing.new.brought,
    }
    if bringing.launches:
        sentence = (
            "What {members:,} members of past launches ({launches}) brought corrects how many are: {along:,} along known ties, {others:,} "
            "others into their group, {new:,} new customers."
        )
        notes.append(Message("evaluation.simulated_learned", sentence, **facts))
    else:
        sentence = (
            "No past launch says whom members bring: those whom they are not known to know are not counted, and all other numbers may well "
            "be half or twice as high."
        )
        notes.append(Message("evaluation.simulated_guessed", sentence))
    sentence = "Sales are what members and new customers would buy as others like them did; what joining itself adds is not counted."
    if not setting.bought.spends:
        sentence = "Sales are not simulated: the history is too short to look at a past date, with {days} days after it."
        return (*notes, Message("evaluation.simulated_no_sales", sentence, days=settings.launch.horizon_days))
    return (*notes, Message("evaluation.simulated_sales", sentence))
