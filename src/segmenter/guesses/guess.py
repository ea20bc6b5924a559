"""What `segmenter init` takes for what, and what it asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from segmenter.messages import Message

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_KEYWORD = re.compile(
    "all|and|any|as|asc|by|case|cast|date|desc|distinct|else|end|exists|from|group|having|in|interval|into|is|join|like|limit|not|null|"
    "offset|on|or|order|select|set|table|then|time|timestamp|union|user|using|value|values|when|where|with",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Guess:
    """A key of the config, its value, and the evidence."""

    key: str  # dotted, as in the config
    value: object
    why: Message


@dataclass(frozen=True)
class Question:
    """What cannot be told from the data; ``answers.KEY`` answers it."""

    key: str
    text: Message
    choices: tuple[str, ...] = ()
    otherwise: str | None = None  # what is taken where nobody answers; None: nothing is written without an answer


@dataclass(frozen=True)
class OrderColumns:
    """The columns that an order is made of."""

    customer_id: str
    time: str
    amount: str  # or SQL
    of_amount: tuple[str, ...]  # the columns in it
    order_id: str | None


@dataclass
class Draft:
    """Guesses and questions as they are found."""

    answers: Mapping[str, object]  # by the key of a question; null where there is none
    guesses: list[Guess] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)

    def answer(self, key: str) -> object:
        """Give what a person said; None where nothing."""
        return self.answers.get(key)

    def take(self, key: str, value: object, why: Message) -> None:
        """Take a value for a key of the config."""
        self.guesses.append(Guess(key, value, why))

    def ask(self, key: str, text: Message, choices: tuple[str, ...] = (), otherwise: str | None = None) -> None:
        """Ask for what was not answered."""
        self.questions.append(Question(key, text, choices, otherwise))


def answered(key: str) -> Message:
    """Say that a person has decided."""
    return Message("init.answered", "as answers.{key} says", key=key)


def quoted(column: str) -> str:
    """Write a column's name as SQL.

    >>> quoted("Quantity"), quoted("Shipping City"), quoted("order")
    ('Quantity', '"Shipping City"', '"order"')
    """
    plain = _WORD.fullmatch(column) and not _KEYWORD.fullmatch(column)
    return column if plain else '"{}"'.format(column.replace('"', '""'))


def text_list(values: list[str]) -> str:
    """Write texts as a list in SQL."""
    return ", ".join("'{}'".format(value.replace("'", "''")) for value in values)
