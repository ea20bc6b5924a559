"""Workbooks of calls, by two processes where there are many cells: XlsxWriter is Python all through, and keeps one core busy."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl

from segmenter.report.call_sheet_cells import Formats, display_width, formats, new_workbook, protect, write_cell
from segmenter.report.call_sheet_columns import Layout
from segmenter.report.call_sheet_pages import About, add_days, add_heading, add_info, day_name
from segmenter.report.call_sheet_words import ANSWER_WORDS
from segmenter.report.labels import Labels
from segmenter.side_process import SideProcess
from segmenter.words import visible

_LINE = 16.0  # points
_ENOUGH = 30_000  # cells; of fewer a second process takes longer to start than it saves


@dataclass(frozen=True)
class Book:
    """A workbook of calls: of a region or, with a sheet a day, of an agent."""

    unit: str
    calls: pl.DataFrame
    layout: Layout
    about: About
    by_agent: bool


class BookMaker:
    """Makes workbooks, by the names of their files, from the moment that it has them; whoever writes them makes those that are left."""

    def __init__(self, books: Mapping[str, Book]) -> None:
        self._names, self._left, self._made = (*books,), deque(books.items()), dict[str, bytes]()
        cells = sum(book.calls.height * len(book.layout.columns) for book in books.values())
        self._beside = Thread(target=self._make_beside, daemon=True)
        if cells >= _ENOUGH and (os.cpu_count() or 1) > 1:
            self._beside.start()

    def _make_beside(self) -> None:
        with suppress(Exception), SideProcess(work) as process:  # whatever it is, the other way meets it too, and says it
            while True:
                name, book = self._left.popleft()
                try:
                    process.send(book)
                    self._made[name] = process.receive()
                finally:
                    if name not in self._made:
                        self._left.append((name, book))

    def write(self, folder: Path) -> list[Path]:
        """Write all into a folder, which is made where it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._make_left(folder)
        if self._beside.ident:
            self._beside.join()
            self._make_left(folder)  # where the other process broke down
        for name, made in self._made.items():
            (folder / name).write_bytes(made)
        return [folder / name for name in self._names]

    def _make_left(self, folder: Path) -> None:
        while self._left:
            try:
                name, book = self._left.pop()
            except IndexError:  # the other process has taken it meanwhile
                return
            make_book(book, (folder / name).write_bytes)


def work(sent: Iterator[Book], answer: Callable[[object], None]) -> None:
    """Make the workbooks that are sent, in a process of its own."""
    for book in sent:
        make_book(book, answer)


def make_book(book: Book, write: Callable[[bytes], object]) -> None:
    """Make a workbook of calls."""
    unit, calls, layout, about = book.unit, book.calls, book.layout, book.about
    launch, labels = about.launch, about.labels
    properties = {"title": visible(f"{launch.name} · {unit}"), "created": datetime.combine(about.as_of, time(), UTC)}
    with new_workbook(write, properties) as sheets:
        styles = formats(sheets, labels)
        if book.by_agent:
            for (day,), part in calls.group_by("call_on", maintain_order=True):
                _add_calls(sheets, day_name(day, labels), unit, part, layout, styles, about, day)
        else:
            _add_calls(sheets, labels.say("calls", "外呼名单"), unit, calls, layout, styles, about)
            if about.agents:
                add_days(sheets, calls, about)
        add_info(sheets, unit, calls, about, by_agent=book.by_agent)


def _add_calls(
    book: Any, name: str, unit: str, calls: pl.DataFrame, layout: Layout, styles: Formats, about: About, day: date | None = None
) -> None:
    """Add a sheet of calls; that of a day says above the header what to say."""
    sheet = book.add_worksheet(name)
    top = 0 if day is None else add_heading(book, sheet, _heading(unit, name, calls, about), layout.printed, calls, about)
    _fill(sheet, top, calls, layout, styles, ruled=about.agents and day is None)
    _arrange(sheet, top, calls.height, layout, about.labels)
    # Excel takes at most 255 characters, and an ampersand stands for itself only when doubled.
    title = " · ".join(part for part in (about.launch.name, unit, about.launch.topic) if part)
    title = visible(title)[:90].replace("&", "&&")
    sheet.set_header(f"&L{title}&R{about.labels.say('good until', '有效期至')} {about.valid_until}")
    sheet.set_footer("&C&P / &N")


def _heading(agent: str, day: str, calls: pl.DataFrame, about: About) -> str:
    count = about.labels.say("{} calls", "{} 位客户").format(about.labels.number(calls.height))
    return " · ".join(part for part in (agent, day, count, about.launch.name, about.launch.topic) if part)


def _fill(sheet: Any, top: int, calls: pl.DataFrame, layout: Layout, styles: Formats, *, ruled: bool) -> None:
    for place, column in enumerate(layout.columns):
        sheet.set_column(place, place, column.width)
        write_cell(sheet, top, place, column.head, styles["head", False, False])
    # Not every program makes room for wrapped text by itself.
    wrapped = {column.key: column.width for column in layout.columns if column.style == "wrapped"}
    lines = pl.max_horizontal((display_width(key) / width).ceil() for key, width in wrapped.items()).fill_null(1).alias("lines")
    day = pl.struct("agent", "call_on")
    begins = (day != day.shift()).fill_null(value=False) if ruled else pl.lit(value=False)
    cells = calls.select("key_user", begins.alias("begins"), lines, *(column.key for column in layout.columns))
    cells = cells.with_columns(pl.col("key_user").fill_null(value=False))
    for row, (key_user, begun, high, *values) in enumerate(cells.iter_rows(), start=top + 1):
        sheet.set_row(row, _LINE * max(high, 1) + 3)
        for place, (column, value) in enumerate(zip(layout.columns, values, strict=True)):
            write_cell(sheet, row, place, value, styles[column.style, key_user, begun])


def _arrange(sheet: Any, top: int, rows: int, layout: Layout, labels: Labels) -> None:
    answers, last = [labels.say(*answer) for answer in ANSWER_WORDS.values()], top + rows
    choice = {
        "validate": "list",
        "source": answers,
        "error_title": labels.say("answer", "答复"),
        "error_message": labels.say("Please choose one of: ", "请从列表中选择：") + labels.say(", ", "、").join(answers),
    }
    sheet.data_validation(top + 1, layout.place("answer"), last, layout.place("answer"), choice)
    sheet.set_row(top, 30)
    who = next(place for place, column in enumerate(layout.columns) if column.key in ("name", "customer_id"))
    sheet.freeze_panes(top + 1, who + 1)
    sheet.autofilter(top, 0, last, len(layout.columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 1}"})
    protect(sheet)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.print_area(0, 0, last, layout.printed - 1)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, top)
    sheet.set_margins(left=0.3, right=0.3, top=0.7, bottom=0.6)
