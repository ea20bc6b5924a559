"""Delimited text line by line: slow, but a line that cannot be read costs no other, and gets its reason."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

import polars as pl

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.reject_reasons import BEHIND_QUOTE, LONG_FIELD, OPEN_QUOTE, OTHER_WIDTH, with_facts

BadLine = tuple[int, str, Message]  # the line in its file, from 1; what stands there; why it cannot be read

_BATCH = 100_000
_SHOWN = 200


def read_lines(
    text: TextIO, name: str, separator: str, width: int, above: int = 0, *, headed: bool = True
) -> tuple[pl.DataFrame, pl.Series, list[BadLine]]:
    """Read records by the strict rules of CSV, one row for each below the header that is not blank, and leave out what breaks them.

    `text` is opened with ``newline=""``; `above` lines of the file stand before it, and where `headed` a header is the first of its own. A
    line with fewer than `width` fields ends in nulls.
    A quote that does not end would swallow the rows behind it. So reading goes on at the line after the one where the bad record began,
    and of the lines that it had swallowed only those are taken that look like whole records: with all fields, and without a quote in
    any. Whether a quote that closes in a later line was meant to, nobody can tell: that is a field of several lines.
    """
    schema = {f"column {position}": pl.String for position in range(width)}
    frames = [pl.DataFrame(schema=schema)]
    bad: list[BadLine] = []
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    for number, record, line, reason in _records(text, separator, width):
        if headed:
            if reason is not None:
                sentence = "{name}: its header {reason}; mend it, or skip the rows above the header by data.skip_rows"
                raise InputError(Message("files.bad_header", sentence, name=name, reason=reason))
            headed = not record
        elif reason is not None:
            shown = line.rstrip("\r\n")
            bad.append((above + number, shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…", reason))
        elif record:
            numbers.append(above + number)
            rows.append([*record[:width], *[None] * (width - len(record))])
            if len(rows) == _BATCH:
                frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
                rows = []
    frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
    return pl.concat(frames).with_columns(pl.all().replace("", None)), pl.Series(numbers, dtype=pl.Int64), bad


def _records(text: TextIO, separator: str, width: int) -> Iterator[tuple[int, list[str], str, Message | None]]:
    """Give each record with the number of its first line, that line and, where it cannot be read, the reason."""
    waiting: deque[str] = deque()  # lines that a bad record had swallowed
    taken: list[str] = []  # lines of the record that is being read
    number = 1

    def lines() -> Iterator[str]:
        while line := waiting.popleft() if waiting else text.readline():
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    while True:
        behind = bool(waiting)
        reason: Message | None = None
        taken.clear()
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            record, reason = [], with_facts(LONG_FIELD, limit=f"{csv.field_size_limit():,}") if "field limit" in str(error) else OPEN_QUOTE
            reader = csv.reader(lines(), delimiter=separator, strict=True)
        else:
            if any(record[width:]):
                reason = with_facts(OTHER_WIDTH, fields=str(len(record)), width=str(width))
            elif behind and record and (len(record) < width or any('"' in cell for cell in record)):
                reason = BEHIND_QUOTE
        if reason is not None:
            waiting.extendleft(reversed(taken[1:]))
        yield number, record, taken[0], reason
        number += 1 if reason is not None else len(taken)
