"""Why somebody who may be invited is not: the limit that one more of their cell would break."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmenter.planning.cells import Cells, Kind, layers_of
from segmenter.planning.constraints import GroupsBy, Terms, bounds
from segmenter.planning.program import callers, costs_of, merged
from segmenter.words import Lang, say

Ints = NDArray[np.int64]

# From the nearest to the farthest limit; where several hold somebody back, the first is given.
REASONS = ("no_group", "group_too_small", "groups", "agents", "group_full", "layer_full", "size", "budget", "together")


def reason_words(lang: Lang) -> dict[str, str]:
    """Say the reasons for not being invited.

    Parameters
    ----------
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    dict of str to str
        For each of `REASONS`, a sentence.

    Examples
    --------
    >>> reason_words("en")["budget"]
    'the budget is spent'
    """
    words = {
        "no_group": ("no group takes this region and topic", "没有面向该地区和主题的群"),
        "group_too_small": ("too few people to open a group here", "人数不足，无法开群"),
        "groups": ("as many groups are open as there may be", "开群数量已达上限"),
        "agents": ("those who call here have no calls left", "负责该地区的客服已无外呼名额"),
        "group_full": ("the groups here are full", "群已满员"),
        "layer_full": ("the groups hold as many of this layer as they may", "群内该层级人数已达上限"),
        "size": ("as many are invited as there may be", "邀请总人数已达上限"),
        "budget": ("the budget is spent", "预算已用完"),
        "together": (
            "what is left of budget, calls and places is too little for another group",
            "剩余的预算、外呼名额和人数合起来不足以再开一个群",
        ),
    }
    return {reason: say(lang, *words[reason]) for reason in REASONS}


@dataclass
class Filled:
    """A plan by counts, as it is filled up.

    Parameters
    ----------
    taken : ndarray of int of shape (places,)
        So many of a cell in groups of a kind.
    counts : list of ndarray of int of shape (groups, layers)
        For each kind, people of each layer in each group.
    """

    taken: Ints
    counts: list[Ints]


class Limits:
    """What is left of what is shared by all groups.

    Parameters
    ----------
    cells : Cells
        The customers.
    terms : Terms
        The limits.
    """

    def __init__(self, cells: Cells, terms: Terms) -> None:
        self.terms, self.costs = terms, costs_of(cells, terms)
        self.pair, self.pairs, serves = callers(cells, terms)
        self.callers = merged(serves, terms)

    def money(self, taken: Ints) -> float:
        """Budget left, minor units."""
        return np.inf if self.terms.budget is None else self.terms.budget - int(self.costs @ taken)

    def places(self, taken: Ints) -> float:
        """People who may still be invited."""
        return np.inf if self.terms.size_max is None else self.terms.size_max - int(taken.sum())

    def flows(self, taken: Ints, more: Ints | None = None) -> Ints:
        """Who calls whom, by merged agents and pairs; with more people, as many as can be called."""
        needed = np.bincount(self.pair, weights=taken, minlength=len(self.pairs)).astype(np.int64)
        return flows([each[0] for each in self.callers], [each[1] for each in self.callers], needed if more is None else needed + more)

    def calls(self, taken: Ints, wanted: Ints) -> int:
        """How many of those wanted, by pair, can be called besides the taken."""
        if not self.terms.agents:
            return int(wanted.sum())
        return int(self.flows(taken, wanted).sum() - taken.sum())


def flows(reached: list[Ints], capacity: list[int], needed: Ints) -> Ints:
    """Find as many calls as can be made: a maximum flow from agents to those needed.

    Parameters
    ----------
    reached : list of ndarray of int
        For each agent, the pairs of region and language.
    capacity : list of int
        Of each agent.
    needed : ndarray of int of shape (pairs,)
        People to be called.

    Returns
    -------
    ndarray of int of shape (agents, pairs)
        Calls.

    Examples
    --------
    >>> flows([np.array([0, 1]), np.array([0])], [3, 2], np.array([2, 3])).tolist()
    [[0, 3], [2, 0]]
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    agents, pairs = len(reached), len(needed)
    end = agents + pairs + 1
    edges = [(0, 1 + at, min(most, int(needed.sum()))) for at, most in enumerate(capacity)]
    edges += [(1 + at, 1 + agents + int(pair), min(most, int(needed[pair]))) for at, most in enumerate(capacity) for pair in reached[at]]
    edges += [(1 + agents + pair, end, int(many)) for pair, many in enumerate(needed)]
    tail, head, most_ = (np.array(column, dtype=np.int32) for column in zip(*edges, strict=True))
    flow = maximum_flow(csr_array((most_, (tail, head)), shape=(end + 1, end + 1), dtype=np.int32), 0, end).flow
    return np.asarray(flow[1 : 1 + agents, 1 + agents : end].toarray(), dtype=np.int64)


