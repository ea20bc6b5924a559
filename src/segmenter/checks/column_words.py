"""What a column holds by its name, in several languages."""

import re
import unicodedata
from collections.abc import Iterable

from segmenter.contacts import is_contact_name
from segmenter.vocabulary import vocabulary

_LATIN = re.compile(r"[a-z\u00c0-\u024f\u0400-\u04ff]")


def plain(text: str) -> str:
    """Write a name or a status in lower case, its words set apart by single blanks.

    >>> plain("OrderID"), plain("Fulfillment_Status "), plain("№ Pedido")
    ('order id', 'fulfillment status', 'no pedido')
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", text)).lower()
    return re.sub(r"[\W_]+", " ", words).strip()


def holds(text: str, word: str) -> bool:
    """Tell whether a plain text has a word: whole where it is Latin or Cyrillic, else as a part.

    >>> holds("unpaid order", "paid"), holds("line total", "total")
    (False, True)
    """
    return f" {word} " in f" {text} " if _LATIN.search(word) else word in text


def named(columns: Iterable[str], what: str) -> list[str]:
    """List the columns whose whole name is one of a kind of `order_columns.yaml`, the likeliest first."""
    known = {plain(column): column for column in columns}
    return [known[word] for word in _words(what) if word in known]


def speaks_of(column: str, what: str) -> bool:
    """Tell whether a column's name has a word of a kind of `order_columns.yaml`."""
    name = plain(column)
    return any(holds(name, word) for word in _words(what))


def is_person(column: str) -> bool:
    """Tell whether a column seems to name a person."""
    return is_contact_name(column) or speaks_of(column, "person")


def _words(what: str) -> list[str]:
    found: list[str] = vocabulary("order_columns")[what]
    return found
