"""Who calls how many of whom: all agents done as early as can be, each with as few kinds of customers as that allows."""

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def balance(customers: Ints, serves: Flags, capacity: Ints) -> Ints:
    """Share customers out among agents so that the agents' loads, each measured by the capacity, are as equal as can be.

    `customers` says how many of each kind there are to call, `serves` which agents (columns) can call which kinds (rows), somebody for
    each, and `capacity` the calls a day of each agent, at least 1. Returned are the calls of each kind (rows) by each agent (columns).

    A call is moved along a chain of agents for as long as that brings it forward. Where no such chain is left, the split is the best
    for every separable convex cost of the loads at once (a flow in a network without negative cycles): by the end of each day, as many
    calls are made as could be made at all. Then agents who share several kinds of customers swap them, loads unchanged, until the kinds
    and agents make no cycle: there are fewer pairs of them than kinds and agents together.
    """
    calls, loads = np.zeros(serves.shape, dtype=np.int64), np.zeros(len(capacity), dtype=np.int64)
    # Whole kinds first, those with the fewest agents and the most customers before others: little is left to move then.
    for kind in np.lexsort((-customers, serves.sum(axis=1))):
        after = np.where(serves[kind], (loads + customers[kind]) / capacity, np.inf)
        calls[kind, after.argmin()] = customers[kind]
        loads[after.argmin()] += customers[kind]
    while _move(calls, loads, serves, capacity):
        pass
    _untangle(calls)
    return calls


def _move(calls: Ints, loads: Ints, serves: Flags, capacity: Ints) -> bool:
    """Move calls from the most loaded agent who can be helped to the least loaded who can help."""
    takes = (calls > 0).T @ serves  # whether the one agent has a call that the other could make
    for giver in np.argsort(-loads / capacity, kind="stable"):
        came = _find_chains(takes, int(giver))
        others = np.array([agent for agent in came if agent != giver], dtype=np.int64)
        if not len(others):
            continue
        taker = int(others[((loads[others] + 1) / capacity[others]).argmin()])
        # The last call moved is still made earlier than before: (load + moved) / capacity < (load - moved + 1) / capacity.
        gain = int((loads[giver] + 1) * capacity[taker] - loads[taker] * capacity[giver])
        moved = (gain - 1) // int(capacity[giver] + capacity[taker])
        if moved < 1:
            continue
        chain = [taker]
        while chain[-1] != giver:
            chain.append(came[chain[-1]])
        steps = []
        for one, other in pairwise(reversed(chain)):
            kinds = np.flatnonzero((calls[:, one] > 0) & serves[:, other])
            # One that the other calls anyway, if there is one.
            kind = max(kinds, key=lambda kind: (calls[kind, other] > 0, calls[kind, one]))
            steps.append((kind, one, other))
            moved = min(moved, int(calls[kind, one]))
        for kind, one, other in steps:
            calls[kind, one] -= moved
            calls[kind, other] += moved
        loads[giver] -= moved
        loads[taker] += moved
        return True
    return False


def _find_chains(takes: Flags, first: int) -> dict[int, int]:
    """Find whom a call could be passed on to, and from whom each would get it, by the fewest steps."""
    came, ahead = {first: first}, deque([first])
    while ahead:
        one = ahead.popleft()
        for other in np.flatnonzero(takes[one]).tolist():
            if other not in came:
                came[other] = one
                ahead.append(other)
    return came


def _untangle(calls: Ints) -> None:
    """Swap calls around every cycle of kinds and agents until one of its pairs has none left."""
    kinds = len(calls)
    tree: dict[int, set[int]] = {node: set() for node in range(sum(calls.shape))}
    for kind, agent in np.argwhere(calls > 0).tolist():
        way = _find_way(tree, kinds + agent, kind)
        tree[kind].add(kinds + agent)
        tree[kinds + agent].add(kind)
        if way is None:
            continue
        pairs = [(kind, agent), *((min(pair), max(pair) - kinds) for pair in pairwise(way))]
        # Every second pair loses what the others gain.
        losing, gaining = sorted((pairs[::2], pairs[1::2]), key=lambda half: min(int(calls[pair]) for pair in half))
        moved = min(int(calls[pair]) for pair in losing)
        for pair in gaining:
            calls[pair] += moved
        for pair in losing:
            calls[pair] -= moved
            if not calls[pair]:
                tree[pair[0]].discard(kinds + pair[1])
                tree[kinds + pair[1]].discard(pair[0])


def _find_way(tree: dict[int, set[int]], start: int, end: int) -> list[int] | None:
    came, ahead = {start: start}, [start]
    while ahead and end not in came:
        node = ahead.pop()
        for other in tree[node] - came.keys():
            came[other] = node
            ahead.append(other)
    if end not in came:
        return None
    way = [end]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]
