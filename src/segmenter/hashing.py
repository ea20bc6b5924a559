"""Chance that belongs to a customer: the same for the same id and seed, whatever else is in the data."""

from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

_BLOCK = 1 << 15  # ids at a time, which stay in the processor's cache
_ODD = np.uint64(0x9E3779B97F4A7C15)


def uniform(ids: pl.Series, seed: int, purpose: str) -> pl.Series:
    """Draw one number per id from the uniform distribution on [0, 1), by a hash of the id.

    Past launches can be told apart only as long as this function gives the numbers that it gave then: it must never change.
    It is BLAKE2b (RFC 7693) with 8 bytes of digest over the UTF-8 text ``seed:purpose:id``; the number is the digest's first
    53 bits, read as a binary fraction. Anyone can check one: ``printf '%s' '7:holdout:C1' | b2sum -l 64``.

    Parameters
    ----------
    ids : Series of String
        Without nulls.
    seed : int
        The job's seed.
    purpose : str
        What the number is for, such as ``"holdout"``: numbers for different purposes are independent of each other.

    Returns
    -------
    Series of Float64
        In [0, 1), a multiple of 2**-53, in the order of `ids` and under its name.

    Examples
    --------
    >>> uniform(pl.Series("customer_id", ["C1", "C2"]), 7, "holdout").round(4).to_list()
    [0.3562, 0.2452]
    """
    prefix = f"{seed}:{purpose}:".encode()
    digests = b"".join([blake2b(prefix + each, digest_size=8).digest() for each in ids.cast(pl.Binary).to_list()])
    bits = np.frombuffer(digests, dtype=">u8") >> np.uint64(11)
    return pl.Series(ids.name, bits.astype(np.float64) * 2.0**-53)


def draw(ids: pl.Series, seed: int, purpose: str, most: int) -> NDArray[np.int64]:
    """Draw ids by lot.

    Parameters
    ----------
    ids : Series of String
        Each once, sorted, without nulls.
    seed : int
        The job's seed.
    purpose : str
        What is drawn.
    most : int
        How many to draw, ≥ 0; all where there are fewer.

    Returns
    -------
    ndarray of int of shape (min(n, most),)
        Their rows, in an order by chance. Whether an id is drawn, and before which others, depends on nothing but the ids.

    Examples
    --------
    >>> draw(pl.Series(["C1", "C2", "C3"]), 7, "sample", 2).tolist()
    [0, 2]
    """
    rows = np.arange(len(ids))
    if len(ids) > most > 0:
        # BLAKE2b takes a microsecond an id: a plainer hash passes over most of them.
        quick = lots(ids, seed, purpose)
        rows = np.flatnonzero(quick <= np.partition(quick, most - 1)[most - 1])
    return rows[uniform(ids[rows], seed, purpose).to_numpy().argsort(kind="stable")[:most]]


def lots(ids: pl.Series, seed: int, purpose: str) -> NDArray[np.uint64]:
    """Draw one whole number per id, quickly: a million in a thirtieth of a second.

    Ids are hashed by multiplying and folding their bytes, eight at a time; the finalizer is MurmurHash3's.

    Parameters
    ----------
    ids : Series of String
        Without nulls.
    seed : int
        The job's seed.
    purpose : str
        What the number is for.

    Returns
    -------
    ndarray of uint64 of shape (n,)
        In the order of `ids`.

    Examples
    --------
    >>> (lots(pl.Series(["C1", "C2", "C1"]), 7, "bootstrap") >> np.uint64(52)).tolist()
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
        at, ends = bounds[start : start + _BLOCK][: len(ids) - start], bounds[start + 1 : start + _BLOCK + 1]
        lengths = ends - at
        mixed = lengths.astype(np.uint64) ^ np.uint64(key)
        for place in range(0, int(lengths.max(initial=0)), 8):
            left = np.clip(lengths - place, 0, 8)
            word = words[np.minimum(at + place, len(words) - 1)] & masks[left]
            # Ids that ended before stay as they are.
            mixed = np.where(left > 0, _folded((mixed ^ word) * _ODD), mixed)
        drawn[start : start + _BLOCK] = _folded(_folded(mixed) * np.uint64(0xFF51AFD7ED558CCD)) * np.uint64(0xC4CEB9FE1A85EC53)
    return drawn


def _folded(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return numbers ^ (numbers >> np.uint64(32))
