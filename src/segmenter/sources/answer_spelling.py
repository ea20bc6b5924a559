"""How answers are spelt: characters, the ways of the south, pinyin and its initials, and what is written nearly alike."""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import cache, lru_cache

from segmenter.vocabulary import vocabulary

Units = tuple[str, ...]  # characters of Chinese, words of Latin letters

_PREFIXES = ("un", "dis")
_UNIT = re.compile(r"[a-z0-9#]+|\S")
_LATIN = re.compile(r"(?<![a-z0-9])[a-z]+(?![a-z0-9])")


def plain(text: str) -> str:
    """Bring words into one form: lower case, simplified characters, no apostrophes."""
    folded = re.sub(r"['’]ll\b", " will", unicodedata.normalize("NFKC", text).casefold())
    folded = re.sub(r"(?<=[a-z])['’]d\b", " would", folded)
    return folded.replace("'", "").replace("’", "").translate(_characters())


@cache
def _characters() -> dict[int, str]:
    given = vocabulary("answers")["traditional"]
    return {ord(one): other for one, other in zip(given["from"], given["to"], strict=True)}


def units_of(text: str) -> Units:
    """Part words into what is compared, without what stands anywhere and changes nothing."""
    words = vocabulary("answers")
    kept = "".join(letter if letter.isalnum() or letter in words["marks"] else " " for letter in text)
    return tuple(unit for unit in _UNIT.findall(kept) if unit not in words["dropped"])


@lru_cache(maxsize=65_536)
def spoken(text: str) -> str:
    """Say in standard words what an answer says, whatever its dialect, and whether or not it is written in pinyin."""
    words = plain(text)
    for written, meant in vocabulary("answers")["rewrites"]:
        words = re.sub(written, meant, words)
    tokens = _LATIN.findall(words)
    if not tokens or (words.isascii() and set(tokens) & _english()):
        return words
    if words.isascii():  # "bu xuyao"
        joined = re.sub(r"(?<=[a-z]) (?=[a-z])", "", words)
        found = _LATIN.sub(lambda token: _decoded(token[0]), joined)
        return words if _LATIN.search(found) else found
    return _LATIN.sub(lambda token: token[0] if token[0] in _english() else _decoded(token[0]), words)


def _decoded(token: str) -> str:
    """Read pinyin, or its initials, where the words are those that agents shorten; and the token itself where it is none."""
    return "".join((_reading(token) if len(token) > 1 else None) or (token,))


@lru_cache(maxsize=8192)
def _reading(token: str) -> tuple[str, ...] | None:
    """Give the fewest words that are written so."""
    if not token:
        return ()
    rests = ((word, _reading(token[len(start) :])) for start, word in _spellings() if token.startswith(start))
    return min(((word, *rest) for word, rest in rests if rest is not None), key=lambda words: (len(words), words), default=None)


@cache
def _spellings() -> list[tuple[str, str]]:
    from pypinyin import Style, lazy_pinyin

    words = vocabulary("answers")["spelt"].split()
    return [("".join(lazy_pinyin(word, style=style)), word) for word in words for style in (Style.NORMAL, Style.FIRST_LETTER)]


@cache
def _english() -> frozenset[str]:
    """Give the words of Latin letters that the phrases have."""
    words = vocabulary("answers")
    return frozenset(_LATIN.findall(plain(" ".join(pattern for written in words["phrases"].values() for pattern in written))))


@lru_cache(maxsize=65_536)
def near(one: str, other: str) -> bool:
    """Tell whether one character or word may be another misspelt."""
    if one.isascii() or other.isascii():
        long = len(one) > 3 < len(other) and one.isalpha() and other.isalpha() and one.startswith(_PREFIXES) == other.startswith(_PREFIXES)
        return long and SequenceMatcher(None, one, other, autojunk=False).ratio() >= 0.8
    return bool(sounds(one) & sounds(other)) or any({one, other} == set(pair) for pair in vocabulary("answers")["alike"].split())


@lru_cache(maxsize=8192)
def sounds(character: str) -> frozenset[str]:
    """Give how a character is read, without tones, and without what many people do not tell apart: zh and z, ing and in."""
    from pypinyin import Style, pinyin

    heard = pinyin(character, style=Style.NORMAL, heteronym=True)[0]
    return frozenset(re.sub(r"(?<=^[zcs])h|(?<=n)g$", "", sound) for sound in heard)


@lru_cache(maxsize=8192)
def turns(unit: str) -> bool:
    """Tell whether a character or word turns round what it stands with."""
    words = vocabulary("answers")["negations"]
    return unit in words["characters"] or re.match(words["words"], unit) is not None


def may_turn(unit: str) -> bool:
    """Tell what sounds like "not", and may be it misspelt."""
    return not unit.isascii() and any(sounds(unit) & sounds(other) for other in vocabulary("answers")["negations"]["characters"])


def alarms(unit: str) -> bool:
    """Tell what stands in refusals, whatever else is said."""
    words = vocabulary("answers")["negations"]
    return re.match(rf"[{words['alarms']}]|{words['alarming']}", unit) is not None
