"""Runs as compiled loops read them: their narrow columns, as they lie on disk. Imports Numba."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmenter.measures.arrow_columns import Array, record
from segmenter.measures.order_runs import SECOND, Run
from segmenter.measures.raw_memory import jit, load, load_byte, load_int, load_short
from segmenter.tables import DAY, LEVELS

_COLUMNS = ("time", "paid", "back", "file", *LEVELS)
# Addresses, 0 for what a run has not; `where` says which of all customers each of the run's is, `numbers` those of its places' names.
RUN = np.dtype(
    [(name, np.int64) for name in ("customers", "where", "starts", "keep", "numbers", *_COLUMNS)]
    + [(f"{name}_bytes", np.int64) for name in ("time", "paid", "file", "place")]
)


def table_of(runs: Sequence[Run], positions: Sequence[NDArray[np.int64]], numbers: Sequence[NDArray[np.int32] | None]) -> NDArray[np.void]:
    """Show runs to compiled code; the table must not outlive them."""
    table = np.zeros(len(runs), RUN)
    for at, (run, where, names) in enumerate(zip(runs, positions, numbers, strict=True)):
        columns: dict[str, Array] = dict(run.columns)
        places = [columns[level] for level in LEVELS if level in columns]
        sizes = {"time_bytes": columns["time"], "paid_bytes": columns["paid"], "file_bytes": columns["file"]}
        widths = {name: column.itemsize for name, column in sizes.items()} | {"place_bytes": places[0].itemsize if places else 0}
        table[at] = record(RUN, customers=len(run.ids), where=where, starts=run.starts, keep=run.keep, numbers=names, **columns, **widths)[
            0
        ]
    return table


@jit
def whole(column: int, width: int, at: int) -> int:
    """Read a whole number of so many bytes that is not negative."""
    if width == 1:
        return np.int64(load_byte(column + at))
    if width == 2:
        return np.int64(load_short(column + 2 * at))
    if width == 4:
        return np.int64(load_int(column + 4 * at)) & 0xFFFFFFFF
    return load(column + 8 * at)


@jit
def moment(times: int, width: int, at: int) -> int:
    """Read a time in microseconds."""
    return whole(times, width, at) * (DAY if width == 2 else SECOND if width == 4 else 1)


@jit
def money(paid: int, width: int, at: int) -> int:
    """Read what was paid or, negative, given back."""
    return np.int64(load_int(paid + 4 * at)) if width == 4 else load(paid + 8 * at)


@jit
def counts(run: Any, at: int) -> bool:
    """Tell whether an order's file counts."""
    return run.keep == 0 or load_byte(run.keep + whole(run.file, run.file_bytes, at)) != 0


@jit
def is_order(run: Any, at: int) -> bool:
    """Tell an order from a refund."""
    return money(run.paid, run.paid_bytes, at) >= 0 and (run.back == 0 or load_byte(run.back + at) == 0)


@jit
def net(run: Any, at: int) -> int:
    """Read what an order or refund adds to net spend."""
    paid = money(run.paid, run.paid_bytes, at)
    return paid if is_order(run, at) else min(paid, np.int64(0))


@jit
def first_row(run: Any, customer: int) -> int:
    """Find the first of a run's customers who is not before one of all."""
    low, high = np.int64(0), run.customers
    while low < high:
        middle = (low + high) // 2
        if load(run.where + 8 * middle) < customer:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def begin(runs: Any, customer: int, rows: Any) -> None:
    """Find where each run stands before one of all customers."""
    for at in range(len(runs)):
        rows[at] = first_row(runs[at], customer)


@jit
def orders_of(run: Any, rows: Any, at: int, customer: int) -> tuple[int, int]:
    """Give the first and one past the last of a customer's orders in a run, who is asked for in turn."""
    row = rows[at]
    if row == run.customers or load(run.where + 8 * row) != customer:
        return np.int64(0), np.int64(0)
    rows[at] = row + 1
    return load(run.starts + 8 * row), load(run.starts + 8 * row + 8)
