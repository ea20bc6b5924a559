"""The rows of a file one by one, as a person sees them."""

from dataclasses import dataclass

import polars as pl

from segmenter.checks.header_rows import cell_of
from segmenter.checks.total_words import total_word


@dataclass(frozen=True)
class OtherRow:
    """A row that is none of the table's."""

    row: int  # its number in the file
    kind: str  # repeated (what stands above the table), total, note; of what may be a total: unsure, or sum where only that would tell
    text: str  # what stands first in it
    proof: bool | None = None  # of a total: whether it is the sum of the rows above, None where it has no number


@dataclass(frozen=True)
class Line:
    """One row."""

    place: int  # in the frame
    row: int
    cells: dict[str, str]  # those with something in them
    gap: bool  # blank rows above


class Lines:
    """The rows of a frame as a person sees them."""

    def __init__(self, own: pl.DataFrame, numbers: pl.Series) -> None:
        self.own, self.numbers = own, numbers
        self.texts = [name for name, dtype in own.schema.items() if dtype == pl.String]

    def line(self, place: int) -> Line:
        """Give one row."""
        cells = {
            name: cell for name, value in self.own.row(place, named=True).items() if value is not None and (cell := cell_of(str(value)))
        }
        row = self.numbers[place]
        return Line(place, row, cells, place > 0 and row - self.numbers[place - 1] > 1)

    def found(self, place: int, kind: str) -> OtherRow:
        """Say that a row is none of the table's."""
        line = self.line(place)
        cells = list(line.cells.values())
        return OtherRow(line.row, kind, next(filter(total_word, cells), cells[0] if cells else ""))
