"""What stands in the columns of a table, as the loader's own reading takes it."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from segmenter.checks.number_format import OTHER, NumberFormat
from segmenter.contacts import looks_like_contact
from segmenter.sources import fields
from segmenter.sources.expressions import FieldValues, columns_of, evaluate

_LOOKED_AT = 50_000  # rows, evenly spread
_CONTACTS = 200
_LIKELY = 0.9  # share of the filled cells that have to fit


@dataclass(frozen=True)
class ColumnValues:
    """A column's cells, evenly spread over the table."""

    name: str
    cells: pl.Series
    rows: int

    @cached_property
    def text(self) -> pl.Series:
        """The cells that hold anything, as text."""
        return fields.text(self.cells).drop_nulls() if not self.cells.dtype.is_nested() else pl.Series([], dtype=pl.String)

    @property
    def filled(self) -> float:
        """The share of cells that hold anything."""
        return len(self.text) / max(len(self.cells), 1)

    @cached_property
    def distinct(self) -> int:
        """The number of different values."""
        return self.text.n_unique()

    @cached_property
    def numbers(self) -> pl.Series:
        """The cells that hold anything, as numbers; null where they are none."""
        return numbers_of(self.cells.drop_nulls() if self.cells.dtype.is_numeric() else self.text)

    @property
    def is_number(self) -> bool:
        """Whether nearly all that is filled are numbers."""
        return bool(len(self.numbers)) and self.numbers.count() >= _LIKELY * len(self.numbers)

    @property
    def is_money(self) -> bool:
        """Whether these may be amounts: numbers, and no codes of many digits."""
        return self.is_number and share_of(self.numbers.drop_nulls().abs() < 1e10) >= _LIKELY

    @cached_property
    def has_decimals(self) -> bool:
        """Whether some numbers are not whole."""
        read = self.numbers.drop_nulls()
        return bool((read != read.round()).any())

    @cached_property
    def times(self) -> pl.Series:
        """The cells as local times of no zone."""
        cells = self.cells.drop_nulls()
        return fields.time(cells if cells.dtype != pl.String else self.text, "auto", "UTC")

    @property
    def is_time(self) -> bool:
        """Whether nearly all that is filled are times."""
        if not len(self.text) or self.cells.dtype in (pl.Boolean, pl.Duration, pl.Time):
            return False
        return self.times.count() >= _LIKELY * len(self.times) or _looks_like_date(self.text)

    @cached_property
    def contacts(self) -> float:
        """The share of values that look like a phone number, an address or a mail."""
        values = self.text.unique(maintain_order=True).head(_CONTACTS).to_list()
        return sum(map(looks_like_contact, values)) / max(len(values), 1)

    @property
    def is_code(self) -> bool:
        """Whether nearly all have a digit in them, as numbers of orders have."""
        return bool(len(self.text)) and share_of(self.text.str.contains(r"\d")) >= _LIKELY


def numbers_of(cells: pl.Series) -> pl.Series:
    """Read cells as numbers, by the decimal mark that reads more of them, whatever their unit; null where they are none."""
    if cells.dtype.is_numeric():
        return cells.cast(pl.Float64)
    if cells.dtype != pl.String:
        return pl.Series(cells.name, [None] * len(cells), dtype=pl.Float64)
    unit = r"\p{Sc}|^\p{Han}{1,3}|\p{Han}{1,3}$|^\p{Latin}{1,3}\s|\s\p{Latin}{1,3}$|['\u2019\s]"
    plain = cells.str.normalize("NFKC").str.replace_all(unit, "")
    return max((NumberFormat(mark).read(plain, "XXX") for mark in OTHER), key=lambda read: read.count())


def rows_where(frame: pl.DataFrame, sql: str | None) -> pl.Series:
    """Tell which rows a condition of the config holds for; none where it cannot be computed."""
    read = None if sql is None else evaluate(frame, sql, "data.orders.where", lambda cells, *_: numbers_of(cells))
    return read.values.fill_null(value=False) if isinstance(read, FieldValues) else pl.repeat(False, frame.height, eager=True)


def rows_in(mask: pl.Series) -> int:
    """Count the rows of which something is true."""
    return int(mask.fill_null(value=False).to_numpy().sum())


def share_of(mask: pl.Series) -> float:
    """Give the share of rows of which something is true; what is unknown counts as not."""
    return rows_in(mask) / max(len(mask), 1)


def _looks_like_date(text: pl.Series) -> bool:
    """Tell dates whose order of day and month is still to be found out."""
    shape = r"^\d{1,4}[./-](\d{1,2}|\p{L}{3,9})[./-]\d{1,4}(\D.*)?$|^\p{L}{3,9}\.? \d{1,2}, ?\d{4}|^\d{1,2} \p{L}{3,9}\.? \d{4}"
    return share_of(text.str.strip_chars().str.contains(shape)) >= _LIKELY


def values_of(frame: pl.DataFrame) -> dict[str, ColumnValues]:
    """Look at the columns of a table as the shop has them."""
    step = max(1, -(-frame.height // _LOOKED_AT))
    some = frame.gather_every(step) if step > 1 else frame
    return {name: ColumnValues(name, some[name], frame.height) for name in columns_of(frame)}
