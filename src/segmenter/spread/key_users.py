"""The choice of key users from whom most is reached, and what it can be expected to reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log, sqrt
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.spread.graph import Graph

_FIRST, _NOBODY, _MOST_SETS = 1 << 13, 1 << 19, 1 << 22  # sets, at first, where none is covered by anybody chosen, and at most
_SETTLED = 0.005  # a choice is settled where twice as many sets add less to what it reaches,
_HONEST = 0.02  # and where it reaches almost as much on sets of its own as on those that it was chosen on
_RISK = 1e-3  # that the guarantee does not hold
_Z = 1.2815515655446004  # of a normal distribution: 80 % lie between -z and z


@dataclass(frozen=True)
class SpreadChoice:
    """Key users, and what is expected of them.

    `chosen` has a row for each, the first first: ``person``, ``brings`` (what is reached beyond those before, themselves included, in the
    unit of the values) and ``reach`` (of all up to them). `reach` is what all together reach, estimated on sets that had no part in the
    choice, with an 80 % interval from `low` to `high`; `guarantee` the share of the best possible reach that it has at least, but for a
    chance of 0.1 %; `sets` how many were drawn for each of the two.
    """

    chosen: pl.DataFrame
    reach: float
    low: float
    high: float
    guarantee: float
    sets: int


def choose_key_users(
    graph: Graph,
    most: int,
    people: pl.DataFrame | None = None,
    *,
    limits: Mapping[str, int] | None = None,
    budget: float | None = None,
    seed: int,
) -> SpreadChoice:
    """Choose the key users from whom most is reached, where people bring others who bring others (independent cascade).

    By reverse-reachable sets and the bounds of OPIM-C (Tang, Tang, Xiao and Yuan 2018): two independent pools, one to choose on and one to
    judge on, doubled until that no longer helps. The choice is greedy; within a budget it is the better of that by value and that by value
    for cost (Leskovec et al. 2007).

    Parameters
    ----------
    graph : Graph
        Who may bring whom.
    most : int
        Key users at most, ≥ 1.
    people : DataFrame, optional
        ``person``, and as wanted ``value`` (≥ 0, what it is worth that they are reached; 1), ``brought`` (what of that counts only where
        others bring them; 0), ``eligible`` (as key users; true), ``cost`` (≥ 0; 0) and ``kind`` (as a region or a layer). Who is missing
        has a value of 0 and is not eligible; without it everybody is.
    limits : mapping of str to int, optional
        Key users of a kind at most.
    budget : float, optional
        What they may cost together.
    seed : int
        Of the sets.

    Returns
    -------
    SpreadChoice
        The same at any number of threads. Fewer than `most` where fewer are eligible, or nobody else brings anything.

    Raises
    ------
    InputError
        Nobody is eligible, or nobody is worth anything.

    Examples
    --------
    >>> from segmenter.spread import make_graph
    >>> edges = pl.DataFrame({"from_id": ["a", "a", "d"], "to_id": ["b", "c", "e"], "chance": [1.0, 1.0, 1.0]})
    >>> choose_key_users(make_graph(edges), 2, seed=1).chosen["person"].to_list()
    ['a', 'd']
    """
    from segmenter.spread.reach_sets import ReachSets

    values, brought, costs, kinds, most_of = _arrays(graph, people, limits or {})
    if not np.isfinite(costs).any():
        raise InputError(Message("spread.nobody_eligible", "nobody who is eligible as a key user is among those who know others"))
    if not values.sum() > 0:
        raise InputError(Message("spread.nobody_counts", "nobody who could be reached counts: all their values are 0"))
    most = min(most, int(np.isfinite(costs).sum()))
    own, fresh = (ReachSets(graph, values, 2 * seed + part, brought) for part in (0, 1))
    money = inf if budget is None else budget
    size, before = _FIRST, 0.0
    while True:
        own.grow(size)
        fresh.grow(size)
        choices = [
            own.choose(most, costs, money, kinds, most_of, by_cost=by_cost) for by_cost in ([False] if budget is None else [False, True])
        ]
        hits = [fresh.covered(chosen) for chosen, _, _ in choices]
        best = int(np.argmax(hits))
        (chosen, gains, _), hit = choices[best], hits[best]
        bound = min(bound for _, _, bound in choices)
        settled = hit / size < before * (1 + _SETTLED) and gains.sum() <= hit * (1 + _HONEST)
        if settled or (not hit and size >= _NOBODY) or size >= _MOST_SETS:
            break
        before, size = hit / size, 2 * size
    return _conclude(graph, chosen, gains, hit, bound, size, own.worth)


def _arrays(graph: Graph, people: pl.DataFrame | None, limits: Mapping[str, int]) -> tuple[Any, ...]:
    """Give values, what of them is to be brought (None: nothing), costs (inf: not eligible), numbers of kinds, and each kind's limit."""
    defaults = {
        "value": pl.lit(1.0),
        "brought": pl.lit(0.0),
        "eligible": pl.lit(value=True),
        "cost": pl.lit(0.0),
        "kind": pl.lit(None, pl.String),
    }
    known = graph.people.alias("person").to_frame() if people is None else people
    known = known.select("person", *(pl.col(name) if name in known.columns else value.alias(name) for name, value in defaults.items()))
    everybody = graph.people.alias("person").to_frame().join(known, on="person", how="left", maintain_order="left")
    values, brought = (everybody[name].cast(pl.Float64).fill_null(0).to_numpy() for name in ("value", "brought"))
    costs = everybody.select(pl.when("eligible").then(pl.col("cost").cast(pl.Float64))).to_series().fill_null(inf).to_numpy()
    names = sorted(limits)
    kinds = everybody["kind"].cast(pl.String).replace_strict(names, range(len(names)), default=len(names), return_dtype=pl.Int64)
    return (
        values,
        brought if brought.any() else None,
        costs,
        kinds.to_numpy(),
        np.array([*(limits[name] for name in names), len(values)], dtype=np.int64),
    )


