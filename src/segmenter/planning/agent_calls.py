"""Which agents can call whom, and how many calls they can make together."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.planning.constraints import Agent

Ints = NDArray[np.int64]
Pair = tuple[str | None, str | None]  # a region, and a reach


class CallCapacity:
    """The agents' calls: `pair_of` has for each cell the number of its pair of region and reach, one of `pairs`.

    Agents who can call the same pairs count as one: `merged` has these pairs and the calls that they have together.
    """

    def __init__(self, cells: pl.DataFrame, agents: tuple[Agent, ...]) -> None:
        keys = cells.select("region", "reach").rows()
        self.pairs: list[Pair] = list(dict.fromkeys(keys))
        number = {pair: place for place, pair in enumerate(self.pairs)}
        self.pair_of: Ints = np.array([number[key] for key in keys], dtype=np.int64)
        self.needed = bool(agents)  # else nobody has to call
        capacity: dict[tuple[int, ...], int] = {}
        for agent in agents:
            able = tuple(place for place, (_, reach) in enumerate(self.pairs) if reach in agent.reach)
            capacity[able] = capacity.get(able, 0) + agent.capacity
        self.merged = [(np.array(able, dtype=np.int64), most) for able, most in sorted(capacity.items()) if able]

    def calls(self, taken: Ints, more: Ints | None = None) -> Ints:
        """Share out the taken of each cell, and more of each pair as far as can be, among the merged agents (rows) by pair (columns)."""
        needed = np.bincount(self.pair_of, weights=taken, minlength=len(self.pairs)).astype(np.int64)
        return share_calls(
            [pairs for pairs, _ in self.merged], [most for _, most in self.merged], needed if more is None else needed + more
        )

    def free(self, taken: Ints, wanted: Ints) -> int:
        """Say how many of those wanted, by pair, can be called besides the taken of each cell."""
        return int(self.calls(taken, wanted).sum() - taken.sum()) if self.needed else int(wanted.sum())


def share_calls(able: list[Ints], capacity: list[int], needed: Ints) -> Ints:
    """Find as many calls as can be made, a maximum flow: agents in rows, the pairs that they are able to call in columns.

    >>> share_calls([np.array([0, 1]), np.array([0])], [3, 2], np.array([2, 3])).tolist()
    [[0, 3], [2, 0]]
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    agents, pairs = len(able), len(needed)
    end = agents + pairs + 1
    edges = [(0, 1 + agent, min(most, int(needed.sum()))) for agent, most in enumerate(capacity)]
    edges += [
        (1 + agent, 1 + agents + int(pair), min(most, int(needed[pair]))) for agent, most in enumerate(capacity) for pair in able[agent]
    ]
    edges += [(1 + agents + pair, end, int(many)) for pair, many in enumerate(needed)]
    tail, head, most_ = (np.array(column, dtype=np.int32) for column in zip(*edges, strict=True))
    flow = maximum_flow(csr_array((most_, (tail, head)), shape=(end + 1, end + 1), dtype=np.int32), 0, end).flow
    return np.asarray(flow[1 : 1 + agents, 1 + agents : end].toarray(), dtype=np.int64)
