"""Lists of answers in files: on which sheets of a workbook they are, and where their header is."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from segmenter.errors import InputError
from segmenter.settings import FilesSettings
from segmenter.sources.answer_words import roles_of
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.files import DataFile, read_separately
from segmenter.sources.raw import column_names
from segmenter.sources.spreadsheets import read_sheet
from segmenter.sources.text_lines import BadLine

SETTINGS = FilesSettings.model_construct(encoding="auto", separator="auto", sheet=None, skip_rows=0, decimal=".")
_ANSWERS = ("answer", "joined", "joined_on", "status")
_TITLES = 10  # rows above a header: a title, who calls, when


@dataclass(frozen=True)
class AnswerList:
    """A list with customers and answers; or the first sheet of a file that has none.

    Parameters
    ----------
    name : str
        Of the file, and of the sheet where that is not the first with rows.
    frame : DataFrame
        Its rows, with ``__row``.
    roles : dict of str to str
        What its columns are, see `roles_of`.
    unreadable : tuple of BadLine
        Lines of CSV that cannot be told apart into fields.
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
    r"""Find the lists in a file.

    Agents add titles above a header, and put what is new on sheets of their own.

    Parameters
    ----------
    read : DataFile
        The file, as text or its first sheet.

    Returns
    -------
    list of AnswerList
        At least one; where no sheet holds answers, the first, which says what it lacks.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "calls.csv"
    >>> _ = path.write_text("calls of July,\nid,answer\n7,joined\n")
    >>> [found] = answer_lists(read_separately(str(path), SETTINGS)[0][0])
    >>> found.roles, found.frame.rows()
    ({'customer_id': 'id', 'answer': 'answer'}, [('7', 'joined', 3)])
    """
    sheets = [_headed(read.name, read.frame, read.unreadable)]
    if sheets[0].lacks and read.unreadable:
        sheets = [next(_below_titles(read), sheets[0])]
    sheets += [_headed(name, frame) for name, frame in _other_sheets(read)]
    return [each for each in sheets if not each.lacks] or sheets[:1]


def _headed(name: str, frame: pl.DataFrame, unreadable: tuple[BadLine, ...] = ()) -> AnswerList:
    """Take the first row that names the columns of a list as its header."""
    cells = frame.drop(FILE)
    found = AnswerList(name, cells, roles_of(cells.drop(ROW).columns), unreadable)
    if not found.lacks:
        return found
    for *row, place in cells.head(_TITLES).cast(pl.String).rows():
        header = column_names(row)
        below = AnswerList(name, cells, roles_of(header), unreadable)
        if not below.lacks:
            renamed = cells.rename(dict(zip(cells.columns, header, strict=False)))
            return AnswerList(name, renamed.filter(pl.col(ROW) > int(place)), below.roles, unreadable)
    return found


def _below_titles(read: DataFile) -> Iterator[AnswerList]:
    """Read text again without its first lines: a title has fewer fields than what is below it."""
    for skipped in range(1, _TITLES):
        for each in read_separately(str(read.path), SETTINGS.model_copy(update={"skip_rows": skipped}))[0]:
            found = _headed(read.name, each.frame, each.unreadable)
            if not found.lacks:
                yield found


def _other_sheets(read: DataFile) -> Iterator[tuple[str, pl.DataFrame]]:
    for sheet in read.sheets[1:]:
        name = f"{read.name} [{sheet.name}]"
        try:
            yield name, read_sheet(read.path, name, sheet.name, 0)[0]
        except InputError:  # an empty sheet, or a chart
            continue
