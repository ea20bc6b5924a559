"""The records of customers as columns, and these as a summary. Imports Numba."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.arrow_columns import Array
from segmenter.measures.customer_records import NEVER, extract
from segmenter.measures.record_layout import WIDTH, Cell, Layout, layout_of
from segmenter.measures.spec import summary_schema, sums
from segmenter.tables import APART, LEVELS, Terms

# What `extract` writes besides the measures.
_MOMENTS, _CODES = ("first_order_at", "last_order_at"), ("days_since_first_row", *LEVELS, APART)


class RecordColumns:
    """Room for what so many records say, column by column."""

    def __init__(self, layout: Layout, count: int) -> None:
        cells = {name: cell for cell, name in _names(layout).items()}
        types: dict[str, Any] = {name: np.int64 if cell[WIDTH] == 8 else np.int32 for name, cell in cells.items()}
        types |= dict.fromkeys(_MOMENTS, np.int64) | dict.fromkeys(_CODES, np.int32)
        self.columns: dict[str, Array] = {name: np.empty(count, kind) for name, kind in types.items()}
        self._layout = layout.layout[0]
        self.targets = np.array([column.ctypes.data for column in self.columns.values()], np.int64)
        self.cells = np.array(list(cells.values()), np.int64)

    def extract(
        self, count: int, parts: Sequence[NDArray[np.int64]], start: int, first_text: int, views: int, places: tuple[int, int, int]
    ) -> None:
        """Write the first records of a chunk's parts from a row on; `views` and `places` as `customer_records.extract` takes them."""
        chunks = tuple(part.ctypes.data for part in parts)
        extract(count, *chunks, start, self._layout, self.cells, first_text, views, self.targets.ctypes.data, *places)


def _names(layout: Layout) -> dict[Cell, str]:
    """Name each cell once: measures without a window are the same as those of all time, and are had once."""
    return {cell: name for name, cell in reversed(layout.cells.items())}


def finish(frame: pl.DataFrame, names: pl.Series, terms: Terms) -> pl.DataFrame:
    """Make a summary's frame of the columns and of ``customer_id``: places by `names`, and only customers with rows before the date."""
    for level in LEVELS:
        codes = frame[level]
        if (codes >= 0).any():
            # One name more, which is none: the place of those who have none.
            places = (
                names.cast(pl.Categorical)
                .extend_constant(None, 1)
                .gather(codes.zip_with(codes >= 0, pl.Series([len(names)], dtype=pl.Int32)))
            )
        else:
            places = pl.repeat(None, len(codes), dtype=pl.Categorical, eager=True)
        frame = frame.with_columns(places.alias(level))
    if (frame["days_since_first_row"] < 0).any():
        # Customers who are known, or whose orders are kept and all later: they have none.
        frame = frame.filter(pl.col("days_since_first_row") >= 0)
    if (frame["first_order_at"] == NEVER).any():
        ordered = pl.col("last_order_at") >= 0
        largest = [name for name, measure in sums(terms).items() if measure.of == "largest"]
        frame = frame.with_columns(pl.when(ordered).then(name).alias(name) for name in (*_MOMENTS, *largest))
    layout = layout_of(terms)
    names_of = _names(layout)
    same = {name: names_of[cell] for name, cell in layout.cells.items()}
    return frame.select(pl.col(same.get(name, name)).cast(dtype).alias(name) for name, dtype in summary_schema(terms).items())


def days_with_rows(by_day: NDArray[np.int64]) -> pl.DataFrame:
    """Make `OrdersProfile.by_day` of the rows and the net amount of each day ago."""
    rows, amount = np.flip(by_day, 0).T
    days = pl.int_range(len(rows), dtype=pl.Int32, eager=True).cast(pl.Date).alias("day")
    return pl.DataFrame({"day": days, "rows": rows, "amount": amount}).filter(pl.col("rows") > 0)
