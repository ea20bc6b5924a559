"""Lists of answers in files: on which sheets of a workbook they are, and where their header is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from segmenter.sources.answer_words import roles_of
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.file_format import FileFormat
from segmenter.sources.files import DataFile, read_separately
from segmenter.sources.raw import column_names
from segmenter.sources.spreadsheets import read_sheets
from segmenter.sources.text_lines import BadLine

WRITTEN = FileFormat(skip_rows=0, as_is=True)
_ANSWERS = ("answer", "joined", "joined_on", "status")
_TITLES = 10  # rows above a header: a title, who calls, when


@dataclass(frozen=True)
class AnswerList:
    """A list with customers and answers, with ``__row``; or the first sheet of a file that has none.

    The name is that of the file, with that of the sheet where it is not the first with rows; the roles are as `roles_of` gives them.
    """

    name: str
    frame: pl.DataFrame
    roles: dict[str, str]
    unreadable: tuple[BadLine, ...] = ()

    @property
    def lacks(self) -> str:
        """What it would need to be one: ``customer_id``, ``answer``, or nothing."""
        return "customer_id" if "customer_id" not in self.roles else "" if any(role in self.roles for role in _ANSWERS) else "answer"


def answer_lists(read: DataFile) -> list[AnswerList]:
    """Find the lists in a file, under titles and on any sheet; where none holds answers, the first, which says what it lacks."""
    sheets = [_find_header(read.name, read.frame, read.unreadable)]
    if sheets[0].lacks and read.unreadable:
        sheets = [next(_below_titles(read), sheets[0])]
    sheets += [_find_header(name, frame) for name, frame in read_sheets(read.path, read.name, read.sheets[1:])]
    return [sheet for sheet in sheets if not sheet.lacks] or sheets[:1]


def _find_header(name: str, frame: pl.DataFrame, unreadable: tuple[BadLine, ...] = ()) -> AnswerList:
    """Take the first row that names the columns of a list as its header."""
    cells = frame.drop(FILE)
    whole = AnswerList(name, cells, roles_of(cells.drop(ROW).columns), unreadable)
    if not whole.lacks:
        return whole
    for *row, number in cells.head(_TITLES).cast(pl.String).rows():
        header = column_names(row)
        below = AnswerList(name, cells, roles_of(header), unreadable)
        if not below.lacks:
            renamed = cells.rename(dict(zip(cells.columns, header, strict=False)))
            return AnswerList(name, renamed.filter(pl.col(ROW) > int(number)), below.roles, unreadable)
    return whole


def _below_titles(read: DataFile) -> Iterator[AnswerList]:
    """Read text again without its first lines: a title has fewer fields than what is below it."""
    for skipped in range(1, _TITLES):
        for again in read_separately(str(read.path), replace(WRITTEN, skip_rows=skipped))[0]:
            sheet = _find_header(read.name, again.frame, again.unreadable)
            if not sheet.lacks:
                yield sheet
