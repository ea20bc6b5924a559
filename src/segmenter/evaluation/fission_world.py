"""What a simulated launch is made of: who is called, who may bring whom, what they buy, and what of that is not known."""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.evaluation.as_of import terms_of
from segmenter.evaluation.fission_runs import Draws, World
from segmenter.evaluation.forecast_draws import DRAWS, draw, score_shares
from segmenter.evaluation.past_bringing import Bringing, find_new, learn_bringing, list_members, share_by_day
from segmenter.evaluation.past_purchases import PastPurchases, find_purchases
from segmenter.measures.past import Past
from segmenter.money import to_minor
from segmenter.planning.join_chances import JoinChances, bin_of, learn_join_chances
from segmenter.planning.starters import reserve_places
from segmenter.rules import ELIGIBLE
from segmenter.settings import AllocatedPlan, ReferralSpread
from segmenter.settings.jobs import SimulateCore
from segmenter.spread.launch_spread import EdgeChances, fit_friends, launch_spread
from segmenter.tables import INVITED, Tables

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
# Who is in no group of ours, whoever brings them.
_CLOSED = ("not_customer", "staff", "blocked", "violations", "member", "region_include", "region_exclude", "region_unknown")
_BY_LAUNCHES = ("member", "refused", "agreed", "refused_lately", "held_out", "cooloff", "invitations")


@dataclass(frozen=True)
class Setting:
    """All that the runs take, and what it rests on."""

    world: World
    bought: PastPurchases
    draws: Draws
    joining: JoinChances
    bringing: Bringing
    chances: EdgeChances | None
    invite: Longs  # what is given to the invited, by the day of their call


def set_up(customers: pl.DataFrame, groups: pl.DataFrame, tables: Tables, past: Past, settings: SimulateCore, as_of: date) -> Setting:
    """Make a world of a plan (`LaunchPlan.customers`, `LaunchPlan.groups`) and of the shop's past."""
    fission, horizon, currency = settings.fission, settings.launch.horizon_days, settings.launch.currency
    invited = None if tables.launches is None else tables.launches.invited
    joining = learn_join_chances(invited, as_of=as_of, chance=settings.plan.join_chance, evidence=settings.plan.join_evidence)
    chances = _edges(customers, tables, settings)
    edges = chances.edges if chances is not None else pl.DataFrame(schema={"from_id": pl.String, "to_id": pl.String, "chance": pl.Float64})
    members, fatigue = list_members(invited, horizon, as_of), share_by_day(fission.fatigue, horizon)
    new = find_new(members, tables.referrals)
    people = _people(customers, edges, tables.referrals, new, settings, past=members.height > 0)
    bringing = learn_bringing(members, new, people, chances, fatigue, as_of)
    number = people.select("person", number=pl.int_range(pl.len()))
    called = customers.filter("invited").sort("customer_id").join(number, left_on="customer_id", right_on="person", maintain_order="left")
    day = (called["call_on"] - as_of).dt.total_days().fill_null(0).to_numpy()
    named = edges.join(number.rename({"person": "from_id", "number": "source"}), on="from_id")
    named = named.join(number.rename({"person": "to_id", "number": "target"}), on="to_id").sort("source", "target")
    plan = reserve_places(customers, settings).plan
    gifts = plan.gifts if isinstance(plan, AllocatedPlan) else None
    bonus = np.zeros(max(gifts.friends, default=0) + 2 if gifts else 1, dtype=np.int64)
    for friends, gift in gifts.friends.items() if gifts else ():
        bonus[friends] = to_minor(gift, currency)
    bought = find_purchases(past, settings)
    world = World(
        called=called["number"].cast(pl.Int64).to_numpy(),
        call_day=day,
        group=called["group"].replace_strict(groups["group"], range(groups.height), return_dtype=pl.Int64).to_numpy(),
        join_bin=bin_of(called["score"]).cast(pl.Int64).to_numpy(),
        gift=to_minor(gifts.join, currency) if gifts else 0,
        gifts=bonus,
        lags=_lags(invited, as_of),
        places=np.full(groups.height, plan.group_capacity, dtype=np.int64),
        offsets=np.concatenate([[0], np.cumsum(np.bincount(named["source"].to_numpy(), minlength=people.height))]).astype(np.int64),
        targets=named["target"].cast(pl.Int32).to_numpy(),
        chances=named["chance"].to_numpy(),
        open=people["open"].to_numpy(),
        others=np.flatnonzero((people["open"] & people["known_days"].is_not_null()).to_numpy()),
        shapes=_with_unknown(people["shape"]),
        scales=_with_unknown(people["friends"] / people["shape"].clip(1e-9)),
        orders=_with_unknown(people["average_order"].cast(pl.Float64)),
        spends_like=_ranks(people, bought),
        fatigue=fatigue,
        most=int(settings.spread.friends if isinstance(settings.spread, ReferralSpread) else fission.network.friends),
    )
    draws = _draws(settings, joining, bringing, bought, world)
    calls = np.bincount(np.minimum(day, horizon), minlength=horizon + 1)[:horizon] * (to_minor(gifts.invite, currency) if gifts else 0)
    return Setting(world, bought, draws, joining, bringing, chances, calls)


def _edges(customers: pl.DataFrame, tables: Tables, settings: SimulateCore) -> EdgeChances | None:
    """Give the chances along ties: the launch's own, or by `fission.network`; None where nobody is known to know anybody."""
    if isinstance(settings.spread, ReferralSpread):
        return launch_spread(customers, tables, settings, value=None).chances
    try:
        return launch_spread(customers, tables, settings.model_copy(update={"spread": settings.fission.network}), value=None).chances
    except InputError:
        return None


