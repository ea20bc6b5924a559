"""Whether the quotes of a delimited text can be trusted, at memory's speed."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_STEP = 1 << 18  # bytes, a multiple of 64; small enough for a processor's cache
_ONE, _LAST = np.uint64(1), np.uint64(63)


def quotes_fit(source: Path | bytes, start: int, separator: str, line_end: str) -> bool:
    r"""Tell whether each quote begins a field, ends one, or is one of two inside, from the byte `start` on, where a field begins.

    Then every reader of CSV reads the same. Of other quotes each makes what it can: Polars drops a last line that a quote leaves
    open, and reads ``""a"`` as ``a``. `separator` is one ASCII character, `line_end` is LF, CR LF or CR.

    The bits of 64-bit words stand for the bytes, as in Langdale and Lemire (2019), *Parsing gigabytes of JSON per second*: a quote
    begins a field where the number of quotes up to it is odd.
    """
    data = np.asarray(np.memmap(source, np.uint8, "r") if isinstance(source, Path) else np.frombuffer(source, np.uint8))[start:]
    quote, mark, end = ord('"'), ord(separator), ord(line_end[-1])
    edges = {quote, mark, *map(ord, line_end)}
    odd = False  # whether a field is open where a part begins
    for first in range(0, len(data), _STEP):
        part = data[first : first + _STEP]
        if not (part == quote).any():
            continue
        left = first == 0 or int(data[first - 1]) in edges
        right = int(data[first + _STEP]) if first + _STEP < len(data) else end
        if len(part) % 64:
            part = np.concatenate([part, np.full(-len(part) % 64, end, dtype=np.uint8)])
        quotes, ends = _bits(part == quote), _bits(part == end)
        fits = quotes | ends | _bits(part == mark)
        if line_end == "\r\n":
            returns = _bits(part == ord("\r"))
            if (returns & ~_behind(ends, right == end)).any():
                return False
            fits |= returns
        opened = ~_opened(quotes) if odd else _opened(quotes)
        if (quotes & ((opened & ~_before(fits, left)) | (~opened & ~_behind(fits, right in edges)))).any():
            return False
        odd = bool(opened[-1] >> _LAST)
    return not odd


def _bits(flags: NDArray[np.bool_]) -> NDArray[np.uint64]:
    return np.packbits(flags, bitorder="little").view(np.dtype("<u8"))


def _before(bits: NDArray[np.uint64], first: bool) -> NDArray[np.uint64]:
    """Give each byte the bit of the one before it."""
    moved = bits << _ONE
    moved[1:] |= bits[:-1] >> _LAST
    moved[0] |= np.uint64(first)
    return moved


def _behind(bits: NDArray[np.uint64], last: bool) -> NDArray[np.uint64]:
    """Give each byte the bit of the one behind it."""
    moved = bits >> _ONE
    moved[:-1] |= bits[1:] << _LAST
    moved[-1] |= np.uint64(last) << _LAST
    return moved


def _opened(quotes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Tell of each byte whether the number of quotes up to it is odd."""
    bits = quotes.copy()
    for distance in (1, 2, 4, 8, 16, 32):
        bits ^= bits << np.uint64(distance)
    odd = np.bitwise_xor.accumulate(bits >> _LAST)
    bits[1:] ^= np.negative(odd[:-1])  # every bit, or none
    return bits
