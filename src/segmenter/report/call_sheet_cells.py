"""How the cells of a call sheet look, and how they are written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from io import BytesIO
from typing import Any

import polars as pl

from segmenter import money
from segmenter.report.labels import Labels
from segmenter.words import visible

# Characters as wide as two.
WIDE = r"[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60\uFFE0-\uFFE6]"

CONTACT = "contact:"  # keeps the shop's columns apart from ours
Formats = dict[tuple[str, bool, bool], Any]


@contextmanager
def new_workbook(write: Callable[[bytes], object], properties: Mapping[str, Any]) -> Iterator[Any]:
    """Give a workbook to fill, and write it as a file's bytes: the same for the same cells."""
    from xlsxwriter import Workbook

    # In memory, so that every part of the zip gets one fixed time and fixed rights.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    buffer = BytesIO()  # XlsxWriter's own errors of a full disk are no OSError
    with Workbook(buffer, options) as book:
        book.set_properties(properties)
        yield book
    write(buffer.getvalue())


def formats(book: Any, labels: Labels) -> Formats:
    """Make the formats of a workbook: by style, by whether the row is a key user's, and by whether an agent's day begins there."""
    places = money.digits(labels.currency)
    amount = f'"{labels.symbol}"#,##0{"." * (places > 0)}{"0" * places}'
    to_fill = {"bg_color": "#FFFBEF", "left": 1, "left_color": "#EADFBE", "locked": False}
    styles: dict[str, dict[str, Any]] = {
        "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F5F8B", "valign": "vcenter", "text_wrap": True},
        "text": {"num_format": "@"},
        "wrapped": {"num_format": "@", "text_wrap": True},
        "number": {"num_format": "#,##0", "align": "right", "indent": 1},
        "money": {"num_format": f"{amount};-{amount}", "align": "right", "indent": 1},
        "total": {"num_format": "#,##0", "align": "right", "indent": 1, "bold": True},
        "date": {"num_format": "yyyy-mm-dd", "align": "center"},
        "open": {"num_format": "@", **to_fill},
        "open_date": {"num_format": "yyyy-mm-dd", "align": "center", **to_fill},
        "open_wrapped": {"num_format": "@", "text_wrap": True, **to_fill},
    }
    base = {"valign": "top", "font_size": 11, "bottom": 1, "bottom_color": "#DCE4EA"}
    shaded, ruled = {"bg_color": "#EAF2F8"}, {"top": 1, "top_color": "#1F5F8B"}
    return {
        (name, key_user, begins): book.add_format(base | (shaded if key_user else {}) | (ruled if begins else {}) | style)
        for name, style in styles.items()
        for key_user in (False, True)
        for begins in (False, True)
    }


def write_cell(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    """Write a cell as what it is, at a row and a column from 0: text never as a formula, a link or a number; of a time its date."""
    match value:
        case None:
            sheet.write_blank(row, column, None, style)
        case str():
            sheet.write_string(row, column, visible(value), style)
        case datetime():
            sheet.write_datetime(row, column, datetime.combine(value.date(), time()), style)
        case date():
            sheet.write_datetime(row, column, datetime.combine(value, time()), style)
        case _:
            sheet.write_number(row, column, float(value), style)


def protect(sheet: Any) -> None:
    """Keep what is not to be written to as it is; without a password, as this is for slips of the hand. Filters and widths stay free."""
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})


def fit_width(cells: pl.Series, head: str, widest: float) -> float:
    """Characters that show a column of text, where Chinese ones count double; the filter's button needs room too."""
    shown = pl.concat([cells.cast(pl.String), pl.Series([f"{head}...."])])
    return min(float(str(shown.to_frame("cell").select(display_width("cell").max()).item())) + 2, widest)


def display_width(column: str) -> pl.Expr:
    """Count characters as wide as they are shown."""
    return pl.col(column).str.len_chars() + pl.col(column).str.count_matches(WIDE)


def with_contacts(calls: pl.DataFrame, contacts: pl.DataFrame | None) -> pl.DataFrame:
    """Add ``name`` and the columns of contacts, as text, to calls of a ``customer_id`` each."""
    known = calls.select("customer_id").clear().with_columns(name=pl.lit(None, pl.String)) if contacts is None else contacts
    theirs = pl.exclude("customer_id", "name").cast(pl.String).name.prefix(CONTACT)
    name = pl.col("name").cast(pl.String) if "name" in known.columns else pl.lit(None, pl.String).alias("name")
    return calls.join(known.select("customer_id", name, theirs), on="customer_id", how="left", validate="m:1", maintain_order="left")
