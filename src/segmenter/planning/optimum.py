"""The best plan by counts, and how much better any plan could be."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segmenter.planning.cells import Cells, Kind
from segmenter.planning.constraints import GroupsBy, Terms
from segmenter.planning.program import Parts, Program, constrain, relaxed, single, solved

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
CLOSE = 1e-5  # of the value: what counts as no gap between steps and persons
ENOUGH = 1e-5  # of the value: the last bit takes as long as all the rest where customers are many
ROUGH = 2e-4  # of the value: where groups open; people are counted again after that
FAR = 3e-3  # of the value below the bound: where a slower search is worth its time
ROUNDS = 6  # of fractional programs
FIRST = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.6])  # of a cell: where its first steps end
AROUND = np.array([-64, -16, -4, -1, 0, 1, 4, 16, 64])  # people beside the margin: where its last steps end
WHOLE = 2_000  # customers of whom each may be a step
ROUND = 10  # people
DIVES = 6  # fractional programs while numbers of groups are rounded
TIE = 1e-7  # of a mean value: what the first of two equal cells is worth more


@dataclass(frozen=True)
class Counts:
    """How many go where.

    Parameters
    ----------
    cell, kind, people : ndarray of int of shape (places,)
        So many of this cell go into groups of this kind.
    sizes : list of ndarray of int
        For each kind, the sizes of its groups, which may be dealt in another way.
    bound : int
        Value that no plan can exceed, minor units.
    """

    cell: Ints
    kind: Ints
    people: Ints
    sizes: list[Ints]
    bound: int

    def taken(self, cells: Cells) -> Ints:
        """How many of each cell."""
        return np.bincount(self.cell, weights=self.people, minlength=len(cells.people)).astype(np.int64)

    def value(self, cells: Cells) -> int:
        """Value of them all, minor units."""
        return int(cells.value(self.taken(cells)).sum())


def optimum(cells: Cells, kinds: list[Kind], terms: Terms, apart: frozenset[int] = frozenset()) -> Counts | None:
    """Find the plan of the greatest value.

    A cell's value is a concave curve of the number taken, as the best are taken first. A program sees chords of it, exact where a step is
    one person. Fractional programs, each with steps where the prices of the last one cut the curves (Kelley's cutting planes), find the
    margin and what no plan can exceed; the next opens groups in whole numbers; the last counts people, in single steps beside the margin.
    Few customers are single steps throughout, and one program decides it all.

    Parameters
    ----------
    cells : Cells
        The customers.
    kinds : list of Kind
        The kinds of groups.
    terms : Terms
        All else to keep to.
    apart : frozenset of int
        See `program.constrain`.

    Returns
    -------
    Counts or None
        None where no plan keeps to the terms.

    Examples
    --------
    >>> import polars as pl
    >>> from segmenter.planning.cells import count, kinds_of
    >>> from segmenter.planning.constraints import GroupsBy
    >>> cells = count(pl.DataFrame({"region": "川", "topic": "茶", "layer": ["a", "a", "b"], "value": [5, 1, 3]}))
    >>> terms = Terms(GroupsBy(True, False, 1, 2, 1))
    >>> counts = optimum(cells, kinds_of(cells, terms, "en"), terms)
    >>> counts.people.tolist(), counts.bound
    ([1, 1], 9)
    """
    curves = Curves(cells)
    few = len(cells.order) <= WHOLE
    steps = [np.arange(many + 1) if few else np.unique(np.r_[0, many, (FIRST * many).astype(np.int64)]) for many in cells.people]
    bound = np.inf
    base, parts = constrain(cells, kinds, terms)
    for _ in range(ROUNDS):
        program = base.copy()
        curves.add(program, parts, steps)
        found = relaxed(program, parts.taken)
        if found is None:
            return None
        worth, prices, columns = found
        margin, missing = curves.beyond(steps, prices)
        bound = min(bound, (worth + missing) * curves.scale)
        if few or missing <= CLOSE * worth:
            break
        steps = [np.union1d(ends, at) for ends, at in zip(steps, margin, strict=True)]
    best = None
    if not few and not apart:
        for open_ in (_rounded, _opened):
            likely = open_(curves, steps, kinds, terms, [columns[numbers] for numbers in parts.groups])
            sized = likely and _sized(curves, steps, likely, terms)
            if sized:
                near = [
                    np.unique(np.clip(np.add.outer([*at, many], AROUND), 0, people))
                    for at, many, people in zip(margin, sized[1], cells.people, strict=True)
                ]
                counts = _counted(curves, near, sized[0], terms, apart, bound, ENOUGH)
                best = max((each for each in (best, counts) if each), key=lambda each: each.value(cells), default=None)
            if best and best.value(cells) >= (1 - FAR) * bound:
                break
    return best or _counted(curves, steps, kinds, terms, apart, bound, 0 if few else ENOUGH)


class Curves:
    """Value of the best so many of each cell, in units of the mean value.

    Parameters
    ----------
    cells : Cells
        The customers.
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.scale = max(float(cells.totals[-1]) / max(len(cells.order), 1), 1.0)
        # Equal cells differ by a little, so that it is clear who is taken; and people worth nothing are better than no people.
        self.bonus = TIE * (2 - np.arange(len(cells.people)) / max(len(cells.people), 1))

    def add(self, program: Program, parts: Parts, steps: list[Ints], whole: bool = True) -> None:
        """Add the columns that take people from the cells, step by step."""
        cell, first, width = self._steps(steps)
        worth = (self.cells.totals[first + width] - self.cells.totals[first]) / width
        columns = program.columns(width, worth / self.scale + self.bonus[cell], whole)
        program.put(parts.taken[cell], columns, -1)
        # Who comes before the first step is taken in any case.
        program.low[0] = program.high[0] = np.array([ends[0] for ends in steps], dtype=np.float64)

    def beyond(self, steps: list[Ints], prices: Floats) -> tuple[list[Ints], float]:
        """Compare persons with steps at the prices of the program.

        Returns who is at the margin, and by how much the program's dual rises when persons take the place of the steps: nothing that
        holds can be worth more than its value and that.
        """
        totals, price = self.cells.totals, (prices - self.bonus) * self.scale
        margin = np.stack([self._passed(price, strictly=True), self._passed(price, strictly=False)], axis=1)
        at = self.cells.starts[:-1] + margin[:, 0]
        best = totals[at] - totals[self.cells.starts[:-1]] - price * margin[:, 0]
        cell, first, width = self._steps(steps)
        chords = totals[first + width] - totals[first] - price[cell] * width
        return list(margin), max(float(best.sum() - chords[chords > 0].sum()), 0.0) / self.scale

    def _steps(self, steps: list[Ints]) -> tuple[Ints, Ints, Ints]:
        """Lay out the steps: their cell, where they begin in the order, and how many people they have."""
        many = [len(ends) - 1 for ends in steps]
        first = np.concatenate(
            [start + ends[:-1] for start, ends in zip(self.cells.starts, steps, strict=False)] or [np.zeros(0, np.int64)]
        )
        width = np.concatenate([np.diff(ends) for ends in steps] or [np.zeros(0, np.int64)])
        return np.repeat(np.arange(len(steps)), many), first, width

    def _passed(self, price: Floats, *, strictly: bool) -> Ints:
        """Count who is worth more than the price of their cell, by bisection in all cells at once: values fall."""
        totals, starts = self.cells.totals, self.cells.starts
        low, high = starts[:-1].copy(), starts[1:].copy()
        while (open_ := low < high).any():
            middle = (low + high) // 2
            worth = totals[np.minimum(middle + 1, len(totals) - 1)] - totals[middle]
            more = open_ & (worth > price if strictly else worth >= price)
            low = np.where(more, middle + 1, low)
            high = np.where(open_ & ~more, middle, high)
        return low - starts[:-1]


def _rounded(curves: Curves, steps: list[Ints], kinds: list[Kind], terms: Terms, numbers: list[Floats]) -> list[Kind] | None:
    """Round the numbers of groups, the nearest to whole ones first, and solve again for the others; one size of each kind stays open."""
    left = list(range(len(kinds)))
    most = terms.groups.most if isinstance(terms.groups, GroupsBy) else np.inf
    for dive in range(DIVES, 0, -1):
        whole, off = zip(*(_whole(kind, many) for kind, many in zip(kinds, numbers, strict=True)), strict=True)
        left.sort(key=lambda at: off[at])
        many = -(-len(left) // dive)
        now, left = left[:many], left[many:]
        kinds = [replace(kind, least=whole[at], most=whole[at]) if at in now else kind for at, kind in enumerate(kinds)]
        if sum(kind.least for kind in kinds) > most:
            return None
        program, parts = constrain(curves.cells, kinds, terms)
        curves.add(program, parts, steps)
        found = relaxed(program, parts.taken)
        if found is None:
            return None
        numbers = [found[2][columns] for columns in parts.groups]
    return [_floored(kind, many) for kind, many in zip(kinds, numbers, strict=True)]


def _whole(kind: Kind, numbers: Floats) -> tuple[int, float]:
    """Round a number of groups to one that the people can fill, and say how far off it was where there is none."""
    # Single kinds have a column for the number of groups and one for their people.
    groups = float(numbers[0] if single(kind) else numbers.sum())
    people = float(numbers[1] if single(kind) else kind.sizes @ numbers)
    low, high = int(np.ceil(people / kind.largest - 1e-6)), int(np.floor(people / kind.smallest + 1e-6))
    whole = min(max(round(groups), low), high) if low <= high else round(groups)
    whole = min(max(whole, kind.least), max(kind.most, kind.least))
    return whole, 0.0 if low <= whole <= high else abs(groups - whole)


def _floored(kind: Kind, numbers: Floats) -> Kind:
    groups = kind.most
    last = min(groups, 1)
    if single(kind):
        return replace(kind, least=last, most=last)
    whole = np.floor(numbers + 1e-6).astype(np.int64)
    # The smaller ones first: what they take is there.
    order = sorted(np.flatnonzero(numbers > 1e-6).tolist(), key=lambda at: kind.sizes[at])
    whole[order[: max(groups - last - int(whole.sum()), 0)]] += 1
    fixed = np.append(np.repeat(kind.sizes, whole), np.repeat(kind.sizes[:1], groups))[: groups - last]
    people = float(kind.sizes @ numbers)
    if last and not people - kind.largest <= fixed.sum() <= people - kind.smallest:
        fixed = _round_sizes(kind, groups, people)
    return replace(kind, least=last, most=last, fixed=fixed)


def _round_sizes(kind: Kind, groups: int, people: float) -> Ints:
    """Choose sizes of all groups but one near the mean, and round, as shares of round numbers leave no rest."""
    mean = people / groups
    step = ROUND if kind.largest - kind.smallest >= 2 * ROUND else 1
    base = int(np.clip(mean // step * step, kind.sizes[0], kind.largest))
    larger = min(base + step, kind.largest)
    over = round((people - mean - (groups - 1) * base) / max(larger - base, 1))
    over = min(max(over, 0), groups - 1)
    return np.array([base] * (groups - 1 - over) + [larger] * over, dtype=np.int64)


def _opened(curves: Curves, steps: list[Ints], kinds: list[Kind], terms: Terms, numbers: list[Floats]) -> list[Kind] | None:
    """Open groups in whole numbers, of sizes that the fractional program makes use of: slower, and better where groups are small."""
    narrow = [_used(kind, many) for kind, many in zip(kinds, numbers, strict=True)]
    program, parts = constrain(curves.cells, narrow, terms, broken=True)
    curves.add(program, parts, steps, whole=False)
    columns = solved(program, ROUGH)
    if columns is None:
        return None
    opened = []
    for kind, places in zip(narrow, parts.groups, strict=True):
        many = np.rint(columns[places]).astype(np.int64)
        sizes = np.zeros(many[0], dtype=np.int64) if single(kind) else np.repeat(kind.sizes, many)
        last = min(len(sizes), 1)
        opened.append(replace(kind, least=last, most=last, fixed=sizes[last:]))
    return opened


def _used(kind: Kind, numbers: Floats) -> Kind:
    if single(kind):
        return kind
    used = numbers > 1e-9
    used[[0, -1]] = True
    return replace(kind, sizes=kind.sizes[used], low=kind.low[used], high=kind.high[used])


def _sized(curves: Curves, steps: list[Ints], kinds: list[Kind], terms: Terms) -> tuple[list[Kind], Ints] | None:
    """Choose the last group of each kind; people may be fractions yet."""
    program, parts = constrain(curves.cells, kinds, terms, broken=True)
    curves.add(program, parts, steps, whole=False)
    columns = solved(program, ROUGH)
    if columns is None:
        return None
    sized = []
    for kind, (opened, size) in zip(kinds, parts.groups, strict=True):
        last = [round(columns[size])] if round(columns[opened]) else []
        sized.append(replace(kind, least=0, most=0, fixed=np.append(kind.fixed, last).astype(np.int64)))
    taken = np.bincount(parts.cell, weights=columns[parts.places], minlength=len(curves.cells.people))
    return sized, taken.astype(np.int64)


def _counted(
    curves: Curves, steps: list[Ints], kinds: list[Kind], terms: Terms, apart: frozenset[int], bound: float, gap: float = 0
) -> Counts | None:
    """Count people in whole numbers."""
    program, parts = constrain(curves.cells, kinds, terms, apart=apart)
    curves.add(program, parts, steps)
    columns = solved(program, gap)
    if columns is None:
        return None
    whole = np.rint(columns).astype(np.int64)
    sizes = []
    for kind, numbers in zip(kinds, parts.groups, strict=True):
        if single(kind):
            opened, size = whole[numbers]
            sizes.append(np.append(kind.fixed, size) if opened and size else kind.fixed)
        else:
            sizes.append(np.repeat(kind.sizes, whole[numbers]))
    # Rounded up: a bound in floats may be too low by a hair.
    return Counts(parts.cell, parts.kind, whole[parts.places], sizes, int(bound * (1 + 1e-9)) + 1)
