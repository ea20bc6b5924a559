"""Order rows before the as-of date, as `segmenter.checks` looks at them: what a row is, and what of it counts."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl

from segmenter.checks.column_words import is_person, named, speaks_of
from segmenter.checks.double_refunds import double_refunds
from segmenter.checks.last_states import earlier_states, file_ages
from segmenter.checks.number_format import NumberFormat
from segmenter.checks.order_grain import AmountWords, Asked, OrderGrain, order_grain
from segmenter.checks.order_numbers import adds_up, run_numbers
from segmenter.contacts import shown_columns
from segmenter.findings import Finding, Level
from segmenter.measures.definition import NEAR
from segmenter.messages import Message
from segmenter.money import digits
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.expressions import FILE, columns_of
from segmenter.sources.rows import Rows

_MIN_COLUMNS = 2  # that an amount per line is computed of


@dataclass
class OrderChecks:
    """The checks of a table of orders; ``values`` are the fields read, one row for each of `rows`."""

    rows: Rows
    values: pl.DataFrame
    settings: MappingSettings
    launch: LaunchSettings
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def _shown(self) -> dict[str, str]:
        return shown_columns(columns_of(self.rows.source))

    @property
    def _near(self) -> int:
        return NEAR

    def lines(self, order_id: pl.Series | None = None) -> pl.DataFrame:
        """Give the good rows before the as-of date that have an order number."""
        days = (pl.col("time").dt.date().to_physical()).alias("day")
        frame = self.values.select("customer_id", "order_id" if order_id is None else order_id.alias("order_id"), days, "paid", "back")
        files = self.rows.source[FILE]
        several = files.n_unique() > 1
        named_file = files.cast(pl.String) if several else pl.repeat(None, files.len(), dtype=pl.String, eager=True)
        frame = frame.with_columns(named_file.alias("file"), self.rows.good.alias("good"))
        known = frame.with_row_index("at").filter(
            pl.col("good") & (pl.col("day") < _number(self.launch.as_of)) & pl.col("order_id").is_not_null()
        )
        return known.drop("good").with_columns(file_ages(known) if several else pl.lit(0, dtype=pl.Int32).alias("age"))

    def earlier(self) -> None:
        """Leave out rows that a later state of the same order replaces."""
        source, before = self.rows.source, self.lines()
        changed = [name for name in columns_of(source) if speaks_of(name, "changed")][:1]
        when = fields.time(source[changed[0]], "auto", self.launch.timezone) if changed else None
        known = pl.repeat("", before.height, eager=True) if when is None else when.gather(before["at"]).cast(pl.String)
        replaced = earlier_states(before.with_columns(known.alias("changed")), self.settings.orders.grain, self._near, self._hashes)
        if not replaced.len():
            return
        self.rows.drop(_marks(replaced, source.height))
        files = before["file"].n_unique()
        ways = {
            "changed": Message(
                "order_rows.latest_changed", 'by "{column}", else by the newest file', column=self._shown[changed[0]] if changed else ""
            ),
            "file": Message("order_rows.latest_file", "by the newest file: the one whose orders reach furthest, then by name"),
            "row": Message("order_rows.latest_row", "by the last row"),
        }
        way = ways["changed" if changed else "file" if files > 1 else "row"]
        sentence = "data.orders.repeats: {count:,} rows gave way to a later state of their order, {way}"
        self.findings.append(Finding("note", Message("order_rows.latest", sentence, count=replaced.len(), way=way)))

    def grain(self) -> OrderGrain:
        """Decide what a row is, and say so."""
        asked: Asked = self.settings.orders.grain
        if "order_id" in self.rows.fields:
            found = self._grain(self.lines(), asked)
            self.findings += found.findings
            return found
        if asked != "line":
            self._unmapped(asked)
        return OrderGrain("order")

    def _grain(self, lines: pl.DataFrame, asked: Asked) -> OrderGrain:
        return order_grain(
            lines,
            asked,
            self._amount_words,
            self.launch.currency,
            near=self._near,
            hashes=self._hashes,
            adds_up=lambda found: adds_up(
                found.with_columns(pl.col("paid") / 10 ** digits(self.launch.currency)), self._numbers(found["at"])
            ),
        )

    def _unmapped(self, asked: Asked) -> None:
        """Look at a column that is called as order numbers are, though nobody has mapped it."""
        used = {column for columns in self.rows.columns.values() for column in columns}
        names = [name for name in named(columns_of(self.rows.source), "order_id") if name not in used]
        if not names or self.rows.source.schema[names[0]].is_nested():
            return
        lines = self.lines(fields.text(self.rows.source[names[0]]))
        found = [finding for finding in self._grain(lines, "order").findings if finding.level != "note"]
        if found:
            sentence = (
                'data.orders.columns.order_id: is not mapped, so that each row is an order, but "{column}" seems to be the number of an '
                'order, and stands on several rows: data.orders.columns.order_id="{column}"'
            )
            doubtful = any(finding.level == "stop" or finding.message.code == "order_rows.row_for_order" for finding in found)
            level: Level = "stop" if doubtful and asked == "auto" else "warning"
            self.findings.append(Finding(level, Message("order_rows.unmapped_number", sentence, column=self._shown[names[0]])))
            self.findings += [Finding("warning", finding.message) for finding in found]

    @cached_property
    def _amount_words(self) -> AmountWords:
        columns = self.rows.columns["amount"]
        mapping = self.settings.orders.columns.amount or "amount"
        if len(columns) >= _MIN_COLUMNS and "*" in mapping:
            return AmountWords(mapping, "line")
        if not columns:  # the same in each row
            return AmountWords(mapping, None)
        column = columns[0]
        of = "line" if speaks_of(column, "line") else "order" if speaks_of(column, "whole") else None
        return AmountWords(self._shown[column] if len(columns) == 1 else mapping, of)  # type: ignore[arg-type]

    def _hashes(self, at: pl.Series) -> pl.DataFrame:
        """Tell which of some rows are equal, in every column and in those that do not follow an order's status."""
        own = columns_of(self.rows.source)
        status = {*named(own, "status"), *self.rows.columns.get("status", ())}
        steady = [name for name in own if name not in status and not speaks_of(name, "changed") and not speaks_of(name, "follows_status")]
        some = self.rows.source.select(own)[at]
        return pl.DataFrame(
            {
                "content": some.hash_rows(),
                "steady": some.select(steady).hash_rows() if steady else pl.repeat(0, at.len(), dtype=pl.UInt64, eager=True),
            }
        )

    def _numbers(self, at: pl.Series) -> pl.DataFrame:
        """Give the columns of numbers besides the amount on some rows."""
        source, used = (
            self.rows.source,
            {*self.rows.columns["amount"], *self.rows.columns.get("order_id", ()), *self.rows.columns["customer_id"]},
        )
        how = NumberFormat(self.rows.amount_format.decimal, only=False)
        read = {
            name: fields.number(source[name].gather(at), self.launch.currency, how)
            for name in columns_of(source)
            if name not in used and (source.schema[name].is_numeric() or source.schema[name] == pl.String)
        }
        return pl.DataFrame({name: values for name, values in read.items() if 2 * values.count() >= values.len()})

    def refunds(self, values: pl.DataFrame) -> pl.DataFrame:
        """Let refunds that are told twice count once; `values` has ``at`` too."""
        before = values.filter(pl.col("time") < self.launch.as_of)
        twice, found = double_refunds(before, self.launch.currency)
        self.findings += found
        if not twice.len():
            return values
        again = pl.col("at").is_in(twice.implode())
        return values.with_columns(pl.when(again).then(0).otherwise("paid").alias("paid"), back=pl.col("back") | again)

    def people(self) -> list[tuple[str, int]]:
        """List the columns that seem to name persons, and are not the customer's id, with how many different values each has."""
        used, source = self.rows.columns["customer_id"], self.rows.source
        names = [name for name in columns_of(source) if name not in used and is_person(name) and not source.schema[name].is_nested()]
        return [(self._shown[name], fields.text(source[name]).filter(self.rows.counted).drop_nulls().n_unique()) for name in names]


def share_once(values: pl.DataFrame) -> pl.DataFrame:
    """Share an amount that stands on each line of an order among its lines, so that they add up to it."""
    keys = values.with_columns(
        who=pl.col("customer_id").hash(), what=pl.struct("order_id", "back", "paid").hash(), day=pl.col("time").dt.date().to_physical()
    )
    category = ["category"] if "category" in values.columns else []
    runs = run_numbers(keys.sort("who", "what", "day", *category, nulls_last=True), 0)
    count, place = pl.len().over("run").cast(pl.Int64), pl.int_range(pl.len()).over("run")
    whole = pl.col("paid").abs()
    part = (whole // count + (place < whole % count).cast(pl.Int64)) * pl.col("paid").sign()
    return runs.with_columns(part.alias("paid")).select(values.columns)


def _marks(at: pl.Series, height: int) -> pl.Series:
    return pl.select(pl.int_range(height, dtype=pl.UInt32).is_in(at.cast(pl.UInt32).implode())).to_series()


def _number(day: date | None) -> int:
    return 0 if day is None else (day - date(1970, 1, 1)).days
