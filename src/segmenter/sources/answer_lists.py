"""Lists of answers in files: on which sheets of a workbook they are, where their header is, and whom their rows mean."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from segmenter.contacts import hide
from segmenter.sources import fields
from segmenter.sources.answer_people import (
    People,
    Whose,
    calls_itself_members,
    columns_of_people,
    fold_name,
    is_bare,
    recognize_rows,
)
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
_MEMBER = "joined"  # the word for each row of a list of members


@dataclass(frozen=True)
class AnswerList:
    """A list with customers and answers, with ``__row``; or the first sheet of a file that has none.

    The name is that of the file, with that of the sheet where it is not the first with rows; the roles are as `roles_of` gives them.
    """

    name: str
    frame: pl.DataFrame
    roles: dict[str, str]
    unreadable: tuple[BadLine, ...] = ()
    titles: tuple[str, ...] = ()  # what stands above the header
    members: bool = False  # whoever is in it has joined, and nothing says when
    whose: Whose = field(default_factory=lambda: Whose((), (), (), None))

    @property
    def lacks(self) -> str:
        """What it would need to be one: ``customer_id``, ``answer``, or nothing; phones or names do for ids."""
        answers = any(role in self.roles for role in _ANSWERS)
        return ("" if answers else "answer") if "customer_id" in self.roles else "" if self.whose and answers else "customer_id"


def answer_lists(read: DataFile) -> list[AnswerList]:
    """Find the lists in a file, under titles and on any sheet; where none holds answers, a group's members, or the first."""
    sheets = [_find_header(read.name, read.frame, read.unreadable)]
    if sheets[0].lacks and read.unreadable:
        sheets = [next(_below_titles(read), sheets[0])]
    others = list(read_sheets(read.path, read.name, read.sheets[1:]))
    sheets += [_find_header(name, frame) for name, frame in others]
    if complete := [sheet for sheet in sheets if not sheet.lacks]:
        return complete
    lists = [(read.name, read.frame), *others]
    return [sheet for name, frame in lists for sheet in _members(name, frame)][:1] or sheets[:1]


def fill_ids(sheet: AnswerList, people: People) -> tuple[AnswerList, pl.DataFrame]:
    """Fill in whom the rows without an id mean; ``source``, ``row`` and ``how`` say what told it, or why nothing did."""
    frame, column = sheet.frame, sheet.roles.get("customer_id")
    written = pl.repeat(None, frame.height, dtype=pl.String, eager=True) if column is None else fields.text(frame[column])
    without = frame.filter(written.is_null())
    ids, how = recognize_rows(without, sheet.whose, people, group_of(sheet, people))
    found = pl.DataFrame({"source": hide(sheet.name), "row": without[ROW], "how": how}, schema_overrides={"source": pl.String})
    if ids.null_count() == len(ids) and column is not None:
        return sheet, found
    (name,) = column_names([column or "customer_id"])
    while column is None and name in frame.columns:
        name += "_"
    filled = frame.select(ROW).with_columns(written.alias("written"))
    filled = filled.join(pl.DataFrame({ROW: without[ROW], "id": ids}), on=ROW, how="left", maintain_order="left")
    frame = frame.with_columns(filled.select(pl.coalesce("written", "id").alias(name)).to_series())
    return replace(sheet, frame=frame, roles=sheet.roles | {"customer_id": name}), found


def group_of(sheet: AnswerList, people: People) -> str | None:
    """Tell of which group a list is, by its name and what stands above its header."""
    text = fold_name(" ".join((sheet.name, *sheet.titles)))
    named = sorted((group for group, folded in people.group_names.items() if folded in text), key=len)
    return named[-1] if named and all(group in named[-1] for group in named) else None


def _find_header(name: str, frame: pl.DataFrame, unreadable: tuple[BadLine, ...] = (), titles: tuple[str, ...] = ()) -> AnswerList:
    """Take the first row that names the columns of a list as its header; one that names the ids before one that does not."""
    first, complete = None, None
    for sheet in _headed(name, frame, unreadable, titles):
        first = first or sheet
        if not sheet.lacks and "customer_id" in sheet.roles:
            return sheet
        complete = complete or (None if sheet.lacks else sheet)
    assert first is not None
    return complete or first


def _headed(name: str, frame: pl.DataFrame, unreadable: tuple[BadLine, ...] = (), titles: tuple[str, ...] = ()) -> Iterator[AnswerList]:
    """Give a list under its header, and under each of its first rows as if that were the header."""
    cells = frame.drop(FILE)
    own = cells.drop(ROW).columns
    yield _as_list(name, cells, own, unreadable, titles)
    above = (*titles, *own)
    for *row, number in cells.head(_TITLES).cast(pl.String).rows():
        header = column_names(row)
        renamed = cells.rename(dict(zip(cells.columns, header, strict=False)))
        yield _as_list(name, renamed.filter(pl.col(ROW) > int(number)), header, unreadable, above)
        above = (*above, *(cell for cell in row if cell))


def _as_list(name: str, cells: pl.DataFrame, header: list[str], unreadable: tuple[BadLine, ...], titles: tuple[str, ...]) -> AnswerList:
    roles = roles_of(header)
    return AnswerList(name, cells, roles, unreadable, titles, whose=columns_of_people(header, list(roles.values())))


def _members(name: str, frame: pl.DataFrame) -> Iterator[AnswerList]:
    """Take a list that calls itself one of members, or has nothing but nicknames, for who has joined."""
    for sheet in _headed(name, frame):
        header = [column for column in sheet.frame.columns if column != ROW]
        given = "customer_id" in sheet.roles or bool(sheet.whose)
        called = calls_itself_members(name, *sheet.titles, columns=sheet.whose.names) or is_bare(header, sheet.whose)
        if given and called:
            yield _joined(sheet)
    if len(frame.columns) == 3 and calls_itself_members(name):  # one column, and not even a header
        (top, *_), first = frame.columns, int(str(frame[ROW].min() or 2))
        cells = pl.DataFrame({"name": [top, *frame[top].cast(pl.String)], ROW: [first - 1, *frame[ROW]]})
        yield _joined(_as_list(name, cells, ["name"], (), ()))


def _joined(sheet: AnswerList) -> AnswerList:
    column = "joined"
    while column in sheet.frame.columns:
        column += "_"
    own = [name for name in sheet.frame.columns if name != ROW]
    frame = sheet.frame.filter(~pl.all_horizontal(pl.col(own).is_null())).with_columns(pl.lit(_MEMBER).alias(column))
    keep = {role: name for role, name in sheet.roles.items() if role in ("customer_id", "channel")}
    return replace(sheet, frame=frame, roles=keep | {"joined": column}, members=True)


def _below_titles(read: DataFile) -> Iterator[AnswerList]:
    """Read text again without its first lines: a title has fewer fields than what is below it."""
    titles = tuple(name for name in read.frame.columns if name not in (FILE, ROW))
    for skipped in range(1, _TITLES):
        for again in read_separately(str(read.path), replace(WRITTEN, skip_rows=skipped))[0]:
            sheet = _find_header(read.name, again.frame, again.unreadable, titles)
            if not sheet.lacks:
                yield sheet
