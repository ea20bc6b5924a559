"""A table on its way from raw rows to canonical ones, and what was wrong with its rows."""

import re
from dataclasses import dataclass, field

import polars as pl

from segmenter import tables
from segmenter.contacts import Contacts, is_contact_name, shown_columns, shown_sql
from segmenter.errors import nearest
from segmenter.settings import LaunchSettings, MappingSettings, OrdersSettings, TableSettings
from segmenter.sources import fields
from segmenter.sources.expressions import FILE, ROW, Evaluated, columns_of, evaluate
from segmenter.sources.raw import as_text

NEEDED = {
    "orders": ("customer_id", "time", "amount"),
    "customers": ("customer_id",),
    "events": ("customer_id", "kind", "time"),
    "referrals": ("customer_id", "friend_id"),
}
CONTACT = "looks like a contact, which only the call sheets may show"
STRANGER = "is no customer of the customers table"
DATED = ("time", "joined")  # the field that says when a row came about
_SHOWN = ("province", "city", "category", "kind")  # in lists and on pages
_PLACES = re.compile(r"地址|住址|addr|^name$")  # an address may say no more than the place; and an event or a category has a name


@dataclass
class Rows:
    """Raw rows, their mapped fields, and the first thing wrong with each.

    Parameters
    ----------
    table : str
        ``orders``, ``customers``, ``events`` or ``referrals``.
    source : DataFrame
        The raw columns, with file and row number.
    found : dict of str to Series
        The fields that are mapped, as they stand in the source.
    columns : dict of str to list of str
        The source columns that each field comes from.
    reads : dict of str to int
        Rows read, and what became of them.
    counted : Series
        Boolean: false for rows known to be at or after the as-of date, which nothing may depend on.
    """

    table: str
    source: pl.DataFrame
    found: dict[str, pl.Series]
    columns: dict[str, list[str]]
    reads: dict[str, int]
    counted: pl.Series
    _wrong: pl.Series = field(init=False)  # the number of the reason why a row is rejected, -1 where none
    _reasons: list[tuple[str | None, str]] = field(init=False, default_factory=list)  # field and reason
    _notes: list[tuple[pl.Series, str, str]] = field(init=False, default_factory=list)  # rows, field and reason

    def __post_init__(self) -> None:
        self._wrong = pl.repeat(-1, self.source.height, dtype=pl.Int32, eager=True)

    def reject(self, wrong: pl.Series, name: str | None, reason: str) -> None:
        """Reject rows because of a field, or as a whole; the first reason of a row stands."""
        new = wrong & (self._wrong < 0)
        self._wrong = self._wrong.zip_with(~new, pl.Series([len(self._reasons)], dtype=pl.Int32))
        self._reasons.append((name, reason))

    def note(self, wrong: pl.Series, name: str, reason: str) -> None:
        """Note a field that cannot be read in rows that are kept all the same."""
        self._notes.append((wrong, name, reason))

    def read(self, name: str, values: pl.Series, unreadable: str) -> pl.Series:
        """Reject rows where a field is empty or could not be read."""
        empty = self.empty(name)
        self.reject(values.is_null() & empty, name, "is empty")
        self.reject(values.is_null() & ~empty, name, unreadable)
        return values

    def id(self, name: str) -> pl.Series:
        """Read an id, and reject rows without."""
        return self.read(name, fields.text(self.found[name]), "is no id")

    def time(self, settings: TableSettings, timezone: str) -> pl.Series:
        """Read the time, and reject rows without."""
        values = fields.time(self.found["time"], settings.time_format, timezone)
        hint = "" if settings.time_format != "auto" else f" (data.{self.table}.time_format names a format)"
        return self.read("time", values, f"is no date or time{hint}")

    def text(self, name: str) -> pl.Series:
        """Read a text that need not be there."""
        if name not in self.found:
            return pl.repeat(None, self.source.height, dtype=pl.String, eager=True).alias(name)
        return fields.text(self.found[name]).alias(name)

    def empty(self, name: str) -> pl.Series:
        """Tell where a field has nothing in it."""
        return fields.text(self._cells(name)).is_null()

    def kept(self, values: pl.DataFrame) -> pl.DataFrame:
        """Drop the rejected rows and count them all. Rows at or after the as-of date count neither way."""
        good = self._wrong < 0
        self.reads |= {
            "later": int((~self.counted).sum()),
            "rejected": int((self.counted & ~good).sum()),
            "kept": int((self.counted & good).sum()),
        }
        if self._notes:
            self.reads["noted"] = sum(int((wrong & self.counted & good).sum()) for wrong, _, _ in self._notes)
        return values.filter(good)

    def rejects(self) -> pl.DataFrame:
        """List what was rejected or noted, as `tables.REJECTS`."""
        rejected = [(self._wrong == number, *reason) for number, reason in enumerate(self._reasons)]
        noted = [(wrong & (self._wrong < 0), name, reason) for wrong, name, reason in self._notes]
        told = [self._told(rows & self.counted, name, reason) for rows, name, reason in [*rejected, *noted]]
        return pl.concat([tables.REJECTS.to_frame(), *told])

    def _told(self, rows: pl.Series, name: str | None, reason: str) -> pl.DataFrame:
        return self.source.filter(rows).select(
            pl.lit(self.table).alias("table"),
            pl.col(FILE).cast(pl.String).alias("file"),
            pl.col(ROW).cast(pl.Int64).alias("row"),
            pl.lit(None if name is None else ", ".join(self.columns[name]), dtype=pl.String).alias("column"),
            pl.lit(None, dtype=pl.String).alias("value") if name is None else self._cells(name).filter(rows).alias("value"),
            pl.lit(reason).alias("reason"),
        )

    def _cells(self, name: str) -> pl.Series:
        """Give a field as it stands in the source, as text; of an expression, its columns."""
        cells = [
            # Of what holds several values its type is enough.
            pl.when(pl.col(column).is_not_null()).then(pl.lit(f"({dtype})")) if dtype.is_nested() else as_text(column, dtype, ".")
            for column in self.columns[name]
            for dtype in [self.source.schema[column]]
        ]
        if len(cells) == 1:
            return self.source.select(cells).to_series()
        return self.source.select(pl.concat_str([cell.fill_null("") for cell in cells], separator=" | ")).to_series()


