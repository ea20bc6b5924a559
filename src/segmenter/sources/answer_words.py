"""What agents write into call sheets and lists: headers and answers, in English and Chinese, as people spell them."""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache, lru_cache
from typing import NamedTuple

from segmenter.vocabulary import vocabulary


class Meaning(NamedTuple):
    """What an answer says: one of the ledger's, or ``none`` where nobody has called yet; and what it says besides."""

    answer: str
    reason: str | None = None


NOT_YET = Meaning("none")
_JOINED = Meaning("joined")
_NEGATING = re.compile(r"\b(?:no|not|never|dont|didnt|doesnt|isnt|wont|cant|un)")
_CLOSE = 0.85  # of 1: "refuesd", "no anwser"; but not "not joined" for "joined"


def simplify(text: str) -> str:
    """Bring words into one form: lower case, no punctuation, single spaces; ticks and crosses stay."""
    marks = vocabulary("answers")["marks"]
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    return " ".join("".join(letter if letter.isalnum() or letter in marks else " " for letter in folded).split())


def _key(word: str) -> str:
    return word.replace(" ", "")


@cache
def known_answers() -> dict[str, Meaning]:
    """Give the answers of the vocabulary, simplified, and their meanings."""
    entries = vocabulary("answers")["answers"]
    return {simplify(word): Meaning(entry["answer"], entry.get("reason")) for entry in entries for word in entry["words"]}


@cache
def _by_key() -> dict[str, Meaning]:
    return {_key(word): meaning for word, meaning in known_answers().items()}


@cache
def _headers() -> dict[str, list[str]]:
    return {role: [_key(simplify(name)) for name in names] for role, names in vocabulary("answers")["headers"].items()}


def meaning_of(text: str, *, of_joining: bool = False) -> Meaning | None:
    """Understand an answer; None where it cannot be told.

    A misspelt English answer is understood where all words that it is near to mean the same, and none of them turns it round. In
    Chinese one character is a word, so there only endings may differ. In a column that asks whether somebody joined, "no" is no refusal.
    """
    words, word = vocabulary("answers"), simplify(text)
    key = _key(word)
    if of_joining and key in words["of_joining"]["no"]:
        return NOT_YET
    if of_joining and key in words["of_joining"]["yes"]:
        return _JOINED
    meaning = _by_key().get(key) or _by_key().get(key.rstrip(words["endings"]))
    if meaning is not None or not word.isascii():
        return meaning
    turns = len(_NEGATING.findall(word))
    near = {meaning for known, meaning in known_answers().items() if _near(key, _key(known)) and len(_NEGATING.findall(known)) == turns}
    return near.pop() if len(near) == 1 else None


def channel_of(text: str) -> str | None:
    """Tell which of `tables.CHANNELS` a word means; None where it cannot be told."""
    return _channels().get(_key(simplify(text)))


@cache
def _channels() -> dict[str, str]:
    return {_key(simplify(word)): channel for channel, words in vocabulary("answers")["channels"].items() for word in words}


def is_answer(note: str) -> bool:
    """Tell whether a note is an answer and nothing else, spelled as it should be; not where it is too short to be sure."""
    key = _key(simplify(note))
    return len(key) >= (4 if key.isascii() else 2) and _by_key().get(key, NOT_YET) != NOT_YET


def roles_of(header: Iterable[str]) -> dict[str, str]:
    """Find what the columns of a list are: their names by role, as the vocabulary has them."""
    keys = {name: _key(simplify(name)) for name in header}
    roles: dict[str, str] = {}
    for role, names in _headers().items():
        fitting = [name for name, key in keys.items() if key in names]
        if fitting:
            roles[role] = min(fitting, key=lambda name: names.index(keys[name]))
    left = {name: key for name, key in keys.items() if key.isascii() and name not in roles.values()}
    for role, names in _headers().items():
        near = [name for name, key in left.items() if any(_near(key, known) for known in names)]
        if role not in roles and len(near) == 1 and near[0] not in roles.values():
            roles[role] = near[0]
    return roles


def more_answers(header: Iterable[str], roles: dict[str, str]) -> list[str]:
    """Find further columns of answers: an agent's own, beside that of the call sheet."""
    return [name for name in header if _key(simplify(name)) in _headers()["answer"] and name not in roles.values()]


def aside_columns(header: Iterable[str], what: str) -> list[str]:
    """Find the columns that agents fill in for themselves: ``call_again`` or ``new_phone``."""
    words = {_key(simplify(word)) for word in vocabulary("answers")["asides"][what]}
    return [name for name in header if _key(simplify(name)) in words]


@lru_cache(maxsize=65_536)  # the sheets of a launch have the same headers
def _near(one: str, other: str) -> bool:
    return len(one) > 3 and other.isascii() and SequenceMatcher(None, one, other, autojunk=False).ratio() >= _CLOSE
