"""Which agents can call whom, by region and attributes, and how many calls they can make together."""

from collections import defaultdict

import numpy as np
import polars as pl

from segmenter.errors import nearest
from segmenter.messages import Message
from segmenter.planning.call_messages import list_first
from segmenter.planning.constraints import Agent, Ints
from segmenter.regions import find_members
from segmenter.settings import PlanSettings, RegionRule


def find_reach(
    customers: pl.DataFrame, settings: PlanSettings, regions: RegionRule
) -> tuple[pl.Series, list[tuple[int, ...]], tuple[Message, ...]]:
    """Say which agents can call whom: ``reach``, the number of a set of agents; these sets; and warnings.

    The customers have ``province``, ``city``, ``district`` where it is known, and the attributes that agents serve; an agent in a set is
    a place in the settings.
    The warnings name regions and values of attributes of agents that no customer has.
    """
    keys = ["province", "city", "district", *settings.served_attributes]
    customers = customers.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in keys[2:] if name not in customers.columns)
    customers = customers.select(pl.col(keys).cast(pl.String))
    places = customers.unique().sort(keys, nulls_last=True)
    known = {column: set(places[column].drop_nulls()) for column in keys}
    serves, unknown = [], []
    for agent in settings.agents:
        regional = {name: find_members(places, (name,), regions, "plan.agents") for name in agent.regions}
        unknown += [
            _unknown(name, agent.name, known["province"] | known["city"] | known["district"]) for name in regional if regional[name].missing
        ]
        wanted = [(column, value) for column, values in agent.attributes.items() for value in values]
        unknown += [_unknown(value, agent.name, known[column]) for column, value in wanted if value not in known[column]]
        able = np.ones(places.height, dtype=bool)
        if regional:
            able &= np.any([members.inside.to_numpy() for members in regional.values()], axis=0)
        for column, values in agent.attributes.items():
            able &= places[column].is_in(list(values)).fill_null(value=False).to_numpy()
        serves.append(able)
    sentence = "plan.agents: nobody who is invited has this region, language or attribute: {unknown}"
    warnings = (Message("planning.agents_unknown", sentence, unknown=list_first(unknown)),) if unknown and customers.height else ()
    sets = [tuple(np.flatnonzero(row).tolist()) for row in np.array(serves, dtype=bool).reshape(len(serves), places.height).T]
    numbers = {able: number for number, able in enumerate(sorted(set(sets)))}
    numbered = places.with_columns(pl.Series("reach", [numbers[able] for able in sets], dtype=pl.Int64))
    joined = customers.select(keys).join(numbered, on=keys, how="left", nulls_equal=True, maintain_order="left", validate="m:1")
    return joined["reach"], list(numbers), warnings


def keep_agents(called: pl.DataFrame, last: pl.DataFrame, able: list[set[str]]) -> tuple[pl.Series, int, int]:
    """Give the agents so that who was called before has the same one again, where a swap within a day does it; how many have, of how many.

    The called have ``customer_id``, ``reach`` (a place in the sets of agents who are able to call), ``call_on`` and ``agent``, the best
    first; `last` has ``customer_id`` and ``last``. Only who is in reach of the same agents is swapped: days and loads stay as they are.
    """
    rows = called.join(last, on="customer_id", how="left", maintain_order="left", validate="m:1")
    agents, before = rows["agent"].to_list(), rows["last"].to_list()
    where = rows.select("call_on", "reach").rows()
    pools: dict[tuple[tuple[object, ...], str], list[int]] = defaultdict(list)
    for row, agent in enumerate(agents):
        pools[where[row], agent].append(row)
    known = [row for row, agent in enumerate(before) if agent in able[where[row][1]]]
    for row in known:
        wanted, given = before[row], agents[row]
        while wanted != agents[row] and (pool := pools.get((where[row], wanted))):
            other = pool.pop()
            if agents[other] == wanted != before[other]:
                agents[row], agents[other] = wanted, given
                pools[where[row], given].append(other)
    return pl.Series("agent", agents, dtype=pl.String), sum(agents[row] == before[row] for row in known), len(known)


def _unknown(name: str, agent: str, known: set[str]) -> Message:
    """Say what a name may be a misspelling of; it may as well be right, and nobody from there be invited."""
    hint = nearest(name, known)
    shown = hint if hint.startswith("; nearest") else ""
    return Message("planning.agent_unknown", "{name} ({agent}{hint})", name=name, agent=agent, hint=shown)


class CallCapacity:
    """The agents' calls: `pair_of` has for each cell the number of its pair of region and reach, one of `pairs`.

    Agents who can call the same pairs count as one: `merged` has these pairs and the calls that they have together.
    """

    def __init__(self, cells: pl.DataFrame, agents: tuple[Agent, ...]) -> None:
        keys = cells.select("region", "reach").rows()
        self.pairs: list[tuple[str | None, str | None]] = list(dict.fromkeys(keys))
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
    """Find as many calls as can be made, a maximum flow: agents in rows, the pairs that they are able to call in columns."""
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
