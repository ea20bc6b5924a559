"""Delimited text line by line: slow, but a line that cannot be read costs no other, and is told with its reason."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

import polars as pl

from segmenter.errors import InputError

BadLine = tuple[int, str, str]  # the data row in its file, from 1; the line as text; why it cannot be read

_BATCH = 100_000
_SHOWN = 200
_OPEN = "has a quote that does not end as it should (a quote inside a field is written as two)"
_BEHIND = "stands behind a quote that does not end, and may belong to it"


def read_lines(text: TextIO, name: str, separator: str, width: int) -> tuple[pl.DataFrame, list[BadLine]]:
    r"""Read records by the strict rules of CSV, and leave out what breaks them.

    A quote that does not end would swallow the rows behind it. So reading goes on at the line after the one where the bad
    record began, and of the lines that it had swallowed only those are taken that look like whole records: with all fields,
    and without a quote in any. The others may be pieces of the bad record, and are left out too.

    Two limits remain. A quote that opens in one line and happens to close in a later one, before a separator or a line's end,
    is a field of several lines, as far as anyone can tell. And a line inside a field of several lines that ends badly, is
    taken for a row of its own where it has as many fields as the header.

    Parameters
    ----------
    text : TextIO
        Opened with ``newline=""``, at the header or at blank lines above it.
    name : str
        What to call the file in messages.
    separator : str
        One character.
    width : int
        Fields of the header. A line with fewer ends in nulls; more are taken where they are empty.

    Returns
    -------
    DataFrame
        Text, one row for each record below the header, with nulls alone where it is blank or cannot be read.
    list of BadLine
        What cannot be read: a field is at most 131,072 characters long.

    Raises
    ------
    InputError
        The header cannot be read.

    Examples
    --------
    >>> import io
    >>> frame, bad = read_lines(io.StringIO('id,note\n1,"open\n2,x\n3,y,z\n', newline=""), "orders.csv", ",", 2)
    >>> frame.rows()
    [(None, None), ('2', 'x'), (None, None)]
    >>> [(row, line) for row, line, reason in bad]
    [(1, '1,"open'), (3, '3,y,z')]
    """
    schema = {f"column {place}": pl.String for place in range(width)}
    frames = [pl.DataFrame(schema=schema)]
    bad: list[BadLine] = []
    rows: list[list[str | None]] = []
    number = -1  # the header is none of the data rows
    for record, line, reason in _records(text, separator, width):
        if number < 0:
            if reason is not None:
                raise InputError(f"{name}: its header {reason}; mend it, or skip the rows above the header by data.skip_rows")
            number += bool(record)
            continue
        number += 1
        # A bad record keeps its place, so that the rows behind it keep their numbers.
        cells = record[:width] if reason is None else []
        if reason is not None:
            shown = line.rstrip("\r\n")
            bad.append((number, shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…", reason))
        rows.append([*cells, *[None] * (width - len(cells))])
        if len(rows) == _BATCH:
            frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
            rows = []
    frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
    return pl.concat(frames).with_columns(pl.all().replace("", None)), bad


def _records(text: TextIO, separator: str, width: int) -> Iterator[tuple[list[str], str, str | None]]:
    """Give each record with its first line and, where it cannot be read, the reason."""
    waiting: deque[str] = deque()  # lines that a bad record had swallowed
    taken: list[str] = []  # lines of the record that is being read

    def lines() -> Iterator[str]:
        while line := waiting.popleft() if waiting else text.readline():
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    while True:
        behind, reason = bool(waiting), None
        taken.clear()
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            limit = f"{csv.field_size_limit():,}"
            long = f"has a quote that does not end, or a field of more than {limit} characters"
            record, reason = [], long if "field limit" in str(error) else _OPEN
            reader = csv.reader(lines(), delimiter=separator, strict=True)
        else:
            if any(record[width:]):
                reason = f"has {len(record)} fields, the header {width}"
            elif behind and record and (len(record) < width or any('"' in cell for cell in record)):
                reason = _BEHIND
        if reason is not None:
            waiting.extendleft(reversed(taken[1:]))
        yield record, taken[0], reason
