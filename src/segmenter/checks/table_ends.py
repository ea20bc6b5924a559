"""Rows of a file that are none of its table's: headers that stand there again, totals, and notes below."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from segmenter.checks.header_rows import COLONS, Row, cell_of, has_digits, is_value
from segmenter.vocabulary import vocabulary

_KNOWN = vocabulary("sheets")
_WORDS: list[str] = _KNOWN["totals"]
_ALONE = re.compile(rf"({'|'.join(map(re.escape, _WORDS))})\s*[:\uff1a]?", re.IGNORECASE)
_TOTAL = re.compile(rf"({'|'.join(map(re.escape, _WORDS))})\s*(?:[:\uff1a]|(?=\W|\d))[^a-z]*\d[^a-z]*", re.IGNORECASE)
_NAMED = rf"(?i).[\s_\-]*({'|'.join(map(re.escape, _KNOWN['group_totals']))})\s*$"  # for Polars, too
_FIGURES = re.compile(rf"({'|'.join(map(re.escape, _KNOWN['figures']))})\s*[:\uff1a]?", re.IGNORECASE)
_NOTE = re.compile("|".join(f"(?:{note})" for note in _KNOWN["notes"]), re.IGNORECASE)
# As they are written: to fold the case of millions of cells would take longer than to read them.
_WRITTEN = [
    f"{start}{end}"
    for word in _WORDS
    for start in dict.fromkeys((word, word.title(), word.capitalize(), word.upper()))
    for end in ("", *COLONS)
]
# "Made by: Ann", but no id such as "wx:ann".
_LABEL = re.compile("[^\\d:\uff1a]{1,20}\uff1a.*|[^\\d:]{1,20}:(?:\\s.*)?|[^\\d:]{0,19}[^\\x00-\\x7f]:.*")
_TAIL = 25  # rows at the end of a table that may be others
_FIRST = 3  # columns in which the word for a total stands between the rows of a table
_SPARSE = 0.67  # of the cells of a usual row: one of totals has at most that
_LONG = 24  # characters: no id is longer
_NEAR = 0.01
_GAPS = 50  # blank rows below which another table is looked for; more are a way to write
_ENOUGH = 3  # rows above a sum without a word


@dataclass(frozen=True)
class OtherRow:
    """A row that is none of the table's."""

    row: int  # its number in the file
    kind: str  # repeated (what stands above the table), total, note; or what only may be one: unsure
    text: str  # what stands first in it
    proof: bool | None = None  # of a total: whether it is the sum of the rows above, None where it has no number


@dataclass(frozen=True)
class _Line:
    place: int  # in the frame
    row: int
    cells: dict[str, str]  # those with something in them
    gap: bool  # blank rows above


def other_rows(frame: pl.DataFrame, above: Sequence[Row], number: str) -> list[OtherRow]:
    """Find the rows that are none of a table's, in their order.

    `above` are the titles and the header as they stand above the table; `number` is the column with the row numbers.
    """
    lines = _Lines(frame.drop(number, "__file", strict=False), frame[number])
    found = dict(_headers_again(lines, above))
    usual = _usual(lines.own)
    for end in sorted({*(place for place in found if place - 1 not in found), lines.own.height}):
        found |= _tail(lines, end, found, usual)
    found |= _totals_between(lines, found, usual)
    return [other for other in _proven(lines, found) if other.kind != "sum"]


class _Lines:
    """The rows of a frame as a person sees them."""

    def __init__(self, own: pl.DataFrame, numbers: pl.Series) -> None:
        self.own, self.numbers = own, numbers
        self.texts = [name for name, dtype in own.schema.items() if dtype == pl.String]

    def line(self, place: int) -> _Line:
        cells = {
            name: cell for name, value in self.own.row(place, named=True).items() if value is not None and (cell := cell_of(str(value)))
        }
        row = self.numbers[place]
        return _Line(place, row, cells, place > 0 and row - self.numbers[place - 1] > 1)

    def found(self, place: int, kind: str) -> OtherRow:
        line = self.line(place)
        cells = list(line.cells.values())
        return OtherRow(line.row, kind, next(filter(total_word, cells), cells[0] if cells else ""))


def _usual(own: pl.DataFrame) -> float:
    """Count the cells with something in them of a usual row."""
    sample = own.head(500)
    counts = sample.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int64))).to_series() if own.width else pl.Series([0])
    return float(counts.quantile(0.75, "higher") or 0)


