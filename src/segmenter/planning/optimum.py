"""The best plan by counts, and how much better any plan could be."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segmenter.planning.cells import Cells
from segmenter.planning.constraints import Ints
from segmenter.planning.group_kinds import GroupKind
from segmenter.planning.linear_program import solve_relaxed, solve_whole
from segmenter.planning.program import ProgramIndex, build_program
from segmenter.planning.value_curves import ValueCurves

Floats = NDArray[np.float64]
CLOSE = 1e-5  # of the value: what counts as no gap between steps and customers
ENOUGH = 1e-5  # of the value: the last bit takes as long as all the rest where customers are many
ROUGH = 2e-4  # of the value: where groups open; customers are counted again after that
FAR = 3e-3  # of the value below the bound: where a slower search is worth its time
ROUNDS = 6  # of fractional programs
FIRST = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.6])  # of a cell: where its first steps end
AROUND = np.array([-64, -16, -4, -1, 0, 1, 4, 16, 64])  # customers beside the margin: where their last steps end
WHOLE = 2_000  # customers of whom each may be a step
ROUND = 10  # customers
DIVES = 6  # fractional programs while numbers of groups are rounded


@dataclass(frozen=True)
class PlanCounts:
    """A plan in numbers.

    How many are `taken` from each cell; the `sizes` of each kind's groups, though others may do as well; and a `bound`, the value in minor
    units that no plan can exceed.
    """

    taken: Ints
    sizes: list[Ints]
    bound: int

    def value(self, cells: Cells) -> int:
        """Value of them all, minor units."""
        return int(cells.value(self.taken).sum())


def find_optimum(cells: Cells, kinds: list[GroupKind], by_size: frozenset[int] = frozenset()) -> PlanCounts | None:
    """Find the plan of the greatest value; None where no plan keeps to the constraints. For `by_size` see `build_program`.

    A cell's value is a concave curve of the number taken, as the best are taken first. A program sees chords of it, exact where a step is
    one customer. Fractional programs, each with steps where the prices of the last one cut the curves (Kelley's cutting planes), find the
    margin and what no plan can exceed; the next opens groups in whole numbers; the last counts customers, in single steps beside the
    margin. Few customers are single steps throughout, and one program decides it all.
    """
    curves = ValueCurves(cells)
    few = len(cells.order) <= WHOLE
    steps = [np.arange(many + 1) if few else np.unique(np.r_[0, many, (FIRST * many).astype(np.int64)]) for many in cells.customers]
    bound = np.inf
    base, index = build_program(cells, kinds)
    for _ in range(ROUNDS):
        program = base.copy()
        curves.add(program, index, steps)
        found = solve_relaxed(program, index.taken)
        if found is None:
            return None
        worth, prices, columns = found
        margin, missing = curves.beyond(steps, prices)
        bound = min(bound, (worth + missing) * curves.scale)
        if few or missing <= CLOSE * worth:
            break
        steps = [np.union1d(ends, cut) for ends, cut in zip(steps, margin, strict=True)]
    best = None
    if not few and not by_size:
        for open_groups in (_round_groups, _search_groups):
            likely = open_groups(curves, steps, kinds, [columns[numbers] for numbers in index.groups])
            sized = likely and _choose_last_sizes(curves, steps, likely)
            if sized:
                near = [
                    np.unique(np.clip(np.add.outer([*cut, many], AROUND), 0, there))
                    for cut, many, there in zip(margin, sized[1], cells.customers, strict=True)
                ]
                counts = _count_customers(curves, near, sized[0], by_size, bound, ENOUGH)
                best = max((counts_ for counts_ in (best, counts) if counts_), key=lambda counts_: counts_.value(cells), default=None)
            if best and best.value(cells) >= (1 - FAR) * bound:
                break
    return best or _count_customers(curves, steps, kinds, by_size, bound, 0 if few else ENOUGH)


def _round_groups(curves: ValueCurves, steps: list[Ints], kinds: list[GroupKind], numbers: list[Floats]) -> list[GroupKind] | None:
    """Round the numbers of groups, the nearest to whole ones first, and solve again for the others; one size of each kind stays open."""
    left = list(range(len(kinds)))
    for dive in range(DIVES, 0, -1):
        whole, off = zip(*(_round_number(kind, many) for kind, many in zip(kinds, numbers, strict=True)), strict=True)
        left.sort(key=lambda number: off[number])
        many = -(-len(left) // dive)
        now, left = left[:many], left[many:]
        kinds = [
            replace(kind, min_groups=whole[number], max_groups=whole[number]) if number in now else kind
            for number, kind in enumerate(kinds)
        ]
        if sum(kind.min_groups for kind in kinds) > curves.cells.constraints.groups.max_groups:
            return None
        program, index = build_program(curves.cells, kinds)
        curves.add(program, index, steps)
        found = solve_relaxed(program, index.taken)
        if found is None:
            return None
        numbers = [found[2][columns] for columns in index.groups]
    return [_fix_all_but_one(kind, many) for kind, many in zip(kinds, numbers, strict=True)]


def _round_number(kind: GroupKind, numbers: Floats) -> tuple[int, float]:
    """Round a number of groups to one that the customers can fill, and say how far off it was where there is none."""
    # Single kinds have a column for the number of groups and one for their customers.
    groups = float(numbers[0] if kind.single else numbers.sum())
    customers = float(numbers[1] if kind.single else kind.sizes @ numbers)
    low, high = int(np.ceil(customers / kind.max_size - 1e-6)), int(np.floor(customers / kind.min_size + 1e-6))
    whole = min(max(round(groups), low), high) if low <= high else round(groups)
    whole = min(max(whole, kind.min_groups), max(kind.max_groups, kind.min_groups))
    return whole, 0.0 if low <= whole <= high else abs(groups - whole)


def _fix_all_but_one(kind: GroupKind, numbers: Floats) -> GroupKind:
    """Fix the sizes of all groups of a kind but one."""
    groups = kind.max_groups
    last = min(groups, 1)
    if kind.single:
        return replace(kind, min_groups=last, max_groups=last)
    whole = np.floor(numbers + 1e-6).astype(np.int64)
    # The smaller ones first: what they take is there.
    order = sorted(np.flatnonzero(numbers > 1e-6).tolist(), key=lambda size: kind.sizes[size])
    whole[order[: max(groups - last - int(whole.sum()), 0)]] += 1
    fixed = np.append(np.repeat(kind.sizes, whole), np.repeat(kind.sizes[:1], groups))[: groups - last]
    customers = float(kind.sizes @ numbers)
    if last and not customers - kind.max_size <= fixed.sum() <= customers - kind.min_size:
        fixed = _round_sizes(kind, groups, customers)
    return replace(kind, min_groups=last, max_groups=last, fixed=fixed)


def _round_sizes(kind: GroupKind, groups: int, customers: float) -> Ints:
    """Choose sizes of all groups but one near the mean, and round, as shares of round numbers leave no rest."""
    mean = customers / groups
    step = ROUND if kind.max_size - kind.min_size >= 2 * ROUND else 1
    base = int(np.clip(mean // step * step, kind.sizes[0], kind.max_size))
    larger = min(base + step, kind.max_size)
    over = round((customers - mean - (groups - 1) * base) / max(larger - base, 1))
    over = min(max(over, 0), groups - 1)
    return np.array([base] * (groups - 1 - over) + [larger] * over, dtype=np.int64)


def _search_groups(curves: ValueCurves, steps: list[Ints], kinds: list[GroupKind], numbers: list[Floats]) -> list[GroupKind] | None:
    """Open groups in whole numbers, of sizes that the fractional program makes use of: slower, and better where groups are small."""
    narrow = [_keep_used_sizes(kind, many) for kind, many in zip(kinds, numbers, strict=True)]
    solution = _solve(curves, steps, narrow, ROUGH, fractions=True)
    if solution is None:
        return None
    columns, _, index = solution
    opened = []
    for kind, groups in zip(narrow, index.groups, strict=True):
        many = np.rint(columns[groups]).astype(np.int64)
        sizes = np.zeros(many[0], dtype=np.int64) if kind.single else np.repeat(kind.sizes, many)
        last = min(len(sizes), 1)
        opened.append(replace(kind, min_groups=last, max_groups=last, fixed=sizes[last:]))
    return opened


def _keep_used_sizes(kind: GroupKind, numbers: Floats) -> GroupKind:
    if kind.single:
        return kind
    used = numbers > 1e-9
    used[[0, -1]] = True
    return replace(kind, sizes=kind.sizes[used], low=kind.low[used], high=kind.high[used])


def _choose_last_sizes(curves: ValueCurves, steps: list[Ints], kinds: list[GroupKind]) -> tuple[list[GroupKind], Ints] | None:
    """Choose the size of the last group of each kind, and how many of each cell are taken; these may be fractions yet."""
    solution = _solve(curves, steps, kinds, ROUGH, fractions=True)
    if solution is None:
        return None
    columns, _, index = solution
    sized = []
    for kind, (opened, size) in zip(kinds, index.groups, strict=True):
        last = [round(columns[size])] if round(columns[opened]) else []
        sized.append(replace(kind, min_groups=0, max_groups=0, fixed=np.append(kind.fixed, last).astype(np.int64)))
    return sized, columns[index.places].astype(np.int64)


def _solve(
    curves: ValueCurves,
    steps: list[Ints],
    kinds: list[GroupKind],
    gap: float,
    *,
    fractions: bool = False,
    by_size: frozenset[int] = frozenset(),
) -> tuple[Floats, float, ProgramIndex] | None:
    """Solve in whole numbers of groups: the columns, what none could exceed, and where to find what."""
    program, index = build_program(curves.cells, kinds, fractions=fractions, by_size=by_size)
    curves.add(program, index, steps, whole=not fractions)
    solution = solve_whole(program, gap)
    return solution and (*solution, index)


def _count_customers(
    curves: ValueCurves, steps: list[Ints], kinds: list[GroupKind], by_size: frozenset[int], bound: float, gap: float
) -> PlanCounts | None:
    """Count customers in whole numbers."""
    solution = _solve(curves, steps, kinds, gap, by_size=by_size)
    if solution is None:
        return None
    columns, worth, index = solution
    if all(len(ends) == many + 1 for ends, many in zip(steps, curves.cells.customers, strict=True)):
        bound = min(bound, worth * curves.scale)  # each customer is a step: the program knows all plans
    whole = np.rint(columns).astype(np.int64)
    sizes = []
    for kind, groups in zip(kinds, index.groups, strict=True):
        if kind.single:
            opened, size = whole[groups]
            sizes.append(np.append(kind.fixed, size) if opened and size else kind.fixed)
        else:
            sizes.append(np.repeat(kind.sizes, whole[groups]))
    # Rounded up: a bound in floats may be too low by a hair.
    return PlanCounts(whole[index.places], sizes, int(bound * (1 + 1e-9)) + 1)