def explain(cells: Cells, kinds: list[Kind], terms: Terms, places: tuple[Ints, Ints], filled: Filled) -> tuple[list[str | None], Filled]:
    """Find for each cell the limit that holds back its next person; and invite the person where there is none.

    Parameters
    ----------
    cells : Cells
        The customers.
    kinds : list of Kind
        The kinds of groups.
    terms : Terms
        The limits.
    places : tuple of ndarray of int of shape (places,)
        Cell and kind of each of `filled.taken`.
    filled : Filled
        The plan; people are added to it.

    Returns
    -------
    reasons : list of str or None
        One of `REASONS` per cell; None where all are invited.
    filled : Filled
        The plan, to which nobody can be added.
    """
    cell, kind = places
    by_cell: dict[int, list[int]] = {}
    for at in np.lexsort((kind, cell)):
        by_cell.setdefault(int(cell[at]), []).append(int(at))
    state = _State(cells, kinds, terms, filled)
    state.recount(cell)
    reasons: list[str | None] = [None] * len(cells.people)
    each = 0
    while each < len(cells.people):
        if state.taken[each] == cells.people[each]:
            reasons[each] = None
            each += 1
            continue
        found = "no_group"
        for at in by_cell.get(each, []):
            reason = state.against(each, int(kind[at]))
            if reason is None:
                filled.taken[at] += 1
                state.recount(cell)
                each = -1  # From the start: what is left has changed.
                break
            found = max(found, reason, key=REASONS.index)
        else:
            reasons[each] = found
        each += 1
    return reasons, filled


class _State:
    """A plan and what is left of its limits."""

    def __init__(self, cells: Cells, kinds: list[Kind], terms: Terms, filled: Filled) -> None:
        self.cells, self.kinds, self.terms, self.filled = cells, kinds, terms, filled
        self.layers, self.limits = layers_of(cells, terms), Limits(cells, terms)
        self.layer = [self.layers.index(layer) for layer in cells.table["layer"]]

    def recount(self, cell: Ints) -> None:
        """Add up what is taken."""
        self.taken = np.bincount(cell, weights=self.filled.taken, minlength=len(self.cells.people)).astype(np.int64)
        self.money, self.places = self.limits.money(self.taken), self.limits.places(self.taken)
        self.closed: dict[int, str] = {}
        self.served: dict[int, bool] = {}

    def against(self, cell: int, number: int) -> str | None:
        """Say what speaks against one more of a cell in groups of a kind; None where the person is added."""
        counts, pair, layer = self.filled.counts[number], int(self.limits.pair[cell]), self.layer[cell]
        if not len(counts):
            if number not in self.closed:
                self.closed[number] = _closed(self.cells, self.kinds, number, self.terms, self.limits, self.filled, self.taken, self.layers)
            return self.closed[number]
        if pair not in self.served:
            one = np.eye(1, len(self.limits.pairs), pair, dtype=np.int64)[0]
            self.served[pair] = self.limits.calls(self.taken, one) > 0
        if not self.served[pair]:
            return "agents"
        free = np.flatnonzero(counts.sum(axis=1) < self.kinds[number].largest)
        if not len(free):
            return "group_full"
        fitting = _fitting(counts[free], layer, self.terms, self.layers)
        if not len(fitting):
            return "layer_full"
        if self.places < 1:
            return "size"
        if self.money < self.limits.costs[cell]:
            return "budget"
        counts[free[fitting[0]], layer] += 1
        return None


def _fitting(counts: Ints, layer: int, terms: Terms, layers: list[str]) -> Ints:
    """Find groups that hold all shares with one more of a layer."""
    more = counts.copy()
    more[:, layer] += 1
    low, high = bounds(terms.quotas, layers, more.sum(axis=1))
    return np.flatnonzero(((low <= more) & (more <= high)).all(axis=1))


def _closed(
    cells: Cells, kinds: list[Kind], number: int, terms: Terms, limits: Limits, filled: Filled, taken: Ints, layers: list[str]
) -> str:
    """Find why no group of a kind is open."""
    kind = kinds[number]
    left = (cells.people - taken)[kind.cells]
    layer_of = np.array([layers.index(layer) for layer in cells.table["layer"][kind.cells]], dtype=np.int64)
    there = np.bincount(layer_of, weights=left, minlength=len(layers)).astype(np.int64)
    sizes = np.arange(kind.smallest, min(kind.largest, int(left.sum())) + 1)
    low, high = bounds(terms.quotas, layers, sizes)
    high = np.minimum(high, there)
    fits = (low <= high).all(axis=1) & (low.sum(axis=1) <= sizes) & (sizes <= high.sum(axis=1))
    if not fits.any():
        return "group_too_small"
    smallest = int(sizes[fits][0])
    in_all = terms.groups.most if isinstance(terms.groups, GroupsBy) else np.inf
    if kind.allowed == 0 or sum(len(counts) for counts in filled.counts) >= in_all:
        return "groups"
    wanted = np.bincount(limits.pair[kind.cells], weights=left, minlength=len(limits.pairs)).astype(np.int64)
    if limits.calls(taken, wanted) < smallest:
        return "agents"
    if limits.places(taken) < smallest:
        return "size"
    price = np.array([terms.costs.get(layer, 0) for layer in layers], dtype=np.int64)
    cheap = price.argsort(kind="stable")
    # The cheapest group of each size: what every layer needs, and then the cheapest layers.
    rest = (sizes - low.sum(axis=1))[fits, None] - np.cumsum(np.pad((high - low)[fits][:, cheap], ((0, 0), (1, 0))), axis=1)[:, :-1]
    people = low[fits][:, cheap] + np.clip(rest, 0, (high - low)[fits][:, cheap])
    return "budget" if (people @ price[cheap]).min() > limits.money(taken) else "together"
