"""What a contact is, and what is shown in its place: names, phones, e-mails and addresses go to the call sheets.

And to what is filled in for these, ``to_mend.xlsx`` and the private file of contacts; nowhere else.

A column is one by its name or by the mapping; a text by its look, or because a contact column at hand has it. What is shown is its
shape: digits become 9, letters a or A, letters without case one sign, and all else stays: ``138-0013-8000`` is ``999-9999-9999``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from segmenter.vocabulary import vocabulary

if TYPE_CHECKING:
    import polars as pl

_TO_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}  # one for one
_SQL_TEXT = re.compile(r"'(?:[^']|'')*'")


def _name_pattern(names: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    return re.compile("|".join(names["anywhere"]) + rf"|(?<![a-z])(?:{'|'.join(names['words'])})(?![a-z])")


_KNOWN = vocabulary("contacts")
_LOOK = re.compile("|".join(_KNOWN["looks"]).replace("<gap>", _KNOWN["gap"]))
_HINT = "|".join(_KNOWN["hint"])  # for Polars
_PERSONAL, _THINGS, _HEADINGS = (_name_pattern(_KNOWN[key]) for key in ("personal", "things", "headings"))
_DATA, _PLACES = re.compile(_KNOWN["data"]), re.compile(_KNOWN["places"])


def shape(text: str) -> str:
    """Show a text by its shape alone, as long as it was."""
    letter = _KNOWN["letter"]
    return "".join(
        "9" if char.isdigit() else "A" if char.isupper() else "a" if char.islower() else letter if char.isalpha() else char for char in text
    )


def hide(text: str) -> str:
    """Show what looks like a contact in a message by its shape."""
    spans = [match.span() for match in _LOOK.finditer(text.translate(_TO_NARROW))]
    for start, end in reversed(spans):
        text = text[:start] + shape(text[start:end]) + text[end:]
    return text


def looks_like_contact(text: str) -> bool:
    """Tell whether a text holds a phone number, e-mail, WeChat or QQ id, ID-card number or street address; names look like any word."""
    return _LOOK.search(text.translate(_TO_NARROW)) is not None


def is_contact_name(name: str) -> bool:
    """Tell whether a column holds contacts or names of persons, by its name; not for what is about one, such as ``phone_model``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.translate(_TO_NARROW)).lower()
    words = re.sub(r"[^\w]+", "_", words)
    return _THINGS.search(words) is None and _PERSONAL.search(words) is not None


def may_be_shown(column: str) -> bool:
    """Tell whether a column may stand in lists and on pages, by its name: an address may say no more than the place."""
    return not is_contact_name(column) or _PLACES.search(column.lower()) is not None


def shown_columns(columns: Iterable[str]) -> dict[str, str]:
    """Say how the names of a table's columns may be shown: where a file has no header, they are its first customer."""
    names = list(columns)
    plain = [name.translate(_TO_NARROW).lower() for name in names]
    data = sum(_DATA.fullmatch(name) is not None or _LOOK.search(name) is not None for name in plain)
    headings = sum(_HEADINGS.search(name) is not None for name in plain)
    numbered = any(char.isdigit() for name in plain for char in name)  # as ids are; a header in another language has no digits
    row = numbered if not headings else data > headings or any(_LOOK.search(name) for name in plain)
    return {name: shape(name) if row else name for name in names}


def shown_sql(sql: str, contacts: Iterable[str] = ()) -> str:
    """Say how SQL may be shown: what it compares a contact column with is one too."""
    known = set(contacts)
    names = re.findall(r'"[^"]+"|[^\W\d]\w*', _SQL_TEXT.sub("", sql))
    if any(name.strip('"') in known or is_contact_name(name.strip('"')) for name in names):
        sql = _SQL_TEXT.sub(lambda text: shape(text[0]), sql)
    return hide(sql)


@dataclass(frozen=True)
class Contacts:
    """The contacts at hand while tables are read: columns that are some by the mapping, and what stands in all such columns."""

    columns: frozenset[str] = frozenset()
    known: Sequence["pl.Series"] = ()

    @cached_property
    def _folded(self) -> list["pl.Series"]:
        import polars as pl

        known = [values for values in self.known if values.dtype.is_numeric() or values.dtype in (pl.String, pl.Categorical, pl.Enum)]
        return [values.cast(pl.String).alias("known").str.strip_chars().str.to_lowercase() for values in known]

    def is_contact(self, column: str) -> bool:
        """Tell whether a column holds contacts, by the mapping or by its name."""
        return column in self.columns or is_contact_name(column)

    def among(self, values: "pl.Series") -> "pl.Series":
        """Tell which texts look like a contact, or hold what a column of contacts has."""
        import polars as pl

        texts = values.cast(pl.String, strict=False)
        different = texts.drop_nulls().unique()
        contacts = {text for text in different.filter(different.str.contains(_HINT)) if looks_like_contact(text)}
        if self._folded and len(different):
            parts = pl.DataFrame(
                [(text, part) for text in different for part in _parts(text)], schema={"text": pl.String, "part": pl.String}, orient="row"
            )
            wanted = parts["part"].unique().implode()
            known = pl.concat([values.filter(values.is_in(wanted)).unique() for values in self._folded])
            contacts.update(parts.filter(pl.col("part").is_in(known.implode()))["text"])
        return texts.is_in(list(contacts)).fill_null(value=False) if contacts else pl.repeat(False, len(values), eager=True)

    def show(self, values: "pl.Series", columns: Iterable[str]) -> "pl.Series":
        """Show values of some columns, contacts among them by their shape."""
        import polars as pl

        texts = values.cast(pl.String, strict=False)
        hidden = texts.is_not_null() if any(map(self.is_contact, columns)) else self.among(texts)
        shapes = {text: shape(text) for text in texts.filter(hidden).unique()}
        return texts.replace(shapes) if shapes else texts

    def without(self, rejects: "pl.DataFrame") -> "pl.DataFrame":
        """Show rejects without contacts, see `tables.REJECTS`."""
        import polars as pl

        if rejects.is_empty():
            return rejects
        parts = []
        for (label,), rows in rejects.with_row_index("__at").partition_by("column", as_dict=True, maintain_order=True).items():
            columns = [] if label is None else [str(label), *str(label).split(", ")]
            parts.append(rows.with_columns(self.show(rows["value"], columns).alias("value")))
        whole = pl.concat(parts).sort("__at").drop("__at")
        return whole.with_columns(self.show(whole["column"], ()).alias("column"), self.show(whole["file"], ()).alias("file"))


def _parts(text: str) -> list[str]:
    """List what of a text may be a contact by itself: whole, its words, two or three of them, and two to four characters of Chinese."""
    folded = text.strip().lower()
    letters = sum(char.isalpha() for char in folded)
    parts = {folded} if letters > 1 or sum(char.isdigit() for char in folded) >= 7 else set()
    words = re.findall(r"[^\W\d_]+", folded)
    parts |= {" ".join(words[at : at + size]) for size in (1, 2, 3) for at in range(len(words) - size + 1) if len(words[at]) > 2}
    for run in re.findall(r"[\u3400-\u9fff]{2,}", folded[:500]):
        parts |= {run[at : at + size] for size in (2, 3, 4) for at in range(len(run) - size + 1)}
    return sorted(parts)
