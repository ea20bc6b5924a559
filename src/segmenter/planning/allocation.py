"""Whom to invite into which group: the best that all constraints allow."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from segmenter.planning.cells import Cells, count_cells
from segmenter.planning.constraints import Constraints, Ints, check_amounts
from segmenter.planning.group_balancing import balance_counts, balance_values
from segmenter.planning.group_kinds import GroupKind, kind_numbers, list_group_kinds
from segmenter.planning.not_invited import fill_up
from segmenter.planning.optimum import PlanCounts, find_optimum
from segmenter.planning.shortage import find_shortage


@dataclass(frozen=True)
class Allocation:
    """Who is invited into which group.

    `customers` is the frame with ``invited``, ``rank`` (from 1 among the invited), ``group``, and ``reason``, one of
    `not_invited.REASONS`, where not invited. `groups` has ``group``, ``region``, ``topic``, null where the group takes any. `layers` has
    ``group``, ``layer``, ``people``: every layer of every group, 0 included. At most the share `gap` of the value of the best plan is
    missed, against a bound that counts customers and allows fractions.
    """

    customers: pl.DataFrame
    groups: pl.DataFrame
    layers: pl.DataFrame
    gap: float


def allocate(frame: pl.DataFrame, constraints: Constraints) -> Allocation:
    """Choose whom to invite, and form the groups; an `InfeasibleError` says what is short where no plan keeps to the constraints.

    One integer program counts how many of each region, topic and layer go into groups of each kind; the most valuable of them are taken,
    ties by score and then by customer id; groups of a kind are made equally strong. The order of the rows does not matter. The frame has
    ``customer_id``, ``region``, ``topic`` (both may be null), ``layer``, ``score``, ``value`` (Int64 ≥ 0, what is to be maximised), and
    ``reach`` where there are agents.
    """
    check_amounts(constraints)
    cells = count_cells(frame, constraints)
    kinds = list_group_kinds(cells)
    by_size: frozenset[int] = frozenset()
    while True:
        counts = find_optimum(cells, kinds, by_size)
        if counts is None:
            raise find_shortage(cells)
        groups, unbalanced = _make_groups(cells, kinds, counts)
        if not unbalanced - by_size:
            break
        by_size |= unbalanced
    reasons, taken, groups = fill_up(cells, kinds, counts.taken, groups)
    members = _choose_members(frame, cells, kinds, taken, groups)
    gap = max(1 - int(members["value"].sum()) / counts.bound, 0.0) if counts.bound else 0.0
    named = [
        (f"{kind.name}-{number + 1}", kind.region, kind.topic)
        for kind, rows in zip(kinds, groups, strict=True)
        for number in range(len(rows))
    ]
    by_group = pl.DataFrame(named, schema=dict.fromkeys(("group", "region", "topic"), pl.String), orient="row")
    by_layer = pl.DataFrame(
        {
            "group": [name for name, *_ in named for _ in cells.layers],
            "layer": cells.layers * len(named),
            "people": np.concatenate([np.zeros(0, dtype=np.int64), *(rows.ravel() for rows in groups)]),
        },
        schema={"group": pl.String, "layer": pl.String, "people": pl.Int64},
    )
    invitations = members.select("row", by_group["group"].gather(members["number"]), invited=True).with_row_index("rank", 1)
    cell = np.zeros(frame.height, dtype=np.int64)
    cell[cells.order] = np.repeat(np.arange(len(taken)), cells.customers)
    customers = (
        frame.with_row_index("row")
        .join(invitations, on="row", how="left", maintain_order="left")
        .with_columns(
            pl.col("invited").fill_null(value=False),
            pl.col("rank").cast(pl.Int32),
            pl.when(pl.col("rank").is_null()).then(pl.Series(reasons, dtype=pl.String).gather(cell)).alias("reason"),
        )
    )
    return Allocation(customers.drop("row"), by_group, by_layer, gap)


def _make_groups(cells: Cells, kinds: list[GroupKind], counts: PlanCounts) -> tuple[list[Ints], frozenset[int]]:
    """Count the layers (columns) of the groups (rows) of each kind; and name the kinds of which no groups can be made."""
    layers, quotas = cells.layers, cells.constraints.quotas
    groups, unbalanced = [], set()
    for number, (kind, sizes) in enumerate(zip(kinds, counts.sizes, strict=True)):
        customers = np.bincount(cells.layer_of[kind.cells], weights=counts.taken[kind.cells], minlength=len(layers)).astype(np.int64)
        found: Ints | None = np.zeros((0, len(layers)), dtype=np.int64)
        if len(sizes):
            found = balance_counts(customers, _fewest_groups(kind, sizes), quotas, layers)
            found = balance_counts(customers, sizes, quotas, layers) if found is None else found
        if found is None:
            unbalanced.add(number)
            found = np.zeros((0, len(layers)), dtype=np.int64)
        groups.append(found)
    return groups, frozenset(unbalanced)


def _fewest_groups(kind: GroupKind, sizes: Ints) -> Ints:
    """Make as few groups of like size as hold the customers: how many groups there are is all the same to the program."""
    customers = int(sizes.sum())
    many = max(-(-customers // kind.max_size), kind.min_groups)
    base, over = divmod(customers, many)
    return np.repeat([base, base + 1], [many - over, over])


def _choose_members(frame: pl.DataFrame, cells: Cells, kinds: list[GroupKind], taken: Ints, groups: list[Ints]) -> pl.DataFrame:
    """Take the best of each cell, by rank, and give them groups: ``row``, ``value``, ``number`` of the group among all."""
    cell_of = np.repeat(np.arange(len(taken)), cells.customers)
    values = frame["value"].cast(pl.Int64).to_numpy()[cells.order]
    # All of the last one's value: ties are decided below.
    last = np.where(taken > 0, values[cells.starts[:-1] + taken - 1], values.max(initial=0) + 1)
    likely = np.flatnonzero(values >= last[cell_of])
    members = (
        frame[cells.order[likely]]
        .select("customer_id", "score", "value")
        .with_columns(pl.Series("row", cells.order[likely], dtype=pl.UInt32), pl.Series("cell", cell_of[likely]))
        .sort("value", "score", "customer_id", descending=[True, True, False], nulls_last=True)
    )
    place = members.select(pl.int_range(pl.len()).over("cell")).to_series().to_numpy()
    members = members.filter(place < taken[members["cell"].to_numpy()])
    cell, worth = members["cell"].to_numpy(), members["value"].cast(pl.Int64).to_numpy()
    number = np.zeros(members.height, dtype=np.int64)
    layers = len(cells.layers)
    part = kind_numbers(cells, kinds)[cell] * layers + cells.layer_of[cell]
    order = np.argsort(part, kind="stable")
    parts = np.split(order, np.searchsorted(part[order], np.arange(1, len(kinds) * layers)))
    before = 0
    for first, counts in enumerate(groups):
        own = parts[first * layers : (first + 1) * layers]
        for places, where in zip(own, balance_values(counts, [worth[places] for places in own]), strict=True):
            number[places] = before + where
        before += len(counts)
    return members.with_columns(number=pl.Series(number, dtype=pl.Int64))
