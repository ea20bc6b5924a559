"""The rows of a file that are its table's, without titles, totals and notes; what is left out is said."""

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from segmenter.checks.header_rows import Header, Row, cell_of
from segmenter.checks.inner_headers import other_headers
from segmenter.checks.table_ends import other_rows
from segmenter.checks.table_lines import OtherRow
from segmenter.checks.total_words import total_word
from segmenter.contacts import shape
from segmenter.errors import InputError
from segmenter.findings import Finding, Level
from segmenter.messages import Message
from segmenter.sources.expressions import ROW, columns_of
from segmenter.sources.file_format import FileFormat
from segmenter.sources.raw import column_names

_SHOWN = 3
_LONG = 30


def header_findings(name: str, rows: Sequence[Row], header: Header, numbers: Sequence[int], written: FileFormat) -> list[Finding]:
    """Say which rows above a header are left out, and that a header has two rows; `numbers` are those of `rows` in the file."""
    if written.skip_rows != "auto" or not written.header:
        return []
    found = []
    above = [row for row in rows[: header.first] if any(map(cell_of, row))]
    if above:
        text = next(cell for value in above[0] if (cell := cell_of(value)))
        sentence = '{name}: row {row:,} is its header; {count:,} above it, "{shown}", are no rows of the table ({key}=0 takes the first)'
        facts = {"row": numbers[header.first], "count": len(above), "shown": _shape(text), "key": written.key("skip_rows")}
        # As many cells as the header has, in more than one row: that may be a table, too.
        wide = sum(2 * sum(map(bool, map(cell_of, row))) > sum(map(bool, header.names)) for row in above)
        level: Level = "warning" if wide > 1 else "note"
        found.append(Finding(level, Message("sheets.titles", sentence, name=name, **facts)))
    if header.last > header.first:
        sentence = (
            "{name}: rows {first:,} and {last:,} are its header; a column is called as in the lower one, behind its group where two are "
            "called the same: {shown}"
        )
        facts = {"first": numbers[header.first], "last": numbers[header.last], "shown": tuple(filter(None, header.names))[:6]}
        found.append(Finding("note", Message("sheets.two_rows", sentence, name=name, **facts)))
    return found


def other_rows_of(
    frame: pl.DataFrame, rows: Sequence[Row], header: Header, name: str, written: FileFormat
) -> tuple[list[int], list[Finding]]:
    """List the rows of a labelled frame that are none of its table's, by their numbers, and say so."""
    if written.as_is or not columns_of(frame) or not any(map(cell_of, header.names)):
        return [], []
    kept = [place for place, column in enumerate(column_names(header.names)) if column in frame.columns]
    above = [[row[place] if place < len(row) else None for place in kept] for row in rows[: header.last + 1] if any(map(cell_of, row))]
    if other := other_headers(frame, above, ROW):
        sentence = (
            "{name}: row {row:,} seems to be another header, of other columns or in another order; put what is below it into a file, or "
            "on a sheet, of its own"
        )
        raise InputError(Message("sheets.another_header", sentence, name=name, row=other[0]))
    others = other_rows(frame, above, ROW)
    out = sorted(other.row for other in others if other.kind != "unsure")
    findings = [_told(name, kind, found, written) for kind in _KINDS if (found := [other for other in others if _kind(other) == kind])]
    return out, findings


_KINDS = ("repeated", "total", "wrong_total", "unsure", "note")


def _kind(other: OtherRow) -> str:
    return "wrong_total" if other.kind == "total" and other.proof is False else other.kind


def _told(name: str, kind: str, others: Sequence[OtherRow], written: FileFormat) -> Finding:
    rows = tuple(f"{other.row:,}" for other in others[:_SHOWN])
    facts = {"name": name, "count": len(others), "rows": (*rows, "…") if len(others) > _SHOWN else rows, "shown": _shown(others[0])}
    level: Level = "note"
    match kind:
        case "repeated":
            sentence = "{name}: rows left out that repeat what stands above the table: {count:,} (row {rows})"
            message = Message("sheets.repeated", sentence, **facts)
        case "total":
            proof = Message("sheets.proof", ", with their sums") if all(other.proof for other in others) else ""
            sentence = '{name}: rows left out as totals: {count:,} (row {rows}: "{shown}"{proof})'
            message = Message("sheets.totals", sentence, **facts, proof=proof)
        case "wrong_total":
            level = "warning"
            sentence = (
                '{name}: rows left out as totals: {count:,} (row {rows}: "{shown}"), though their numbers are not the sums of the rows: '
                "look whether some are missing"
            )
            message = Message("sheets.wrong_totals", sentence, **facts)
        case "unsure":
            level = "warning"
            sentence = (
                '{name}: rows read that may be totals: {count:,} (row {rows}: "{shown}"), which have more than a total has, and no number '
                "that is a sum of the others; delete them, or leave them out by {key}"
            )
            message = Message("sheets.unsure_totals", sentence, **facts, key=f"data.{written.table}.where")
        case _:
            sentence = '{name}: rows left out as notes below the table: {count:,} (row {rows}: "{shown}")'
            message = Message("sheets.notes", sentence, **facts)
    return Finding(level, message)


def _shown(other: OtherRow) -> str:
    return total_word(other.text) or _shape(other.text)


def _shape(text: str) -> str:
    shown = shape(text)
    return shown if len(shown) <= _LONG else shown[: _LONG - 1] + "…"


def check_one_table(name: str, header: Sequence[str | None], frame: pl.DataFrame) -> None:
    """Refuse two tables beside each other: an empty column without a name between them, and rows of one where the other has ended."""
    named = [bool(cell_of(cell)) for cell in header]
    spacers = [at for at, column in enumerate(frame.columns) if not named[at] and frame[column].null_count() == frame.height]
    edges = [-1, *spacers, len(named)]
    blocks = [range(first + 1, last) for first, last in pairwise(edges) if sum(named[first + 1 : last]) > 1]
    if len(blocks) < 2 or frame.is_empty():
        return
    names = [[cell_of(header[at]) for at in block if named[at]] for block in blocks]
    counts = [frame.select(pl.sum_horizontal(pl.nth(list(block)).is_not_null().cast(pl.Int64))).to_series() for block in blocks]
    ends = [len(count) - int((count > 0).reverse().arg_max() or 0) if (count > 0).any() else 0 for count in counts]
    whole = [bool((count[:end] > 0).all()) for count, end in zip(counts, ends, strict=True)]
    longer = max(range(len(blocks)), key=lambda at: ends[at])
    apart = any(
        whole[at] and ends[at] < ends[longer] and bool((counts[longer][ends[at] :] > 1).any()) for at in range(len(blocks)) if at != longer
    )
    twice = len(set(names[0]) & set(names[1])) > 1
    if apart or twice:
        sentence = (
            "{name}: should have one table in a sheet (got two beside each other, from {first} and from {second} on); "
            "put the other on a sheet of its own"
        )
        raise InputError(Message("sheets.beside", sentence, name=name, first=_letters(blocks[0][0]), second=_letters(blocks[1][0])))


def _letters(place: int) -> str:
    """Name a column as spreadsheets do.

    >>> _letters(27)
    'AB'
    """
    return (_letters(place // 26 - 1) if place > 25 else "") + chr(65 + place % 26)
