"""A table on its way from raw rows to canonical ones, and what was wrong with its rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from segmenter import tables
from segmenter.checks.clock_changes import check_clock_changes
from segmenter.checks.id_forms import damaged, tell_damage, tell_mended
from segmenter.checks.number_format import AS_TYPED, NumberFormat
from segmenter.checks.time_format import AUTO, NO_ORDER, TimeFormat
from segmenter.contacts import Contacts, hide
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import LaunchSettings, TableSettings
from segmenter.sources import fields
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.reject_reasons import CONTACT_LEFT_OUT, EMPTY, NO_ID, NO_TIME, NO_TIME_FORMAT, STRANGER, with_facts

PEOPLE = ("customer_id", "friend_id", "from_id", "to_id")  # fields that are ids of customers
_SHOWN = 3


def place_of(file: str | None, row: int) -> Message:
    """Say where a row stands."""
    if file is None:
        return Message("ids.row", "row {row}", row=row)
    return Message("ids.row_of_file", "row {row} of {file}", row=row, file=hide(file))


@dataclass
class Rows:
    """Raw rows, their mapped fields, and the first thing wrong with each."""

    table: str  # a key of `row_mapping.NEEDED`
    source: pl.DataFrame  # the raw columns, with file and row number
    fields: dict[str, pl.Series]  # those that are mapped, as they stand in the source
    columns: dict[str, list[str]]  # of the source, that each field comes from
    reads: dict[str, int]  # rows read, and what became of them
    counted: pl.Series  # false for rows known to be at or after the as-of date, which nothing may depend on
    findings: list[Finding] = field(default_factory=list)
    written: TimeFormat = NO_ORDER  # how they are written
    left_out: pl.DataFrame | None = None  # the raw rows that `where` does not want
    spellings: Mapping[str, str] = field(default_factory=dict)  # of customers' ids that are one person's, which is taken for all
    amount_format: NumberFormat = AS_TYPED  # how amounts that are text are read
    moments: pl.Series | None = None  # when each row came about, where the table says it
    worth: Callable[[pl.Series], pl.Series] | None = None  # the amounts of some rows as far as they can be read, in minor units
    _wrong: pl.Series = field(init=False)  # the number of the reason why a row is rejected, -1 where none
    _dropped: pl.Series = field(init=False)
    _reasons: list[tuple[str | None, Message]] = field(init=False, default_factory=list)  # field and reason
    _notes: list[tuple[pl.Series, str, Message]] = field(init=False, default_factory=list)  # rows, field and reason

    def __post_init__(self) -> None:
        self._wrong = pl.repeat(-1, self.source.height, dtype=pl.Int32, eager=True)
        self._dropped = pl.repeat(False, self.source.height, eager=True)

    def reject(self, wrong: pl.Series, name: str | None, reason: Message) -> None:
        """Reject rows because of a field, or as a whole; the first reason of a row stands."""
        new = wrong & self.good
        self._wrong = self._wrong.zip_with(~new, pl.Series([len(self._reasons)], dtype=pl.Int32))
        self._reasons.append((name, reason))

    def drop(self, rows: pl.Series) -> None:
        """Leave out rows that the user does not want; they are no rejects."""
        self._dropped = (self._dropped | rows) & (self._wrong < 0)

    @property
    def good(self) -> pl.Series:
        """True for the rows with which nothing is wrong so far."""
        return (self._wrong < 0) & ~self._dropped

    def note(self, wrong: pl.Series, name: str, reason: Message) -> None:
        """Note a field that cannot be read in rows that are kept all the same."""
        self._notes.append((wrong, name, reason))

    def read(self, name: str, values: pl.Series, unreadable: Message) -> pl.Series:
        """Reject rows where a field is empty or could not be read."""
        empty = self.empty(name)
        self.reject(values.is_null() & empty, name, EMPTY)
        self.reject(values.is_null() & ~empty, name, unreadable)
        return values

    def id(self, name: str) -> pl.Series:
        """Read an id, and reject rows without; what a spreadsheet has destroyed or disguised is told."""
        written = fields.text(self.fields[name])
        self._look_at_ids(name, written)
        return self.read(name, self._read_ids(name, written), NO_ID)

    def ids(self, name: str) -> pl.Series:
        """Give ids as they are read, null where there is none."""
        return self._read_ids(name, fields.text(self.fields[name]))

    def _read_ids(self, name: str, written: pl.Series) -> pl.Series:
        values = fields.mend_ids(written)
        return values.replace(self.spellings) if self.spellings and name in PEOPLE else values

    def _look_at_ids(self, name: str, written: pl.Series) -> None:
        column, key = ", ".join(self.columns[name]), f"data.{self.table}.columns.{name}"
        different = written.filter(self.counted).unique().drop_nulls()
        if not self.fields[name].dtype.is_temporal() and (gone := damaged(different)).any():
            rows = self.counted & written.is_in(different.filter(gone).implode())
            places = self.source.filter(rows).head(_SHOWN).select(pl.col(FILE).cast(pl.String), ROW)
            self.findings += tell_damage(written.filter(rows), [place_of(*place) for place in places.rows()], column, key)
        self.findings += tell_mended(different, fields.mend_ids(different), column, key)

    def read_moments(self, name: str, settings: TableSettings, launch: LaunchSettings, written: TimeFormat | None) -> None:
        """Read a field that says when, as it was `written` or as all of its cells show; and see which rows count."""
        assert launch.as_of is not None
        values = self.fields[name]
        if written is not None:
            moments = fields.time(values, settings.time_format, launch.timezone, written)
        else:
            key = f"data.{self.table}.time_format"
            moments, found, self.written = fields.times(values, settings.time_format, launch.timezone, launch.as_of, key)
            self.findings += [*found, *(check_clock_changes(moments, launch.timezone, launch.as_of, key) if name == "time" else [])]
        self.moments = moments
        self.counted = moments.to_frame("t").select((pl.col("t") < launch.as_of).fill_null(value=True)).to_series()

    def time(self, settings: TableSettings) -> pl.Series:
        """Give the time, and reject rows without."""
        reason = with_facts(NO_TIME_FORMAT, table=self.table) if settings.time_format in AUTO else NO_TIME
        assert self.moments is not None
        return self.read("time", self.moments, reason)

    def text(self, name: str) -> pl.Series:
        """Read a text that need not be there."""
        if name not in self.fields:
            return pl.repeat(None, self.source.height, dtype=pl.String, eager=True).alias(name)
        return fields.text(self.fields[name]).alias(name)

    def empty(self, name: str) -> pl.Series:
        """Tell where a field has nothing in it."""
        return fields.text(self._cells(name)).is_null()

    def drop_rejected(self, values: pl.DataFrame) -> pl.DataFrame:
        """Drop the rejected rows and count them all. Rows at or after the as-of date count neither way."""
        good = self.good
        self.reads |= {
            "later": int((~self.counted).sum()),
            "rejected": int((self.counted & (self._wrong >= 0)).sum()),
            "kept": int((self.counted & good).sum()),
        }
        if dropped := int((self.counted & self._dropped).sum()):
            self.reads["dropped"] = dropped
        if self._notes:
            self.reads["noted"] = sum(int((wrong & self.counted & good).sum()) for wrong, _, _ in self._notes)
        return values.filter(good)

    def rejects(self) -> pl.DataFrame:
        """List what was rejected or noted, as `tables.REJECTED`."""
        rejected = [(self._wrong == number, name, reason, False) for number, (name, reason) in enumerate(self._reasons)]
        noted = [(wrong & self.good, name, reason, True) for wrong, name, reason in self._notes]
        found = [self._rejects(rows & self.counted, name, reason, kept=kept) for rows, name, reason, kept in [*rejected, *noted]]
        return pl.concat([tables.REJECTED.to_frame(), *found])

    def _rejects(self, rows: pl.Series, name: str | None, reason: Message, *, kept: bool) -> pl.DataFrame:
        nothing = pl.repeat(None, int(rows.sum()), eager=True)
        return self.source.filter(rows).select(
            pl.lit(self.table).alias("table"),
            pl.col(FILE).cast(pl.String).alias("file"),
            pl.col(ROW).cast(pl.Int64).alias("row"),
            pl.lit(None if name is None else ", ".join(self.columns[name]), dtype=pl.String).alias("column"),
            pl.lit(None, dtype=pl.String).alias("value") if name is None else self._cells(name).filter(rows).alias("value"),
            pl.lit(str(reason)).alias("reason"),
            (nothing if self.worth is None or not len(nothing) else self.worth(rows)).cast(pl.Int64).alias("amount"),
            (nothing if self.moments is None else self.moments.filter(rows)).cast(pl.Date).alias("day"),
            pl.lit(kept).alias("kept"),
        )

    def _cells(self, name: str) -> pl.Series:
        """Give a field as it stands in the source, as text; of an expression, its columns, where it names any."""
        if not self.columns[name]:
            return self.fields[name].cast(pl.String)
        cells = [
            # Of what holds several values its type is enough.
            pl.when(pl.col(column).is_not_null()).then(pl.lit(f"({dtype})")) if dtype.is_nested() else fields.as_text(column, dtype, ".")
            for column in self.columns[name]
            for dtype in [self.source.schema[column]]
        ]
        if len(cells) == 1:
            return self.source.select(cells).to_series()
        return self.source.select(pl.concat_str([cell.fill_null("") for cell in cells], separator=" | ")).to_series()


def reject_strangers(rows: Rows, ids: pl.Series | None) -> None:
    """Reject the rows of others than these customers; None are all."""
    if ids is not None:
        customers = rows.ids("customer_id")
        rows.reject(~customers.is_in(ids.implode()).fill_null(value=True), "customer_id", STRANGER)


def without_contacts(rows: Rows, name: str, values: pl.Series, personal: Contacts) -> pl.Series:
    """Leave contacts out of what lists and pages show."""
    contacts = personal.among(values)
    if contacts.any():
        rows.note(contacts, name, CONTACT_LEFT_OUT)
        values = values.zip_with(~contacts, pl.Series([None], dtype=pl.String))
    return values
