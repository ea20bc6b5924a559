"""Which of a sheet's first rows is its header: below titles, and of one row or two."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from segmenter.vocabulary import vocabulary

Row = Sequence[str | None]

MOST = 40  # rows in which a header is looked for
_NARROW = 0.6  # of the cells of a header: a row with fewer is a title
_BELOW = 20  # rows that say what a column holds
# A number, an amount, a date: what is a value, and no name of a column.
_VALUE = re.compile(rf"(?=.*\d)(?:{vocabulary('sheets')['units']}|[\W\d_])+", re.IGNORECASE)
COLONS = (":", "\uff1a")  # the second one is wide


@dataclass(frozen=True)
class Header:
    """The rows of a header, by their places among the rows that were looked at, and the names that they give."""

    first: int
    last: int
    names: tuple[str | None, ...]


def find_header(rows: Sequence[Row], fits: Callable[[Row], bool]) -> Header:
    """Find the header: the first row that has all columns that are looked for, else the one below titles that names what is below it.

    Where nothing is clear it is the first row that is not blank, as `rows` has one. `fits` says whether a row has those columns.
    """
    start = next((place for place, row in enumerate(rows) if _filled(row)), None)
    if start is None:
        return Header(0, 0, tuple(rows[0]))
    candidates = [header for place in range(start, min(len(rows), start + MOST)) for header in _headers(rows, place)]
    for header in candidates:
        if fits(header.names) and (_filled(header.names) > 1 or header.first == start):
            return header
    if (first := candidates[0]).last > start or not _is_title(rows[start], _width(rows)):
        return first
    for header in candidates:
        above = rows[start : header.first]
        if _names_what_is_below(rows, header) and all(_is_title(row, _filled(header.names)) for row in above):
            return header
    return Header(start, start, tuple(rows[start]))


def no_header(rows: Sequence[Row], first: int = 0) -> Header:
    """Give the header of a table without one, whose rows begin with the `first`: it ends above it and names nothing."""
    return Header(first - 1, first - 1, (None,) * len(rows[first]))


def cell_of(value: str | None) -> str:
    """Give a cell without blanks around."""
    return (value or "").strip().strip("\ufeff\u200b").strip()


def is_value(cell: str) -> bool:
    """Tell whether a cell looks like a number, an amount or a date rather than a name."""
    return _VALUE.fullmatch(cell) is not None


def has_digits(cell: str) -> bool:
    """Tell whether a cell has a digit, as an id has one, too."""
    return any(char.isdigit() for char in cell)


def _filled(row: Row) -> int:
    return sum(bool(cell_of(cell)) for cell in row)


def _width(rows: Sequence[Row]) -> int:
    """Count the cells of the widest rows, of which there are two: one alone may be broken."""
    counts = sorted(map(_filled, rows), reverse=True)
    return counts[1] if len(counts) > 1 else counts[0]


def _headers(rows: Sequence[Row], place: int) -> list[Header]:
    """Take a row as a header: with the one below where both are one, and by itself."""
    row = rows[place]
    if not _filled(row):
        return []
    return [*([both] if (both := _two_rows(rows, place)) is not None else []), Header(place, place, tuple(row))]


def _two_rows(rows: Sequence[Row], place: int) -> Header | None:
    """Put groups, such as merged cells, and the names below them together; None where the row below is none of names."""
    if place + 2 >= len(rows):
        return None
    width = max(len(rows[place]), len(rows[place + 1]))
    upper, lower = (_cells(rows[at], width) for at in (place, place + 1))
    named = [at for at in range(width) if upper[at]]
    grouped = any(not upper[at] and lower[at] for at in range(width))
    # One cell alone is a title above the whole table.
    if not grouped or len(named) < 2 or not any(lower):
        return None
    if any(is_value(cell) or cell.endswith(COLONS) for cell in upper):
        return None
    names = _joined(upper, lower)
    # Where the lower row names all columns, what is above it is a title.
    header = Header(place + (names == lower), place + 1, tuple(name or None for name in names))
    # All that the lower row says has to be a name: at least one column below it holds what has digits.
    return header if _names_what_is_below(rows, Header(place, place + 1, tuple(lower)), least=1) else None


def _joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Name each column by the lower cell; by its group and it where that name stands there twice, by the upper one where it is empty."""
    group, groups = "", []
    for above, below in zip(upper, lower, strict=True):
        group = above or (group if below else "")
        groups.append(group)
    plain = [below or above for above, below in zip(upper, lower, strict=True)]
    return [
        f"{group} {name}" if below and group and plain.count(name) > 1 else name
        for group, name, below in zip(groups, plain, lower, strict=True)
    ]


def _cells(row: Row, width: int) -> list[str]:
    return [cell_of(row[at]) if at < len(row) else "" for at in range(width)]


def _names_what_is_below(rows: Sequence[Row], header: Header, least: int = 2) -> bool:
    """Tell whether a row holds different names, and what is below at least one of them are values."""
    names = [cell_of(name) for name in header.names]
    given = [name for name in names if name]
    if len(given) < least or any(is_value(name) or name.endswith(COLONS) for name in given) or (least > 1 and len(set(given)) < len(given)):
        return False
    below = [row for row in rows[header.last + 1 :] if _filled(row)][:_BELOW]
    if least > 1 and len(given) < _NARROW * _width([*below, header.names]):
        return False
    for place, name in enumerate(names):
        cells = [cell for row in below if place < len(row) and (cell := cell_of(row[place]))]
        if name and not has_digits(name) and cells and 2 * sum(map(has_digits, cells)) >= len(cells):
            return True
    return False


def _is_title(row: Row, width: int) -> bool:
    """Tell whether a row has few cells, or says what its next cells are."""
    return _filled(row) < _NARROW * width or any(cell_of(cell).endswith(COLONS) for cell in row)
