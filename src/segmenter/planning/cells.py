"""Customers who differ in nothing but their value, counted together; and what a plan of them must keep to."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.money import LARGEST
from segmenter.planning.agent_calls import CallCapacity
from segmenter.planning.constraints import Constraints

Ints = NDArray[np.int64]
KEYS = ["region", "topic", "reach", "layer"]


@dataclass(frozen=True)
class Cells:
    """The customers of one region, topic, reach and layer make a cell; in each, the most valuable are taken first.

    `table` has one row per cell, sorted: the `KEYS` and ``customers``. `order` has the rows of the frame, cell by cell, the most valuable
    first; `starts` (one longer than the cells) says where each cell begins in it, and `totals` (one longer than the customers) has the
    value of all before. A plan of them keeps to the `constraints`.
    """

    table: pl.DataFrame
    order: Ints
    starts: Ints
    totals: Ints
    constraints: Constraints

    @cached_property
    def customers(self) -> Ints:
        """How many each cell has."""
        return np.asarray(np.diff(self.starts))

    @cached_property
    def layers(self) -> list[str]:
        """All layers, sorted, those of quotas that nobody is of included."""
        return sorted({*self.table["layer"], *(quota.layer for quota in self.constraints.quotas)})

    @cached_property
    def layer_of(self) -> Ints:
        """Which of the layers each cell is of."""
        return np.array([self.layers.index(layer) for layer in self.table["layer"]], dtype=np.int64)

    @cached_property
    def costs(self) -> Ints:
        """Cost of inviting one of each cell, in minor units."""
        return np.array([self.constraints.costs.get(layer, 0) for layer in self.table["layer"]], dtype=np.int64)

    @cached_property
    def capacity(self) -> CallCapacity:
        """What the agents can call."""
        return CallCapacity(self.table, self.constraints.agents)

    def value(self, taken: Ints) -> Ints:
        """Value of the best so many of each cell."""
        return np.asarray(self.totals[self.starts[:-1] + taken] - self.totals[self.starts[:-1]])


def count_cells(frame: pl.DataFrame, constraints: Constraints) -> Cells:
    """Count customers by cell; the cells do not depend on the order of the rows, customers of the same value are in no order yet.

    The frame has ``region``, ``topic``, ``layer`` (no null), ``value`` (Int64 ≥ 0, no null), and ``reach`` where there are agents.
    """
    if isinstance(highest := frame["value"].max(), int) and highest > LARGEST:
        sentence = "allocation: values should be at most {largest:,} minor units (got {highest:,})"
        raise InputError(Message("planning.value_too_large", sentence, largest=LARGEST, highest=highest))
    code = np.zeros(frame.height, dtype=np.int64)
    levels: list[list[str | None]] = []
    for key in KEYS:
        nothing = pl.Series(key, [None], dtype=pl.String)
        column = frame[key].cast(pl.String) if key in frame.columns else nothing.new_from_index(0, frame.height)
        names = column.unique().drop_nulls().sort()
        # Nulls come last.
        codes = column.cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(len(names)).to_numpy()
        levels.append([*names.to_list(), None])
        code = code * (len(names) + 1) + codes
    found, cell, customers = np.unique(code, return_inverse=True, return_counts=True) if len(code) < 2**16 else _count(code, levels)
    values = frame["value"].cast(pl.Int64).to_numpy()
    # One number to sort by: LARGEST has 40 bits.
    order = ((cell.astype(np.int64) << 40) + (LARGEST - values)).argsort(kind="stable")
    table: dict[str, list[str | None]] = {}
    rest = found
    for key, level in zip(reversed(KEYS), reversed(levels), strict=True):
        table[key] = [level[number] for number in rest % len(level)]
        rest = rest // len(level)
    columns = pl.DataFrame(table, schema=dict.fromkeys(reversed(KEYS), pl.String)).select(KEYS)
    starts, totals = np.zeros(len(found) + 1, dtype=np.int64), np.zeros(frame.height + 1, dtype=np.int64)
    np.cumsum(customers, out=starts[1:])
    np.cumsum(values[order], out=totals[1:])
    return Cells(columns.with_columns(pl.Series("customers", customers, dtype=pl.Int64)), order, starts, totals, constraints)


def _count(code: Ints, levels: list[list[str | None]]) -> tuple[Ints, Ints, Ints]:
    """Count as `np.unique` does, without sorting the customers where there are few different codes."""
    most = int(np.prod([len(names) for names in levels]))
    if most > 4 * len(code):
        return np.unique(code, return_inverse=True, return_counts=True)
    counts = np.bincount(code, minlength=most)
    found = np.flatnonzero(counts)
    place = np.zeros(most, dtype=np.int64)
    place[found] = np.arange(len(found))
    return found, place[code], counts[found]
