"""Whom to invite into which group: the best that all terms allow."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.planning.cells import Cells, Kind, count, kinds_of, layers_of
from segmenter.planning.constraints import Terms, check
from segmenter.planning.group_balancing import deal_counts, deal_people
from segmenter.planning.not_invited import REASONS, Filled, Limits, explain
from segmenter.planning.optimum import Counts, optimum
from segmenter.planning.shortage import short
from segmenter.words import Lang

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Allocation:
    """Who is invited into which group.

    Parameters
    ----------
    customers : DataFrame
        The frame with ``invited``, ``rank`` (from 1 among the invited), ``group``, and ``reason`` where not invited: see `reasons.REASONS`.
    groups : DataFrame
        ``group``, ``region``, ``topic``, ``size``, ``value``, ``cost``; region and topic are null where the group takes any.
    layers : DataFrame
        ``group``, ``layer``, ``people``: every layer of every group, 0 included.
    calls : DataFrame
        ``agent``, ``region``, ``language``, ``people``: a split that keeps to all capacities; empty without agents.
    value, cost : int
        Of the whole plan, minor units.
    gap : float
        At most this share of the value of the best plan is missed, against a bound that counts persons and allows fractions.
    """

    customers: pl.DataFrame
    groups: pl.DataFrame
    layers: pl.DataFrame
    calls: pl.DataFrame
    value: int
    cost: int
    gap: float


def allocate(frame: pl.DataFrame, terms: Terms, *, lang: Lang = "en") -> Allocation:
    """Choose whom to invite, and form the groups.

    One integer program counts how many of each region, topic and layer go into groups of each kind; the most valuable of them are taken,
    ties by score and then by customer id; they are dealt so that groups of a kind are equally strong.

    Parameters
    ----------
    frame : DataFrame
        One row per customer who may be invited: ``customer_id``, ``region``, ``topic`` (both may be null), ``layer``, ``score``,
        ``value`` (Int64 ≥ 0, what is to be maximised), and ``language`` where agents have languages.
    terms : Terms
        What the plan must keep to.
    lang : {"en", "zh"}
        The language of names of groups and of errors.

    Returns
    -------
    Allocation
        The plan; the same whatever the order of the rows.

    Raises
    ------
    ConfigError
        Terms that contradict themselves.
    InfeasibleError
        No plan keeps to the terms: what is short by how much.

    Examples
    --------
    >>> from segmenter.planning.constraints import GroupsBy
    >>> frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "region": "四川", "topic": None, "layer": "regular", "score": [1.0, 3.0, 2.0],
    ...     "value": [10, 30, 20]})
    >>> allocate(frame, Terms(GroupsBy(True, False, 1, 2, 1))).customers.select("customer_id", "group", "reason").rows()
    [('a', None, 'group_full'), ('b', '四川-1', None), ('c', '四川-1', None)]
    """
    check(terms)
    cells = count(frame)
    kinds, layers = kinds_of(cells, terms, lang), layers_of(cells, terms)
    apart: frozenset[int] = frozenset()
    while True:
        counts = optimum(cells, kinds, terms, apart)
        if counts is None:
            raise short(cells, terms, lang)
        dealt, undealt = _dealt(cells, kinds, counts, terms, layers)
        if not undealt - apart:
            break
        apart |= undealt
    reasons, filled = explain(cells, kinds, terms, (counts.cell, counts.kind), Filled(counts.people.copy(), dealt))
    people = _people(frame, cells, kinds, counts, filled, layers)
    return _assembled(frame, cells, kinds, terms, people, reasons, filled, counts, layers)


def _dealt(cells: Cells, kinds: list[Kind], counts: Counts, terms: Terms, layers: list[str]) -> tuple[list[Ints], frozenset[int]]:
    layer_of = np.array([layers.index(layer) for layer in cells.table["layer"]], dtype=np.int64)
    dealt, undealt = [], set()
    for number, (kind, sizes) in enumerate(zip(kinds, counts.sizes, strict=True)):
        here = counts.kind == number
        people = np.bincount(layer_of[counts.cell[here]], weights=counts.people[here], minlength=len(layers)).astype(np.int64)
        groups: Ints | None = np.zeros((0, len(layers)), dtype=np.int64)
        if len(sizes):
            groups = deal_counts(kind, people, _fewest(kind, sizes), terms.quotas, layers)
            groups = deal_counts(kind, people, sizes, terms.quotas, layers) if groups is None else groups
        if groups is None:
            undealt.add(number)
            groups = np.zeros((0, len(layers)), dtype=np.int64)
        dealt.append(groups)
    return dealt, frozenset(undealt)


def _fewest(kind: Kind, sizes: Ints) -> Ints:
    """Give the same people to as few groups of like size as hold them: how many groups there are is all the same to the program."""
    people = int(sizes.sum())
    many = max(-(-people // kind.largest), kind.least)
    base, over = divmod(people, many)
    return np.repeat([base, base + 1], [many - over, over])


def _people(frame: pl.DataFrame, cells: Cells, kinds: list[Kind], counts: Counts, filled: Filled, layers: list[str]) -> pl.DataFrame:
    """Take the best of each cell, and deal them: ``row``, ``cell``, ``kind``, ``number`` of the group, by rank."""
    taken = np.bincount(counts.cell, weights=filled.taken, minlength=len(cells.people)).astype(np.int64)
    values = frame["value"].cast(pl.Int64).to_numpy()
    ends = []
    for start, stop, many in zip(cells.starts, cells.starts[1:], taken, strict=False):
        # All of the last one's value: ties are decided below.
        last = values[cells.order[start + many - 1]] if many else 0
        inside = -values[cells.order[start:stop]] if 0 < many < stop - start else None
        ends.append(many if inside is None else int(inside.searchsorted(-last, side="right")))
    chosen = np.concatenate([cells.order[start : start + many] for start, many in zip(cells.starts, ends, strict=False)] or [cells.order])
    people = (
        frame[chosen]
        .select("customer_id", "score", "value")
        .with_columns(row=pl.Series(chosen, dtype=pl.Int64), cell=pl.Series(np.repeat(np.arange(len(ends)), ends), dtype=pl.Int64))
    )
    people = people.sort("value", "score", "customer_id", descending=[True, True, False], nulls_last=True)
    place = people.select(pl.int_range(pl.len()).over("cell")).to_series().to_numpy()
    people = people.filter(place < taken[people["cell"].to_numpy()])
    cell, worth = people["cell"].to_numpy(), people["value"].cast(pl.Int64).to_numpy()
    kind = np.zeros(people.height, dtype=np.int64)
    for each in range(len(cells.people)):
        at = np.flatnonzero((counts.cell == each) & (filled.taken > 0))
        if len(at) > 1:
            # Several kinds take from this cell: each gets its part of the good and of the less good.
            turn = np.concatenate([(np.arange(filled.taken[one]) + 0.5) / filled.taken[one] for one in at])
            kind[np.flatnonzero(cell == each)] = np.repeat(counts.kind[at], filled.taken[at])[turn.argsort(kind="stable")]
        elif len(at):
            kind[cell == each] = counts.kind[at[0]]
    layer = np.array([layers.index(name) for name in cells.table["layer"]], dtype=np.int64)[cell]
    group = np.zeros(people.height, dtype=np.int64)
    order = np.lexsort((np.arange(people.height), layer, kind))
    edges = np.searchsorted((kind * len(layers) + layer)[order], np.arange(len(kinds) * len(layers) + 1))
    for number, groups in enumerate(filled.counts):
        parts = [order[edges[at] : edges[at + 1]] for at in range(number * len(layers), (number + 1) * len(layers))]
        for part, where in zip(parts, deal_people(groups, [worth[part] for part in parts]), strict=True):
            group[part] = where
    return people.with_columns(kind=pl.Series(kind, dtype=pl.Int64), number=pl.Series(group, dtype=pl.Int64))


def _assembled(
    frame: pl.DataFrame,
    cells: Cells,
    kinds: list[Kind],
    terms: Terms,
    people: pl.DataFrame,
    reasons: list[str | None],
    filled: Filled,
    counts: Counts,
    layers: list[str],
) -> Allocation:
    names = [
        f"{kind.name}-{number + 1}" if kind.numbered else kind.name
        for kind, groups in zip(kinds, filled.counts, strict=True)
        for number in range(len(groups))
    ]
    first = np.concatenate([[0], np.cumsum([len(groups) for groups in filled.counts])]).astype(np.int64)
    group = first[people["kind"].to_numpy()] + people["number"].to_numpy()
    rows = people["row"].to_numpy()
    code = np.full(frame.height, -1, dtype=np.int64)
    code[rows] = group
    rank = np.zeros(frame.height, dtype=np.int64)
    rank[rows] = np.arange(1, len(rows) + 1)
    why = np.full(frame.height, len(REASONS), dtype=np.int64)
    why[cells.order] = np.repeat([len(REASONS) if reason is None else REASONS.index(reason) for reason in reasons], cells.people)
    why[rows] = len(REASONS)
    invited = pl.Series("invited", code >= 0)
    customers = frame.with_columns(
        invited,
        pl.Series("rank", rank, dtype=pl.Int32).replace(0, None),
        pl.Series("group", [*names, None], dtype=pl.String)[pl.Series(np.where(code < 0, len(names), code))].alias("group"),
        pl.Series("reason", [*REASONS, None], dtype=pl.String)[pl.Series(why)].alias("reason"),
    )
    values = people["value"].cast(pl.Int64)
    table = np.concatenate([np.zeros((0, len(layers)), dtype=np.int64), *filled.counts])
    costs = table @ np.array([terms.costs.get(layer, 0) for layer in layers], dtype=np.int64)
    worth = np.zeros(len(names), dtype=np.int64)
    np.add.at(worth, group, values.to_numpy())
    of_kind = np.repeat(np.arange(len(kinds)), [len(groups) for groups in filled.counts])
    groups_ = pl.DataFrame(
        {
            "group": names,
            "region": [kinds[at].region for at in of_kind],
            "topic": [kinds[at].topic for at in of_kind],
            "size": table.sum(axis=1),
            "value": worth,
            "cost": costs,
        },
        schema={"group": pl.String, "region": pl.String, "topic": pl.String, "size": pl.Int64, "value": pl.Int64, "cost": pl.Int64},
    )
    long = pl.DataFrame(
        {"group": np.repeat(np.array(names, dtype=object), len(layers)).tolist(), "layer": layers * len(names), "people": table.ravel()},
        schema={"group": pl.String, "layer": pl.String, "people": pl.Int64},
    )
    value = int(worth.sum())
    gap = max(1 - value / counts.bound, 0.0) if counts.bound else 0.0
    taken = np.bincount(counts.cell, weights=filled.taken, minlength=len(cells.people)).astype(np.int64)
    return Allocation(customers, groups_, long, _calls(cells, terms, taken), value, int(costs.sum()), gap)


def _calls(cells: Cells, terms: Terms, taken: Ints) -> pl.DataFrame:
    """Split the calls of agents who can call the same people in proportion to their capacity."""
    schema = {"agent": pl.String, "region": pl.String, "language": pl.String, "people": pl.Int64}
    if not terms.agents or not taken.sum():
        return pl.DataFrame(schema=schema)
    limits = Limits(cells, terms)
    rows = []
    for (reached, capacity), flow in zip(limits.callers, limits.flows(taken), strict=True):
        agents = [
            agent
            for agent in terms.agents
            if [
                at
                for at, (region, language) in enumerate(limits.pairs)
                if (not agent.regions or region in agent.regions) and (not agent.languages or language in agent.languages)
            ]
            == reached.tolist()
        ]
        load = int(flow.sum())
        # Never beyond a capacity: the load is at most what they have together.
        ends = np.cumsum([agent.capacity for agent in agents]) * load // max(capacity, 1)
        edges = np.union1d(np.cumsum(flow), ends)
        pairs = np.cumsum(flow).searchsorted(edges, side="left")
        who = ends.searchsorted(edges, side="left")
        for start, stop, pair, agent_at in zip(np.r_[0, edges[:-1]], edges, pairs, who, strict=True):
            if stop > start:
                rows.append((agents[agent_at].name, *limits.pairs[pair], int(stop - start)))
    return pl.DataFrame(rows, schema=schema, orient="row").sort("agent", "region", "language", nulls_last=True)
