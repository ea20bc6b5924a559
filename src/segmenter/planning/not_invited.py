"""Why somebody who may be invited is not: the limit that one more of their cell would break."""

import numpy as np

from segmenter.planning.cells import Cells
from segmenter.planning.constraints import Ints, layer_bounds, sizes_that_hold
from segmenter.planning.group_kinds import GroupKind, kind_numbers

# From the nearest to the farthest limit; where several hold somebody back, the first is given.
REASONS = ("group_too_small", "groups", "agents", "group_full", "layer_full", "size", "budget", "together")


def fill_up(cells: Cells, kinds: list[GroupKind], taken: Ints, groups: list[Ints]) -> tuple[list[str | None], Ints, list[Ints]]:
    """Find for each cell the limit that holds back its next customer; and invite the customer where there is none.

    A plan is how many are taken of each cell, and for each kind how many of each layer (columns) are in each group (rows). Returned are
    one of `REASONS` for each cell, None where all are invited, and the plan, to which nobody can be added.
    """
    plan = _Plan(cells, kinds, taken, groups)
    reasons: list[str | None] = [None] * len(cells.customers)
    cell = 0
    while cell < len(reasons):
        invited = plan.taken[cell] == cells.customers[cell]
        reasons[cell] = None if invited else plan.add(cell)
        # From the start where one was added: what is left has changed.
        cell = cell + 1 if invited or reasons[cell] else 0
    return reasons, plan.taken, plan.groups


class _Plan:
    """A plan and what is left of its limits."""

    def __init__(self, cells: Cells, kinds: list[GroupKind], taken: Ints, groups: list[Ints]) -> None:
        self.cells, self.kinds, self.kind_of = cells, kinds, kind_numbers(cells, kinds)
        self.taken, self.groups = taken.copy(), [counts.copy() for counts in groups]
        self._count_left()

    def _count_left(self) -> None:
        """Count what is left of the budget and the size, and forget what was found of kinds and agents."""
        limits = self.cells.constraints
        self.money = np.inf if limits.budget is None else limits.budget - int(self.cells.costs @ self.taken)
        self.places = np.inf if limits.size_max is None else limits.size_max - int(self.taken.sum())
        self.closed: dict[int, str] = {}
        self.reachable: dict[int, bool] = {}

    def add(self, cell: int) -> str | None:
        """Add one more of a cell; or say what speaks against that."""
        number, pair, layer = int(self.kind_of[cell]), int(self.cells.capacity.pair_of[cell]), self.cells.layer_of[cell]
        counts = self.groups[number]
        if not len(counts):
            if number not in self.closed:
                self.closed[number] = self._why_closed(self.kinds[number])
            return self.closed[number]
        if pair not in self.reachable:
            one = np.eye(1, len(self.cells.capacity.pairs), pair, dtype=np.int64)[0]
            self.reachable[pair] = self.cells.capacity.free(self.taken, one) > 0
        if not self.reachable[pair]:
            return "agents"
        free = np.flatnonzero(counts.sum(axis=1) < self.kinds[number].max_size)
        if not len(free):
            return "group_full"
        fitting = self._fitting(counts[free], layer)
        if not len(fitting):
            return "layer_full"
        if self.places < 1:
            return "size"
        if self.money < self.cells.costs[cell]:
            return "budget"
        counts[free[fitting[0]], layer] += 1
        self.taken[cell] += 1
        self._count_left()
        return None

    def _fitting(self, counts: Ints, layer: int) -> Ints:
        """Find groups that hold all shares with one more of a layer."""
        more = counts.copy()
        more[:, layer] += 1
        low, high = layer_bounds(self.cells.constraints.quotas, self.cells.layers, more.sum(axis=1))
        return np.flatnonzero(((low <= more) & (more <= high)).all(axis=1))

    def _why_closed(self, kind: GroupKind) -> str:
        """Find why no group of a kind is open."""
        limits = self.cells.constraints
        left = (self.cells.customers - self.taken)[kind.cells]
        there = np.bincount(self.cells.layer_of[kind.cells], weights=left, minlength=len(self.cells.layers)).astype(np.int64)
        sizes = np.arange(kind.min_size, min(kind.max_size, int(left.sum())) + 1)
        low, high = layer_bounds(limits.quotas, self.cells.layers, sizes)
        high = np.minimum(high, there)
        fits = sizes_that_hold(low, high, sizes)
        if not fits.any():
            return "group_too_small"
        smallest = int(sizes[fits][0])
        if sum(len(counts) for counts in self.groups) >= limits.groups.max_groups:
            return "groups"
        wanted = np.bincount(self.cells.capacity.pair_of[kind.cells], weights=left, minlength=len(self.cells.capacity.pairs)).astype(
            np.int64
        )
        if self.cells.capacity.free(self.taken, wanted) < smallest:
            return "agents"
        if self.places < smallest:
            return "size"
        price = np.array([limits.costs.get(layer, 0) for layer in self.cells.layers], dtype=np.int64)
        cheap = price.argsort(kind="stable")
        # The cheapest group of each size: what every layer needs, and then the cheapest layers.
        rest = (sizes - low.sum(axis=1))[fits, None] - np.cumsum(np.pad((high - low)[fits][:, cheap], ((0, 0), (1, 0))), axis=1)[:, :-1]
        customers = low[fits][:, cheap] + np.clip(rest, 0, (high - low)[fits][:, cheap])
        return "budget" if (customers @ price[cheap]).min() > self.money else "together"
