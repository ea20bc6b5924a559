"""Reverse-reachable sets and the choice among them, compiled. Imports Numba, so it is imported where it is used.

A set has everybody who would have reached a person drawn at random, had they been there first (Borgs, Brautbar, Chayes and Lucier 2014):
whoever is in many sets reaches many.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmenter.compiled import compiled
from segmenter.spread.graph import Graph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BLOCK = 2_048  # sets that a thread draws at a time at least; whatever it is, they are the same
_LEAST = 1e-100  # chance that a product goes down to: far above the least of a float
_FEW = 16  # edges that are searched one by one
_ODD, _MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # of SplitMix64


@compiled
def _mix(state: Any) -> Any:
    bits = (state ^ (state >> np.uint64(30))) * _MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    return bits ^ (bits >> np.uint64(31))


@compiled
def _unit(bits: Any) -> float:
    """Make a number strictly between 0 and 1 of random bits."""
    return (float(bits >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@compiled
def _misses(offsets: Any, chances: Any) -> Any:
    """Multiply up, over the edges into each person, the chance that none so far brings.

    Before it is too small for a float it begins anew: the edge there, and the last one of such a person, has 0 and is drawn by itself.
    """
    misses = np.empty(len(chances), dtype=np.float64)
    for node in range(len(offsets) - 1):
        left, whole = 1.0, True
        for edge in range(offsets[node], offsets[node + 1]):
            left *= 1.0 - chances[edge]
            misses[edge] = left
            if left < _LEAST or (not whole and edge == offsets[node + 1] - 1):
                misses[edge], left, whole = 0.0, 1.0, False
    return misses


@compiled
def _first_below(misses: Any, edge: int, last: int, bar: float) -> int:
    """Find the first of these chances that is below another, as the last is; where that is 0, they need not fall all the way."""
    while misses[last] > 0 and last - edge > _FEW:
        middle = (edge + last) >> 1
        if misses[middle] < bar:
            last = middle
        else:
            edge = middle + 1
    while misses[edge] >= bar:
        edge += 1
    return edge


@compiled
def _draw(first: int, count: int, seed: Any, offsets: Any, sources: Any, chances: Any, misses: Any, worth: Any, guide: Any) -> Any:
    """Draw the sets with these numbers: where each starts, their members, and the place in `worth` that each was drawn for.

    Beyond the people stand they again: whoever is drawn there is no member of their own set.
    """
    nodes = len(offsets) - 1
    roots = np.empty(count, dtype=np.int64)
    seen = np.full(nodes, -1, dtype=np.int32)
    starts = np.zeros(count + 1, dtype=np.int64)
    members = np.empty(max(8 * count, 16), dtype=np.int32)
    size = 0
    for number in range(count):
        state = _mix(seed + np.uint64(first + number) * _ODD)
        state += _ODD
        turn = _unit(_mix(state))
        root = guide[int(turn * len(guide))]
        while worth[root] <= turn * worth[-1]:
            root += 1
        roots[number] = root
        at = size
        members[size] = root if root < nodes else root - nodes
        seen[members[size]] = number
        size += 1
        while at < size:
            node = members[at]
            at += 1
            edge, end = offsets[node], offsets[node + 1]
            if size + end - edge + 1 > len(members):
                members = np.concatenate((members, np.empty(len(members) + end - edge + 1, dtype=np.int32)))
            before = 1.0
            while edge < end:
                # The next edge that brings is the first where the chance that none so far does falls below this number.
                state += _ODD
                bar, last = _unit(_mix(state)) * before, misses[end - 1]
                if last >= bar:
                    break
                edge = _first_below(misses, edge, end - 1, bar)
                before, source = misses[edge], sources[edge]
                edge += 1
                if before == 0.0:
                    before = 1.0
                    state += _ODD
                    if _unit(_mix(state)) >= chances[edge - 1]:
                        continue
                if seen[source] != number:
                    seen[source] = number
                    members[size] = source
                    size += 1
        if root >= nodes:
            size -= 1
            members[starts[number]] = members[size]  # in no order anyway
        if size == len(members):
            members = np.concatenate((members, np.empty(len(members), dtype=np.int32)))
        starts[number + 1] = size
    return starts, members[:size].copy(), roots


class ReachSets:
    """Sets drawn for a graph, each for a person drawn by their worth; more of them are drawn as they are needed.

    Set i depends on the seed and i alone: the same sets at any number of threads, and however many are drawn at a time. What of the values
    is to be `brought` counts only where others than the person themselves do that: they are in no such set of their own.
    """

    def __init__(self, graph: Graph, values: Floats, seed: int, brought: Floats | None = None) -> None:
        self._graph, self._seed = graph, np.uint64(seed % 2**64)
        self._worth = np.cumsum(values if brought is None else np.concatenate([values - brought, brought]))
        self.worth = float(self._worth[-1])  # of everybody
        steps = np.arange(1 << len(values).bit_length())
        self._guide = np.searchsorted(self._worth, steps / len(steps) * self._worth[-1], side="right")
        self._misses = _misses(graph.offsets, graph.chances)
        self.starts, self.members, self.roots = np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.starts) - 1

    def grow(self, count: int) -> None:
        """Draw as many as it takes to have so many."""
        graph = self._graph
        cores = os.cpu_count() or 1
        each = max(BLOCK, -(-(count - self.count) // (4 * cores)))
        firsts = range(self.count, count, each)

        def block(first: int) -> Any:
            size = min(each, count - first)
            return _draw(first, size, self._seed, graph.offsets, graph.sources, graph.chances, self._misses, self._worth, self._guide)

        with ThreadPoolExecutor(cores) as threads:
            drawn = list(threads.map(block, firsts))
        ends = np.cumsum([len(self.members), *(len(members) for _, members, _ in drawn)])
        self.starts = np.concatenate([self.starts, *(starts[1:] + end for (starts, _, _), end in zip(drawn, ends, strict=False))])
        self.members = np.concatenate([self.members, *(members for _, members, _ in drawn)])
        self.roots = np.concatenate([self.roots, *(roots for _, _, roots in drawn)])

    def covered(self, chosen: Ints) -> int:
        """Count the sets that have one of these people."""
        some = np.zeros(len(self._graph.offsets) - 1, dtype=np.bool_)
        some[chosen] = True
        return int(_count(self.starts, self.members, some))

    def turns(self, chosen: Ints) -> tuple[Ints, Ints]:
        """Give where these people are: the sets, and which of them it is, by number in their order."""
        turn = np.full(len(self._graph.offsets) - 1, len(chosen), dtype=np.int64)
        turn[chosen] = np.arange(len(chosen))
        turns = turn[self.members]
        there = turns < len(chosen)
        return np.repeat(np.arange(self.count), np.diff(self.starts))[there], turns[there]

    def choose(self, most: int, costs: Floats, budget: float, kinds: Ints, limits: Ints, *, by_cost: bool) -> tuple[Ints, Ints, int]:
        """Choose people one by one: who covers most sets that nobody before covers, or most for what they cost.

        At most so many, within the budget, and of each of the `kinds` no more than its limit; costs of inf are for those who are not open
        to choice. Gives them, how many sets each covers newly, and what no such choice can exceed.
        """
        nodes = len(self._graph.offsets) - 1
        offsets = np.concatenate([[0], np.cumsum(np.bincount(self.members, minlength=nodes))])
        numbers = _invert(self.starts, self.members, offsets)
        chosen, gains, left = _choose(self.starts, self.members, offsets, numbers, most, costs, budget, kinds, limits.copy(), by_cost)
        return chosen, gains, int(gains.sum()) + _most_covered(left, most, costs, budget, kinds, limits)


def _most_covered(gains: Ints, most: int, costs: Floats, budget: float, kinds: Ints, limits: Ints) -> int:
    """Bound what people can cover who each cover so many sets: the best as if no two covered the same, the last of them in part."""
    rows = np.flatnonzero((gains > 0) & np.isfinite(costs))
    rows = rows[np.argsort(-gains[rows], kind="stable")]
    of_kind = np.argsort(kinds[rows], kind="stable")
    firsts = np.searchsorted(kinds[rows][of_kind], kinds[rows][of_kind])
    within = np.empty(len(rows), dtype=np.int64)
    within[of_kind] = np.arange(len(rows)) - firsts
    rows = rows[within < limits[kinds[rows]]]
    total = int(gains[rows[:most]].sum())
    if math.isfinite(budget):
        rows = rows[np.argsort(-gains[rows] / np.maximum(costs[rows], 1e-300), kind="stable")]
        spent = np.cumsum(costs[rows])
        whole = int(np.searchsorted(spent, budget, side="right"))
        part = 0.0 if whole == len(rows) else gains[rows[whole]] * (budget - (spent[whole - 1] if whole else 0.0)) / costs[rows[whole]]
        total = min(total, int(gains[rows[:whole]].sum()) + math.ceil(part))
    return total


@compiled
def _choose(
    starts: Any, members: Any, offsets: Any, numbers: Any, most: int, costs: Any, budget: float, kinds: Any, limits: Any, by_cost: bool
) -> Any:
    gains = offsets[1:] - offsets[:-1]
    chosen, newly = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    covered = np.zeros(len(starts) - 1, dtype=np.bool_)
    taken = np.zeros(len(gains), dtype=np.bool_)
    for turn in range(most):
        best, highest = -1, -1.0
        for node in range(len(gains)):
            if taken[node] or costs[node] == math.inf or costs[node] > budget or limits[kinds[node]] <= 0:
                continue
            value = gains[node] / max(costs[node], 1e-300) if by_cost else float(gains[node])
            if value > highest:
                best, highest = node, value
        if best < 0:
            return chosen[:turn], newly[:turn], gains
        chosen[turn], newly[turn] = best, gains[best]
        taken[best] = True
        budget -= costs[best]
        limits[kinds[best]] -= 1
        for place in range(offsets[best], offsets[best + 1]):
            number = numbers[place]
            if not covered[number]:
                covered[number] = True
                for member in range(starts[number], starts[number + 1]):
                    gains[members[member]] -= 1
    return chosen, newly, gains


@compiled
def _invert(starts: Any, members: Any, offsets: Any) -> Any:
    """List the sets that each person is in, one person after the other."""
    at = offsets[:-1].copy()
    numbers = np.empty(len(members), dtype=np.int32)
    for number in range(len(starts) - 1):
        for place in range(starts[number], starts[number + 1]):
            node = members[place]
            numbers[at[node]] = number
            at[node] += 1
    return numbers


@compiled
def _count(starts: Any, members: Any, some: Any) -> int:
    """Count the sets that have one of some people."""
    count = 0
    for number in range(len(starts) - 1):
        for place in range(starts[number], starts[number + 1]):
            if some[members[place]]:
                count += 1
                break
    return count
