"""What columns mean by their names, in the words of `vocabulary/columns.yaml`."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from segmenter.vocabulary import vocabulary

_WORDS = vocabulary("columns")
_INSIDE = 1_000  # what a name that only holds a known one counts less
_BRACKETS = r"[\[(\uff08\u3010].*?[\])\uff09\u3011]"  # with a unit, such as (EUR)
_CHINESE = r"\u3040-\u30ff\u4e00-\u9fff"


@cache
def plain_name(name: str) -> str:
    """Write a name without case, accents and punctuation, its words apart.

    >>> plain_name("Order_Total (EUR)"), plain_name("CustomerID"), plain_name("Pièce d'identité")
    ('order total eur', 'customer id', 'piece d identite')
    """
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", unicodedata.normalize("NFKC", name))
    bare = "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())


@cache
def _known(field: str) -> dict[str, int]:
    names: dict[str, int] = {}
    for rank, name in enumerate(_WORDS[field]):
        names.setdefault(plain_name(str(name)), rank)
    return names


@cache
def _beside(field: str) -> tuple[str, ...]:
    return tuple(plain_name(str(word)) for word in _WORDS["beside"].get(field, ()))


def name_rank(name: str, field: str) -> int | None:
    """Say how well a column's name fits a field: 0 is best; None where it does not.

    >>> name_rank("order_id", "order_id"), name_rank("Total (EUR)", "amount") == name_rank("total", "amount")
    (0, True)
    >>> name_rank("Shipping total", "amount") is None
    True
    """
    known = _known(field)
    for form in (name, re.sub(_BRACKETS, " ", name)):
        if (rank := known.get(plain_name(form))) is not None:
            return rank
    text = plain_name(name)
    if any(holds(text, word) for word in _beside(field)):
        return None
    inside = [rank for word, rank in known.items() if (len(word) > 5 or re.match(rf"[{_CHINESE}]{{2}}", word)) and holds(text, word)]
    return _INSIDE + min(inside) if inside else None


def is_exact(rank: int) -> bool:
    """Tell whether a rank is that of a whole name."""
    return rank < _INSIDE


def holds(text: str, word: str) -> bool:
    """Tell whether a plain text holds a plain word, of letters as a whole one."""
    if re.search(rf"[{_CHINESE}]", word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def by_name(columns: Iterable[str], field: str) -> list[str]:
    """List the columns whose names fit a field, the best first."""
    ranks = {column: rank for column in columns if (rank := name_rank(column, field)) is not None}
    return sorted(ranks, key=lambda column: ranks[column])
