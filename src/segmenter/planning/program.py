"""The integer program: how many of each cell are invited, and how many groups of which size there are."""

from dataclasses import dataclass, field
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmenter.planning.cells import Cells, Kind, layers_of
from segmenter.planning.constraints import GroupsBy, Quota, Terms, bounds, exact

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NODES = 500  # of branch and bound; a limit of time would make the plan depend on the machine
INFEASIBLE = 2  # SciPy's word for it
# HiGHS's presolve (1.12, in SciPy 1.17; its issue 3090 is alike) calls some of these programs infeasible that are not, and worse plans
# optimal. Without it they are solved right, and as fast.
SAFE = {"presolve": False}


@dataclass
class Program:
    """Columns and rows of a program as they are added: gain as much as possible, with every row between its bounds."""

    gain: list[Floats] = field(default_factory=list)
    most: list[Floats] = field(default_factory=list)
    whole: list[NDArray[np.int8]] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    width: int = 0
    height: int = 0

    def columns(self, most: Any, gain: Any = 0.0, whole: bool = True) -> Ints:
        """Add columns from 0 to `most`, and number them."""
        most, gain = np.broadcast_arrays(np.atleast_1d(np.asarray(most, dtype=np.float64)), np.asarray(gain, dtype=np.float64))
        self.most.append(most)
        self.gain.append(gain)
        self.whole.append(np.full(len(most), whole, dtype=np.int8))
        self.width += len(most)
        return np.arange(self.width - len(most), self.width)

    def rows(self, low: Any, high: Any) -> Ints:
        """Add rows, and number them."""
        low, high = np.broadcast_arrays(np.atleast_1d(np.asarray(low, dtype=np.float64)), np.asarray(high, dtype=np.float64))
        self.low.append(low)
        self.high.append(high)
        self.height += len(low)
        return np.arange(self.height - len(low), self.height)

    def put(self, rows: Any, columns: Ints, factors: Any = 1.0) -> None:
        """Put columns into rows, times factors."""
        rows, columns, factors = np.broadcast_arrays(rows, columns, np.asarray(factors, dtype=np.float64))
        self.entries.append((rows.ravel(), columns.ravel(), factors.ravel()))

    def copy(self) -> "Program":
        """Give a program to which more can be added."""
        return Program(
            [*self.gain], [*self.most], [*self.whole], [*self.low], [*self.high], [*self.entries], width=self.width, height=self.height
        )

    def matrix(self) -> Any:
        """Give the rows as a sparse matrix."""
        from scipy.sparse import csc_array

        rows, columns, factors = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        return csc_array((factors, (rows, columns)), shape=(self.height, self.width))

    def bounds(self) -> tuple[Floats, Floats, Floats]:
        """Give the rows' bounds and the columns' upper ones."""
        return np.concatenate(self.low), np.concatenate(self.high), np.concatenate(self.most)


@dataclass(frozen=True)
class Parts:
    """Where to find what in the program.

    Parameters
    ----------
    cell, kind : ndarray of int of shape (places,)
        Who may go where.
    places : ndarray of int of shape (places,)
        Columns: how many of that cell go into groups of that kind.
    taken : ndarray of int of shape (cells,)
        Rows: places less those taken from the cell, = 0; whoever builds the program adds what is taken.
    groups : list of ndarray of int
        For each kind, columns: how many groups of each size; or, where `single`, how many groups, and their people.
    total, money, calls, sizes : ndarray of int
        Rows: people in all, budget, people of each region and language less those called, = 0 or less; people of each kind less places.
    layer : dict of (int, int) to ndarray of int
        For each kind and layer with a quota, rows: people less the least share, people less the largest.
    smallest : dict of int to ndarray of int
        For each kind that is `single`, the row: people less the smallest size.
    """

    cell: Ints
    kind: Ints
    places: Ints
    taken: Ints
    groups: list[Ints]
    total: Ints
    money: Ints
    calls: Ints
    sizes: Ints
    layer: dict[tuple[int, int], Ints]
    smallest: dict[int, Ints]


def single(kind: Kind) -> bool:
    """Tell whether there is at most one group of a kind, whose size then is a column of its own."""
    return kind.most <= 1


