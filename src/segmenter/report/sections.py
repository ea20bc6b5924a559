"""A report as data: sections of sentences, tables and charts, which `page` and `terminal` both render."""

import re
from dataclasses import dataclass
from typing import Literal

from segmenter.report import charts

Mark = Literal["", "recommended", "current"]  # what a small coloured word beside a name says


class Code(str):
    """A part of a sentence that is typed as it stands: a command, a key or a file's name."""

    tag = "code"


class Strong(str):
    """A part of a sentence that must not be overlooked."""

    tag = "b"


@dataclass(frozen=True)
class Text:
    """A paragraph: plain text, `Code` and `Strong`, one after the other."""

    parts: tuple[str, ...]
    note: bool = False  # an explanation, in grey

    def __str__(self) -> str:
        return "".join(self.parts)


def text(*parts: str) -> Text:
    """Make a paragraph."""
    return Text(parts)


def marked(sentence: str, **facts: str) -> Text:
    """Make a paragraph of a sentence in which `…` is typed as it stands and **…** must not be overlooked; {fact} stands for a fact."""
    parts = []
    for piece in re.split(r"(`[^`]*`|\*\*[^*]*\*\*)", sentence):
        kind = Code if piece.startswith("`") else Strong if piece.startswith("**") else str
        parts.append(kind(re.sub(r"\{(\w+)\}", lambda name: facts[name[1]], piece.strip("`*"))))
    return Text(tuple(filter(None, parts)))


def lead(sentences: str) -> tuple[Text, ...]:
    """Part what to do, which is to be read at one look, from why: at the first colon or full stop."""
    what, *why = re.split(r"(?:: |\. |：|。)(?=.)", sentences, maxsplit=1)
    end = "。" if re.search("[：。]", sentences) else "."
    return (text(what + end), text(why[0][0].upper() + why[0][1:])) if why else (text(sentences),)


def note(*parts: str) -> Text:
    """Make an explanation."""
    return Text(parts, note=True)


@dataclass(frozen=True)
class Column:
    """A column of a table; `mark` colours what stands small below its heading."""

    heading: str
    align: Literal["left", "right"] = "right"
    over: str = ""  # a heading above; neighbours with the same one share it
    mark: Mark = ""
    mark_text: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    text: str
    small: str = ""  # in a line below
    mark: Mark = ""  # colours the line below
    part: float | None = None  # 0..1: a bar before the text, to here
    start: float = 0.0  # 0..1: where it begins
    mark_at: float | None = None  # 0..1: what it is held against
    trend: Literal["", "up", "down"] = ""


@dataclass(frozen=True)
class Row:
    """A row of a table, and what it is among the others."""

    cells: tuple[Cell, ...]
    role: Literal["", "now", "sum", "end"] = ""  # the marked one; a sum; something to compare with


def row(*cells: str | Cell, role: Literal["", "now", "sum", "end"] = "") -> Row:
    """Make a row; text alone is a cell."""
    return Row(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in cells), role)


@dataclass(frozen=True)
class Table:
    """A table; its first column names the rows and is to the left."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    title: str = ""
    look: Literal["", "dense", "tight"] = ""  # narrower; nothing but the first column wraps
    under: tuple[str, ...] = ()  # notes


def columns(*headings: str, left: tuple[int, ...] = (0,)) -> tuple[Column, ...]:
    """Make columns of headings, to the right but those of the given numbers."""
    return tuple(Column(heading, "left" if number in left else "right") for number, heading in enumerate(headings))


@dataclass(frozen=True)
class Key:
    """A line of a chart's legend."""

    name: str
    color: str
    dot: bool = False


@dataclass(frozen=True)
class Figure:
    """A chart; a terminal shows none."""

    chart: charts.Chart  # drawn only when a page is made
    title: str = ""
    legend: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Square:
    """One of many squares of a picture: the larger its share, the darker."""

    at: tuple[int, int]  # column and row
    name: str
    figure: str = ""
    small: str = ""  # in a line below
    share: float = 0.0  # 0..1
    framed: bool = False
    pale: bool = False  # nothing is known of it


@dataclass(frozen=True)
class Squares:
    """A picture of squares, seven a row, such as a calendar or a map; a list to who does not see it."""

    title: str
    squares: tuple[Square, ...]
    headings: tuple[str, ...] = ()  # above the columns


@dataclass(frozen=True)
class Steps:
    """What to do, in this order."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Glossary:
    """Words and what they mean."""

    entries: tuple[tuple[str, str], ...]
    title: str = ""


@dataclass(frozen=True)
class Grid:
    """Blocks side by side: two columns, or as many small cards as there is room for."""

    cells: tuple[tuple["Block", ...], ...]
    kind: Literal["two", "cards"] = "two"


Block = Text | Table | Figure | Squares | Steps | Glossary | Grid


@dataclass(frozen=True)
class Section:
    """One part of a report.

    The page shows `blocks`, the terminal `brief`: mostly some of the same objects. Customer ids may be in `brief` only.
    """

    heading: str = ""
    blocks: tuple[Block, ...] = ()
    brief: tuple[Text | Table, ...] = ()
    whole: bool = True  # is not parted between two sheets of paper


@dataclass(frozen=True)
class Fact:
    """A name, a figure and what it means: a tile, or a date in the head."""

    name: str
    figure: str
    note: str = ""


@dataclass(frozen=True)
class Advice:
    """What the report comes to: the first sentence in large letters."""

    sentences: tuple[Text, ...]
    level: Literal["good", "attention"] = "good"


@dataclass(frozen=True)
class Report:
    """All that a job has to say, in one language."""

    kind: str  # of report, for the window's title
    eyebrow: str  # the same above the name, in a few words
    name: str
    footer: str
    topic: str = ""
    dates: tuple[Fact, ...] = ()
    advice: Advice | None = None
    tiles: tuple[Fact, ...] = ()
    obstacles: tuple[str, ...] = ()  # stand before the tiles, and all else
    mend: str = ""  # their heading
    caution: str = ""  # the heading of the warnings
    warnings: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
