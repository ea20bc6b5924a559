"""Rows of a file that are none of its table's: headers that stand there again, totals, and notes below."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from segmenter.checks.header_rows import COLONS, Row, is_value
from segmenter.checks.inner_headers import headers_again
from segmenter.checks.table_lines import Line, Lines, OtherRow
from segmenter.checks.total_words import ALONE, NAMED, WRITTEN, total_word, without_word
from segmenter.vocabulary import vocabulary

_KNOWN = vocabulary("sheets")
_FIGURES = re.compile(rf"({'|'.join(map(re.escape, _KNOWN['figures']))})\s*[:\uff1a]?", re.IGNORECASE)
_NOTE = re.compile("|".join(f"(?:{note})" for note in _KNOWN["notes"]), re.IGNORECASE)
# "Made by: Ann", but no id such as "wx:ann".
_LABEL = re.compile("[^\\d:\uff1a]{1,20}\uff1a.*|[^\\d:]{1,20}:(?:\\s.*)?|[^\\d:]{0,19}[^\\x00-\\x7f]:.*")
_COUNT = re.compile(r"[\d.,]+\s*[^\W\d]{1,9}")  # "150 customers"
_TAIL = 25  # rows at the end of a table that may be others
_FIRST = 3  # columns in which the word for a total stands between the rows of a table
_SPARSE = 0.67  # of the cells of a usual row: one of totals has at most that
_LONG = 24  # characters: no id is longer
_NEAR = 0.01
_ENOUGH = 3  # rows above a sum without a word


def other_rows(frame: pl.DataFrame, above: Sequence[Row], number: str) -> list[OtherRow]:
    """Find the rows that are none of a table's, in their order.

    `above` are the titles and the header as they stand above the table; `number` is the column with the row numbers.
    """
    lines = Lines(frame.drop(number, "__file", strict=False), frame[number])
    found = dict(headers_again(lines, above))
    usual = _usual(lines.own)
    for end in sorted({*(place for place in found if place - 1 not in found), lines.own.height}):
        found |= _tail(lines, end, found, usual)
    found |= _totals_between(lines, found, usual)
    return [other for other in _proven(lines, found) if other.kind != "sum"]


def _tail(lines: Lines, end: int, found: dict[int, OtherRow], usual: float) -> dict[int, OtherRow]:
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


def _kind(line: Line, usual: float) -> str | None:
    """Say what a row is by its words."""
    texts = list(line.cells.values())
    if not texts:
        return None
    if total_word(texts[0]):
        # With more words, or as full as the others, it may be a row of somebody of that name: the sum tells.
        if _is_sparse(line, usual) and all(is_value(cell) or _COUNT.fullmatch(cell) or total_word(cell) for cell in texts[1:]):
            return "total"
        return "unsure" if ALONE.fullmatch(texts[0]) else None
    if _is_sparse(line, usual):
        if _FIGURES.fullmatch(texts[0]):
            return "note"
        if re.search(NAMED, texts[0]):
            return "sum"  # if it is one
    if len(texts) > 2 and is_value(texts[0]) and ALONE.fullmatch(texts[1]):  # behind the number of the row
        return "sum"
    few = len(texts) < max(2.0, _SPARSE * usual) and usual > 1
    return (
        "note"
        if few and (_NOTE.search(texts[0]) or any(cell.endswith(COLONS) for cell in texts) or all(map(_LABEL.fullmatch, texts)))
        else None
    )


def _is_sparse(line: Line, usual: float) -> bool:
    return len(line.cells) <= _SPARSE * usual


def _is_alone(line: Line, usual: float) -> bool:
    """Tell whether a row has one cell, which is no id as it has words."""
    if len(line.cells) != 1 or usual < 3:
        return False
    (cell,) = line.cells.values()
    return not is_value(cell) and (cell.count(" ") > 1 or _LABEL.fullmatch(cell) is not None or len(cell) > _LONG)


def _has_numbers_only(line: Line, usual: float) -> bool:
    return bool(line.cells) and _is_sparse(line, usual) and all(is_value(cell) for cell in line.cells.values())


def _totals_between(lines: Lines, found: dict[int, OtherRow], usual: float) -> dict[int, OtherRow]:
    """Find totals between the rows, such as those of each month."""
    # The word stands in the first cell with something in it: other columns matter only where those before may be empty.
    names = lines.own.columns
    full = next((place for place, name in enumerate(names) if lines.own[name].null_count() == 0), len(names))
    first = [pl.col(name) for name in names[: full + 1] if name in lines.texts][:_FIRST]
    columns = [(cell.is_in(WRITTEN) | cell.str.contains(NAMED)).fill_null(value=False) for cell in first]
    if not columns:
        return {}
    places = lines.own.select(pl.any_horizontal(columns).arg_true()).to_series().to_list()
    if len(places) > max(_TAIL, lines.own.height // 2):
        return {}  # a word of the shop's
    kinds = {place: _kind(lines.line(place), usual) for place in places if place not in found}
    return {place: lines.found(place, kind) for place, kind in kinds.items() if kind in ("total", "unsure", "sum")}


def _proven(lines: Lines, found: dict[int, OtherRow]) -> Iterator[OtherRow]:
    """Compare the totals with the sums of the rows: of those above, since the last total, or of all."""
    sums: dict[str, list[pl.Series]] = {}
    since = -1
    for before, (place, other) in enumerate(sorted(found.items())):
        if other.kind not in ("total", "unsure", "sum"):
            yield other
            continue
        proof = None
        for column, cell in lines.line(place).cells.items():
            said = without_word(cell)
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


def _usual(own: pl.DataFrame) -> float:
    """Count the cells with something in them of a usual row."""
    sample = own.head(500)
    counts = sample.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int64))).to_series() if own.width else pl.Series([0])
    return float(counts.quantile(0.75, "higher") or 0)


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