def _headers_again(lines: _Lines, above: Sequence[Row]) -> Iterator[tuple[int, OtherRow]]:
    """Find the header and the titles above where they stand there again, as where exports were pasted below each other."""
    names = lines.own.columns
    for at, head in enumerate(above):
        cells = {name: cell for name, value in zip(names, head, strict=False) if (cell := cell_of(value))}
        first = next(iter(cells), None)
        if first is None or first not in lines.texts or not lines.own.height:
            continue
        again = lines.own[first] == cells[first]
        if not again.any():
            continue
        same = pl.all_horizontal(
            (pl.col(name).str.strip_chars() == cells[name] if name in lines.texts else pl.lit(value=False)).fill_null(value=False)
            if name in cells
            else pl.col(name).is_null()
            for name in names
        )
        places = lines.own.with_row_index("__place").filter(again).filter(same)["__place"].to_list()
        for place in places:
            yield place, lines.found(place, "repeated")
            if at == len(above) - 1:
                yield from _titles_above(lines, place, {row[0] for row in map(_filled, above[:-1]) if row})


def _titles_above(lines: _Lines, place: int, known: Collection[str]) -> Iterator[tuple[int, OtherRow]]:
    """Find what stands above a header that stands there again: single cells, and what begins as a title did."""
    for before in range(place - 1, max(-1, place - 6), -1):
        cells = list(lines.line(before).cells.values())
        if lines.own.width < 3 or (len(cells) > 1 and cells[0] not in known):
            return
        yield before, lines.found(before, "repeated")


def _filled(row: Row) -> list[str]:
    return [cell for value in row if (cell := cell_of(value))]


def other_headers(frame: pl.DataFrame, above: Sequence[Row], number: str) -> list[int]:
    """Find rows that head other columns: the names of the header in another order, or, below blank rows, names of another table."""
    own = frame.drop(number, "__file", strict=False)
    known = [_filled(row) for row in above]
    names = known[-1]
    first = next((name for name, dtype in own.schema.items() if dtype == pl.String), None)
    if first is None:
        return []
    lines = _Lines(own, frame[number])
    found = []
    for place in own[first].is_in(names).arg_true().head(_TAIL).to_list():
        line = lines.line(place)
        cells = list(line.cells.values())
        if len(cells) > 2 and len(set(cells) & set(names)) >= max(3, _SPARSE * len(cells)) and cells not in known:
            found.append(line.row)
    gaps = (frame[number].diff() > 1).arg_true().to_list()
    found += [lines.numbers[place] for place in gaps if len(gaps) <= _GAPS and _heads_another(lines, place, known)]
    return sorted(set(found))


def _heads_another(lines: _Lines, place: int, known: Sequence[Sequence[str]]) -> bool:
    """Tell whether a row below a blank one holds names where values are, above it and below."""
    line = lines.line(place)
    texts = list(line.cells.values())
    if texts in known or len(texts) < 2 or len(set(texts)) < len(texts) or any(map(has_digits, texts)):
        return False
    above = [lines.line(at).cells for at in range(max(0, place - 5), place)]
    below = [lines.line(at).cells for at in range(place + 1, min(lines.own.height, place + 6))]
    names = [name for name in line.cells if _hold_values(above, name)]
    return len(names) > 1 and any(_hold_values(below, name) for name in names)


def _hold_values(rows: Sequence[dict[str, str]], name: str) -> bool:
    return bool(rows) and 2 * sum(has_digits(row.get(name, "")) for row in rows) >= len(rows)


def _tail(lines: _Lines, end: int, found: dict[int, OtherRow], usual: float) -> dict[int, OtherRow]:
    """Find totals and notes right above a place, from below."""
    ends: dict[int, OtherRow] = {}
    waiting: dict[int, OtherRow] = {}  # single cells that are notes if more says so: a blank row above, or a total
    for place in range(end - 1, max(-1, end - 1 - _TAIL), -1):
        line = lines.line(place)
        kind = None if place in found else _kind(line, usual)
        if kind is None and place not in found and _is_alone(line, usual):
            waiting[place] = lines.found(place, "note")
            if not line.gap:
                continue
        elif kind is None:
            if not waiting and place >= _ENOUGH and place not in found and _has_numbers_only(line, usual):
                ends[place] = lines.found(place, "sum")  # if it is one
            break
        else:
            waiting[place] = lines.found(place, kind)
        ends |= waiting
        waiting.clear()
        if kind == "unsure":
            break
    return ends