def callers(cells: Cells, terms: Terms) -> tuple[Ints, list[tuple[str | None, str | None]], NDArray[np.bool_]]:
    """Match agents with those whom they can call.

    Parameters
    ----------
    cells : Cells
        The customers.
    terms : Terms
        The agents.

    Returns
    -------
    of_cell : ndarray of int of shape (cells,)
        The pair of region and language of each cell.
    pairs : list of (str or None, str or None)
        Regions and languages.
    serves : ndarray of bool of shape (agents, pairs)
        Who can call whom.

    Examples
    --------
    >>> import polars as pl
    >>> from segmenter.planning.cells import count
    >>> from segmenter.planning.constraints import Agent
    >>> cells = count(pl.DataFrame({"region": ["川", None], "topic": "茶", "layer": "expert", "value": [1, 2]}))
    >>> callers(cells, Terms(GroupsBy(True, False, 1, 2, 3), agents=(Agent("a", 5, ("川",)), Agent("b", 5))))[2].tolist()
    [[True, False], [True, True]]
    """
    keys = list(zip(cells.table["region"].to_list(), cells.table["language"].to_list(), strict=True))
    pairs = list(dict.fromkeys(keys))
    number = {pair: at for at, pair in enumerate(pairs)}
    serves = [
        [
            (not agent.regions or region in agent.regions) and (not agent.languages or language in agent.languages)
            for region, language in pairs
        ]
        for agent in terms.agents
    ]
    return (
        np.array([number[key] for key in keys], dtype=np.int64),
        pairs,
        np.array(serves, dtype=bool).reshape(len(terms.agents), len(pairs)),
    )


def costs_of(cells: Cells, terms: Terms) -> Ints:
    """Give the cost of inviting one of each cell, in minor units."""
    return np.array([terms.costs.get(layer, 0) for layer in cells.table["layer"]], dtype=np.int64)


