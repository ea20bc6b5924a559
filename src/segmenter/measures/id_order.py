"""The order of customers by id. Imports Numba, so it is imported where it is used."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.raw_memory import jit

_DIGIT = 11  # bits sorted by at a time: the counts stay in the nearest cache


def order_of(views: NDArray[np.int64], ids: pl.Series) -> NDArray[np.uint32]:
    """Give the rows in the order of their ids, byte by byte; `views` are the ids as Arrow string views, of shape (n, 2).

    Ids of up to 12 bytes that differ in at most 64 bits, as customer numbers do, are sorted by just these bits (least
    significant digits first; Knuth 1998, The Art of Computer Programming 3, 5.2.5); others by Polars.
    """
    masks = np.zeros(3, np.uint64)
    if len(views) < 2 or not _differing(views, masks):
        return ids.arg_sort().to_numpy()
    runs = np.array([run for word, mask in enumerate(masks.tolist()) for run in _runs(word, mask)], np.int64).reshape(-1, 3)
    bits = int(runs[:, 2].sum())
    if bits > 64:
        return ids.arg_sort().to_numpy()
    keys = np.empty(len(views), np.uint64)
    _keys(views, runs, keys)
    return in_order(keys, bits)[1]


def in_order(keys: NDArray[np.uint64], bits: int) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Sort whole numbers below 2**bits, stably: the keys in order, and the rows in which they stood. The keys given are used up.

    >>> [part.tolist() for part in in_order(np.array([7, 5, 7], np.uint64), 3)]
    [[5, 7, 7], [1, 0, 2]]
    """
    rows = np.arange(len(keys), dtype=np.uint32)
    other_keys, other_rows = np.empty_like(keys), np.empty_like(rows)
    for shift in range(0, bits, _DIGIT):
        _pass(keys, rows, other_keys, other_rows, shift)
        keys, other_keys, rows, other_rows = other_keys, keys, other_rows, rows
    return keys, rows


def _runs(word: int, mask: int) -> list[tuple[int, int, int]]:
    """List the runs of bits set in a mask, the highest first: word, shift and length of each."""
    runs, bit = [], 63
    while bit >= 0:
        if mask >> bit & 1:
            stop = bit
            while stop > 0 and mask >> (stop - 1) & 1:
                stop -= 1
            runs.append((word, stop, bit - stop + 1))
            bit = stop
        bit -= 1
    return runs


@jit
def _word(views: Any, row: int, word: int) -> Any:
    """Give a view's first 4 bytes of text, its other 8, or its length, as numbers that sort like the text."""
    if word == 2:
        return np.uint64(views[row, 0]) & np.uint64(0xFFFFFFFF)
    x = np.uint64(views[row, 0]) >> np.uint64(32) << np.uint64(32) if word == 0 else np.uint64(views[row, 1])
    x = ((x >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)) | ((x & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8))
    x = ((x >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)) | ((x & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16))
    return (x >> np.uint64(32)) | (x << np.uint64(32))


@jit
def _differing(views: Any, masks: Any) -> bool:
    """Find the bits in which ids differ; false where one is too long."""
    for row in range(len(views)):
        if views[row, 0] & 0xFFFFFFFF > 12:
            return False
        for word in range(3):
            masks[word] |= _word(views, row, word) ^ _word(views, 0, word)
    return True


@jit
def _keys(views: Any, runs: Any, keys: Any) -> None:
    for row in range(len(views)):
        key = np.uint64(0)
        for run in range(len(runs)):
            length = np.uint64(runs[run, 2])
            bits = _word(views, row, runs[run, 0]) >> np.uint64(runs[run, 1])
            key = (key << length) | (bits & ((np.uint64(1) << length) - np.uint64(1))) if length < 64 else bits
        keys[row] = key


@jit
def _pass(keys: Any, rows: Any, sorted_keys: Any, sorted_rows: Any, shift: int) -> None:
    """Sort by one digit, stably."""
    starts = np.zeros(1 << _DIGIT, np.int64)
    mask = np.uint64((1 << _DIGIT) - 1)
    for key in keys:
        starts[np.int64((key >> np.uint64(shift)) & mask)] += 1
    total = np.int64(0)
    for digit in range(len(starts)):
        count = starts[digit]
        starts[digit] = total
        total += count
    for row in range(len(keys)):
        digit = np.int64((keys[row] >> np.uint64(shift)) & mask)
        at = starts[digit]
        starts[digit] = at + 1
        sorted_keys[at], sorted_rows[at] = keys[row], rows[row]


@jit
def take(values: Any, rows: Any, out: Any) -> None:
    """Put values in the order of rows."""
    for at in range(len(rows)):
        out[at] = values[rows[at]]


@jit
def take_views(views: Any, rows: Any, out: Any) -> None:
    """Put string views in the order of rows."""
    for at in range(len(rows)):
        row = rows[at]
        out[at, 0], out[at, 1] = views[row, 0], views[row, 1]
