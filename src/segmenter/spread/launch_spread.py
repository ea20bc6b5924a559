"""Who brings whom at a launch: the graph of who knows whom, and what it is worth that somebody is reached."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.rules import ELIGIBLE
from segmenter.settings import CoreSettings
from segmenter.spread.graph import Graph, make_graph
from segmenter.spread.tie_chances import EdgeChances, edge_chances, members, spread_settings
from segmenter.tables import Tables

__all__ = ["EdgeChances", "LaunchSpread", "edge_chances", "expected_friends", "launch_spread", "reach_of_each"]

_SETS = 1 << 17
_ENOUGH = 30  # customers whose spend says what a new one is worth
_ALIKE = 1_000.0  # the shape of a gamma distribution that is as good as none


@dataclass(frozen=True)
class LaunchSpread:
    """Who may bring whom to a launch.

    `people` has every customer and everybody in an edge: ``person``; ``value`` (≥ 0, in the `unit`: minor units of the currency, or
    people), what it is worth that they are reached; ``eligible``, as a key user; ``friends``, how many new customers, known to nobody yet,
    they can be expected to bring in the horizon; ``newcomer``, what one such is worth: it stands within the value, times the friends.
    """

    graph: Graph
    people: pl.DataFrame
    chances: EdgeChances
    unit: Literal["spend", "people"]


def launch_spread(customers: pl.DataFrame, tables: Tables, settings: CoreSettings, *, value: pl.Series | None) -> LaunchSpread:
    """Give who may bring whom to a launch.

    Parameters
    ----------
    customers : DataFrame
        The launch's: measures, attributes and ``verdict``.
    tables : Tables
        The shop's: referrals, ties and past launches.
    settings : CoreSettings
        With ``spread=referrals``.
    value : Series or None
        What each customer is expected to spend in the horizon, in minor units, where a ranking says it; else it is the spend of their last
        90 days, as much of it as the horizon has days.

    Returns
    -------
    LaunchSpread
        Of worth are customers whom the rules allow and people who are no customers yet; neither, once they are members of the community.
        Customers are worth what they are expected to spend, and others what a new customer is: the mean spend of those known for half to
        one and a half times the horizon, of whom friends brought, where there are 30 such. With ``spread.value=people`` each counts 1.
        To that comes, for either, what the new customers are worth whom they bring.

    Raises
    ------
    InputError, ConfigError
        As of `edge_chances`.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"spread": "referrals", "spread.value": "people", "launch.as_of": "2026-07-01"})
    >>> raw = {"orders": pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-01"] * 2, "amount": [5, 5]})}
    >>> raw["ties"] = pl.DataFrame({"from_id": ["a", "a"], "to_id": ["b", "z"]})
    >>> tables = segmenter.canonical_tables(raw, settings.data, settings.launch)
    >>> customers = segmenter.plan_launch(tables, segmenter.launch_settings({"launch.as_of": "2026-07-01"})).customers
    >>> launch_spread(customers, tables, settings, value=None).people.select("person", "value", "eligible").rows()
    [('a', 1.0, True), ('b', 1.0, True), ('z', 1.0, False)]
    """
    spread, launch = spread_settings(settings), settings.launch
    as_of, horizon = launch.as_of, launch.horizon_days
    assert as_of is not None
    past = None if tables.launches is None else tables.launches.invited
    nobody = list(tables.not_customers)
    ties = None if tables.ties is None else tables.ties.filter(~pl.any_horizontal(pl.col("from_id", "to_id").is_in(nobody)))
    referrals = tables.referrals.filter(~pl.any_horizontal(pl.col("customer_id", "friend_id").is_in(nobody)))
    referrals = referrals.filter((pl.col("time") < as_of).fill_null(value=True))
    chances = edge_chances(ties, referrals, customers, past, settings, as_of)
    graph = make_graph(chances.edges, customers["customer_id"])
    newcomer = 1.0
    own = pl.repeat(1.0, customers.height, dtype=pl.Float64, eager=True)
    if spread.value == "spend":
        newcomer = _worth_of_newcomer(customers.filter(~pl.col("customer_id").is_in(nobody)), referrals["friend_id"], horizon)
        own = customers["spend_90d"] * (horizon / 90) if value is None else value
    recorded = referrals.select((pl.lit(as_of) - pl.col("time").min().dt.date()).dt.total_days()).item()
    friends, usual = expected_friends(customers, horizon, recorded)
    known = customers.select("verdict", person="customer_id", own=own.cast(pl.Float64), friends=friends)
    inside = members(past, launch.community, as_of).select("customer_id", member=True)
    people = graph.people.to_frame("person").join(known, on="person", how="left", maintain_order="left")
    people = people.join(inside, left_on="person", right_on="customer_id", how="left", maintain_order="left")
    worth = pl.when(pl.col("verdict").is_null()).then(newcomer).otherwise(pl.col("own").fill_nan(0).fill_null(0).clip(lower_bound=0))
    counts = (pl.col("verdict").is_null() | (pl.col("verdict") == ELIGIBLE)) & pl.col("member").is_null()
    people = people.with_columns(pl.col("friends").fill_null(usual), newcomer=pl.lit(newcomer)).select(
        "person",
        value=pl.when(counts).then(worth + pl.col("friends") * newcomer).otherwise(0.0),
        eligible=(pl.col("verdict") == ELIGIBLE).fill_null(value=False),
        friends="friends",
        newcomer="newcomer",
    )
    return LaunchSpread(graph, people, chances, spread.value)


def expected_friends(customers: pl.DataFrame, horizon: int, recorded: int | None = None) -> tuple[pl.Series, float]:
    """Give how many new customers each can be expected to bring in a horizon of days, and who is just met.

    Friends are brought at random at a rate of one's own, gamma distributed over customers, see `scoring.negative_binomial`: what is
    expected is its mean, given ``referrals`` in ``days_known``, or in as many of these days as referrals have been `recorded` for.
    """
    brought, known = customers["referrals"].to_numpy(), pl.col("days_known").cast(pl.Float64)
    days = customers.select(known.fill_null(known.mean()).fill_null(1).clip(1, recorded)).to_series().to_numpy()
    shape, rate = _fit_friends(brought, days)
    return pl.Series("friends", horizon * (shape + brought) / (rate + days)), horizon * shape / rate


def _fit_friends(brought: NDArray[np.int64], days: NDArray[np.float64]) -> tuple[float, float]:
    """Fit shape and rate, in days, of the gamma distribution of rates; where all seem to have one and the same, a narrow one around it."""
    from segmenter.scoring.likelihood import NoMaximumError
    from segmenter.scoring.negative_binomial import fit_nbd

    if not brought.sum():
        return 0.0, 1.0
    longest = float(days.max())
    try:
        found = fit_nbd(brought, days / longest).parameters
    except NoMaximumError:
        return _ALIKE, _ALIKE * float(np.sort(days).sum()) / float(brought.sum())
    return found["r"], found["alpha"] * longest


def _worth_of_newcomer(customers: pl.DataFrame, brought: pl.Series, horizon: int) -> float:
    """Say what a new customer spends in their first horizon: those known for about as long have done so."""
    new = customers.filter(pl.col("days_known").is_between(horizon / 2, horizon * 1.5))
    friends = new.filter(pl.col("customer_id").is_in(brought.implode()))
    for some in (friends, new):
        if some.height >= _ENOUGH:
            return max(int(some["spend"].sum()) / some.height, 0.0)
    return max(int(customers["spend"].sum()) * horizon / max(int(customers["days_known"].sum()), 1), 0.0)


def reach_of_each(spread: LaunchSpread, seed: int) -> pl.DataFrame:
    """Give what each person would reach alone.

    Parameters
    ----------
    spread : LaunchSpread
        Who may bring whom.
    seed : int
        Of the 131,072 reverse-reachable sets that it is estimated on.

    Returns
    -------
    DataFrame
        A row for each of its people, sorted: ``person``; ``reach``, in its unit, themselves included; ``brings``, of the others alone. Null
        for who is not eligible as a key user.

    Examples
    --------
    >>> from segmenter.spread import make_graph
    >>> graph = make_graph(pl.DataFrame({"from_id": ["a"], "to_id": ["b"], "chance": [1.0]}))
    >>> people = pl.DataFrame({"person": ["a", "b"], "value": [3.0, 5.0], "eligible": [True, True]})
    >>> spread = LaunchSpread(graph, people, EdgeChances(pl.DataFrame(), False, 0, 0), "people")
    >>> reach_of_each(spread, 1)["reach"].round().to_list()
    [8.0, 5.0]
    """
    from segmenter.spread.reach_sets import ReachSets

    values, nodes = spread.people["value"].to_numpy(), spread.people.height
    brings = np.zeros(nodes)
    if values.sum() > 0:
        pool = ReachSets(spread.graph, values, 2 * seed, values)  # that they reach themselves needs no estimate
        pool.grow(_SETS)
        brings += np.bincount(pool.members, minlength=nodes) * (pool.worth / _SETS)
    found = spread.people.select("person", "eligible", reach=pl.Series(values + brings), brings=pl.Series(brings))
    return found.select("person", *(pl.when("eligible").then(name).alias(name) for name in ("reach", "brings")))
