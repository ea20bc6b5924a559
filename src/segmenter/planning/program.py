"""The integer program of a plan: how many of each cell are invited, and how many groups of which size there are."""

from dataclasses import dataclass
from math import gcd

import numpy as np

from segmenter.planning.cells import Cells
from segmenter.planning.constraints import Constraints, Ints, Quota, exact, layer_bounds
from segmenter.planning.group_kinds import GroupKind
from segmenter.planning.linear_program import LinearProgram


@dataclass(frozen=True)
class ProgramIndex:
    """Where to find what in the program.

    Columns: `places`, how many of each cell go into groups; `groups`, how many groups of each size there are of each kind, but of a single
    kind how many groups, and their customers. Rows: `taken`, the places of each cell less those taken from it, = 0, to which whoever uses
    the program adds what is taken; `total` customers; `money` against the budget; `calls` of each pair of region and reach less those made,
    ≤ 0; `smallest`, the customers of each single kind less the smallest size.
    """

    places: Ints
    groups: list[Ints]
    taken: Ints
    total: Ints
    money: Ints
    calls: Ints
    smallest: dict[int, Ints]


def money_unit(constraints: Constraints) -> int:
    """Choose a unit of money: no rounding where costs have a large common divisor, else up, so that the budget holds in any case."""
    costs = [cost for cost in constraints.costs.values() if cost]
    return max(gcd(*costs), max(costs) // 10**5) if costs else 1


def build_program(
    cells: Cells, kinds: list[GroupKind], *, fractions: bool = False, by_size: frozenset[int] = frozenset(), spare: int = 0
) -> tuple[LinearProgram, ProgramIndex]:
    """Write down all that a plan must keep to, without anything that is taken from the cells.

    Groups of one kind are interchangeable: the program counts how many there are of each size, and customers of the kind as a whole.
    Shares are held in whole customers, so what a layer needs is the sum of what groups of the chosen sizes need. Customers may be
    `fractions`, though groups may not. Customers of the kinds `by_size` are counted by size of group too: without it, in rare cases, no
    groups can be made of the counts. Each kind may get some to `spare` besides those who are there.
    """
    program, constraints, layers, layer_of = LinearProgram(), cells.constraints, cells.layers, cells.layer_of
    cell = np.concatenate([kind.cells for kind in kinds]) if kinds else np.zeros(0, dtype=np.int64)
    places = np.zeros(len(cells.customers), dtype=np.int64)
    if len(cell):
        places[cell] = program.columns(cells.customers[cell] + spare, whole=not fractions)
    taken = program.rows(np.zeros(len(cells.customers)), 0)
    program.put(taken, places)
    fixed = np.array([kind.fixed.sum() for kind in kinds], dtype=np.int64)
    sizes = program.rows(fixed, fixed)  # customers of each kind less places in its groups
    for number, kind in enumerate(kinds):
        program.put(sizes[number], places[kind.cells])
    in_all = program.rows(-np.inf, constraints.groups.max_groups - sum(len(kind.fixed) for kind in kinds))
    groups, smallest = [], {}
    for number, kind in enumerate(kinds):
        there = int(cells.customers[kind.cells].sum()) + spare
        if kind.single:
            opened, size = program.columns(kind.max_groups), program.columns(kind.max_size)
            groups.append(np.concatenate([opened, size]))
            program.put(sizes[number], size, -1)
            ends = program.rows([0, -np.inf], [np.inf, 0])
            smallest[number] = ends[:1]
            program.put(ends, size)
            program.put(ends, opened, [-kind.min_size, -min(kind.max_size, max(there, kind.min_size))])
        else:
            opened = program.columns(np.minimum(kind.max_groups, there // kind.sizes))
            groups.append(opened)
            program.put(sizes[number], opened, -kind.sizes)
        program.put(in_all, opened)
        program.put(program.rows(kind.min_groups, kind.max_groups), opened)
        of_layer = [places[kind.cells[layer_of[kind.cells] == layer]] for layer in range(len(layers))]
        for quota in constraints.quotas:
            if quota.min > 0 or quota.max < 1:
                _hold_quota(program, kind, quota, layers, groups[number], of_layer)
        if number in by_size and not kind.single:
            _count_by_size(program, kind, groups[number], of_layer)
        elif kind.max_groups == 0 and len(kind.fixed) > 1 and constraints.quotas:
            _count_by_fixed_size(program, constraints.quotas, layers, kind.fixed, of_layer)
    total, money, calls = _share_limits(program, cells, cell, places)
    return program, ProgramIndex(places, groups, taken, total, money, calls, smallest)


def _hold_quota(program: LinearProgram, kind: GroupKind, quota: Quota, layers: list[str], groups: Ints, of_layer: list[Ints]) -> None:
    """Hold the share of a layer in all groups of a kind together."""
    layer = layers.index(quota.layer)
    shares = exact(quota.min), exact(quota.max)
    low, high = (int(bound[:, layer].sum()) for bound in layer_bounds((quota,), layers, kind.fixed))
    factors = [share.denominator if kind.single else 1 for share in shares]
    rows = program.rows([low * factors[0], -np.inf], [np.inf, high * factors[1]])
    for row, share, factor, bound in zip(rows, shares, factors, (kind.low, kind.high), strict=True):
        program.put(row, of_layer[layer], factor)
        if kind.single:
            program.put(row, groups[1:], -share.numerator)
        else:
            program.put(row, groups, -bound[:, layer])


def _share_limits(program: LinearProgram, cells: Cells, cell: Ints, places: Ints) -> tuple[Ints, Ints, Ints]:
    """Limit what all groups share: customers, money and calls."""
    constraints, capacity = cells.constraints, cells.capacity
    total = program.rows(constraints.size_min or 0, np.inf if constraints.size_max is None else constraints.size_max)
    program.put(total, places[cell])
    unit = money_unit(constraints)
    money = program.rows(-np.inf, np.inf if constraints.budget is None else constraints.budget // unit)
    program.put(money, places[cell], -(-cells.costs[cell] // unit))
    calls = np.zeros(0, dtype=np.int64)
    if constraints.agents:
        calls = program.rows(np.full(len(capacity.pairs), -np.inf), 0)
        program.put(calls[capacity.pair_of[cell]], places[cell])
        for pairs, most in capacity.merged:
            # Whole by themselves where the places are: flows in a network.
            flow = program.columns(np.full(len(pairs), most), whole=False)
            program.put(calls[pairs], flow, -1)
            program.put(program.rows(-np.inf, most), flow)
    return total, money, calls


def _count_by_size(program: LinearProgram, kind: GroupKind, groups: Ints, of_layer: list[Ints]) -> None:
    """Count the customers of a kind by layer and size of group: exact for any shares, and much larger."""
    counts = program.columns(np.full(kind.low.size, kind.max_groups * kind.max_size)).reshape(kind.low.shape)
    low, high = program.rows(np.zeros(counts.size), np.inf), program.rows(np.full(counts.size, -np.inf), 0)
    number = np.repeat(groups, len(of_layer))
    program.put(low, counts.ravel())
    program.put(low, number, -kind.low.ravel())
    program.put(high, counts.ravel())
    program.put(high, number, -kind.high.ravel())
    full = program.rows(np.zeros(len(groups)), 0)
    program.put(full[:, None], counts)
    program.put(full, groups, -kind.sizes)
    _equate(program, counts, of_layer)


def _count_by_fixed_size(program: LinearProgram, quotas: tuple[Quota, ...], layers: list[str], fixed: Ints, of_layer: list[Ints]) -> None:
    """Count them by layer and size where all sizes are known."""
    sizes, many = np.unique(fixed, return_counts=True)
    if len(sizes) == 1:
        return
    low, high = layer_bounds(quotas, layers, sizes)
    counts = program.columns((high * many[:, None]).ravel(), whole=False).reshape(low.shape)
    program.put(program.rows((low * many[:, None]).ravel(), np.inf), counts.ravel())
    program.put(program.rows(sizes * many, sizes * many)[:, None], counts)
    _equate(program, counts, of_layer)


def _equate(program: LinearProgram, counts: Ints, of_layer: list[Ints]) -> None:
    """Make the counts of each layer (columns), of all sizes together, those of its cells."""
    for layer, places in enumerate(of_layer):
        same = program.rows(0, 0)
        program.put(same, counts[:, layer])
        program.put(same, places, -1)
