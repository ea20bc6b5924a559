"""Random numbers that belong to a customer: the same for the same id and seed, whatever else is in the data."""

from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

_BLOCK = 1 << 15  # ids at a time, which stay in the processor's cache
_ODD = np.uint64(0x9E3779B97F4A7C15)


def uniform(ids: pl.Series, seed: int, purpose: str) -> pl.Series:
    """Draw one number per id from the uniform distribution on [0, 1), by a hash of the id.

    Past launches can be measured only as long as this function gives the numbers that it gave then: it must never change.
    It is BLAKE2b (RFC 7693) with 8 bytes of digest over the UTF-8 text ``seed:purpose:id``; the number is the digest's first
    53 bits, read as a binary fraction. Anyone can check one: ``printf '%s' '7:holdout:C1' | b2sum -l 64``. Numbers for different
    purposes are independent of each other.

    >>> uniform(pl.Series("customer_id", ["C1", "C2"]), 7, "holdout").round(4).to_list()
    [0.3562, 0.2452]
    """
    prefix = f"{seed}:{purpose}:".encode()
    digests = b"".join([blake2b(prefix + value, digest_size=8).digest() for value in ids.cast(pl.Binary).to_list()])
    bits = np.frombuffer(digests, dtype=">u8") >> np.uint64(11)
    return pl.Series(ids.name, bits.astype(np.float64) * 2.0**-53)


def draw(ids: pl.Series, seed: int, purpose: str, count: int) -> NDArray[np.int64]:
    """Draw so many ids at random, or all where there are fewer: their rows, in random order.

    The ids are sorted, each once. Whether one is drawn, and before which others, depends on nothing but the ids.
    """
    rows = np.arange(len(ids))
    if len(ids) > count > 0:
        # BLAKE2b takes a microsecond an id: a plainer hash passes over most of them.
        quick = quick_hash(ids, seed, purpose)
        rows = np.flatnonzero(quick <= np.partition(quick, count - 1)[count - 1])
    return rows[uniform(ids[rows], seed, purpose).to_numpy().argsort(kind="stable")[:count]]


def quick_hash(ids: pl.Series, seed: int, purpose: str) -> NDArray[np.uint64]:
    """Draw one whole number per id, quickly: a million in a thirtieth of a second.

    Ids are hashed by multiplying and folding their bytes, eight at a time; the finalizer is MurmurHash3's.

    >>> (quick_hash(pl.Series(["C1", "C2", "C1"]), 7, "bootstrap") >> np.uint64(52)).tolist()
    [1650, 3904, 1650]
    """
    key = int.from_bytes(blake2b(f"{seed}:{purpose}".encode(), digest_size=8).digest(), "little")
    text = ids.cast(pl.String).to_arrow()
    _, offsets, data = text.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)[text.offset : text.offset + len(ids) + 1]
    padded = np.concatenate([np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, dtype=np.uint8), np.zeros(8, dtype=np.uint8)])
    words = np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))  # the eight bytes from each byte on
    masks = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=np.uint64)
    drawn = np.empty(len(ids), dtype=np.uint64)
    for start in range(0, len(ids), _BLOCK):
        starts, ends = bounds[start : start + _BLOCK][: len(ids) - start], bounds[start + 1 : start + _BLOCK + 1]
        lengths = ends - starts
        mixed = lengths.astype(np.uint64) ^ np.uint64(key)
        for offset in range(0, int(lengths.max(initial=0)), 8):
            left = np.clip(lengths - offset, 0, 8)
            word = words[np.minimum(starts + offset, len(words) - 1)] & masks[left]
            # Ids that ended before stay as they are.
            mixed = np.where(left > 0, _folded((mixed ^ word) * _ODD), mixed)
        drawn[start : start + _BLOCK] = _folded(_folded(mixed) * np.uint64(0xFF51AFD7ED558CCD)) * np.uint64(0xC4CEB9FE1A85EC53)
    return drawn


def _folded(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return numbers ^ (numbers >> np.uint64(32))