def _kind(line: _Line, usual: float) -> str | None:
    """Say what a row is by its words."""
    texts = list(line.cells.values())
    if not texts:
        return None
    if _ALONE.fullmatch(texts[0]) or _TOTAL.fullmatch(texts[0]):
        if _is_sparse(line, usual):
            # With more words it is a row of somebody of that name, unless it has the sum.
            return "total" if all(is_value(cell) or total_word(cell) for cell in texts[1:]) else "sum"
        return "unsure" if _ALONE.fullmatch(texts[0]) else None
    if _is_sparse(line, usual):
        if _FIGURES.fullmatch(texts[0]):
            return "note"
        if re.search(_NAMED, texts[0]):
            return "sum"  # if it is one
    if len(texts) > 2 and is_value(texts[0]) and _ALONE.fullmatch(texts[1]):  # behind the number of the row
        return "sum"
    few = len(texts) < max(2.0, _SPARSE * usual) and usual > 1
    return (
        "note"
        if few and (_NOTE.search(texts[0]) or any(cell.endswith(COLONS) for cell in texts) or all(map(_LABEL.fullmatch, texts)))
        else None
    )


def _is_sparse(line: _Line, usual: float) -> bool:
    return len(line.cells) <= _SPARSE * usual


def _is_alone(line: _Line, usual: float) -> bool:
    """Tell whether a row has one cell, which is no id as it has words."""
    if len(line.cells) != 1 or usual < 3:
        return False
    (cell,) = line.cells.values()
    return not is_value(cell) and (cell.count(" ") > 1 or _LABEL.fullmatch(cell) is not None or len(cell) > _LONG)


def _has_numbers_only(line: _Line, usual: float) -> bool:
    return bool(line.cells) and _is_sparse(line, usual) and all(is_value(cell) for cell in line.cells.values())


def _totals_between(lines: _Lines, found: dict[int, OtherRow], usual: float) -> dict[int, OtherRow]:
    """Find totals between the rows, such as those of each month."""
    # The word stands in the first cell with something in it: other columns matter only where those before may be empty.
    names = lines.own.columns
    full = next((place for place, name in enumerate(names) if lines.own[name].null_count() == 0), len(names))
    first = [pl.col(name) for name in names[: full + 1] if name in lines.texts][:_FIRST]
    columns = [(cell.is_in(_WRITTEN) | cell.str.contains(_NAMED)).fill_null(value=False) for cell in first]
    if not columns:
        return {}
    places = lines.own.select(pl.any_horizontal(columns).arg_true()).to_series().to_list()
    if len(places) > max(_TAIL, lines.own.height // 2):
        return {}  # a word of the shop's
    kinds = {place: _kind(lines.line(place), usual) for place in places if place not in found}
    return {place: lines.found(place, kind) for place, kind in kinds.items() if kind in ("total", "unsure", "sum")}


def _proven(lines: _Lines, found: dict[int, OtherRow]) -> Iterator[OtherRow]:
    """Compare the totals with the sums of the rows: of those above, since the last total, or of all."""
    sums: dict[str, list[pl.Series]] = {}
    since = -1
    for before, (place, other) in enumerate(sorted(found.items())):
        if other.kind not in ("total", "unsure", "sum"):
            yield other
            continue
        proof = None
        for column, cell in lines.line(place).cells.items():
            said = _without_word(cell)
            if not is_value(said):
                continue
            above: list[float] = [place - since - 1, place - before] if other.kind == "total" else []  # how many they are
            for name in [column] if said == cell else lines.own.columns:  # behind its word, a number stands in any column
                if name not in sums:
                    none = pl.Series(list(found), dtype=pl.UInt32)
                    numbers = [series.scatter(none, None).fill_null(0.0) for series in _readings(lines.own[name])]
                    sums[name] = [series.cum_sum().extend(pl.Series([0.0])) for series in numbers]
                above += [total for series in sums[name] for total in (series[place], series[place] - series[since], series[-2])]
            values = [value for series in _readings(pl.Series([said])) for value in series if value is not None]
            proof = bool(proof) or any(abs(value - total) < _NEAR for value in values for total in above)
        since = place if proof or other.kind == "total" else since
        kind = "total" if proof and other.kind != "total" else other.kind
        yield replace(other, kind=kind, proof=proof)


def _without_word(cell: str) -> str:
    match = _TOTAL.fullmatch(cell)
    return cell if match is None else cell[len(match[1]) :].lstrip(" \uff1a:")


def _readings(cells: pl.Series) -> list[pl.Series]:
    """Read numbers with one decimal mark, and with the other."""
    if cells.dtype != pl.String:
        return [cells.cast(pl.Float64, strict=False)] if cells.dtype.is_numeric() else []
    plain = cells.str.replace_all(r"[^\d.,+\-]", "")
    marks = ((",", "."), (".", ","))
    return [
        plain.str.replace_all(group, "", literal=True).str.replace(mark, ".", literal=True).cast(pl.Float64, strict=False)
        for group, mark in marks
    ]


def total_word(text: str) -> str | None:
    """Give the word for a total with which a cell begins; None where it begins with none."""
    match = _ALONE.fullmatch(text) or _TOTAL.fullmatch(text)
    return None if match is None else match[1]
