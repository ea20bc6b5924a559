"""The words with which people and spreadsheets call a row of totals."""

import re

from segmenter.checks.header_rows import COLONS
from segmenter.vocabulary import vocabulary

_KNOWN = vocabulary("sheets")
_WORDS: list[str] = _KNOWN["totals"]
ALONE = re.compile(rf"({'|'.join(map(re.escape, _WORDS))})\s*[:\uff1a]?", re.IGNORECASE)
_TOTAL = re.compile(rf"({'|'.join(map(re.escape, _WORDS))})\s*(?:[:\uff1a]|(?=\W|\d))[^a-z]*\d[^a-z]*", re.IGNORECASE)
NAMED = rf"(?i).[\s_\-]*({'|'.join(map(re.escape, _KNOWN['group_totals']))})\s*$"  # for Polars, too
# As they are written: to fold the case of millions of cells would take longer than to read them.
WRITTEN = [
    f"{start}{end}"
    for word in _WORDS
    for start in dict.fromkeys((word, word.title(), word.capitalize(), word.upper()))
    for end in ("", *COLONS)
]


def total_word(text: str) -> str | None:
    """Give the word for a total with which a cell begins; None where it begins with none."""
    match = ALONE.fullmatch(text) or _TOTAL.fullmatch(text)
    return None if match is None else match[1]


def without_word(cell: str) -> str:
    """Give what a cell holds behind the word for a total."""
    match = _TOTAL.fullmatch(cell)
    return cell if match is None else cell[len(match[1]) :].lstrip(" \uff1a:")
