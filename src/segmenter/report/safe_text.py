"""Text from a shop's tables made safe to be a cell of a CSV or the name of a file."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

import polars as pl

from segmenter.settings.types import RESERVED
from segmenter.words import STAND_INS, visible

# Spreadsheets take these for the start of a formula, some of them after blanks as well.
_FORMULA = r"^(?:[\t\r\n]|[\s\p{Z}\p{C}]*[=+\-@＝＋－＠])"
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_STAND_INS = {"\r\n": "\r\n"} | STAND_INS
_MOST_BYTES = 120  # a file system allows 255, and endings and numbers are still to come
_MARK_BYTES = 9


def safe_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep a spreadsheet from reading text as a formula: a leading apostrophe where one would begin.

    Numbers, dates and nulls stay as they are; categories become text. Line breaks inside a cell stay too: CSV quotes them.
    What nobody sees in a cell, but steers a terminal or turns the direction of writing, is shown by its code.
    """
    words = [name for name, kind in frame.schema.items() if isinstance(kind, pl.String | pl.Categorical | pl.Enum)]
    cells = frame.with_columns(pl.col(words).cast(pl.String).str.replace_many(_STAND_INS, leftmost=True))
    cells.columns = [visible(name) for name in cells.columns]
    words = [name for name, kind in cells.schema.items() if kind == pl.String]
    cells = cells.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA)).then("'" + pl.col(name)).otherwise(name).alias(name) for name in words
    )
    risky = pl.Series(cells.columns, dtype=pl.String).str.contains(_FORMULA)
    return cells.rename({name: f"'{name}" for name, risk in zip(cells.columns, risky, strict=True) if risk})


def safe_name(name: str) -> str:
    """Make a name fit to be a file's on Linux, macOS and Windows, without the ending: 1 to 120 bytes of UTF-8.

    >>> safe_name("四川/成都"), safe_name("../../etc"), safe_name("NUL")
    ('四川-成都', 'etc', '_NUL')
    """
    plain = unicodedata.normalize("NFC", name)
    plain = "".join(" " if character.isspace() else character for character in plain)
    plain = "".join(character for character in plain if not unicodedata.category(character).startswith("C"))
    plain = _cut(re.sub(r" +", " ", _FORBIDDEN.sub("-", plain)), _MOST_BYTES - 1).strip(" .-")
    return f"_{plain}" if not plain or RESERVED.fullmatch(plain.split(".")[0].rstrip()) else plain


def safe_names(names: Iterable[str]) -> dict[str, str]:
    """Give each name a file name of its own, also on file systems that ignore case.

    Where several would share one, all but one that needed no change carry a mark made from the name itself.

    >>> safe_names(["a/b", "a-b", "c"])
    {'a-b': 'a-b', 'a/b': 'a-b~c14cddc0', 'c': 'c'}
    """
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        alike[_folded(safe_name(name))].append(name)
    given = {}
    for group in alike.values():
        unchanged = next((name for name in group if safe_name(name) == name), group[0])
        for name in group:
            given[name] = safe_name(name) if name == unchanged else _marked(name)
    taken: set[str] = set()
    for name in sorted(given):
        while _folded(given[name]) in taken:  # a name that looks like another's mark
            given[name] = _marked(given[name])
        taken.add(_folded(given[name]))
    return dict(sorted(given.items()))


def _marked(name: str) -> str:
    mark = hashlib.sha256(name.encode()).hexdigest()[: _MARK_BYTES - 1]
    return f"{_cut(safe_name(name), _MOST_BYTES - _MARK_BYTES).rstrip(' .-')}~{mark}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")
