"""A linear program as it is written down, and its solution in fractions or in whole numbers by HiGHS."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NODES = 500  # of branch and bound; a limit of time would make the plan depend on the machine
INFEASIBLE = 2  # SciPy's word for it
# HiGHS's presolve (1.12, in SciPy 1.17; its issue 3090 is alike) calls some of these programs infeasible that are not, and worse plans
# optimal. Without it they are solved right, and as fast.
SAFE = {"presolve": False}


@dataclass
class LinearProgram:
    """Columns and rows as they are added: gain as much as possible, with every row between its bounds."""

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

    def copy(self) -> "LinearProgram":
        """Give a program to which more can be added."""
        return LinearProgram(
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


def solve_relaxed(program: LinearProgram, rows: Ints) -> tuple[float, Floats, Floats] | None:
    """Solve with fractions: what is gained, the price of one more in each of some rows, and the columns; None where nothing holds.

    The rows asked for must be equalities.
    """
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    if not program.width:
        return (0.0, np.zeros(len(rows)), np.zeros(0)) if _holds(program) else None
    low, high, most = program.bounds()
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


def solve_whole(program: LinearProgram, gap: float = 0.0) -> tuple[Floats, float] | None:
    """Solve in whole numbers, to a share of what could be gained: the columns, and what none could exceed; None where nothing holds."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    if not program.width:
        return (np.zeros(0), 0.0) if _holds(program) else None
    low, high, most = program.bounds()
    limits, rows = Bounds(np.zeros(len(most)), most), LinearConstraint(program.matrix(), low, high)
    aim, whole = -np.concatenate(program.gain), np.concatenate(program.whole)
    found = milp(aim, integrality=whole, bounds=limits, constraints=rows, options={"mip_rel_gap": gap, "node_limit": NODES, **SAFE})
    if found.x is None and found.status != INFEASIBLE:
        # Whether anything holds must be known, however long it takes: the first plan found will do.
        found = milp(aim, integrality=whole, bounds=limits, constraints=rows, options={"mip_rel_gap": np.inf, **SAFE})
    return None if found.x is None else (np.asarray(found.x), -float(found.mip_dual_bound))


def _holds(program: LinearProgram) -> bool:
    """Say whether a program without columns holds."""
    return all((low <= 0).all() and (high >= 0).all() for low, high in zip(program.low, program.high, strict=True))
