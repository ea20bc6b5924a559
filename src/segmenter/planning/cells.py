"""Customers who differ in nothing but their value, counted together; and what a plan of them must keep to."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.money import LARGEST
from segmenter.planning.agents import CallCapacity
from segmenter.planning.constraints import Constraints, Ints

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
    keys = [(pl.col(key) if key in frame.columns else pl.lit(None)).cast(pl.String).alias(key) for key in KEYS]
    table = (
        frame.select(*keys, "value")
        .with_row_index("row")
        .sort("value", descending=True, maintain_order=True)
        .group_by(KEYS)
        .agg("row", pl.len().cast(pl.Int64).alias("customers"))
        .sort(KEYS, nulls_last=True)
    )
    order = table["row"].explode(empty_as_null=False).cast(pl.Int64).to_numpy()
    starts, totals = (np.concatenate([[0], numbers.cum_sum()]) for numbers in (table["customers"], frame["value"].cast(pl.Int64)[order]))
    return Cells(table.drop("row"), order, starts, totals, constraints)