def map_rows(table: str, frame: pl.DataFrame, settings: MappingSettings, launch: LaunchSettings, problems: list[str]) -> Rows:
    """Filter raw rows and find the fields in them.

    Parameters
    ----------
    table : str
        A key of `NEEDED`.
    frame : DataFrame
        Raw rows.
    settings : MappingSettings
        The mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency.
    problems : list of str
        What is wrong with the mapping is added to it.

    Returns
    -------
    Rows
        Complete only where no problem was added.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> referrals = pl.DataFrame({"customer_id": ["a"], "friend_id": ["b"]})
    >>> rows = map_rows("referrals", referrals, settings.data, settings.launch, [])
    >>> sorted(rows.found), rows.reads
    (['customer_id', 'friend_id'], {'rows': 1, 'filtered': 0})
    """
    read: TableSettings = getattr(settings, table)
    if ROW not in frame.columns:
        frame = frame.with_row_index(ROW, offset=1)
    if FILE not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(FILE))

    def number(cells: pl.Series) -> pl.Series:
        return fields.number(cells, launch.currency, settings.decimal)

    def condition(sql: str, key: str) -> Evaluated | None:
        result = evaluate(frame, sql, key, number)
        if not isinstance(result, str) and result.values.dtype != pl.Boolean:
            result = f'{key}: should be true or false for each row (got "{shown_sql(sql)}")'
        if isinstance(result, str):
            problems.append(result)
            return None
        return result

    height = frame.height
    if read.where is not None and (wanted := condition(read.where, f"data.{table}.where")) is not None:
        # A row whose cell is no number where one is needed is not left out: it is for the rejects.
        frame = frame.filter(wanted.values.fill_null(value=False) | wanted.unread)
        if frame.is_empty():
            problems.append(f'data.{table}.where: leaves none of {height:,} rows (got "{shown_sql(read.where)}")')
    mappings: dict[str, str | None] = getattr(read, "columns").model_dump()  # noqa: B009 - each table has fields of its own
    known = columns_of(frame)
    found: dict[str, pl.Series] = {}
    columns: dict[str, list[str]] = {}
    counted = pl.repeat(True, frame.height, eager=True)
    for name in sorted(mappings, key=lambda field: field not in DATED):  # first the date, which says what may decide the rest
        mapping, key = mappings[name], f"data.{table}.columns.{name}"
        if mapping is None and name not in known:
            if name in NEEDED[table]:
                problems.append(f'{key}: is needed: the source has no column "{name}"{nearest(name, shown_columns(known).values())}')
            continue
        result = evaluate(frame, mapping or name, key, number, counted if name == "amount" else None)
        if isinstance(result, str):
            problems.append(result)
            continue
        column = result.columns[0]
        if name in _SHOWN and mapping == column and is_contact_name(column) and not _PLACES.search(column.lower()):
            problems.append(f'{key}: "{column}" is a contact by its name, which only the call sheets may show; map another column')
        if (mapping is not None or name != "category") and (rule := _unfit(name, result.values.dtype)) is not None:
            got = f'got "{mapping or name}" of type {result.values.dtype}'
            problems.append(f"{key}: should be {rule} ({got}); export that in a column of its own, or compute it by SQL")
            continue
        found[name], columns[name] = result.values, result.columns
        if name in DATED:
            moments = fields.time(found[name], read.time_format, launch.timezone)
            counted = pl.DataFrame({"t": moments}).select((pl.col("t") < launch.as_of).fill_null(value=True)).to_series()
    if (
        isinstance(read, OrdersSettings)
        and read.refund is not None
        and (refund := condition(read.refund, "data.orders.refund")) is not None
    ):
        found["refund"] = refund.values.fill_null(value=False)
    return Rows(table, frame, found, columns, {"rows": height, "filtered": height - frame.height}, counted)


def _unfit(name: str, dtype: pl.DataType) -> str | None:
    """Say what a field should be, where no value of a type can be that."""
    if dtype.is_nested():
        return "one value in each row"
    if name in DATED and dtype in (pl.Boolean, pl.Duration, pl.Time):
        return "dates or times of a day"
    if name == "amount" and (dtype.is_temporal() or dtype == pl.Boolean):
        return "numbers"
    return None


def reject_strangers(rows: Rows, ids: pl.Series | None) -> None:
    """Reject the rows of others than these customers; None are all."""
    if ids is not None:
        found = fields.text(rows.found["customer_id"])
        rows.reject(~found.is_in(ids.implode()).fill_null(value=True), "customer_id", STRANGER)


def without_contacts(rows: Rows, name: str, values: pl.Series, personal: Contacts) -> pl.Series:
    """Leave contacts out of what lists and pages show."""
    found = personal.among(values)
    if found.any():
        rows.note(found, name, f"{CONTACT} (taken as empty; the row is kept)")
        values = values.zip_with(~found, pl.Series([None], dtype=pl.String))
    return values
