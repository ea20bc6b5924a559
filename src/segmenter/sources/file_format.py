"""How the files of one table are written, by the config, and which columns are looked for in them."""

import functools
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl
from polars.exceptions import PolarsError

from segmenter import sql
from segmenter.checks.header_rows import is_value
from segmenter.contacts import shown_columns
from segmenter.errors import ConfigError
from segmenter.messages import Message
from segmenter.settings import FilesSettings, MappingSettings, TableSettings
from segmenter.sources.expressions import columns_of
from segmenter.sources.number_columns import mark_in_text
from segmenter.sources.row_mapping import NEEDED

_WRITTEN = ("encoding", "separator", "sheet", "skip_rows", "header")


@dataclass(frozen=True)
class FileFormat:
    """How files are written: as `FilesSettings` says of all tables, or as a table says of its own."""

    encoding: str = "auto"
    separator: str = "auto"
    sheet: str | None = None
    skip_rows: int | Literal["auto"] = "auto"
    header: bool = True  # else columns are called column_1, column_2, …
    decimal: Callable[[str], str] = lambda column: "."  # of columns, where their numbers become text
    table: str = ""  # whose own keys messages name
    own: frozenset[str] = field(default_factory=frozenset)  # what the table says for itself
    wanted: tuple[str, ...] = ()  # the columns and the SQL of its mapping
    fields: frozenset[str] = field(default_factory=frozenset)  # of the table, that take a column of their own name where there is one
    as_is: bool = False  # one sheet, and all its rows

    def key(self, name: str) -> str:
        """Name the key by which one of these may be set for this table alone."""
        return f"data.{self.table}.{name}" if self.table else f"data.{name}"

    def set_by(self, name: str) -> str:
        """Name the key by which one of these is set."""
        return self.key(name) if name in self.own else f"data.{name}"

    def lacking(self, columns: Collection[str]) -> list[str]:
        """List what of the mapping cannot be found among columns."""
        return [mapping for mapping in self.wanted if mapping not in columns and not _roots(mapping) <= set(columns)]

    def fits(self, columns: Collection[str]) -> bool:
        """Tell whether all of the mapping can be found among columns."""
        return bool(self.wanted) and not self.lacking(columns)


def format_of(settings: FilesSettings, table: str) -> FileFormat:
    """Say how the files of a table are written."""
    read: TableSettings = getattr(settings, table)
    own = {name: value for name in _WRITTEN if (value := getattr(read, name, None)) is not None}
    common = {name: getattr(settings, name) for name in _WRITTEN}
    mappings: dict[str, str | None] = read.model_dump()["columns"]
    return FileFormat(
        **{**common, **own},
        decimal=mark_in_text(settings),
        table=table,
        own=frozenset(own),
        wanted=_wanted(read, table, mappings),
        fields=frozenset(name for name, mapping in mappings.items() if mapping is None),
    )


def _wanted(read: TableSettings, table: str, mappings: dict[str, str | None]) -> tuple[str, ...]:
    wanted = [mapping or field for field, mapping in mappings.items() if mapping is not None or field in NEEDED[table]]
    wanted += [condition for condition in (read.where, getattr(read, "refund", None)) if condition is not None]
    for listed in ("fill_down", "contact", "attributes"):
        wanted += getattr(read, listed, ())
    return tuple(dict.fromkeys(wanted))


@functools.cache
def _roots(mapping: str) -> frozenset[str]:
    """List the columns of an SQL expression; of what is none, itself."""
    try:
        return frozenset(sql.expression(mapping).meta.root_names())
    except (ConfigError, PolarsError):
        return frozenset([mapping])


def say_headers(
    raw: Mapping[str, pl.DataFrame], unreadable: Mapping[str, pl.DataFrame], settings: MappingSettings, problems: list[str]
) -> list[str]:
    """Say of tables with problems where the header seems to be a title above it: hardly a cell in it has a name."""
    hints: list[str] = []
    if not isinstance(settings, FilesSettings):
        return hints
    for name, frame in raw.items():
        columns = columns_of(frame)
        unnamed = sum(re.fullmatch(r"column_\d+", column) is not None for column in columns)
        written = format_of(settings, name)
        if not (written.header and any(problem.startswith(f"data.{name}.") for problem in problems)):
            continue
        if all(map(is_value, columns)):
            sentence = (
                "{key}: should be false where {table} has no header, as its first row holds values and no names; "
                "its columns are then called column_1, column_2, …"
            )
            hints.append(Message("files.headerless", sentence, table=name, key=written.key("header")))
            continue
        longer = len(columns) == 1 and name in unreadable and unreadable[name].height > 0
        if 2 * unnamed >= len(columns) or longer:
            sentence = '{key}: should be the number of rows above the header of {table} (got {rows}, where "{shown}" seems to be a title)'
            facts = {"key": written.key("skip_rows"), "rows": written.skip_rows, "shown": tuple(shown_columns(columns).values())[:3]}
            hints.append(Message("files.title", sentence, table=name, **facts))
    return hints
