"""A table on its way from raw rows to canonical ones, and what was wrong with its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from segmenter import tables
from segmenter.checks.id_forms import damaged, tell_damage, tell_mended
from segmenter.contacts import Contacts, hide
from segmenter.errors import InputError
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import TableSettings
from segmenter.sources import fields
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.reject_reasons import CONTACT_LEFT_OUT, EMPTY, NO_ID, NO_TIME, NO_TIME_FORMAT, STRANGER, reason_of, with_facts

_CUSTOMERS = ("customer_id", "friend_id")
_SHOWN = 3


def place_of(file: str | None, row: int) -> Message:
    """Say where a row stands."""
    if file is None:
        return Message("ids.row", "row {row}", row=row)
    return Message("ids.row_of_file", "row {row} of {file}", row=row, file=hide(file))


@dataclass
class Rows:
    """Raw rows, their mapped fields, and the first thing wrong with each."""

    table: str  # orders, customers, events or referrals
    source: pl.DataFrame  # the raw columns, with file and row number
    fields: dict[str, pl.Series]  # those that are mapped, as they stand in the source
    columns: dict[str, list[str]]  # of the source, that each field comes from
    reads: dict[str, int]  # rows read, and what became of them
    counted: pl.Series  # false for rows known to be at or after the as-of date, which nothing may depend on
    findings: list[Finding] = field(default_factory=list)
    left_out: pl.DataFrame | None = None  # the raw rows that `where` does not want
    spellings: Mapping[str, str] = field(default_factory=dict)  # of customers' ids that are one person's, which is taken for all
    _wrong: pl.Series = field(init=False)  # the number of the reason why a row is rejected, -1 where none
    _dropped: pl.Series = field(init=False)
    _reasons: list[tuple[str | None, Message]] = field(init=False, default_factory=list)  # field and reason
    _notes: list[tuple[pl.Series, str, Message]] = field(init=False, default_factory=list)  # rows, field and reason

    def __post_init__(self) -> None:
        self._wrong = pl.repeat(-1, self.source.height, dtype=pl.Int32, eager=True)
        self._dropped = pl.repeat(False, self.source.height, eager=True)

    def reject(self, wrong: pl.Series, name: str | None, reason: Message) -> None:
        """Reject rows because of a field, or as a whole; the first reason of a row stands."""
        new = wrong & (self._wrong < 0)
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
        written = fields.text(self.fields[name]).filter(self.counted)
        column, key = ", ".join(self.columns[name]), f"data.{self.table}.columns.{name}"
        if not self.fields[name].dtype.is_temporal() and (gone := damaged(written)).any():
            places = self.source.filter(self.counted).filter(gone).head(_SHOWN).select(pl.col(FILE).cast(pl.String), ROW)
            self.findings += tell_damage(written.filter(gone), [place_of(*place) for place in places.rows()], column, key)
        self.findings += tell_mended(written, fields.identity(written), column, key)
        return self.read(name, self.ids(name), NO_ID)

    def ids(self, name: str) -> pl.Series:
        """Give ids as they are read, null where there is none."""
        values = fields.identity(self.fields[name])
        return values.replace(self.spellings) if self.spellings and name in _CUSTOMERS else values

    def time(self, settings: TableSettings, timezone: str) -> pl.Series:
        """Read the time, and reject rows without."""
        values = fields.time(self.fields["time"], settings.time_format, timezone)
        return self.read("time", values, with_facts(NO_TIME_FORMAT, table=self.table) if settings.time_format == "auto" else NO_TIME)

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
        """List what was rejected or noted, as `tables.REJECTS`."""
        rejected = [(self._wrong == number, *reason) for number, reason in enumerate(self._reasons)]
        noted = [(wrong & (self._wrong < 0), name, reason) for wrong, name, reason in self._notes]
        return pl.concat(
            [tables.REJECTS.to_frame(), *(self._rejects(rows & self.counted, name, reason) for rows, name, reason in [*rejected, *noted])]
        )

    def _rejects(self, rows: pl.Series, name: str | None, reason: Message) -> pl.DataFrame:
        return self.source.filter(rows).select(
            pl.lit(self.table).alias("table"),
            pl.col(FILE).cast(pl.String).alias("file"),
            pl.col(ROW).cast(pl.Int64).alias("row"),
            pl.lit(None if name is None else ", ".join(self.columns[name]), dtype=pl.String).alias("column"),
            pl.lit(None, dtype=pl.String).alias("value") if name is None else self._cells(name).filter(rows).alias("value"),
            pl.lit(str(reason)).alias("reason"),
        )

    def _cells(self, name: str) -> pl.Series:
        """Give a field as it stands in the source, as text; of an expression, its columns."""
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


def check_share(reads: Mapping[str, Mapping[str, int]], rejects: pl.DataFrame, max_share: float) -> None:
    """Refuse tables of which more than a share of 1 was rejected, or all, with their reasons and an example of each."""
    problems: list[str] = []
    for table, counts in reads.items():
        rejected, counted = counts["rejected"], counts["rejected"] + counts["kept"]
        if rejected and (rejected > max_share * counted or not counts["kept"]):
            share = Message("files.all", "all") if rejected == counted else f"{rejected / counted:.1%}"
            sentence = (
                "{table}: {share} of {count:,} rows were rejected; data.max_reject_share allows {allowed:g}%. "
                "Mend the rows or the mapping, or allow more:"
            )
            problems.append(Message("files.many_rejects", sentence, table=table, share=share, count=counted, allowed=100 * max_share))
            problems += _reasons(rejects.filter(table=table))
    if problems:
        raise InputError(*problems)


def _reasons(rejects: pl.DataFrame) -> list[str]:
    # Of a whole row its place is shown rather than its text, which may hold a phone number.
    place = pl.struct("file", "row").filter(pl.col("file").is_not_null() & pl.col("row").is_not_null()).sort().first()
    reasons = rejects.group_by("column", "reason").agg(
        pl.len().alias("count"), pl.col("value").drop_nulls().sort().first().alias("value"), place.alias("place")
    )
    lines: list[str] = []
    for reason in reasons.sort(["count", "column", "reason"], descending=[True, False, False]).rows(named=True):
        column, value, place = reason["column"], reason["value"], reason["place"]
        such_as = ""
        if column is None and place is not None and place["row"] is not None:
            such_as = Message("files.such_as_row", ", such as row {row} of {file}", **place)
        elif column is not None and value is not None:
            such_as = Message("files.such_as", ', such as "{value}"', value=value)
        facts = {"column": column or Message("files.whole_row", "row"), "reason": reason_of(reason["reason"]), "such_as": such_as}
        lines.append(Message("files.rejects", "  {count:,} × {column} {reason}{such_as}", count=reason["count"], **facts))
    return lines
