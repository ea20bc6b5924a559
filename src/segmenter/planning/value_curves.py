"""The value of the best so many of each cell: a concave curve, of which a program sees chords."""

import numpy as np
from numpy.typing import NDArray

from segmenter.planning.cells import Cells
from segmenter.planning.constraints import Ints
from segmenter.planning.linear_program import LinearProgram
from segmenter.planning.program import ProgramIndex

Floats = NDArray[np.float64]
TIE = 1e-7  # of a mean value: what the first of two equal cells is worth more


class ValueCurves:
    """Value of the best so many of each cell, in units of the mean value. `steps` are, for each cell, where its chords end."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.scale = max(float(cells.totals[-1]) / max(len(cells.order), 1), 1.0)
        # Equal cells differ by a little, so that it is clear who is taken; and customers worth nothing are better than no customers.
        self.bonus = TIE * (2 - np.arange(len(cells.customers)) / max(len(cells.customers), 1))

    def add(self, program: LinearProgram, index: ProgramIndex, steps: list[Ints], whole: bool = True) -> None:
        """Add the columns that take customers from the cells, step by step."""
        cell, first, width = self._steps(steps)
        worth = (self.cells.totals[first + width] - self.cells.totals[first]) / width
        columns = program.columns(width, worth / self.scale + self.bonus[cell], whole)
        program.put(index.taken[cell], columns, -1)
        # Who comes before the first step is taken in any case.
        program.low[0] = program.high[0] = np.array([ends[0] for ends in steps], dtype=np.float64)

    def beyond(self, steps: list[Ints], prices: Floats) -> tuple[list[Ints], float]:
        """Compare customers with steps at the prices of the program.

        Returns who is at the margin, and by how much the program's dual rises when customers take the place of the steps: nothing that
        holds can be worth more than its value and that.
        """
        totals, price = self.cells.totals, (prices - self.bonus) * self.scale
        margin = np.stack([self._count_above(price, strictly=True), self._count_above(price, strictly=False)], axis=1)
        last = self.cells.starts[:-1] + margin[:, 0]
        best = totals[last] - totals[self.cells.starts[:-1]] - price * margin[:, 0]
        cell, first, width = self._steps(steps)
        chords = totals[first + width] - totals[first] - price[cell] * width
        return list(margin), max(float(best.sum() - chords[chords > 0].sum()), 0.0) / self.scale

    def _steps(self, steps: list[Ints]) -> tuple[Ints, Ints, Ints]:
        """Lay out the steps: their cell, where they begin in the order, and how many customers they have."""
        many = [len(ends) - 1 for ends in steps]
        first = np.concatenate(
            [start + ends[:-1] for start, ends in zip(self.cells.starts, steps, strict=False)] or [np.zeros(0, np.int64)]
        )
        width = np.concatenate([np.diff(ends) for ends in steps] or [np.zeros(0, np.int64)])
        return np.repeat(np.arange(len(steps)), many), first, width

    def _count_above(self, price: Floats, *, strictly: bool) -> Ints:
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