def _conclude(
    graph: Graph, chosen: NDArray[np.int64], gains: NDArray[np.int64], hit: int, bound: int, size: int, worth: float
) -> SpreadChoice:
    share = hit / size
    spread = _Z * sqrt(share * (1 - share) / size)
    # The bounds of OPIM-C (lemmas 4.2 and 4.3): of what is reached from below, and of what could be from above.
    risk = log(2 / _RISK)
    low = max((sqrt(hit + 2 * risk / 9) - sqrt(risk / 2)) ** 2 - risk / 18, 0.0)
    high = (sqrt(bound + risk / 2) + sqrt(risk / 2)) ** 2
    table = pl.DataFrame({"person": graph.people.gather(chosen), "brings": gains / size * worth})
    scale = hit / gains.sum() if gains.sum() else 0.0  # what they were chosen on flatters them
    table = table.with_columns(brings=pl.col("brings") * scale).with_columns(reach=pl.col("brings").cum_sum())
    reach = share * worth
    return SpreadChoice(table, reach, reach - spread * worth, reach + spread * worth, min(low / high, 1.0) if high else 0.0, size)


def estimate_reach(graph: Graph, key_users: pl.Series, values: pl.DataFrame | None = None, *, seed: int, sets: int = 1 << 17) -> float:
    """Estimate what these key users reach, in the unit of the values (``person``, ``value``; 1 without them)."""
    from segmenter.spread.reach_sets import ReachSets

    worth, brought, *_ = _arrays(graph, values, {})
    pool = ReachSets(graph, worth, 2 * seed + 1, brought)
    pool.grow(sets)
    rows = graph.people.to_frame("person").with_row_index().join(key_users.to_frame("person"), on="person", how="semi")["index"]
    return pool.covered(rows.to_numpy().astype(np.int64)) / sets * pool.worth
