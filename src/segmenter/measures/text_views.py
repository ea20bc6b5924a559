"""Texts as Arrow has them in memory, hashed, compared and read by compiled code. Imports Numba.

A string view (Arrow columnar format, "Variable-size Binary View Layout") is two words: the length and the first 4 bytes; then the other
8 bytes of up to 12, or which buffer the text is in and where. A whole number takes the same form, with `INTEGER` for its length.
"""

import numpy as np

from segmenter.measures.raw_memory import jit, load, load_byte, store_byte
from segmenter.tables import NOTHING

LONGEST_INLINE = 12
INTEGER = 0xFFFFFFFF
NULL, ITSELF, UNSURE = 0, 1, -1  # what `reading` gives
FALLBACK, FULL = -2, -3  # what a look-up gives instead of a number: `fields.text` has to read the text; there is no room
_LONGEST_NOTHING = max(len(text) for text in NOTHING)
_NOTHING = np.array([int.from_bytes(text.encode(), "little") for text in NOTHING], np.int64)


@jit
def length_of(k0: int) -> int:
    """Give the length in bytes, or `INTEGER`."""
    return np.int64(np.uint64(k0) & np.uint64(0xFFFFFFFF))


@jit
def is_long(length: int) -> bool:
    """Tell whether the text stands in a buffer."""
    return LONGEST_INLINE < length < INTEGER


@jit
def address_of(k1: int, buffers: int) -> int:
    """Give the address of a long text; `buffers` is that of the list of its buffers' addresses."""
    return load(buffers + 8 * (k1 & 0xFFFFFFFF)) + (k1 >> 32)


@jit
def mixed(a: int, b: int) -> int:
    """Hash 16 bytes; the finaliser is that of MurmurHash3."""
    x = np.uint64(a) ^ (np.uint64(b) * np.uint64(0x9E3779B97F4A7C15))
    x ^= x >> np.uint64(32)
    x *= np.uint64(0xD6E8FEB86659FD93)
    x ^= x >> np.uint64(32)
    x *= np.uint64(0xD6E8FEB86659FD93)
    return x ^ (x >> np.uint64(32))


@jit
def hash_bytes(address: int, length: int) -> int:
    """Hash a long text."""
    state = np.uint64(length)
    at = 0
    while at + 8 <= length:
        state = mixed(np.int64(state), load(address + at))
        at += 8
    rest = np.uint64(0)
    while at < length:
        rest = (rest << np.uint64(8)) | np.uint64(load_byte(address + at))
        at += 1
    return mixed(np.int64(state), np.int64(rest))


@jit
def equal_bytes(one: int, other: int, length: int) -> bool:
    """Compare two texts of the same length."""
    at = 0
    while at + 8 <= length:
        if load(one + at) != load(other + at):
            return False
        at += 8
    while at < length:
        if load_byte(one + at) != load_byte(other + at):
            return False
        at += 1
    return True


@jit
def copy_bytes(source: int, target: int, length: int) -> None:
    """Copy a text."""
    for byte in range(length):
        store_byte(target + byte, load_byte(source + byte))


@jit
def _may_be_space(address: int) -> bool:
    """Tell by its first bytes in UTF-8 whether a character may be a space or a control character: U+0085, U+00A0, U+1680, U+2000, ..."""
    first = load_byte(address)
    if first < 0xC2:
        return first <= 0x20
    if first > 0xE3:
        return False
    second = load_byte(address + 1)
    return (
        (first == 0xC2 and second <= 0xA0)
        or (first == 0xE1 and second == 0x9A)
        or (first == 0xE2 and second <= 0x81)
        or (first == 0xE3 and second == 0x80)
    )


@jit
def reading(address: int, length: int) -> int:
    """Read a text as `fields.text` does: it stands for itself, or for nothing, or `fields.text` has to decide."""
    if length == 0:
        return NULL
    last = length - 1
    while last > 0 and (load_byte(address + last) & 0xC0) == 0x80:
        last -= 1
    if _may_be_space(address) or _may_be_space(address + last):
        return UNSURE
    if length > _LONGEST_NOTHING:
        return ITSELF
    word = np.int64(0)
    for at in range(length - 1, -1, -1):
        byte = np.int64(load_byte(address + at))
        word = (word << 8) | (byte + 32 if 65 <= byte <= 90 else byte)
    for nothing in _NOTHING:
        if word == nothing:
            return NULL
    return ITSELF
