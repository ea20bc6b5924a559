"""What differs between the engines: their SQL, and how frames come and go."""

from collections.abc import Sequence
from typing import Any, Protocol

import narwhals as nw
import polars as pl


class Engine(Protocol):
    """An open connection to an engine. SQL goes in; names are those of temporary views."""

    name: str
    text_type: str

    def schema(self, query: str) -> pl.Schema:
        """Say which columns a query gives."""

    def fetch(self, query: str) -> pl.DataFrame:
        """Bring a query's rows here."""

    def view(self, name: str, query: str) -> None:
        """Name a query."""

    def keep(self, name: str, query: str) -> None:
        """Name a query's rows, computed once."""

    def upload(self, name: str, frame: pl.DataFrame) -> None:
        """Bring a frame there."""

    def lazy(self, name: str) -> "nw.LazyFrame[Any]":
        """Give what is named as a Narwhals frame."""

    def collect(self, lazy: "nw.LazyFrame[Any]") -> pl.DataFrame:
        """Compute a Narwhals frame and bring its rows here."""

    def sql(self, expression: str) -> str:
        """Write: an expression of the config, in which a backslash means nothing."""

    def trimmed(self, text: str, blanks: str) -> str:
        """Write: the text without these characters around it."""

    def half_even(self, number: str) -> str:
        """Write: the nearest whole number, of two the even one, as a float."""

    def micros(self, moment: str, dtype: pl.DataType) -> str:
        """Write: microseconds since 1970; of a moment with a zone, in UTC."""

    def hashed(self, columns: Sequence[str]) -> str:
        """Write: a hash of rows, equal where they are."""


def name(column: str) -> str:
    """Quote a column's name.

    Parameters
    ----------
    column : str
        Any text.

    Returns
    -------
    str
        SQL.

    Examples
    --------
    >>> print(name('a "b" c'))
    "a ""b"" c"
    """
    return '"' + column.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quote a text.

    Parameters
    ----------
    value : str
        Any text.

    Returns
    -------
    str
        SQL, as expressions of the config have it.

    Examples
    --------
    >>> text("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"
