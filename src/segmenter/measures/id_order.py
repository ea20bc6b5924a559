"""The order of customers by id. Imports Numba, so it is imported where it is used."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.arrow_columns import address, views_of
from segmenter.measures.raw_memory import jit, load_byte
from segmenter.measures.text_views import LONGEST_INLINE, address_of, length_of

Union = tuple[pl.Series, list[NDArray[np.int64]]]
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


def deal(keys: NDArray[np.uint32], shift: int, starts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Deal rows to hands, by their keys without the last bits: where each comes to lie, if those of each hand begin at its start."""
    places = np.empty(len(keys), np.uint32)
    _deal(keys, shift, starts.copy(), places)
    return places


@jit
def count(keys: Any, shift: int, counts: Any) -> None:
    """Count rows by their keys without the last bits."""
    for key in keys:
        counts[np.int64(key) >> shift] += 1


@jit
def _deal(keys: Any, shift: int, starts: Any, places: Any) -> None:
    for row in range(len(keys)):
        hand = np.int64(keys[row]) >> shift
        places[row] = starts[hand]
        starts[hand] += 1


@jit
def put(values: Any, places: Any, out: Any) -> None:
    """Put each value in its place."""
    for row in range(len(places)):
        out[places[row]] = values[row]


def arrange(keys: NDArray[np.uint32], times: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Put rows in the order of their keys, from 0, and their times; `starts` says where those of each key begin.

    >>> arrange(np.array([1, 0, 1], np.uint32), np.array([7, 8, 6]), np.array([0, 1, 3])).tolist()
    [1, 2, 0]
    """
    order = np.empty(len(keys), np.uint32)
    _by_key(keys, np.argsort(times), starts.copy(), order)
    return order


@jit
def _by_key(keys: Any, rows: Any, starts: Any, order: Any) -> None:
    for row in rows:
        key = np.int64(keys[row])
        order[starts[key]] = row
        starts[key] += 1


def union(columns: Sequence[pl.Series]) -> Union:
    """Unite columns of sorted and distinct texts: all texts, sorted, and where those of each column are there.

    >>> ids, places = union([pl.Series(["a", "c"]), pl.Series(["b", "c"])])
    >>> ids.to_list(), [part.tolist() for part in places]
    (['a', 'b', 'c'], [[0, 2], [1, 2]])
    """
    if not columns:
        return pl.Series([], dtype=pl.String), []
    ids, places = columns[0], [np.arange(len(columns[0]))]
    for other in columns[1:]:
        ours, theirs = views_of(ids), views_of(other)
        one, two = np.empty(len(ids), np.int64), np.empty(len(other), np.int64)
        pairs = (ours.views.reshape(-1, 2), address(ours.buffers), theirs.views.reshape(-1, 2), address(theirs.buffers))
        count = _unite(*pairs, one, two)
        source = np.empty(count, np.int64)
        source[two] = np.arange(len(ids), len(ids) + len(other))
        source[one] = np.arange(len(ids))
        ids = pl.concat([ids, other.alias(ids.name)]).gather(pl.Series(source))
        places = [*(one[part] for part in places), two]
    return ids, places


@jit
def _unite(ours: Any, our_texts: int, theirs: Any, their_texts: int, one: Any, two: Any) -> int:
    i = j = count = 0
    while i < len(ours) or j < len(theirs):
        sign = -1 if j == len(theirs) else 1 if i == len(ours) else _compare(ours, i, our_texts, theirs, j, their_texts)
        if sign <= 0:
            one[i] = count
            i += 1
        if sign >= 0:
            two[j] = count
            j += 1
        count += 1
    return count


@jit
def _compare(ours: Any, i: int, our_texts: int, theirs: Any, j: int, their_texts: int) -> int:
    """Compare two texts byte by byte: below, at or above 0."""
    length, other = length_of(ours[i, 0]), length_of(theirs[j, 0])
    a, b = _word(ours, i, 0), _word(theirs, j, 0)
    if a != b:
        return -1 if a < b else 1
    if length <= LONGEST_INLINE and other <= LONGEST_INLINE:
        a, b = _word(ours, i, 1), _word(theirs, j, 1)
        if a != b:
            return -1 if a < b else 1
        return np.int64(length > other) - np.int64(length < other)
    text = address_of(ours[i, 1], our_texts) if length > LONGEST_INLINE else ours.ctypes.data + 16 * i + 4
    their = address_of(theirs[j, 1], their_texts) if other > LONGEST_INLINE else theirs.ctypes.data + 16 * j + 4
    for at in range(min(length, other)):
        x, y = load_byte(text + at), load_byte(their + at)
        if x != y:
            return -1 if x < y else 1
    return np.int64(length > other) - np.int64(length < other)


@jit
def checksum(words: Any, rest: Any) -> Any:
    """Give a checksum that a change of any word changes: four polynomials of all words, and of the bytes after them."""
    prime = np.uint64(0x9E3779B97F4A7C15)
    a, b, c, d = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    fours = len(words) // 4 * 4
    for at in range(0, fours, 4):
        a = a * prime + words[at]
        b = b * prime + words[at + 1]
        c = c * prime + words[at + 2]
        d = d * prime + words[at + 3]
    for at in range(fours, len(words)):
        a = a * prime + words[at]
    for byte in rest:
        b = b * prime + np.uint64(byte)
    for part in (b, c, d, np.uint64(8 * len(words) + len(rest))):
        a = (a ^ (a >> np.uint64(29))) * prime + part
    return a
