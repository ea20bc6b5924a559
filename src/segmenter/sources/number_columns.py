"""Texts of a source that are read as numbers, each column in one way."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import polars as pl

from segmenter import money
from segmenter.checks.decimal_mark import clear_mark, decide, evidence, totals
from segmenter.checks.number_format import Mark, NumberFormat
from segmenter.checks.written_numbers import SURE_DECIMAL
from segmenter.findings import Finding
from segmenter.settings import MappingSettings
from segmenter.sources import fields


def mark_in_text(settings: MappingSettings) -> Callable[[str], str]:
    """Say with which decimal mark the numbers of a column become text, where others of its cells are text: a sure one in amounts."""
    amount = settings.orders.columns.amount or "amount" if settings.decimal == "auto" else ""
    return lambda column: SURE_DECIMAL if column and column in amount else settings.decimal.replace("auto", ".")


class NumberColumns:
    """The columns of a table's source, and how those are read that have been decided on."""

    def __init__(
        self,
        currency: str,
        decimal: Literal["auto", ".", ","],
        counted: Callable[[], pl.Series],
        formats: Mapping[str, NumberFormat],
        names: Mapping[str, str],
    ) -> None:
        self._currency, self._decimal, self._counted = currency, decimal, counted
        self.formats = dict(formats)
        self._names = names  # as they may be shown
        self._evidence: dict[str, pl.DataFrame] = {}
        self._findings: dict[str, list[Finding]] = {}

    def read(self, values: pl.Series, among: Sequence[pl.Series]) -> pl.Series:
        """Read a column of text as numbers; the other columns of its expression may say how."""
        return self.format_of(values, among).read(values, self._currency)

    def format_of(self, values: pl.Series, among: Sequence[pl.Series] = (), *, amount: bool = False) -> NumberFormat:
        """Decide how a column is read, by the rows that count; `amount` where it has amounts in the launch's currency."""
        if values.dtype != pl.String:
            values = fields.decode(values)
        if values.dtype != pl.String:
            return NumberFormat(".")
        if values.name not in self.formats:
            hints: set[Mark] = {mark for other in among if other.name != values.name and (mark := clear_mark(self._found(other)))}
            found, self._findings[values.name] = decide(
                self._found(values),
                self._names.get(values.name, values.name),
                self._currency,
                self._decimal,
                amount=amount,
                totals=lambda: totals(values.filter(self._counted()), self._currency, money.digits(self._currency)),
                hint=hints.pop() if len(hints) == 1 else None,
            )
            self.formats[values.name] = found
        return self.formats[values.name]

    def findings(self, columns: Sequence[str]) -> list[Finding]:
        """Say how columns were read, once."""
        return [finding for column in columns for finding in self._findings.pop(column, [])]

    def _found(self, values: pl.Series) -> pl.DataFrame:
        if values.name not in self._evidence:
            counted = self._counted()
            self._evidence[values.name] = evidence(values if counted.all() else values.filter(counted), self._currency)
        return self._evidence[values.name]
