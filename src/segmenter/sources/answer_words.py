"""What agents write into call sheets and lists: headers and answers, in English and Chinese, as people spell them."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache, lru_cache

from segmenter.sources.answer_examples import meaning_of as meaning_by_examples
from segmenter.sources.answer_phrases import NOT_YET, Meaning, is_phrase
from segmenter.sources.answer_spelling import plain
from segmenter.vocabulary import vocabulary

_CLOSE = 0.85  # of 1: "custmer id"


def _key(word: str) -> str:
    """Bring words into one form: lower case, simplified characters, without punctuation and blanks; ticks and crosses stay."""
    return "".join(letter for letter in plain(word) if letter.isalnum() or letter in vocabulary("answers")["marks"])


@cache
def _headers() -> dict[str, list[str]]:
    return {role: [_key(name) for name in names] for role, names in vocabulary("answers")["headers"].items()}


def meaning_of(text: str, *, of_joining: bool = False) -> Meaning | None:
    """Understand an answer; None where it cannot be told. In a column that asks whether somebody joined, "no" tells of no call."""
    asked, key = vocabulary("answers")["of_joining"], _key(text)
    if of_joining and (key in asked["no"] or is_phrase(text, of="not_in")):
        return NOT_YET
    return Meaning("joined") if of_joining and key in asked["yes"] else meaning_by_examples(text)


def channel_of(text: str) -> str | None:
    """Tell which of `tables.CHANNELS` a word means; None where it cannot be told."""
    return _channels().get(_key(text))


def bringer_in(text: str, *, told_by_way: bool = False) -> str | None:
    """Give whom a cell names as who brought somebody; one that is `told_by_way` says how they came, and mostly names nobody."""
    nobody, ways = _bringer_words()
    way = None if nobody.fullmatch(text) else next((found for pattern in ways if (found := pattern.fullmatch(text))), None)
    who = way["who"] if way else None if told_by_way else text
    return None if who is None or nobody.fullmatch(who) or channel_of(who) else who


def tells_way(text: str) -> bool:
    """Tell whether a cell says how somebody came, and no channel."""
    nobody, ways = _bringer_words()
    return nobody.fullmatch(text) is not None or any(way.fullmatch(text) for way in ways)


@cache
def _bringer_words() -> tuple[re.Pattern[str], list[re.Pattern[str]]]:
    words = vocabulary("people")["bringers"]
    return re.compile(words["nobody"], re.IGNORECASE), [re.compile(way, re.IGNORECASE) for way in words["ways"]]


@cache
def _channels() -> dict[str, str]:
    return {_key(word): channel for channel, words in vocabulary("answers")["channels"].items() for word in words}


def is_answer(note: str) -> bool:
    """Tell whether a note is an answer and nothing else, spelled as it should be; not where it is too short to be sure."""
    key = _key(note)
    return len(key) >= (4 if key.isascii() else 2) and is_phrase(note) and meaning_of(note) not in (None, NOT_YET)


def roles_of(header: Iterable[str]) -> dict[str, str]:
    """Find what the columns of a list are: their names by role, as the vocabulary has them."""
    keys = {name: _key(name) for name in header}
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


def dated_columns(header: Iterable[str]) -> list[str]:
    """Find the columns that may say when somebody was called, the likeliest first."""
    names = _headers()["answered_on"]
    return sorted((name for name in header if _key(name) in names), key=lambda name: names.index(_key(name)))


def more_answers(header: Iterable[str], roles: dict[str, str]) -> list[str]:
    """Find further columns of answers: an agent's own, beside that of the call sheet."""
    return [name for name in header if _key(name) in _headers()["answer"] and name not in roles.values()]


def aside_columns(header: Iterable[str], what: str) -> list[str]:
    """Find columns that agents fill in besides their answers: ``new_phone``, ``brought_by``."""
    words = {_key(word) for word in vocabulary("answers")["asides"][what]}
    return [name for name in header if _key(name) in words]


@lru_cache(maxsize=65_536)  # the sheets of a launch have the same headers
def _near(one: str, other: str) -> bool:
    return len(one) > 3 and other.isascii() and SequenceMatcher(None, one, other, autojunk=False).ratio() >= _CLOSE
