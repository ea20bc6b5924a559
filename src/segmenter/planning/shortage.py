"""Constraints that no plan can keep to: what is short by how much, and the smallest change that would help."""

from dataclasses import replace
from functools import reduce

import numpy as np
import polars as pl

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.money import digits
from segmenter.planning.call_messages import NO_REGION, region_count
from segmenter.planning.cells import KEYS, Cells
from segmenter.planning.constraints import Ints, layer_bounds, sizes_that_hold
from segmenter.planning.group_kinds import GroupKind, list_group_kinds, list_sizes
from segmenter.planning.linear_program import solve_whole
from segmenter.planning.program import build_program, money_unit

# One customer, place or call each; the budget in the mean cost of an invitation. Ties go to what is easiest to change.
PRICES = {"size_min": 1.0, "smallest": 1.05, "size_max": 1.1, "budget": 1.15, "agents": 1.2, "people": 1.25}
MOST_REGIONS = 5  # that are named
SCHEMA = dict.fromkeys(("limit", "group", "region", "topic", "reach", "layer"), pl.String()) | {"amount": pl.Int64()}


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
    return InfeasibleError(together, rows, *_messages(together, rows, cells.constraints.currency))


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


def _messages(together: pl.DataFrame, alone: pl.DataFrame, currency: str) -> list[Message]:
    """Say what is short, and which single changes would do; for the frames see `InfeasibleError`."""
    calls = _by_region(together)
    short = tuple(
        _lack(limit, layer, amount, currency, calls)
        for limit, layer, amount in together.group_by("limit", "layer", maintain_order=True).agg(pl.col("amount").sum()).rows()
    )
    messages = [Message("planning.infeasible", "plan: no plan keeps to the terms: {short}", short=short)]
    if not alone.is_empty():
        calls = _by_region(alone)
        sums = alone.group_by("limit", maintain_order=True).agg(pl.col("amount").sum()).rows()
        ways = reduce(
            lambda one, other: Message("planning.either", "{one}, or {other}", one=one, other=other),
            [_change(limit, amount, currency, calls) for limit, amount in sums],
        )
        messages.append(Message("planning.one_change", "plan: any one of these would do: {ways}", ways=ways))
    elif together["limit"].n_unique() > 1:
        messages.append(Message("planning.all_changes", "plan: no single change is enough: all of these are"))
    return messages


def _by_region(rows: pl.DataFrame) -> tuple[str, ...]:
    """Say of which regions calls are short, the most first."""
    calls = rows.filter(limit="agents").sort("amount", descending=True, maintain_order=True)
    named = [region_count(region or NO_REGION, amount) for region, amount in calls.select("region", "amount").rows()]
    return (*named[:MOST_REGIONS], *(["…"] if len(named) > MOST_REGIONS else []))


def _units(amount: int, currency: str) -> int:
    # Up, as a unit less would not do.
    return -(-amount // int(10 ** digits(currency)))


def _lack(limit: str, layer: str | None, amount: int, currency: str, calls: tuple[str, ...]) -> Message:
    facts = {"amount": amount, "s": "" if amount == 1 else "s"}
    match limit:
        case "size_min":
            return Message("planning.lack_size_min", "{amount:,} place{s} under the smallest size of the launch", **facts)
        case "size_max":
            return Message("planning.lack_size_max", "{amount:,} place{s} over the largest size of the launch", **facts)
        case "smallest":
            return Message("planning.lack_smallest", "{amount:,} place{s} under the smallest size of groups", **facts)
        case "budget":
            return Message("planning.lack_budget", "{amount:,} {currency} over budget", amount=_units(amount, currency), currency=currency)
        case "agents":
            return Message("planning.lack_agents", "{amount:,} call{s} short ({calls})", **facts, calls=calls)
        case _:
            return Message("planning.lack_people", "{amount:,} of layer {layer} short", amount=amount, layer=layer)


def _change(limit: str, amount: int, currency: str, calls: tuple[str, ...]) -> Message:
    facts = {"amount": amount, "s": "" if amount == 1 else "s", "people": "person" if amount == 1 else "people"}
    match limit:
        case "size_min":
            return Message("planning.change_size_min", "ask for {amount:,} {people} fewer (plan.size)", **facts)
        case "size_max":
            return Message("planning.change_size_max", "allow {amount:,} {people} more (plan.size)", **facts)
        case "smallest":
            return Message("planning.change_smallest", "allow groups to be smaller, by {amount:,} in all (plan.smallest)", **facts)
        case "budget":
            amount = _units(amount, currency)
            return Message(
                "planning.change_budget", "add {amount:,} {currency} to the budget (plan.budget)", amount=amount, currency=currency
            )
        case "agents":
            return Message("planning.change_agents", "add {amount:,} call{s} ({calls}; plan.agents)", **facts, calls=calls)
        case _:
            return Message("planning.change_people", "find {amount:,} more eligible customer{s}", **facts)