def unit_of(terms: Terms) -> int:
    """Choose a unit of money: no rounding where costs have a large common divisor, else up, so that the budget holds in any case."""
    costs = [cost for cost in terms.costs.values() if cost]
    return max(gcd(*costs), max(costs) // 10**5) if costs else 1


def constrain(  # noqa: PLR0915  # one block of rows after the other, over the same names
    cells: Cells,
    kinds: list[Kind],
    terms: Terms,
    *,
    broken: bool = False,
    apart: frozenset[int] = frozenset(),
    spare: int = 0,
) -> tuple[Program, Parts]:
    """Write down all that a plan must keep to.

    Groups of one kind are interchangeable: the program counts how many there are of each size, and people of the kind as a whole. Shares
    are held in whole people, so what a layer needs is the sum of what groups of the chosen sizes need.

    Parameters
    ----------
    cells : Cells
        The customers.
    kinds : list of Kind
        The kinds of groups.
    terms : Terms
        The rest.
    broken : bool
        Whether people may be fractions, though groups may not.
    apart : frozenset of int
        Kinds whose people are counted by size of group too. Without it, in rare cases, the counts cannot be dealt.
    spare : int
        People that each kind may get besides those who are there.

    Returns
    -------
    program : Program
        Without anything that is taken from the cells.
    parts : Parts
        Its columns and rows.

    Examples
    --------
    >>> import polars as pl
    >>> from segmenter.planning.cells import count, kinds_of
    >>> cells = count(pl.DataFrame({"region": "川", "topic": "茶", "layer": ["a", "b"], "value": 1}))
    >>> terms = Terms(GroupsBy(True, False, 1, 2, 3))
    >>> program, parts = constrain(cells, kinds_of(cells, terms, "en"), terms)
    >>> len(parts.places), len(parts.taken)
    (2, 2)
    """
    program, layers = Program(), layers_of(cells, terms)
    layer_of = np.array([layers.index(layer) for layer in cells.table["layer"]], dtype=np.int64)
    kind = np.repeat(np.arange(len(kinds)), [len(each.cells) for each in kinds])
    cell = np.concatenate([each.cells for each in kinds]) if kinds else np.zeros(0, dtype=np.int64)
    places = program.columns(cells.people[cell] + spare, whole=not broken) if len(cell) else np.zeros(0, dtype=np.int64)
    taken = program.rows(np.zeros(len(cells.people)), 0)
    program.put(taken[cell], places)
    fixed = np.array([each.fixed.sum() for each in kinds], dtype=np.int64)
    sizes = program.rows(fixed, fixed)
    program.put(sizes[kind], places)
    in_all = program.rows(
        -np.inf, terms.groups.most - sum(len(each.fixed) for each in kinds) if isinstance(terms.groups, GroupsBy) else np.inf
    )
    groups, layer_rows, smallest = [], {}, {}
    for at, each in enumerate(kinds):
        here = kind == at
        there = int(cells.people[each.cells].sum()) + spare
        whole = single(each)
        if whole:
            opened, size = program.columns(each.most), program.columns(each.largest)
            numbers = np.concatenate([opened, size])
            program.put(sizes[at], size, -1)
            ends = program.rows([0, -np.inf], [np.inf, 0])
            smallest[at] = ends[:1]
            program.put(ends, size)
            program.put(ends, opened, [-each.smallest, -min(each.largest, max(there, each.smallest))])
            program.put(in_all, opened)
            program.put(program.rows(each.least, each.most), opened)
        else:
            opened = numbers = program.columns(np.minimum(each.most, there // each.sizes))
            program.put(sizes[at], numbers, -each.sizes)
            program.put(in_all, opened)
            program.put(program.rows(each.least, each.most), opened)
        groups.append(numbers)
        fixed_low, fixed_high = bounds(terms.quotas, layers, each.fixed)
        for quota in terms.quotas:
            layer = layers.index(quota.layer)
            if quota.least == 0 and quota.most == 1:
                continue
            low, high = exact(quota.least), exact(quota.most)
            least, most = int(fixed_low[:, layer].sum()), int(fixed_high[:, layer].sum())
            factors = (low.denominator, high.denominator) if whole else (1, 1)
            rows = program.rows([least * factors[0], -np.inf], [np.inf, most * factors[1]])
            layer_rows[at, layer] = rows
            of_layer = places[here & (layer_of[cell] == layer)]
            if whole:
                for row, share in zip(rows, (low, high), strict=True):
                    program.put(row, of_layer, share.denominator)
                    program.put(row, size, -share.numerator)
            else:
                program.put(rows[:, None], of_layer[None, :])
                program.put(rows[0], numbers, -each.low[:, layer])
                program.put(rows[1], numbers, -each.high[:, layer])
        by_layer = [places[here & (layer_of[cell] == layer)] for layer in range(len(layers))]
        if at in apart and not whole:
            _by_size(program, each, numbers, by_layer)
        elif each.most == 0 and len(each.fixed) > 1 and terms.quotas:
            _by_fixed_size(program, terms.quotas, layers, each.fixed, by_layer)
    total, money, calls = _shared(program, cells, terms, cell, places)
    return program, Parts(cell, kind, places, taken, groups, total, money, calls, sizes, layer_rows, smallest)


def _shared(program: Program, cells: Cells, terms: Terms, cell: Ints, places: Ints) -> tuple[Ints, Ints, Ints]:
    """Limit what all groups share: people, money and calls."""
    total = program.rows(terms.size_min or 0, np.inf if terms.size_max is None else terms.size_max)
    program.put(total, places)
    unit = unit_of(terms)
    money = program.rows(-np.inf, np.inf if terms.budget is None else terms.budget // unit)
    program.put(money, places, -(-costs_of(cells, terms)[cell] // unit))
    calls = np.zeros(0, dtype=np.int64)
    if terms.agents:
        of_cell, pairs, serves = callers(cells, terms)
        calls = program.rows(np.full(len(pairs), -np.inf), 0)
        program.put(calls[of_cell[cell]], places)
        for reached, capacity in merged(serves, terms):
            # Whole by themselves where the places are: flows in a network.
            flow = program.columns(np.full(len(reached), capacity), whole=False)
            program.put(calls[reached], flow, -1)
            program.put(program.rows(-np.inf, capacity), flow)
    return total, money, calls


def merged(serves: NDArray[np.bool_], terms: Terms) -> list[tuple[Ints, int]]:
    """Add up agents who can call the same people."""
    capacity: dict[tuple[int, ...], int] = {}
    for reach, agent in zip(serves, terms.agents, strict=True):
        key = tuple(np.flatnonzero(reach).tolist())
        capacity[key] = capacity.get(key, 0) + agent.capacity
    return [(np.array(key, dtype=np.int64), most) for key, most in sorted(capacity.items()) if key]


def _by_size(program: Program, kind: Kind, numbers: Ints, places: list[Ints]) -> None:
    """Count the people of a kind by layer and size of group: exact for any shares, and much larger."""
    counts = program.columns(np.full(kind.low.size, kind.most * kind.largest)).reshape(kind.low.shape)
    low, high = program.rows(np.zeros(counts.size), np.inf), program.rows(np.full(counts.size, -np.inf), 0)
    number = np.repeat(numbers, len(places))
    program.put(low, counts.ravel())
    program.put(low, number, -kind.low.ravel())
    program.put(high, counts.ravel())
    program.put(high, number, -kind.high.ravel())
    full = program.rows(np.zeros(len(numbers)), 0)
    program.put(full[:, None], counts)
    program.put(full, numbers, -kind.sizes)
    for layer, columns in enumerate(places):
        same = program.rows(0, 0)
        program.put(same, counts[:, layer])
        program.put(same, columns, -1)


def _by_fixed_size(program: Program, quotas: tuple[Quota, ...], layers: list[str], fixed: Ints, places: list[Ints]) -> None:
    """Count them by layer and size where all sizes are known."""
    sizes, many = np.unique(fixed, return_counts=True)
    if len(sizes) == 1:
        return
    low, high = bounds(quotas, layers, sizes)
    counts = program.columns((high * many[:, None]).ravel(), whole=False).reshape(low.shape)
    program.put(program.rows((low * many[:, None]).ravel(), np.inf), counts.ravel())
    program.put(program.rows(sizes * many, sizes * many)[:, None], counts)
    for layer, columns in enumerate(places):
        same = program.rows(0, 0)
        program.put(same, counts[:, layer])
        program.put(same, columns, -1)


def relaxed(program: Program, rows: Ints) -> tuple[float, Floats, Floats] | None:
    """Solve with fractions: what is gained, the price of one more in each of some rows, and the columns; None where nothing holds.

    The rows asked for must be equalities.
    """
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    low, high, most = program.bounds()
    if not program.width:
        return (0.0, np.zeros(len(rows)), np.zeros(0)) if ((low <= 0) & (high >= 0)).all() else None
    matrix = program.matrix().tocsr()
    same = low == high
    above, below = ~same & np.isfinite(high), ~same & np.isfinite(low)
    limits = vstack([matrix[above], -matrix[below]]) if (above | below).any() else None
    found = linprog(
        -np.concatenate(program.gain),
        A_ub=limits,
        b_ub=np.concatenate([high[above], -low[below]]) if limits is not None else None,
        A_eq=matrix[same],
        b_eq=low[same],
        bounds=np.stack([np.zeros(len(most)), most], axis=1),
        method="highs",
    )
    if found.status == INFEASIBLE:
        return None
    place = np.cumsum(same) - 1
    return -float(found.fun), found.eqlin.marginals[place[rows]], found.x


def solved(program: Program, gap: float = 0.0) -> Floats | None:
    """Solve in whole numbers; None where nothing holds."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    low, high, most = program.bounds()
    if not program.width:
        return np.zeros(0) if ((low <= 0) & (high >= 0)).all() else None
    limits, rows = Bounds(np.zeros(len(most)), most), LinearConstraint(program.matrix(), low, high)
    aim, whole = -np.concatenate(program.gain), np.concatenate(program.whole)
    found = milp(aim, integrality=whole, bounds=limits, constraints=rows, options={"mip_rel_gap": gap, "node_limit": NODES, **SAFE})
    if found.x is None and found.status != INFEASIBLE:
        # Whether anything holds must be known, however long it takes: the first plan found will do.
        found = milp(aim, integrality=whole, bounds=limits, constraints=rows, options={"mip_rel_gap": np.inf, **SAFE})
    return None if found.x is None else np.asarray(found.x)
