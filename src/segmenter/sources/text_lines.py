"""Delimited text line by line: slow, but a line that cannot be read costs no other, and is told with its reason."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

import polars as pl

from segmenter.errors import InputError

BadLine = tuple[int, str, str]  # the line in its file, from 1; what stands there; why it cannot be read

_BATCH = 100_000
_SHOWN = 200
_OPEN = "has a quote that does not end as it should (a quote inside a field is written as two)"
_BEHIND = "stands behind a quote that does not end, and may belong to it"


def read_lines(text: TextIO, name: str, separator: str, width: int, above: int = 0) -> tuple[pl.DataFrame, pl.Series, list[BadLine]]:
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
    above : int
        Lines of the file above `text`.

    Returns
    -------
    DataFrame
        Text, one row for each record below the header that is not blank and can be read.
    Series
        The line on which each begins.
    list of BadLine
        What cannot be read: a field is at most 131,072 characters long.

    Raises
    ------
    InputError
        The header cannot be read.

    Examples
    --------
    >>> import io
    >>> frame, lines, bad = read_lines(io.StringIO('id,note\n1,"open\n2,x\n3,y,z\n', newline=""), "orders.csv", ",", 2)
    >>> frame.rows(), lines.to_list()
    ([('2', 'x')], [3])
    >>> [(number, line) for number, line, reason in bad]
    [(2, '1,"open'), (4, '3,y,z')]
    """
    schema = {f"column {place}": pl.String for place in range(width)}
    frames = [pl.DataFrame(schema=schema)]
    bad: list[BadLine] = []
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    headed = False
    for number, record, line, reason in _records(text, separator, width):
        if not headed:
            if reason is not None:
                raise InputError(f"{name}: its header {reason}; mend it, or skip the rows above the header by data.skip_rows")
            headed = bool(record)
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


def _records(text: TextIO, separator: str, width: int) -> Iterator[tuple[int, list[str], str, str | None]]:
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
        yield number, record, taken[0], reason
        number += 1 if reason is not None else len(taken)
