"""Whether the quotes of a delimited text can be trusted, at memory's speed."""

from pathlib import Path

import numpy as np

_STEP = 1 << 18  # bytes; small enough for a processor's cache


def quotes_fit(source: Path | bytes, start: int, separator: str, line_end: str) -> bool:
    r"""Tell whether each quote begins a field, ends one, or is one of two inside, from the byte `start` on, where a field begins.

    Then every reader of CSV reads the same. Of other quotes each makes what it can: Polars drops a last line that a quote leaves
    open, and reads ``""a"`` as ``a``. `separator` is one ASCII character, `line_end` is LF, CR LF or CR.
    """
    data = np.asarray(np.memmap(source, np.uint8, "r") if isinstance(source, Path) else np.frombuffer(source, np.uint8))[start:]
    end = np.array([ord(line_end[-1])], np.uint8)
    edges = np.zeros(256, np.bool_)  # what may stand before a quote that opens and behind one that closes
    edges[[ord('"'), ord(separator), *map(ord, line_end)]] = True
    is_open = 0  # whether a field is, where a part begins
    for first in range(0, len(data), _STEP):
        part = data[first : first + _STEP]
        quotes = np.flatnonzero(part == ord('"')) + 1
        if not len(quotes):
            continue
        before = data[first - 1 : first] if first else end
        behind = data[first + _STEP : first + _STEP + 1] if first + _STEP < len(data) else end
        around = np.concatenate([before, part, behind])
        if not (edges[around[quotes[is_open::2] - 1]].all() and edges[around[quotes[1 - is_open :: 2] + 1]].all()):
            return False
        if line_end == "\r\n" and (around[np.flatnonzero(part == ord("\r")) + 2] != end).any():
            return False
        is_open ^= len(quotes) & 1
    return not is_open
