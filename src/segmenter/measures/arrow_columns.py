"""The memory of Polars columns, as the kernel reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from segmenter.measures.text_views import INTEGER

Array = NDArray[Any]


@dataclass(frozen=True)
class Views:
    """A column of texts, or of whole numbers in the form of texts."""

    views: NDArray[np.int64]  # two words a row
    missing: NDArray[np.uint8] | None
    buffers: NDArray[np.int64]  # the addresses of the buffers with long texts
    column: pa.Array | None  # kept alive, for it owns the buffers


def views_of(series: pl.Series) -> Views:
    """Show a column of texts or whole numbers as views."""
    if series.dtype.is_integer():
        values, missing = values_of(series.cast(pl.Int64))
        views = np.empty((len(values), 2), np.int64)
        views[:, 0], views[:, 1] = INTEGER, values
        return Views(views, missing, np.zeros(0, np.int64), None)
    array = series.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    views = np.frombuffer(array.buffers()[1], np.int64) if len(array) else np.zeros(0, np.int64)
    buffers = np.array([buffer.address for buffer in array.buffers()[2:]], np.int64)
    return Views(views[2 * array.offset : 2 * (array.offset + len(array))], _missing(array), buffers, array)


def texts_of(views: NDArray[np.int64], buffers: Sequence[NDArray[np.uint8]]) -> pl.Series:
    """Make ids of views, or of numbers in the form of views."""
    if len(views) and views[0, 0] == INTEGER:
        return pl.Series("customer_id", views[:, 1]).cast(pl.String)
    parts = [None, pa.py_buffer(views), *(pa.py_buffer(buffer) for buffer in buffers)]
    return pl.Series("customer_id", pa.Array.from_buffers(pa.string_view(), len(views), parts))


def values_of(series: pl.Series) -> tuple[Array, NDArray[np.uint8] | None]:
    """Give the values of a column of numbers or times, and which are missing."""
    physical = series.rechunk().to_physical()
    array, kind = physical.to_arrow(), np.dtype(str(physical.dtype).lower())  # PyArrow would load pandas to tell
    values = np.frombuffer(array.buffers()[1], kind) if len(array) else np.zeros(0, kind)
    return values[array.offset : array.offset + len(array)], _missing(array)


def column_of(name: str, values: Array) -> pl.Series:
    """Show an array of numbers, which nobody changes any more, as a column: nothing is copied."""
    return pl.Series(name, pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)]))


def bytes_of(series: pl.Series) -> NDArray[np.uint8]:
    """Give a column of truth values as 0 and 1, a null as 0."""
    return series.fill_null(value=False).cast(pl.UInt8).to_numpy()


def address(array: Array | None) -> int:
    """Give an array's address; 0 where there is nothing in it."""
    return int(array.__array_interface__["data"][0]) if array is not None and array.size else 0


def record(dtype: np.dtype[np.void], **fields: Any) -> NDArray[np.void]:
    """Fill a record that compiled code takes: arrays by their address. It must not outlive them."""
    made = np.zeros(1, dtype)
    for name, value in fields.items():
        made[name] = value if isinstance(value, int | float) else address(value)
    return made


def _missing(array: pa.Array) -> NDArray[np.uint8] | None:
    if not array.null_count:
        return None
    bits = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")
    return 1 - bits[array.offset : array.offset + len(array)]
