"""Constraints that no plan can keep to: what is short by how much, and the smallest change that would help."""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.planning.cells import KEYS, Cells
from segmenter.planning.constraints import layer_bounds, sizes_that_hold
from segmenter.planning.group_kinds import GroupKind, list_group_kinds, list_sizes
from segmenter.planning.linear_program import solve_whole
from segmenter.planning.program import build_program, money_unit
from segmenter.planning.shortage_messages import shortage_messages

Ints = NDArray[np.int64]
# One customer, place or call each; the budget in the mean cost of an invitation. Ties go to what is easiest to change.
PRICES = {"size_min": 1.0, "smallest": 1.05, "size_max": 1.1, "budget": 1.15, "agents": 1.2, "people": 1.25}
SCHEMA = pl.Schema(
    {
        "limit": pl.String(),
        "group": pl.String(),
        "region": pl.String(),
        "topic": pl.String(),
        "reach": pl.String(),
        "layer": pl.String(),
        "amount": pl.Int64(),
    }
)


class InfeasibleError(InputError):
    """No plan keeps to the constraints.

    `short` has ``limit`` (one of `PRICES`), ``group`` (the kind whose smallest size), ``region``, ``topic``, ``reach``, ``layer`` (where
    calls and customers are missing), ``amount`` (customers, places, calls, or minor units): loosened all together by so much, the
    constraints can be kept to. `alone` has the same for one limit at a time, as far as one alone is enough: no smaller amount would do.
    """

    def __init__(self, short: pl.DataFrame, alone: pl.DataFrame, *problems: str) -> None:
        super().__init__(*problems)
        self.short, self.alone = short, alone


def find_shortage(cells: Cells) -> InfeasibleError:
    """Solve the program again with every limit soft, at a price; then with one soft limit at a time."""
    wider = _with_missing(cells)
    together = _solve_soft(wider, tuple(PRICES))
    alone = [found for limit in PRICES if not (found := _solve_soft(wider, (limit,))).is_empty()]
    rows = pl.concat([pl.DataFrame(schema=SCHEMA), *alone])
    return InfeasibleError(together, rows, *shortage_messages(together, rows, cells.constraints.currency))


def _with_missing(cells: Cells) -> Cells:
    """Add cells without customers, where customers could be missing."""
    rows, table = [], cells.table
    for kind in list_group_kinds(cells):
        there = table[kind.cells]
        region = kind.region if kind.region or there.is_empty() else there["region"][0]
        topic = kind.topic if kind.topic or there.is_empty() else there["topic"][0]
        rows += [(region, topic, None, layer, 0) for layer in cells.layers if layer not in there["layer"]]
    table = pl.concat([table, pl.DataFrame(rows, schema=table.schema, orient="row")]).unique(KEYS, keep="first", maintain_order=True)
    starts = np.concatenate([[0], np.cumsum(table["customers"].to_numpy())]).astype(np.int64)
    return replace(cells, table=table, starts=starts)


def _solve_soft(cells: Cells, soft: tuple[str, ...]) -> pl.DataFrame:
    """Solve with soft limits; empty where even so nothing holds."""
    constraints = cells.constraints
    kinds = [replace(kind, max_groups=constraints.groups.max_groups) for kind in list_group_kinds(cells)]
    # As many more as one group takes.
    one = max(constraints.size_min, constraints.groups.min_size) if constraints.size_min and kinds else 0
    spare = one if "people" in soft else 0
    softened = [_allow_smaller(kind, cells) if "smallest" in soft else kind for kind in kinds]
    program, index = build_program(cells, softened, spare=spare)
    program.put(index.taken, program.columns(cells.customers), -1)
    unit = money_unit(constraints)
    found: list[tuple[Ints, tuple[str | None, ...]]] = []

    def soften(limit: str, rows: Ints, factor: float, *where: str | None, price: float = 1.0, most: float = 1e9) -> None:
        column = program.columns(most, -PRICES[limit] * price)
        program.put(rows, column, factor)
        found.append((column, (limit, *where, *[None] * (5 - len(where)))))

    if "size_min" in soft and constraints.size_min:
        soften("size_min", index.total, 1, most=constraints.size_min - 1)  # a launch of nobody is none
    if "size_max" in soft and constraints.size_max is not None:
        soften("size_max", index.total, -1)
    if "budget" in soft and constraints.budget is not None and constraints.costs:
        mean = max(sum(constraints.costs.values()) / len(constraints.costs), 1)
        soften("budget", index.money, -1, price=unit / mean)
    if "agents" in soft and constraints.agents:
        for row, (region, reach) in zip(index.calls, cells.capacity.pairs, strict=True):
            soften("agents", row, -1, None, region, None, reach)
    if "people" in soft:
        for row, keys in zip(index.taken, cells.table.select(KEYS).rows(), strict=True):
            soften("people", row, -1, None, *keys, most=spare)
    if "smallest" in soft:
        for number, kind in enumerate(kinds):
            if number in index.smallest:
                soften("smallest", index.smallest[number], 1, kind.name, most=kind.min_size - 1)
            else:
                row = program.rows(-np.inf, 0)
                program.put(row, index.groups[number], np.maximum(kind.min_size - softened[number].sizes, 0))
                soften("smallest", row, -1, kind.name)
    solution = solve_whole(program)
    if solution is None:
        return pl.DataFrame(schema=SCHEMA)
    columns, _ = solution
    amounts = [(*where, round(columns[column[0]])) for column, where in found]
    # What the budget has beyond whole units is there already.
    rest = (constraints.budget or 0) % unit
    amounts = [(*row[:-1], row[-1] * unit - rest) if row[0] == "budget" and row[-1] else row for row in amounts]
    return pl.DataFrame([row for row in amounts if row[-1]], schema=SCHEMA, orient="row")


def _allow_smaller(kind: GroupKind, cells: Cells) -> GroupKind:
    """Let groups of any size below the smallest be."""
    sizes = np.union1d(list_sizes(1, kind.min_size), kind.sizes)
    low, high = layer_bounds(cells.constraints.quotas, cells.layers, sizes)
    fits = sizes_that_hold(low, high, sizes)
    return replace(kind, sizes=sizes[fits], low=low[fits], high=high[fits])