def _people(
    customers: pl.DataFrame, edges: pl.DataFrame, referrals: pl.DataFrame, new: pl.DataFrame, settings: SimulateCore, *, past: bool
) -> pl.DataFrame:
    """List all customers and whoever is in a tie, by id: ``known_days``, ``open``, ``shape``, ``friends``, ``average_order``, ``place``.

    New customers brought are Poisson distributed, at a rate of each one's own; of `new` members brought them, at another.
    """
    as_of, horizon = terms_of(settings).as_of, settings.launch.horizon_days
    first = referrals["time"].min()
    recorded = (as_of - first.date()).days if isinstance(first, datetime) else None
    as_members = customers.join(new.group_by("customer_id").agg(more=pl.len()), on="customer_id", how="left", maintain_order="left")
    brought = (customers["referrals"] - as_members["more"].fill_null(0)).clip(0)
    days = customers["days_known"].cast(pl.Float64)
    days = days.fill_null(days.mean()).fill_null(1).clip(1, recorded)
    shape, rate = fit_friends(brought.to_numpy(), days.to_numpy())
    if not shape and past:  # what members brought then says how many, and nothing who more readily
        shape, rate = 1.0, 100.0 * horizon
    order = pl.col("spend") / pl.col("orders").clip(lower_bound=1)
    # At past dates, whom members are compared with, nobody was out for what earlier launches did.
    eligible = pl.col("verdict").is_in((ELIGIBLE, *_BY_LAUNCHES)) & pl.col("score").is_not_null()
    place = pl.struct(-pl.col("score"), "customer_id").rank("ordinal").over(eligible)
    known = customers.select(
        person="customer_id",
        known_days=pl.col("days_known").fill_null(0),
        open=~pl.col("verdict").is_in(_CLOSED),
        average_order=pl.when(pl.col("orders") > 0, order > 0).then(order),
        place=pl.when(eligible).then((place - 0.5) / eligible.sum()),
        shape=shape + brought,
        friends=horizon * (shape + brought) / (rate + days),
    )
    named = pl.concat([edges["from_id"].alias("person"), edges["to_id"].alias("person")]).unique().to_frame()
    everybody = pl.concat([known, named.join(known, on="person", how="anti")], how="diagonal").sort("person")
    usual = [pl.col(name).fill_null(pl.col(name).mean()) for name in ("shape", "friends", "average_order")]
    return everybody.with_columns(pl.col("open").fill_null(value=True), *usual)


def _ranks(people: pl.DataFrame, bought: PastPurchases) -> Longs:
    """Give each person's bin of ranks, and those of the two who are no customers yet."""
    place = people["place"].to_numpy()
    ranks = np.where(np.isnan(place), bought.bins, np.searchsorted(bought.edges, np.nan_to_num(place), side="right"))
    ranks = np.where(people["known_days"].is_null().to_numpy(), bought.bins + 1, ranks)
    return np.concatenate([ranks, [bought.bins + 1] * 2]).astype(np.int64)


def _with_unknown(values: pl.Series) -> Floats:
    """Add the two who are no customers yet, of whom the mean of all is expected."""
    known = values.to_numpy()
    usual = known.mean() if len(known) else 0.0
    found: Floats = np.concatenate([known, [usual, usual]])
    return found


def _lags(invited: pl.DataFrame | None, as_of: date) -> Longs:
    """Give the days from the call to joining, as they were at past launches; none where there were none."""
    if invited is None:
        return np.zeros(1, dtype=np.int64)
    told = pl.concat([INVITED.to_frame(), invited], how="diagonal_relaxed").filter(pl.col("brought_by").is_null())
    joined = told.filter(pl.col("answered_on") < as_of, status="planned", answer="joined")
    lags = (joined["answered_on"] - joined["planned_at"]).dt.total_days().drop_nulls().clip(0).sort()
    return lags.to_numpy() if len(lags) else np.zeros(1, dtype=np.int64)


def _draws(settings: SimulateCore, joining: JoinChances, bringing: Bringing, bought: PastPurchases, world: World) -> Draws:
    """Draw what is not known, a value for each run."""
    runs, response, rng = settings.fission.runs, settings.fission.response, np.random.Generator(np.random.PCG64(settings.seed % 2**64))
    join = joining.draws(rng, runs)
    dates = np.arange(runs) % DRAWS % max(len(bought.spends), 1)
    level = np.ones(runs)
    if bought.spends:
        bins = np.minimum(world.spends_like[world.called], bought.bins - 1)
        planned = np.bincount(bins, minlength=bought.bins).astype(np.float64)
        shares = score_shares(pl.Series(world.join_bin), bins, bought.bins)
        level = draw(list(bought.spends.values()), bought.edges, shares, planned, joining, settings.seed).level[np.arange(runs) % DRAWS]
    more = bringing.levels(rng, runs)
    return Draws(
        join=join,
        ties=more * bringing.ties.draws(rng, runs),
        others=more * bringing.others.draws(rng, runs) if bringing.others.learned else np.zeros(runs),
        new=more * bringing.new.draws(rng, runs),
        known=bringing.known(rng, runs),
        response=rng.uniform(response.low, response.high, runs),
        date=dates.astype(np.int64),
        level=level,
    )
