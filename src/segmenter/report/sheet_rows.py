"""Many rows of a worksheet at once: XlsxWriter writes the sheet with an example of each kind of row, and these are written like them.

Cell by cell a sheet takes a hundred times as long. What is written is as ECMA-376, part 1, section 18.3.1 has it; text stands in its cell.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import polars as pl

from segmenter.words import STAND_INS

_MOST = 32_767  # UTF-16 units in a cell; of them, some characters are two
_STAND_INS = {"\r\n": "\n"} | STAND_INS
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True)
class Rows:
    """The rows of a sheet below its header: `kind` numbers the example that each is like, `height` is in points, the others are cells."""

    first: int  # its number in the sheet, from 1; there the examples stand
    cells: pl.DataFrame


def write_rows(path: Path, sheets: Mapping[int, Rows]) -> None:
    """Write rows into sheets of a workbook, by their numbers from 1, in the place of their examples."""
    with ZipFile(path) as book:
        parts = [(info, book.read(info)) for info in book.infolist()]
    with ZipFile(path, "w") as book:
        for info, part in parts:
            number = re.fullmatch(r"xl/worksheets/sheet(\d+)\.xml", info.filename)
            rows = sheets.get(int(number[1])) if number else None
            book.writestr(info, part if rows is None else _with_rows(part.decode(), rows))


def _with_rows(sheet: str, rows: Rows) -> str:
    before, examples, after = re.fullmatch(rf'(.*?)(<row r="{rows.first}" .*)(</sheetData>.*)', sheet, re.DOTALL).groups()  # type: ignore[union-attr]
    styles = [re.findall(r' s="(\d+)"', row) for row in examples.split("</row>")[:-1]]
    columns = re.findall(r'<c r="([A-Z]+)', examples)[: len(styles[0])]
    names = [name for name in rows.cells.columns if name not in ("kind", "height")]
    row = pl.lit("\0")
    cells = [
        [
            pl.lit(f'<c r="{letters}'),
            row,
            pl.lit('" s="'),
            _style([of_kind[place] for of_kind in styles]),
            _content(name, rows.cells.schema[name]),
        ]
        for place, (letters, name) in enumerate(zip(columns, names, strict=True))
    ]
    head = [pl.lit('<row r="'), row, pl.lit('" ht="'), _number("height"), pl.lit('" customHeight="1">')]
    text = pl.concat_str(*head, *(part for cell in cells for part in cell), pl.lit("</row>"))
    numbers = pl.int_range(rows.first, rows.first + pl.len()).cast(pl.String)
    written = rows.cells.select(text.str.replace_all("\0", numbers, literal=True)).to_series()
    last = f"{columns[-1]}{rows.first + rows.cells.height - 1}"
    return re.sub(r'(<dimension ref="A1:)[A-Z]+\d+', rf"\g<1>{last}", before) + "".join(written) + after


def _style(of_kinds: list[str]) -> pl.Expr:
    if len(set(of_kinds)) == 1:
        return pl.lit(of_kinds[0])
    return pl.col("kind").replace_strict(list(range(len(of_kinds))), of_kinds, return_dtype=pl.String)


def _content(name: str, kind: pl.DataType) -> pl.Expr:
    """End a cell: text never as a formula, a link or a number; of a time its date."""
    if kind == pl.String:
        text = pl.col(name).str.replace_many(_STAND_INS, leftmost=True)
        text = pl.when(text.str.contains(r"[\x{10000}-\x{10FFFF}]")).then(text.str.head(_MOST // 2)).otherwise(text.str.head(_MOST))
        text = text.str.replace_all(r"(_x[0-9a-fA-F]{4}_)", "_x005F${1}").str.replace_many(_XML)
        filled = pl.concat_str(pl.lit('" t="inlineStr"><is><t xml:space="preserve">'), text, pl.lit("</t></is></c>"))
    else:
        days = (pl.col(name).cast(pl.Date) - date(1899, 12, 30)).dt.total_days().cast(pl.String) if kind.is_temporal() else _number(name)
        filled = pl.concat_str(pl.lit('"><v>'), days, pl.lit("</v></c>"))
    return filled.fill_null('"/>')


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64).cast(pl.String).str.replace(r"\.0$", "")
