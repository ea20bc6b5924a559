"""Headers between the rows of a table: its own, where exports were pasted below each other, and others."""

from collections.abc import Collection, Iterator, Sequence

import polars as pl

from segmenter.checks.header_rows import Row, cell_of, has_digits
from segmenter.checks.table_lines import Lines, OtherRow

_MOST = 25  # rows that are looked at
_GAPS = 50  # blank rows below which another table is looked for; more are a way to write
_MANY = 0.67  # of the cells of a row are names of the header


def headers_again(lines: Lines, above: Sequence[Row]) -> Iterator[tuple[int, OtherRow]]:
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


def _titles_above(lines: Lines, place: int, known: Collection[str]) -> Iterator[tuple[int, OtherRow]]:
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
    lines = Lines(own, frame[number])
    found = []
    for place in own[first].is_in(names).arg_true().head(_MOST).to_list():
        line = lines.line(place)
        cells = list(line.cells.values())
        if len(cells) > 2 and len(set(cells) & set(names)) >= max(3, _MANY * len(cells)) and cells not in known:
            found.append(line.row)
    gaps = (frame[number].diff() > 1).arg_true().to_list()
    found += [lines.numbers[place] for place in gaps if len(gaps) <= _GAPS and _heads_another(lines, place, known)]
    return sorted(set(found))


def _heads_another(lines: Lines, place: int, known: Sequence[Sequence[str]]) -> bool:
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
